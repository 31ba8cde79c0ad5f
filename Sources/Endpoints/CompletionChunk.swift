import Foundation

/// One event of a streamed chat completion, or a whole completion that a server sent at once.
///
/// Fields that vendors spell differently are read in every spelling; everything else is ignored.
struct CompletionChunk: Decodable {
    struct Choice: Decodable {
        var index: Int
        var content: String
        var reasoning: String
        var finishReason: String?

        private enum Keys: String, CodingKey {
            case index, delta, message, text
            case finishReason = "finish_reason"
        }

        init(from decoder: any Decoder) throws {
            let values = try decoder.container(keyedBy: Keys.self)
            index = (try? values.decodeIfPresent(Int.self, forKey: .index)) ?? 0
            let part =
                try values.decodeIfPresent(Part.self, forKey: .delta)
                ?? values.decodeIfPresent(Part.self, forKey: .message)
            content = try part?.content ?? values.decodeIfPresent(String.self, forKey: .text) ?? ""
            reasoning = part?.reasoning ?? ""
            let reason = (try? values.decodeIfPresent(String.self, forKey: .finishReason)) ?? nil
            // Some servers send an empty reason with every piece.
            finishReason = reason?.isEmpty == false ? reason : nil
        }
    }

    /// `delta` of a stream, `message` of a whole completion.
    struct Part: Decodable {
        var content: String
        var reasoning: String

        private enum Keys: String, CodingKey {
            case content, refusal, reasoning
            case reasoningContent = "reasoning_content"
        }

        init(from decoder: any Decoder) throws {
            let values = try decoder.container(keyedBy: Keys.self)
            let blocks = try values.decodeIfPresent(Blocks.self, forKey: .content)
            let refusal = try values.decodeIfPresent(String.self, forKey: .refusal)
            content = (blocks?.text ?? "") + (refusal ?? "")
            // A server that sends both fields sends the same text twice.
            let named =
                (try? values.decodeIfPresent(String.self, forKey: .reasoningContent)) ?? nil
                ?? ((try? values.decodeIfPresent(String.self, forKey: .reasoning)) ?? nil)
            reasoning = (named ?? "") + (blocks?.thinking ?? "")
        }
    }

    /// A content that is text, or a list of blocks of text and of thinking.
    struct Blocks: Decodable {
        var text = ""
        var thinking = ""

        private struct Block: Decodable {
            var type: String?
            var text: String?
            var thinking: Blocks?
        }

        init(from decoder: any Decoder) throws {
            let value = try decoder.singleValueContainer()
            if let plain = try? value.decode(String.self) {
                text = plain
                return
            }
            for block in try value.decode([Block].self) {
                if block.type == "thinking" {
                    thinking += (block.thinking?.text ?? "") + (block.thinking == nil ? block.text ?? "" : "")
                } else {
                    text += block.text ?? ""
                }
            }
        }
    }

    struct Usage: Decodable {
        struct Details: Decodable {
            var reasoning: Int?
            private enum CodingKeys: String, CodingKey { case reasoning = "reasoning_tokens" }
        }

        var input: Int?
        var output: Int?
        var details: Details?
        private enum CodingKeys: String, CodingKey {
            case input = "prompt_tokens"
            case output = "completion_tokens"
            case details = "completion_tokens_details"
        }

        /// Nil where a server counts no tokens, or counts what cannot be.
        var tokens: TokenUsage? {
            guard let input, let output, input >= 0, output >= 0 else { return nil }
            return TokenUsage(input: input, output: output, reasoning: details?.reasoning)
        }
    }

    var choices: [Choice]
    var usage: TokenUsage?
    var error: ServerError?

    private enum Keys: String, CodingKey {
        case choices, usage, error
    }

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Keys.self)
        error = try values.decodeIfPresent(ServerError.self, forKey: .error)
        guard error != nil || values.contains(.choices) || values.contains(.usage) else {
            throw DecodingError.keyNotFound(
                Keys.choices, .init(codingPath: decoder.codingPath, debugDescription: "no choices, usage or error"))
        }
        choices = try values.decodeIfPresent([Choice].self, forKey: .choices) ?? []
        usage = ((try? values.decodeIfPresent(Usage.self, forKey: .usage)) ?? nil)?.tokens
    }
}

/// The `error` of a response, in the shapes that servers give it.
struct ServerError: Decodable {
    var message: String
    /// `code` and `type`, whatever is there, in lower case.
    var kinds: [String]
    /// `code` where it is an HTTP status.
    var status: Int?

    private enum Keys: String, CodingKey {
        case message, code, type, detail, status
    }

    init(message: String, kinds: [String] = [], status: Int? = nil) {
        self.message = message
        self.kinds = kinds
        self.status = status
    }

    init(from decoder: any Decoder) throws {
        if let text = try? decoder.singleValueContainer().decode(String.self) {
            self.init(message: text)
            return
        }
        let values = try decoder.container(keyedBy: Keys.self)
        func text(_ key: Keys) -> String? { (try? values.decodeIfPresent(String.self, forKey: key)) ?? nil }
        func number(_ key: Keys) -> Int? { (try? values.decodeIfPresent(Int.self, forKey: key)) ?? nil }
        let status = number(.code) ?? text(.code).flatMap { Int($0) } ?? number(.status)
        self.init(
            message: text(.message) ?? text(.detail) ?? "",
            kinds: [text(.code), text(.type)].compactMap { $0?.lowercased() }, status: status)
    }

    /// What a body says that came with an error status: JSON in one of several shapes, a page, plain text.
    init(body: Data) {
        struct Envelope: Decodable {
            var error: ServerError?
        }
        let decoder = JSONDecoder()
        if let error = try? decoder.decode(Envelope.self, from: body).error {
            self = error
        } else if let list = try? decoder.decode([Envelope].self, from: body), let error = list.first?.error {
            self = error
        } else if let error = try? decoder.decode(ServerError.self, from: body), !error.message.isEmpty {
            self = error
        } else {
            let text = String(decoding: body, as: UTF8.self)
            self.init(message: Self.looksLikeMarkup(text) ? "a web page instead of an error message" : text)
        }
    }

    static func looksLikeMarkup(_ text: String) -> Bool {
        let start = text.prefix(512).drop { $0.isWhitespace }.lowercased()
        return start.hasPrefix("<!doctype") || start.hasPrefix("<html") || start.hasPrefix("<?xml")
    }

    /// Whether the conversation is too long, in the words of the servers we know.
    var saysContextExceeded: Bool {
        if kinds.contains(where: { $0.contains("context_length") || $0.contains("exceed_context") }) { return true }
        let text = message.lowercased()
        return ["context length", "context size", "context window", "prompt is too long", "too many tokens"]
            .contains { text.contains($0) }
    }

    /// Whether the model sees no pictures: "does not support image input", "image_url is only supported by certain models", "is not a
    /// multimodal model", as servers of this format word it.
    var saysNoImages: Bool {
        let text = message.lowercased()
        let isAboutImages = ["image", "vision", "multimodal", "multi-modal", "mmproj"].contains { text.contains($0) }
        return isAboutImages
            && [
                "support", "not a multimodal", "not multimodal", "mmproj", "cannot process", "does not accept",
                "text-only",
            ]
            .contains { text.contains($0) }
            && !["image format", "media type", "mime"].contains { text.contains($0) }
    }

    var saysNoCredit: Bool {
        kinds.contains {
            $0.contains("insufficient_quota") || $0.contains("billing") || $0.contains("insufficient_balance")
        }
    }

    /// Whether the same request may succeed later.
    var isTransient: Bool {
        if let status { return status == 408 || status == 429 || status >= 500 }
        return kinds.contains { kind in
            ["overloaded", "rate_limit", "server_error", "unavailable", "timeout", "internal"].contains {
                kind.contains($0)
            }
        }
    }
}
