import Capture
import Foundation
import Generation
import ResultStore
import Sandbox
import Training

/// What happens while a plan is carried out, for the terminal.
public enum StudyEvent: Sendable {
    case began(StudyJob)
    case generation(model: String, GenerationEvent)
    case training(StudyJob, TrainingProgress)
    case note(String)
    case finished(StudyJob, seconds: Double)
    /// The pipeline's failure, which is a result, or one of ours, after which the rest goes on.
    case failed(StudyJob, reason: String)
}

/// Carries out a plan, a job at a time, in the order that shows a whole path early: each model from prompt to score.
///
/// Every job's result is in the store when it ends, and a job that an earlier call finished is not done again: what was
/// interrupted goes on when the same plan is run.
public struct StudyRunner: Sendable {
    private let plan: StudyPlan
    private let workspace: Workspace
    private let isSandboxed: Bool
    private let observe: @Sendable (StudyEvent) -> Void

    public init(
        plan: StudyPlan, workspace: Workspace, isSandboxed: Bool = true,
        observe: @escaping @Sendable (StudyEvent) -> Void
    ) {
        self.plan = plan
        self.workspace = workspace
        self.isSandboxed = isSandboxed
        self.observe = observe
    }

    /// What a plan came to.
    public struct Outcome: Sendable {
        public var store: ResultStore
        /// Jobs that failed, with the reason.
        public var failures: [(job: StudyJob, reason: String)]
    }

    /// - Throws: what no job can go on after: a sandbox, Python environment or store that is not there, a full disk, an
    ///   unknown model or dataset.
    public func run() async throws -> Outcome {
        var failures: [(job: StudyJob, reason: String)] = []
        for model in plan.models {
            let session = try GenerationSession(
                workspace: workspace, study: plan.study, model: model, dataset: plan.dataset, target: plan.target,
                baseURL: nil,
                replay: nil, isSandboxed: isSandboxed)
            let run = try await generate(model, session)
            guard run.status == .succeeded else { continue }
            let helper = HelperProgram(
                runner: session.check.runner, interpreter: session.check.python.interpreterInside,
                folder: session.check.helper)
            let stage = TrainingStage(workspace: workspace, store: session.store, helper: helper)
            failures += try await train(run, model: model, stage)
        }
        return Outcome(store: try ResultStore(path: workspace.database(study: plan.study)), failures: failures)
    }

    private func generate(_ model: String, _ session: GenerationSession) async throws -> RunRecord {
        let job = StudyJob.generate(model: model)
        observe(.began(job))
        let start = ContinuousClock.now
        let run = try await session.run(index: 1, maxRounds: plan.maxRounds, loopAfter: plan.loopAfter, record: nil) {
            observe(.generation(model: model, $0))
        }
        observe(.finished(job, seconds: Self.seconds(since: start)))
        return run
    }

    private func train(
        _ run: RunRecord, model: String, _ stage: TrainingStage
    ) async throws -> [(job: StudyJob, reason: String)] {
        var failures: [(job: StudyJob, reason: String)] = []
        for seed in plan.seeds {
            var isCaptured = false
            try await attempt(.capture(model: model, seed: seed), &failures) {
                isCaptured = try await stage.capture(run, seed: seed).status == .captured
            }
            for engine in plan.engines where isCaptured || engine == .emitted {
                let job = StudyJob.train(model: model, engine: engine, seed: seed)
                try await attempt(job, &failures) {
                    _ = try await stage.train(
                        run, engine: engine, seed: seed,
                        observer: TrainingObserver(
                            progress: { observe(.training(job, $0)) }, note: { observe(.note($0)) }))
                    _ = try stage.evaluate(run, engine: engine, seed: seed)
                }
            }
            if isCaptured, plan.paritySteps > 0, seed == plan.seeds.first {
                try await attempt(.parity(model: model, steps: plan.paritySteps), &failures) {
                    _ = try await stage.parity(run, seed: seed, steps: plan.paritySteps)
                }
            }
        }
        return failures
    }

    /// Does a job. A pipeline's own failure is kept and the others go on; a failure of the harness ends the call, and the same call
    /// goes on from there.
    private func attempt(
        _ job: StudyJob, _ failures: inout [(job: StudyJob, reason: String)], _ body: () async throws -> Void
    ) async throws {
        observe(.began(job))
        let start = ContinuousClock.now
        do {
            try await body()
            observe(.finished(job, seconds: Self.seconds(since: start)))
        } catch let error as TrainingError where error.isPipelinesFault {
            failures.append((job, error.description))
            observe(.failed(job, reason: error.description))
        } catch let error as CaptureError where error != .helperMissing {
            failures.append((job, error.description))
            observe(.failed(job, reason: error.description))
        }
    }

    private static func seconds(since start: ContinuousClock.Instant) -> Double {
        let elapsed = (ContinuousClock.now - start).components
        return Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18
    }
}
