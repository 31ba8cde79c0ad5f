/// A share that was counted in a simulation.
public struct SimulatedPower: Sendable, Hashable, Codable {
    /// Share of simulated experiments that reject, in [0, 1].
    public var power: Double
    /// For the simulation's own error, at 95 %: Wilson (1927).
    public var interval: ConfidenceInterval
    /// P(X > Y) + ½ P(X = Y) under the alternative that was simulated.
    public var superiority: Double
    public var experiments: Int
    public var seed: UInt64
}

/// The alternative that a power is computed for.
public enum ShiftAlternative: Sendable, Hashable {
    /// Two normal distributions of equal spread, the first shifted up by this many standard deviations.
    case normal(Double)
    /// Values drawn from these with replacement, those of the first sample shifted up by `shift`, in their unit.
    case empirical([Double], shift: Double)
}

extension Statistics {
    /// Power of the Mann-Whitney test by Noether's formula (1987): Φ(|A − ½| √(12 c (1 − c) N) − z), c the share of the first sample,
    /// z the normal quantile of the level (half of it, two-sided). For alternatives near the null hypothesis and without ties; too
    /// pessimistic far from it, where the variance falls.
    ///
    /// - Parameters:
    ///   - superiority: A = P(X > Y) + ½ P(X = Y), in [0, 1].
    ///   - isTwoSided: Otherwise the test has the direction of the alternative.
    /// - Throws: `StatisticsError` for sizes below 1, A outside [0, 1], a level outside (0, 1).
    public static func noetherPower(
        superiority: Double, sizes: (Int, Int), significance: Double = 0.05, isTwoSided: Bool = true
    ) throws(StatisticsError) -> Double {
        guard superiority >= 0, superiority <= 1 else {
            throw .parameter(name: "A", value: superiority, allowed: "a number from 0 to 1")
        }
        let (reach, critical) = try noetherTerms(sizes, significance, isTwoSided)
        return NormalDistribution.cumulative(abs(superiority - 0.5) * reach - critical)
    }

    /// The smallest A above ½ that Noether's formula detects with this power; `nil` where not even 1, complete separation, would do.
    ///
    /// - Throws: As `noetherPower`.
    public static func noetherDetectableSuperiority(
        sizes: (Int, Int), power: Double = 0.8, significance: Double = 0.05, isTwoSided: Bool = true
    ) throws(StatisticsError) -> Double? {
        try check(significance: power, "the power")
        let (reach, critical) = try noetherTerms(sizes, significance, isTwoSided)
        let superiority = 0.5 + max(0, critical + NormalDistribution.quantile(power)) / reach
        return superiority <= 1 ? superiority : nil
    }

    private static func noetherTerms(
        _ sizes: (Int, Int), _ significance: Double, _ isTwoSided: Bool
    ) throws(StatisticsError) -> (reach: Double, critical: Double) {
        try check(sizes: sizes)
        try check(significance: significance, "the significance")
        let (m, n) = (Double(sizes.0), Double(sizes.1))
        return (
            (12 * m * n / (m + n)).squareRoot(),
            NormalDistribution.quantile(1 - significance / (isTwoSided ? 2 : 1))
        )
    }

    private static func check(sizes: (Int, Int)) throws(StatisticsError) {
        for (size, name) in [(sizes.0, "a"), (sizes.1, "b")] where size < 1 {
            throw .tooFewValues(sample: name, count: size, needed: 1)
        }
    }

    private static func check(significance: Double, _ name: String) throws(StatisticsError) {
        guard significance > 0, significance < 1 else {
            throw .parameter(name: name, value: significance, allowed: "a number between 0 and 1")
        }
    }

    /// Power of the Mann-Whitney test by simulation: experiments of these sizes under the alternative, each tested as `mannWhitney`
    /// with the automatic method would, and rejected where p ≤ significance.
    ///
    /// - Parameter test: Which side the test asks about; a positive shift puts the first sample above.
    /// - Throws: `StatisticsError` for sizes below 1, no values to draw from, values or a shift that are not finite, a significance
    ///   outside (0, 1).
    /// - Complexity: O(experiments · N log N).
    public static func simulatedPower(
        _ alternative: ShiftAlternative, sizes: (Int, Int), test: Alternative = .twoSided, significance: Double = 0.05,
        experiments: Int = 10_000, seed: UInt64
    ) throws(StatisticsError) -> SimulatedPower {
        let simulation = try PowerSimulation(sizes, test, significance, experiments, seed)
        return try simulation.power(alternative)
    }

    /// The smallest A above ½ that is detected with this power where two normal distributions of equal spread are shifted, by
    /// simulation; `nil` where not even complete separation is.
    ///
    /// Every shift is tried on the same random numbers, so that rejections in its direction only grow with it, and bisection is
    /// sound. The answer's own error is about 0.01 with 10 000 experiments.
    ///
    /// - Throws: As `simulatedPower`.
    /// - Complexity: About 25 times `simulatedPower`.
    public static func detectableSuperiority(
        sizes: (Int, Int), power: Double = 0.8, test: Alternative = .twoSided, significance: Double = 0.05,
        experiments: Int = 10_000, seed: UInt64
    ) throws(StatisticsError) -> Double? {
        try check(significance: power, "the power")
        let simulation = try PowerSimulation(sizes, test, significance, experiments, seed)
        let sign = test == .less ? -1.0 : 1.0
        func reaches(_ shift: Double) throws(StatisticsError) -> Bool {
            try simulation.power(.normal(sign * shift)).power >= power
        }
        // Twelve standard deviations apart, samples overlap in no experiment of any length.
        var (low, high) = (0.0, 12.0)
        guard try reaches(high) else { return nil }
        while high - low > 1e-6 {
            let middle = (low + high) / 2
            if try reaches(middle) { high = middle } else { low = middle }
        }
        return NormalDistribution.cumulative(high / 2.0.squareRoot())
    }

    fileprivate struct PowerSimulation {
        let sizes: (Int, Int)
        let test: Alternative
        let significance: Double
        let experiments: Int
        let seed: UInt64
        /// For samples without ties where the automatic method is exact.
        let distribution: MannWhitneyDistribution?

        init(
            _ sizes: (Int, Int), _ test: Alternative, _ significance: Double, _ experiments: Int, _ seed: UInt64
        ) throws(StatisticsError) {
            try check(sizes: sizes)
            try check(significance: significance, "the significance")
            guard experiments > 0 else {
                throw .parameter(
                    name: "the number of experiments", value: Double(experiments), allowed: "a whole number above 0")
            }
            (self.sizes, self.test, self.significance) = (sizes, test, significance)
            (self.experiments, self.seed) = (experiments, seed)
            distribution = min(sizes.0, sizes.1) <= 8 ? try MannWhitneyDistribution(sizes.0, sizes.1) : nil
        }

        func power(_ alternative: ShiftAlternative) throws(StatisticsError) -> SimulatedPower {
            let superiority: Double
            switch alternative {
            case .normal(let shift):
                guard shift.isFinite else { throw .parameter(name: "the shift", value: shift, allowed: "a number") }
                superiority = NormalDistribution.cumulative(shift / 2.0.squareRoot())
            case .empirical(let values, let shift):
                try check(values, "to draw from")
                guard shift.isFinite else { throw .parameter(name: "the shift", value: shift, allowed: "a number") }
                superiority =
                    try probabilityOfSuperiority(values.map { $0 + shift }, values).value
            }
            var generator = SplitMix64(seed: seed)
            func draw(_ first: Bool) -> Double {
                switch alternative {
                case .normal(let shift): generator.normal() + (first ? shift : 0)
                case .empirical(let values, let shift):
                    values[generator.index(below: values.count)] + (first ? shift : 0)
                }
            }
            var rejected = 0
            for _ in 0..<experiments {
                let sample = (0..<(sizes.0 + sizes.1)).map { draw($0 < sizes.0) }
                if p(sample) <= significance { rejected += 1 }
            }
            return SimulatedPower(
                power: Double(rejected) / Double(experiments),
                interval: try shareInterval(successes: rejected, of: experiments), superiority: superiority,
                experiments: experiments, seed: seed)
        }

        private func p(_ sample: [Double]) -> Double {
            let ranks = Ranks(finite: sample)
            let m = Double(sizes.0)
            let u = ranks.values[..<sizes.0].reduce(0, +) - m * (m + 1) / 2
            if let distribution, ranks.ties.isEmpty {
                return test.p(lower: distribution.lower(Int(u)), upper: distribution.upper(Int(u)))
            }
            return asymptoticU(u, sizes: sizes, tieTerm: ranks.tieTerm, alternative: test, continuity: true)
        }
    }
}
