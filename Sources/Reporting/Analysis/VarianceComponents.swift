/// How the spread of a quantity divides into that between models and that between runs of one model.
///
/// One-way random effects by the analysis of variance, for groups of unequal size (Searle, Casella and McCulloch 1992, *Variance
/// Components*, section 3.6): σ²_within = MSW, σ²_between = (MSB − MSW) / n₀ with n₀ = (N − Σnᵢ² / N) / (k − 1); a negative estimate is
/// shown as 0.
struct VarianceComponents: Sendable, Hashable {
    var between: Double
    var within: Double

    /// The share of the spread that lies between models: the intraclass correlation ICC(1) (Shrout and Fleiss 1979); nil where nothing
    /// varies.
    var intraclassCorrelation: Double? { between + within > 0 ? between / (between + within) : nil }

    /// Nil for fewer than two groups, or where no group has two values.
    init?(_ groups: [[Double]]) {
        let groups = groups.filter { !$0.isEmpty }
        let total = groups.reduce(0) { $0 + $1.count }
        guard groups.count > 1, total > groups.count, groups.allSatisfy({ $0.allSatisfy(\.isFinite) }) else {
            return nil
        }
        let means = groups.map { $0.reduce(0, +) / Double($0.count) }
        let grand = groups.reduce(0) { $0 + $1.reduce(0, +) } / Double(total)
        var (outer, inner) = (0.0, 0.0)
        for (group, mean) in zip(groups, means) {
            outer += Double(group.count) * (mean - grand) * (mean - grand)
            inner += group.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        }
        let meanSquareBetween = outer / Double(groups.count - 1)
        within = inner / Double(total - groups.count)
        let squares = groups.reduce(0.0) { $0 + Double($1.count * $1.count) }
        let size = (Double(total) - squares / Double(total)) / Double(groups.count - 1)
        between = max(0, (meanSquareBetween - within) / size)
    }
}
