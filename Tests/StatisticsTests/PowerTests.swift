import Testing

@testable import Statistics

@Suite struct PowerTests {
    /// Noether 1987, formula 2 solved by hand: A = 0.7, 30 + 30, two-sided 5 %: 0.2 · √(12 · 0.25 · 60) − 1.95996 = 0.72332.
    @Test func noethersFormula() throws {
        let power = try Statistics.noetherPower(superiority: 0.7, sizes: (30, 30))
        #expect(abs(power - NormalDistribution.cumulative(0.723_317_6)) < 1e-6)
        #expect(abs(try Statistics.noetherPower(superiority: 0.3, sizes: (30, 30)) - power) < 1e-14)
        let detectable = try #require(try Statistics.noetherDetectableSuperiority(sizes: (30, 30), power: power))
        #expect(abs(detectable - 0.7) < 1e-12)
        // Three against three: 5 % cannot be reached at all.
        #expect(try Statistics.noetherDetectableSuperiority(sizes: (2, 2)) == nil)
        #expect(try Statistics.detectableSuperiority(sizes: (3, 3), experiments: 200, seed: 1) == nil)
    }

    @Test func noDifferenceIsFoundAsOftenAsTheLevelAllows() throws {
        let power = try Statistics.simulatedPower(.normal(0), sizes: (8, 11), seed: 3)
        // Ranks are whole numbers: the exact test at 5 % rejects 4.1 % or so, never more than 5.
        #expect(power.power <= 0.055 && power.power > 0.03 && power.superiority == 0.5)
        #expect(power.interval.lower < power.power && power.power < power.interval.upper)
    }

    @Test func powerGrowsWithTheShiftAndTheSizes() throws {
        func power(_ shift: Double, _ sizes: (Int, Int), _ test: Alternative = .twoSided) throws -> Double {
            try Statistics.simulatedPower(.normal(shift), sizes: sizes, test: test, experiments: 2000, seed: 9).power
        }
        #expect(try power(0.5, (8, 11)) < power(1, (8, 11)))
        #expect(try power(1, (8, 11)) < power(1, (20, 20)))
        #expect(try power(1, (8, 11), .greater) > power(1, (8, 11)))
        #expect(try power(1, (8, 11), .less) < 0.01)
        #expect(try power(-1, (8, 11), .less) > 0.5)
    }

    /// With 8 models against 11, only large differences are found: what a note on the cohorts has to say.
    @Test func theSmallestDetectableDifferenceIsDetected() throws {
        let smallest = try #require(
            try Statistics.detectableSuperiority(sizes: (8, 11), test: .greater, experiments: 4000, seed: 1))
        let noether = try #require(
            try Statistics.noetherDetectableSuperiority(sizes: (8, 11), isTwoSided: false))
        #expect(abs(smallest - noether) < 0.06 && smallest > 0.7)
        // A different seed confirms 80 % there: five standard errors of both simulations.
        let shift = NormalDistribution.quantile(smallest) * 2.0.squareRoot()
        let power = try Statistics.simulatedPower(.normal(shift), sizes: (8, 11), test: .greater, seed: 77)
        #expect(abs(power.power - 0.8) < 0.04)
        let less = try #require(
            try Statistics.detectableSuperiority(sizes: (8, 11), test: .less, experiments: 4000, seed: 1))
        #expect(abs(less - smallest) < 0.03)
    }

    @Test func aShiftOfRealValues() throws {
        let dice = [0.8753, 0.8743, 0.8721, 0.7635, 0.7052, 0.6, 0.5, 0.2]
        let none = try Statistics.simulatedPower(.empirical(dice, shift: 0), sizes: (8, 11), experiments: 4000, seed: 5)
        let some = try Statistics.simulatedPower(
            .empirical(dice, shift: 0.3), sizes: (8, 11), experiments: 4000, seed: 5)
        #expect(none.superiority == 0.5 && none.power < 0.06)
        #expect(some.superiority > 0.7 && some.power > none.power + 0.2)
    }
}
