#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Which interval is made of a bootstrap distribution.
public enum BootstrapMethod: String, Sendable, Hashable, Codable, CaseIterable {
    /// Bias-corrected and accelerated (Efron 1987; DiCiccio and Efron 1996): second-order accurate.
    case bca
    /// The quantiles of the bootstrap distribution themselves (Efron 1979).
    case percentile
}

/// A statistic with its bootstrapped interval.
public struct BootstrapEstimate: Sendable, Hashable, Codable {
    /// Of the sample as it is.
    public var estimate: Double
    public var interval: ConfidenceInterval
    /// Standard deviation of the resampled statistics, divisor m − 1.
    public var standardError: Double
    public var method: BootstrapMethod
    /// z₀ of BCa; 0 for the percentile interval.
    public var bias: Double
    /// a of BCa, from the jackknife; 0 for the percentile interval.
    public var acceleration: Double
}

extension Statistics {
    /// Bootstraps any statistic of one sample.
    ///
    /// ```swift
    /// let spread = try Statistics.bootstrap(dice, resampling: Resampling(seed: 7)) { Statistics.interquartileRange($0) ?? .nan }
    /// ```
    ///
    /// BCa follows Efron and Tibshirani (1993), formulas 14.9 to 14.15: z₀ counts resamples equal to the estimate half, a comes from
    /// the jackknife, and the bounds are type-7 quantiles of the resampled values, as scipy's `bootstrap(method="BCa")`. Values are
    /// independent and come from one distribution. Below about ten values every bootstrap interval is too narrow.
    ///
    /// - Throws: `StatisticsError` for fewer than two values, values or a statistic that are not finite, and
    ///   `.degenerateBootstrap` where BCa does not exist: resamples all alike, or all on one side of the estimate.
    /// - Complexity: resamples + n evaluations of the statistic.
    public static func bootstrap(
        _ sample: [Double], resampling: Resampling, level: Double = 0.95, method: BootstrapMethod = .bca,
        statistic: ([Double]) -> Double
    ) throws(StatisticsError) -> BootstrapEstimate {
        try check(sample, "to resample", atLeast: 2)
        return try bootstrap([sample.count], resampling, level, method) { indices in
            statistic(indices[0].map { sample[$0] })
        }
    }

    /// Bootstraps a statistic of two independent samples, such as the difference of their medians; each is resampled in itself.
    ///
    /// The acceleration pools the jackknife values of both samples as scipy does (Davison and Hinkley 1997, formula 5.23).
    public static func bootstrap(
        _ a: [Double], _ b: [Double], resampling: Resampling, level: Double = 0.95, method: BootstrapMethod = .bca,
        statistic: ([Double], [Double]) -> Double
    ) throws(StatisticsError) -> BootstrapEstimate {
        try check(a, "a", atLeast: 2)
        try check(b, "b", atLeast: 2)
        return try bootstrap([a.count, b.count], resampling, level, method) { indices in
            statistic(indices[0].map { a[$0] }, indices[1].map { b[$0] })
        }
    }

    /// Bootstraps a statistic of pairs: both members of a pair are drawn together.
    public static func bootstrapPairs(
        _ a: [Double], _ b: [Double], resampling: Resampling, level: Double = 0.95, method: BootstrapMethod = .bca,
        statistic: ([Double], [Double]) -> Double
    ) throws(StatisticsError) -> BootstrapEstimate {
        guard a.count == b.count else { throw .unequalLengths(a.count, b.count) }
        try check(a, "a", atLeast: 2)
        try check(b, "b")
        return try bootstrap([a.count], resampling, level, method) { indices in
            statistic(indices[0].map { a[$0] }, indices[0].map { b[$0] })
        }
    }

    /// Bootstraps a statistic of several groups, each resampled in itself.
    static func bootstrap(
        groups: [[Double]], resampling: Resampling, level: Double, statistic: ([[Double]]) -> Double
    ) throws(StatisticsError) -> BootstrapEstimate {
        try check(groups: groups, atLeast: 1, values: 2)
        return try bootstrap(groups.map(\.count), resampling, level, .bca) { indices in
            statistic(zip(groups, indices).map { group, chosen in chosen.map { group[$0] } })
        }
    }

    /// The core: a statistic of the indices chosen from samples of these sizes.
    static func bootstrap(
        _ sizes: [Int], _ resampling: Resampling, _ level: Double, _ method: BootstrapMethod,
        statistic: ([[Int]]) -> Double
    ) throws(StatisticsError) -> BootstrapEstimate {
        try check(level: level)
        try resampling.check()
        func evaluate(_ indices: [[Int]]) throws(StatisticsError) -> Double {
            let value = statistic(indices)
            guard value.isFinite else { throw .statisticNotFinite }
            return value
        }
        var indices = sizes.map { Array(0..<$0) }
        let whole = indices
        let estimate = try evaluate(whole)
        var generator = SplitMix64(seed: resampling.seed)
        var values: [Double] = []
        values.reserveCapacity(resampling.resamples)
        for _ in 0..<resampling.resamples {
            for (sample, size) in sizes.enumerated() {
                for position in 0..<size { indices[sample][position] = generator.index(below: size) }
            }
            values.append(try evaluate(indices))
        }
        values.sort()
        let error = standardDeviation(values) ?? 0
        guard method == .bca else {
            return BootstrapEstimate(
                estimate: estimate, interval: percentileInterval(sorted: values, level), standardError: error,
                method: .percentile, bias: 0, acceleration: 0)
        }
        let bias = try medianBias(of: values, estimate)
        var jackknife: [[Double]] = []
        for sample in sizes.indices {
            var left: [Double] = []
            for omitted in 0..<sizes[sample] {
                var chosen = whole
                chosen[sample].remove(at: omitted)
                left.append(try evaluate(chosen))
            }
            jackknife.append(left)
        }
        let acceleration = try acceleration(jackknife)
        func position(_ z: Double) -> Double {
            NormalDistribution.cumulative(bias + (bias + z) / (1 - acceleration * (bias + z)))
        }
        let z = NormalDistribution.quantile((1 + level) / 2)
        return BootstrapEstimate(
            estimate: estimate,
            interval: ConfidenceInterval(
                lower: quantile(sorted: values, position(-z)), upper: quantile(sorted: values, position(z)),
                level: level),
            standardError: error, method: .bca, bias: bias, acceleration: acceleration)
    }

    static func percentileInterval(sorted values: [Double], _ level: Double) -> ConfidenceInterval {
        ConfidenceInterval(
            lower: quantile(sorted: values, (1 - level) / 2), upper: quantile(sorted: values, (1 + level) / 2),
            level: level)
    }

    /// z₀: the normal quantile of the share of resamples below the estimate.
    private static func medianBias(of values: [Double], _ estimate: Double) throws(StatisticsError) -> Double {
        guard let least = values.first, let most = values.last, least < most else {
            throw .degenerateBootstrap("every resample gives \(values.first ?? estimate)")
        }
        // Resamples equal to the estimate but for rounding are equal: a rank correlation has few values, each reached by many sums.
        let rounding = 1e-12 * max(abs(estimate), most - least)
        let below = Double(
            values.count { $0 < estimate - rounding } + values.count { $0 <= estimate + rounding })
        let share = below / Double(2 * values.count)
        guard share > 0, share < 1 else {
            throw .degenerateBootstrap("every resample lies on one side of the estimate \(estimate)")
        }
        return NormalDistribution.quantile(share)
    }

    private static func acceleration(_ jackknife: [[Double]]) throws(StatisticsError) -> Double {
        var (cubes, squares) = (0.0, 0.0)
        for values in jackknife {
            let count = Double(values.count)
            let mean = values.reduce(0, +) / count
            for value in values {
                let influence = (count - 1) * (mean - value)
                squares += influence * influence / (count * count)
                cubes += influence * influence * influence / (count * count * count)
            }
        }
        guard squares > 0 else { throw .degenerateBootstrap("leaving out any one value changes nothing") }
        return cubes / (6 * squares * squares.squareRoot())
    }
}
