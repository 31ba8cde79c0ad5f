import Endpoints
import Exchanges
import Foundation
import ResultStore

/// Asking the endpoint: a row before the request leaves, the bytes as they come, the row completed when the reply is on disk.
extension RunningLoop {
    /// The reply of a round: the one on disk, or a new one.
    ///
    /// - Returns: nil where the conversation does not fit the model's context.
    func reply(for round: Int, _ conversation: Conversation) async throws -> ChatReply? {
        let folder = directory.round(round)
        try ExchangeFiles.makeFolder(folder.url)
        let earlier = try exchanges(of: round)
        if let known = try ReplyFile.whole(in: folder) {
            // The row may be open: the process died after the reply was on disk.
            if let open = earlier.last(where: { $0.status == .sent }) {
                try loop.store.updateExchange(completed(open, by: known, conversation))
            }
            loop.observe(.adopted(round: round))
            return known
        }
        for open in earlier where open.status == .sent { try lose(open, in: folder, conversation) }
        if try !fits(conversation, before: round) { return nil }
        return try await ask(round, conversation, ordinal: earlier.count)
    }

    private func ask(_ round: Int, _ conversation: Conversation, ordinal: Int) async throws -> ChatReply? {
        let isAtItsEnd = try loop.admit(conversation.tokens)
        defer { isAtItsEnd() }
        let folder = directory.round(round)
        let settings = loop.settings
        let request = ChatRequest(
            model: run.endpointModel, messages: conversation.messages, temperature: settings.temperature,
            maxOutputTokens: settings.maxOutputTokens, seed: settings.seed)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try ExchangeFiles.write(try encoder.encode(request), to: folder.request)
        var exchange = try loop.store.insertExchange(
            ExchangeRecord(runId: try runID(), round: round, ordinal: ordinal, requestHash: try request.sha256()))
        loop.observe(.asking(round: round, feedback: conversation.feedback))
        let observe = loop.observe
        let file = ReplyFile(round: folder, ordinal: ordinal) { observe(.receiving(round: round, bytes: $0)) }
        do {
            let reply = try await loop.endpoint.complete(request, sink: file)
            try file.finish(reply)
            exchange = completed(exchange, by: reply, conversation)
            try loop.store.updateExchange(exchange)
            loop.observe(
                .replied(round: round, outputTokens: exchange.outputTokens, seconds: reply.totalSeconds))
            return reply
        } catch let error as EndpointError {
            try fail(exchange, in: folder, conversation, error)
            if case .contextExceeded = error { return nil }
            throw error
        }
    }

    private func completed(
        _ exchange: ExchangeRecord, by reply: ChatReply, _ conversation: Conversation
    ) -> ExchangeRecord {
        var exchange = exchange
        exchange.status = .complete
        exchange.completedAt = Date()
        exchange.finishReason = reply.finishReason.rawValue
        exchange.firstTokenSeconds = reply.firstTokenSeconds
        exchange.totalSeconds = reply.totalSeconds
        exchange.attempts = reply.attempts
        exchange.warnings = reply.warnings
        charge(&exchange, RequestBill(of: reply, asked: conversation.tokens))
        return exchange
    }

    /// Records a request whose reply was cut when this process died: it may have been paid for.
    private func lose(_ exchange: ExchangeRecord, in folder: RoundDirectory, _ conversation: Conversation) throws {
        let bytes = ReplyFile.partialBytes(in: folder)
        var exchange = exchange
        exchange.status = .lost
        exchange.failure = "the harness ended before the reply was whole"
        estimate(&exchange, received: bytes, conversation)
        try ReplyFile.setAside(folder, as: "lost-\(exchange.ordinal)")
        try loop.store.updateExchange(exchange)
        loop.observe(.lost(round: exchange.round, bytes: bytes))
    }

    private func fail(
        _ exchange: ExchangeRecord, in folder: RoundDirectory, _ conversation: Conversation, _ error: EndpointError
    ) throws {
        let bytes = ReplyFile.partialBytes(in: folder)
        var exchange = exchange
        exchange.status = .failed
        exchange.completedAt = Date()
        exchange.failure = error.description
        // Where nothing came back, nothing was charged.
        if bytes > 0 { estimate(&exchange, received: bytes, conversation) }
        try ReplyFile.setAside(folder, as: "failed-\(exchange.ordinal)")
        try loop.store.updateExchange(exchange)
    }

    private func estimate(_ exchange: inout ExchangeRecord, received: Int, _ conversation: Conversation) {
        charge(&exchange, RequestBill(received: received, asked: conversation.tokens))
    }

    private func charge(_ exchange: inout ExchangeRecord, _ bill: RequestBill) {
        exchange.inputTokens = bill.inputTokens
        exchange.outputTokens = bill.outputTokens
        exchange.reasoningTokens = bill.reasoningTokens
        exchange.costIsEstimate = bill.isEstimate
        exchange.cost = loop.settings.prices?.cost(input: bill.inputTokens, output: bill.outputTokens)
    }

    /// Whether the conversation, with room for a reply, fits the context that the model's card states. Tokens counted by the
    /// endpoint in the last exchange are taken; only what was said since is estimated.
    private func fits(_ conversation: Conversation, before round: Int) throws -> Bool {
        guard let context = loop.settings.contextTokens else { return true }
        var tokens = conversation.tokens
        if round > 0, let last = try exchanges(of: round - 1).last(where: { $0.status == .complete }),
            !last.costIsEstimate, let input = last.inputTokens, let output = last.outputTokens
        {
            let said = conversation.messages.last?.content.utf8.count ?? 0
            tokens = input + output - (last.reasoningTokens ?? 0) + said / RequestBill.bytesPerToken
        }
        return tokens + min(loop.settings.maxOutputTokens ?? 1024, context / 4) <= context
    }

    private func exchanges(of round: Int) throws -> [ExchangeRecord] {
        try loop.store.exchanges(run: try runID()).filter { $0.round == round }
    }

    private func runID() throws -> Int64 {
        guard let id = run.id else { throw StoreError.noSuchRun(name: run.path, study: run.study) }
        return id
    }
}
