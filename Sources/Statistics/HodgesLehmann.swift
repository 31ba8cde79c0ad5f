/// A shift in the unit of the values, with an interval that assumes no distribution.
public struct ShiftEstimate: Sendable, Hashable, Codable {
    /// The median of all pairwise differences, or of all Walsh averages.
    public var shift: Double
    /// `nil` where the samples are too small for any interval of the level asked for.
    public var interval: ConfidenceInterval?
    /// The confidence that the interval really has without ties; above the level asked for, because ranks are whole numbers. `nil`
    /// without an interval or where the normal approximation made it.
    public var achievedLevel: Double?
}

extension Statistics {
    /// Hodges and Lehmann's estimate (1963) of how far the first sample lies above the second: the median of all differences aᵢ − bⱼ.
    ///
    /// The interval is that of Moses (Hollander, Wolfe and Chicken 2014, section 4.3): the k-th smallest and k-th largest difference,
    /// k the greatest with P(U < k) ≤ α/2; exact with fewer than 50 values each, by the normal approximation otherwise, as R's
    /// `wilcox.test(conf.int = TRUE)` draws the line. Assumes two distributions of one shape; conservative with ties.
    ///
    /// - Throws: `StatisticsError` for an empty sample, values that are not finite, a level outside (0, 1), or more than 2·10⁷ pairs.
    /// - Complexity: O(mn log mn) time, O(mn) memory.
    public static func hodgesLehmann(
        _ a: [Double], _ b: [Double], level: Double = 0.95
    ) throws(StatisticsError) -> ShiftEstimate {
        try check(a, "a")
        try check(b, "b")
        try check(level: level)
        guard Double(a.count) * Double(b.count) <= 2e7 else {
            throw .tooLargeForExact(test: "pairwise differences", sizes: [a.count, b.count])
        }
        let differences = a.flatMap { x in b.map { x - $0 } }.sorted()
        let (m, n) = (Double(a.count), Double(b.count))
        guard max(a.count, b.count) < 50 else {
            return shift(
                sorted: differences, level, mean: m * n / 2, deviation: (m * n * (m + n + 1) / 12).squareRoot())
        }
        let distribution = try MannWhitneyDistribution(a.count, b.count)
        return shift(sorted: differences, level) { distribution.lower($0) }
    }

    /// Hodges and Lehmann's estimate of the centre of one sample: the median of its Walsh averages (xᵢ + xⱼ) / 2, i ≤ j.
    ///
    /// The interval is Tukey's (Hollander, Wolfe and Chicken 2014, section 3.3), from the signed-rank distribution; exact below 50 values,
    /// by the normal approximation otherwise. Assumes a symmetric distribution. For pairs, give their differences.
    ///
    /// - Throws: `StatisticsError` for an empty sample, values that are not finite, a level outside (0, 1), or more than 6000 values.
    /// - Complexity: O(n² log n) time, O(n²) memory.
    public static func hodgesLehmann(
        _ sample: [Double], level: Double = 0.95
    ) throws(StatisticsError) -> ShiftEstimate {
        try check(sample, "a")
        try check(level: level)
        guard sample.count <= 6000 else { throw .tooLargeForExact(test: "Walsh averages", sizes: [sample.count]) }
        let averages = sample.indices.flatMap { i in sample[i...].map { (sample[i] + $0) / 2 } }.sorted()
        let n = Double(sample.count)
        guard sample.count < 50 else {
            let deviation = (n * (n + 1) * (2 * n + 1) / 24).squareRoot()
            return shift(sorted: averages, level, mean: n * (n + 1) / 4, deviation: deviation)
        }
        let distribution = SignedRankDistribution(Array(1...sample.count))
        return shift(sorted: averages, level) { distribution.lower($0) }
    }

    /// `lower(u)` is P(statistic ≤ u).
    private static func shift(
        sorted values: [Double], _ level: Double, _ lower: (Int) -> Double
    ) -> ShiftEstimate {
        let half = (1 - level) / 2
        var k = 0
        // The allowance keeps a probability that equals α/2 from losing its interval to rounding.
        while 2 * k < values.count, lower(k) <= half * (1 + 1e-12) { k += 1 }
        var estimate = ShiftEstimate(shift: quantile(sorted: values, 0.5), interval: nil, achievedLevel: nil)
        if k > 0 {
            estimate.interval = ConfidenceInterval(lower: values[k - 1], upper: values[values.count - k], level: level)
            estimate.achievedLevel = 1 - 2 * lower(k - 1)
        }
        return estimate
    }

    /// k from the normal approximation, formula 4.28 of Hollander, Wolfe and Chicken, rounded towards the wider interval.
    private static func shift(
        sorted values: [Double], _ level: Double, mean: Double, deviation: Double
    ) -> ShiftEstimate {
        let k = Int((mean - NormalDistribution.quantile((1 + level) / 2) * deviation).rounded(.down))
        var estimate = ShiftEstimate(shift: quantile(sorted: values, 0.5), interval: nil, achievedLevel: nil)
        if k > 0 {
            estimate.interval = ConfidenceInterval(lower: values[k - 1], upper: values[values.count - k], level: level)
        }
        return estimate
    }
}
