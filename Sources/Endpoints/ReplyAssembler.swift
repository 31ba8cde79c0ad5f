import Foundation

/// Builds one reply from the pieces of one attempt, and passes them on as they arrive.
struct ReplyAssembler {
    /// What a response turned out to be that is no reply.
    enum Failure: Error {
        case unreadable(String)
        case reported(ServerError)
        case cut
        /// Whole, and without any choice.
        case noChoice
    }

    private let sink: any ReplySink
    private let started = ContinuousClock.now
    private var parser = ServerSentEventParser()
    private var splitter = ReasoningSplitter()
    private var contentRedactor: StreamRedactor
    private var reasoningRedactor: StreamRedactor
    private var whole: [UInt8] = []
    private var isStream: Bool?
    private var hasChoice = false
    private var content = ""
    private var reasoning = ""
    private var finishReason: String?
    private var usage: TokenUsage?
    private var firstToken: Duration?
    private var finishedAt: ContinuousClock.Instant?

    /// Bytes of text that arrived, for the report of a reply that broke off.
    var receivedBytes: Int { content.utf8.count + reasoning.utf8.count }

    var hasFinishReason: Bool { finishReason != nil }

    /// Whether the reply is whole and the server had time enough to add its usage and its end.
    var isSettled: Bool { finishedAt.map { ContinuousClock.now - $0 > Self.grace } ?? false }

    /// Some servers keep the connection open after the last event.
    private static let grace = Duration.seconds(10)

    init(sink: any ReplySink, key: APIKey?) {
        self.sink = sink
        contentRedactor = StreamRedactor(key: key)
        reasoningRedactor = StreamRedactor(key: key)
    }

    /// - Returns: `.finished` once the stream said that it is done.
    mutating func receive(_ head: HTTPResponseHead, _ bytes: UnsafeRawBufferPointer) throws -> TransferStep {
        let streams = isStream ?? Self.isEventStream(head, bytes)
        isStream = streams
        guard streams else {
            whole.append(contentsOf: bytes)
            return .goOn
        }
        do {
            for event in try parser.feed(bytes) where try take(event) == .finished { return .finished }
        } catch ServerSentEventParser.Failure.eventTooLarge(let limit) {
            throw Failure.unreadable("a line of more than \(limit >> 20) MiB")
        }
        return .goOn
    }

    /// - Returns: the reply, when a finish reason has come.
    mutating func conclude() throws -> ChatReply {
        if isStream == true {
            if finishReason == nil, let event = parser.finish() { _ = try take(event) }
        } else {
            try takeWhole()
        }
        let rest = splitter.finish()
        try pass(content: rest.content, reasoning: rest.reasoning)
        try flush()
        guard let finishReason else { throw Failure.cut }
        var warnings: [String] = []
        if usage == nil { warnings.append("the endpoint reported no token usage") }
        if splitter.isUnclosed { warnings.append("the reply's <think> block was never closed") }
        return ChatReply(
            content: content, reasoning: reasoning.isEmpty ? nil : reasoning, finishReason: Self.reason(finishReason),
            usage: usage, firstTokenSeconds: firstToken.map(Self.seconds),
            totalSeconds: Self.seconds(ContinuousClock.now - started), warnings: warnings)
    }

    private mutating func take(_ event: [UInt8]) throws -> TransferStep {
        let text = event.drop { $0 == 0x20 }
        if text.elementsEqual("[DONE]".utf8) {
            guard finishReason != nil else { throw hasChoice ? Failure.cut : .noChoice }
            return .finished
        }
        if text.isEmpty { return .goOn }
        let chunk: CompletionChunk
        do {
            chunk = try JSONDecoder().decode(CompletionChunk.self, from: Data(event))
        } catch {
            throw Failure.unreadable("an event that is no JSON of a completion")
        }
        try take(chunk)
        return .goOn
    }

    private mutating func take(_ chunk: CompletionChunk) throws {
        if let error = chunk.error { throw Failure.reported(error) }
        if let counted = chunk.usage { usage = counted }
        for choice in chunk.choices where choice.index == 0 {
            hasChoice = true
            if firstToken == nil, !choice.content.isEmpty || !choice.reasoning.isEmpty {
                firstToken = ContinuousClock.now - started
            }
            let split = splitter.feed(choice.content)
            try pass(content: split.content, reasoning: choice.reasoning + split.reasoning)
            if let reason = choice.finishReason {
                guard reason != "error" else {
                    throw Failure.reported(ServerError(message: "finish reason error", kinds: ["server_error"]))
                }
                finishReason = reason
                finishedAt = .now
            }
        }
    }

    /// A server that does not stream: the whole completion as one JSON object.
    private mutating func takeWhole() throws {
        guard !whole.isEmpty else { throw Failure.cut }
        let text = String(decoding: whole.prefix(512), as: UTF8.self)
        if ServerError.looksLikeMarkup(text) { throw Failure.unreadable("a web page") }
        guard let chunk = try? JSONDecoder().decode(CompletionChunk.self, from: Data(whole)) else {
            throw Failure.unreadable("neither an event stream nor the JSON of a completion")
        }
        try take(chunk)
        guard hasChoice else { throw Failure.noChoice }
    }

    private mutating func pass(content piece: String, reasoning thought: String) throws {
        let text = contentRedactor.pass(piece)
        let thinking = reasoningRedactor.pass(thought)
        if !thinking.isEmpty {
            reasoning += thinking
            try sink.append(reasoning: thinking)
        }
        if !text.isEmpty {
            content += text
            try sink.append(content: text)
        }
    }

    private mutating func flush() throws {
        let text = contentRedactor.finish()
        let thinking = reasoningRedactor.finish()
        if !thinking.isEmpty {
            reasoning += thinking
            try sink.append(reasoning: thinking)
        }
        if !text.isEmpty {
            content += text
            try sink.append(content: text)
        }
    }

    private static func isEventStream(_ head: HTTPResponseHead, _ bytes: UnsafeRawBufferPointer) -> Bool {
        let type = head.headers["content-type"]?.lowercased() ?? ""
        if type.contains("text/event-stream") { return true }
        if type.contains("json") || type.contains("html") { return false }
        let start = bytes.drop { $0 == 0x20 || $0 == 0x0A || $0 == 0x0D || $0 == 0x09 }
        return start.starts(with: "data:".utf8) || start.first == UInt8(ascii: ":") || start.starts(with: "event:".utf8)
    }

    private static func reason(_ text: String) -> ChatReply.FinishReason {
        switch text.lowercased() {
        case "stop", "end_turn", "eos", "stop_sequence": .stop
        case "length", "max_tokens", "max_output_tokens": .length
        case "content_filter", "safety": .contentFilter
        default: .other
        }
    }

    private static func seconds(_ duration: Duration) -> Double {
        Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
    }
}
