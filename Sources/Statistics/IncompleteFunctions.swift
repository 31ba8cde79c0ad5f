#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The regularised incomplete gamma and beta functions, which χ², F and t are made of.
enum IncompleteFunctions {
    /// ln Γ(x) for x > 0, of the C library; the reentrant form, because the other writes a global sign.
    static func logGamma(_ x: Double) -> Double {
        var sign: Int32 = 0
        return lgamma_r(x, &sign)
    }

    /// Q(a, x) = Γ(a, x) / Γ(a), for a > 0 and x ≥ 0: the series of P (DLMF 8.11.4) below a + 1, Legendre's continued fraction
    /// (DLMF 8.9.2) above.
    ///
    /// - Complexity: O(√a) terms near x = a, a few dozen elsewhere.
    static func upperGamma(_ a: Double, _ x: Double) -> Double {
        guard x > 0 else { return 1 }
        guard x < .infinity else { return 0 }
        let scale = exp(a * log(x) - x - logGamma(a))
        if x < a + 1 {
            var (term, sum, n) = (1 / a, 1 / a, a)
            while abs(term) > abs(sum) * 0x1p-54 {
                n += 1
                term *= x / n
                sum += term
            }
            return 1 - sum * scale
        }
        let fraction = continuedFraction(b0: x + 1 - a) { step in
            let n = Double(step)
            return (-n * (n - a), x + 2 * n + 1 - a)
        }
        return scale / fraction
    }

    /// I_x(a, b) for a, b > 0 and x in [0, 1]: the continued fraction DLMF 8.17.22, on the side where it converges fast.
    /// `complement` is 1 − x, given apart because it may be known more exactly.
    ///
    /// - Complexity: O(√max(a, b)) terms.
    static func beta(_ a: Double, _ b: Double, _ x: Double, complement y: Double) -> Double {
        guard x > 0 else { return 0 }
        guard y > 0 else { return 1 }
        if x > (a + 1) / (a + b + 2) { return 1 - betaFraction(b, a, y, complement: x) }
        return betaFraction(a, b, x, complement: y)
    }

    private static func betaFraction(_ a: Double, _ b: Double, _ x: Double, complement y: Double) -> Double {
        let scale = exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * log(x) + b * log(y)) / a
        let fraction = continuedFraction(b0: 1) { step in
            let m = Double(step / 2)
            let numerator =
                step % 2 == 0
                ? m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
                : -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
            return (numerator, 1)
        }
        return scale / fraction
    }

    /// b₀ + a₁/(b₁ + a₂/(b₂ + ...)) by Lentz's method as modified by Thompson and Barnett (1986).
    private static func continuedFraction(b0: Double, _ terms: (Int) -> (a: Double, b: Double)) -> Double {
        func away(_ value: Double) -> Double { value == 0 ? 1e-300 : value }
        var value = away(b0)
        var (c, d) = (value, 0.0)
        for step in 1...100_000 {
            let (a, b) = terms(step)
            d = 1 / away(b + a * d)
            c = away(b + a / c)
            let factor = c * d
            value *= factor
            if abs(factor - 1) < 0x1p-52 { break }
        }
        return value
    }
}

/// Tails of the distributions that test statistics are compared with. All within 1e-10 of scipy's over the tested range.
public enum Tail {
    /// P(χ² ≥ x) with `degrees` > 0 degrees of freedom.
    public static func chiSquare(_ x: Double, degrees: Double) -> Double {
        IncompleteFunctions.upperGamma(degrees / 2, x / 2)
    }

    /// P(F ≥ f) with `numerator` and `denominator` degrees of freedom, both > 0.
    public static func f(_ f: Double, numerator: Double, denominator: Double) -> Double {
        guard f > 0 else { return 1 }
        guard f < .infinity else { return 0 }
        let sum = denominator + numerator * f
        return IncompleteFunctions.beta(
            denominator / 2, numerator / 2, denominator / sum, complement: numerator * f / sum)
    }

    /// P(T ≥ t) of Student's t with `degrees` > 0 degrees of freedom; ±∞ allowed.
    public static func t(_ t: Double, degrees: Double) -> Double {
        let square = t * t
        guard square < .infinity else { return t > 0 ? 0 : 1 }
        let both = IncompleteFunctions.beta(
            degrees / 2, 0.5, degrees / (degrees + square), complement: square / (degrees + square))
        return t >= 0 ? both / 2 : 1 - both / 2
    }

    /// The t with P(T ≥ t) = `upper`, for `upper` in (0, ½], by bisection to the last digits.
    static func tQuantile(upper: Double, degrees: Double) -> Double {
        var high = 1.0
        while t(high, degrees: degrees) > upper, high < 1e300 { high *= 2 }
        return bisect(0, high) { t($0, degrees: degrees) > upper }
    }

    /// The border between where `isBelow` holds and where it does not.
    static func bisect(_ low: Double, _ high: Double, _ isBelow: (Double) -> Bool) -> Double {
        var (low, high) = (low, high)
        for _ in 0..<200 {
            let middle = low + (high - low) / 2
            if middle == low || middle == high { break }
            if isBelow(middle) { low = middle } else { high = middle }
        }
        return low + (high - low) / 2
    }
}
