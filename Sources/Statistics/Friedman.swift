extension Statistics {
    /// Friedman's rank test of several treatments on the same blocks (1937), corrected for ties, against χ² with k − 1 degrees of
    /// freedom; as scipy's `friedmanchisquare`. Blocks (data sets, say) are independent; χ² is coarse below ten blocks.
    ///
    /// The effect is Kendall's W = χ² / (n (k − 1)), with a BCa bootstrap of the blocks.
    ///
    /// - Parameter blocks: One list a block, with the value of each treatment in the same order.
    /// - Throws: `StatisticsError` for no block, fewer than three treatments, blocks that differ in length, values that are not
    ///   finite, or that do not differ within any block.
    /// - Complexity: O(n k log k), and the interval resamples times that.
    public static func friedman(
        _ blocks: [[Double]], level: Double = 0.95, intervals: Resampling? = Resampling(resamples: 2000, seed: 1)
    ) throws(StatisticsError) -> TestResult {
        try check(blocks: blocks, atLeast: 3)
        try check(level: level)
        let statistic = friedmanStatistic(blocks)
        guard statistic.isFinite else { throw .noVariation("the values within each block") }
        let (n, k) = (Double(blocks.count), Double(blocks[0].count))
        let effect = try EffectSize(
            .kendallsW, statistic / (n * (k - 1)), level: level, intervals: intervals
        ) { (resampling) throws(StatisticsError) in
            guard blocks.count > 1 else { throw .tooFewValues(sample: "of blocks", count: 1, needed: 2) }
            return try bootstrap([blocks.count], resampling, level, .bca) { chosen in
                friedmanStatistic(chosen[0].map { blocks[$0] }) / (Double(chosen[0].count) * (k - 1))
            }.interval
        }
        return TestResult(
            test: "Friedman", statisticName: "chi-square", statistic: statistic,
            p: Tail.chiSquare(statistic, degrees: k - 1), alternative: nil, method: .asymptotic,
            sizes: [blocks.count, blocks[0].count], degreesOfFreedom: [k - 1], effect: effect)
    }

    /// Mean rank of each treatment over the blocks; rank 1 is the smallest value.
    ///
    /// - Throws: As `friedman`, but two treatments are enough and values may be alike.
    public static func meanRanks(_ blocks: [[Double]]) throws(StatisticsError) -> [Double] {
        try check(blocks: blocks, atLeast: 2)
        return rankTotals(blocks).sums.map { $0 / Double(blocks.count) }
    }

    private static func check(blocks: [[Double]], atLeast needed: Int) throws(StatisticsError) {
        guard let treatments = blocks.first?.count else {
            throw .tooFewValues(sample: "of blocks", count: 0, needed: 1)
        }
        guard treatments >= needed else { throw .tooFewGroups(count: treatments, needed: needed) }
        for (index, block) in blocks.enumerated() {
            guard block.count == treatments else { throw .unequalLengths(treatments, block.count) }
            try check(block, "block \(index + 1)")
        }
    }

    private static func rankTotals(_ blocks: [[Double]]) -> (sums: [Double], tieTerm: Double) {
        var sums = [Double](repeating: 0, count: blocks[0].count)
        var tieTerm = 0.0
        for block in blocks {
            let ranks = Ranks(finite: block)
            for index in sums.indices { sums[index] += ranks.values[index] }
            tieTerm += ranks.tieTerm
        }
        return (sums, tieTerm)
    }

    /// NaN where no block varies.
    private static func friedmanStatistic(_ blocks: [[Double]]) -> Double {
        let (sums, tieTerm) = rankTotals(blocks)
        let (n, k) = (Double(blocks.count), Double(sums.count))
        let correction = 1 - tieTerm / (k * (k * k - 1) * n)
        guard correction > 0 else { return .nan }
        // About the mean rank total, which keeps digits that the textbook form cancels.
        let spread = sums.reduce(0) { $0 + ($1 - n * (k + 1) / 2) * ($1 - n * (k + 1) / 2) }
        return 12 * spread / (n * k * (k + 1)) / correction
    }
}
