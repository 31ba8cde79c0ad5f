import Foundation
import GRDB

/// What became of one reply.
public struct RoundRecord: StoredRecord, Hashable, Identifiable {
    public static let databaseTableName = "round"

    public enum Outcome: String, Sendable, Hashable, Codable, CaseIterable {
        /// It ran and kept the contract.
        case clean
        /// Its own exception, time-out or kill.
        case error
        case contract
        /// No files, or not those that were asked for.
        case extraction
        /// A fragment that fits no file without doubt: the whole file was asked for.
        case clarification
    }

    /// One file of a round.
    public struct File: Sendable, Hashable, Codable {
        public var name: String
        public var sha256: String
        public var bytes: Int
        /// False where it was carried over from an earlier round.
        public var changed: Bool

        public init(name: String, sha256: String, bytes: Int, changed: Bool) {
            self.name = name
            self.sha256 = sha256
            self.bytes = bytes
            self.changed = changed
        }
    }

    public var id: Int64?
    public var runId: Int64
    /// Counts from 0: the first reply.
    public var round: Int
    public var outcome: Outcome
    public var files: [File]
    public var codeLines: Int
    /// How the check run ended: "exit 1", "signal 9", "limit wallTime"; nil where there was none.
    public var termination: String?
    public var checkSeconds: Double?
    public var checkCpuSeconds: Double?
    public var checkPeakBytes: Int?
    public var finishedAt: Date

    public init(
        runId: Int64, round: Int, outcome: Outcome, files: [File], codeLines: Int, termination: String? = nil,
        checkSeconds: Double? = nil, checkCpuSeconds: Double? = nil, checkPeakBytes: Int? = nil,
        finishedAt: Date = Date()
    ) {
        self.runId = runId
        self.round = round
        self.outcome = outcome
        self.files = files
        self.codeLines = codeLines
        self.termination = termination
        self.checkSeconds = checkSeconds
        self.checkCpuSeconds = checkCpuSeconds
        self.checkPeakBytes = checkPeakBytes
        self.finishedAt = finishedAt
    }

    public mutating func didInsert(_ inserted: InsertionSuccess) {
        id = inserted.rowID
    }
}

/// The one error of a check run, or of a reply that could not be checked.
public struct ErrorRecord: StoredRecord, Hashable, Identifiable {
    public static let databaseTableName = "error"

    public var id: Int64?
    public var runId: Int64
    public var round: Int
    /// `SyntaxError`, `RuntimeError`, ..., `Timeout`, `Killed`, `ContractViolation`, `ExtractionError`.
    public var errorClass: String
    public var subcategory: String
    public var message: String
    /// The innermost place in the generated files.
    public var file: String?
    public var line: Int?
    public var function: String?
    public var signature: String
    public var sameAsPrevious: Bool

    public init(
        runId: Int64, round: Int, errorClass: String, subcategory: String, message: String, file: String? = nil,
        line: Int? = nil, function: String? = nil, signature: String, sameAsPrevious: Bool = false
    ) {
        self.runId = runId
        self.round = round
        self.errorClass = errorClass
        self.subcategory = subcategory
        self.message = message
        self.file = file
        self.line = line
        self.function = function
        self.signature = signature
        self.sameAsPrevious = sameAsPrevious
    }

    public mutating func didInsert(_ inserted: InsertionSuccess) {
        id = inserted.rowID
    }
}

/// Something that was said back to the model after a reply. One message may hold two: an error and a hint.
public struct InteractionRecord: StoredRecord, Hashable, Identifiable {
    public static let databaseTableName = "interaction"

    public enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
        /// What the program printed, verbatim.
        case error
        case contract
        case hint
        case clarification
        case timeout
        case killed
        case extraction
    }

    public var id: Int64?
    public var runId: Int64
    /// The round whose reply it answers.
    public var round: Int
    /// Order inside the message, from 0.
    public var ordinal: Int
    public var kind: Kind
    public var text: String
    /// SHA-256 of the template; nil for verbatim output.
    public var templateHash: String?

    public init(
        runId: Int64, round: Int, ordinal: Int, kind: Kind, text: String, templateHash: String? = nil
    ) {
        self.runId = runId
        self.round = round
        self.ordinal = ordinal
        self.kind = kind
        self.text = text
        self.templateHash = templateHash
    }

    public mutating func didInsert(_ inserted: InsertionSuccess) {
        id = inserted.rowID
    }
}

/// A run in the terms of the error table.
public struct ErrorSummary: Sendable, Hashable, Codable {
    public var run: RunRecord
    /// Replies, the first one included.
    public var replies: Int
    /// Times something was fed back: what `--max-rounds` counts.
    public var feedbacks: Int
    /// Errors that are exceptions, time-outs and kills, by class.
    public var errorsByClass: [String: Int]
    public var errorsBySubcategory: [String: Int]
    public var firstError: ErrorRecord?
    public var contractViolations: Int
    public var extractionErrors: Int
    public var clarifications: Int
    public var hints: Int
    public var totals: ExchangeTotals
}

extension ResultStore {
    /// Stores the end of a round in one transaction: its row, its error if it has one, and what is said back. Storing the
    /// same round again replaces it, so that a round repeated after a crash counts once.
    public func finishRound(
        _ round: RoundRecord, error: ErrorRecord?, interactions: [InteractionRecord]
    ) throws {
        try write("storing round \(round.round)") { db in
            for table in ["round", "error", "interaction"] {
                try db.execute(
                    sql: "DELETE FROM \(table) WHERE run_id = ? AND round = ?", arguments: [round.runId, round.round])
            }
            var round = round
            try round.insert(db)
            if var error { try error.insert(db) }
            for var interaction in interactions { try interaction.insert(db) }
        }
    }

    public func rounds(run: Int64) throws -> [RoundRecord] {
        try read("reading the rounds of a run") {
            try RoundRecord.filter(Column("run_id") == run).order(Column("round")).fetchAll($0)
        }
    }

    public func errors(run: Int64) throws -> [ErrorRecord] {
        try read("reading the errors of a run") {
            try ErrorRecord.filter(Column("run_id") == run).order(Column("round")).fetchAll($0)
        }
    }

    public func interactions(run: Int64) throws -> [InteractionRecord] {
        try read("reading the interactions of a run") {
            try InteractionRecord.filter(Column("run_id") == run).order(Column("round"), Column("ordinal"))
                .fetchAll($0)
        }
    }

    /// The error table's row of one run.
    public func errorSummary(of run: RunRecord) throws -> ErrorSummary {
        guard let id = run.id else { throw StoreError.noSuchRun(name: run.path, study: run.study) }
        let errors = try errors(run: id)
        let interactions = try interactions(run: id)
        let exceptions = errors.filter { !["ContractViolation", "ExtractionError"].contains($0.errorClass) }
        return ErrorSummary(
            run: run, replies: try rounds(run: id).count, feedbacks: Set(interactions.map(\.round)).count,
            errorsByClass: Dictionary(exceptions.map { ($0.errorClass, 1) }, uniquingKeysWith: +),
            errorsBySubcategory: Dictionary(exceptions.map { ($0.subcategory, 1) }, uniquingKeysWith: +),
            firstError: errors.first,
            contractViolations: errors.count { $0.errorClass == "ContractViolation" },
            extractionErrors: errors.count { $0.errorClass == "ExtractionError" },
            clarifications: interactions.count { $0.kind == .clarification },
            hints: interactions.count { $0.kind == .hint }, totals: try totals(run: id))
    }
}
