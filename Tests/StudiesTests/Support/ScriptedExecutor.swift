import Foundation
import ResultStore
import Synchronization

@testable import Studies

/// Does jobs without computing anything: leaves the rows in the store that the real stages would leave.
final class ScriptedExecutor: StudyExecutor {
    /// What becomes of a job in place of success.
    enum Script: Sendable {
        case outcome(JobOutcome)
        /// Waits until it is cancelled.
        case hang
        /// A conversation that ends without code that runs.
        case roundLimit
        case refusedCapture
        /// A request that cost so much.
        case costs(Double)
    }

    let study: Study
    let workspace: Workspace
    let store: ResultStore
    private let script: [String: Script]
    private let places: Int
    private struct State {
        var running = 0
        var most = 0
        var done: [String] = []
        var again: [String] = []
    }
    private let state = Mutex(State())
    let vacancies = AsyncStream<Void> { $0.finish() }

    init(
        _ study: Study, _ workspace: Workspace, _ store: ResultStore, places: Int = 1, script: [String: Script] = [:]
    ) {
        (self.study, self.workspace, self.store) = (study, workspace, store)
        (self.places, self.script) = (places, script)
    }

    /// Ids in the order in which jobs were begun.
    var begun: [String] { state.withLock { $0.done } }
    var doneAgain: [String] { state.withLock { $0.again } }
    var mostAtOnce: Int { state.withLock { $0.most } }

    func hasRoom(for job: StudyJob) -> Bool { state.withLock { $0.running < places } }

    func admit(_ job: StudyJob) -> Bool {
        state.withLock { state in
            guard state.running < places else { return false }
            state.running += 1
            state.most = max(state.most, state.running)
            return true
        }
    }

    func run(
        _ job: StudyJob, again: Bool, observe: @escaping @Sendable (JobProgress) -> Void
    ) async -> JobOutcome {
        defer { state.withLock { $0.running -= 1 } }
        state.withLock { state in
            state.done.append(job.id)
            if again { state.again.append(job.id) }
        }
        await Task.yield()
        switch script[job.id] {
        case .outcome(let outcome): return outcome
        case .hang:
            while !Task.isCancelled { try? await Task.sleep(for: .milliseconds(5)) }
            return .stopped
        case .roundLimit, .refusedCapture, .costs, nil: break
        }
        do {
            try leave(job)
            return .done
        } catch {
            return .broken(reason: "\(error)")
        }
    }

    private func leave(_ job: StudyJob) throws {
        if job.kind == .baseline { return try leaveBaseline(job) }
        guard let key = study.runKey(of: job) else { return }
        var record = RunRecord(key: key, provider: "scripted", datasetHash: "d")
        record.templateHash = study.prompt(of: job)?.templateSHA256 ?? ""
        record.promptName = job.prompt
        if let card = study.participant(job.model)?.card,
            let asked = study.studyPrompt(of: job)?.variation.taken(by: card)
        {
            (record.systemHash, record.temperature) = (asked.system?.sha256, asked.temperature)
            record.samplingSeed = asked.seed.map { $0 + job.run - 1 }
        }
        let run = try store.beginRun(record)
        let id = run.id ?? -1
        switch job.kind {
        case .generate: try converse(job, run, id)
        case .capture:
            try capture(job, id, workspace.directory(of: key).capture(seed: job.seed ?? 0, epochs: study.file.epochs))
        case .train:
            var training = try store.beginTraining(
                TrainingRecord(
                    runId: id, engine: job.engine ?? .swift, seed: job.seed ?? 0, epochs: 2, datasetHash: "d"))
            (training.status, training.seconds) = (.trained, 40)
            try store.updateTraining(training)
        case .evaluate:
            for var training in try store.trainings(run: id)
            where training.engine == job.engine && training.seed == job.seed {
                training.status = .evaluated
                try store.updateTraining(training)
            }
        case .baseline, .refine: break
        case .parity:
            try store.storeParity(
                ParityRecord(
                    runId: id, seed: job.seed ?? 0, steps: study.file.paritySteps, largestLossDifference: 0,
                    swiftLosses: [], pytorchLosses: []))
        }
    }

    private func leaveBaseline(_ job: StudyJob) throws {
        guard let engine = study.file.baseline?.engine, let budget = study.file.baselineBudget else { return }
        var baseline = try store.beginBaseline(
            BaselineRecord(
                engine: engine, dataset: job.dataset, budget: budget.key, seed: job.seed ?? 0, datasetHash: "d",
                epochs: budget.epochs, iterations: budget.iterations))
        (baseline.status, baseline.seconds) = (.evaluated, 80)
        try store.updateBaseline(baseline)
    }

    private func converse(_ job: StudyJob, _ run: RunRecord, _ id: Int64) throws {
        if case .costs(let cost) = script[job.id] {
            var exchange = try store.insertExchange(
                ExchangeRecord(runId: id, round: 0, ordinal: 0, requestHash: "h"))
            (exchange.status, exchange.cost) = (.complete, cost)
            try store.updateExchange(exchange)
        }
        var isLimit = false
        if case .roundLimit = script[job.id] { isLimit = true }
        _ = try store.setStatus(isLimit ? .roundLimit : .succeeded, reason: nil, of: run)
    }

    private func capture(_ job: StudyJob, _ id: Int64, _ folder: URL) throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Data("{}".utf8).write(to: folder.appending(path: "pipeline.json"))
        var record = CaptureRecord(
            runId: id, datasetHash: "d", epochs: study.file.epochs, seed: job.seed ?? 0, status: .captured)
        if case .refusedCapture = script[job.id] {
            (record.status, record.refusals) = (.refused, ["its loop was not seen"])
        }
        record.seconds = 7
        _ = try store.storeCapture(record)
    }
}
