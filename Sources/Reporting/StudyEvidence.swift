import Foundation
import ResultStore
import Training

/// Everything a report says about a study, read from its store once.
public struct StudyEvidence: Sendable {
    /// One run with all that followed from it.
    public struct Run: Sendable {
        public var record: RunRecord
        public var errors: ErrorSummary
        public var rounds: [RoundRecord]
        public var errorRecords: [ErrorRecord]
        public var interactions: [InteractionRecord]
        public var exchanges: [ExchangeRecord]
        /// The newest capture.
        public var capture: CaptureRecord?
        public var trainings: [Training]
        public var parities: [ParityRecord]
        /// The versions that its model was asked to make of its program, the program itself first; empty where none was asked for.
        public var versions: [RefinedVersion] = []
        /// Which state of its rows this is.
        public var state: RunState
        /// The run's name in tables and figures: the model, with the run's number where a model has several.
        public var label: String

        /// The trainings of one engine that were evaluated, by seed.
        public func evaluated(_ engine: TrainingRecord.Engine) -> [Training] {
            trainings.filter { $0.record.engine == engine && $0.record.status == .evaluated && !$0.heldOut.isEmpty }
        }
    }

    /// One training with its epochs and its held-out Dice.
    public struct Training: Sendable {
        public var record: TrainingRecord
        public var epochs: [EpochRecord]
        public var validationBatches: [ValidationBatchRecord]
        /// Of the pipeline's own test part.
        public var testBatches: [TestBatchRecord]
        public var heldOut: [HeldOutRecord]

        /// Mean over images of the Dice on the original grid; nil before evaluation.
        public var meanDice: Double? {
            heldOut.isEmpty ? nil : heldOut.map(\.dice).reduce(0, +) / Double(heldOut.count)
        }
    }

    public var study: String
    public var runs: [Run]
    /// Networks that no language model wrote.
    public var baselines: [Baseline]
    public var references: [DatasetReferenceRecord]
    public var readAt: Date
    /// What the models' cards say now, by model: only for runs that were made before the store kept what they said. Whoever has the
    /// cards fills it in.
    public var currentCards: [String: ModelTraits] = [:]
    /// What the study's file set out to compare. Not in the store either.
    public var plan = ComparisonPlan()
    /// Versions that are not in the store.
    public var origin = ReportOrigin()
    /// What an audit of this evidence came to; nil where there was none, and reports say so.
    public var audit: AuditSummary?

    /// Whether every run, or some, come from hand-written conversations; then the report says so wherever figures appear.
    public var fixtureRuns: Int { runs.count { $0.record.fixture } }

    /// Reads a study.
    ///
    /// - Throws: `StoreError`.
    /// - Complexity: one pass over the study's rows.
    public init(store: ResultStore, study: String) throws {
        var reader = StudyReader(study: study)
        self = try reader.evidence(from: store)
    }

    /// A study as it was read just now.
    init(study: String, runs: [Run], baselines: [Baseline], references: [DatasetReferenceRecord]) {
        self.study = study
        self.runs = runs
        self.baselines = baselines
        self.references = references
        readAt = Date()
    }

    /// What no learning achieves on a run's held-out images.
    public func reference(for run: Run) -> DatasetReferenceRecord? {
        references.first { $0.dataset == run.record.dataset && $0.datasetHash == run.record.datasetHash }
            ?? references.last { $0.dataset == run.record.dataset }
    }

    /// The sentence that stands above every figure of a study with hand-written conversations; nil without any.
    public var fixtureNotice: String? {
        guard fixtureRuns > 0 else { return nil }
        let subject = fixtureRuns == runs.count ? "All conversations" : "\(fixtureRuns) of \(runs.count) conversations"
        return "\(subject) here were written by hand to exercise the harness (fixture-*). "
            + "Their figures say nothing about any language model."
    }
}
