/// How far the surfaces of two masks lie apart.
///
/// ```swift
/// let distances = try SurfaceDistances(predicted: predicted, truth: truth, spacing: .pixels)
/// distances.hausdorff95             // as MONAI's
/// distances.averageSymmetric        // ASSD
/// try distances.boundaryF1(tolerance: 2)
/// ```
///
/// Every surface pixel of one mask (`MaskSurface`) has its Euclidean distance to the nearest surface pixel of the other. Definitions
/// follow Maier-Hein et al. 2024 (*Metrics reloaded*).
///
/// **Empty masks.** Both empty: they agree, every distance is 0 and every score 1. One empty: there is no distance; each is
/// given as the diagonal of the frame, which no distance exceeds (the penalty of the BraTS challenges, 373.13 mm in theirs),
/// and every score is 0. `emptiness` tells such a case from a measured one.
public struct SurfaceDistances: Sendable, Hashable {
    /// Which of the masks have no foreground.
    public enum Emptiness: String, Sendable, Hashable, Codable {
        case neither, prediction, truth, both
    }

    /// How the two directions make one percentile.
    public enum Pooling: Sendable, Hashable {
        /// The larger of the two directions' percentiles, as MONAI and *Metrics reloaded*.
        case maximumOfDirections
        /// The percentile of all distances together, as MedPy.
        case together
    }

    /// Of each surface pixel of the prediction, in rows from the top.
    public let toTruth: [Double]
    /// Of each surface pixel of the truth.
    public let toPrediction: [Double]
    public let emptiness: Emptiness
    /// In the unit of the spacing.
    public let diagonal: Double

    /// - Throws: `MetricsError.frames` for masks of different shapes.
    /// - Complexity: O(pixels of the window around both masks).
    public init(predicted: Mask, truth: Mask, spacing: PixelSpacing = .pixels) throws(MetricsError) {
        try predicted.check(sameShapeAs: truth)
        let (a, b) = (MaskSurface(of: predicted), MaskSurface(of: truth))
        diagonal = spacing.diagonal(width: predicted.width, height: predicted.height)
        guard let boxA = a.bounds, let boxB = b.bounds else {
            (toTruth, toPrediction) = ([], [])
            emptiness = a.count == 0 ? (b.count == 0 ? .both : .prediction) : .truth
            return
        }
        emptiness = .neither
        toTruth = Self.distances(from: a, boxA, to: b, boxB, spacing)
        toPrediction = Self.distances(from: b, boxB, to: a, boxA, spacing)
    }

    /// Mean of the distances of one direction; the penalty or 0 where a mask is empty.
    public var averageToTruth: Double { average(toTruth) }
    public var averageToPrediction: Double { average(toPrediction) }

    /// Average symmetric surface distance (ASSD): the mean of all distances of both directions, as MedPy's `assd` and MONAI's
    /// `compute_average_surface_distance(symmetric=True)`.
    public var averageSymmetric: Double {
        guard emptiness == .neither else { return defaultDistance }
        return (toTruth.reduce(0, +) + toPrediction.reduce(0, +)) / Double(toTruth.count + toPrediction.count)
    }

    /// Mean average surface distance (MASD): the mean of the two directions' means.
    public var averageOfDirections: Double { (averageToTruth + averageToPrediction) / 2 }

    /// The Hausdorff distance: the largest of all distances.
    public var hausdorff: Double {
        guard emptiness == .neither else { return defaultDistance }
        return max(toTruth.max() ?? 0, toPrediction.max() ?? 0)
    }

    /// The 95th percentile of the Hausdorff distance, the larger of the two directions.
    public var hausdorff95: Double { hausdorff(fraction: 0.95) }

    /// A percentile of the Hausdorff distance (Huttenlocher, Klanderman and Rucklidge 1993), by linear interpolation between
    /// ranks as NumPy.
    ///
    /// - Parameter fraction: in 0...1, clamped.
    public func hausdorff(fraction: Double, pooling: Pooling = .maximumOfDirections) -> Double {
        guard emptiness == .neither else { return defaultDistance }
        let fraction = min(max(fraction, 0), 1)
        switch pooling {
        case .maximumOfDirections:
            var (a, b) = (toTruth, toPrediction)
            return max(OrderStatistic.quantile(&a, fraction), OrderStatistic.quantile(&b, fraction))
        case .together:
            var all = toTruth + toPrediction
            return OrderStatistic.quantile(&all, fraction)
        }
    }

    /// Boundary F1 (Csurka, Larlus and Perronnin 2013): the harmonic mean of the fraction of the predicted surface that has the
    /// true one within the tolerance, and of the fraction of the true surface that has the predicted one; 0 when both are 0.
    ///
    /// - Parameter tolerance: in the unit of the spacing; a distance equal to it is within.
    /// - Throws: `MetricsError.tolerance` when it is negative or no finite number.
    public func boundaryF1(tolerance: Double) throws(MetricsError) -> Double {
        let (a, b) = try within(tolerance)
        guard emptiness == .neither else { return defaultScore }
        let (precision, recall) = (Double(a) / Double(toTruth.count), Double(b) / Double(toPrediction.count))
        return precision + recall == 0 ? 0 : 2 * precision * recall / (precision + recall)
    }

    /// Normalized surface Dice (Nikolov et al. 2021): the fraction of both surfaces together that has the other one within the
    /// tolerance, each surface pixel counting the same, as MONAI's `compute_surface_dice`.
    ///
    /// - Throws: `MetricsError.tolerance` when it is negative or no finite number.
    public func surfaceDice(tolerance: Double) throws(MetricsError) -> Double {
        let (a, b) = try within(tolerance)
        guard emptiness == .neither else { return defaultScore }
        return Double(a + b) / Double(toTruth.count + toPrediction.count)
    }

    private var defaultDistance: Double { emptiness == .both ? 0 : diagonal }
    private var defaultScore: Double { emptiness == .both ? 1 : 0 }

    private func average(_ distances: [Double]) -> Double {
        emptiness == .neither ? distances.reduce(0, +) / Double(distances.count) : defaultDistance
    }

    private func within(_ tolerance: Double) throws(MetricsError) -> (Int, Int) {
        guard tolerance >= 0, tolerance.isFinite else { throw .tolerance(tolerance) }
        return (toTruth.count { $0 <= tolerance }, toPrediction.count { $0 <= tolerance })
    }

    /// Distances of the surface pixels of `a` to the surface `b`, within the window that holds both: no nearest pixel lies
    /// outside it.
    private static func distances(
        from a: MaskSurface, _ boxA: (columns: Range<Int>, rows: Range<Int>), to b: MaskSurface,
        _ boxB: (columns: Range<Int>, rows: Range<Int>), _ spacing: PixelSpacing
    ) -> [Double] {
        func hull(_ a: Range<Int>, _ b: Range<Int>) -> Range<Int> {
            min(a.lowerBound, b.lowerBound)..<max(a.upperBound, b.upperBound)
        }
        let (columns, rows) = (hull(boxA.columns, boxB.columns), hull(boxA.rows, boxB.rows))
        let counts = ColumnDistances(b.values, stride: b.width, columns: columns, rows: rows)
        var rowSearch = RowSearch(counts, spacing: spacing)
        var result: [Double] = []
        result.reserveCapacity(a.count)
        for (row, y) in boxA.rows.enumerated() {
            rowSearch.append(
                to: &result, a.columns[a.rowStarts[row]..<a.rowStarts[row + 1]], from: columns.lowerBound,
                row: y - rows.lowerBound)
        }
        for index in result.indices { result[index] = result[index].squareRoot() }
        return result
    }
}
