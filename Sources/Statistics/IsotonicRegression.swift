extension Statistics {
    /// The non-decreasing sequence nearest to `values` in weighted least squares, by pooling adjacent violators (Ayer, Brunk, Ewing, Reid and
    /// Silverman 1955; Barlow, Bartholomew, Bremner and Brunk 1972), as scipy's `isotonic_regression`.
    ///
    /// - Parameter weights: Positive, one a value; all alike where nil.
    /// - Throws: `StatisticsError` for no values, values that are not finite, or weights that do not fit them or are not positive.
    /// - Complexity: O(values).
    public static func isotonicRegression(
        _ values: [Double], weights: [Double]? = nil
    ) throws(StatisticsError) -> [Double] {
        try check(values, "to regress")
        let weights = weights ?? [Double](repeating: 1, count: values.count)
        guard weights.count == values.count else { throw .unequalLengths(values.count, weights.count) }
        if let bad = weights.first(where: { !($0 > 0 && $0.isFinite) }) {
            throw .parameter(name: "a weight", value: bad, allowed: "a number above 0")
        }
        var blocks: [(mean: Double, weight: Double, count: Int)] = []
        for (value, weight) in zip(values, weights) {
            var block = (mean: value, weight: weight, count: 1)
            while let before = blocks.last, before.mean >= block.mean {
                let sum = before.weight + block.weight
                block = (
                    (before.mean * before.weight + block.mean * block.weight) / sum, sum, before.count + block.count
                )
                blocks.removeLast()
            }
            blocks.append(block)
        }
        return blocks.flatMap { [Double](repeating: $0.mean, count: $0.count) }
    }
}
