import Statistics

/// Whether a gate deserves trust on a dataset: does its score follow the Dice, and what would it have gained?
///
/// ```swift
/// let trust = try GateTrust(cases)
/// trust.isValid              // the correlation's interval lies above 0
/// trust.dice(.gated)
/// ```
public struct GateTrust: Sendable, Hashable {
    /// One picture with and without a skill.
    public struct Case: Sendable, Hashable {
        /// The gate's score of the drawing without the skill, and with it; `nil` where it has none.
        public var plainScore: Double?
        public var skilledScore: Double?
        public var plainDice: Double
        public var skilledDice: Double

        public init(plainScore: Double?, skilledScore: Double?, plainDice: Double, skilledDice: Double) {
            (self.plainScore, self.skilledScore) = (plainScore, skilledScore)
            (self.plainDice, self.skilledDice) = (plainDice, skilledDice)
        }
    }

    public enum Policy: String, Sendable, Hashable, Codable, CaseIterable {
        /// The skill everywhere, or nowhere.
        case always, never
        /// The skill where its score is higher; without it where either score is missing.
        case gated
        /// Whichever has the higher Dice: what no gate can exceed.
        case oracle
    }

    public let cases: [Case]
    /// Spearman's correlation of score and Dice over the drawings of all pictures that have a score, without and with the skill, with its
    /// interval; `nil` where it is not defined.
    public let correlation: TestResult?
    /// The interval of the correlation, from pictures drawn with replacement: the two drawings of a picture stay together.
    public let interval: ConfidenceInterval?

    /// - Parameter resampling: of the interval.
    /// - Throws: `PolygonsError.noLabels` without cases.
    public init(_ cases: [Case], resamples: Int = 2000, seed: UInt64 = 1, level: Double = 0.95) throws(PolygonsError) {
        guard !cases.isEmpty else { throw .noLabels }
        self.cases = cases
        let (scores, dice) = Self.pairs(cases)
        correlation = try? Statistics.spearman(scores, dice, level: level)
        var random = SplitMix64(seed: seed)
        var values: [Double] = []
        for _ in 0..<max(resamples, 1) {
            let sample = cases.indices.map { _ in cases[random.index(below: cases.count)] }
            let (scores, dice) = Self.pairs(sample)
            if let value = Statistics.spearmanCorrelation(scores, dice) { values.append(value) }
        }
        // An interval from resamples most of which have no correlation would be of those that have.
        if correlation != nil, values.count * 2 > resamples,
            let lower = Statistics.quantile(values, (1 - level) / 2),
            let upper = Statistics.quantile(values, (1 + level) / 2)
        {
            interval = ConfidenceInterval(lower: lower, upper: upper, level: level)
        } else {
            interval = nil
        }
    }

    /// Whether a loop that is steered by this score may be called deployable: score and Dice rise together beyond doubt.
    public var isValid: Bool { interval.map { $0.lower > 0 } ?? false }

    /// Mean Dice under a policy.
    public func dice(_ policy: Policy) -> Double {
        cases.reduce(0) { $0 + Self.dice($1, policy) } / Double(cases.count)
    }

    private static func dice(_ item: Case, _ policy: Policy) -> Double {
        switch policy {
        case .always: return item.skilledDice
        case .never: return item.plainDice
        case .oracle: return max(item.plainDice, item.skilledDice)
        case .gated:
            guard let plain = item.plainScore, let skilled = item.skilledScore else { return item.plainDice }
            return skilled > plain ? item.skilledDice : item.plainDice
        }
    }

    private static func pairs(_ cases: [Case]) -> (scores: [Double], dice: [Double]) {
        var (scores, dice): ([Double], [Double]) = ([], [])
        for item in cases {
            for (score, value) in [(item.plainScore, item.plainDice), (item.skilledScore, item.skilledDice)] {
                guard let score else { continue }
                scores.append(score)
                dice.append(value)
            }
        }
        return (scores, dice)
    }
}
