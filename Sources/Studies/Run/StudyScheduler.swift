import Foundation
import ResultStore
import Synchronization

/// Does the jobs of a plan: each when what it needs is there, as many at once as the executor has places, within the budget.
///
/// A job that fails takes those that need it with it and no other. What is done stays done: every result is in the store when
/// its job ends, and the same call goes on after a kill.
public final class StudyScheduler: Sendable {
    private enum Event: Sendable {
        case ended(StudyJob, JobOutcome)
        case vacancy
        case heartbeat
        case stop
    }

    private let plan: StudyPlan
    private let workspace: Workspace
    private let store: ResultStore
    private let executor: any StudyExecutor
    private let retry: Set<String>
    private let observe: @Sendable (StudyEvent) -> Void
    private let events = AsyncStream<Event>.makeStream()

    /// - Parameters:
    ///   - retry: ids of jobs whose failure is forgotten.
    ///   - observe: called from several threads.
    public init(
        _ plan: StudyPlan, workspace: Workspace, store: ResultStore, executor: any StudyExecutor,
        retry: Set<String> = [], observe: @escaping @Sendable (StudyEvent) -> Void = { _ in }
    ) {
        self.plan = plan
        self.workspace = workspace
        self.store = store
        self.executor = executor
        self.retry = retry
        self.observe = observe
    }

    /// Ends the jobs that run at their last stored point, and begins no other. Safe from any thread.
    public func stop() {
        events.continuation.yield(.stop)
    }

    /// Runs until nothing is left to do. The caller holds the study's `StudyLock`.
    ///
    /// - Throws: `StoreError`, `StudyError.unknownJob`, `.notFailed`.
    public func run() async throws -> StudyOutcome {
        for id in retry where plan.job(id) == nil { throw Self.unknown(id, plan) }
        var state = RunState(
            book: try JobBook(plan, workspace: workspace, store: store, retry: retry),
            clock: try StudyClock(plan.study, store: store))
        // What is planned or held waits to be done anyway.
        for row in state.book.ordered where retry.contains(row.id) && [.done, .skipped].contains(row.state) {
            throw StudyError.notFailed(job: row.id, state: row.state, reason: row.reason)
        }
        try state.book.save()
        let helpers = startHelpers()
        defer { for helper in helpers { helper.cancel() } }
        // A store that cannot be written ends the study; what runs is ended first.
        do {
            try beginReady(&state)
            try await serve(&state)
        } catch {
            for task in state.tasks.values { task.cancel() }
            for task in state.tasks.values { await task.value }
            throw error
        }
        let outcome = try outcome(state)
        try state.clock.end(outcome.fatal ?? (outcome.isStopped ? "stopped" : "complete"))
        observe(.tally(outcome.tally))
        return outcome
    }

    /// What changes while a study runs.
    private struct RunState {
        var book: JobBook
        var clock: StudyClock
        var tasks: [String: Task<Void, Never>] = [:]
        var isStopping = false
        var fatal: String?
    }

    private static func unknown(_ id: String, _ plan: StudyPlan) -> StudyError {
        StudyError.unknownJob(
            name: id, suggestions: JobNames.suggestions(for: id, among: plan.jobs.map(\.job.id)))
    }

    private func startHelpers() -> [Task<Void, Never>] {
        let continuation = events.continuation
        let vacancies = executor.vacancies
        return [
            Task { for await _ in vacancies { continuation.yield(.vacancy) } },
            Task {
                while !Task.isCancelled {
                    try? await Task.sleep(for: .seconds(10))
                    if !Task.isCancelled { continuation.yield(.heartbeat) }
                }
            },
        ]
    }

    private func serve(_ state: inout RunState) async throws {
        var iterator = events.stream.makeAsyncIterator()
        while !state.tasks.isEmpty, let event = await iterator.next() {
            switch event {
            case .ended(let job, let outcome):
                state.tasks[job.id] = nil
                try settle(job, outcome, &state)
            case .vacancy: break
            case .heartbeat: try state.clock.tick()
            case .stop:
                guard !state.isStopping else { continue }
                state.isStopping = true
                for task in state.tasks.values { task.cancel() }
            }
            try beginReady(&state)
        }
    }

    private func beginReady(_ state: inout RunState) throws {
        guard !state.isStopping, state.fatal == nil else { return }
        var isChanged = true
        while isChanged {
            isChanged = false
            for planned in state.book.ready where state.book.state(planned.job.id) == .planned {
                isChanged = try begin(planned, &state) || isChanged
            }
        }
        observe(.tally(try tally(state)))
    }

    /// Begins a job, or finds out why not. Returns whether its state changed without a process of its own, so that others
    /// may be ready now.
    private func begin(_ planned: PlannedJob, _ state: inout RunState) throws -> Bool {
        let job = planned.job
        let isRetried = retry.contains(job.id)
        guard executor.hasRoom(for: job) else { return false }
        switch try state.book.truth(job) {
        case .done(let note):
            try state.book.leave(job, .done, reason: note)
            return true
        case .failed(let reason) where !isRetried:
            try state.book.end(job, .failed, fault: .pipeline, reason: reason)
            observe(.failed(job, reason: reason))
            return true
        case .blocked(let reason):
            try state.book.leave(job, .skipped, reason: reason)
            observe(.left(job, .skipped, reason: reason))
            return true
        case .due, .failed: break
        }
        if let reason = try plan.study.obstacle(to: job) ?? overBudget(planned, state) {
            try state.book.leave(job, .held, reason: reason)
            observe(.left(job, .held, reason: reason))
            return true
        }
        guard executor.admit(job) else { return false }
        try state.book.begin(job)
        observe(.began(job))
        let (executor, observe, continuation) = (executor, observe, events.continuation)
        state.tasks[job.id] = Task {
            let outcome = await executor.run(job, again: isRetried) { observe(.progress(job, $0)) }
            continuation.yield(.ended(job, outcome))
        }
        return false
    }

    /// The sentence that says which budget a job would exceed, jobs that run counted in. Of a job of versions the next one is asked
    /// for here; it asks for each further one itself.
    private func overBudget(_ planned: PlannedJob, _ state: RunState) throws -> String? {
        let budget = plan.study.file.budget
        let parts = planned.job.kind == .refine ? Double(max(1, plan.study.file.refine)) : 1
        let subject = planned.job.kind == .refine ? "its next version" : "this job"
        if let limit = budget.money, let cost = planned.estimate.cost.map({ $0 / parts }) {
            let spent = try store.moneySpent()
            let committed = state.tasks.keys.compactMap { plan.job($0)?.estimate.cost }.reduce(0, +)
            guard spent + committed + cost <= limit else {
                return
                    "the budget of \(StudyNumbers.money(limit)) would be exceeded: \(StudyNumbers.money(spent)) are spent, "
                    + "\(StudyNumbers.money(committed)) expected of what runs, \(StudyNumbers.money(cost)) of \(subject)"
            }
        }
        if let limit = budget.hours {
            let elapsed = state.clock.elapsedSeconds
            let seconds = planned.estimate.seconds / parts
            guard elapsed + seconds <= limit * 3600 else {
                return "the budget of \(limit) h would be exceeded: \(StudyNumbers.duration(elapsed)) are used, "
                    + "\(StudyNumbers.duration(seconds)) expected of \(subject)"
            }
        }
        return nil
    }

    private func settle(_ job: StudyJob, _ outcome: JobOutcome, _ state: inout RunState) throws {
        switch outcome {
        case .done:
            // The stages' own record decides.
            switch try state.book.truth(job) {
            case .done(let note): try finish(job, note: note, &state)
            case .failed(let reason): try fail(job, .pipeline, reason, &state)
            case .blocked(let reason): try state.book.end(job, .skipped, fault: nil, reason: reason)
            case .due: try fail(job, .harness, "it ended without a result in the store", &state)
            }
        case .failed(let reason): try fail(job, .pipeline, reason, &state)
        case .broken where state.isStopping, .stopped: try state.book.putBack(job)
        case .held(let reason):
            try state.book.end(job, .held, fault: nil, reason: reason)
            observe(.left(job, .held, reason: reason))
        case .broken(let reason): try fail(job, .harness, reason, &state)
        case .fatal(let reason):
            try state.book.putBack(job)
            if state.fatal == nil {
                state.fatal = reason
                observe(.note(reason))
                for task in state.tasks.values { task.cancel() }
            }
        }
        try state.clock.tick()
    }

    private func finish(_ job: StudyJob, note: String?, _ state: inout RunState) throws {
        try state.book.end(job, .done, fault: nil, reason: note)
        observe(.finished(job, note: note, seconds: state.book.rows[job.id]?.seconds ?? 0))
    }

    private func fail(
        _ job: StudyJob, _ fault: JobRecord.Fault, _ reason: String, _ state: inout RunState
    ) throws {
        try state.book.end(job, .failed, fault: fault, reason: reason)
        observe(.failed(job, reason: reason))
    }

    private func tally(_ state: RunState) throws -> StudyTally {
        StudyTally(
            state.book.ordered, elapsedSeconds: state.clock.elapsedSeconds, spent: try store.moneySpent(),
            atOnce: plan.study.file.parallel.cpuJobs(cores: ProcessInfo.processInfo.activeProcessorCount))
    }

    private func outcome(_ state: RunState) throws -> StudyOutcome {
        func left(_ wanted: JobRecord.State) -> [StudyOutcome.Left] {
            plan.jobs.compactMap { planned in
                guard let row = state.book.rows[planned.job.id], row.state == wanted else { return nil }
                return StudyOutcome.Left(job: planned.job, reason: row.reason ?? "")
            }
        }
        return StudyOutcome(
            store: store, tally: try tally(state), failed: left(.failed), held: left(.held),
            isStopped: state.isStopping, fatal: state.fatal)
    }
}

extension StudyTally {
    /// - Parameter atOnce: how many jobs compute at the same time.
    public init(_ rows: [JobRecord], elapsedSeconds: Double, spent: Double, atOnce: Int) {
        func count(_ state: JobRecord.State) -> Int { rows.count { $0.state == state } }
        total = rows.count
        (done, failed, skipped) = (count(.done), count(.failed), count(.skipped))
        (held, running) = (count(.held), count(.running))
        self.elapsedSeconds = elapsedSeconds
        self.spent = spent
        let open = rows.filter { $0.state == .planned || $0.state == .running }
        let pace = Self.pace(rows)
        let expected = open.reduce(0.0) { sum, row in
            let begun = row.state == .running ? row.startedAt.map { max(0, Date().timeIntervalSince($0)) } ?? 0 : 0
            return sum + max(0, (row.expectedSeconds ?? 0) * (pace[row.kind] ?? 1) - begun)
        }
        remainingSeconds = expected / Double(max(1, atOnce))
    }

    /// How much longer than expected jobs took, by kind: what was assumed before a study had measured anything can be far off.
    private static func pace(_ rows: [JobRecord]) -> [String: Double] {
        let done = rows.filter { $0.state == .done && ($0.expectedSeconds ?? 0) > 0 && $0.seconds != nil }
        return Dictionary(grouping: done, by: \.kind).mapValues { jobs in
            jobs.reduce(0) { $0 + ($1.seconds ?? 0) } / jobs.reduce(0) { $0 + ($1.expectedSeconds ?? 0) }
        }
    }
}
