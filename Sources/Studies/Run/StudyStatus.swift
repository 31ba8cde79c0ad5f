import Foundation
import ResultStore

/// A study as another process sees it: read from the store, nothing else.
public struct StudyStatus: Sendable {
    public var study: StudyRecord
    public var jobs: [JobRecord]
    public var tally: StudyTally
    /// How far the conversations of each prompt are, where several are compared.
    public var prompts: [PromptTally]
    /// The process that works on it; nil where none does.
    public var process: ProcessIdentity?
    /// The last process ended without a word: it was killed, or the machine went down.
    public var isBrokenOff: Bool

    /// - Throws: `StudyError.notBegun`, `StoreError`.
    public init(_ name: String, in workspace: Workspace) throws {
        let path = workspace.database(study: name)
        guard FileManager.default.fileExists(atPath: path.path(percentEncoded: false)) else {
            throw StudyError.notBegun(study: name)
        }
        try self.init(name, store: ResultStore(reading: path))
    }

    /// - Throws: `StudyError.notBegun`, `StoreError`.
    public init(_ name: String, store: ResultStore) throws {
        guard let study = try store.study() else { throw StudyError.notBegun(study: name) }
        self.study = study
        let last = study.process.flatMap { ProcessIdentity($0) }
        let isAlive = study.ending == nil && last?.isAlive == true
        process = isAlive ? last : nil
        isBrokenOff = study.ending == nil && !isAlive
        jobs = try store.jobs()
        prompts = PromptTally.all(try store.runs().filter { $0.study == name && $0.refines == nil })
        // What a dead process ran waits to be gone on with.
        for index in jobs.indices where jobs[index].state == .running && !isAlive { jobs[index].state = .planned }
        let now = isAlive ? Date() : study.seenAt
        let elapsed = study.earlierSeconds + max(0, now.timeIntervalSince(study.begunAt))
        tally = StudyTally(
            jobs, elapsedSeconds: elapsed, spent: try store.moneySpent(),
            atOnce: max(1, jobs.count { $0.state == .running && $0.kind != "generate" }))
    }
}

/// The conversations of one prompt.
public struct PromptTally: Sendable, Hashable {
    public var prompt: String
    public var begun: Int
    public var ended: Int
    /// That came to code that runs.
    public var succeeded: Int

    static func all(_ runs: [RunRecord]) -> [PromptTally] {
        Dictionary(grouping: runs.filter { $0.promptName != nil }) { $0.promptName ?? "" }
            .sorted { $0.key < $1.key }
            .map { name, runs in
                PromptTally(
                    prompt: name, begun: runs.count, ended: runs.count { $0.status.isEnd },
                    succeeded: runs.count { $0.status == .succeeded })
            }
    }
}
