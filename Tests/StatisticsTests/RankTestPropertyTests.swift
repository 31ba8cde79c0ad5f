import Foundation
import TestSupport
import Testing

@testable import Statistics

/// What holds for every sample, tried on random ones.
@Suite struct RankTestPropertyTests {
    private static func samples(_ random: inout SplitMix64, ties: Bool) -> ([Double], [Double]) {
        let sizes = (1 + random.index(below: 12), 1 + random.index(below: 12))
        func draw(_ count: Int) -> [Double] {
            (0..<count).map { _ in ties ? Double(random.index(below: 6)) : random.normal() }
        }
        return (draw(sizes.0), draw(sizes.1))
    }

    private static let methods: [RankTestMethod] = [
        .automatic, .asymptotic, .permutation(Resampling(seed: 1)), .monteCarlo(Resampling(resamples: 99, seed: 3)),
    ]

    @Test func swappingSamplesMirrorsTheTest() throws {
        var random = SplitMix64(seed: Trials.seed("swappingSamplesMirrorsTheTest"))
        for trial in 0..<200 {
            let (a, b) = Self.samples(&random, ties: trial % 2 == 0)
            for alternative in Alternative.allCases {
                for method in Self.methods.prefix(3) {
                    let forth = try Statistics.mannWhitney(a, b, alternative: alternative, method: method)
                    let back = try Statistics.mannWhitney(b, a, alternative: alternative.swapped, method: method)
                    #expect(forth.statistic + back.statistic == Double(a.count * b.count))
                    #expect(abs(forth.p - back.p) <= 1e-13)
                    #expect(forth.effect.value == -back.effect.value)
                }
            }
        }
    }

    @Test func onlyTheOrderOfValuesCounts() throws {
        var random = SplitMix64(seed: Trials.seed("onlyTheOrderOfValuesCounts"))
        for trial in 0..<100 {
            let (a, b) = Self.samples(&random, ties: trial % 2 == 0)
            func cubed(_ values: [Double]) -> [Double] { values.map { 3 + exp($0) } }
            for method in Self.methods {
                #expect(
                    try Statistics.mannWhitney(a, b, method: method)
                        == Statistics.mannWhitney(cubed(a), cubed(b), method: method))
            }
            if a.count > 1 || b.count > 1, Set(a + b).count > 1 {
                #expect(
                    try Statistics.kruskalWallis([a, b], intervals: nil)
                        == Statistics.kruskalWallis([cubed(a), cubed(b)], intervals: nil))
            }
        }
    }

    @Test func everyPIsAProbabilityAndOppositeSidesOverlap() throws {
        var random = SplitMix64(seed: Trials.seed("everyPIsAProbabilityAndOppositeSidesOverlap"))
        for trial in 0..<100 {
            let (a, b) = Self.samples(&random, ties: trial % 2 == 0)
            for method in Self.methods {
                let p = try Alternative.allCases.map {
                    try Statistics.mannWhitney(a, b, alternative: $0, method: method).p
                }
                #expect(p.allSatisfy { $0 > 0 && $0 <= 1 })
                // Each side has the observed value in it.
                #expect(p[1] + p[2] >= 1 - 1e-12)
                #expect(abs(p[0] - min(1, 2 * min(p[1], p[2]))) <= 1e-13)
            }
        }
    }

    /// Without ties the permutation distribution is the exact one: another algorithm, the same numbers.
    @Test func permutationEqualsExactWithoutTies() throws {
        var random = SplitMix64(seed: Trials.seed("permutationEqualsExactWithoutTies"))
        for _ in 0..<50 {
            let (a, b) = Self.samples(&random, ties: false)
            for alternative in Alternative.allCases {
                let exact = try Statistics.mannWhitney(a, b, alternative: alternative, method: .exact)
                let counted = try Statistics.mannWhitney(
                    a, b, alternative: alternative, method: .permutation(Resampling(seed: 1)))
                #expect(abs(exact.p - counted.p) <= 1e-12 * exact.p)
                #expect(exact.method == .exact && counted.method == .exactPermutation)
            }
        }
    }

    /// With ties, against counting every choice one by one.
    @Test func permutationEqualsEnumerationWithTies() throws {
        var random = SplitMix64(seed: Trials.seed("permutationEqualsEnumerationWithTies"))
        for _ in 0..<40 {
            let (a, b) = (
                (0..<(1 + random.index(below: 5))).map { _ in Double(random.index(below: 4)) },
                (0..<(1 + random.index(below: 6))).map { _ in Double(random.index(below: 4)) }
            )
            let ranks = try Ranks(a + b).values
            let observed = ranks[..<a.count].reduce(0, +)
            var (lower, upper, all) = (0.0, 0.0, 0.0)
            Statistics.forEachCombination(of: a.count, among: ranks.count) { chosen in
                let sum = zip(ranks, chosen).reduce(0) { $0 + ($1.1 ? $1.0 : 0) }
                all += 1
                if sum <= observed { lower += 1 }
                if sum >= observed { upper += 1 }
            }
            let less = try Statistics.mannWhitney(
                a, b, alternative: .less, method: .permutation(Resampling(seed: 1)))
            let greater = try Statistics.mannWhitney(
                a, b, alternative: .greater, method: .permutation(Resampling(seed: 1)))
            #expect(abs(less.p - lower / all) < 1e-12 && abs(greater.p - upper / all) < 1e-12)
        }
    }

    /// Drawn relabellings approach the counted ones: five standard errors apart is a miss of one in a million.
    @Test func drawnRelabellingsApproachTheCountedOnes() throws {
        let (a, b) = ([0.9, 0.8, 0.8, 0.7, 0.95, 0.6], [0.5, 0.8, 0.7, 0.65, 0.6, 0.4, 0.3])
        let counted = try Statistics.mannWhitney(a, b, alternative: .greater, method: .permutation(Resampling(seed: 1)))
        let drawn = try Statistics.mannWhitney(
            a, b, alternative: .greater, method: .monteCarlo(Resampling(resamples: 50_000, seed: 5)))
        #expect(abs(drawn.p - counted.p) < 5 * (counted.p * (1 - counted.p) / 50_000).squareRoot() + 1e-4)
        #expect(drawn.method == .monteCarlo(resamples: 50_000, seed: 5))
        let differences = zip(a, b).map(-)
        let zeroes = [Double](repeating: 0, count: a.count)
        let signs = try Statistics.signedRank(
            differences, zeroes, alternative: .greater, method: .permutation(Resampling(seed: 1)), intervals: nil)
        let drawnSigns = try Statistics.signedRank(
            differences, zeroes, alternative: .greater, method: .monteCarlo(Resampling(resamples: 50_000, seed: 5)),
            intervals: nil)
        #expect(abs(signs.p - drawnSigns.p) < 5 * (signs.p * (1 - signs.p) / 50_000).squareRoot() + 1e-4)
    }

    /// The whole distribution at 200 × 200: it ends at 1, never falls, and both tails meet.
    @Test func exactDistributionIsWholeAtTwoHundred() throws {
        let distribution = try MannWhitneyDistribution(200, 200)
        var last = 0.0
        for u in stride(from: 0, through: 40_000, by: 400) {
            let lower = distribution.lower(u)
            #expect(lower >= last && lower <= 1)
            #expect(abs(lower + distribution.upper(u + 1) - 1) < 1e-14)
            last = lower
        }
        #expect(distribution.lower(40_000) == 1 && distribution.lower(-1) == 0)
        // The smallest probability is one arrangement of C(400, 200).
        let all = IncompleteFunctions.logGamma(401) - 2 * IncompleteFunctions.logGamma(201)
        #expect(abs(log(distribution.lower(0)) + all) < 1e-10)
    }

    @Test func meetsWhatScipyWouldChoose() throws {
        let small = try Statistics.mannWhitney([1, 2, 3, 4, 5, 6, 7, 8], (0..<40).map { Double($0) + 0.5 })
        #expect(small.method == .exact)
        let tied = try Statistics.mannWhitney([1, 2, 3], [3, 4, 5])
        #expect(tied.method == .asymptotic)
        let large = try Statistics.mannWhitney((0..<9).map { Double($0) }, (0..<9).map { Double($0) + 0.5 })
        #expect(large.method == .asymptotic)
        let pairs = (0..<51).map { Double($0 * $0) + 1 }
        let zeroes = [Double](repeating: 0, count: 51)
        #expect(try Statistics.signedRank(pairs, zeroes, intervals: nil).method == .asymptotic)
        let first50 = try Statistics.signedRank(Array(pairs[..<50]), Array(zeroes[..<50]), intervals: nil)
        #expect(first50.method == .exact)
        #expect(try Statistics.signedRank([1, 1, 2], [0, 0, 0], intervals: nil).method == .exactPermutation)
    }

    /// All values equal: nothing speaks against the null hypothesis, and nothing is 0/0.
    @Test func allTiedIsNoEvidence() throws {
        for method in Self.methods {
            let result = try Statistics.mannWhitney([1, 1, 1], [1, 1], method: method)
            #expect(result.p == 1 && result.effect.value == 0 && result.statistic == 3)
        }
    }

    @Test func adjustedPKeepOrderAndNeverFall() throws {
        var random = SplitMix64(seed: Trials.seed("adjustedPKeepOrderAndNeverFall"))
        for _ in 0..<100 {
            let p = (0..<(1 + random.index(below: 20))).map { _ in random.uniform() * random.uniform() }
            let order = p.indices.sorted { p[$0] < p[$1] }
            for method in MultipleTesting.allCases {
                let adjusted = try Statistics.adjusted(p, by: method)
                #expect(zip(p, adjusted).allSatisfy { $0 <= $1 && $1 <= 1 })
                #expect(zip(order, order.dropFirst()).allSatisfy { adjusted[$0] <= adjusted[$1] })
            }
            // Bonferroni is never below Holm, nor Holm below Benjamini-Hochberg.
            let bonferroni = try Statistics.adjusted(p, by: .bonferroni)
            let holm = try Statistics.adjusted(p, by: .holm)
            let hochberg = try Statistics.adjusted(p, by: .benjaminiHochberg)
            #expect(
                zip(bonferroni, holm).allSatisfy { $0 >= $1 } && zip(holm, hochberg).allSatisfy { $0 >= $1 - 1e-15 })
        }
        #expect(try Statistics.adjusted([], by: .holm) == [])
    }

    @Test func aCorrectedResultSaysHow() throws {
        let results = try [[1.0, 2, 3], [4.0, 5, 9]].map {
            try Statistics.mannWhitney($0, [6, 7, 8, 10], alternative: .less)
        }
        #expect(results.allSatisfy { $0.correction == nil && "\($0)".contains("not corrected") })
        let corrected = try Statistics.corrected(results, by: .holm)
        #expect(corrected.map { $0.correction?.familySize } == [2, 2])
        #expect(corrected.map { $0.correction?.method } == [.holm, .holm])
        #expect(corrected[0].correction?.adjustedP == min(1, 2 * corrected[0].p))
        #expect("\(corrected[0])".contains("Holm over 2 tests"))
        #expect("\(corrected[0])".contains("n = 3, 4") && "\(corrected[0])".contains("Cliff's delta"))
        // What a report stores comes back the same.
        let stored = try JSONDecoder().decode([TestResult].self, from: JSONEncoder().encode(corrected))
        #expect(stored == corrected)
    }
}
