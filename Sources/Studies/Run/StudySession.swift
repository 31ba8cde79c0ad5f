import Datasets
import Files
import Foundation
import ResultStore
import Sandbox

/// One process's work on a study: its lock, its store, its plan, and the scheduler that carries it out.
///
/// ```swift
/// let session = try StudySession(study, workspace: workspace)
/// let outcome = try await session.run { print($0) }
/// ```
public final class StudySession: Sendable {
    public let study: Study
    public let plan: StudyPlan
    public let store: ResultStore
    private let workspace: Workspace
    private let lock: StudyLock
    private let scheduler: StudyScheduler

    /// Takes the study's lock, opens its store and makes the plan.
    ///
    /// - Parameters:
    ///   - retry: ids of jobs whose failure is forgotten.
    ///   - executor: this machine unless given.
    /// - Throws: `StudyError`, `StoreError`.
    public init(
        _ study: Study, workspace: Workspace, retry: Set<String> = [], confinement: Confinement = .standard,
        executor: ((Study, ResultStore) -> any StudyExecutor)? = nil,
        observe: @escaping @Sendable (StudyEvent) -> Void = { _ in }
    ) throws {
        self.study = study
        self.workspace = workspace
        lock = try StudyLock(study.name, in: workspace)
        store = try ResultStore(path: workspace.database(study: study.name))
        plan = StudyPlan(study, estimates: try StudyEstimates(study, store: store))
        let executor =
            executor?(study, store)
            ?? LocalExecutor(study, workspace: workspace, store: store, confinement: confinement)
        scheduler = StudyScheduler(
            plan, workspace: workspace, store: store, executor: executor, retry: retry, observe: observe)
        try keepFile()
    }

    /// Runs until nothing is left to do, the budget is used up, or `stop` was called; releases the lock at its end.
    ///
    /// - Throws: `StoreError`, `StudyError.unknownJob`, `.notFailed`.
    public func run() async throws -> StudyOutcome {
        defer { lock.release() }
        return try await scheduler.run()
    }

    /// Ends the jobs that run at their last stored point. Safe from any thread.
    public func stop() {
        scheduler.stop()
    }

    /// `results/<study>/study.yaml`: the file as it was last run, for reports and readers.
    private func keepFile() throws {
        let copy = workspace.results(study: study.name).appending(path: "study.yaml")
        do {
            try Data(study.file.text.utf8).write(to: copy, options: .atomic)
        } catch {
            throw StudyError.unwritable(WriteFailure(copy, error))
        }
    }
}

extension Study {
    /// The plan of a study and what is done of it, for people: nothing is begun and nothing is made.
    ///
    /// - Returns: the plan, and the rows of its jobs as a run would find them; nil where there is no store yet.
    /// - Throws: `StoreError`.
    public func planned(in workspace: Workspace) throws -> (
        plan: StudyPlan, estimates: StudyEstimates, rows: [JobRecord]?
    ) {
        let path = workspace.database(study: name)
        guard FileManager.default.fileExists(atPath: path.path(percentEncoded: false)) else {
            let estimates = try StudyEstimates(self, store: nil)
            return (StudyPlan(self, estimates: estimates), estimates, nil)
        }
        let store = try ResultStore(reading: path)
        let estimates = try StudyEstimates(self, store: store)
        let plan = StudyPlan(self, estimates: estimates)
        return (plan, estimates, try JobBook(plan, workspace: workspace, store: store).ordered)
    }
}
