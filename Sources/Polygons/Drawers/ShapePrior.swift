import Metrics

/// How large the target is on average, relative to the picture: all that the blind drawers know.
public struct ShapePrior: Sendable, Hashable, Codable {
    /// Mean width and height of the window around the foreground, as fractions of the picture's sides.
    public let width: Double
    public let height: Double
    /// Mean fraction of pixels that are foreground.
    public let area: Double
    /// How many masks it was learnt from.
    public let labels: Int

    /// Means over the masks that have foreground.
    ///
    /// - Throws: `PolygonsError.noLabels` when none has.
    public init(of masks: [Mask]) throws(PolygonsError) {
        var (width, height, area, count) = (0.0, 0.0, 0.0, 0)
        for mask in masks {
            guard let bounds = mask.bounds else { continue }
            width += Double(bounds.columns.count) / Double(mask.width)
            height += Double(bounds.rows.count) / Double(mask.height)
            area += Double(mask.area) / Double(mask.pixels)
            count += 1
        }
        guard count > 0 else { throw .noLabels }
        (self.width, self.height, self.area) = (width / Double(count), height / Double(count), area / Double(count))
        labels = count
    }
}
