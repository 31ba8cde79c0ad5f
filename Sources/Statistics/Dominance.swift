/// How often a value of one sample exceeds one of another: Cliff's delta, and Vargha and Delaney's A, which is (delta + 1) / 2.
extension Statistics {
    /// Cliff's delta (1993), P(X > Y) − P(X < Y) over all pairs of values. For two samples it equals the rank-biserial correlation
    /// 2U / (n₁n₂) − 1.
    ///
    /// The interval is the asymmetric one of Feng and Cliff (2004) from the consistent variance and Student's t with n₁ + n₂ − 2
    /// degrees of freedom, as R's effsize with its consistent estimate. Where every value of one sample exceeds every one of the
    /// other, it is that of Cliff (1996), (n − t²) / (n + t²) with the smaller n, whose coverage is rough. Values are independent
    /// within and between samples.
    ///
    /// - Returns: With no interval where a sample holds fewer than two values.
    /// - Throws: `StatisticsError` for an empty sample, values that are not finite, a level outside (0, 1).
    /// - Complexity: O(N log N).
    public static func cliffsDelta(
        _ a: [Double], _ b: [Double], level: Double = 0.95
    ) throws(StatisticsError) -> EffectSize {
        try check(a, "a")
        try check(b, "b")
        try check(level: level)
        let dominance = Dominance(a, b)
        let interval = dominance.interval(level: level)
        let method =
            interval == nil
            ? "a sample of one value has no variance"
            : abs(dominance.delta) == 1
                ? "Cliff 1996, complete separation" : "Feng and Cliff 2004, consistent variance"
        return EffectSize(measure: .cliffsDelta, value: dominance.delta, interval: interval, intervalMethod: method)
    }

    /// Vargha and Delaney's A (2000), P(X > Y) + ½ P(X = Y), with the interval of Cliff's delta carried over.
    ///
    /// - Throws, Complexity: As `cliffsDelta`.
    public static func probabilityOfSuperiority(
        _ a: [Double], _ b: [Double], level: Double = 0.95
    ) throws(StatisticsError) -> EffectSize {
        let delta = try cliffsDelta(a, b, level: level)
        return EffectSize(
            measure: .probabilityOfSuperiority, value: (delta.value + 1) / 2,
            interval: delta.interval.map {
                ConfidenceInterval(lower: ($0.lower + 1) / 2, upper: ($0.upper + 1) / 2, level: level)
            },
            intervalMethod: delta.intervalMethod)
    }
}

/// Row and column means of the matrix sign(xᵢ − yⱼ), and what its variance needs, without the matrix.
private struct Dominance {
    let delta: Double
    let rows: [Double]
    let columns: [Double]
    /// Share of pairs that are not tied: the mean of the squared entries.
    let untied: Double

    init(_ a: [Double], _ b: [Double]) {
        let (inA, inB) = (a.sorted(), b.sorted())
        rows = a.map { Self.balance($0, inB) / Double(b.count) }
        columns = b.map { -Self.balance($0, inA) / Double(a.count) }
        delta = a.reduce(0) { $0 + Self.balance($1, inB) } / (Double(a.count) * Double(b.count))
        untied =
            a.reduce(0) { $0 + Double(inB.count - Self.equal($1, inB)) } / (Double(a.count) * Double(b.count))
    }

    /// Smaller values less greater ones.
    private static func balance(_ value: Double, _ sorted: [Double]) -> Double {
        Double(lowerBound(value, sorted) - (sorted.count - upperBound(value, sorted)))
    }

    private static func equal(_ value: Double, _ sorted: [Double]) -> Int {
        upperBound(value, sorted) - lowerBound(value, sorted)
    }

    private static func lowerBound(_ value: Double, _ sorted: [Double]) -> Int { bound(sorted) { $0 < value } }
    private static func upperBound(_ value: Double, _ sorted: [Double]) -> Int { bound(sorted) { $0 <= value } }

    private static func bound(_ sorted: [Double], _ isBefore: (Double) -> Bool) -> Int {
        var (low, high) = (0, sorted.count)
        while low < high {
            let middle = (low + high) / 2
            if isBefore(sorted[middle]) { low = middle + 1 } else { high = middle }
        }
        return low
    }

    func interval(level: Double) -> ConfidenceInterval? {
        let (m, n) = (Double(rows.count), Double(columns.count))
        guard m > 1, n > 1 else { return nil }
        let t = Tail.tQuantile(upper: (1 - level) / 2, degrees: m + n - 2)
        if abs(delta) == 1 {
            let bound = (min(m, n) - t * t) / (min(m, n) + t * t)
            return delta > 0
                ? ConfidenceInterval(lower: bound, upper: 1, level: level)
                : ConfidenceInterval(lower: -1, upper: -bound, level: level)
        }
        func spread(_ means: [Double]) -> Double { means.reduce(0) { $0 + ($1 - delta) * ($1 - delta) } }
        let ofPairs = m * n * (untied - delta * delta) / ((m - 1) * (n - 1))
        let variance = ((n - 1) * spread(rows) / (m - 1) + (m - 1) * spread(columns) / (n - 1) + ofPairs) / (m * n)
        let square = delta * delta
        let centre = delta - delta * square
        let reach =
            t * variance.squareRoot() * ((1 - square) * (1 - square) + t * t * variance).squareRoot()
        let scale = 1 - square + t * t * variance
        return ConfidenceInterval(
            lower: max(-1, (centre - reach) / scale), upper: min(1, (centre + reach) / scale), level: level)
    }
}
