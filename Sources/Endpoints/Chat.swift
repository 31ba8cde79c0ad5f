import Foundation

/// One message of a conversation.
public struct ChatMessage: Sendable, Hashable {
    public enum Role: String, Sendable, Hashable, Codable {
        case system, user, assistant
    }

    public var role: Role
    public var content: String
    /// Pictures that the text speaks of.
    public var images: [ChatImage]

    public init(role: Role, content: String, images: [ChatImage] = []) {
        self.role = role
        self.content = content
        self.images = images
    }
}

extension ChatMessage: Codable {
    private enum CodingKeys: String, CodingKey {
        case role, content, images
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            role: try values.decode(Role.self, forKey: .role),
            content: try values.decode(String.self, forKey: .content),
            images: try values.decodeIfPresent([ChatImage].self, forKey: .images) ?? [])
    }

    /// A message without pictures is encoded as it was before there were any, so that its hash is the same.
    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(role, forKey: .role)
        try values.encode(content, forKey: .content)
        if !images.isEmpty { try values.encode(images, forKey: .images) }
    }
}

/// What is asked of an endpoint: the whole conversation so far.
public struct ChatRequest: Sendable, Hashable, Codable {
    /// The model's name as the endpoint knows it.
    public var model: String
    public var messages: [ChatMessage]
    public var temperature: Double?
    public var maxOutputTokens: Int?
    public var seed: Int?
    /// What the conversation is about, such as a picture and a draw, where one recording holds many conversations. Neither sent
    /// nor part of the hash.
    public var subject: String?

    private enum CodingKeys: String, CodingKey {
        case model, messages, temperature, maxOutputTokens, seed
    }

    public init(
        model: String, messages: [ChatMessage], temperature: Double? = nil, maxOutputTokens: Int? = nil,
        seed: Int? = nil, subject: String? = nil
    ) {
        self.model = model
        self.messages = messages
        self.temperature = temperature
        self.maxOutputTokens = maxOutputTokens
        self.seed = seed
        self.subject = subject
    }
}

/// Tokens as the endpoint counted them.
public struct TokenUsage: Sendable, Hashable, Codable {
    public var input: Int
    public var output: Int
    public var reasoning: Int?

    public init(input: Int, output: Int, reasoning: Int? = nil) {
        self.input = input
        self.output = output
        self.reasoning = reasoning
    }
}

/// A whole reply. A stream that ended without a finish reason is never one.
public struct ChatReply: Sendable, Hashable, Codable {
    public enum FinishReason: String, Sendable, Hashable, Codable {
        case stop, length
        case contentFilter = "content_filter"
        case other
    }

    /// The text that the conversation continues with; reasoning is taken out.
    public var content: String
    /// From `reasoning_content`, `reasoning`, thinking blocks or `<think>`; stored, never sent back.
    public var reasoning: String?
    public var finishReason: FinishReason
    public var usage: TokenUsage?
    /// Seconds from the request to the first token and to the last.
    public var firstTokenSeconds: Double?
    public var totalSeconds: Double
    /// How often the request was sent until this reply came.
    public var attempts: Int
    /// Stored beside the reply: a recording that answers another request, a usage that the endpoint left out.
    public var warnings: [String]

    public init(
        content: String, reasoning: String? = nil, finishReason: FinishReason = .stop, usage: TokenUsage? = nil,
        firstTokenSeconds: Double? = nil, totalSeconds: Double = 0, attempts: Int = 1, warnings: [String] = []
    ) {
        self.content = content
        self.reasoning = reasoning
        self.finishReason = finishReason
        self.usage = usage
        self.firstTokenSeconds = firstTokenSeconds
        self.totalSeconds = totalSeconds
        self.attempts = attempts
        self.warnings = warnings
    }
}

/// Receives a reply as it arrives, so that what was paid for is on disk before it is whole.
public protocol ReplySink: Sendable {
    /// A new attempt begins: what came before belongs to a failed one.
    func begin(attempt: Int) throws
    func append(content: String) throws
    func append(reasoning: String) throws
}

/// Something that answers a conversation: an HTTP server, a recording, a person at a chat window.
public protocol ChatEndpoint: Sendable {
    /// - Throws: `EndpointError`.
    func complete(_ request: ChatRequest, sink: any ReplySink) async throws -> ChatReply
}
