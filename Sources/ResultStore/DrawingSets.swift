import Foundation
import GRDB

/// Everything that one drawer drew of one dataset when asked in one way.
public struct DrawingSetRecord: StoredRecord, Hashable, Identifiable {
    public static let databaseTableName = "drawing_set"

    public enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
        /// A model that was shown the pictures.
        case model
        /// Drawn without a model and without the truth of the picture.
        case control
        /// Drawn from the truth: what no drawer of so many vertices can exceed.
        case ceiling
    }

    public var id: Int64?
    /// `<study>/<dataset>/<drawer>/<shape>/<hash>`: how a set is named on the command line, and its folder below `generated/`.
    public var path: String
    public var study: String
    public var dataset: String
    public var datasetHash: String
    /// The id of a model's card, or a control's name.
    public var drawer: String
    public var kind: Kind
    /// `polygon`, `box` or `point`.
    public var shape: String
    /// SHA-256 of the prompt as sent; nil for what is not asked.
    public var promptHash: String?
    /// SHA-256 of the templates it was made from.
    public var templateHash: String?
    /// Pixels a side of the square picture that was sent.
    public var imageSize: Int?
    /// Whether a grid with its coordinates was drawn on the picture.
    public var grid: Bool
    /// The convention of coordinates that the prompt asks for.
    public var convention: String?
    /// The chain of skills that pictures went through; nil for none.
    public var skill: String?
    public var temperature: Double?
    /// Of the first draw; each further one takes the next number.
    public var samplingSeed: Int?
    /// Draws of each picture, the largest number that was asked for so far.
    public var draws: Int
    public var provider: String?
    public var endpointModel: String?
    /// What the card said when the set was begun.
    public var vendor: String?
    public var cohortYear: Int?
    public var reasoning: Bool?
    public var openWeights: Bool?
    /// Made for this project: figures from it say nothing about any model.
    public var fixture: Bool
    public var startedAt: Date
    /// When all of it was drawn and scored for the last time.
    public var endedAt: Date?

    public init(
        path: String, study: String, dataset: String, datasetHash: String, drawer: String, kind: Kind, shape: String,
        draws: Int, fixture: Bool = false, startedAt: Date = Date()
    ) {
        self.path = path
        self.study = study
        self.dataset = dataset
        self.datasetHash = datasetHash
        self.drawer = drawer
        self.kind = kind
        self.shape = shape
        self.draws = draws
        self.fixture = fixture
        self.startedAt = startedAt
        grid = false
    }

    public mutating func didInsert(_ inserted: InsertionSuccess) {
        id = inserted.rowID
    }
}

extension ResultStore {
    /// Stores a new set, or returns the one of the same path with as many draws as either asks for: beginning is also how it is resumed.
    public func beginDrawingSet(_ set: DrawingSetRecord) throws -> DrawingSetRecord {
        try write("beginning the drawings \(set.path)") { db in
            if var known = try DrawingSetRecord.filter(Column("path") == set.path).fetchOne(db) {
                known.draws = max(known.draws, set.draws)
                try known.update(db)
                return known
            }
            var set = set
            try set.insert(db)
            return set
        }
    }

    public func updateDrawingSet(_ set: DrawingSetRecord) throws {
        try write("updating the drawings \(set.path)") { try set.update($0) }
    }

    /// All sets in the order of their paths.
    public func drawingSets() throws -> [DrawingSetRecord] {
        try read("reading the sets of drawings") { try DrawingSetRecord.order(Column("path")).fetchAll($0) }
    }
}
