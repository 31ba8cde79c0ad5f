import Endpoints
import Exchanges
import Foundation
import ResultStore

/// What a run goes on from that does not begin with the prompt: all that was said in the run before, and the files that ran there.
public struct Continuation: Sendable, Hashable {
    /// From the first prompt to the last reply; the system's message is not among them.
    public let messages: [ChatMessage]
    /// By name: a reply that sends some files anew changes these.
    public let files: [String: String]

    /// - Parameters:
    ///   - run: one whose last round was clean.
    ///   - opening: what its first request ended with: the prompt, or what was said to refine an earlier version.
    ///   - earlier: what that run went on from; nil where it began with the prompt.
    /// - Throws: `GenerationError.damagedRound` where what is on disk is not what the store knows, `StoreError`.
    public init(
        after run: RunRecord, opening: String, earlier: Continuation?, store: ResultStore, workspace: Workspace
    ) throws {
        let directory = workspace.directory(of: run.key)
        let last = try run.id.map { try store.rounds(run: $0) }?.last?.round ?? 0
        let interactions = Dictionary(
            grouping: try run.id.map { try store.interactions(run: $0) } ?? [], by: \.round)
        var messages = earlier?.messages ?? []
        messages.append(ChatMessage(role: .user, content: opening))
        messages += try Conversation.rounds(0...last, of: run, directory, interactions)
        // Nothing was said back to the reply that ran.
        self.messages = Array(messages.dropLast())
        files = try SettledFiles(of: run, in: store, directory).files(of: last)
    }

    /// What the first request of a run that goes on from another ends with: the text that an earlier call began it with, or `text`,
    /// which is written down. The run before may be trained again meanwhile, and then has another curve.
    ///
    /// - Throws: `ExchangeFileError` where it cannot be written.
    public static func opening(_ text: String, of directory: RunDirectory) throws(ExchangeFileError) -> String {
        let file = directory.url.appending(path: "refinement.md")
        if let known = try? Data(contentsOf: file) { return String(decoding: known, as: UTF8.self) }
        try ExchangeFiles.makeFolder(directory.url)
        try ExchangeFiles.write(Data(text.utf8), to: file)
        return text
    }
}
