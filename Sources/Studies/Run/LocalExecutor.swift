import Baselines
import Capture
import Datasets
import Diagnosis
import Endpoints
import Exchanges
import Foundation
import Generation
import ResultStore
import Sandbox
import Synchronization
import Training

/// Carries jobs out on this machine: conversations by their number and the endpoints' rates, everything that computes by cores.
public final class LocalExecutor: StudyExecutor {
    private let study: Study
    private let workspace: Workspace
    private let store: ResultStore
    private let confinement: Confinement
    private let threads: Int?
    private let conversations: SlotPool
    private let processors: SlotPool
    private let persons: SlotPool
    private let sessions = Mutex<[String: GenerationSession]>([:])
    private let budget: StudyBudget
    private let paces = Mutex<[String: RequestPace]>([:])
    public let vacancies: AsyncStream<Void>

    /// - Parameter cores: nil for those of the machine.
    public init(
        _ study: Study, workspace: Workspace, store: ResultStore, confinement: Confinement = .standard,
        cores: Int? = nil
    ) {
        self.study = study
        self.workspace = workspace
        self.store = store
        self.confinement = confinement
        budget = StudyBudget(study.file.budget, store: store)
        let cores = cores ?? ProcessInfo.processInfo.activeProcessorCount
        let parallel = study.file.parallel
        threads = parallel.threads(cores: cores)
        let stream = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        vacancies = stream.stream
        let vacated: @Sendable () -> Void = { stream.continuation.yield() }
        conversations = SlotPool(parallel.requests, vacated: vacated)
        processors = SlotPool(parallel.cpuJobs(cores: cores), vacated: vacated)
        persons = SlotPool(1, vacated: vacated)
    }

    private func lane(of job: StudyJob) -> SlotPool {
        guard job.asksModel else { return processors }
        if study.participant(job.model)?.source == .manual { return persons }
        // Versions are trained one after the other: the place is one of those that compute.
        return job.kind == .generate ? conversations : processors
    }

    public func hasRoom(for job: StudyJob) -> Bool { lane(of: job).hasRoom }

    public func admit(_ job: StudyJob) -> Bool { lane(of: job).tryTake() }

    public func run(
        _ job: StudyJob, again: Bool, observe: @escaping @Sendable (JobProgress) -> Void
    ) async -> JobOutcome {
        defer { lane(of: job).give() }
        do {
            let task = Task(executorPreference: ThreadExecutor.shared) {
                try await self.carryOut(job, again: again, observe)
            }
            try await withTaskCancellationHandler {
                try await task.value
            } onCancel: {
                task.cancel()
            }
            return .done
        } catch {
            // The terminal's Ctrl-C reaches the sandbox's programs too, and may reach them first.
            if !Task.isCancelled, error is SandboxError { try? await Task.sleep(for: .milliseconds(300)) }
            return Task.isCancelled ? .stopped : JobOutcome(error)
        }
    }

    private func carryOut(
        _ job: StudyJob, again: Bool, _ observe: @escaping @Sendable (JobProgress) -> Void
    ) async throws {
        if job.kind == .baseline { return try await baseline(job, again: again, observe) }
        let session = try session(of: job)
        if job.kind == .generate { return try await generate(job, session, observe) }
        let records = StageRecords(study: study, workspace: workspace, store: store)
        guard let run = try records.run(of: job) else {
            throw TrainingError.missing(what: "the run of \(job.id)", command: "llmbench study run")
        }
        let stage = TrainingStage(
            workspace: workspace, store: store, helper: session.helper, swift: session.swift, threads: threads)
        let (seed, epochs) = (job.seed ?? 0, study.file.epochs)
        // A conversation tries it itself; what runs a program without one would call the machine's fault the pipeline's.
        if [.capture, .train, .parity].contains(job.kind) { try await session.verify() }
        switch job.kind {
        case .generate, .baseline: break
        case .refine: try await refine(run, job, session, again: again, observe)
        case .capture: _ = try await stage.capture(run, epochs: epochs, seed: seed)
        case .train:
            let observer = TrainingObserver(
                progress: { observe(.training($0)) }, note: { observe(.note($0)) })
            _ = try await stage.train(
                run, engine: job.engine ?? .swift, epochs: epochs, seed: seed, again: again, observer: observer)
        case .evaluate: _ = try stage.evaluate(run, engine: job.engine ?? .swift, seed: seed, again: again)
        case .parity: _ = try await stage.parity(run, epochs: epochs, seed: seed, steps: study.file.paritySteps)
        }
    }

    private func baseline(
        _ job: StudyJob, again: Bool, _ observe: @escaping @Sendable (JobProgress) -> Void
    ) async throws {
        guard let wanted = study.file.baseline, let budget = study.file.baselineBudget else {
            throw StudyError.unknownJob(name: job.id, suggestions: [])
        }
        let engine: BaselineStage.Engine =
            switch wanted.engine {
            case .nnunetv2: .nnunetv2(try await NNUNetPython.locate(root: workspace.root).verify())
            case .swift: .swift
            }
        let stage = BaselineStage(workspace: workspace, store: store, study: study.name, engine: engine)
        var options = BaselineStage.Options()
        (options.seed, options.threads, options.again) = (job.seed ?? 0, threads, again)
        let observer = BaselineStage.Observer(
            progress: { progress in
                guard let epoch = progress.epoch, let iteration = progress.iteration else { return }
                observe(
                    .training(
                        TrainingProgress(
                            epoch: epoch, epochs: progress.epochs ?? 0, batch: iteration,
                            batches: progress.iterations ?? 0, loss: progress.loss)))
            }, note: { observe(.note($0)) })
        _ = try await stage.run(job.dataset, budget: budget, options: options, observer: observer)
    }

    private func generate(
        _ job: StudyJob, _ session: GenerationSession, _ observe: @escaping @Sendable (JobProgress) -> Void
    ) async throws {
        let pace = pace(of: session.card)
        let processors = processors
        let gates = GenerationSession.Gates(
            request: { try await pace?.wait() }, checkBegins: { try await processors.take() },
            checkEnds: { processors.give() }, admit: admission(of: job))
        _ = try await session.run(
            index: job.run, maxRounds: study.file.maxRounds, loopAfter: study.file.loopAfter, record: nil,
            replay: recording(of: job), gates: gates
        ) { observe(.conversation($0)) }
    }

    /// What asks the budget before each request of a job.
    private func admission(of job: StudyJob) -> GenerationLoop.Admission {
        let (budget, participant) = (budget, study.participant(job.model))
        return { tokens in
            try budget.admit(participant.flatMap { StudyEstimates.requestCost(tokens, of: $0) })
        }
    }

    /// What answers a job's model in place of its endpoint.
    private func recording(of job: StudyJob) -> URL? {
        study.participant(job.model)?.recording(prompt: job.prompt, run: job.run).map {
            workspace.root.appending(path: $0)
        }
    }

    /// In the job's own place among those that compute: its check runs wait for no other.
    private func refine(
        _ run: RunRecord, _ job: StudyJob, _ session: GenerationSession, again: Bool,
        _ observe: @escaping @Sendable (JobProgress) -> Void
    ) async throws {
        let (pace, budget) = (pace(of: session.card), budget)
        var options = Refinement.Options(
            versions: study.file.refine, engine: job.engine ?? .swift, seed: job.seed ?? 0, epochs: study.file.epochs,
            threads: threads, maxRounds: study.file.maxRounds, loopAfter: study.file.loopAfter)
        options.again = again
        let seconds = try StudyEstimates(study, store: store).estimate(job).seconds / Double(max(1, study.file.refine))
        let gates = GenerationSession.Gates(
            request: { try await pace?.wait() }, checkBegins: {}, checkEnds: {}, admit: admission(of: job),
            version: { try budget.admitVersion(seconds: seconds) })
        _ = try await Refinement(session, options).run(run, replay: recording(of: job), gates: gates) { event in
            switch event {
            case .conversation(_, let step): observe(.conversation(step))
            case .training(_, let step): observe(.training(step))
            case .ended(let reason): observe(.note("no further version: \(reason)"))
            }
        }
    }

    /// The pace of an endpoint, shared by the models that it serves.
    private func pace(of card: ModelCard) -> RequestPace? {
        guard let perMinute = study.file.parallel.requestsPerMinute, card.provider == .openai else { return nil }
        return paces.withLock { paces in
            let address = card.baseURL ?? ""
            if let known = paces[address] { return known }
            let pace = RequestPace(perMinute: perMinute)
            paces[address] = pace
            return pace
        }
    }

    private func session(of job: StudyJob) throws -> GenerationSession {
        // Whether a key is set is looked at for conversations only.
        let key = "\(job.model)/\(job.dataset)/\(job.target)/\(job.prompt ?? "")/\(job.asksModel)"
        if let known = sessions.withLock({ $0[key] }) { return known }
        guard let participant = study.participant(job.model), let target = PipelineTarget(rawValue: job.target),
            let prompt = study.studyPrompt(of: job)
        else {
            throw StudyError.unknownJob(name: job.id, suggestions: [])
        }
        let session = try GenerationSession(
            workspace: workspace, study: study.name, card: participant.card, dataset: job.dataset, target: target,
            baseURL: nil,
            replay: participant.recording(prompt: job.prompt, run: 1).map { workspace.root.appending(path: $0) },
            confinement: confinement, threads: threads, store: store, needsEndpoint: job.asksModel,
            template: prompt.templates[job.target], variation: prompt.variation, promptName: prompt.name)
        let records = StageRecords(study: study, workspace: workspace, store: store)
        if let run = try records.run(of: job), run.datasetHash != session.datasetHash {
            throw TrainingError.harness(
                reason:
                    "the dataset \(job.dataset) has changed since \(run.path) began: put it back, or give the study another name"
            )
        }
        sessions.withLock { $0[key] = session }
        return session
    }
}

extension JobOutcome {
    /// Ours or theirs, and how far it reaches.
    init(_ error: any Error) {
        switch error {
        case is CancellationError: self = .stopped
        case let reached as BudgetReached: self = .held(reason: reached.reason)
        case let error as TrainingError where error.isPipelinesFault: self = .failed(reason: "\(error)")
        case let error as BaselineError where error.isTrainingsFault: self = .failed(reason: "\(error)")
        case CaptureError.unwritable(let failure) where failure.isFullDisk,
            DatasetError.unwritable(let failure) where failure.isFullDisk:
            self = .fatal(reason: "\(failure)")
        case CaptureError.helperMissing, TrainingError.diskFull, ExchangeFileError.diskFull, SandboxError.unavailable,
            SandboxError.environmentBroken, SandboxError.swiftMissing,
            SandboxError.diskFull, is StoreError:
            self = .fatal(reason: "\(error)")
        case CaptureError.unwritable: self = .broken(reason: "\(error)")
        case let error as CaptureError: self = .failed(reason: "\(error)")
        default: self = .broken(reason: "\(error)")
        }
    }
}
