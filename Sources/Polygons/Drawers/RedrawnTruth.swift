import Metrics

/// The ground truth drawn again with few vertices: the ceiling of every drawer that is given as many.
public struct RedrawnTruth: Sendable, Hashable {
    /// The counts that the study reports.
    public static let counts = [10, 15, 30, 60]

    /// Vertices of all outlines and holes together.
    public let vertices: Int

    public init(vertices: Int) {
        self.vertices = max(3, vertices)
    }

    /// The outlines with exactly that many vertices where the mask's own have as many or more; with fewer where a small component went as
    /// a whole, and with its own where there are not so many.
    public func rings(of truth: Mask) -> [[Point]] {
        PolygonSimplification.visvalingam(ContourTracing.rings(of: truth), vertices: vertices)
    }

    /// The mask that a perfect drawer with so many vertices would give.
    ///
    /// - Throws: `PolygonsError`.
    public func draw(_ truth: Mask) throws(PolygonsError) -> Mask {
        var canvas = RasterCanvas(width: truth.width, height: truth.height)
        canvas.fill(rings(of: truth))
        return try Mask.of(truth, canvas.values)
    }
}
