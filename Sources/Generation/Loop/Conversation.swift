import Endpoints
import Exchanges
import Foundation
import ResultStore

/// What was said so far: the prompt, then each reply with what was said back to it. Reasoning is never part of it.
struct Conversation {
    let messages: [ChatMessage]
    /// What the last message holds.
    let feedback: [InteractionRecord.Kind]

    /// - Parameter upTo: the round that comes next; all before it are settled.
    init(loop: GenerationLoop, run: RunRecord, directory: RunDirectory, upTo next: Int) throws {
        var messages: [ChatMessage] = []
        if let system = loop.settings.systemPrompt { messages.append(ChatMessage(role: .system, content: system)) }
        messages += loop.settings.continuation?.messages ?? []
        messages.append(ChatMessage(role: .user, content: loop.settings.prompt))
        let interactions = Dictionary(
            grouping: try run.id.map { try loop.store.interactions(run: $0) } ?? [], by: \.round)
        self.messages = messages + (try Self.rounds(0..<next, of: run, directory, interactions))
        feedback = next > 0 ? (interactions[next - 1] ?? []).map(\.kind) : []
    }

    /// Each reply with what was said back to it.
    static func rounds(
        _ rounds: some Sequence<Int>, of run: RunRecord, _ directory: RunDirectory,
        _ interactions: [Int: [InteractionRecord]]
    ) throws -> [ChatMessage] {
        try rounds.flatMap { round in
            guard let reply = try ReplyFile.whole(in: directory.round(round)) else {
                throw GenerationError.damagedRound(run: run.path, round: round, file: "reply.json")
            }
            let said = (interactions[round] ?? []).map(\.text).joined(separator: "\n\n")
            return [ChatMessage(role: .assistant, content: reply.content), ChatMessage(role: .user, content: said)]
        }
    }

    /// Estimated.
    var tokens: Int { messages.reduce(0) { $0 + $1.content.utf8.count } / RequestBill.bytesPerToken }
}
