/// How p-values of one family are corrected for their number.
public enum MultipleTesting: String, Sendable, Hashable, Codable, CaseIterable {
    /// As it is; said so, because "not corrected" is information too.
    case none
    /// p · m. Controls the family-wise error rate under any dependence (Dunn 1961).
    case bonferroni
    /// Step-down (Holm 1979). Controls the family-wise error rate under any dependence, and is never weaker than Bonferroni.
    case holm
    /// Step-up (Benjamini and Hochberg 1995). Controls the false discovery rate of independent or positively dependent tests.
    case benjaminiHochberg = "benjamini-hochberg"

    public var title: String {
        switch self {
        case .none: "uncorrected"
        case .bonferroni: "Bonferroni"
        case .holm: "Holm"
        case .benjaminiHochberg: "Benjamini-Hochberg"
        }
    }
}

/// A p after correction, with the method and the size of the family.
public struct AppliedCorrection: Sendable, Hashable, Codable, CustomStringConvertible {
    public var method: MultipleTesting
    /// How many tests were corrected together.
    public var familySize: Int
    /// In [0, 1]; to be compared with the level itself.
    public var adjustedP: Double

    public init(method: MultipleTesting, familySize: Int, adjustedP: Double) {
        self.method = method
        self.familySize = familySize
        self.adjustedP = adjustedP
    }

    public var description: String { "\(method.title) over \(familySize) tests: p = \(adjustedP)" }
}

extension Statistics {
    /// Adjusted p-values, in the order given, as statsmodels' `multipletests` and R's `p.adjust` give them.
    ///
    /// - Throws: `StatisticsError.parameter` for a p outside [0, 1].
    /// - Complexity: O(m log m).
    public static func adjusted(_ p: [Double], by method: MultipleTesting) throws(StatisticsError) -> [Double] {
        for value in p where !(value >= 0 && value <= 1) {
            throw .parameter(name: "a p-value", value: value, allowed: "a number from 0 to 1")
        }
        let count = Double(p.count)
        switch method {
        case .none:
            return p
        case .bonferroni:
            return p.map { min(1, $0 * count) }
        case .holm:
            // The running maximum keeps the order of the p-values.
            var (result, highest) = (p, 0.0)
            for (position, index) in p.indices.sorted(by: { p[$0] < p[$1] }).enumerated() {
                highest = max(highest, min(1, p[index] * (count - Double(position))))
                result[index] = highest
            }
            return result
        case .benjaminiHochberg:
            var (result, lowest) = (p, 1.0)
            for (position, index) in p.indices.sorted(by: { p[$0] > p[$1] }).enumerated() {
                // The factor first: it is at least 1, so that rounding never takes p below itself.
                lowest = min(lowest, p[index] * (count / (count - Double(position))))
                result[index] = lowest
            }
            return result
        }
    }

    /// The tests of one family, each with its corrected p.
    ///
    /// - Throws: As `adjusted`.
    public static func corrected(
        _ results: [TestResult], by method: MultipleTesting
    ) throws(StatisticsError) -> [TestResult] {
        let adjusted = try adjusted(results.map(\.p), by: method)
        return zip(results, adjusted).map { result, p in
            var result = result
            result.correction = AppliedCorrection(method: method, familySize: results.count, adjustedP: p)
            return result
        }
    }
}
