/// Everything that is reported of one predicted mask.
///
/// ```swift
/// let scores = try SegmentationScores(predicted: predicted, truth: truth)
/// scores.dice
/// scores.hausdorff95    // pixels
/// ```
///
/// What each is when a mask is empty: see `ConfusionCounts` for the overlaps and `SurfaceDistances` for the distances. In short:
/// both empty is perfect agreement, one empty is the worst that the frame allows.
public struct SegmentationScores: Sendable, Hashable, Codable {
    /// Overlap, in [0, 1]; 1 is best.
    public var dice: Double
    public var iou: Double
    public var precision: Double
    /// Sensitivity.
    public var recall: Double
    public var specificity: Double
    /// The larger of the two directions' 95th percentiles, in `unit`; 0 is best.
    public var hausdorff95: Double
    /// Average symmetric surface distance, in `unit`.
    public var averageSurfaceDistance: Double
    /// In [0, 1]; at `boundaryTolerance`.
    public var boundaryF1: Double
    /// In `unit`.
    public var boundaryTolerance: Double
    public var unit: PixelSpacing.Unit
    /// Whether distances are measured (`neither`) or set by rule.
    public var emptiness: SurfaceDistances.Emptiness

    /// - Parameter boundaryTolerance: in the unit of the spacing.
    /// - Throws: `MetricsError` for masks of different shapes, or a tolerance that is negative or no number.
    /// - Complexity: O(pixels).
    public init(
        predicted: Mask, truth: Mask, spacing: PixelSpacing = .pixels, boundaryTolerance: Double = 2
    ) throws(MetricsError) {
        let distances = try SurfaceDistances(predicted: predicted, truth: truth, spacing: spacing)
        let counts = try ConfusionCounts(predicted: predicted.values, truth: truth.values)
        (dice, iou) = (counts.dice, counts.iou)
        (precision, recall, specificity) = (counts.precision, counts.recall, counts.specificity)
        hausdorff95 = distances.hausdorff95
        averageSurfaceDistance = distances.averageSymmetric
        boundaryF1 = try distances.boundaryF1(tolerance: boundaryTolerance)
        self.boundaryTolerance = boundaryTolerance
        unit = spacing.unit
        emptiness = distances.emptiness
    }
}
