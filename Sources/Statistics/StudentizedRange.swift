#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The distribution of the range of k standard normal values over an independent estimate of their standard deviation (Tukey 1953),
/// which Nemenyi's and Tukey's comparisons refer to.
///
/// Both integrals below are taken by the trapezoid rule over the whole line, which converges exponentially for analytic integrands
/// that vanish at both ends (Trefethen and Weideman 2014); so no table and no series is needed.
public enum StudentizedRange {
    /// P(Q ≥ q) for `groups` ≥ 2 values and `degrees` > 0 degrees of freedom, ∞ allowed.
    ///
    /// With ∞ degrees, P(Q ≥ q) = k ∫ φ(z) {S(z)^(k−1) − [S(z) − S(z + q)]^(k−1)} dz with S = 1 − Φ, the complement of formula 1.1 of
    /// Copenhaver and Holland (1988), which keeps relative accuracy in the tail; with ν degrees that, at q·s, averaged over the
    /// density of s = √(χ²_ν / ν).
    ///
    /// - Complexity: about 500 evaluations of the error function with ∞ degrees, about 100 times as many otherwise.
    public static func survival(
        _ q: Double, groups: Int, degrees: Double = .infinity
    ) throws(StatisticsError) -> Double {
        try check(groups: groups, degrees: degrees)
        guard !q.isNaN else { throw .parameter(name: "the studentised range", value: q, allowed: "a number") }
        guard q > 0 else { return 1 }
        guard q < .infinity else { return 0 }
        // Beyond, the two differ by less than 1e-12.
        return degrees > 1e13 ? normalRange(q, groups) : averaged(q, groups, degrees)
    }

    /// The q with P(Q ≥ q) = `upper`, for `upper` in (0, 1), to 1e-12 relative.
    public static func quantile(
        upper: Double, groups: Int, degrees: Double = .infinity
    ) throws(StatisticsError) -> Double {
        try check(groups: groups, degrees: degrees)
        guard upper > 0, upper < 1 else {
            throw .parameter(name: "the upper probability", value: upper, allowed: "a number between 0 and 1")
        }
        func excess(_ q: Double) throws(StatisticsError) -> Double {
            log(max(try survival(q, groups: groups, degrees: degrees), .leastNonzeroMagnitude) / upper)
        }
        var (low, high) = (0.0, 8.0)
        var (above, below) = (-log(upper), try excess(high))
        while below > 0 { (low, above, high, below) = (high, below, 2 * high, try excess(2 * high)) }
        // False position on the logarithm, the end that stays halved (Dowell and Jarratt 1971): about ten evaluations.
        var (latest, stayed) = (Double.infinity, 0)
        for _ in 0..<200 {
            let next = high - below * (high - low) / (below - above)
            if abs(next - latest) <= 1e-13 * next { break }
            latest = next
            let value = try excess(next)
            if value == 0 { break }
            if value > 0 {
                (low, above) = (next, value)
                if stayed > 0 { below /= 2 }
                stayed = 1
            } else {
                (high, below) = (next, value)
                if stayed < 0 { above /= 2 }
                stayed = -1
            }
        }
        return latest
    }

    private static func check(groups: Int, degrees: Double) throws(StatisticsError) {
        guard groups >= 2 else { throw .tooFewGroups(count: groups, needed: 2) }
        guard degrees > 0 else {
            throw .parameter(name: "the degrees of freedom", value: degrees, allowed: "a number above 0")
        }
    }

    private static func normalRange(_ q: Double, _ groups: Int) -> Double {
        let power = Double(groups - 1)
        // The rule's error is about exp(−2π² / (k h²)), from the growth of the integrand off the real line.
        let step = min(0.1, 0.6 / Double(groups).squareRoot())
        let reach = 9.0
        var sum = 0.0
        for index in 0...Int(2 * reach / step) {
            let z = -reach + Double(index) * step
            let tail = NormalDistribution.survival(z)
            let share = min(1, NormalDistribution.survival(z + q) / tail)
            sum += NormalDistribution.density(z) * pow(tail, power) * -expm1(power * log1p(-share))
        }
        return min(1, Double(groups) * sum * step)
    }

    /// ∫ f(s) P(qs) ds with s = eˣ: the density becomes C exp(ν (x − e²ˣ/2)), largest at x = 0.
    private static func averaged(_ q: Double, _ groups: Int, _ degrees: Double) -> Double {
        // Wide as the density is, 1/√(2ν), and never coarser than a twentieth.
        let step = min(0.05, 0.25 / (2 * degrees).squareRoot())
        func weight(_ x: Double) -> Double { exp(degrees * (x - 0.5 * expm1(2 * x))) }
        var (sum, total) = (0.0, 0.0)
        for direction in [1.0, -1.0] {
            var index = direction > 0 ? 0 : 1
            while true {
                let x = direction * Double(index) * step
                let weight = weight(x)
                if weight < 1e-18 { break }
                total += weight
                sum += weight * normalRange(q * exp(x), groups)
                index += 1
            }
        }
        // The same rule gives the density's constant: Σ weight · step · C = 1 to the same accuracy.
        return min(1, sum / total)
    }
}
