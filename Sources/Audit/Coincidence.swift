import Foundation

/// How likely it is that two lists of numbers agree by chance.
///
/// That two independent values agree is estimated from the lists themselves: of the m pairs of values within them, e agree, and the
/// estimate is (e + 1) / (m + 2), Laplace's rule of succession (1774). So lists of two or three values never look copied, and
/// neither do long ones that are made of few values (a Dice of 0 or 1 per image). A list of n then agrees with chance qⁿ, or
/// n! qⁿ at most where both are sorted, because any order of the values would then agree.
struct Coincidence: Sendable {
    /// Below this, agreement is reported: once in a thousand audits where nothing was copied.
    static let level = 1e-3

    /// The estimate q that two independent values agree.
    let perValue: Double

    /// - Complexity: O(n).
    init(_ lists: [Double]...) {
        var (agreeing, pairs) = (0.0, 0.0)
        for list in lists {
            var counts: [Double: Double] = [:]
            for value in list { counts[value, default: 0] += 1 }
            agreeing += counts.values.reduce(0) { $0 + $1 * ($1 - 1) / 2 }
            pairs += Double(list.count) * Double(list.count - 1) / 2
        }
        perValue = (agreeing + 1) / (pairs + 2)
    }

    /// The chance, at most, that values in a row agree somewhere among `places` places.
    ///
    /// - Parameters:
    ///   - values: that agree.
    ///   - isSorted: their order says nothing.
    ///   - places: comparisons that could have shown it (Bonferroni).
    func chance(of values: Int, isSorted: Bool, places: Double) -> Double {
        var logarithm = Double(values) * log(perValue) + log(max(1, places))
        if isSorted, values > 1 { logarithm += lgamma(Double(values) + 1) }
        return min(1, exp(logarithm))
    }

    static func isSorted(_ values: some Collection<Double>) -> Bool {
        zip(values, values.dropFirst()).allSatisfy(>=) || zip(values, values.dropFirst()).allSatisfy(<=)
    }
}
