import Foundation
import ResultStore

/// The rows of one training in the result store, written as it goes on.
struct TrainingLedger {
    let store: ResultStore
    private(set) var record: TrainingRecord

    /// Opens the row of (run, engine, seed), or the one that an earlier process left.
    ///
    /// - Throws: `TrainingError.harness` where that one was trained for another number of epochs or on other data: results are not
    ///   mixed.
    init(
        store: ResultStore, run: RunRecord, engine: TrainingRecord.Engine, seed: Int, epochs: Int?, datasetHash: String,
        threads: Int?, again: Bool
    ) throws {
        self.store = store
        let new = TrainingRecord(
            runId: try run.storedID, engine: engine, seed: seed, epochs: epochs, datasetHash: datasetHash,
            threads: threads)
        var known = try store.beginTraining(new)
        if again {
            try store.deleteTraining(known)
            known = try store.beginTraining(new)
        }
        guard known.datasetHash == datasetHash else {
            throw TrainingError.harness(
                reason:
                    "\(run.path) was trained by \(engine) on an earlier version of its dataset: start over with --again"
            )
        }
        if let before = known.epochs, let epochs, before != epochs {
            throw TrainingError.harness(
                reason:
                    "\(run.path) was trained by \(engine) for \(before) epochs, not \(epochs): start over with --again")
        }
        record = known
    }

    var isTrained: Bool { record.status == .trained || record.status == .evaluated }

    func store(_ epoch: EpochResult) throws {
        guard let id = record.id else { return }
        try store.storeEpoch(
            EpochRecord(
                trainingId: id, epoch: epoch.epoch, trainLoss: Self.finite(epoch.trainLoss),
                validationLoss: Self.finite(epoch.validationLoss), commonBce: Self.finite(epoch.commonBCE),
                commonSoftDice: Self.finite(epoch.commonSoftDice), seconds: epoch.seconds),
            validationDice: epoch.validationDice)
    }

    /// What an interrupted process had trained but not stored is stored by storing all again.
    func store(_ history: [EpochResult]) throws {
        for epoch in history { try store(epoch) }
    }

    mutating func update(_ change: (inout TrainingRecord) -> Void) throws {
        change(&record)
        try store.updateTraining(record)
    }

    /// The pipeline's own failure is a result; anything else leaves the row `running`, to be resumed.
    mutating func fail(_ error: TrainingError) throws {
        guard error.isPipelinesFault else { return }
        try update { record in
            record.status = .failed
            record.failure = error.description
            record.endedAt = Date()
        }
    }

    private static func finite(_ value: Double?) -> Double? { value.flatMap { $0.isFinite ? $0 : nil } }
}

extension RunRecord {
    var storedID: Int64 {
        get throws {
            guard let id else { throw TrainingError.harness(reason: "the run \(path) is not in the store") }
            return id
        }
    }
}
