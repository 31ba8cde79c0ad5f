/// One unit of analysis and what was measured inside it: a model and its images, say.
public struct UnitOfAnalysis: Sendable, Hashable, Codable {
    public var name: String
    /// At least one; their mean stands for the unit.
    public var items: [Double]

    public init(name: String, items: [Double]) {
        self.name = name
        self.items = items
    }
}

/// What a hierarchical bootstrap draws anew.
public enum HierarchicalLevel: String, Sendable, Hashable, Codable, CaseIterable {
    /// Units with all their items: spread between models. What to report for a comparison of cohorts.
    case units
    /// Items within the units that are there: how well each unit's own mean is known.
    case items
    /// Units, then items within each unit drawn. Overstates the spread a little, because a unit's mean already carries that of its
    /// items (Davison and Hinkley 1997, section 3.8).
    case unitsAndItems = "units and items"
}

extension Statistics {
    /// Percentile bootstrap of a statistic of the units' means, one list a cohort.
    ///
    /// The unit of analysis is the unit, never the item: pooling a thousand images of eight models would pretend to a sample of a
    /// thousand. Units are independent; items are, within their unit.
    ///
    /// ```swift
    /// let shift = try Statistics.hierarchicalBootstrap(
    ///     [of2024, of2025], level: .unitsAndItems, resampling: Resampling(seed: 7)
    /// ) { (Statistics.median($0[1]) ?? .nan) - (Statistics.median($0[0]) ?? .nan) }
    /// ```
    ///
    /// - Parameter statistic: Of the units' means, one list a cohort, in the order given.
    /// - Throws: `StatisticsError` for no cohort, a cohort of fewer than two units (fewer than one for `.items`), a unit without
    ///   items, values or a statistic that are not finite.
    /// - Complexity: O(resamples · items), and as many evaluations of the statistic.
    public static func hierarchicalBootstrap(
        _ cohorts: [[UnitOfAnalysis]], level: HierarchicalLevel, resampling: Resampling, confidence: Double = 0.95,
        statistic: ([[Double]]) -> Double
    ) throws(StatisticsError) -> BootstrapEstimate {
        try check(level: confidence)
        try resampling.check()
        guard !cohorts.isEmpty else { throw .tooFewGroups(count: 0, needed: 1) }
        let needed = level == .items ? 1 : 2
        for (index, cohort) in cohorts.enumerated() {
            guard cohort.count >= needed else {
                throw .tooFewValues(sample: "\(index + 1) of units", count: cohort.count, needed: needed)
            }
            for unit in cohort { try check(unit.items, unit.name) }
        }
        func mean(_ items: [Double]) -> Double { items.reduce(0, +) / Double(items.count) }
        func evaluate(_ means: [[Double]]) throws(StatisticsError) -> Double {
            let value = statistic(means)
            guard value.isFinite else { throw .statisticNotFinite }
            return value
        }
        let means = cohorts.map { $0.map { mean($0.items) } }
        let estimate = try evaluate(means)
        var generator = SplitMix64(seed: resampling.seed)
        var values: [Double] = []
        values.reserveCapacity(resampling.resamples)
        for _ in 0..<resampling.resamples {
            var drawn = means
            for (cohort, units) in cohorts.enumerated() {
                for position in units.indices {
                    let unit = level == .items ? position : generator.index(below: units.count)
                    guard level != .units else {
                        drawn[cohort][position] = means[cohort][unit]
                        continue
                    }
                    let items = units[unit].items
                    var sum = 0.0
                    for _ in items { sum += items[generator.index(below: items.count)] }
                    drawn[cohort][position] = sum / Double(items.count)
                }
            }
            values.append(try evaluate(drawn))
        }
        values.sort()
        return BootstrapEstimate(
            estimate: estimate, interval: percentileInterval(sorted: values, confidence),
            standardError: standardDeviation(values) ?? 0, method: .percentile, bias: 0, acceleration: 0)
    }
}
