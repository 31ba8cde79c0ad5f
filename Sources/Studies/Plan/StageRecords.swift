import Foundation
import ResultStore
import Training

/// What the stages' own records say of a job: the truth of what is done.
public enum StageState: Sendable, Hashable {
    /// To be done, or to be gone on with.
    case due
    /// The result is there; a word on it.
    case done(String?)
    /// The generated pipeline failed: a result.
    case failed(String)
    /// An earlier stage ended with a result that leaves nothing to do here.
    case blocked(String)
}

/// Asks the store how far the runs of a study are.
struct StageRecords {
    let study: Study
    let workspace: Workspace
    let store: ResultStore

    /// All rows of one run.
    private struct Rows {
        var run: RunRecord
        var captures: [CaptureRecord]
        var trainings: [TrainingRecord]
        var parities: [ParityRecord]
    }

    func run(of job: StudyJob) throws -> RunRecord? {
        guard let key = study.runKey(of: job) else { return nil }
        return try store.run(path: key.path)
    }

    /// - Complexity: four queries.
    func state(of job: StudyJob) throws -> StageState {
        if job.kind == .baseline { return try baseline(job) }
        guard let run = try run(of: job), let id = run.id else { return .due }
        if job.kind == .generate { return generated(run) }
        guard run.status.isEnd else { return .due }
        guard run.status == .succeeded else { return .blocked("the code did not run: \(run.status.rawValue)") }
        if job.kind == .refine { return try refined(job, run) }
        let rows = Rows(
            run: run, captures: try store.captures(run: id), trainings: try store.trainings(run: id),
            parities: try store.parities(run: id))
        switch job.kind {
        case .generate, .baseline, .refine, .capture: return captured(job, rows)
        case .train: return trained(job, rows)
        case .evaluate: return evaluated(job, rows)
        case .parity: return compared(job, rows)
        }
    }

    private func baseline(_ job: StudyJob) throws -> StageState {
        let known = try store.baselines().first {
            $0.engine.rawValue == job.target && $0.dataset == job.dataset && $0.seed == job.seed
                && $0.budget == study.file.baselineBudget?.key
        }
        switch known?.status {
        case .evaluated: return .done(nil)
        case .failed: return .failed(known?.failure ?? "the training failed")
        case .running, nil: return .due
        }
    }

    private func generated(_ run: RunRecord) -> StageState {
        guard run.status.isEnd else { return .due }
        // A raised limit opens the run again.
        if run.status == .roundLimit, study.file.maxRounds > run.maxRounds { return .due }
        return .done(run.status == .succeeded ? nil : "the code does not run: \(run.status.rawValue)")
    }

    private func capture(_ job: StudyJob, _ rows: Rows) -> CaptureRecord? {
        let seed = job.seed ?? 0
        let known = rows.captures.last {
            $0.seed == seed && $0.epochs == study.file.epochs && $0.datasetHash == rows.run.datasetHash
        }
        guard let known, known.status != .failed else { return known }
        let folder = workspace.directory(of: rows.run.key).capture(seed: seed, epochs: study.file.epochs)
        let description = folder.appending(path: "pipeline.json").path(percentEncoded: false)
        return FileManager.default.fileExists(atPath: description) ? known : nil
    }

    private func captured(_ job: StudyJob, _ rows: Rows) -> StageState {
        guard let capture = capture(job, rows) else { return .due }
        switch capture.status {
        case .captured: return .done(nil)
        case .refused: return .done("refused: \(capture.refusals.joined(separator: "; "))")
        case .failed: return .failed(capture.failure ?? "the capture failed")
        }
    }

    private func training(_ job: StudyJob, _ rows: Rows) -> TrainingRecord? {
        rows.trainings.first { $0.engine == job.engine && $0.seed == job.seed }
    }

    /// What the capture leaves to do for an engine; nil where nothing stands in the way.
    private func blockedByCapture(_ job: StudyJob, _ rows: Rows) -> StageState? {
        guard job.isCaptured else { return nil }
        guard let capture = capture(job, rows) else { return .due }
        switch capture.status {
        case .captured: return nil
        case .refused where job.engine == .emitted: return nil
        case .refused: return .blocked("the capture was refused: \(capture.refusals.joined(separator: "; "))")
        case .failed: return .blocked("the capture failed: \(capture.failure ?? "no reason was stored")")
        }
    }

    private func trained(_ job: StudyJob, _ rows: Rows) -> StageState {
        if let training = training(job, rows), training.status != .running {
            return training.isTrained ? .done(nil) : .failed(training.failure ?? "the training failed")
        }
        return blockedByCapture(job, rows) ?? .due
    }

    private func evaluated(_ job: StudyJob, _ rows: Rows) -> StageState {
        guard let training = training(job, rows) else { return blockedByCapture(job, rows) ?? .due }
        switch training.status {
        case .evaluated: return .done(nil)
        case .running, .trained: return .due
        case .failed where training.isTrained: return .failed(training.failure ?? "the evaluation failed")
        case .failed: return .blocked("the training failed: \(training.failure ?? "no reason was stored")")
        }
    }

    /// Versions are at their end where all were asked for, or the last of them cannot be improved; and all that can be are scored. One
    /// that could not be scored is a failure of the pipeline's, kept as that of any other evaluation is.
    private func refined(_ job: StudyJob, _ run: RunRecord) throws -> StageState {
        let seed = job.seed ?? 0
        let versions = try RefinedVersion.all(of: run, engine: job.engine ?? .swift, seed: seed, in: store)
        for number in 0...study.file.refine {
            guard let version = versions.first(where: { $0.version == number }), version.run.status.isEnd else {
                return .due
            }
            if version.run.status == .roundLimit, study.file.maxRounds > version.run.maxRounds { return .due }
            if version.run.status != .succeeded { break }
            if let training = version.training, training.status == .failed, !training.isTrained { break }
            if try hasFailedCapture(version.run, seed: seed) { break }
            guard let status = version.training?.status, status != .running else { return .due }
            if version.validation == nil { break }
        }
        guard versions.allSatisfy({ $0.validation == nil || $0.isScored }) else { return .due }
        let kept = versions.first(where: \.isKept).map { "version \($0.version) is kept" } ?? "none can be kept"
        let asked = versions.count - 1
        let note = "\(asked) version\(asked == 1 ? "" : "s"), \(kept)"
        let unscored = versions.compactMap { version in
            version.evaluationFailure.map { "; version \(version.version) could not be scored: \($0)" }
        }
        return unscored.isEmpty ? .done(note) : .failed(note + unscored.joined())
    }

    private func hasFailedCapture(_ run: RunRecord, seed: Int) throws -> Bool {
        let captures = try run.id.map { try store.captures(run: $0) } ?? []
        return captures.last { $0.seed == seed && $0.epochs == study.file.epochs }?.status == .failed
    }

    private func compared(_ job: StudyJob, _ rows: Rows) -> StageState {
        let steps = study.file.paritySteps
        if rows.parities.contains(where: { $0.seed == job.seed && $0.steps == steps }) { return .done(nil) }
        return blockedByCapture(job, rows) ?? .due
    }
}
