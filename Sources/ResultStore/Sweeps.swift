import Foundation
import GRDB

/// One network trained on one budget of labels from one seed.
public struct SweepTrainingRecord: StoredRecord, Hashable, Identifiable {
    public static let databaseTableName = "sweep_training"

    public enum Status: String, Sendable, Hashable, Codable, CaseIterable {
        /// Begun and not at its end: going on, or broken off and to be resumed.
        case running
        /// Trained, and scored on the held-out images.
        case finished
        case failed
    }

    public var id: Int64?
    public var dataset: String
    public var datasetHash: String
    /// `unet`, `resunet` or `nnunet`.
    public var network: String
    /// The budget N: labelled images, those of the validation included.
    public var labels: Int
    public var seed: Int
    /// Pixels a side of the square images that it learns from.
    public var size: Int
    public var steps: Int
    /// Everything else that the result depends on, in words.
    public var recipe: String
    public var status: Status
    public var failure: String?
    public var threads: Int?
    /// Of the labels, those that gradients came from.
    public var trainingImages: Int?
    /// Of the labels, those that chose the weights.
    public var validationImages: Int?
    public var parameters: Int?
    /// The step whose weights were kept.
    public var bestStep: Int?
    /// Mean Dice of the validation images with these weights.
    public var validationDice: Double?
    /// Of training, resumed parts added up.
    public var seconds: Double?
    public var startedAt: Date
    public var endedAt: Date?

    public init(
        dataset: String, datasetHash: String, network: String, labels: Int, seed: Int, size: Int, steps: Int,
        recipe: String, status: Status = .running, startedAt: Date = Date()
    ) {
        self.dataset = dataset
        self.datasetHash = datasetHash
        self.network = network
        self.labels = labels
        self.seed = seed
        self.size = size
        self.steps = steps
        self.recipe = recipe
        self.status = status
        self.startedAt = startedAt
    }

    public mutating func didInsert(_ inserted: InsertionSuccess) {
        id = inserted.rowID
    }
}

/// One held-out image under one training, on its original grid.
public struct SweepScoreRecord: StoredRecord, Hashable {
    public static let databaseTableName = "sweep_score"

    public var trainingId: Int64
    /// File name of the image without `.png`.
    public var sample: String
    public var dice: Double
    public var iou: Double
    /// In pixels.
    public var hausdorff95: Double

    public init(trainingId: Int64, sample: String, dice: Double, iou: Double, hausdorff95: Double) {
        self.trainingId = trainingId
        self.sample = sample
        self.dice = dice
        self.iou = iou
        self.hausdorff95 = hausdorff95
    }
}

extension ResultStore {
    /// Stores a new training, or returns the one of the same key: beginning is also how it is resumed.
    public func beginSweepTraining(_ training: SweepTrainingRecord) throws -> SweepTrainingRecord {
        try write("beginning a training of the sweep") { db in
            let same = SweepTrainingRecord.filter(
                Column("dataset") == training.dataset && Column("dataset_hash") == training.datasetHash
                    && Column("network") == training.network && Column("labels") == training.labels
                    && Column("seed") == training.seed && Column("size") == training.size
                    && Column("steps") == training.steps && Column("recipe") == training.recipe)
            if let known = try same.fetchOne(db) { return known }
            var training = training
            try training.insert(db)
            return training
        }
    }

    public func updateSweepTraining(_ training: SweepTrainingRecord) throws {
        try write("updating a training of the sweep") { try training.update($0) }
    }

    /// Forgets a training with its scores.
    public func deleteSweepTraining(_ training: SweepTrainingRecord) throws {
        _ = try write("deleting a training of the sweep") { try training.delete($0) }
    }

    /// Stores the held-out scores with the record that says so, in place of earlier ones.
    public func storeSweepScores(_ scores: [SweepScoreRecord], of training: SweepTrainingRecord) throws {
        try write("storing scores of the sweep") { db in
            try SweepScoreRecord.filter(Column("training_id") == training.id).deleteAll(db)
            for var score in scores { try score.insert(db) }
            try training.update(db)
        }
    }

    /// All trainings, by dataset, network, labels and seed.
    public func sweepTrainings() throws -> [SweepTrainingRecord] {
        try read("reading the trainings of the sweep") {
            try SweepTrainingRecord.order(
                Column("dataset"), Column("network"), Column("labels"), Column("seed"), Column("id")
            ).fetchAll($0)
        }
    }

    /// The scores of one training, by sample.
    public func sweepScores(training: Int64) throws -> [SweepScoreRecord] {
        try read("reading scores of the sweep") {
            try SweepScoreRecord.filter(Column("training_id") == training).order(Column("sample")).fetchAll($0)
        }
    }
}
