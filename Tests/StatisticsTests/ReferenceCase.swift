import Statistics

/// One question that the library and Tests/Fixtures/statistics/reference.py both answer.
struct ReferenceCase: Codable {
    var kind: String
    var groups: [[Double]]
    var alternative: String?
    var method: String?
    var zeros: String?
    var continuity: Bool?
    var statistic: String?
    var paired: Bool?
    var level: Double?
    var resamples: Int?
    var seed: UInt64?
    /// What the other side answered, where it is stored.
    var expected: [String: [Double]]?

    init(_ kind: String, _ groups: [[Double]]) {
        self.kind = kind
        self.groups = groups
    }

    /// How far the answers may lie apart, relative to the reference, and absolutely for those near 0.
    var tolerance: (relative: Double, absolute: Double) {
        switch kind {
        // Polynomial values: the last digits of 16.
        case "normal", "normalQuantile", "uCounts": (1e-13, 0)
        // Whole numbers, or sums of a few values.
        case "ranks", "quantiles", "adjusted": (1e-12, 1e-14)
        // scipy integrates to about 1e-10 absolutely, and loses digits where p is small.
        case "studentizedRange", "nemenyi", "nemenyiPosthocs": (1e-6, 1e-8)
        // scipy 1.17 sums U's exact distribution in floating point once counts pass 2⁶⁴.
        case "mannWhitney" where method != "asymptotic": (1e-10, 1e-12)
        // A statistic of 1e-15 where groups are alike has no digits in common.
        default: (1e-10, 1e-12)
        }
    }

    private var side: Alternative { alternative.flatMap(Alternative.init) ?? .twoSided }
    private var confidence: Double { level ?? 0.95 }
    private var drawing: Resampling { Resampling(resamples: resamples ?? 1, seed: seed ?? 0, exactLimit: .max) }
    private var rankMethod: RankTestMethod {
        switch method {
        case "exact": .exact
        case "asymptotic": .asymptotic
        default: .automatic
        }
    }

    /// The library's answer, under the reference's names.
    func answer() throws -> [String: [Double]] {
        switch kind {
        case "normal", "normalQuantile", "chiSquare", "f", "t", "studentizedRange", "uCounts":
            try distributionAnswer()
        case "ranks", "quantiles", "adjusted": try descriptiveAnswer()
        case "cliff", "hodgesLehmann", "bootstrap": try effectAnswer()
        case "dunn", "nemenyi", "nemenyiPosthocs": try pairwiseAnswer()
        case "survival": try survivalAnswer()
        case "power": try powerAnswer()
        default: try testAnswer()
        }
    }

    private func distributionAnswer() throws -> [String: [Double]] {
        let first = groups[0]
        switch kind {
        case "normal":
            return [
                "cdf": first.map(NormalDistribution.cumulative), "sf": first.map(NormalDistribution.survival),
            ]
        case "normalQuantile":
            return ["value": first.map(NormalDistribution.quantile)]
        case "chiSquare":
            return ["p": zip(first, groups[1]).map { Tail.chiSquare($0, degrees: $1) }]
        case "t":
            return ["p": zip(first, groups[1]).map { Tail.t($0, degrees: $1) }]
        case "f":
            return [
                "p": first.indices.map {
                    Tail.f(first[$0], numerator: groups[1][$0], denominator: groups[2][$0])
                }
            ]
        case "uCounts":
            return ["lower": try MannWhitneyProbability.lower(groups[1], Int(first[0]), Int(first[1]))]
        default:
            return [
                "p": try first.indices.map {
                    try StudentizedRange.survival(
                        first[$0], groups: Int(groups[1][$0]), degrees: groups[2][$0] < 0 ? .infinity : groups[2][$0])
                }
            ]
        }
    }

    private func descriptiveAnswer() throws -> [String: [Double]] {
        switch kind {
        case "ranks":
            let ranks = try Ranks(groups[0])
            return ["ranks": ranks.values, "ties": ranks.ties.map(Double.init)]
        case "adjusted":
            guard let method = method.flatMap(MultipleTesting.init) else { throw UnknownCase(kind: kind) }
            return ["p": try Statistics.adjusted(groups[0], by: method)]
        default:
            let names: [(QuantileType, String)] = [
                (.inverse, "inverted_cdf"), (.averagedInverse, "averaged_inverted_cdf"),
                (.nearest, "closest_observation"), (.linearInverse, "interpolated_inverted_cdf"), (.hazen, "hazen"),
                (.weibull, "weibull"), (.gumbel, "linear"), (.medianUnbiased, "median_unbiased"),
                (.normalUnbiased, "normal_unbiased"),
            ]
            return Dictionary(
                uniqueKeysWithValues: names.map { type, name in
                    (name, groups[1].map { Statistics.quantile(groups[0], $0, type: type) ?? .nan })
                })
        }
    }

    private func effectAnswer() throws -> [String: [Double]] {
        switch kind {
        case "cliff":
            let delta = try Statistics.cliffsDelta(groups[0], groups[1], level: confidence)
            let superiority = try Statistics.probabilityOfSuperiority(groups[0], groups[1], level: confidence)
            return ["delta": [delta.value], "superiority": [superiority.value], "interval": bounds(delta.interval)]
        case "hodgesLehmann":
            let shift =
                groups.count == 1
                ? try Statistics.hodgesLehmann(groups[0], level: confidence)
                : try Statistics.hodgesLehmann(groups[0], groups[1], level: confidence)
            return [
                "shift": [shift.shift], "interval": bounds(shift.interval),
                "achieved": shift.achievedLevel.map { [$0] } ?? [],
            ]
        default:
            let result = try bootstrapAnswer()
            return ["interval": bounds(result.interval), "error": [result.standardError]]
        }
    }

    private func bootstrapAnswer() throws -> BootstrapEstimate {
        let method = BootstrapMethod(rawValue: method ?? "") ?? .bca
        func centre(_ values: [Double]) -> Double {
            (statistic?.hasPrefix("median") == true ? Statistics.median(values) : Statistics.mean(values)) ?? .nan
        }
        if paired == true {
            return try Statistics.bootstrapPairs(
                groups[0], groups[1], resampling: drawing, level: confidence, method: method
            ) { Statistics.spearmanCorrelation($0, $1) ?? .nan }
        }
        if groups.count == 1 {
            return try Statistics.bootstrap(
                groups[0], resampling: drawing, level: confidence, method: method, statistic: centre)
        }
        return try Statistics.bootstrap(
            groups[0], groups[1], resampling: drawing, level: confidence, method: method
        ) { centre($0) - centre($1) }
    }

    private func bounds(_ interval: ConfidenceInterval?) -> [Double] { interval.map { [$0.lower, $0.upper] } ?? [] }

    private func pairwiseAnswer() throws -> [String: [Double]] {
        if kind == "dunn" { return ["p": try Statistics.dunn(groups, correction: .none).map(\.result.p)] }
        let comparison = try Statistics.nemenyi(groups)
        let p = comparison.p.indices.flatMap { row in comparison.p[row].dropFirst(row + 1) }
        guard kind == "nemenyi" else { return ["p": p] }
        return ["p": p, "meanRanks": comparison.meanRanks, "criticalDifference": [comparison.criticalDifference]]
    }

    private func survivalAnswer() throws -> [String: [Double]] {
        let curve = try SurvivalCurve(times(0), level: confidence)
        return [
            "time": curve.steps.map(\.time), "survival": curve.steps.map(\.survival),
            "atRisk": curve.steps.map { Double($0.atRisk) },
            "lower": curve.steps.compactMap { $0.interval?.lower },
            "upper": curve.steps.compactMap { $0.interval?.upper },
        ]
    }

    private func times(_ index: Int) -> [SurvivalTime] {
        zip(groups[2 * index], groups[2 * index + 1]).map { SurvivalTime(time: $0, isEvent: $1 > 0) }
    }

    private func powerAnswer() throws -> [String: [Double]] {
        let result = try Statistics.simulatedPower(
            .normal(groups[1][0]), sizes: (Int(groups[0][0]), Int(groups[0][1])), test: side, experiments: 20_000,
            seed: seed ?? 0)
        return ["power": [result.power]]
    }

    private func testAnswer() throws -> [String: [Double]] {
        let result = try test()
        return ["statistic": [result.statistic], "p": [result.p]]
    }

    private func test() throws -> TestResult {
        switch kind {
        case "mannWhitney":
            return try Statistics.mannWhitney(
                groups[0], groups[1], alternative: side, method: rankMethod, continuity: continuity ?? true)
        case "rankSumPermutation":
            return try Statistics.mannWhitney(groups[0], groups[1], alternative: side, method: .permutation(drawing))
        case "signedRank":
            return try Statistics.signedRank(
                groups[0], groups[1], alternative: side, method: rankMethod,
                zeros: ZeroDifferences(rawValue: zeros ?? "") ?? .wilcox, continuity: continuity ?? false,
                intervals: nil)
        case "kruskalWallis": return try Statistics.kruskalWallis(groups, intervals: nil)
        case "friedman": return try Statistics.friedman(groups, intervals: nil)
        case "brownForsythe": return try Statistics.brownForsythe(groups, intervals: nil)
        case "spearman": return try Statistics.spearman(groups[0], groups[1], alternative: side)
        case "spearmanPermutation":
            return try Statistics.spearman(groups[0], groups[1], alternative: side, method: .permutation(drawing))
        case "permutation":
            let statistic = PermutationStatistic(rawValue: statistic ?? "") ?? .means
            return paired == true
                ? try Statistics.pairedPermutationTest(
                    groups[0], groups[1], of: statistic, alternative: side, resampling: drawing)
                : try Statistics.permutationTest(
                    groups[0], groups[1], of: statistic, alternative: side, resampling: drawing)
        case "logRank":
            return try Statistics.logRank((0..<(groups.count / 2)).map(times))
        default: throw UnknownCase(kind: kind)
        }
    }
}

struct UnknownCase: Error {
    var kind: String
}
