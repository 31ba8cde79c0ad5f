import Metrics

/// What the neighbouring slices of a volume say about where the target is: the second of two passes looks there.
///
/// The path of centroids is smoothed by the median over a slice's neighbours (Tukey 1977), without the slice itself, so that one wrong
/// drawing neither bends the path nor vouches for itself.
public struct CrossSlicePrior: Sendable, Hashable {
    /// Where the target is expected, in pixels.
    public let centroid: Point
    /// The pixels that most of the neighbours' drawings have.
    public let siblings: Mask
    /// The window to look into, in pixels.
    public let window: Box
    /// How far the slice's own drawing lies from the path, in radii of the neighbours' mean area; `nil` where nothing was drawn.
    public let deviation: Double?

    /// The priors of all slices, `nil` for a slice whose neighbours have no drawing.
    ///
    /// - Parameters:
    ///   - drawings: of a first pass, slice by slice, empty where nothing was found.
    ///   - reach: how many slices count on each side.
    ///   - factor: how many times as large as the box around the neighbours' drawings the window is.
    /// - Throws: `PolygonsError` when slices differ in size.
    public static func priors(
        of drawings: [Mask], reach: Int = 2, factor: Double = 1.5
    ) throws(PolygonsError) -> [CrossSlicePrior?] {
        guard !drawings.isEmpty else { return [] }
        _ = try Consensus.check(drawings)
        var priors: [CrossSlicePrior?] = []
        for slice in drawings.indices {
            let neighbours = (max(0, slice - reach)...min(drawings.count - 1, slice + reach))
                .filter { $0 != slice }.map { drawings[$0] }.filter { !$0.isEmpty }
            priors.append(try CrossSlicePrior(drawings[slice], neighbours, factor))
        }
        return priors
    }

    private init?(_ own: Mask, _ neighbours: [Mask], _ factor: Double) throws(PolygonsError) {
        let centroids = neighbours.compactMap(\.centroid)
        guard !centroids.isEmpty else { return nil }
        let middle = Point(Self.median(centroids.map(\.x)), Self.median(centroids.map(\.y)))
        centroid = middle
        siblings = try Consensus.majority(neighbours)
        let area = neighbours.reduce(0.0) { $0 + Double($1.area) } / Double(neighbours.count)
        let radius = (area / Double.pi).squareRoot()
        deviation = own.centroid.map { place in
            ((place.x - middle.x) * (place.x - middle.x) + (place.y - middle.y) * (place.y - middle.y)).squareRoot()
                / radius
        }
        let widths = neighbours.compactMap { $0.bounds.map { Double($0.columns.count) } }
        let heights = neighbours.compactMap { $0.bounds.map { Double($0.rows.count) } }
        let (width, height) = (Self.median(widths), Self.median(heights))
        window = Windows.enlarged(
            Box(
                left: middle.x - width / 2, top: middle.y - height / 2, right: middle.x + width / 2,
                bottom: middle.y + height / 2), factor, least: 16, width: own.width, height: own.height)
    }

    private static func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }
}
