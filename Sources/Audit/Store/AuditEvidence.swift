import Foundation
import ResultStore

/// A study as its store has it, and what is around it now: what every check of a store is given.
public struct AuditEvidence: Sendable {
    /// A capture with its JSON read.
    public struct Capture: Sendable {
        public var record: CaptureRecord
        var pipeline: LooseObject?
        var facts: LooseObject?
        var stated: LooseObject?

        init(_ record: CaptureRecord) {
            self.record = record
            pipeline = record.pipeline.flatMap(LooseObject.init)
            facts = record.facts.flatMap(LooseObject.init) ?? pipeline?.object("facts")
            stated = record.stated.flatMap(LooseObject.init)
        }

        /// Sample ids of `train`, `validation` or `test`, as captured; a sample whose file was not learnt is nil.
        func part(_ name: String) -> [String?]? { pipeline?.object("split")?.names(name) }
    }

    public struct Training: Sendable {
        public var record: TrainingRecord
        public var epochs: [EpochRecord]
        public var validation: [ValidationBatchRecord]
        public var testBatches: [Double]
        public var heldOut: [HeldOutRecord]
        public var heldOutBatches: [Double]
        /// The capture it was made from: of its epochs, or of the pipeline's own.
        public var capture: Capture?

        var id: Int64 { record.id ?? -1 }

        /// It came to an end, so that its numbers should be complete.
        var isWhole: Bool { record.status == .trained || record.status == .evaluated }

        /// Mean over images on the original grid; nil before evaluation.
        var meanDice: Double? {
            heldOut.isEmpty ? nil : heldOut.map(\.dice).reduce(0, +) / Double(heldOut.count)
        }
    }

    public struct Run: Sendable {
        public var record: RunRecord
        public var rounds: [RoundRecord]
        public var errors: [ErrorRecord]
        public var exchanges: [ExchangeRecord]
        public var captures: [Capture]
        public var trainings: [Training]
        public var parities: [ParityRecord]

        var path: String { record.path }

        /// Names a training of it.
        func place(_ training: Training) -> String {
            "\(path), \(training.record.engine.rawValue), seed \(training.record.seed)"
        }

        /// Name and content hash of the files that ran; nil where none did.
        var finalFiles: [String]? {
            rounds.last { $0.outcome == .clean && !$0.files.isEmpty }
                .map { $0.files.map { "\($0.name) \($0.sha256)" }.sorted() }
        }
    }

    public var study: String
    /// Path of the database, for queries in findings.
    public var database: String
    public var runs: [Run]
    public var references: [DatasetReferenceRecord]
    public var surroundings: AuditSurroundings

    /// Reads a study.
    ///
    /// - Throws: `StoreError`.
    /// - Complexity: one pass over the study's rows.
    public init(store: ResultStore, study: String, surroundings: AuditSurroundings) throws {
        var reader = AuditReader(study: study)
        try self.init(store: store, surroundings: surroundings, reading: &reader)
    }

    /// - Parameter reader: Knows what was read before.
    init(store: ResultStore, surroundings: AuditSurroundings, reading reader: inout AuditReader) throws {
        study = reader.study
        self.surroundings = surroundings
        database = store.path.path(percentEncoded: false)
        references = try store.references()
        runs = try reader.runs(in: store)
    }

    static func run(_ record: RunRecord, _ store: ResultStore) throws -> Run {
        let id = record.id ?? -1
        let captures = try store.captures(run: id).map(Capture.init)
        let trainings = try store.trainings(run: id).map { training in
            let key = training.id ?? -1
            let fitting = captures.filter { $0.record.seed == training.seed }
            return Training(
                record: training, epochs: try store.epochs(training: key),
                validation: try store.validationBatches(training: key),
                testBatches: try store.testBatches(training: key).map(\.dice),
                heldOut: try store.heldOut(training: key),
                heldOutBatches: try store.heldOutBatches(training: key).map(\.dice),
                capture: fitting.last { $0.record.epochs == training.epochs }
                    ?? fitting.last { $0.record.epochs == nil })
        }
        return Run(
            record: record, rounds: try store.rounds(run: id), errors: try store.errors(run: id),
            exchanges: try store.exchanges(run: id), captures: captures, trainings: trainings,
            parities: try store.parities(run: id))
    }

    /// Every training with its run.
    var trainings: [(run: Run, training: Training)] { runs.flatMap { run in run.trainings.map { (run, $0) } } }

    /// A query as a command line.
    func query(_ sql: String) -> String { "sqlite3 \(Wording.shell(database)) \"\(sql)\"" }
}
