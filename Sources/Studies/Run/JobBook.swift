import Foundation
import ResultStore

/// The states of a study's jobs: made of the stages' records and of what the job table remembers, and written to it as they change.
struct JobBook {
    let plan: StudyPlan
    private let store: ResultStore
    private let records: StageRecords
    private(set) var rows: [String: JobRecord] = [:]
    private let process = ProcessIdentity.current.description

    /// Reads the truth for every job and stores the plan.
    ///
    /// - Parameter retry: jobs whose stored failure is forgotten.
    /// - Throws: `StoreError`.
    init(_ plan: StudyPlan, workspace: Workspace, store: ResultStore, retry: Set<String> = []) throws {
        self.plan = plan
        self.store = store
        records = StageRecords(study: plan.study, workspace: workspace, store: store)
        let known = Dictionary(uniqueKeysWithValues: try store.jobs().map { ($0.id, $0) })
        for (position, planned) in plan.jobs.enumerated() {
            let old = known[planned.job.id]
            var row = JobRecord(
                id: planned.job.id, position: position, kind: planned.job.kind.rawValue, needs: planned.needs)
            row.expectedSeconds = planned.estimate.seconds
            row.expectedCost = planned.estimate.cost
            (row.startedAt, row.endedAt, row.seconds) = (old?.startedAt, old?.endedAt, old?.seconds)
            row.process = old?.process
            apply(try records.state(of: planned.job), old: old, isRetried: retry.contains(row.id), to: &row)
            rows[row.id] = row
        }
        try skipUnreachable()
    }

    /// Stores the whole plan.
    func save() throws {
        try store.storeJobs(ordered)
    }

    var ordered: [JobRecord] { plan.jobs.compactMap { rows[$0.job.id] } }

    private func apply(_ state: StageState, old: JobRecord?, isRetried: Bool, to row: inout JobRecord) {
        switch state {
        case .done(let note): (row.state, row.reason) = (.done, note)
        case .failed(let reason) where !isRetried: (row.state, row.fault, row.reason) = (.failed, .pipeline, reason)
        case .blocked(let reason): (row.state, row.reason) = (.skipped, reason)
        case .failed: row.state = .planned
        case .due:
            // Failures that no stage stores: the table remembers a pipeline's own; ours are tried again.
            guard let old, old.state == .failed, old.fault == .pipeline, !isRetried else { return }
            (row.state, row.fault, row.reason) = (.failed, .pipeline, old.reason)
        }
    }

    /// Jobs whose needs failed or were skipped are skipped; those whose needs are to be done again are planned. The reason is the
    /// same whenever it is looked for: what the stages say, else the first cause.
    private mutating func skipUnreachable() throws {
        for planned in plan.jobs {
            guard var row = rows[planned.job.id], row.state == .planned || row.state == .skipped else { continue }
            let needs = row.needs.compactMap { rows[$0] }
            if let missing = needs.first(where: { [.failed, .skipped, .held].contains($0.state) }) {
                guard row.state == .planned else { continue }
                row.state = missing.state == .held ? .held : .skipped
                row.reason = try reason(of: planned.job, without: missing)
            } else if row.state == .skipped, needs.contains(where: { $0.state == .planned }) {
                (row.state, row.reason) = (.planned, nil)
            }
            rows[row.id] = row
        }
    }

    private func reason(of job: StudyJob, without missing: JobRecord) throws -> String? {
        if case .blocked(let reason) = try records.state(of: job) { return reason }
        switch missing.state {
        case .failed: return "it needs \(missing.id), which failed"
        case .held: return "it needs \(missing.id), which is held"
        default: return missing.reason
        }
    }

    /// What the stages say of a job now: another command may have done it meanwhile.
    func truth(_ job: StudyJob) throws -> StageState { try records.state(of: job) }

    func state(_ id: String) -> JobRecord.State? { rows[id]?.state }

    /// Jobs that wait for nothing, in the order of the plan.
    var ready: [PlannedJob] {
        plan.jobs.filter { planned in
            rows[planned.job.id]?.state == .planned
                && planned.needs.allSatisfy { rows[$0]?.state == .done }
        }
    }

    mutating func begin(_ job: StudyJob, at moment: Date = Date()) throws {
        let process = process
        try change(job.id) { row in
            (row.state, row.reason, row.fault) = (.running, nil, nil)
            (row.startedAt, row.endedAt, row.process) = (moment, nil, process)
        }
    }

    /// Ends a job that ran.
    mutating func end(_ job: StudyJob, _ state: JobRecord.State, fault: JobRecord.Fault?, reason: String?) throws {
        try change(job.id) { row in
            (row.state, row.fault, row.reason) = (state, fault, reason)
            row.endedAt = Date()
            if let start = row.startedAt {
                row.seconds = (row.seconds ?? 0) + Date().timeIntervalSince(start)
            }
        }
        try followUp()
    }

    /// Leaves a job that did not run in a state.
    mutating func leave(_ job: StudyJob, _ state: JobRecord.State, reason: String?) throws {
        try change(job.id) { ($0.state, $0.reason) = (state, reason) }
        try followUp()
    }

    /// Carries failures on to the jobs that need them.
    private mutating func followUp() throws {
        let before = rows
        try skipUnreachable()
        try store.updateJobs(plan.jobs.compactMap { rows[$0.job.id] }.filter { before[$0.id] != $0 })
    }

    private mutating func change(_ id: String, _ body: (inout JobRecord) -> Void) throws {
        guard var row = rows[id] else { return }
        body(&row)
        rows[id] = row
        try store.updateJobs([row])
    }

    /// Ends what a process began and did not end: it goes on when it is begun again.
    mutating func putBack(_ job: StudyJob) throws {
        try end(job, .planned, fault: nil, reason: nil)
    }
}
