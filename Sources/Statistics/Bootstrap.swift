/// An interval with the confidence it was made for.
public struct ConfidenceInterval: Sendable, Hashable, Codable {
    public var lower: Double
    public var upper: Double
    /// 0.95 for a 95 % interval.
    public var level: Double

    public init(lower: Double, upper: Double, level: Double) {
        self.lower = lower
        self.upper = upper
        self.level = level
    }
}

extension Statistics {
    /// Percentile bootstrap interval of the mean (Efron 1979; Efron and Tibshirani 1993, chapter 13): the type-7 quantiles of the
    /// means of samples drawn with replacement. Too narrow for samples below about ten.
    ///
    /// - Parameters:
    ///   - level: Confidence in (0, 1).
    ///   - resamples: At least 1; 10 000 settle the third digit.
    ///   - seed: The same seed gives the same interval on every machine.
    /// - Returns: `nil` for an empty sample, a value that is not finite, or parameters out of range.
    /// - Complexity: O(resamples · n).
    public static func bootstrapMean(
        _ values: [Double], level: Double = 0.95, resamples: Int = 10_000, seed: UInt64
    ) -> ConfidenceInterval? {
        guard isUsable(values), level > 0, level < 1, resamples > 0 else { return nil }
        var generator = SplitMix64(seed: seed)
        let count = UInt64(values.count)
        var means: [Double] = []
        means.reserveCapacity(resamples)
        for _ in 0..<resamples {
            var sum = 0.0
            for _ in 0..<values.count { sum += values[Int(generator.next(upperBound: count))] }
            means.append(sum / Double(values.count))
        }
        means.sort()
        return ConfidenceInterval(
            lower: quantile(sorted: means, (1 - level) / 2), upper: quantile(sorted: means, (1 + level) / 2),
            level: level)
    }

    /// Percentile bootstrap interval of the mean of values that come in clusters, such as the slices of a volume: whole clusters are drawn with
    /// replacement, as many as there are, and all their values averaged (Davison and Hinkley 1997, section 3.8; Field and Welsh 2007).
    /// With one value a cluster it is `bootstrapMean`. Too narrow for fewer than about ten clusters.
    ///
    /// - Returns: `nil` without values, for an empty cluster, a value that is not finite, or parameters out of range.
    /// - Complexity: O(resamples · n).
    public static func clusterBootstrapMean(
        _ clusters: [[Double]], level: Double = 0.95, resamples: Int = 10_000, seed: UInt64
    ) -> ConfidenceInterval? {
        guard !clusters.isEmpty, clusters.allSatisfy(isUsable), level > 0, level < 1, resamples > 0 else { return nil }
        let sums = clusters.map { ($0.reduce(0, +), $0.count) }
        var generator = SplitMix64(seed: seed)
        let count = UInt64(clusters.count)
        var means: [Double] = []
        means.reserveCapacity(resamples)
        for _ in 0..<resamples {
            var (sum, values) = (0.0, 0)
            for _ in 0..<clusters.count {
                let drawn = sums[Int(generator.next(upperBound: count))]
                (sum, values) = (sum + drawn.0, values + drawn.1)
            }
            means.append(sum / Double(values))
        }
        means.sort()
        return ConfidenceInterval(
            lower: quantile(sorted: means, (1 - level) / 2), upper: quantile(sorted: means, (1 + level) / 2),
            level: level)
    }
}
