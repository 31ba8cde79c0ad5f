import Statistics

/// Whether a gate deserves trust on a dataset: does its score follow the Dice, and what would it have gained?
///
/// ```swift
/// let trust = try GateTrust(cases)
/// trust.isValid              // the correlation's interval lies above 0, and is of enough units
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
        /// Names the pictures that are drawn together in a resample, those of one subject; `nil` for a picture by itself.
        public var unit: String?

        public init(
            plainScore: Double?, skilledScore: Double?, plainDice: Double, skilledDice: Double, unit: String? = nil
        ) {
            self.unit = unit
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
    /// The interval of the correlation, from units drawn with replacement: the two drawings of a picture stay together, and so do the
    /// pictures of a unit (Davison and Hinkley 1997, section 3.8; Field and Welsh 2007).
    public let interval: ConfidenceInterval?
    /// How many units were drawn with replacement.
    public let units: Int

    /// Fewer units are too few for a verdict.
    ///
    /// A percentile interval of few units is too narrow. Of a score that knows nothing of the Dice it should lie above 0 in 2.5 % of datasets;
    /// in 1000 simulated ones each it did in 22 % with two units, 12 % with three, 4 to 5 % with four to six and 3.5 % with ten (independent
    /// normal scores and Dice, two drawings a unit; `GateTests` repeats three and ten).
    public static let leastUnits = 10

    public enum Verdict: String, Sendable, Hashable, Codable, CaseIterable {
        /// Score and Dice rise together beyond doubt.
        case valid
        /// The interval reaches 0, or there is none.
        case notValid
        /// Of fewer than `leastUnits` units nobody can tell.
        case tooFew
    }

    /// - Parameter resampling: of the interval.
    /// - Throws: `PolygonsError.noLabels` without cases.
    public init(_ cases: [Case], resamples: Int = 2000, seed: UInt64 = 1, level: Double = 0.95) throws(PolygonsError) {
        guard !cases.isEmpty else { throw .noLabels }
        self.cases = cases
        let (scores, dice) = Self.pairs(cases)
        correlation = try? Statistics.spearman(scores, dice, level: level)
        let units = Self.units(cases)
        self.units = units.count
        var random = SplitMix64(seed: seed)
        var values: [Double] = []
        for _ in 0..<max(resamples, 1) {
            let sample = units.flatMap { _ in units[random.index(below: units.count)] }
            let (scores, dice) = Self.pairs(sample)
            if let value = Statistics.spearmanCorrelation(scores, dice) { values.append(value) }
        }
        // An interval from resamples most of which have no correlation would be of those that have.
        if correlation != nil, units.count > 1, values.count * 2 > resamples,
            let lower = Statistics.quantile(values, (1 - level) / 2),
            let upper = Statistics.quantile(values, (1 + level) / 2)
        {
            interval = ConfidenceInterval(lower: lower, upper: upper, level: level)
        } else {
            interval = nil
        }
    }

    private static func units(_ cases: [Case]) -> [[Case]] {
        var places: [String: Int] = [:]
        var units: [[Case]] = []
        for item in cases {
            if let unit = item.unit, let place = places[unit] {
                units[place].append(item)
            } else {
                if let unit = item.unit { places[unit] = units.count }
                units.append([item])
            }
        }
        return units
    }

    /// What the correlation says of the score.
    public var verdict: Verdict {
        guard units >= Self.leastUnits else { return .tooFew }
        return interval.map { $0.lower > 0 } ?? false ? .valid : .notValid
    }

    /// Whether a loop that is steered by this score may be called deployable.
    public var isValid: Bool { verdict == .valid }

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
