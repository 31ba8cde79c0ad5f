#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The distribution of Mann and Whitney's U under the null hypothesis, without ties.
///
/// The numbers of arrangements are the coefficients of the Gaussian binomial coefficient ∏ (1 − q^(n+i)) / (1 − qⁱ), i = 1...m
/// (Andrews 1976, theorem 3.1), multiplied out one factor after the other. The factors with a minus sign cancel digits, which in
/// floating point grow into nonsense; so this counts in integers of as many 64-bit limbs as the total needs, modulo a power of two,
/// where intermediate negative values do no harm. A probability is rounded once, when it is read.
struct MannWhitneyDistribution: Sendable {
    let sizes: [Int]
    /// P(U ≤ u) for u = 0...bound, bound at most half of n₁n₂.
    private let cumulative: [Double]
    private let product: Int

    /// Counts U up to `bound`, or up to the middle.
    ///
    /// - Throws: `StatisticsError.tooLargeForExact` beyond 4·10⁹ limb operations: about 590 × 590.
    /// - Complexity: O(m · bound · limbs), m the smaller size; about (m + n) / 64 limbs.
    init(_ first: Int, _ second: Int, upTo bound: Int? = nil) throws(StatisticsError) {
        sizes = [first, second]
        let (m, n) = (min(first, second), max(first, second))
        let overflow = m.multipliedReportingOverflow(by: n)
        let bits = (lgamma(of: m + n) - lgamma(of: m) - lgamma(of: n)) / M_LN2
        // One bit more than the total has, so that rounding of the logarithm never costs a limb.
        let limbs = Int((bits + 1) / 64) + 1
        let limit = min(bound ?? .max, overflow.partialValue / 2)
        guard !overflow.overflow, 2 * Double(m) * Double(limit + 1) * Double(limbs) <= 4e9 else {
            throw .tooLargeForExact(test: "Mann-Whitney's U", sizes: sizes)
        }
        product = overflow.partialValue
        let counts = Self.counts(m, n, limit, limbs)
        let total = Self.binomial(m + n, m, limbs)
        var table: [Double] = []
        table.reserveCapacity(limit + 1)
        var sum = WideInteger(limbs: Array(repeating: 0, count: limbs))
        for u in 0...limit {
            sum.add(counts[(u * limbs)..<((u + 1) * limbs)])
            table.append(sum.ratio(to: total))
        }
        cumulative = table
    }

    /// P(U ≤ u); u may be any integer up to the bound, or from n₁n₂ − bound − 1.
    func lower(_ u: Int) -> Double {
        if u < 0 { return 0 }
        if u >= product { return 1 }
        return u < cumulative.count ? cumulative[u] : 1 - cumulative[product - u - 1]
    }

    /// P(U ≥ u), with U = u in it.
    func upper(_ u: Int) -> Double { lower(product - u) }

    private static func counts(_ m: Int, _ n: Int, _ limit: Int, _ limbs: Int) -> [UInt64] {
        var counts = [UInt64](repeating: 0, count: (limit + 1) * limbs)
        counts[0] = 1
        counts.withUnsafeMutableBufferPointer { counts in
            for i in 1...m {
                if n + i <= limit {
                    for u in stride(from: limit, through: n + i, by: -1) {
                        var borrow: UInt64 = 0
                        for limb in 0..<limbs {
                            let (a, first) = counts[u * limbs + limb].subtractingReportingOverflow(
                                counts[(u - n - i) * limbs + limb])
                            let (b, second) = a.subtractingReportingOverflow(borrow)
                            counts[u * limbs + limb] = b
                            borrow = first || second ? 1 : 0
                        }
                    }
                }
                guard i <= limit else { continue }
                for u in i...limit {
                    var carry: UInt64 = 0
                    for limb in 0..<limbs {
                        let (a, first) = counts[u * limbs + limb].addingReportingOverflow(
                            counts[(u - i) * limbs + limb])
                        let (b, second) = a.addingReportingOverflow(carry)
                        counts[u * limbs + limb] = b
                        carry = first || second ? 1 : 0
                    }
                }
            }
        }
        return counts
    }

    /// n over k, one limb wider than the result because it is multiplied before it is divided.
    private static func binomial(_ n: Int, _ k: Int, _ limbs: Int) -> WideInteger {
        var value = WideInteger(limbs: [1] + Array(repeating: 0, count: limbs))
        for i in 1...k {
            value.multiply(by: UInt64(n - k + i))
            value.divide(by: UInt64(i))
        }
        return value
    }
}

/// ln x!
private func lgamma(of x: Int) -> Double { IncompleteFunctions.logGamma(Double(x) + 1) }

/// An unsigned integer of a fixed number of limbs, the lowest first: as much as counting arrangements takes.
struct WideInteger: Sendable {
    var limbs: [UInt64]

    /// `other` has as many limbs.
    mutating func add(_ other: ArraySlice<UInt64>) {
        var carry: UInt64 = 0
        for (index, limb) in zip(limbs.indices, other) {
            let (a, first) = limbs[index].addingReportingOverflow(limb)
            let (b, second) = a.addingReportingOverflow(carry)
            limbs[index] = b
            carry = first || second ? 1 : 0
        }
    }

    mutating func multiply(by factor: UInt64) {
        var carry: UInt64 = 0
        for index in limbs.indices {
            let product = limbs[index].multipliedFullWidth(by: factor)
            let (low, overflow) = product.low.addingReportingOverflow(carry)
            limbs[index] = low
            carry = product.high + (overflow ? 1 : 0)
        }
    }

    mutating func divide(by divisor: UInt64) {
        var remainder: UInt64 = 0
        for index in limbs.indices.reversed() {
            (limbs[index], remainder) = divisor.dividingFullWidth((remainder, limbs[index]))
        }
    }

    /// The quotient as a floating-point number, to three roundings, however large both are.
    func ratio(to other: WideInteger) -> Double {
        let (a, b) = (scaled, other.scaled)
        return scalbn(a.mantissa / b.mantissa, Int32(a.exponent - b.exponent))
    }

    /// The three leading limbs that matter, and the power of two they stand at.
    private var scaled: (mantissa: Double, exponent: Int) {
        guard let top = limbs.lastIndex(where: { $0 != 0 }) else { return (0, 0) }
        let lowest = max(0, top - 2)
        var mantissa = 0.0
        for index in (lowest...top).reversed() { mantissa = mantissa * 0x1p64 + Double(limbs[index]) }
        return (mantissa, lowest * 64)
    }
}
