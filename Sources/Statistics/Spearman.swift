#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// How the p of a rank correlation is found.
public enum CorrelationMethod: Sendable, Hashable {
    /// Student's t with n − 2 degrees of freedom, as scipy's `spearmanr`: too small a p below ten pairs.
    case asymptotic
    /// All n! pairings where `exactLimit` allows; else drawn at random.
    case permutation(Resampling)
}

extension Statistics {
    /// Spearman's rank correlation of pairs (1904): Pearson's correlation of the mid-ranks.
    ///
    /// The interval is Fisher's z with the standard error √((1 + ρ²/2) / (n − 3)) of Bonett and Wright (2000); for a bootstrapped
    /// one, `bootstrapPairs` with `spearmanCorrelation`. Null hypothesis: pairs are exchangeable. Pairs are independent.
    ///
    /// - Throws: `StatisticsError` for samples that differ in length, hold fewer than three values or values that are not finite, or
    ///   do not vary.
    /// - Complexity: O(n log n), and O(n) a pairing.
    public static func spearman(
        _ a: [Double], _ b: [Double], alternative: Alternative = .twoSided, method: CorrelationMethod = .asymptotic,
        level: Double = 0.95
    ) throws(StatisticsError) -> TestResult {
        try check(level: level)
        let (x, y) = try centredRanks(a, b)
        let scale = (squares(x) * squares(y)).squareRoot()
        let rho = correlation(x, y, scale)
        let (p, used) = try correlationP(x, y, rho, scale, alternative, method)
        let interval = fisherInterval(rho, pairs: a.count, level: level)
        return TestResult(
            test: "Spearman correlation", statisticName: "rho", statistic: rho, p: p, alternative: alternative,
            method: used, sizes: [a.count], degreesOfFreedom: used == .asymptotic ? [Double(a.count - 2)] : [],
            effect: EffectSize(
                measure: .spearmansRho, value: rho, interval: interval,
                intervalMethod: interval == nil
                    ? "Fisher's z needs more than three pairs and a correlation short of ±1"
                    : "Fisher z, Bonett and Wright 2000"))
    }

    /// The correlation alone; `nil` where it is not defined, for use on resamples.
    public static func spearmanCorrelation(_ a: [Double], _ b: [Double]) -> Double? {
        guard let (x, y) = try? centredRanks(a, b) else { return nil }
        return correlation(x, y, (squares(x) * squares(y)).squareRoot())
    }

    private static func centredRanks(
        _ a: [Double], _ b: [Double]
    ) throws(StatisticsError) -> ([Double], [Double]) {
        guard a.count == b.count else { throw .unequalLengths(a.count, b.count) }
        try check(a, "a", atLeast: 3)
        try check(b, "b")
        let middle = Double(a.count + 1) / 2
        let x = Ranks(finite: a).values.map { $0 - middle }
        let y = Ranks(finite: b).values.map { $0 - middle }
        if squares(x) == 0 { throw .noVariation("the values of a") }
        if squares(y) == 0 { throw .noVariation("the values of b") }
        return (x, y)
    }

    private static func squares(_ values: [Double]) -> Double { values.reduce(0) { $0 + $1 * $1 } }

    private static func correlation(_ x: [Double], _ y: [Double], _ scale: Double) -> Double {
        max(-1, min(1, zip(x, y).reduce(0) { $0 + $1.0 * $1.1 } / scale))
    }

    private static func correlationP(
        _ x: [Double], _ y: [Double], _ rho: Double, _ scale: Double, _ alternative: Alternative,
        _ method: CorrelationMethod
    ) throws(StatisticsError) -> (Double, TestMethod) {
        guard case .permutation(let resampling) = method else {
            let degrees = Double(x.count - 2)
            let t = rho * (degrees / ((1 + rho) * (1 - rho))).squareRoot()
            return (
                alternative.p(lower: Tail.t(-t, degrees: degrees), upper: Tail.t(t, degrees: degrees)), .asymptotic
            )
        }
        try resampling.check()
        var tails = Tails(observed: rho)
        let isExact = x.count <= 12 && (1...x.count).reduce(1, *) <= resampling.exactLimit
        var shuffled = y
        if isExact {
            forEachPermutation(&shuffled) { tails.add(correlation(x, $0, scale)) }
        } else {
            var generator = SplitMix64(seed: resampling.seed)
            for _ in 0..<resampling.resamples {
                generator.partialShuffle(&shuffled, y.count - 1)
                tails.add(correlation(x, shuffled, scale))
            }
        }
        return (
            tails.p(alternative, isExact: isExact),
            isExact ? .exactPermutation : .monteCarlo(resamples: resampling.resamples, seed: resampling.seed)
        )
    }

    /// All orders of `values`, by Heap's algorithm (1963), one exchange each.
    private static func forEachPermutation(_ values: inout [Double], _ body: ([Double]) -> Void) {
        var counters = [Int](repeating: 0, count: values.count)
        body(values)
        var index = 1
        while index < values.count {
            if counters[index] < index {
                values.swapAt(index % 2 == 0 ? 0 : counters[index], index)
                body(values)
                counters[index] += 1
                index = 1
            } else {
                counters[index] = 0
                index += 1
            }
        }
    }

    private static func fisherInterval(_ rho: Double, pairs: Int, level: Double) -> ConfidenceInterval? {
        guard pairs > 3, abs(rho) < 1 else { return nil }
        let error = ((1 + rho * rho / 2) / Double(pairs - 3)).squareRoot()
        let reach = NormalDistribution.quantile((1 + level) / 2) * error
        return ConfidenceInterval(lower: tanh(atanh(rho) - reach), upper: tanh(atanh(rho) + reach), level: level)
    }
}
