/// Describing one sample of numbers.
///
/// Values that are not finite, and samples too small for a question, give `nil`: an average over a NaN is no average, and the
/// caller decides what its table shows.
public enum Statistics {
    /// Arithmetic mean; `nil` for an empty sample.
    public static func mean(_ values: [Double]) -> Double? {
        guard isUsable(values) else { return nil }
        return values.reduce(0, +) / Double(values.count)
    }

    /// The quantile of type 7 of Hyndman and Fan (1996), *Sample Quantiles in Statistical Packages*: linear interpolation at
    /// position (n − 1) q of the sorted sample. The default of R, NumPy and Excel's inclusive functions.
    ///
    /// - Parameter q: In [0, 1]; `nil` outside.
    /// - Complexity: O(n log n).
    public static func quantile(_ values: [Double], _ q: Double) -> Double? {
        guard isUsable(values), q >= 0, q <= 1 else { return nil }
        return quantile(sorted: values.sorted(), q)
    }

    /// The quantile 0.5.
    public static func median(_ values: [Double]) -> Double? { quantile(values, 0.5) }

    /// Sample standard deviation, divisor n − 1; `nil` below two values.
    public static func standardDeviation(_ values: [Double]) -> Double? {
        guard values.count > 1, let mean = mean(values) else { return nil }
        let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        return (squares / Double(values.count - 1)).squareRoot()
    }

    /// Interquartile range: the distance of the type-7 quartiles.
    public static func interquartileRange(_ values: [Double]) -> Double? {
        guard isUsable(values) else { return nil }
        let sorted = values.sorted()
        return quantile(sorted: sorted, 0.75) - quantile(sorted: sorted, 0.25)
    }

    static func isUsable(_ values: [Double]) -> Bool { !values.isEmpty && values.allSatisfy(\.isFinite) }

    /// The quantile of a sample that is sorted, finite and not empty.
    static func quantile(sorted: [Double], _ q: Double) -> Double {
        let position = Double(sorted.count - 1) * q
        let low = min(Int(position), sorted.count - 1)
        let high = min(low + 1, sorted.count - 1)
        return sorted[low] + (position - Double(low)) * (sorted[high] - sorted[low])
    }
}

/// What a box plot draws (Tukey 1977): quartiles, whiskers to the last values within 1.5 interquartile ranges of the box, and the
/// values beyond.
public struct BoxPlot: Sendable, Hashable, Codable {
    public var lowerWhisker: Double
    /// The type-7 quantile 0.25.
    public var lowerQuartile: Double
    public var median: Double
    /// The type-7 quantile 0.75.
    public var upperQuartile: Double
    public var upperWhisker: Double
    /// Values outside the whiskers, ascending.
    public var outliers: [Double]

    /// `nil` for an empty sample or one that holds a value that is not finite.
    public init?(_ values: [Double]) {
        guard Statistics.isUsable(values) else { return nil }
        let sorted = values.sorted()
        lowerQuartile = Statistics.quantile(sorted: sorted, 0.25)
        median = Statistics.quantile(sorted: sorted, 0.5)
        upperQuartile = Statistics.quantile(sorted: sorted, 0.75)
        let reach = 1.5 * (upperQuartile - lowerQuartile)
        let fences = (lowerQuartile - reach)...(upperQuartile + reach)
        let inside = sorted.filter(fences.contains)
        // A whisker never ends inside the box, which it could when interpolated quartiles lie beyond the last inner value.
        lowerWhisker = min(inside.first ?? lowerQuartile, lowerQuartile)
        upperWhisker = max(inside.last ?? upperQuartile, upperQuartile)
        outliers = sorted.filter { !fences.contains($0) }
    }
}
