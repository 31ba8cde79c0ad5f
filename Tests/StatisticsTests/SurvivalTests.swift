import Testing

@testable import Statistics

@Suite struct SurvivalTests {
    private func times(_ events: [Double], censored: [Double] = []) -> [SurvivalTime] {
        events.map { SurvivalTime(time: $0, isEvent: true) } + censored.map { SurvivalTime(time: $0, isEvent: false) }
    }

    /// Rounds until a pipeline runs: three at once, one after two, one never within 20.
    @Test func roundsUntilItRuns() throws {
        let curve = try SurvivalCurve(times([0, 0, 0, 2], censored: [20]))
        #expect(curve.steps.map(\.time) == [0, 2] && curve.steps.map(\.atRisk) == [5, 2])
        #expect(curve.steps.map(\.events) == [3, 1])
        #expect(zip(curve.steps, [0.4, 0.2]).allSatisfy { abs($0.survival - $1) < 1e-15 })
        #expect(curve.median == 0 && curve.count == 5 && curve.censored == 1)
        #expect(
            curve.steps.allSatisfy {
                ($0.interval?.lower ?? 1) < $0.survival && $0.survival < ($0.interval?.upper ?? 0)
            })
        // Greenwood by hand: 0.4 √(3 / (5 · 2)).
        #expect(abs(curve.steps[0].standardError - 0.4 * 0.3.squareRoot()) < 1e-15)
    }

    /// Without censoring the curve is one minus the empirical distribution.
    @Test func withoutCensoringItIsTheEmpiricalDistribution() throws {
        let values = [3.0, 1, 4, 1, 5, 9, 2, 6]
        for step in try SurvivalCurve(times(values)).steps {
            #expect(abs(step.survival - Double(values.count { $0 > step.time }) / 8) < 1e-15)
        }
        let last = try #require(try SurvivalCurve(times(values)).steps.last)
        #expect(last.survival == 0 && last.interval == nil && last.standardError == 0)
        #expect(try SurvivalCurve(times([], censored: [4, 4])).steps.isEmpty)
        #expect(try SurvivalCurve(times([1], censored: [4, 4])).median == nil)
    }

    @Test func groupsThatDifferAreToldApart() throws {
        let (fast, slow) = (times([0, 0, 1, 1, 2, 3]), times([4, 6, 9, 11], censored: [20, 20]))
        let result = try Statistics.logRank([fast, slow])
        #expect(result.p < 0.01 && result.effect.value > 1 && result.sizes == [6, 6])
        #expect(try #require(result.effect.interval).lower > 1)
        let swapped = try Statistics.logRank([slow, fast])
        #expect(abs(swapped.statistic - result.statistic) < 1e-12)
        #expect(abs(swapped.effect.value * result.effect.value - 1) < 1e-12)
        let same = try Statistics.logRank([fast, fast, fast])
        #expect(same.statistic < 1e-12 && same.p > 1 - 1e-6 && same.degreesOfFreedom == [2])
        // No event in one group: still a test and a finite ratio.
        let never = try Statistics.logRank([fast, times([], censored: [20, 20, 20])])
        #expect(never.effect.value.isFinite && never.effect.value > 1)
    }
}
