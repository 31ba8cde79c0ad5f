import Foundation
import GRDB

/// One drawing of one picture. For a model, the row stands before the request leaves: what may have been paid for is never forgotten.
public struct DrawingRecord: StoredRecord, Hashable, Identifiable {
    public static let databaseTableName = "drawing"

    public enum Part: String, Sendable, Hashable, Codable, CaseIterable {
        /// Labels may be learnt from; never scored.
        case training
        case heldOut = "held_out"
    }

    public enum Status: String, Sendable, Hashable, Codable, CaseIterable {
        /// The request is on its way, or its process died.
        case asked
        /// Answered, and read.
        case drawn
        /// Answered, and not readable: a failed draw, which is counted and never asked again.
        case failed
        /// The harness died before the reply was whole: paid for, perhaps, and asked again.
        case lost
        /// The endpoint gave an error instead of a reply: asked again.
        case refused

        /// Whether the draw has its result.
        public var isSettled: Bool { self == .drawn || self == .failed }
    }

    public var id: Int64?
    public var setId: Int64
    public var part: Part
    public var sample: String
    /// Counts the draws of a picture from 0.
    public var draw: Int
    /// Counts the drawings of one conversation from 0: a redraw after feedback is turn 1.
    public var turn: Int
    /// Counts the requests for this drawing from 0.
    public var ordinal: Int
    public var status: Status
    /// SHA-256 of the conversation as sent, pictures by their pixels; nil for what is not asked.
    public var requestHash: String?
    public var askedAt: Date
    public var completedAt: Date?
    public var finishReason: String?
    public var inputTokens: Int?
    public var outputTokens: Int?
    public var reasoningTokens: Int?
    public var firstTokenSeconds: Double?
    /// Until the reply was whole, or of the drawing where nobody was asked.
    public var seconds: Double?
    public var attempts: Int?
    /// US dollars by the card's prices; nil where the card has none.
    public var cost: Double?
    public var costIsEstimate: Bool
    public var warnings: [String]
    /// What the numbers of the answer meant.
    public var convention: String?
    /// Where in the answer the shape stood.
    public var dress: String?
    /// What was mended, in the order in which it was.
    public var repairs: [String]
    /// Why there is no shape.
    public var failure: String?
    /// The shape in pixels of the original picture, as JSON; nil where there is none.
    public var shape: String?
    /// The chain of skills that a router chose, and why.
    public var route: String?

    public init(
        setId: Int64, part: Part, sample: String, draw: Int, turn: Int = 0, ordinal: Int = 0, status: Status = .asked,
        requestHash: String? = nil, askedAt: Date = Date()
    ) {
        self.setId = setId
        self.part = part
        self.sample = sample
        self.draw = draw
        self.turn = turn
        self.ordinal = ordinal
        self.status = status
        self.requestHash = requestHash
        self.askedAt = askedAt
        costIsEstimate = false
        warnings = []
        repairs = []
    }

    public mutating func didInsert(_ inserted: InsertionSuccess) {
        id = inserted.rowID
    }
}

/// How well a drawing, or the consensus of several, fits the truth of a held-out picture on its original grid.
public struct DrawingScoreRecord: StoredRecord, Hashable {
    public static let databaseTableName = "drawing_score"

    public enum Combination: String, Sendable, Hashable, Codable, CaseIterable {
        /// One draw by itself.
        case single
        /// Of all draws of the picture that could be read.
        case mean, majority, staple
        /// The drawing of a feedback loop, or of several looks, that the gate kept.
        case kept
        /// The last of them that could be read.
        case last
    }

    public var setId: Int64
    public var sample: String
    public var combination: Combination
    /// Of a single draw; 0 for a consensus.
    public var draw: Int
    /// Names the refinement that the mask went through; empty for none.
    public var refinement: String
    /// How many draws the mask is made of.
    public var draws: Int
    public var dice: Double
    public var iou: Double
    public var precision: Double
    public var recall: Double
    public var specificity: Double
    /// In `unit`, as the other distance.
    public var hausdorff95: Double
    public var averageSurfaceDistance: Double
    public var boundaryF1: Double
    public var unit: String
    /// Whether distances are measured (`neither`) or set by rule.
    public var emptiness: String
    /// Mean pairwise IoU of the draws; nil for fewer than two.
    public var selfConsistency: Double?

    public init(
        setId: Int64, sample: String, combination: Combination, draw: Int = 0, refinement: String = "", draws: Int,
        dice: Double, iou: Double, precision: Double, recall: Double, specificity: Double, hausdorff95: Double,
        averageSurfaceDistance: Double, boundaryF1: Double, unit: String, emptiness: String,
        selfConsistency: Double? = nil
    ) {
        self.setId = setId
        self.sample = sample
        self.combination = combination
        self.draw = draw
        self.refinement = refinement
        self.draws = draws
        self.dice = dice
        self.iou = iou
        self.precision = precision
        self.recall = recall
        self.specificity = specificity
        self.hausdorff95 = hausdorff95
        self.averageSurfaceDistance = averageSurfaceDistance
        self.boundaryF1 = boundaryF1
        self.unit = unit
        self.emptiness = emptiness
        self.selfConsistency = selfConsistency
    }
}

/// What the drawings of a set cost.
public struct DrawingTotals: Sendable, Hashable, Codable {
    public var requests: Int
    public var drawn: Int
    public var failed: Int
    public var lost: Int
    public var refused: Int
    public var inputTokens: Int
    public var outputTokens: Int
    public var reasoningTokens: Int
    /// Seconds of waiting or drawing.
    public var seconds: Double
    /// US dollars; nil where no price is known.
    public var cost: Double?
    public var costIsEstimate: Bool

    public init(_ all: [DrawingRecord]) {
        func count(_ status: DrawingRecord.Status) -> Int { all.count { $0.status == status } }
        requests = all.count
        (drawn, failed, lost, refused) = (count(.drawn), count(.failed), count(.lost), count(.refused))
        inputTokens = all.reduce(0) { $0 + ($1.inputTokens ?? 0) }
        outputTokens = all.reduce(0) { $0 + ($1.outputTokens ?? 0) }
        reasoningTokens = all.reduce(0) { $0 + ($1.reasoningTokens ?? 0) }
        seconds = all.reduce(0) { $0 + ($1.seconds ?? 0) }
        let costs = all.compactMap(\.cost)
        cost = costs.isEmpty ? nil : costs.reduce(0, +)
        costIsEstimate = all.contains(where: \.costIsEstimate)
    }
}

extension ResultStore {
    /// Stores a drawing: one that is about to be asked for, or one that was made without asking.
    public func insertDrawing(_ drawing: DrawingRecord) throws -> DrawingRecord {
        try write("recording drawing \(drawing.draw) of \(drawing.sample)") { db in
            var drawing = drawing
            try drawing.insert(db)
            return drawing
        }
    }

    /// Completes, fails or loses a drawing.
    public func updateDrawing(_ drawing: DrawingRecord) throws {
        try write("completing drawing \(drawing.draw) of \(drawing.sample)") { try drawing.update($0) }
    }

    /// The drawings of a set by picture, draw, turn and request.
    public func drawings(set: Int64) throws -> [DrawingRecord] {
        try read("reading the drawings of a set") {
            try DrawingRecord.filter(Column("set_id") == set)
                .order(Column("sample"), Column("draw"), Column("turn"), Column("ordinal")).fetchAll($0)
        }
    }

    /// The requests for one drawing, in the order in which they were sent.
    public func drawings(set: Int64, sample: String, draw: Int, turn: Int = 0) throws -> [DrawingRecord] {
        try read("reading drawing \(draw) of \(sample)") {
            try DrawingRecord.filter(
                Column("set_id") == set && Column("sample") == sample && Column("draw") == draw
                    && Column("turn") == turn
            ).order(Column("ordinal")).fetchAll($0)
        }
    }

    /// Stores the scores of one picture under one refinement in place of earlier ones.
    public func storeDrawingScores(
        _ scores: [DrawingScoreRecord], set: Int64, sample: String, refinement: String
    ) throws {
        try write("storing the scores of \(sample)") { db in
            try DrawingScoreRecord.filter(
                Column("set_id") == set && Column("sample") == sample && Column("refinement") == refinement
            ).deleteAll(db)
            for var score in scores { try score.insert(db) }
        }
    }

    /// The scores of a set by picture, combination, draw and refinement.
    public func drawingScores(set: Int64) throws -> [DrawingScoreRecord] {
        try read("reading the scores of a set of drawings") {
            try DrawingScoreRecord.filter(Column("set_id") == set)
                .order(Column("sample"), Column("combination"), Column("draw"), Column("refinement")).fetchAll($0)
        }
    }
}
