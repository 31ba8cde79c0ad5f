import Endpoints
import Foundation

/// Answers with given replies in order, a few characters at a time.
public struct ScriptedEndpoint: ChatEndpoint {
    public var replies: [String]
    /// Seconds a reply takes.
    public var seconds: Double
    public var usage: TokenUsage?

    public init(_ replies: [String], seconds: Double = 0, usage: TokenUsage? = TokenUsage(input: 100, output: 50)) {
        self.replies = replies
        self.seconds = seconds
        self.usage = usage
    }

    public func complete(_ request: ChatRequest, sink: any ReplySink) async throws -> ChatReply {
        let index = request.exchangeIndex
        guard replies.indices.contains(index) else {
            throw EndpointError.recordingExhausted(file: "script", exchange: index + 1, count: replies.count)
        }
        let reply = replies[index]
        try sink.begin(attempt: 1)
        try sink.append(reasoning: "I think about exchange \(index).")
        let pieces = 8
        let size = max(1, reply.count / pieces)
        var rest = Substring(reply)
        while !rest.isEmpty {
            try sink.append(content: String(rest.prefix(size)))
            rest = rest.dropFirst(size)
            if seconds > 0 { try await Task.sleep(for: .seconds(seconds / Double(pieces))) }
        }
        return ChatReply(
            content: reply, reasoning: "I think about exchange \(index).", usage: usage, totalSeconds: seconds)
    }
}
