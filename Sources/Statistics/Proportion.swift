#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension Statistics {
    /// Wilson's interval (1927) of a share, at 95 % unless told: inside [0, 1] also for none and all, and near its level for few
    /// trials (Brown, Cai and DasGupta 2001), as statsmodels' `proportion_confint(method="wilson")`.
    ///
    /// - Parameters:
    ///   - successes: 0 … `trials`.
    ///   - trials: independent ones, at least one.
    /// - Throws: `StatisticsError` for no trial, a number of successes that does not fit it, a level outside (0, 1).
    public static func shareInterval(
        successes: Int, of trials: Int, level: Double = 0.95
    ) throws(StatisticsError) -> ConfidenceInterval {
        try check(level: level)
        guard trials > 0 else { throw .tooFewValues(sample: "of trials", count: trials, needed: 1) }
        guard (0...trials).contains(successes) else {
            throw .parameter(name: "the successes", value: Double(successes), allowed: "0 to \(trials)")
        }
        let (n, p) = (Double(trials), Double(successes) / Double(trials))
        let z = NormalDistribution.quantile((1 + level) / 2)
        let scale = 1 + z * z / n
        let centre = (p + z * z / (2 * n)) / scale
        let reach = z / scale * (p * (1 - p) / n + z * z / (4 * n * n)).squareRoot()
        return ConfidenceInterval(lower: max(0, centre - reach), upper: min(1, centre + reach), level: level)
    }
}
