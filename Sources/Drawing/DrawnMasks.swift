import Datasets
import Metrics
import Polygons
import ResultStore

/// What was drawn of a picture, as masks on its original grid.
///
/// A draw may have several drawings: the turns of a conversation, or several looks. It *ends with* the last of them that could be read, and a
/// picture ends with the majority of its draws' ends. Both are decided here and nowhere else: scores, report, refinements, gates and audit take
/// `ends` and `outcome`.
public struct DrawnMasks: Sendable {
    /// Which drawing of a draw is meant.
    public enum Choice: Sendable, Hashable {
        /// Before any feedback or further look.
        case first
        /// What the draw ends with.
        case end
    }

    /// By draw, those that could be read, in order.
    public let draws: [(draw: Int, mask: Mask)]

    public var masks: [Mask] { draws.map(\.mask) }

    /// The drawings of one turn or look.
    ///
    /// - Parameters:
    ///   - drawings: of one picture, as the store has them; only those that were drawn count.
    ///   - turn: 0 is what was drawn before any feedback or further look.
    /// - Throws: `DrawingError.damaged`, `MetricsError`.
    public init(_ drawings: [DrawingRecord], width: Int, height: Int, turn: Int) throws {
        draws = try drawings.filter { $0.status == .drawn && $0.turn == turn }.map { drawing in
            (drawing.draw, try Self.mask(drawing, width, height))
        }
    }

    private init(draws: [(draw: Int, mask: Mask)]) {
        self.draws = draws
    }

    private static func mask(_ drawing: DrawingRecord, _ width: Int, _ height: Int) throws -> Mask {
        guard let text = drawing.shape else {
            throw DrawingError.damaged(
                what: "drawing \(drawing.draw) of \(drawing.sample)", reason: "it has no shape")
        }
        return try ShapeText(json: text).shape.mask(width: width, height: height)
    }

    /// What each draw ends with: its last turn or look that could be read.
    public static func ends(_ drawings: [DrawingRecord], width: Int, height: Int) throws -> DrawnMasks {
        let byDraw = Dictionary(grouping: drawings.filter { $0.status == .drawn }, by: \.draw)
        return DrawnMasks(
            draws: try byDraw.sorted { $0.key < $1.key }.compactMap { draw, rows in
                try rows.max { $0.turn < $1.turn }.map { (draw, try mask($0, width, height)) }
            })
    }

    /// Of each draw, the drawing of the turn whose score is highest, the earliest of equal ones; one without a score is the lowest.
    public static func kept(_ drawings: [DrawingRecord], of image: Image, by gate: GateScore) throws -> DrawnMasks {
        let byDraw = Dictionary(grouping: drawings.filter { $0.status == .drawn }, by: \.draw)
        return DrawnMasks(
            draws: try byDraw.sorted { $0.key < $1.key }.compactMap { draw, rows in
                var best: (score: Double, mask: Mask)?
                for row in rows.sorted(by: { $0.turn < $1.turn }) {
                    let mask = try mask(row, image.width, image.height)
                    let score = try gate.score(of: mask, on: image) ?? -.infinity
                    if best.map({ score > $0.score }) ?? true { best = (score, mask) }
                }
                return best.map { (draw, $0.mask) }
            })
    }

    /// The drawings of each picture of a set, by its name.
    ///
    /// - Throws: `StoreError`, `DatasetError`, and as above.
    public static func all(
        of set: DrawingSetRecord, in store: ResultStore, dataset: Dataset, part: DrawingRecord.Part = .heldOut,
        _ choice: Choice = .end
    ) throws -> [String: DrawnMasks] {
        guard let id = set.id else { return [:] }
        let rows = try store.drawings(set: id).filter { $0.part == part }
        return try Dictionary(grouping: rows, by: \.sample).mapValues { rows in
            let image = try dataset.image(rows[0].sample)
            return switch choice {
            case .first: try DrawnMasks(rows, width: image.width, height: image.height, turn: 0)
            case .end: try ends(rows, width: image.width, height: image.height)
            }
        }
    }

    /// The one mask of a picture: the majority of its draws, of a single one that itself; nil where none could be read.
    ///
    /// - Throws: `PolygonsError`.
    public var outcome: Mask? {
        get throws { try combined(.majority) }
    }

    /// One mask of all draws; nil where none could be read.
    ///
    /// - Throws: `PolygonsError`.
    public func combined(_ combination: DrawingScoreRecord.Combination) throws -> Mask? {
        guard let first = masks.first else { return nil }
        return switch combination {
        case .single, .kept, .last: first
        case .mean: try Consensus.mean(masks, atLeast: 0.5)
        case .majority: try Consensus.majority(masks)
        case .staple: try STAPLE(masks).mask
        }
    }
}
