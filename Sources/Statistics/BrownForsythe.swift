extension Statistics {
    /// Brown and Forsythe's test of equal spread (1974): the analysis of variance of |x − median of its group|, against F with
    /// k − 1 and N − k degrees of freedom; as scipy's `levene(center="median")`. Robust to skewed values; conservative for groups of
    /// fewer than ten.
    ///
    /// The effect is η², the groups' share of the sum of squares of those deviations, with a BCa bootstrap of each group in itself.
    ///
    /// - Throws: `StatisticsError` for fewer than two groups, one of fewer than two values, values that are not finite, or
    ///   deviations that do not vary within any group.
    /// - Complexity: O(N log N), and the interval resamples times that.
    public static func brownForsythe(
        _ groups: [[Double]], level: Double = 0.95, intervals: Resampling? = Resampling(resamples: 2000, seed: 1)
    ) throws(StatisticsError) -> TestResult {
        try check(groups: groups, atLeast: 2, values: 2)
        try check(level: level)
        let total = groups.reduce(0) { $0 + $1.count }
        let (numerator, denominator) = (Double(groups.count - 1), Double(total - groups.count))
        let squares = deviationSquares(groups)
        guard squares.within > 0 else { throw .noVariation("the absolute deviations within the groups") }
        let f = denominator * squares.between / (numerator * squares.within)
        let effect = try EffectSize(
            .etaSquared, squares.share, level: level, intervals: intervals
        ) { (resampling) throws(StatisticsError) in
            try bootstrap(groups: groups, resampling: resampling, level: level) { deviationSquares($0).share }.interval
        }
        return TestResult(
            test: "Brown-Forsythe", statisticName: "F", statistic: f,
            p: Tail.f(f, numerator: numerator, denominator: denominator), alternative: nil, method: .asymptotic,
            sizes: groups.map(\.count), degreesOfFreedom: [numerator, denominator], effect: effect)
    }

    private struct SumsOfSquares {
        var between: Double
        var within: Double
        /// NaN where nothing varies.
        var share: Double { between / (between + within) }
    }

    private static func deviationSquares(_ groups: [[Double]]) -> SumsOfSquares {
        let deviations = groups.map { group in
            let median = PermutationStatistic.medians.value(group)
            return group.map { abs($0 - median) }
        }
        let means = deviations.map { $0.reduce(0, +) / Double($0.count) }
        let total = deviations.reduce(0) { $0 + Double($1.count) }
        let grand = zip(means, deviations).reduce(0) { $0 + $1.0 * Double($1.1.count) } / total
        var squares = SumsOfSquares(between: 0, within: 0)
        for (mean, group) in zip(means, deviations) {
            squares.between += Double(group.count) * (mean - grand) * (mean - grand)
            squares.within += group.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        }
        return squares
    }
}
