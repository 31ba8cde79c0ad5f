import Foundation
import Testing

@testable import Statistics

@Suite struct ResamplingTests {
    private let sample = [0.81, 0.42, 0.93, 0.77, 0.88, 0.79, 0.05, 0.91, 0.84, 0.8, 0.86]

    private func mean(_ values: [Double]) -> Double { Statistics.mean(values) ?? .nan }

    @Test func theSameSeedGivesTheSameInterval() throws {
        func interval(_ seed: UInt64) throws -> BootstrapEstimate {
            try Statistics.bootstrap(sample, resampling: Resampling(resamples: 500, seed: seed), statistic: mean)
        }
        #expect(try interval(3) == interval(3))
        #expect(try interval(3) != interval(4))
    }

    /// A skewed sample: BCa leans towards the long tail, where the percentile interval cannot.
    @Test func bcaLeansTowardsTheLongTail() throws {
        let resampling = Resampling(resamples: 4000, seed: 8)
        let bca = try Statistics.bootstrap(sample, resampling: resampling, statistic: mean)
        let percentile = try Statistics.bootstrap(sample, resampling: resampling, method: .percentile, statistic: mean)
        #expect(bca.acceleration < 0)
        #expect(bca.interval.lower < percentile.interval.lower && bca.interval.upper < percentile.interval.upper)
        #expect(bca.estimate == percentile.estimate && bca.standardError == percentile.standardError)
        // The standard error of a mean is s √((n − 1) / n) / √n under resampling.
        let expected = try #require(Statistics.standardDeviation(sample)) * (10.0 / 11 / 11).squareRoot()
        #expect(abs(bca.standardError / expected - 1) < 0.06)
    }

    @Test func aConstantSampleHasAPercentileIntervalOfNoWidth() throws {
        let estimate = try Statistics.bootstrap(
            [2, 2, 2], resampling: Resampling(resamples: 10, seed: 1), method: .percentile, statistic: mean)
        #expect(estimate.interval == ConfidenceInterval(lower: 2, upper: 2, level: 0.95) && estimate.standardError == 0)
        // A test says why its effect has no interval.
        let result = try Statistics.permutationTest(
            [2, 2], [1, 1], resampling: Resampling(resamples: 50, seed: 1))
        #expect(result.effect.interval == nil && result.effect.intervalMethod == "every resample gives 1.0")
        #expect(abs(result.p - 1.0 / 3) < 1e-15 && result.method == .exactPermutation)
    }

    /// Beyond the limit relabellings are drawn, and p is never 0.
    @Test func drawnPermutationsAreNearTheCounted() throws {
        let (a, b) = (sample, sample.map { $0 - 0.15 })
        let counted = try Statistics.permutationTest(
            a, b, alternative: .greater, resampling: Resampling(resamples: 100, seed: 2, exactLimit: 1_000_000))
        let drawn = try Statistics.permutationTest(
            a, b, alternative: .greater, resampling: Resampling(resamples: 20_000, seed: 2, exactLimit: 1000))
        #expect(counted.method == .exactPermutation && drawn.method == .monteCarlo(resamples: 20_000, seed: 2))
        #expect(abs(counted.p - drawn.p) < 5 * (counted.p / 20_000).squareRoot())
        let apart = try Statistics.permutationTest(
            a.map { $0 + 100 }, b, alternative: .greater, resampling: Resampling(resamples: 99, seed: 2, exactLimit: 1))
        #expect(apart.p == 0.01)
        let signs = try Statistics.pairedPermutationTest(
            a, b, alternative: .greater, resampling: Resampling(resamples: 99, seed: 2, exactLimit: 1))
        #expect(signs.p == 0.01 && signs.method == .monteCarlo(resamples: 99, seed: 2))
        let order = try Statistics.spearman(
            a, b, alternative: .greater, method: .permutation(Resampling(resamples: 99, seed: 2)))
        #expect(order.p == 0.01 && order.statistic == 1 && order.effect.interval == nil)
    }

    @Test func combinationsAreAllThereOnce() {
        for (count, total) in [(1, 1), (1, 4), (3, 5), (4, 4), (2, 7)] {
            var seen: Set<[Bool]> = []
            var calls = 0
            Statistics.forEachCombination(of: count, among: total) {
                calls += 1
                seen.insert($0)
            }
            #expect(Double(calls) == Statistics.combinations(total, count) && seen.count == calls)
            #expect(seen.allSatisfy { $0.count { $0 } == count })
        }
    }

    /// A model's images are resampled inside it: the spread between models and within them are told apart.
    @Test func unitsAndItemsAreResampledApart() throws {
        func unit(_ name: String, _ centre: Double, _ spread: Double) -> UnitOfAnalysis {
            UnitOfAnalysis(name: name, items: (0..<50).map { centre + ($0 % 2 == 0 ? spread : -spread) })
        }
        let resampling = Resampling(resamples: 2000, seed: 4)
        func error(_ cohort: [UnitOfAnalysis], _ level: HierarchicalLevel) throws -> Double {
            try Statistics.hierarchicalBootstrap([cohort], level: level, resampling: resampling) { mean($0[0]) }
                .standardError
        }
        // Models differ, images of one model do not.
        let steady = [unit("a", 0.2, 0), unit("b", 0.5, 0), unit("c", 0.8, 0)]
        #expect(try error(steady, .items) < 1e-12)
        #expect(abs(try error(steady, .units) / 0.1414 - 1) < 0.05)
        // Images differ, models do not: ± 0.3 over 150 images.
        let alike = [unit("a", 0.5, 0.3), unit("b", 0.5, 0.3), unit("c", 0.5, 0.3)]
        #expect(try error(alike, .units) < 1e-12)
        #expect(abs(try error(alike, .items) / (0.3 / 150.0.squareRoot()) - 1) < 0.05)
        #expect(abs(try error(alike, .unitsAndItems) / (0.3 / 150.0.squareRoot()) - 1) < 0.05)
        let both = try Statistics.hierarchicalBootstrap([steady, alike], level: .unitsAndItems, resampling: resampling)
        {
            mean($0[1]) - mean($0[0])
        }
        #expect(abs(both.estimate) < 1e-12 && both.interval.lower < 0 && both.interval.upper > 0)
        #expect(throws: StatisticsError.tooFewValues(sample: "1 of units", count: 1, needed: 2)) {
            try Statistics.hierarchicalBootstrap([[unit("a", 0, 1)]], level: .units, resampling: resampling) {
                mean($0[0])
            }
        }
        #expect(throws: StatisticsError.tooFewValues(sample: "empty", count: 0, needed: 1)) {
            try Statistics.hierarchicalBootstrap(
                [[UnitOfAnalysis(name: "empty", items: [])]], level: .items, resampling: resampling
            ) { mean($0[0]) }
        }
        #expect(throws: StatisticsError.tooFewGroups(count: 0, needed: 1)) {
            try Statistics.hierarchicalBootstrap([], level: .items, resampling: resampling) { _ in 0 }
        }
        #expect(throws: StatisticsError.statisticNotFinite) {
            try Statistics.hierarchicalBootstrap([steady], level: .items, resampling: resampling) { _ in .nan }
        }
    }

    @Test func omnibusEffectsHaveIntervals() throws {
        let groups = [[1.0, 4, 2, 7, 3.5], [2.0, 8, 9, 5, 11], [12.0, 3, 14, 19, 10.5, 6]]
        for result in [try Statistics.kruskalWallis(groups), try Statistics.brownForsythe(groups)] {
            let interval = try #require(result.effect.interval, "\(result)")
            #expect(interval.lower <= interval.upper && result.alternative == nil && result.sizes == [5, 5, 6])
        }
        let blocks: [[Double]] = (0..<12).map { (block: Int) -> [Double] in
            let (slope, offset) = (Double(block % 5), Double(block * 7 % 11) / 10)
            return [offset, offset + 0.4 * slope, offset + slope]
        }
        let friedman = try Statistics.friedman(blocks)
        #expect(friedman.effect.measure == .kendallsW && friedman.effect.interval != nil && friedman.sizes == [12, 3])
        let single = try Statistics.friedman([[1, 2, 3]])
        #expect(single.effect.value == 1 && single.effect.interval == nil)
        #expect(single.effect.intervalMethod == "1 value where a bootstrap needs 2")
    }
}
