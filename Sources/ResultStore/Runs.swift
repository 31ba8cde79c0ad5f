import Foundation
import GRDB

/// One run: a model's attempt, from the prompt to code that runs or to its end.
public struct RunRecord: StoredRecord, Hashable, Identifiable {
    public static let databaseTableName = "run"

    public enum Status: String, Sendable, Hashable, Codable, CaseIterable {
        /// Begun and not at its end: going on in some process, or broken off and to be resumed.
        case running
        /// The check run was clean and the contract kept.
        case succeeded
        case roundLimit = "round limit"
        case contextExhausted = "context exhausted"

        public var isEnd: Bool { self != .running }
    }

    public var id: Int64?
    /// `RunKey.path`, unique.
    public var path: String
    public var study: String
    public var dataset: String
    public var model: String
    public var target: String
    public var promptHash: String
    public var runIndex: Int
    public var provider: String
    /// The model's name as the endpoint knows it.
    public var endpointModel: String
    public var cohortYear: Int?
    public var reasoning: Bool?
    /// What the model's card said when the run began; nil in a run that was made before the store kept it.
    public var vendor: String?
    /// As `vendor`; nil where the card does not say, too.
    public var openWeights: Bool?
    /// A hand-written conversation: its figures say nothing about any language model.
    public var fixture: Bool
    /// SHA-256 of the prompt template, before its slots are filled.
    public var templateHash: String
    /// SHA-256 of the system's message; nil where there was none.
    public var systemHash: String?
    /// Of sampling, as it was asked for; nil where it was left to the endpoint.
    public var temperature: Double?
    /// As `temperature`.
    public var samplingSeed: Int?
    /// What a study that compares several prompts calls the one of this run; nil elsewhere.
    public var promptName: String?
    /// The path of the run whose program this one was to improve; nil for a run that began with the prompt.
    public var refines: String?
    /// Which version of that program it is, counted from 1.
    public var refinement: Int?
    public var datasetHash: String
    public var maxRounds: Int
    public var loopAfter: Int
    /// False where the code ran with `--unsafe-no-sandbox`.
    public var sandboxed: Bool
    public var status: Status
    /// Why it ended, in a sentence.
    public var endReason: String?
    public var startedAt: Date
    public var endedAt: Date?

    public init(
        key: RunKey, provider: String, endpointModel: String = "", cohortYear: Int? = nil, reasoning: Bool? = nil,
        vendor: String? = nil, openWeights: Bool? = nil, fixture: Bool = false, templateHash: String = "",
        systemHash: String? = nil, temperature: Double? = nil, samplingSeed: Int? = nil,
        promptName: String? = nil, refines: String? = nil, refinement: Int? = nil, datasetHash: String = "",
        maxRounds: Int = 20,
        loopAfter: Int = 3, sandboxed: Bool = true, status: Status = .running, startedAt: Date = Date()
    ) {
        path = key.path
        study = key.study
        dataset = key.dataset
        model = key.model
        target = key.target
        promptHash = key.promptHash
        runIndex = key.index
        self.provider = provider
        self.endpointModel = endpointModel
        self.cohortYear = cohortYear
        self.reasoning = reasoning
        self.vendor = vendor
        self.openWeights = openWeights
        self.fixture = fixture
        self.templateHash = templateHash
        self.systemHash = systemHash
        self.temperature = temperature
        self.samplingSeed = samplingSeed
        self.promptName = promptName
        self.refines = refines
        self.refinement = refinement
        self.datasetHash = datasetHash
        self.maxRounds = maxRounds
        self.loopAfter = loopAfter
        self.sandboxed = sandboxed
        self.status = status
        self.startedAt = startedAt
    }

    public var key: RunKey {
        RunKey(
            study: study, dataset: dataset, model: model, target: target, promptHash: promptHash, index: runIndex)
    }

    public mutating func didInsert(_ inserted: InsertionSuccess) {
        id = inserted.rowID
    }
}

/// The runs of a study.
extension ResultStore {
    /// Stores a new run, or returns the one that has the same path: beginning is also how a run is resumed.
    public func beginRun(_ run: RunRecord) throws -> RunRecord {
        try write("beginning run \(run.path)") { db in
            if let known = try RunRecord.filter(Column("path") == run.path).fetchOne(db) { return known }
            var run = run
            try run.insert(db)
            return try RunRecord.fetchOne(db, key: run.id) ?? run
        }
    }

    /// Ends a run, or opens it again with `running`.
    public func setStatus(_ status: RunRecord.Status, reason: String?, of run: RunRecord) throws -> RunRecord {
        try write("ending run \(run.path)") { db in
            var run = run
            run.status = status
            run.endReason = reason
            run.endedAt = status.isEnd ? Date() : nil
            try run.update(db)
            // As it is stored: dates keep milliseconds.
            return try RunRecord.fetchOne(db, key: run.id) ?? run
        }
    }

    /// Raises or lowers the round limit of a run that is resumed with another.
    public func setMaxRounds(_ maxRounds: Int, of run: RunRecord) throws -> RunRecord {
        try write("changing the round limit of run \(run.path)") { db in
            var run = run
            run.maxRounds = maxRounds
            try run.update(db)
            return run
        }
    }

    /// All runs, in the order of their paths.
    public func runs() throws -> [RunRecord] {
        try read("listing the runs") { try RunRecord.order(Column("path")).fetchAll($0) }
    }

    /// The versions that were made of a run's program, in their order.
    ///
    /// - Parameter path: of the run.
    public func runs(refining path: String) throws -> [RunRecord] {
        try read("listing the versions of run \(path)") { db in
            try RunRecord.filter(Column("refines") == path).order(Column("refinement")).fetchAll(db)
        }
    }

    /// The datasets that a study's runs were made on, by name.
    public func datasets(study: String) throws -> [String] {
        try read("listing the datasets") {
            try String.fetchAll(
                $0, sql: "SELECT DISTINCT dataset FROM run WHERE study = ? ORDER BY dataset", arguments: [study])
        }
    }

    public func run(id: Int64) throws -> RunRecord? {
        try read("reading run \(id)") { try RunRecord.fetchOne($0, key: id) }
    }

    public func run(path: String) throws -> RunRecord? {
        try read("reading run \(path)") { try RunRecord.filter(Column("path") == path).fetchOne($0) }
    }

    /// The run a command line names: its path, or its end, or whole components of it, that fit one run only.
    ///
    /// - Throws: `StoreError.noSuchRun`, `.ambiguousRun`.
    public func run(named name: String, study: String) throws -> RunRecord {
        let wanted = name.trimmingCharacters(in: CharacterSet(charactersIn: "/"))
        let all = try runs().filter { $0.study == study }
        if let exact = all.first(where: { $0.path == wanted }) { return exact }
        var fitting = all.filter { $0.path.hasSuffix("/" + wanted) }
        if fitting.isEmpty { fitting = all.filter { ("/" + $0.path + "/").contains("/" + wanted + "/") } }
        if fitting.isEmpty, !wanted.isEmpty { fitting = all.filter { $0.path.hasSuffix(wanted) } }
        guard let first = fitting.first else { throw StoreError.noSuchRun(name: name, study: study) }
        guard fitting.count == 1 else { throw StoreError.ambiguousRun(name: name, candidates: fitting.map(\.path)) }
        return first
    }
}
