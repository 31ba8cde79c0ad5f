import Foundation
import GRDB

/// What no learning achieves on the held-out images of a data set.
public struct DatasetReferenceRecord: StoredRecord, Hashable {
    public static let databaseTableName = "dataset_reference"

    public var dataset: String
    public var datasetHash: String
    /// Held-out images.
    public var samples: Int
    /// The grey level, in [0, 1], that separates best on the training part.
    public var bestThreshold: Double
    /// Mean Dice of that threshold on the held-out images.
    public var bestThresholdDice: Double
    /// Mean Dice of the mean training mask on the held-out images.
    public var meanMaskDice: Double

    public init(
        dataset: String, datasetHash: String, samples: Int, bestThreshold: Double, bestThresholdDice: Double,
        meanMaskDice: Double
    ) {
        self.dataset = dataset
        self.datasetHash = datasetHash
        self.samples = samples
        self.bestThreshold = bestThreshold
        self.bestThresholdDice = bestThresholdDice
        self.meanMaskDice = meanMaskDice
    }
}

/// The same steps from the same weights on the same batches, by the runtime and by PyTorch.
public struct ParityRecord: StoredRecord, Hashable, Identifiable {
    public static let databaseTableName = "parity"

    public var id: Int64?
    public var runId: Int64
    public var seed: Int
    public var steps: Int
    /// max |swift − pytorch| over the steps' losses.
    public var largestLossDifference: Double
    public var swiftLosses: [Double]
    public var pytorchLosses: [Double]
    public var createdAt: Date

    public init(
        runId: Int64, seed: Int, steps: Int, largestLossDifference: Double, swiftLosses: [Double],
        pytorchLosses: [Double], createdAt: Date = Date()
    ) {
        self.runId = runId
        self.seed = seed
        self.steps = steps
        self.largestLossDifference = largestLossDifference
        self.swiftLosses = swiftLosses
        self.pytorchLosses = pytorchLosses
        self.createdAt = createdAt
    }

    public mutating func didInsert(_ inserted: InsertionSuccess) {
        id = inserted.rowID
    }
}

extension ResultStore {
    public func storeReference(_ reference: DatasetReferenceRecord) throws {
        try write("storing the references of \(reference.dataset)") { db in
            var reference = reference
            try reference.save(db)
        }
    }

    /// All references, by data set.
    public func references() throws -> [DatasetReferenceRecord] {
        try read("reading the references") {
            try DatasetReferenceRecord.order(Column("dataset"), Column("dataset_hash")).fetchAll($0)
        }
    }

    /// Stores a comparison in place of an earlier one of the same run and seed.
    public func storeParity(_ parity: ParityRecord) throws {
        try write("storing a parity measurement") { db in
            try ParityRecord.filter(Column("run_id") == parity.runId && Column("seed") == parity.seed).deleteAll(db)
            var parity = parity
            parity.id = nil
            try parity.insert(db)
        }
    }

    public func parities(run: Int64) throws -> [ParityRecord] {
        try read("reading parity measurements") {
            try ParityRecord.filter(Column("run_id") == run).order(Column("seed")).fetchAll($0)
        }
    }
}
