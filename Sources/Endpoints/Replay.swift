import Foundation

/// Answers from a recording, in its order.
///
/// Which exchange comes next follows from the request alone (its replies so far are counted), so a run that was killed
/// goes on where it stopped. A request that differs from the recorded one is answered all the same, with a warning.
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

    /// - Throws: `EndpointError.recordingExhausted`, or what the sink throws.
    public func complete(_ request: ChatRequest, sink: any ReplySink) async throws -> ChatReply {
        let index = request.exchangeIndex
        guard recording.exchanges.indices.contains(index) else {
            throw EndpointError.recordingExhausted(file: file, exchange: index + 1, count: count)
        }
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
}
