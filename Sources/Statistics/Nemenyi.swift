/// Nemenyi's comparison of all pairs of treatments after Friedman's test (1963), as Demšar (2006) uses it.
public struct NemenyiComparison: Sendable, Hashable, Codable {
    /// Mean rank of each treatment over the blocks; rank 1 is the smallest value.
    public var meanRanks: [Double]
    /// Mean ranks further apart than this differ at `level`.
    public var criticalDifference: Double
    /// The significance level of the critical difference: 0.05, say.
    public var significance: Double
    /// P of each pair, by treatment and treatment; 1 on the diagonal. They hold for all pairs together: the studentised range has the
    /// correction in it.
    public var p: [[Double]]
    public var blocks: Int

    /// The largest sets of treatments, by index in the order of their mean ranks, that the critical difference does not part: the
    /// bars of a critical-difference diagram. A set within another is left out, and so is one treatment alone.
    public var groups: [[Int]] {
        let order = meanRanks.indices.sorted { meanRanks[$0] < meanRanks[$1] }
        var groups: [[Int]] = []
        var furthest = 0
        for start in order.indices {
            let end = order.lastIndex { meanRanks[$0] - meanRanks[order[start]] <= criticalDifference } ?? start
            if end > start, end > furthest || groups.isEmpty { groups.append(Array(order[start...end])) }
            furthest = max(furthest, end)
        }
        return groups
    }
}

extension Statistics {
    /// Nemenyi's comparison: mean ranks differ at level α where they lie further apart than q_α √(k (k + 1) / (6 n)), with
    /// q_α the studentised range's quantile for k groups and ∞ degrees of freedom, over √2 (Demšar 2006, section 3.2.2). No
    /// correction for ties, which makes it conservative where they are many.
    ///
    /// - Parameter blocks: One list a block, with the value of each treatment in the same order.
    /// - Throws: As `friedman`, but two treatments are enough; `StatisticsError.parameter` for a significance outside (0, 1).
    /// - Complexity: O(n k log k), and O(k²) evaluations of the studentised range.
    public static func nemenyi(
        _ blocks: [[Double]], significance: Double = 0.05
    ) throws(StatisticsError) -> NemenyiComparison {
        let means = try meanRanks(blocks)
        let k = means.count
        let unit = (Double(k * (k + 1)) / (6 * Double(blocks.count))).squareRoot()
        let quantile = try StudentizedRange.quantile(upper: significance, groups: k)
        var p = [[Double]](repeating: [Double](repeating: 1, count: k), count: k)
        for first in 0..<k {
            for second in (first + 1)..<max(k, first + 1) {
                let range = abs(means[first] - means[second]) / unit * 2.0.squareRoot()
                p[first][second] = try StudentizedRange.survival(range, groups: k)
                p[second][first] = p[first][second]
            }
        }
        return NemenyiComparison(
            meanRanks: means, criticalDifference: quantile / 2.0.squareRoot() * unit, significance: significance, p: p,
            blocks: blocks.count)
    }
}
