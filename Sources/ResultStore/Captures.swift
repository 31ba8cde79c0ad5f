import Foundation
import GRDB

/// What was read off a pipeline while it ran, for one data set, number of epochs and seed.
public struct CaptureRecord: StoredRecord, Hashable, Identifiable {
    public static let databaseTableName = "capture"

    public enum Status: String, Sendable, Hashable, Codable, CaseIterable {
        case captured
        /// Something of it cannot be captured: `refusals` names what. The emitted engine still measures it.
        case refused
        /// The second run failed where the check run had not.
        case failed
    }

    public var id: Int64?
    public var runId: Int64
    public var datasetHash: String
    /// The study's number of epochs; nil for the model's own choice.
    public var epochs: Int?
    public var seed: Int
    public var status: Status
    /// JSON object: `facts` of pipeline.json, read from the graph.
    public var facts: String?
    /// JSON object: pipeline.json.
    public var pipeline: String?
    /// JSON object: what the model itself said in config.json.
    public var stated: String?
    public var refusals: [String]
    public var failure: String?
    public var seconds: Double?
    public var createdAt: Date

    public init(
        runId: Int64, datasetHash: String, epochs: Int?, seed: Int, status: Status, facts: String? = nil,
        pipeline: String? = nil, stated: String? = nil, refusals: [String] = [], failure: String? = nil,
        seconds: Double? = nil, createdAt: Date = Date()
    ) {
        self.runId = runId
        self.datasetHash = datasetHash
        self.epochs = epochs
        self.seed = seed
        self.status = status
        self.facts = facts
        self.pipeline = pipeline
        self.stated = stated
        self.refusals = refusals
        self.failure = failure
        self.seconds = seconds
        self.createdAt = createdAt
    }

    public mutating func didInsert(_ inserted: InsertionSuccess) {
        id = inserted.rowID
    }
}

extension ResultStore {
    /// Stores a capture in place of one of the same run, data, epochs and seed.
    public func storeCapture(_ capture: CaptureRecord) throws -> CaptureRecord {
        try write("storing a capture") { db in
            try db.execute(
                sql: "DELETE FROM capture WHERE run_id = ? AND dataset_hash = ? AND epochs IS ? AND seed = ?",
                arguments: [capture.runId, capture.datasetHash, capture.epochs, capture.seed])
            var capture = capture
            capture.id = nil
            try capture.insert(db)
            return capture
        }
    }

    /// The captures of a run, the latest last.
    public func captures(run: Int64) throws -> [CaptureRecord] {
        try read("reading the captures of a run") {
            try CaptureRecord.filter(Column("run_id") == run).order(Column("id")).fetchAll($0)
        }
    }
}
