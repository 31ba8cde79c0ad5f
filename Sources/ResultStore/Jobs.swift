import Foundation
import GRDB

/// One job of a study as people and the scheduler see it. Whether its result is there is what the stages' own records say.
public struct JobRecord: StoredRecord, Hashable, Identifiable {
    public static let databaseTableName = "job"

    public enum State: String, Sendable, Hashable, Codable, CaseIterable {
        /// Not begun, or broken off and to be resumed.
        case planned
        case running
        case done
        case failed
        /// Cannot be done: something that it needs failed, or ended with a result that leaves nothing to do.
        case skipped
        /// Not begun for a reason outside the plan: the budget, a missing key, a dataset that is not prepared.
        case held
    }

    /// Whose failure it was.
    public enum Fault: String, Sendable, Hashable, Codable, CaseIterable {
        /// The generated pipeline's: a result, not repeated unless asked for.
        case pipeline
        /// The harness's, its machine's or an endpoint's: the next call tries again.
        case harness
    }

    /// The same for the same job in every process: `train/MODEL/DATASET/TARGET/RUN/ENGINE-SEED`.
    public var id: String
    /// Place in the plan, from 0.
    public var position: Int
    public var kind: String
    /// Ids of the jobs whose results it needs.
    public var needs: [String]
    public var state: State
    public var fault: Fault?
    /// Why it failed, was skipped or held, or what came of it, in a sentence.
    public var reason: String?
    /// Which process works on it; see `Studies.ProcessIdentity`.
    public var process: String?
    public var startedAt: Date?
    public var endedAt: Date?
    /// Seconds of all attempts that this table saw end.
    public var seconds: Double?
    /// Estimates.
    public var expectedSeconds: Double?
    /// US dollars; nil where nothing is asked of an endpoint or no price is known.
    public var expectedCost: Double?

    public init(id: String, position: Int, kind: String, needs: [String] = [], state: State = .planned) {
        self.id = id
        self.position = position
        self.kind = kind
        self.needs = needs
        self.state = state
    }
}

/// The study that a store belongs to, and the process that last worked on it.
public struct StudyRecord: StoredRecord, Hashable {
    public static let databaseTableName = "study"

    public var name: String
    public var title: String
    /// The study file, as it was named.
    public var file: String
    /// SHA-256 of the file.
    public var fileHash: String
    /// US dollars.
    public var budgetMoney: Double?
    public var budgetHours: Double?
    /// Which process works on it, or last did; see `Studies.ProcessIdentity`.
    public var process: String?
    public var firstBegunAt: Date
    /// When that process began.
    public var begunAt: Date
    /// When that process last said that it was alive.
    public var seenAt: Date
    /// Seconds that earlier processes worked.
    public var earlierSeconds: Double
    /// How the last process ended; nil while it works, and where it was killed.
    public var ending: String?

    public init(name: String, title: String, file: String, fileHash: String, begunAt: Date = Date()) {
        self.name = name
        self.title = title
        self.file = file
        self.fileHash = fileHash
        firstBegunAt = begunAt
        self.begunAt = begunAt
        seenAt = begunAt
        earlierSeconds = 0
    }

    /// Seconds of work up to the last sign of life.
    public var elapsedSeconds: Double { earlierSeconds + max(0, seenAt.timeIntervalSince(begunAt)) }
}

extension ResultStore {
    /// The jobs of the last plan, in its order.
    public func jobs() throws -> [JobRecord] {
        try read("listing the jobs") { try JobRecord.order(Column("position")).fetchAll($0) }
    }

    /// Stores a plan in place of an earlier one.
    public func storeJobs(_ jobs: [JobRecord]) throws {
        try write("storing the plan") { db in
            try JobRecord.deleteAll(db)
            for var job in jobs { try job.insert(db) }
        }
    }

    /// Stores jobs that changed. A job that is not in the plan is not added.
    public func updateJobs(_ jobs: [JobRecord]) throws {
        guard !jobs.isEmpty else { return }
        try write("updating jobs") { db in
            for job in jobs { try job.update(db) }
        }
    }

    /// The study of this store; nil before the first `study run`.
    public func study() throws -> StudyRecord? {
        try read("reading the study") { try StudyRecord.fetchOne($0) }
    }

    /// Stores the study in place of what was there.
    public func storeStudy(_ study: StudyRecord) throws {
        try write("storing the study") { db in
            try StudyRecord.deleteAll(db)
            var study = study
            try study.insert(db)
        }
    }

    /// US dollars that all requests cost, as far as prices are known.
    public func moneySpent() throws -> Double {
        try read("adding up the cost") { db in
            try Double.fetchOne(db, sql: "SELECT TOTAL(cost) FROM exchange") ?? 0
        }
    }
}
