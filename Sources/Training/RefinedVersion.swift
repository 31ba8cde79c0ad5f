import Capture
import Foundation
import ResultStore

/// One version of a program that a model was asked to improve; version 0 is the program of the run itself.
public struct RefinedVersion: Sendable, Hashable {
    public var version: Int
    public var run: RunRecord
    public var training: TrainingRecord?
    public var validation: ValidationSummary?
    /// Mean over the held-out images; never fed back, and no part of the choice.
    public var heldOutDice: Double?
    /// Why the version cannot be kept; nil where it can.
    public var obstacle: String?
    /// Why its held-out images could not be scored; they have no part in the choice, so that it can be kept all the same.
    public var evaluationFailure: String? {
        guard let training, training.status == .failed, training.isTrained else { return nil }
        return training.failure ?? "no reason was stored"
    }
    /// Whether there is nothing left to score: its Dice is there, or what failed is stored.
    public var isScored: Bool { training?.status == .evaluated || training?.status == .failed }
    /// Of the versions without an obstacle, the one with the highest validation Dice; of equals the first.
    public var isKept = false
}

extension RefinedVersion {
    /// The study in which the versions of another study's runs are stored, in the same database: they are no runs of their own
    /// and enter none of its figures.
    public static func study(of study: String) -> String { "\(study).refined" }

    /// A run and its versions, judged by what the store has of their trainings.
    ///
    /// A version can be kept where its code ran, the engine trained it, and it validates on the images that version 0 validates on and
    /// trains on none of them: Dice of other images would be another measure. Where a program was not captured, which images those
    /// are is not known, and it is taken at its word.
    ///
    /// - Throws: `StoreError`.
    public static func all(
        of base: RunRecord, engine: TrainingRecord.Engine, seed: Int, in store: ResultStore
    ) throws -> [RefinedVersion] {
        let later = try store.runs(refining: base.path)
        let runs = ([base] + later).sorted { ($0.refinement ?? 0) < ($1.refinement ?? 0) }
        var versions = try runs.map { run in
            var version = RefinedVersion(version: run.refinement ?? 0, run: run)
            version.training = try run.id.map { try store.trainings(run: $0) }?
                .first { $0.engine == engine && $0.seed == seed }
            version.validation = try version.training.flatMap { training in
                // What was validated is not undone by held-out images that could not be scored.
                var training = training
                if training.status == .failed, training.isTrained { training.status = .trained }
                return try store.validation(of: training)
            }
            if let training = version.training?.id {
                let scores = try store.heldOut(training: training).map(\.dice)
                version.heldOutDice = scores.isEmpty ? nil : scores.reduce(0, +) / Double(scores.count)
            }
            return version
        }
        let splits = try runs.map { try $0.id.flatMap { try Split(store.captures(run: $0).last { $0.seed == seed }) } }
        for index in versions.indices {
            versions[index].obstacle = versions[index].ownObstacle ?? splits[index]?.obstacle(beside: splits[0])
        }
        let fit = versions.indices.filter { versions[$0].obstacle == nil }
        let best = fit.max {
            (versions[$0].validation?.dice ?? 0, -$0) < (versions[$1].validation?.dice ?? 0, -$1)
        }
        if let best { versions[best].isKept = true }
        return versions
    }

    /// A run and its versions by the engine and seed that trained most of them; where none was trained, by what trained the run, engine
    /// swift before the others. Empty where no version was asked for.
    ///
    /// - Throws: `StoreError`.
    public static func all(of base: RunRecord, in store: ResultStore) throws -> [RefinedVersion] {
        let later = try store.runs(refining: base.path)
        guard !later.isEmpty else { return [] }
        var trainings = try later.flatMap { try $0.id.map { try store.trainings(run: $0) } ?? [] }
        if trainings.isEmpty { trainings = try base.id.map { try store.trainings(run: $0) } ?? [] }
        let preference: [TrainingRecord.Engine] = [.swift, .pytorch, .emitted]
        func order(_ training: TrainingRecord) -> (Int, Int, Int) {
            let alike = trainings.count { $0.engine == training.engine && $0.seed == training.seed }
            return (-alike, preference.firstIndex(of: training.engine) ?? 0, training.seed)
        }
        let by = trainings.min { order($0) < order($1) }
        return try all(of: base, engine: by?.engine ?? .swift, seed: by?.seed ?? 0, in: store)
    }

    /// What became of it, for people: kept, or why it cannot be; and why its held-out images have no score. Nil where there is nothing to
    /// say.
    public var choice: String? {
        let said = [isKept ? "kept" : obstacle, evaluationFailure.map { "it could not be scored: \($0)" }].compactMap {
            $0
        }
        return said.isEmpty ? nil : said.joined(separator: "; ")
    }

    private var ownObstacle: String? {
        guard run.status == .succeeded else { return "its code did not run: \(run.status.rawValue)" }
        guard let training else { return "it was not trained" }
        if training.status == .failed, !training.isTrained {
            return "its training failed: \(training.failure ?? "no reason was stored")"
        }
        return validation == nil ? "it has no validation Dice of the weights that it keeps" : nil
    }

    /// Which images a captured program trains on and validates on.
    private struct Split {
        var train: Set<String>
        var validation: Set<String>

        init?(_ capture: CaptureRecord?) throws {
            guard let text = capture?.pipeline,
                let split = try? JSONDecoder().decode(PipelineDescription.self, from: Data(text.utf8)).split,
                let validation = split.validation
            else { return nil }
            self.validation = Set(validation.compactMap { $0 })
            train = Set((split.train ?? []).compactMap { $0 })
        }

        func obstacle(beside first: Split?) -> String? {
            let shared = train.intersection(validation).count
            if shared > 0 { return "it trains on \(shared) of the images that it validates on" }
            guard let first, first.validation != validation else { return nil }
            return "it validates on other images than version 0"
        }
    }
}
