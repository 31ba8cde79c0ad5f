import Datasets
import Metrics
import Polygons
import ResultStore

/// What was drawn of a picture, as masks on its original grid.
public struct DrawnMasks: Sendable {
    /// By draw, those that could be read, in order.
    public let draws: [(draw: Int, mask: Mask)]

    public var masks: [Mask] { draws.map(\.mask) }

    /// - Parameter drawings: of one picture, as the store has them; only those that were drawn count.
    /// - Throws: `DrawingError.damaged`, `MetricsError`.
    public init(_ drawings: [DrawingRecord], width: Int, height: Int) throws {
        draws = try drawings.filter { $0.status == .drawn }.map { drawing in
            guard let text = drawing.shape else {
                throw DrawingError.damaged(
                    what: "drawing \(drawing.draw) of \(drawing.sample)", reason: "it has no shape")
            }
            return (drawing.draw, try ShapeText(json: text).shape.mask(width: width, height: height))
        }
    }

    /// The drawings of each picture of a set, by its name.
    ///
    /// - Throws: `StoreError`, `DatasetError`, and as above.
    public static func all(
        of set: DrawingSetRecord, in store: ResultStore, dataset: Dataset, part: DrawingRecord.Part = .heldOut
    ) throws -> [String: DrawnMasks] {
        guard let id = set.id else { return [:] }
        let rows = try store.drawings(set: id).filter { $0.part == part }
        return try Dictionary(grouping: rows, by: \.sample).mapValues { rows in
            let image = try dataset.image(rows[0].sample)
            return try DrawnMasks(rows, width: image.width, height: image.height)
        }
    }

    /// One mask of all draws; nil where none could be read.
    ///
    /// - Throws: `PolygonsError`.
    public func combined(_ combination: DrawingScoreRecord.Combination) throws -> Mask? {
        guard let first = masks.first else { return nil }
        return switch combination {
        case .single, .kept: first
        case .mean: try Consensus.mean(masks, atLeast: 0.5)
        case .majority: try Consensus.majority(masks)
        case .staple: try STAPLE(masks).mask
        }
    }
}
