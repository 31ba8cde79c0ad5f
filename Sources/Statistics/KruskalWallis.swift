extension Statistics {
    /// Kruskal and Wallis's rank test of several independent samples (1952), corrected for ties, against χ² with k − 1 degrees of
    /// freedom; as scipy's `kruskal`. Values are independent; below about five a group χ² is coarse.
    ///
    /// The effect is ε² = H / (n − 1), biased upwards in small samples, with a BCa bootstrap of each group in itself.
    ///
    /// - Throws: `StatisticsError` for fewer than two groups, an empty one, values that are not finite, or all alike.
    /// - Complexity: O(N log N), and the interval resamples times that.
    public static func kruskalWallis(
        _ groups: [[Double]], level: Double = 0.95, intervals: Resampling? = Resampling(resamples: 2000, seed: 1)
    ) throws(StatisticsError) -> TestResult {
        try check(groups: groups, atLeast: 2)
        try check(level: level)
        let h = kruskalWallisStatistic(groups)
        guard h.isFinite else { throw .noVariation("the values of all groups") }
        let total = groups.reduce(0) { $0 + $1.count }
        let effect = try EffectSize(
            .epsilonSquared, h / Double(total - 1), level: level, intervals: intervals
        ) { (resampling) throws(StatisticsError) in
            try bootstrap(groups: groups, resampling: resampling, level: level) {
                kruskalWallisStatistic($0) / Double(total - 1)
            }.interval
        }
        let degrees = Double(groups.count - 1)
        return TestResult(
            test: "Kruskal-Wallis", statisticName: "H", statistic: h, p: Tail.chiSquare(h, degrees: degrees),
            alternative: nil, method: .asymptotic, sizes: groups.map(\.count), degreesOfFreedom: [degrees],
            effect: effect)
    }

    /// NaN where all values are equal.
    private static func kruskalWallisStatistic(_ groups: [[Double]]) -> Double {
        let (sums, ranks) = rankSums(groups)
        let n = Double(ranks.values.count)
        let between = zip(sums, groups).reduce(0) { $0 + $1.0 * $1.0 / Double($1.1.count) }
        return (12 / (n * (n + 1)) * between - 3 * (n + 1)) / (1 - ranks.tieTerm / (n * n * n - n))
    }

    private static func rankSums(_ groups: [[Double]]) -> (sums: [Double], ranks: Ranks) {
        let ranks = Ranks(finite: groups.flatMap { $0 })
        var start = 0
        let sums = groups.map { group in
            defer { start += group.count }
            return ranks.values[start..<(start + group.count)].reduce(0, +)
        }
        return (sums, ranks)
    }

    /// Dunn's comparisons of all pairs after Kruskal and Wallis (1964): mean ranks over all groups, with the variance corrected for
    /// ties, against the normal distribution, two-sided; the p are corrected over the k (k − 1) / 2 pairs.
    ///
    /// The effect of each pair is Cliff's delta of those two groups alone.
    ///
    /// - Throws: As `kruskalWallis`.
    /// - Complexity: O(N log N), and O(N log N) a pair for its effect.
    public static func dunn(
        _ groups: [[Double]], correction: MultipleTesting = .holm, level: Double = 0.95
    ) throws(StatisticsError) -> [PairwiseComparison] {
        try check(groups: groups, atLeast: 2)
        let (sums, ranks) = rankSums(groups)
        let n = Double(ranks.values.count)
        let variance = n * (n + 1) / 12 - ranks.tieTerm / (12 * (n - 1))
        guard variance > 0 else { throw .noVariation("the values of all groups") }
        var results: [TestResult] = []
        let pairs = groups.indices.flatMap { first in groups.indices.dropFirst(first + 1).map { (first, $0) } }
        for (first, second) in pairs {
            let (m, n) = (Double(groups[first].count), Double(groups[second].count))
            let z = (sums[first] / m - sums[second] / n) / (variance * (1 / m + 1 / n)).squareRoot()
            results.append(
                TestResult(
                    test: "Dunn", statisticName: "z", statistic: z, p: min(1, 2 * NormalDistribution.survival(abs(z))),
                    alternative: .twoSided, method: .asymptotic, sizes: [groups[first].count, groups[second].count],
                    effect: try cliffsDelta(groups[first], groups[second], level: level)))
        }
        let corrected = try corrected(results, by: correction)
        return zip(pairs, corrected).map { PairwiseComparison(first: $0.0, second: $0.1, result: $1) }
    }
}

/// Two of several groups, by their indices from 0, and the test that compares them.
public struct PairwiseComparison: Sendable, Hashable, Codable {
    public var first: Int
    public var second: Int
    public var result: TestResult

    public init(first: Int, second: Int, result: TestResult) {
        self.first = first
        self.second = second
        self.result = result
    }
}
