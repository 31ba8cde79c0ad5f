import Foundation

/// Answers from a recording, in its order.
///
/// Which exchange comes next follows from the request alone, so a run that was killed goes on where it stopped: its replies so far are
/// counted, among the lines of its subject where it has one. A recording of one conversation answers whatever the subject. A request that differs from the recorded one is answered all the same, with a warning.
public struct ReplayEndpoint: ChatEndpoint {
    private let file: String
    private let recording: Recording

    /// - Throws: `EndpointError.recordingUnreadable`.
    public init(file: URL) throws(EndpointError) {
        self.file = file.path
        recording = try Recording(contentsOf: file)
    }

    /// How many requests it can answer.
    public var count: Int { recording.exchanges.count }

    /// - Throws: `EndpointError.recordingExhausted`, `.recordingOfSubjects`, `.recordingSilent`, or what the sink throws.
    public func complete(_ request: ChatRequest, sink: any ReplySink) async throws -> ChatReply {
        let index = try exchange(for: request)
        let exchange = recording.exchanges[index]
        var warnings = recording.warnings
        if let recorded = try exchange.recordedHash(), try recorded != request.sha256() {
            warnings.append("exchange \(index + 1) of \(file) was recorded for another request")
        }
        try sink.begin(attempt: 1)
        if let reasoning = exchange.reasoning, !reasoning.isEmpty { try sink.append(reasoning: reasoning) }
        if !exchange.reply.isEmpty { try sink.append(content: exchange.reply) }
        return ChatReply(
            content: exchange.reply, reasoning: exchange.reasoning, finishReason: exchange.finishReason ?? .stop,
            usage: exchange.usage, firstTokenSeconds: exchange.timing?.firstToken,
            totalSeconds: exchange.timing?.total ?? 0, warnings: warnings)
    }

    private func exchange(for request: ChatRequest) throws(EndpointError) -> Int {
        var lines = recording.conversations[nil] ?? []
        if let subject = request.subject, recording.conversations.count > (lines.isEmpty ? 0 : 1) {
            guard let found = recording.conversations[subject] else {
                throw .recordingSilent(file: file, subject: subject)
            }
            lines = found
        }
        if lines.isEmpty, request.subject == nil, let subject = recording.conversations.keys.compactMap({ $0 }).min() {
            throw .recordingOfSubjects(file: file, subject: subject, count: recording.conversations.count)
        }
        guard lines.indices.contains(request.exchangeIndex) else {
            throw .recordingExhausted(file: file, exchange: request.exchangeIndex + 1, count: lines.count)
        }
        return lines[request.exchangeIndex]
    }
}
