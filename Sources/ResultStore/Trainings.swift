import Foundation
import GRDB

/// A pipeline trained by one engine from one seed.
public struct TrainingRecord: StoredRecord, Hashable, Identifiable {
    public static let databaseTableName = "training"

    public enum Engine: String, Sendable, Hashable, Codable, CaseIterable {
        case swift, pytorch, emitted
    }

    public enum Status: String, Sendable, Hashable, Codable, CaseIterable {
        /// Begun and not at its end: going on, or broken off and to be resumed.
        case running
        /// Trained, not yet evaluated.
        case trained
        /// Evaluated on the held-out images.
        case evaluated
        case failed
    }

    public var id: Int64?
    public var runId: Int64
    public var engine: Engine
    public var seed: Int
    /// Epochs planned; nil until known (the emitted engine with the model's own choice).
    public var epochs: Int?
    public var datasetHash: String
    public var status: Status
    public var failure: String?
    public var threads: Int?
    /// Last epoch that was trained, where early stopping ended it before `epochs`.
    public var stoppedAtEpoch: Int?
    /// The epoch whose weights are evaluated, where it is not the last.
    public var bestEpoch: Int?
    /// Seconds of training, resumed parts added up.
    public var seconds: Double?
    /// Seconds in which all held-out images were predicted; nil where it was not measured.
    public var inferenceSeconds: Double?
    public var startedAt: Date
    public var endedAt: Date?

    public init(
        runId: Int64, engine: Engine, seed: Int, epochs: Int?, datasetHash: String, status: Status = .running,
        threads: Int? = nil, startedAt: Date = Date()
    ) {
        self.runId = runId
        self.engine = engine
        self.seed = seed
        self.epochs = epochs
        self.datasetHash = datasetHash
        self.status = status
        self.threads = threads
        self.startedAt = startedAt
    }

    public mutating func didInsert(_ inserted: InsertionSuccess) {
        id = inserted.rowID
    }

    /// Whether the training came to its end. One that ended has its seconds: what failed then was the evaluation.
    public var isTrained: Bool {
        switch status {
        case .running: false
        case .trained, .evaluated: true
        case .failed: seconds != nil
        }
    }
}

/// One epoch. Values that an engine cannot see, or that are not finite, are nil.
public struct EpochRecord: StoredRecord, Hashable {
    public static let databaseTableName = "epoch"

    public var trainingId: Int64
    /// Counts from 1.
    public var epoch: Int
    /// The pipeline's own loss.
    public var trainLoss: Double?
    public var validationLoss: Double?
    /// Mean binary cross-entropy on the validation part, the same for every pipeline.
    public var commonBce: Double?
    /// Soft Dice (a score, 1 is best) on the validation part, the same for every pipeline.
    public var commonSoftDice: Double?
    public var seconds: Double?

    public init(
        trainingId: Int64, epoch: Int, trainLoss: Double?, validationLoss: Double?, commonBce: Double? = nil,
        commonSoftDice: Double? = nil, seconds: Double? = nil
    ) {
        self.trainingId = trainingId
        self.epoch = epoch
        self.trainLoss = trainLoss
        self.validationLoss = validationLoss
        self.commonBce = commonBce
        self.commonSoftDice = commonSoftDice
        self.seconds = seconds
    }
}

/// Mean Dice of one validation batch in one epoch.
public struct ValidationBatchRecord: StoredRecord, Hashable {
    public static let databaseTableName = "validation_batch"

    public var trainingId: Int64
    public var epoch: Int
    /// Counts from 0.
    public var batch: Int
    public var dice: Double

    public init(trainingId: Int64, epoch: Int, batch: Int, dice: Double) {
        self.trainingId = trainingId
        self.epoch = epoch
        self.batch = batch
        self.dice = dice
    }
}

/// Mean Dice of one batch of the pipeline's own test part.
public struct TestBatchRecord: StoredRecord, Hashable {
    public static let databaseTableName = "test_batch"

    public var trainingId: Int64
    public var batch: Int
    public var dice: Double

    public init(trainingId: Int64, batch: Int, dice: Double) {
        self.trainingId = trainingId
        self.batch = batch
        self.dice = dice
    }
}

/// Mean Dice of one batch of held-out images.
public struct HeldOutBatchRecord: StoredRecord, Hashable {
    public static let databaseTableName = "held_out_batch"

    public var trainingId: Int64
    public var batch: Int
    public var dice: Double

    public init(trainingId: Int64, batch: Int, dice: Double) {
        self.trainingId = trainingId
        self.batch = batch
        self.dice = dice
    }
}

/// Dice of one held-out image against the original mask.
public struct HeldOutRecord: StoredRecord, Hashable {
    public static let databaseTableName = "held_out"

    public var trainingId: Int64
    /// File name of the image without `.png`.
    public var sample: String
    /// On the grid of the original image: the headline.
    public var dice: Double
    /// On the grid the model works on.
    public var modelGridDice: Double?

    public init(trainingId: Int64, sample: String, dice: Double, modelGridDice: Double?) {
        self.trainingId = trainingId
        self.sample = sample
        self.dice = dice
        self.modelGridDice = modelGridDice
    }
}

extension ResultStore {
    /// Stores a new training, or returns the one of the same run, engine and seed: beginning is also how it is resumed.
    public func beginTraining(_ training: TrainingRecord) throws -> TrainingRecord {
        try write("beginning a training") { db in
            let same = TrainingRecord.filter(
                Column("run_id") == training.runId && Column("engine") == training.engine.rawValue
                    && Column("seed") == training.seed)
            if let known = try same.fetchOne(db) { return known }
            var training = training
            try training.insert(db)
            return training
        }
    }

    /// Completes or fails a training.
    public func updateTraining(_ training: TrainingRecord) throws {
        try write("updating a training") { try training.update($0) }
    }

    /// Forgets a training with its epochs and scores, so that it can begin anew.
    public func deleteTraining(_ training: TrainingRecord) throws {
        _ = try write("deleting a training") { try training.delete($0) }
    }

    /// Stores one epoch with its validation batches, in place of an earlier one of the same number.
    ///
    /// - Parameter validationDice: mean Dice a batch, in the order of the loader.
    public func storeEpoch(_ epoch: EpochRecord, validationDice: [Double]) throws {
        try write("storing epoch \(epoch.epoch)") { db in
            for table in ["epoch", "validation_batch"] {
                try db.execute(
                    sql: "DELETE FROM \(table) WHERE training_id = ? AND epoch = ?",
                    arguments: [epoch.trainingId, epoch.epoch])
            }
            var epoch = epoch
            try epoch.insert(db)
            for (batch, dice) in validationDice.enumerated() {
                var record = ValidationBatchRecord(
                    trainingId: epoch.trainingId, epoch: epoch.epoch, batch: batch, dice: dice)
                try record.insert(db)
            }
        }
    }

    /// Stores mean Dice a batch of the pipeline's own test part, in place of earlier ones.
    public func storeTestBatches(_ dice: [Double], training: Int64) throws {
        try write("storing test scores") { db in
            try TestBatchRecord.filter(Column("training_id") == training).deleteAll(db)
            for (batch, dice) in dice.enumerated() {
                var record = TestBatchRecord(trainingId: training, batch: batch, dice: dice)
                try record.insert(db)
            }
        }
    }

    /// Stores the held-out scores of a training in place of earlier ones.
    ///
    /// - Parameter batches: mean Dice a batch, in the order of the images.
    public func storeHeldOut(_ images: [HeldOutRecord], batches: [Double], training: Int64) throws {
        try write("storing held-out scores") { db in
            try HeldOutRecord.filter(Column("training_id") == training).deleteAll(db)
            try HeldOutBatchRecord.filter(Column("training_id") == training).deleteAll(db)
            for var image in images { try image.insert(db) }
            for (batch, dice) in batches.enumerated() {
                var record = HeldOutBatchRecord(trainingId: training, batch: batch, dice: dice)
                try record.insert(db)
            }
        }
    }

    /// The trainings of a run by engine and seed.
    public func trainings(run: Int64) throws -> [TrainingRecord] {
        try read("reading the trainings of a run") {
            try TrainingRecord.filter(Column("run_id") == run).order(Column("engine"), Column("seed")).fetchAll($0)
        }
    }

    public func epochs(training: Int64) throws -> [EpochRecord] {
        try read("reading epochs") {
            try EpochRecord.filter(Column("training_id") == training).order(Column("epoch")).fetchAll($0)
        }
    }

    public func validationBatches(training: Int64) throws -> [ValidationBatchRecord] {
        try read("reading validation scores") {
            try ValidationBatchRecord.filter(Column("training_id") == training)
                .order(Column("epoch"), Column("batch")).fetchAll($0)
        }
    }

    public func testBatches(training: Int64) throws -> [TestBatchRecord] {
        try read("reading test scores") {
            try TestBatchRecord.filter(Column("training_id") == training).order(Column("batch")).fetchAll($0)
        }
    }

    public func heldOut(training: Int64) throws -> [HeldOutRecord] {
        try read("reading held-out scores") {
            try HeldOutRecord.filter(Column("training_id") == training).order(Column("sample")).fetchAll($0)
        }
    }

    public func heldOutBatches(training: Int64) throws -> [HeldOutBatchRecord] {
        try read("reading held-out scores") {
            try HeldOutBatchRecord.filter(Column("training_id") == training).order(Column("batch")).fetchAll($0)
        }
    }
}
