import Statistics
import Testing

@Suite("The interval of a share")
struct ProportionTests {
    /// scipy 1.17: `binomtest(k, n).proportion_ci(level, method="wilson")`.
    @Test(
        "is Wilson's, as scipy has it",
        arguments: [
            (0, 5, 0.95, 0.0, 0.43448246478317476), (3, 7, 0.95, 0.1582198552514697, 0.7495416354723428),
            (7, 7, 0.95, 0.6456695649333126, 1.0), (41, 50, 0.9, 0.7149922761939018, 0.8921544849028855),
        ])
    func wilson(successes: Int, trials: Int, level: Double, lower: Double, upper: Double) throws {
        let interval = try Statistics.shareInterval(successes: successes, of: trials, level: level)
        #expect(abs(interval.lower - lower) < 1e-10 && abs(interval.upper - upper) < 1e-10, "\(interval)")
    }

    @Test("is refused for no trial, more successes than trials and a level that is none")
    func refusals() {
        #expect(throws: StatisticsError.self) { try Statistics.shareInterval(successes: 0, of: 0) }
        #expect(throws: StatisticsError.self) { try Statistics.shareInterval(successes: 4, of: 3) }
        #expect(throws: StatisticsError.self) { try Statistics.shareInterval(successes: -1, of: 3) }
        #expect(throws: StatisticsError.self) { try Statistics.shareInterval(successes: 1, of: 3, level: 1) }
    }
}
