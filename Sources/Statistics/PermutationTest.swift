/// What a permutation test compares.
public enum PermutationStatistic: String, Sendable, Hashable, Codable, CaseIterable {
    case means
    case medians

    func value(_ values: [Double]) -> Double {
        switch self {
        case .means:
            return values.reduce(0, +) / Double(values.count)
        case .medians:
            let sorted = values.sorted()
            let middle = sorted.count / 2
            return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
        }
    }

    var measure: EffectSize.Measure { self == .means ? .differenceInMeans : .differenceInMedians }
}

extension Statistics {
    /// Fisher's permutation test (1935; Pitman 1937) of the difference of two independent samples' means or medians.
    ///
    /// All relabellings are counted where there are no more than `resampling.exactLimit`; else relabellings are drawn, and
    /// p = (b + 1) / (m + 1), which is never 0 (Phipson and Smyth 2010). Differences equal but for rounding count as equal, with
    /// the allowance of scipy's `permutation_test`, whose two-sided p (twice the smaller tail) this follows too. Null hypothesis: the
    /// labels are exchangeable, which includes equal spread.
    ///
    /// - Throws: `StatisticsError` for an empty sample or values that are not finite.
    /// - Complexity: O(relabellings · N), with N log N for medians. The effect's interval is a BCa bootstrap as large as `resampling`.
    public static func permutationTest(
        _ a: [Double], _ b: [Double], of statistic: PermutationStatistic = .means, alternative: Alternative = .twoSided,
        resampling: Resampling, level: Double = 0.95
    ) throws(StatisticsError) -> TestResult {
        try check(a, "a")
        try check(b, "b")
        try check(level: level)
        try resampling.check()
        let pooled = a + b
        let observed = statistic.value(a) - statistic.value(b)
        var tails = Tails(observed: observed)
        let arrangements = combinations(pooled.count, a.count)
        let isExact = arrangements <= Double(resampling.exactLimit)
        if isExact {
            forEachCombination(of: a.count, among: pooled.count) { isFirst in
                let first = pooled.indices.filter { isFirst[$0] }.map { pooled[$0] }
                let second = pooled.indices.filter { !isFirst[$0] }.map { pooled[$0] }
                tails.add(statistic.value(first) - statistic.value(second))
            }
        } else {
            var generator = SplitMix64(seed: resampling.seed)
            var shuffled = pooled
            for _ in 0..<resampling.resamples {
                generator.partialShuffle(&shuffled, a.count)
                tails.add(
                    statistic.value(Array(shuffled[..<a.count])) - statistic.value(Array(shuffled[a.count...])))
            }
        }
        let effect = try EffectSize(
            statistic.measure, observed, level: level, intervals: resampling
        ) { (resampling) throws(StatisticsError) in
            try bootstrap(a, b, resampling: resampling, level: level) { statistic.value($0) - statistic.value($1) }
                .interval
        }
        return TestResult(
            test: "permutation test of \(statistic.rawValue)", statisticName: "difference", statistic: observed,
            p: tails.p(alternative, isExact: isExact), alternative: alternative,
            method: isExact ? .exactPermutation : .monteCarlo(resamples: resampling.resamples, seed: resampling.seed),
            sizes: [a.count, b.count], effect: effect)
    }

    /// The permutation test of paired samples: signs of the differences are exchangeable under the null hypothesis. All 2ⁿ are
    /// counted up to `resampling.exactLimit`.
    ///
    /// - Throws, Complexity: As `permutationTest`, and `StatisticsError.unequalLengths`.
    public static func pairedPermutationTest(
        _ a: [Double], _ b: [Double], of statistic: PermutationStatistic = .means, alternative: Alternative = .twoSided,
        resampling: Resampling, level: Double = 0.95
    ) throws(StatisticsError) -> TestResult {
        guard a.count == b.count else { throw .unequalLengths(a.count, b.count) }
        try check(a, "a")
        try check(b, "b")
        try check(level: level)
        try resampling.check()
        let differences = zip(a, b).map(-)
        try check(differences, "a - b")
        let observed = statistic.value(differences)
        var tails = Tails(observed: observed)
        let isExact = differences.count < 62 && 1 << differences.count <= resampling.exactLimit
        if isExact {
            for signs in 0..<(1 << differences.count) {
                tails.add(
                    statistic.value(differences.enumerated().map { signs >> $0 & 1 == 1 ? -$1 : $1 }))
            }
        } else {
            var generator = SplitMix64(seed: resampling.seed)
            for _ in 0..<resampling.resamples {
                tails.add(statistic.value(differences.map { generator.next() >> 63 == 1 ? -$0 : $0 }))
            }
        }
        let effect = try EffectSize(
            statistic.measure, observed, level: level, intervals: resampling
        ) { (resampling) throws(StatisticsError) in
            try bootstrap(differences, resampling: resampling, level: level, statistic: statistic.value).interval
        }
        return TestResult(
            test: "paired permutation test of \(statistic.rawValue)", statisticName: "difference", statistic: observed,
            p: tails.p(alternative, isExact: isExact), alternative: alternative,
            method: isExact ? .exactPermutation : .monteCarlo(resamples: resampling.resamples, seed: resampling.seed),
            sizes: [a.count], effect: effect)
    }

    /// n over k, as a number that may be infinite.
    static func combinations(_ n: Int, _ k: Int) -> Double {
        (0..<min(k, n - k)).reduce(1.0) { ($0 * Double(n - $1) / Double($1 + 1)).rounded() }
    }

    /// Calls `body` with every choice of `count` among `total`, in lexicographic order.
    static func forEachCombination(of count: Int, among total: Int, _ body: ([Bool]) -> Void) {
        var chosen = Array(0..<count)
        while true {
            var isChosen = [Bool](repeating: false, count: total)
            for index in chosen { isChosen[index] = true }
            body(isChosen)
            guard let last = chosen.indices.last(where: { chosen[$0] < total - count + $0 }) else { return }
            chosen[last] += 1
            for index in (last + 1)..<max(count, last + 1) { chosen[index] = chosen[index - 1] + 1 }
        }
    }
}

/// How many relabellings lie at or beyond the observed value, either way.
struct Tails {
    let observed: Double
    /// What rounding may part: scipy's allowance.
    private let allowance: Double
    private(set) var lower = 0
    private(set) var upper = 0
    private(set) var count = 0

    init(observed: Double) {
        self.observed = observed
        allowance = abs(observed) * 100 * Double.ulpOfOne
    }

    mutating func add(_ value: Double) {
        count += 1
        if value <= observed + allowance { lower += 1 }
        if value >= observed - allowance { upper += 1 }
    }

    /// Drawn relabellings do not hold the observed one for certain, so it is added.
    func p(_ alternative: Alternative, isExact: Bool) -> Double {
        let extra = isExact ? 0 : 1
        let total = Double(count + extra)
        return alternative.p(lower: Double(lower + extra) / total, upper: Double(upper + extra) / total)
    }
}
