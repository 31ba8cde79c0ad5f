/// What the signed-rank test does with differences of zero.
public enum ZeroDifferences: String, Sendable, Hashable, Codable, CaseIterable {
    /// Left out before ranking (Wilcoxon 1945).
    case wilcox
    /// Ranked, then left out of the sums (Pratt 1959), with the variance of Cureton (1967).
    case pratt
    /// Ranked, and their ranks split between the signs.
    case zsplit
}

extension Statistics {
    /// Wilcoxon's signed-rank test of paired samples (1945): are the differences a − b symmetric about 0?
    ///
    /// The statistic is W⁺, the sum of the ranks of positive differences, whatever the alternative (scipy shows the smaller of W⁺
    /// and W⁻ for two-sided tests). Pairs are independent, and their differences come from one symmetric distribution.
    ///
    /// - Parameters:
    ///   - method: `.automatic` is scipy's rule: asymptotic above 50 pairs; else exact without ties and zeros; else the exact
    ///     permutation distribution up to 13 pairs, asymptotic beyond. `.exact` refuses ties and zeros, where scipy rounds.
    ///   - continuity: Whether the normal approximation takes ½ off the distance; scipy takes it off in the direction of the
    ///     alternative, and so does this.
    ///   - level: Of the interval of the effect size, the matched-pairs rank-biserial correlation (Kerby 2014), by BCa bootstrap of
    ///     the pairs.
    ///   - intervals: How to draw; `nil` for no interval.
    /// - Throws: `StatisticsError` for samples that are empty, differ in length or hold values that are not finite; where every
    ///   difference is zero; `.exact` with ties, zeros, or more than 1000 pairs.
    /// - Complexity: O(n log n); exact and permutation O(n³); the interval O(resamples · n log n).
    public static func signedRank(
        _ a: [Double], _ b: [Double], alternative: Alternative = .twoSided, method: RankTestMethod = .automatic,
        zeros: ZeroDifferences = .wilcox, continuity: Bool = false, level: Double = 0.95,
        intervals: Resampling? = Resampling(resamples: 2000, seed: 1)
    ) throws(StatisticsError) -> TestResult {
        guard a.count == b.count else { throw .unequalLengths(a.count, b.count) }
        try check(a, "a")
        try check(b, "b")
        try check(level: level)
        let differences = zip(a, b).map(-)
        try check(differences, "a - b")
        let ranking = SignedRanks(differences, zeros)
        guard ranking.signed.contains(where: { $0 != 0 }) else { throw .noVariation("the differences, all zero,") }
        let (p, used) = try ranking.p(alternative, method, continuity)
        let effect = try signedRankEffect(differences, zeros, level, intervals)
        return TestResult(
            test: "Wilcoxon signed-rank", statisticName: "W", statistic: ranking.positive, p: p,
            alternative: alternative, method: used, sizes: [a.count], effect: effect)
    }

    private static func signedRankEffect(
        _ differences: [Double], _ zeros: ZeroDifferences, _ level: Double, _ intervals: Resampling?
    ) throws(StatisticsError) -> EffectSize {
        func biserial(_ differences: [Double]) -> Double {
            let ranking = SignedRanks(differences, zeros)
            let sum = ranking.positive + ranking.negative
            // A resample of zeros alone favours neither side.
            return sum > 0 ? (ranking.positive - ranking.negative) / sum : 0
        }
        let estimate = biserial(differences)
        return try EffectSize(
            .matchedRankBiserial, estimate, level: level, intervals: intervals
        ) { (resampling) throws(StatisticsError) in
            try bootstrap(differences, resampling: resampling, level: level, statistic: biserial).interval
        }
    }
}

extension EffectSize {
    /// An effect whose interval is bootstrapped where one is asked for, and says why where there is none.
    init(
        _ measure: Measure, _ value: Double, level: Double, intervals: Resampling?, method: String = "BCa bootstrap",
        _ bootstrap: (Resampling) throws(StatisticsError) -> ConfidenceInterval
    ) throws(StatisticsError) {
        self.init(measure: measure, value: value, interval: nil, intervalMethod: "none asked for")
        guard let intervals else { return }
        do {
            interval = try bootstrap(intervals)
            intervalMethod = "\(method), \(intervals.resamples) resamples, seed \(intervals.seed)"
        } catch .degenerateBootstrap(let why) {
            intervalMethod = why
        } catch .tooFewValues(_, let count, let needed) {
            intervalMethod = "\(count) value\(count == 1 ? "" : "s") where a bootstrap needs \(needed)"
        } catch .statisticNotFinite {
            intervalMethod = "not defined on every resample"
        }
    }
}

/// Ranks of absolute differences with their signs.
private struct SignedRanks {
    /// Rank times sign; 0 where a zero was ranked and left out.
    let signed: [Double]
    let positive: Double
    let negative: Double
    /// Half of the ranks of zeros, in both sums already.
    let shared: Double
    private let zeroCount: Int
    private let pairs: Int
    private let method: ZeroDifferences
    private let tieTerm: Double
    private let hasTies: Bool

    init(_ differences: [Double], _ zeros: ZeroDifferences) {
        pairs = differences.count
        method = zeros
        zeroCount = differences.count { $0 == 0 }
        let kept = zeros == .wilcox ? differences.filter { $0 != 0 } : differences
        let ranks = Ranks(finite: kept.map(abs))
        signed = zip(kept, ranks.values).map { $0 > 0 ? $1 : $0 < 0 ? -$1 : 0 }
        let ofZeros = zip(kept, ranks.values).reduce(0) { $0 + ($1.0 == 0 ? $1.1 : 0) }
        shared = zeros == .zsplit ? ofZeros / 2 : 0
        positive = signed.reduce(0) { $0 + max($1, 0) } + shared
        negative = signed.reduce(0) { $0 - min($1, 0) } + shared
        hasTies = !ranks.ties.isEmpty
        // Pratt's zeros leave the tie correction: they are no longer there.
        let zeroTie = zeros == .pratt && zeroCount > 1 ? Double(zeroCount) * (Double(zeroCount * zeroCount) - 1) : 0
        tieTerm = ranks.tieTerm - zeroTie
    }

    func p(
        _ alternative: Alternative, _ method: RankTestMethod, _ continuity: Bool
    ) throws(StatisticsError) -> (Double, TestMethod) {
        switch method {
        case .automatic:
            if pairs > 50 { return (asymptotic(alternative, continuity), .asymptotic) }
            if !hasTies, zeroCount == 0 { return try p(alternative, .exact, continuity) }
            if pairs <= 13 { return (exact(alternative), .exactPermutation) }
            return (asymptotic(alternative, continuity), .asymptotic)
        case .asymptotic:
            return (asymptotic(alternative, continuity), .asymptotic)
        case .exact:
            guard !hasTies, zeroCount == 0 else { throw .tiesForbidExact(test: "the signed-rank statistic") }
            guard pairs <= SignedRankDistribution.most else {
                throw .tooLargeForExact(test: "the signed-rank statistic", sizes: [pairs])
            }
            return (exact(alternative), .exact)
        case .permutation(let resampling):
            if pairs <= SignedRankDistribution.most { return (exact(alternative), .exactPermutation) }
            return try random(alternative, resampling)
        case .monteCarlo(let resampling):
            return try random(alternative, resampling)
        }
    }

    /// All assignments of signs, which is exact with ties and zeros too.
    private func exact(_ alternative: Alternative) -> Double {
        let distribution = SignedRankDistribution(signed.map { Int(abs($0) * 2) })
        let observed = Int((positive - shared) * 2)
        return alternative.p(lower: distribution.lower(observed), upper: distribution.upper(observed))
    }

    private func asymptotic(_ alternative: Alternative, _ continuity: Bool) -> Double {
        func cubic(_ n: Double) -> Double { n * (n + 1) * (2 * n + 1) }
        let count = Double(signed.count)
        let zeros = method == .pratt ? Double(zeroCount) : 0
        let mean = (count * (count + 1) - zeros * (zeros + 1)) / 4
        let variance = (cubic(count) - cubic(zeros) - tieTerm / 2) / 24
        guard variance > 0 else { return 1 }
        let deviation = variance.squareRoot()
        var z = (positive - mean) / deviation
        if continuity {
            switch alternative {
            case .greater: z -= 0.5 / deviation
            case .less: z += 0.5 / deviation
            case .twoSided: z -= (z > 0 ? 0.5 : z < 0 ? -0.5 : 0) / deviation
            }
        }
        return alternative.p(lower: NormalDistribution.cumulative(z), upper: NormalDistribution.survival(z))
    }

    private func random(
        _ alternative: Alternative, _ resampling: Resampling
    ) throws(StatisticsError) -> (Double, TestMethod) {
        try resampling.check()
        var generator = SplitMix64(seed: resampling.seed)
        let magnitudes = signed.map(abs)
        let observed = positive - shared
        var (lower, upper) = (0, 0)
        for _ in 0..<resampling.resamples {
            var sum = 0.0
            for magnitude in magnitudes where generator.next() >> 63 == 1 { sum += magnitude }
            if sum <= observed { lower += 1 }
            if sum >= observed { upper += 1 }
        }
        let draws = Double(resampling.resamples + 1)
        return (
            alternative.p(lower: Double(lower + 1) / draws, upper: Double(upper + 1) / draws),
            .monteCarlo(resamples: resampling.resamples, seed: resampling.seed)
        )
    }
}

/// The distribution of a sum of whole numbers, each in or out with probability ½: ∏ (1 + q^r) / 2 multiplied out. Additions of
/// positive numbers only.
struct SignedRankDistribution: Sendable {
    /// Pairs beyond which the O(n³) additions are not spent, and beyond which probabilities would underflow.
    static let most = 1000

    private let mass: [Double]

    init(_ values: [Int]) {
        var mass = [Double](repeating: 0, count: values.reduce(0, +) + 1)
        mass[0] = 1
        var reached = 0
        for value in values where value > 0 {
            reached += value
            for sum in stride(from: reached, through: 0, by: -1) {
                mass[sum] = 0.5 * (mass[sum] + (sum >= value ? mass[sum - value] : 0))
            }
        }
        self.mass = mass
    }

    /// P(W ≤ w), from the end that is nearer.
    func lower(_ w: Int) -> Double {
        if w < 0 { return 0 }
        return 2 * w < mass.count ? mass.prefix(w + 1).reduce(0, +) : 1 - mass.dropFirst(w + 1).reduce(0, +)
    }

    /// P(W ≥ w).
    func upper(_ w: Int) -> Double { lower(mass.count - 1 - w) }
}
