#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// How long something took, or how long it was watched without it happening: rounds until a pipeline runs, say.
public struct SurvivalTime: Sendable, Hashable, Codable {
    /// Not below 0.
    public var time: Double
    /// Whether the event came at `time`; otherwise the watch ended there (censored).
    public var isEvent: Bool

    public init(time: Double, isEvent: Bool) {
        self.time = time
        self.isEvent = isEvent
    }
}

/// The share without the event, over time: Kaplan and Meier (1958).
public struct SurvivalCurve: Sendable, Hashable, Codable {
    /// One time at which events came.
    public struct Step: Sendable, Hashable, Codable {
        public var time: Double
        /// Watched until just before.
        public var atRisk: Int
        public var events: Int
        /// Share without the event from here on.
        public var survival: Double
        /// Greenwood's (1926); 0 where the curve has reached 0.
        public var standardError: Double
        /// From log(−log S) (Kalbfleisch and Prentice 2002, section 1.4), which stays in [0, 1]; `nil` where the curve has reached 0.
        public var interval: ConfidenceInterval?
    }

    /// Ascending in time.
    public var steps: [Step]
    public var count: Int
    public var censored: Int

    /// The first time at which the share is half or less; `nil` where the curve stays above.
    public var median: Double? { steps.first { $0.survival <= 0.5 }?.time }

    /// - Throws: `StatisticsError` for no duration, times that are negative or not finite, a level outside (0, 1).
    /// - Complexity: O(n log n).
    public init(_ durations: [SurvivalTime], level: Double = 0.95) throws(StatisticsError) {
        try Statistics.check(durations.map(\.time), "of durations")
        try Statistics.check(level: level)
        if let negative = durations.first(where: { $0.time < 0 }) {
            throw .parameter(name: "a duration", value: negative.time, allowed: "a time not below 0")
        }
        count = durations.count
        censored = durations.count { !$0.isEvent }
        steps = []
        let z = NormalDistribution.quantile((1 + level) / 2)
        var (survival, variance) = (1.0, 0.0)
        for row in RiskTable([durations]).rows where row.events[0] > 0 {
            let (risk, events) = (Double(row.atRisk[0]), Double(row.events[0]))
            survival *= 1 - events / risk
            if survival > 0 { variance += events / (risk * (risk - events)) }
            var step = Step(
                time: row.time, atRisk: row.atRisk[0], events: row.events[0], survival: survival,
                standardError: survival * variance.squareRoot(), interval: nil)
            if survival > 0 {
                let reach = z * variance.squareRoot() / log(survival)
                step.interval = ConfidenceInterval(
                    lower: pow(survival, exp(-reach)), upper: pow(survival, exp(reach)), level: level)
            }
            steps.append(step)
        }
    }
}

extension Statistics {
    /// The log-rank test of several survival curves (Mantel 1966; Peto and Peto 1972), with the hypergeometric variance, against χ² with
    /// k − 1 degrees of freedom. Durations are independent, and so is their censoring.
    ///
    /// The effect is the hazard ratio of the first group against the others together, by Peto's one-step estimate
    /// exp((O − E) / V), with the interval exp((O − E) / V ± z / √V) (Yusuf, Peto and others 1985): finite with no event in a group, good
    /// for ratios from a half to two, too near 1 beyond.
    ///
    /// - Throws: `StatisticsError` for fewer than two groups, an empty one, times that are negative or not finite, or no event that
    ///   could tell the groups apart.
    /// - Complexity: O(N log N + times · k²).
    public static func logRank(
        _ groups: [[SurvivalTime]], level: Double = 0.95
    ) throws(StatisticsError) -> TestResult {
        guard groups.count >= 2 else { throw .tooFewGroups(count: groups.count, needed: 2) }
        try check(level: level)
        for group in groups { _ = try SurvivalCurve(group, level: level) }
        let k = groups.count
        var (observed, expected) = ([Double](repeating: 0, count: k), [Double](repeating: 0, count: k))
        var covariance = [[Double]](repeating: [Double](repeating: 0, count: k), count: k)
        for row in RiskTable(groups).rows {
            let risk = row.atRisk.map(Double.init)
            let (all, events) = (risk.reduce(0, +), Double(row.events.reduce(0, +)))
            guard events > 0 else { continue }
            let factor = all > 1 ? events * (all - events) / (all - 1) : 0
            for i in 0..<k {
                observed[i] += Double(row.events[i])
                expected[i] += events * risk[i] / all
                for j in 0..<k { covariance[i][j] += factor * risk[i] / all * ((i == j ? 1 : 0) - risk[j] / all) }
            }
        }
        let differences = zip(observed, expected).dropLast().map { $0 - $1 }
        let reduced = covariance.dropLast().map { Array($0.dropLast()) }
        guard let solution = solve(reduced, differences) else {
            throw .noVariation("the groups at risk when events come")
        }
        let statistic = zip(differences, solution).reduce(0) { $0 + $1.0 * $1.1 }
        let degrees = Double(k - 1)
        return TestResult(
            test: "log-rank", statisticName: "chi-square", statistic: statistic,
            p: Tail.chiSquare(statistic, degrees: degrees), alternative: nil, method: .asymptotic,
            sizes: groups.map(\.count), degreesOfFreedom: [degrees],
            effect: hazardRatio(differences[0], variance: covariance[0][0], level))
    }

    private static func hazardRatio(_ difference: Double, variance: Double, _ level: Double) -> EffectSize {
        let reach = NormalDistribution.quantile((1 + level) / 2) / variance.squareRoot()
        let logRatio = difference / variance
        return EffectSize(
            measure: .hazardRatio, value: exp(logRatio),
            interval: ConfidenceInterval(lower: exp(logRatio - reach), upper: exp(logRatio + reach), level: level),
            intervalMethod: "Peto's one-step estimate")
    }

    /// Solves a symmetric positive definite system by Cholesky's factors; `nil` where it is singular.
    private static func solve(_ matrix: [[Double]], _ right: [Double]) -> [Double]? {
        var factor = matrix
        let count = right.count
        for i in 0..<count {
            for j in 0...i {
                var sum = matrix[i][j]
                for k in 0..<j { sum -= factor[i][k] * factor[j][k] }
                if i == j {
                    guard sum > matrix[i][i] * 1e-12 else { return nil }
                    factor[i][i] = sum.squareRoot()
                } else {
                    factor[i][j] = sum / factor[j][j]
                }
            }
        }
        var solution = right
        for i in 0..<count {
            for k in 0..<i { solution[i] -= factor[i][k] * solution[k] }
            solution[i] /= factor[i][i]
        }
        for i in (0..<count).reversed() {
            for k in (i + 1)..<max(count, i + 1) { solution[i] -= factor[k][i] * solution[k] }
            solution[i] /= factor[i][i]
        }
        return solution
    }
}

/// Who was at risk, and to whom the event came, at each time that something ended.
private struct RiskTable {
    struct Row {
        var time: Double
        var atRisk: [Int]
        var events: [Int]
    }

    private(set) var rows: [Row] = []

    init(_ groups: [[SurvivalTime]]) {
        let all = groups.enumerated().flatMap { index, group in group.map { (group: index, duration: $0) } }
            .sorted { $0.duration.time < $1.duration.time }
        var atRisk = groups.map(\.count)
        var position = 0
        while position < all.count {
            var row = Row(
                time: all[position].duration.time, atRisk: atRisk, events: Array(repeating: 0, count: groups.count))
            while position < all.count, all[position].duration.time == row.time {
                let entry = all[position]
                if entry.duration.isEvent { row.events[entry.group] += 1 }
                atRisk[entry.group] -= 1
                position += 1
            }
            rows.append(row)
        }
    }
}
