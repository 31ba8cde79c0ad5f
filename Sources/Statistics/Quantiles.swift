/// The nine sample quantiles of Hyndman and Fan (1996), *Sample Quantiles in Statistical Packages*, by their numbers there, which
/// are R's `type`. They differ by a whole spacing of the sample at sizes like 8 and 11: an IQR without its type is not a number.
public enum QuantileType: Int, Sendable, Hashable, Codable, CaseIterable {
    /// The inverse of the empirical distribution function.
    case inverse = 1
    /// The same, averaged where it jumps.
    case averagedInverse = 2
    /// The nearest order statistic, the even one of two: SAS's definition 2.
    case nearest = 3
    /// The empirical distribution function, joined by lines.
    case linearInverse = 4
    /// Midpoints of its steps: Hazen's, MATLAB's `quantile`.
    case hazen = 5
    /// Expected ranks, p = k / (n + 1): Weibull's, Minitab's, SPSS's.
    case weibull = 6
    /// p = (k − 1) / (n − 1): Gumbel's, the default of R, NumPy and Excel's inclusive functions. The one that reports here use.
    case gumbel = 7
    /// About the median rank, whatever the distribution. What Hyndman and Fan recommend.
    case medianUnbiased = 8
    /// About unbiased for the normal distribution: Blom's.
    case normalUnbiased = 9
}

extension Statistics {
    /// The sample quantile of a stated type.
    ///
    /// - Parameter q: In [0, 1]; `nil` outside, for an empty sample, or for one that holds a value that is not finite.
    /// - Complexity: O(n log n).
    public static func quantile(_ values: [Double], _ q: Double, type: QuantileType) -> Double? {
        guard isUsable(values), q >= 0, q <= 1 else { return nil }
        let sorted = values.sorted()
        let n = Double(sorted.count)
        // Positions that are whole but for rounding count as whole, with R's allowance.
        let fuzz = 4 * Double.ulpOfOne
        let offset: Double
        switch type {
        case .inverse, .averagedInverse: offset = 0
        case .nearest: offset = -0.5
        case .linearInverse: offset = 0
        case .hazen: offset = 0.5
        case .weibull: offset = q
        case .gumbel: offset = 1 - q
        case .medianUnbiased: offset = (q + 1) / 3
        case .normalUnbiased: offset = q / 4 + 0.375
        }
        let position = n * q + offset
        let whole = (position + fuzz).rounded(.down)
        var part = position - whole
        if abs(part) < fuzz { part = 0 }
        switch type {
        case .inverse: part = part > 0 ? 1 : 0
        case .averagedInverse: part = part > 0 ? 1 : 0.5
        case .nearest: part = part > 0 || whole.truncatingRemainder(dividingBy: 2) != 0 ? 1 : 0
        default: break
        }
        func value(_ index: Double) -> Double { sorted[min(max(Int(index) - 1, 0), sorted.count - 1)] }
        let (low, high) = (value(whole), value(whole + 1))
        return part == 0 ? low : part == 1 ? high : low + part * (high - low)
    }

    /// Distance of the quartiles of a stated type; `nil` as for `quantile`.
    public static func interquartileRange(_ values: [Double], type: QuantileType) -> Double? {
        guard let lower = quantile(values, 0.25, type: type), let upper = quantile(values, 0.75, type: type) else {
            return nil
        }
        return upper - lower
    }
}
