/// What the test would find instead of the null hypothesis, as in scipy.
public enum Alternative: String, Sendable, Hashable, Codable, CaseIterable {
    case twoSided = "two-sided"
    /// The first sample tends to smaller values.
    case less
    /// The first sample tends to greater values.
    case greater

    /// The same question with the samples swapped.
    public var swapped: Alternative {
        switch self {
        case .twoSided: .twoSided
        case .less: .greater
        case .greater: .less
        }
    }

    /// The p of this alternative from the two tails, each with the observed value in it; two-sided as twice the smaller, at most 1.
    func p(lower: Double, upper: Double) -> Double {
        switch self {
        case .less: min(1, lower)
        case .greater: min(1, upper)
        case .twoSided: min(1, 2 * min(lower, upper))
        }
    }
}

/// Which distribution gave a p.
public enum TestMethod: Sendable, Hashable, Codable, CustomStringConvertible {
    /// The exact distribution of the statistic under the null hypothesis.
    case exact
    /// Exact, conditional on the ties that are in the data: all relabellings are counted.
    case exactPermutation
    /// A limiting distribution: normal, χ², F or t.
    case asymptotic
    /// Relabellings drawn at random: p = (b + 1) / (m + 1).
    case monteCarlo(resamples: Int, seed: UInt64)

    public var description: String {
        switch self {
        case .exact: "exact"
        case .exactPermutation: "exact permutation"
        case .asymptotic: "asymptotic"
        case .monteCarlo(let resamples, let seed): "Monte Carlo (\(resamples) resamples, seed \(seed))"
        }
    }
}

/// How much, where p says how surely.
public struct EffectSize: Sendable, Hashable, Codable {
    public enum Measure: String, Sendable, Hashable, Codable {
        /// P(X > Y) + ½ P(X = Y), in [0, 1]; ½ is none (Vargha and Delaney 2000).
        case probabilityOfSuperiority = "Vargha-Delaney A"
        /// P(X > Y) − P(X < Y), in [−1, 1] (Cliff 1993); for two samples the same number as the rank-biserial correlation.
        case cliffsDelta = "Cliff's delta"
        /// (W⁺ − W⁻) / (W⁺ + W⁻), in [−1, 1] (Kerby 2014).
        case matchedRankBiserial = "matched-pairs rank-biserial"
        /// H / (n − 1), in [0, 1] (Tomczak and Tomczak 2014).
        case epsilonSquared = "epsilon squared"
        /// Kendall's coefficient of concordance, in [0, 1].
        case kendallsW = "Kendall's W"
        /// Share of the absolute deviations' sum of squares that lies between the groups, in [0, 1].
        case etaSquared = "eta squared"
        /// Spearman's rank correlation, in [−1, 1].
        case spearmansRho = "Spearman's rho"
        /// In the unit of the values.
        case differenceInMeans = "difference in means"
        /// In the unit of the values.
        case differenceInMedians = "difference in medians"
        /// How many times as often the event comes in the first group, at any moment, as in the others; 1 is none.
        case hazardRatio = "hazard ratio"
    }

    public var measure: Measure
    public var value: Double
    /// `nil` where none was asked for, or where none exists; `intervalMethod` says which.
    public var interval: ConfidenceInterval?
    /// How the interval was made, or why there is none.
    public var intervalMethod: String

    public init(measure: Measure, value: Double, interval: ConfidenceInterval?, intervalMethod: String) {
        self.measure = measure
        self.value = value
        self.interval = interval
        self.intervalMethod = intervalMethod
    }
}

/// One test with what belongs beside its p: the sizes, the effect with its interval, and the correction for the family it is in.
///
/// ```swift
/// let result = try Statistics.mannWhitney([0.91, 0.88, 0.93], [0.71, 0.84, 0.62], alternative: .greater)
/// result.p              // 0.05
/// result.effect.value   // 1: every value of the first sample is greater
/// ```
public struct TestResult: Sendable, Hashable, Codable, CustomStringConvertible {
    /// The name of the test, as a paper would print it.
    public var test: String
    /// The letter of the statistic: `U`, `W`, `H`, ...
    public var statisticName: String
    public var statistic: Double
    /// Not corrected; in [0, 1].
    public var p: Double
    /// `nil` for a test of several groups, which has no direction.
    public var alternative: Alternative?
    public var method: TestMethod
    /// Values in each sample; for a paired test the number of pairs, once.
    public var sizes: [Int]
    /// Degrees of freedom of the limiting distribution; empty where it has none.
    public var degreesOfFreedom: [Double]
    public var effect: EffectSize
    /// What `p` became among the tests it was made with; `nil` until `Statistics.corrected` has seen the family.
    public var correction: AppliedCorrection?

    public init(
        test: String, statisticName: String, statistic: Double, p: Double, alternative: Alternative?,
        method: TestMethod,
        sizes: [Int], degreesOfFreedom: [Double] = [], effect: EffectSize, correction: AppliedCorrection? = nil
    ) {
        self.test = test
        self.statisticName = statisticName
        self.statistic = statistic
        self.p = p
        self.alternative = alternative
        self.method = method
        self.sizes = sizes
        self.degreesOfFreedom = degreesOfFreedom
        self.effect = effect
        self.correction = correction
    }

    /// One line with everything that should stand beside a p.
    public var description: String {
        var parts = ["\(test): \(statisticName) = \(statistic)", "p = \(p)"]
        if let alternative { parts.append(alternative.rawValue) }
        parts.append("\(method)")
        parts.append("n = \(sizes.map(String.init).joined(separator: ", "))")
        var size = "\(effect.measure.rawValue) = \(effect.value)"
        if let interval = effect.interval {
            size += " [\(interval.lower), \(interval.upper)] at \(interval.level) (\(effect.intervalMethod))"
        } else {
            size += " (no interval: \(effect.intervalMethod))"
        }
        parts.append(size)
        parts.append(correction.map { "\($0)" } ?? "not corrected for multiple testing")
        return parts.joined(separator: "; ")
    }
}

/// How often to draw at random, from which seed, and up to how many cases to count all of them instead.
public struct Resampling: Sendable, Hashable, Codable {
    /// At least 1. 10 000 settle the second digit of a p near 0.05.
    public var resamples: Int
    /// The same seed gives the same numbers on every machine.
    public var seed: UInt64
    /// Tests that can count all relabellings do so up to this many.
    public var exactLimit: Int

    public init(resamples: Int = 10_000, seed: UInt64, exactLimit: Int = 100_000) {
        self.resamples = resamples
        self.seed = seed
        self.exactLimit = exactLimit
    }

    func check() throws(StatisticsError) {
        guard resamples > 0 else {
            throw .parameter(
                name: "the number of resamples", value: Double(resamples), allowed: "a whole number above 0")
        }
    }
}
