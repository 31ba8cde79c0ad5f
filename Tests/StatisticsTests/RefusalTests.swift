import Testing

@testable import Statistics

/// Every reason to refuse, and the sentence it is refused with.
@Suite struct RefusalTests {
    private func refused<Value>(
        _ expected: StatisticsError, _ sentence: String, _ body: () throws(StatisticsError) -> Value,
        location: SourceLocation = #_sourceLocation
    ) {
        do throws(StatisticsError) {
            _ = try body()
            Issue.record("not refused", sourceLocation: location)
        } catch {
            #expect(error == expected, sourceLocation: location)
            #expect(error.description.contains(sentence), "\(error)", sourceLocation: location)
        }
    }

    @Test func samplesThatAreTooSmall() {
        refused(.tooFewValues(sample: "a", count: 0, needed: 1), "sample a has 0 values where at least 1") {
            () throws(StatisticsError) in try Statistics.mannWhitney([], [1])
        }
        refused(.tooFewValues(sample: "b", count: 0, needed: 1), "sample b") { () throws(StatisticsError) in
            try Statistics.cliffsDelta([1], [])
        }
        refused(.tooFewValues(sample: "a", count: 2, needed: 3), "has 2 values") { () throws(StatisticsError) in
            try Statistics.spearman([1, 2], [2, 1])
        }
        refused(.tooFewValues(sample: "to resample", count: 1, needed: 2), "has 1 value where") {
            () throws(StatisticsError) in
            try Statistics.bootstrap([1], resampling: Resampling(seed: 1)) { $0[0] }
        }
        refused(.tooFewValues(sample: "2", count: 1, needed: 2), "sample 2") { () throws(StatisticsError) in
            try Statistics.brownForsythe([[1, 2], [3]])
        }
        refused(.tooFewValues(sample: "of blocks", count: 0, needed: 1), "of blocks") { () throws(StatisticsError) in
            try Statistics.friedman([])
        }
        refused(.tooFewValues(sample: "of durations", count: 0, needed: 1), "of durations") {
            () throws(StatisticsError) in try SurvivalCurve([])
        }
        refused(.tooFewValues(sample: "a", count: 0, needed: 1), "sample a") { () throws(StatisticsError) in
            try Statistics.noetherPower(superiority: 0.7, sizes: (0, 3))
        }
        refused(.tooFewGroups(count: 1, needed: 2), "1 group given") { () throws(StatisticsError) in
            try Statistics.kruskalWallis([[1, 2]])
        }
        refused(.tooFewGroups(count: 2, needed: 3), "2 groups given") { () throws(StatisticsError) in
            try Statistics.friedman([[1, 2], [2, 1]])
        }
    }

    @Test func valuesThatAreNotFinite() {
        refused(.notFinite(sample: "b", index: 1), "at index 1") { () throws(StatisticsError) in
            try Statistics.mannWhitney([1, 2], [3, .nan])
        }
        refused(.notFinite(sample: "a", index: 0), "no finite number") { () throws(StatisticsError) in
            try Statistics.hodgesLehmann([.infinity])
        }
        refused(.notFinite(sample: "block 2", index: 2), "block 2") { () throws(StatisticsError) in
            try Statistics.friedman([[1, 2, 3], [1, 2, .nan]])
        }
        // Each value is finite, their difference is not.
        refused(.notFinite(sample: "a - b", index: 0), "a - b") { () throws(StatisticsError) in
            try Statistics.signedRank([1e308, 1], [-1e308, 2])
        }
        refused(.statisticNotFinite, "not defined on some resample") { () throws(StatisticsError) in
            try Statistics.bootstrap([1, 2, 3], resampling: Resampling(seed: 1)) { 1 / ($0[0] - 1) }
        }
    }

    @Test func designsThatDoNotMatch() {
        refused(.unequalLengths(2, 3), "2 and 3 values") { () throws(StatisticsError) in
            try Statistics.signedRank([1, 2], [1, 2, 3])
        }
        refused(.unequalLengths(3, 2), "3 and 2 values") { () throws(StatisticsError) in
            try Statistics.friedman([[1, 2, 3], [1, 2]])
        }
        refused(.unequalLengths(1, 2), "every pair") { () throws(StatisticsError) in
            try Statistics.bootstrapPairs([1], [1, 2], resampling: Resampling(seed: 1)) { $0[0] - $1[0] }
        }
    }

    @Test func nothingVaries() {
        refused(.noVariation("the values of all groups"), "nothing to test") { () throws(StatisticsError) in
            try Statistics.kruskalWallis([[1, 1], [1]])
        }
        refused(.noVariation("the values of all groups"), "do not vary") { () throws(StatisticsError) in
            try Statistics.dunn([[1, 1], [1]])
        }
        refused(.noVariation("the values within each block"), "within each block") { () throws(StatisticsError) in
            try Statistics.friedman([[1, 1, 1], [2, 2, 2]])
        }
        refused(.noVariation("the differences, all zero,"), "all zero") { () throws(StatisticsError) in
            try Statistics.signedRank([1, 2], [1, 2])
        }
        refused(.noVariation("the values of b"), "of b") { () throws(StatisticsError) in
            try Statistics.spearman([1, 2, 3], [1, 1, 1])
        }
        refused(.noVariation("the absolute deviations within the groups"), "deviations") {
            () throws(StatisticsError) in try Statistics.brownForsythe([[1, 2], [5, 9]])
        }
        refused(.noVariation("the groups at risk when events come"), "at risk") { () throws(StatisticsError) in
            try Statistics.logRank([
                [SurvivalTime(time: 1, isEvent: false)], [SurvivalTime(time: 2, isEvent: true)],
            ])
        }
        refused(.degenerateBootstrap("every resample gives 2.0"), "no BCa interval") { () throws(StatisticsError) in
            try Statistics.bootstrap([2, 2, 2], resampling: Resampling(seed: 1)) { Statistics.mean($0) ?? .nan }
        }
        refused(
            .degenerateBootstrap("every resample lies on one side of the estimate 0.0"), "percentile interval"
        ) { () throws(StatisticsError) in
            // An estimate that no resample reaches: whether all values are there.
            try Statistics.bootstrap([1, 2, 3, 4, 5, 6, 7, 8, 9], resampling: Resampling(resamples: 50, seed: 1)) {
                Double(9 - Set($0).count)
            }
        }
    }

    @Test func exactWhereThereIsNoExact() {
        refused(.tiesForbidExact(test: "Mann-Whitney's U"), "without ties") { () throws(StatisticsError) in
            try Statistics.mannWhitney([1, 2], [2, 3], method: .exact)
        }
        refused(.tiesForbidExact(test: "the signed-rank statistic"), "zero differences") {
            () throws(StatisticsError) in try Statistics.signedRank([1, 2], [1, 3], method: .exact)
        }
        let many = (0..<2000).map { Double($0) }
        refused(.tooLargeForExact(test: "Mann-Whitney's U", sizes: [2000, 2000]), "sizes 2000 and 2000 costs too much")
        {
            () throws(StatisticsError) in
            try Statistics.mannWhitney(many, many.map { 2000 - $0 + 0.5 }.map { $0 - 1000 + 1000 }, method: .exact)
        }
        refused(.tooLargeForExact(test: "the signed-rank statistic", sizes: [1999]), "1999") {
            () throws(StatisticsError) in
            try Statistics.signedRank(Array(many[1...]), many.dropFirst().map { _ in 0 }, method: .exact)
        }
        refused(.tooLargeForExact(test: "pairwise differences", sizes: [20_000, 2000]), "pairwise") {
            () throws(StatisticsError) in
            try Statistics.hodgesLehmann((0..<20_000).map { Double($0) }, many)
        }
        refused(.tooLargeForExact(test: "Walsh averages", sizes: [6001]), "Walsh") { () throws(StatisticsError) in
            try Statistics.hodgesLehmann((0...6000).map { Double($0) })
        }
    }

    @Test func parametersOutOfRange() {
        func parameter(_ name: String, _ value: Double, _ allowed: String) -> StatisticsError {
            .parameter(name: name, value: value, allowed: allowed)
        }
        refused(
            parameter("the confidence level", 1, "a number between 0 and 1, such as 0.95"), "level is 1.0: give"
        ) { () throws(StatisticsError) in try Statistics.cliffsDelta([1, 2], [3], level: 1) }
        refused(parameter("a p-value", -0.1, "a number from 0 to 1"), "-0.1") { () throws(StatisticsError) in
            try Statistics.adjusted([0.2, -0.1], by: .holm)
        }
        refused(parameter("the number of resamples", 0, "a whole number above 0"), "resamples is 0") {
            () throws(StatisticsError) in
            try Statistics.permutationTest([1], [2], resampling: Resampling(resamples: 0, seed: 1))
        }
        refused(parameter("the number of experiments", 0, "a whole number above 0"), "experiments is 0") {
            () throws(StatisticsError) in
            try Statistics.simulatedPower(.normal(1), sizes: (3, 3), experiments: 0, seed: 1)
        }
        refused(parameter("the shift", .infinity, "a number"), "the shift is inf") { () throws(StatisticsError) in
            try Statistics.simulatedPower(.normal(.infinity), sizes: (3, 3), seed: 1)
        }
        refused(parameter("A", 1.5, "a number from 0 to 1"), "A is 1.5") { () throws(StatisticsError) in
            try Statistics.noetherPower(superiority: 1.5, sizes: (3, 3))
        }
        refused(parameter("the power", 1, "a number between 0 and 1"), "the power is 1.0") {
            () throws(StatisticsError) in try Statistics.noetherDetectableSuperiority(sizes: (3, 3), power: 1)
        }
        refused(parameter("the upper probability", 0, "a number between 0 and 1"), "upper") {
            () throws(StatisticsError) in try StudentizedRange.quantile(upper: 0, groups: 3)
        }
        refused(parameter("the degrees of freedom", 0, "a number above 0"), "degrees") { () throws(StatisticsError) in
            try StudentizedRange.survival(1, groups: 3, degrees: 0)
        }
        refused(parameter("a duration", -1, "a time not below 0"), "-1.0") { () throws(StatisticsError) in
            try SurvivalCurve([SurvivalTime(time: -1, isEvent: true)])
        }
    }
}
