import Foundation
import Statistics

/// "U = 57 with 8 against 11, p = 0.014": whether it can be, and whether it follows from data.
public struct RankTestClaim: Sendable, Hashable {
    public var first: Int
    public var second: Int
    /// Of the first sample, or of the second.
    public var u: Double
    public var p: Printed

    public init(first: Int, second: Int, u: Double, p: Printed) {
        self.first = first
        self.second = second
        self.u = u
        self.p = p
    }

    /// What is wrong with a claim by itself.
    public enum Impossibility: Sendable, Hashable {
        /// Below 0, above n₁n₂, or no multiple of ½.
        case u(largest: Int)
        /// What p can be, one-sided and two-sided, exact where U is whole.
        case p(oneSided: Double, twoSided: Double)
    }

    /// What ties are given the benefit of: up to a tenth of the variance of U. Without the data nobody can tell.
    static let tieAllowance = 0.1

    /// - Throws: `StatisticsError` for samples too large for the exact distribution.
    /// - Complexity: of `Statistics.mannWhitney`, exact.
    public func impossibility() throws(StatisticsError) -> Impossibility? {
        let product = first * second
        guard first > 0, second > 0, u >= 0, u <= Double(product), 2 * u == (2 * u).rounded() else {
            return .u(largest: max(0, product))
        }
        let exact = u == u.rounded() ? try exactTails(Int(u)) : nil
        let normal = normalTails
        let smaller = exact.map { min($0.lower, $0.upper) } ?? normal.one.upperBound
        let possible: [ClosedRange<Double>] =
            [normal.one, normal.other, normal.two]
            + (exact.map { [$0.lower, $0.upper, min(1, 2 * smaller)].map { $0...$0 } } ?? [])
        guard !possible.contains(where: p.lies) else { return nil }
        return .p(oneSided: smaller, twoSided: min(1, 2 * smaller))
    }

    /// P(U ≤ u) and P(U ≥ u) without ties, read from a sample that has this U: values of the second are 1...n₂, of the first as
    /// many lie above them as u needs.
    private func exactTails(_ u: Int) throws(StatisticsError) -> (lower: Double, upper: Double) {
        let (above, rest) = u.quotientAndRemainder(dividingBy: second)
        var sample = (0..<above).map { Double(second) + 1 + Double($0) }
        if sample.count < first { sample.append(Double(rest) + 0.5) }
        while sample.count < first { sample.append(-Double(sample.count)) }
        let other = (1...second).map(Double.init)
        let lower = try Statistics.mannWhitney(sample, other, alternative: .less, method: .exact).p
        let upper = try Statistics.mannWhitney(sample, other, alternative: .greater, method: .exact).p
        return (lower, upper)
    }

    /// The normal approximation with and without continuity correction, and with ties up to the allowance: from the largest p to
    /// the smallest.
    private var normalTails: (one: ClosedRange<Double>, other: ClosedRange<Double>, two: ClosedRange<Double>) {
        let (m, n) = (Double(first), Double(second))
        let deviation = (m * n * (m + n + 1) / 12).squareRoot()
        let distance = abs(u - m * n / 2)
        func survival(_ z: Double) -> Double { 0.5 * erfc(z / 2.0.squareRoot()) }
        let large = survival(max(0, distance - 0.5) / deviation)
        let small = survival(distance / (deviation * (1 - Self.tieAllowance).squareRoot()))
        let largeOther = survival(-(distance + 0.5) / deviation / (1 - Self.tieAllowance).squareRoot())
        let smallOther = survival(-distance / deviation)
        return (
            min(small, large)...max(small, large), min(smallOther, largeOther)...max(smallOther, largeOther),
            min(1, 2 * small)...min(1, 2 * large)
        )
    }

    /// How a claim stands to the data it is about.
    public struct Standing: Sendable, Hashable {
        /// U of the data, of the sample that the claim may mean.
        public var u: Double
        public var uFollows: Bool
        /// By which computation p follows; nil where by none.
        public var pFollowsBy: String?
        /// The p nearest to the claim.
        public var nearest: Double
    }

    /// Compares with data.
    ///
    /// - Throws: `StatisticsError` for an empty sample or values that are not finite.
    public func standing(_ a: [Double], _ b: [Double]) throws(StatisticsError) -> Standing {
        let isTied = Set(a + b).count < a.count + b.count
        var computed: [(name: String, p: Double)] = []
        var found = 0.0
        for alternative in [Alternative.greater, .less, .twoSided] {
            let side = alternative == .twoSided ? "two-sided" : "one-sided"
            for method in isTied ? [RankTestMethod.asymptotic] : [.exact, .asymptotic] {
                let result = try Statistics.mannWhitney(a, b, alternative: alternative, method: method)
                found = result.statistic
                let name = if case .asymptotic = method { isTied ? "tie-corrected normal" : "normal" } else { "exact" }
                computed.append(("\(name), \(side)", result.p))
            }
        }
        let other = Double(a.count * b.count) - found
        let nearest = computed.min { abs($0.p - p.value) < abs($1.p - p.value) }
        return Standing(
            u: u == other ? other : found, uFollows: u == found || u == other,
            pFollowsBy: computed.first { p.agrees(with: $0.p) }?.name, nearest: nearest?.p ?? 1)
    }
}
