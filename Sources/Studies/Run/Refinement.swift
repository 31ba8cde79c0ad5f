import Capture
import Diagnosis
import Foundation
import Generation
import Prompts
import ResultStore
import Training

/// Versions of a program that ran, each made by the model with what the training of the one before came to on the validation part.
///
/// Held-out images take no part: they are scored when the versions are at their end, and neither fed back nor looked at in the
/// choice. An extension of the published study, which names it as future work.
public struct Refinement: Sendable {
    public struct Options: Sendable {
        /// How many versions are asked for at most.
        public var versions: Int
        public var engine: TrainingRecord.Engine
        public var seed: Int
        /// In place of each version's own number; nil leaves it.
        public var epochs: Int?
        /// Of a training; nil for all.
        public var threads: Int?
        public var maxRounds: Int
        public var loopAfter: Int
        /// Forgets that a version's training or evaluation failed, and does it anew.
        public var again = false

        public init(
            versions: Int, engine: TrainingRecord.Engine, seed: Int = 0, epochs: Int? = nil, threads: Int? = nil,
            maxRounds: Int = 20, loopAfter: Int = 3
        ) {
            self.versions = versions
            self.engine = engine
            self.seed = seed
            self.epochs = epochs
            self.threads = threads
            self.maxRounds = maxRounds
            self.loopAfter = loopAfter
        }
    }

    /// What happens meanwhile, for the terminal.
    public enum Event: Sendable {
        case conversation(version: Int, GenerationEvent)
        case training(version: Int, TrainingProgress)
        /// No further version is asked for.
        case ended(String)
    }

    private let session: GenerationSession
    private let options: Options
    private let stage: TrainingStage

    /// - Parameter session: the one that the run was made in.
    public init(_ session: GenerationSession, _ options: Options) {
        self.session = session
        self.options = options
        stage = TrainingStage(
            workspace: session.workspace, store: session.store, helper: session.helper, swift: session.swift,
            threads: options.threads)
    }

    /// Asks for the versions of one run, or goes on where an earlier call stopped, and scores all of them.
    ///
    /// A version that does not run, or whose training fails, is the last one: what it would be improved by is not known. Failures are
    /// results: a later call repeats none of them unless `again` is set.
    ///
    /// - Parameters:
    ///   - base: a run that succeeded.
    ///   - gates: what it waits for before it asks and before a check run, where it shares a machine.
    ///   - replay: the recording of this run; its versions are answered from the exchanges after the run's.
    /// - Throws: what is not the model's fault: `GenerationError`, `EndpointError`, `SandboxError`, `TrainingError`, `CaptureError`,
    ///   `DatasetError`, `StoreError`, and what `gates` throws. What is finished stays.
    public func run(
        _ base: RunRecord, record: URL? = nil, replay: URL? = nil, gates: GenerationSession.Gates? = nil,
        observe: @escaping @Sendable (Event) -> Void
    ) async throws -> [RefinedVersion] {
        var (last, opening) = (base, session.prompt.text)
        var continuation: Continuation?
        for version in 1...max(1, options.versions) {
            guard try await train(last, version: version - 1, observe) else { break }
            continuation = try Continuation(
                after: last, opening: opening, earlier: continuation, store: session.store,
                workspace: session.workspace)
            let known = try versions(of: base).filter { $0.version < version }
            guard let measured = known.last?.validation, let best = known.first(where: \.isKept) else {
                observe(.ended("version \(version - 1) has no validation Dice to go on from"))
                break
            }
            let step = RefinementStep(
                base: base, version: version, continuation: continuation,
                opening: try session.text(.refine, Self.slots(measured, best, left: options.versions - version + 1)))
            do {
                let isAtItsEnd = try versions(of: base).contains { $0.version == version && $0.run.status.isEnd }
                if !isAtItsEnd { try gates?.version() }
                (last, opening) = try await session.refine(
                    step, maxRounds: options.maxRounds, loopAfter: options.loopAfter, record: record, replay: replay,
                    gates: gates
                ) { observe(.conversation(version: version, $0)) }
            } catch let reached as BudgetReached {
                // There may never be more: what was trained is scored now.
                _ = try scored(base)
                throw reached
            }
            guard last.status == .succeeded else {
                observe(.ended("version \(version) did not run: \(last.status.rawValue)"))
                break
            }
            if version == options.versions { _ = try await train(last, version: version, observe) }
        }
        return try scored(base)
    }

    private func versions(of base: RunRecord) throws -> [RefinedVersion] {
        try RefinedVersion.all(of: base, engine: options.engine, seed: options.seed, in: session.store)
    }

    /// - Returns: false where the program cannot be trained, which is a result.
    private func train(
        _ run: RunRecord, version: Int, _ observe: @escaping @Sendable (Event) -> Void
    ) async throws -> Bool {
        let known = try run.id.map { try session.store.trainings(run: $0) }?
            .first { $0.engine == options.engine && $0.seed == options.seed }
        // What failed after its training was its evaluation, which has no part here.
        if let known, known.status == .failed, known.isTrained || !options.again {
            if !known.isTrained {
                observe(.ended("version \(version): \(known.failure ?? "its training failed; no reason was stored")"))
            }
            return known.isTrained
        }
        do {
            _ = try await stage.train(
                run, engine: options.engine, epochs: options.epochs, seed: options.seed,
                again: known?.status == .failed,
                observer: TrainingObserver(progress: { observe(.training(version: version, $0)) }))
            return true
        } catch let error as TrainingError where error.isPipelinesFault {
            observe(.ended("version \(version): \(error)"))
        } catch let error as CaptureError {
            guard case .failed = JobOutcome(error) else { throw error }
            observe(.ended("version \(version): \(error)"))
        }
        return false
    }

    /// Held-out Dice of whatever was trained; a version that cannot be scored has none.
    private func scored(_ base: RunRecord) throws -> [RefinedVersion] {
        for version in try versions(of: base) where version.validation != nil {
            do {
                _ = try stage.evaluate(
                    version.run, engine: options.engine, seed: options.seed,
                    again: options.again && version.evaluationFailure != nil)
            } catch let error as TrainingError where error.isPipelinesFault {
                continue
            }
        }
        return try versions(of: base)
    }

    private static func slots(_ measured: ValidationSummary, _ best: RefinedVersion, left: Int) -> [String: String] {
        func shown(_ value: Double?) -> String { value.map { String(format: "%.4f", $0) } ?? "-" }
        let curve = measured.epochs.map {
            "epoch \($0.epoch): training loss \(shown($0.trainLoss)), validation loss \(shown($0.validationLoss)), "
                + "validation Dice \(shown($0.dice))"
        }
        return [
            "epochs": "\(measured.epochs.count)", "curve": curve.joined(separator: "\n"),
            "epoch": "\(measured.keptEpoch)", "dice": shown(measured.dice), "version_best": "\(best.version)",
            "dice_best": shown(best.validation?.dice), "left": "\(left)",
        ]
    }
}

/// What a version begins with.
struct RefinementStep: Sendable {
    var base: RunRecord
    var version: Int
    var continuation: Continuation?
    /// How the version before did; an interrupted version goes on with the text that it began with.
    var opening: String
}
