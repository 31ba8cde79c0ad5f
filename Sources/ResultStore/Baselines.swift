import Foundation
import GRDB

/// nnU-Net trained on a dataset by one engine, within one budget, from one seed.
public struct BaselineRecord: StoredRecord, Hashable, Identifiable {
    public static let databaseTableName = "baseline"

    public enum Engine: String, Sendable, Hashable, Codable, CaseIterable {
        /// The published package.
        case nnunetv2
        /// The same method on this project's runtime.
        case swift
    }

    public enum Status: String, Sendable, Hashable, Codable, CaseIterable {
        /// Begun and not at its end: going on, or broken off and to be resumed.
        case running
        /// Trained, and scored on the held-out images.
        case evaluated
        case failed
    }

    public var id: Int64?
    public var engine: Engine
    public var dataset: String
    /// The budget as part of a name: `50x250`, `3600s`, `50x250-b4`.
    public var budget: String
    public var seed: Int
    public var datasetHash: String
    /// Epochs planned; nil where the time is the limit.
    public var epochs: Int?
    /// Training steps an epoch.
    public var iterations: Int
    /// Seconds of training that end it; nil where the number of epochs is the limit.
    public var wallSeconds: Double?
    public var status: Status
    public var failure: String?
    /// Of the package and of what it runs on: `nnunetv2 2.8.1, torch 2.15.0`.
    public var version: String?
    public var device: String?
    public var threads: Int?
    public var batchSize: Int?
    /// Pixels.
    public var patchHeight: Int?
    public var patchWidth: Int?
    /// Whether all but the largest component was removed, which the validation images decide.
    public var postprocessing: Bool?
    /// Seconds of training, resumed parts added up.
    public var seconds: Double?
    /// Seconds in which all held-out images were predicted, from file to file.
    public var inferenceSeconds: Double?
    /// Of them, the network's: from preprocessed images to class scores.
    public var networkSeconds: Double?
    public var startedAt: Date
    public var endedAt: Date?

    public init(
        engine: Engine, dataset: String, budget: String, seed: Int, datasetHash: String, epochs: Int?, iterations: Int,
        wallSeconds: Double? = nil, status: Status = .running, startedAt: Date = Date()
    ) {
        self.engine = engine
        self.dataset = dataset
        self.budget = budget
        self.seed = seed
        self.datasetHash = datasetHash
        self.epochs = epochs
        self.iterations = iterations
        self.wallSeconds = wallSeconds
        self.status = status
        self.startedAt = startedAt
    }

    public mutating func didInsert(_ inserted: InsertionSuccess) {
        id = inserted.rowID
    }

    /// The budget for readers: `50 × 250 iterations`, `1 h`.
    public var budgetLabel: String {
        if let epochs { return "\(epochs) × \(iterations) iterations" }
        let seconds = Int((wallSeconds ?? 0).rounded())
        if seconds % 3600 == 0 { return "\(seconds / 3600) h" }
        return seconds % 60 == 0 ? "\(seconds / 60) min" : "\(seconds) s"
    }
}

/// One epoch of a baseline. Values that are not finite are nil.
public struct BaselineEpochRecord: StoredRecord, Hashable {
    public static let databaseTableName = "baseline_epoch"

    public var baselineId: Int64
    /// Counts from 1.
    public var epoch: Int
    public var trainLoss: Double?
    public var validationLoss: Double?
    /// Dice over the pixels of an epoch's validation patches together, not of whole images.
    public var pseudoDice: Double?
    public var learningRate: Double?
    public var seconds: Double?

    public init(
        baselineId: Int64, epoch: Int, trainLoss: Double?, validationLoss: Double?, pseudoDice: Double?,
        learningRate: Double? = nil, seconds: Double? = nil
    ) {
        self.baselineId = baselineId
        self.epoch = epoch
        self.trainLoss = trainLoss
        self.validationLoss = validationLoss
        self.pseudoDice = pseudoDice
        self.learningRate = learningRate
        self.seconds = seconds
    }
}

/// Dice of one held-out image on its original grid.
public struct BaselineHeldOutRecord: StoredRecord, Hashable {
    public static let databaseTableName = "baseline_held_out"

    public var baselineId: Int64
    /// File name of the image without `.png`.
    public var sample: String
    public var dice: Double

    public init(baselineId: Int64, sample: String, dice: Double) {
        self.baselineId = baselineId
        self.sample = sample
        self.dice = dice
    }
}

extension ResultStore {
    /// Stores a new baseline, or returns the one of the same engine, dataset, budget and seed: beginning is also how it is resumed.
    public func beginBaseline(_ baseline: BaselineRecord) throws -> BaselineRecord {
        try write("beginning a baseline") { db in
            let same = BaselineRecord.filter(
                Column("engine") == baseline.engine.rawValue && Column("dataset") == baseline.dataset
                    && Column("budget") == baseline.budget && Column("seed") == baseline.seed)
            if let known = try same.fetchOne(db) { return known }
            var baseline = baseline
            try baseline.insert(db)
            return baseline
        }
    }

    /// Completes or fails a baseline.
    public func updateBaseline(_ baseline: BaselineRecord) throws {
        try write("updating a baseline") { try baseline.update($0) }
    }

    /// Forgets a baseline with its epochs and scores.
    public func deleteBaseline(_ baseline: BaselineRecord) throws {
        _ = try write("deleting a baseline") { try baseline.delete($0) }
    }

    /// Stores one epoch in place of an earlier one of the same number.
    public func storeBaselineEpoch(_ epoch: BaselineEpochRecord) throws {
        try write("storing epoch \(epoch.epoch) of a baseline") { db in
            var epoch = epoch
            try epoch.save(db)
        }
    }

    /// Stores the held-out scores with the record that says so, in place of earlier ones.
    public func storeBaselineHeldOut(_ images: [BaselineHeldOutRecord], of baseline: BaselineRecord) throws {
        try write("storing held-out scores of a baseline") { db in
            try BaselineHeldOutRecord.filter(Column("baseline_id") == baseline.id).deleteAll(db)
            for var image in images { try image.insert(db) }
            try baseline.update(db)
        }
    }

    /// All baselines, by dataset, engine, budget and seed.
    public func baselines() throws -> [BaselineRecord] {
        try read("reading baselines") {
            try BaselineRecord.order(Column("dataset"), Column("engine"), Column("budget"), Column("seed")).fetchAll($0)
        }
    }

    public func baselineEpochs(baseline: Int64) throws -> [BaselineEpochRecord] {
        try read("reading epochs of a baseline") {
            try BaselineEpochRecord.filter(Column("baseline_id") == baseline).order(Column("epoch")).fetchAll($0)
        }
    }

    public func baselineHeldOut(baseline: Int64) throws -> [BaselineHeldOutRecord] {
        try read("reading held-out scores of a baseline") {
            try BaselineHeldOutRecord.filter(Column("baseline_id") == baseline).order(Column("sample")).fetchAll($0)
        }
    }
}
