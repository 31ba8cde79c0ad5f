import Foundation
import TestSupport
import Testing

@testable import Statistics

@Suite struct ReferenceTests {
    /// scipy, statsmodels, scikit-posthocs, R and whole-number definitions: see the header of each file.
    @Test(arguments: ["special", "rank-sum", "u-counts", "signed-rank", "groups", "effects", "more", "r"])
    func storedValuesAreMet(file: String) throws {
        let stored = try Reference.stored(file)
        #expect((stored.header["scipy"] ?? stored.header["R"]) != nil && stored.header["command"] != nil)
        #expect(!stored.cases.isEmpty)
        for question in stored.cases where question.kind != "power" {
            try Reference.compare(question, try #require(question.expected))
        }
    }

    /// Two simulations of 20 000 experiments each: six standard errors apart is a miss of one in 10⁹.
    @Test func simulatedPowerIsScipys() throws {
        let cases = try Reference.stored("more").cases.filter { $0.kind == "power" }
        #expect(!cases.isEmpty)
        for question in cases {
            let expected = try #require(question.expected?["power"]?.first)
            let measured = try #require(try question.answer()["power"]?.first)
            let error = (2 * expected * (1 - expected) / 20_000).squareRoot()
            #expect(abs(measured - expected) <= 6 * error + 1e-4, "\(question.groups): \(measured) beside \(expected)")
        }
    }

    @Test(.enabled(if: Reference.interpreter != nil, "no Python with scipy"))
    func randomCasesAgreeWithScipy() throws {
        let seed = Trials.seed("randomCasesAgreeWithScipy")
        var draw = CaseGenerator(seed: seed)
        let cases = (0..<(Trials.isVerifying ? 10_000 : 200)).map { _ in draw.next() }
        let answers = try Reference.live(cases)
        #expect(answers.count == cases.count)
        for (question, expected) in zip(cases, answers) { try Reference.compare(question, expected) }
    }
}

/// Random questions: sizes from one to forty, values continuous, tied, or heavy-tailed.
private struct CaseGenerator {
    private var random: SplitMix64

    init(seed: UInt64) {
        random = SplitMix64(seed: seed)
    }

    private mutating func pick<Value>(_ values: [Value]) -> Value { values[random.index(below: values.count)] }
    private mutating func whole(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + random.index(below: range.count)
    }

    private mutating func sample(_ count: Int, _ shape: Int, shift: Double = 0) -> [Double] {
        (0..<count).map { _ in
            switch shape {
            case 0: random.normal() + shift
            case 1: (random.normal() * 3 + shift).rounded()
            case 2: random.normal() / max(0.01, abs(random.normal())) + shift
            default: random.uniform()
            }
        }
    }

    mutating func next() -> ReferenceCase {
        let kinds = [
            "mannWhitney", "mannWhitney", "mannWhitney", "signedRank", "signedRank", "kruskalWallis", "friedman",
            "brownForsythe", "spearman", "quantiles", "adjusted", "cliff", "hodgesLehmann", "chiSquare", "f", "t",
            "studentizedRange", "permutation", "rankSumPermutation", "bootstrap", "survival", "logRank", "uCounts",
            "normalQuantile", "ranks",
        ]
        var question = ReferenceCase(pick(kinds), [])
        question.alternative = pick(Alternative.allCases).rawValue
        let shape = whole(0...2)
        switch question.kind {
        case "chiSquare", "f", "t", "studentizedRange", "normalQuantile", "uCounts": distribution(&question)
        case "kruskalWallis", "brownForsythe":
            question.groups = (0..<whole(2...5)).map { _ in [] }
            for index in question.groups.indices {
                question.groups[index] = sample(whole(3...15), shape) + [Double(index)]
            }
        case "friedman":
            let treatments = whole(3...8)
            question.groups = (0..<whole(2...15)).map { _ in [] }
            for index in question.groups.indices { question.groups[index] = sample(treatments, shape) }
            question.groups[0] = (0..<treatments).map(Double.init)
        case "quantiles":
            question.groups = [sample(whole(1...30), shape), sample(5, 3)]
        case "ranks":
            question.groups = [sample(whole(1...30), shape)]
        case "adjusted":
            question.method = "benjamini-hochberg"
            question.groups = [sample(whole(1...20), 3)]
        case "survival", "logRank": survival(&question)
        case "bootstrap": bootstrap(&question)
        default: twoSamples(&question, shape)
        }
        return question
    }

    private mutating func distribution(_ question: inout ReferenceCase) {
        let positive = exp(3 * random.normal())
        let degrees = [Double(whole(1...60)), Double(whole(1...60))]
        switch question.kind {
        case "chiSquare": question.groups = [[positive * degrees[0]], [degrees[0]]]
        case "f": question.groups = [[positive], [degrees[0]], [degrees[1]]]
        case "t": question.groups = [[random.normal() * 4], [degrees[0]]]
        case "studentizedRange": question.groups = [[8 * random.uniform()], [Double(whole(2...20))], [-1]]
        case "normalQuantile": question.groups = [[random.uniform()]]
        default:
            let (m, n) = (whole(1...30), whole(1...30))
            question.groups = [[Double(m), Double(n)], (0..<4).map { _ in Double(whole(0...(m * n))) }]
        }
    }

    private mutating func twoSamples(_ question: inout ReferenceCase, _ shape: Int) {
        let isSmall = ["permutation", "rankSumPermutation"].contains(question.kind)
        let (m, n) = (whole(isSmall ? 2...5 : 3...40), whole(isSmall ? 2...5 : 3...40))
        let isPaired = ["signedRank", "spearman"].contains(question.kind)
        question.groups = [sample(m, shape, shift: random.uniform()), sample(isPaired ? m : n, shape)]
        switch question.kind {
        case "mannWhitney":
            // The exact method of scipy lets ties pass; ours refuses them.
            question.method = pick(shape == 1 ? ["auto", "asymptotic"] : ["auto", "asymptotic", "exact"])
            question.continuity = pick([true, false])
        case "signedRank":
            question.method = pick(shape == 1 ? ["auto", "asymptotic"] : ["auto", "asymptotic", "exact"])
            question.zeros = pick(ZeroDifferences.allCases).rawValue
            question.continuity = pick([true, false])
            question.groups[0][0] = question.groups[1][0] + 1.5
        case "spearman":
            // Constant samples have no correlation.
            for group in 0...1 { question.groups[group][0] = 77 + random.uniform() }
        case "permutation": question.statistic = pick(["means", "medians"])
        default: question.level = pick([0.8, 0.9, 0.95, 0.99])
        }
    }

    private mutating func survival(_ question: inout ReferenceCase) {
        question.level = 0.95
        for _ in 0..<(question.kind == "survival" ? 1 : 2) {
            let count = whole(2...30)
            question.groups.append((0..<count).map { _ in Double(whole(1...20)) })
            question.groups.append([1] + (1..<count).map { _ in pick([0, 1, 1]) })
        }
        // An event while both groups are at risk.
        if question.kind == "logRank" { question.groups[0][0] = 0.5 }
    }

    private mutating func bootstrap(_ question: inout ReferenceCase) {
        // Fewer pairs are drawn all alike too often, which leaves no correlation.
        let count = whole(12...20)
        question.statistic = pick(["mean", "means", "medians", "spearman"])
        question.paired = question.statistic == "spearman"
        question.groups = [sample(count, 0)]
        if question.statistic != "mean" { question.groups.append(sample(count, 0)) }
        (question.level, question.resamples, question.seed) = (0.9, 199, random.next() >> 1)
        question.method = pick(["bca", "percentile"])
    }
}
