import Foundation
import GRDB

/// One request to an endpoint. The row stands before the request leaves: what may have been paid for is never forgotten.
public struct ExchangeRecord: StoredRecord, Hashable, Identifiable {
    public static let databaseTableName = "exchange"

    public enum Status: String, Sendable, Hashable, Codable, CaseIterable {
        case sent
        case complete
        /// The harness died before the reply was whole: paid for, perhaps, and asked again.
        case lost
        /// The endpoint gave an error instead of a reply.
        case failed
    }

    public var id: Int64?
    public var runId: Int64
    /// The round whose reply this asks for.
    public var round: Int
    /// Counts the requests for this round from 0.
    public var ordinal: Int
    public var status: Status
    /// SHA-256 of the conversation as sent.
    public var requestHash: String
    public var sentAt: Date
    public var completedAt: Date?
    public var finishReason: String?
    public var inputTokens: Int?
    public var outputTokens: Int?
    public var reasoningTokens: Int?
    public var firstTokenSeconds: Double?
    public var totalSeconds: Double?
    /// How often the endpoint client sent it until a reply came.
    public var attempts: Int?
    /// US dollars by the model card's prices; nil where the card has none.
    public var cost: Double?
    /// True where tokens had to be estimated (four bytes a token).
    public var costIsEstimate: Bool
    public var warnings: [String]
    public var failure: String?

    public init(runId: Int64, round: Int, ordinal: Int, requestHash: String, sentAt: Date = Date()) {
        self.runId = runId
        self.round = round
        self.ordinal = ordinal
        status = .sent
        self.requestHash = requestHash
        self.sentAt = sentAt
        costIsEstimate = false
        warnings = []
    }

    public mutating func didInsert(_ inserted: InsertionSuccess) {
        id = inserted.rowID
    }
}

/// What a run's requests cost.
public struct ExchangeTotals: Sendable, Hashable, Codable {
    public var requests: Int
    public var lost: Int
    public var failed: Int
    public var inputTokens: Int
    public var outputTokens: Int
    public var reasoningTokens: Int
    /// Seconds spent waiting for replies.
    public var seconds: Double
    /// US dollars; nil where no price is known.
    public var cost: Double?
    public var costIsEstimate: Bool
}

extension ResultStore {
    /// Stores a request that is about to leave.
    public func insertExchange(_ exchange: ExchangeRecord) throws -> ExchangeRecord {
        try write("recording the request of round \(exchange.round)") { db in
            var exchange = exchange
            try exchange.insert(db)
            return exchange
        }
    }

    /// Completes, fails or loses a request.
    public func updateExchange(_ exchange: ExchangeRecord) throws {
        try write("completing the request of round \(exchange.round)") { try exchange.update($0) }
    }

    /// The requests of a run in the order they were sent.
    public func exchanges(run: Int64) throws -> [ExchangeRecord] {
        try read("reading the requests of a run") {
            try ExchangeRecord.filter(Column("run_id") == run).order(Column("round"), Column("ordinal")).fetchAll($0)
        }
    }

    public func totals(run: Int64) throws -> ExchangeTotals {
        let all = try exchanges(run: run)
        let costs = all.compactMap(\.cost)
        return ExchangeTotals(
            requests: all.count, lost: all.count { $0.status == .lost }, failed: all.count { $0.status == .failed },
            inputTokens: all.reduce(0) { $0 + ($1.inputTokens ?? 0) },
            outputTokens: all.reduce(0) { $0 + ($1.outputTokens ?? 0) },
            reasoningTokens: all.reduce(0) { $0 + ($1.reasoningTokens ?? 0) },
            seconds: all.reduce(0) { $0 + ($1.totalSeconds ?? 0) },
            cost: costs.isEmpty ? nil : costs.reduce(0, +), costIsEstimate: all.contains(where: \.costIsEstimate))
    }
}
