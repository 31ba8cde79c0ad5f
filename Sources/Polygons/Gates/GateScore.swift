import Datasets
import Foundation
import Metrics

/// A score of a drawing that needs no truth: what a gate decides by. Higher is meant to be better; `GateTrust` measures whether it
/// is.
public enum GateScore: Sendable, Hashable, Codable {
    /// Mean pairwise IoU of several drawings of the picture.
    case selfConsistency
    /// How much darker the region is than the rest, of 255: −1 to 1. For targets that are dark by nature, such as lesions.
    case regionDarkness
    /// The fraction of the region's pixels whose grey value lies in the range that the tissue has.
    case tissueWindow(ClosedRange<UInt8>)
    /// The difference of the mean grey values just inside and just outside the boundary over their pooled standard deviation.
    case boundaryContrast(ring: Double)

    /// The name that tables use.
    public var name: String {
        switch self {
        case .selfConsistency: "self-consistency"
        case .regionDarkness: "region darkness"
        case .tissueWindow: "tissue window"
        case .boundaryContrast: "boundary contrast"
        }
    }

    /// The score; `nil` where there is nothing to go by: an empty or full mask, or a single drawing for self-consistency.
    ///
    /// - Parameters:
    ///   - mask: the drawing, or the consensus of the draws.
    ///   - draws: all drawings of the picture.
    /// - Throws: `PolygonsError.sizes`.
    public func score(of mask: Mask, draws: [Mask] = [], on image: Image) throws(PolygonsError) -> Double? {
        guard mask.width == image.width, mask.height == image.height else { throw .sizes("a mask and its picture") }
        if self == .selfConsistency { return draws.isEmpty ? nil : try Consensus.selfConsistency(draws) }
        let (grey, values) = (image.grey().bytes, mask.values)
        switch self {
        case .selfConsistency: return nil
        case .regionDarkness:
            guard case (let inside?, let outside?) = GreyStatistics.means(grey, values) else { return nil }
            return (outside - inside) / 255
        case .tissueWindow(let range):
            let area = mask.area
            guard area > 0 else { return nil }
            let fitting = grey.indices.count { values[$0] == 1 && range.contains(grey[$0]) }
            return Double(fitting) / Double(area)
        case .boundaryContrast(let ring):
            let distance = mask.signedDistance()
            return Self.contrast(
                grey.indices.filter { distance[$0] < 0 && distance[$0] >= -ring }.map { Double(grey[$0]) },
                grey.indices.filter { distance[$0] > 0 && distance[$0] <= ring }.map { Double(grey[$0]) })
        }
    }

    /// |difference of means| over the pooled standard deviation (at least one grey value).
    private static func contrast(_ inside: [Double], _ outside: [Double]) -> Double? {
        guard !inside.isEmpty, !outside.isEmpty else { return nil }
        func moments(_ values: [Double]) -> (mean: Double, squares: Double) {
            let mean = values.reduce(0, +) / Double(values.count)
            return (mean, values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) })
        }
        let (a, b) = (moments(inside), moments(outside))
        let deviation = ((a.squares + b.squares) / Double(inside.count + outside.count)).squareRoot()
        return abs(a.mean - b.mean) / max(deviation, 1)
    }
}
