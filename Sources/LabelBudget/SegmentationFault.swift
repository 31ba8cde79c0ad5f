import Metrics

/// What is wrong with a mask: its place, its size or its shape, as parts of the Dice that is missing.
///
/// The mask is moved so that its centroid is the truth's, scaled about its centroid to the truth's area, and both. What moving gains is the
/// share of the place and what scaling gains that of the size, each the mean of doing it first and doing it second (Shapley 1953: the one
/// division that depends on no order); what is missing after both is the shape. The three add up to 1 − Dice. Neither turning nor
/// mirroring is tried.
public struct SegmentationFault: Sendable, Hashable, Codable {
    public enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
        /// Nothing was marked though there is a target, or something though there is none.
        case missing
        case place, size, shape

        public var title: String {
            switch self {
            case .missing: "nothing drawn"
            case .place: "wrong place"
            case .size: "wrong size"
            case .shape: "wrong shape"
            }
        }
    }

    public var dice: Double
    /// Distance of the centroids, in radii of a disc of the truth's area; nil where a mask is empty.
    public var locationError: Double?
    /// Area of the mask over that of the truth; nil where the truth is empty.
    public var sizeRatio: Double?
    /// Dice after moving and scaling; nil where a mask is empty.
    public var alignedDice: Double?
    /// Parts of 1 − Dice; all 0 where a mask is empty. A part is negative where the step makes it worse.
    public var placeShare: Double
    public var sizeShare: Double
    public var shapeShare: Double

    /// What is missing most.
    public var kind: Kind {
        guard alignedDice != nil else { return .missing }
        if placeShare >= sizeShare, placeShare >= shapeShare { return .place }
        return sizeShare >= shapeShare ? .size : .shape
    }

    /// - Throws: `MetricsError` for masks of different shapes.
    /// - Complexity: O(pixels).
    public init(predicted: Mask, truth: Mask) throws(MetricsError) {
        dice = try ConfusionCounts(predicted: predicted.values, truth: truth.values).dice
        (placeShare, sizeShare, shapeShare) = (0, 0, 0)
        let (area, wanted) = (Double(predicted.area), Double(truth.area))
        sizeRatio = wanted > 0 ? area / wanted : nil
        guard let from = predicted.centroid, let to = truth.centroid else { return }
        let (dx, dy) = (from.x - to.x, from.y - to.y)
        locationError = (dx * dx + dy * dy).squareRoot() / (wanted / Double.pi).squareRoot()
        let scale = (wanted / area).squareRoot()
        let moved = try Self.dice(predicted, from, to, 1, truth)
        let scaled = try Self.dice(predicted, from, from, scale, truth)
        let both = try Self.dice(predicted, from, to, scale, truth)
        alignedDice = both
        placeShare = ((moved - dice) + (both - scaled)) / 2
        sizeShare = ((scaled - dice) + (both - moved)) / 2
        shapeShare = 1 - both
    }

    /// Dice of the mask after `from` is laid on `to` and all is scaled about it; each pixel takes the nearest one's value.
    private static func dice(
        _ mask: Mask, _ from: (x: Double, y: Double), _ to: (x: Double, y: Double), _ scale: Double, _ truth: Mask
    ) throws(MetricsError) -> Double {
        var values = [UInt8](repeating: 0, count: mask.pixels)
        for y in 0..<mask.height {
            let row = (from.y + (Double(y) + 0.5 - to.y) / scale).rounded(.down)
            guard row >= 0, row < Double(mask.height) else { continue }
            for x in 0..<mask.width {
                let column = (from.x + (Double(x) + 0.5 - to.x) / scale).rounded(.down)
                guard column >= 0, column < Double(mask.width) else { continue }
                values[y * mask.width + x] = mask.values[Int(row) * mask.width + Int(column)]
            }
        }
        return try ConfusionCounts(predicted: values, truth: truth.values).dice
    }
}
