import Foundation

/// A function of one element and its derivative, from the argument x and the result y.
///
/// The loops are requirements too: the compiler then makes one of each for every formula, where a generic operation would call
/// the formula through a table for each element.
protocol UnaryFormula {
    static var isDifferentiable: Bool { get }
    func value(_ x: Float) -> Float
    func slope(_ x: Float, _ y: Float) -> Float
    /// y = value(x)
    func map(_ plan: NestPlan, _ y: Elementwise.Floats, _ x: Elementwise.Floats, _ pool: ThreadPool)
    /// dx = g · slope(x, y) (+ dx when `adds`)
    func mapSlope(
        _ plan: NestPlan, adds: Bool, _ dx: Elementwise.Floats, _ g: Elementwise.Floats, _ x: Elementwise.Floats,
        _ y: Elementwise.Floats, _ pool: ThreadPool)
}

extension UnaryFormula {
    static var isDifferentiable: Bool { true }
    @inline(__always) func slope(_ x: Float, _ y: Float) -> Float { 0 }

    func map(_ plan: NestPlan, _ y: Elementwise.Floats, _ x: Elementwise.Floats, _ pool: ThreadPool) {
        plan.forEachPart(pool, with: (self, y, x)) { job, part in
            let formula = job.0
            let (ys, xs) = (part.inner[0], part.inner[1])
            part.forEachRow { offsets, count in
                let (y, x) = (job.1 + offsets[0], job.2 + offsets[1])
                if ys == 1, xs == 1 {
                    for i in 0..<count { y[i] = formula.value(x[i]) }
                } else {
                    for i in 0..<count { y[i * ys] = formula.value(x[i * xs]) }
                }
            }
        }
    }

    func mapSlope(
        _ plan: NestPlan, adds: Bool, _ dx: Elementwise.Floats, _ g: Elementwise.Floats, _ x: Elementwise.Floats,
        _ y: Elementwise.Floats, _ pool: ThreadPool
    ) {
        plan.forEachPart(pool, with: (self, adds, (dx, g, x, y))) { job, part in
            let (formula, adds, operands) = job
            let s = part.inner
            let isContiguous = (0..<4).allSatisfy { s[$0] == 1 }
            part.forEachRow { offsets, count in
                let (d, g) = (operands.0 + offsets[0], operands.1 + offsets[1])
                let (x, y) = (operands.2 + offsets[2], operands.3 + offsets[3])
                if isContiguous, !adds {
                    for i in 0..<count { d[i] = g[i] * formula.slope(x[i], y[i]) }
                } else if isContiguous {
                    for i in 0..<count { d[i] += g[i] * formula.slope(x[i], y[i]) }
                } else {
                    for i in 0..<count {
                        let own = g[i * s[1]] * formula.slope(x[i * s[2]], y[i * s[3]])
                        d[i * s[0]] = adds ? d[i * s[0]] + own : own
                    }
                }
            }
        }
    }
}

@inline(__always)
func logistic(_ x: Float) -> Float {
    1 / (1 + exp(-x))
}

/// log(1 + exp(x)) without overflow.
@inline(__always)
func softplus(_ x: Float) -> Float {
    (x < 0 ? 0 : x) + logOnePlus(exponentialDecay(-abs(x)))
}

/// e^t for t ≤ 0 within 1.2e-7 of the value; zero below -87. No calls and no branches: loops over it become vectors.
///
/// t = n ln 2 + r with |r| ≤ ln 2 / 2 and ln 2 in two parts (Cody and Waite 1980, "Software manual for the elementary functions",
/// chapter 6); e^r by Taylor's polynomial, 2ⁿ from the bits of an exponent. What is not a number stays so.
@inline(__always)
func exponentialDecay(_ t: Float) -> Float {
    let bounded = t < -87 ? -87 : t
    // Adding 1.5 · 2²³ rounds to an integer, which then is in the low bits.
    let shifted = bounded * 1.442_695_04 + 12_582_912
    let n = shifted - 12_582_912
    let r = bounded - n * 0.693_359_375 + n * 2.121_944_4e-4
    let high = ((1.0 / 5040 * r + 1.0 / 720) * r + 1.0 / 120) * r + 1.0 / 24
    let value = (((high * r + 1.0 / 6) * r + 0.5) * r + 1) * r + 1
    return t < -87 ? 0 : value * Float(bitPattern: (shifted.bitPattern &+ 127) &<< 23)
}

/// log(1 + u) for 0 ≤ u ≤ 1 within 2.2e-7 of the value: 2 artanh(s) with s = u / (2 + u) ≤ 1/3 by its series.
@inline(__always)
func logOnePlus(_ u: Float) -> Float {
    let s = u / (2 + u)
    let q = s * s
    let high = ((1.0 / 15 * q + 1.0 / 13) * q + 1.0 / 11) * q + 1.0 / 9
    return 2 * s * ((((high * q + 1.0 / 7) * q + 1.0 / 5) * q + 1.0 / 3) * q + 1)
}

struct ReLU: UnaryFormula {
    @inline(__always) func value(_ x: Float) -> Float { x < 0 ? 0 : x }
    @inline(__always) func slope(_ x: Float, _ y: Float) -> Float { y > 0 ? 1 : 0 }
}

struct Sigmoid: UnaryFormula {
    @inline(__always) func value(_ x: Float) -> Float { logistic(x) }
    @inline(__always) func slope(_ x: Float, _ y: Float) -> Float { y * (1 - y) }
}

struct Tanh: UnaryFormula {
    @inline(__always) func value(_ x: Float) -> Float { tanh(x) }
    @inline(__always) func slope(_ x: Float, _ y: Float) -> Float { 1 - y * y }
}

struct SiLU: UnaryFormula {
    @inline(__always) func value(_ x: Float) -> Float { x * logistic(x) }
    @inline(__always) func slope(_ x: Float, _ y: Float) -> Float {
        let s = logistic(x)
        return s * (1 + x * (1 - s))
    }
}

struct Mish: UnaryFormula {
    @inline(__always) func value(_ x: Float) -> Float { x * tanh(softplus(x)) }
    @inline(__always) func slope(_ x: Float, _ y: Float) -> Float {
        let t = tanh(softplus(x))
        return t + x * logistic(x) * (1 - t * t)
    }
}

struct HardSwish: UnaryFormula {
    @inline(__always) func value(_ x: Float) -> Float { x * min(max(x + 3, 0), 6) / 6 }
    @inline(__always) func slope(_ x: Float, _ y: Float) -> Float { x <= -3 ? 0 : x < 3 ? x / 3 + 0.5 : 1 }
}

struct HardSigmoid: UnaryFormula {
    @inline(__always) func value(_ x: Float) -> Float { min(max(x + 3, 0), 6) / 6 }
    @inline(__always) func slope(_ x: Float, _ y: Float) -> Float { x > -3 && x < 3 ? 1.0 / 6 : 0 }
}

struct LogSigmoid: UnaryFormula {
    @inline(__always) func value(_ x: Float) -> Float { -softplus(-x) }
    @inline(__always) func slope(_ x: Float, _ y: Float) -> Float { logistic(-x) }
}

struct LeakyReLU: UnaryFormula {
    var negativeSlope: Float
    @inline(__always) func value(_ x: Float) -> Float { x > 0 ? x : x * negativeSlope }
    @inline(__always) func slope(_ x: Float, _ y: Float) -> Float { x > 0 ? 1 : negativeSlope }
}

struct ELU: UnaryFormula {
    var alpha: Float
    @inline(__always) func value(_ x: Float) -> Float { x > 0 ? x : alpha * expm1(x) }
    @inline(__always) func slope(_ x: Float, _ y: Float) -> Float { x > 0 ? 1 : alpha * exp(x) }
}

struct GELU: UnaryFormula {
    @inline(__always) func value(_ x: Float) -> Float { 0.5 * x * (1 + erf(x * 0.707_106_77)) }
    @inline(__always) func slope(_ x: Float, _ y: Float) -> Float {
        0.5 * (1 + erf(x * 0.707_106_77)) + x * exp(-0.5 * x * x) * 0.398_942_28
    }
}

/// The approximation by a hyperbolic tangent (Hendrycks and Gimpel 2016).
struct TanhGELU: UnaryFormula {
    @inline(__always) func value(_ x: Float) -> Float {
        0.5 * x * (1 + tanh(0.797_884_56 * (x + 0.044_715 * x * x * x)))
    }
    @inline(__always) func slope(_ x: Float, _ y: Float) -> Float {
        let t = tanh(0.797_884_56 * (x + 0.044_715 * x * x * x))
        return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * 0.797_884_56 * (1 + 3 * 0.044_715 * x * x)
    }
}

struct Softplus: UnaryFormula {
    var beta: Float
    var threshold: Float
    @inline(__always) func value(_ x: Float) -> Float { x * beta > threshold ? x : softplus(x * beta) / beta }
    @inline(__always) func slope(_ x: Float, _ y: Float) -> Float { x * beta > threshold ? 1 : logistic(x * beta) }
}

struct HardTanh: UnaryFormula {
    var low: Float
    var high: Float
    @inline(__always) func value(_ x: Float) -> Float { x < low ? low : x > high ? high : x }
    @inline(__always) func slope(_ x: Float, _ y: Float) -> Float { x > low && x < high ? 1 : 0 }
}

/// Differs from `HardTanh` in its slope at the bounds, which is 1.
struct Clamp: UnaryFormula {
    var low: Float
    var high: Float
    @inline(__always) func value(_ x: Float) -> Float {
        // As in PyTorch the upper bound wins when the bounds cross.
        let raised = x < low ? low : x
        return raised > high ? high : raised
    }
    @inline(__always) func slope(_ x: Float, _ y: Float) -> Float { x >= low && x <= high ? 1 : 0 }
}

struct AddScalar: UnaryFormula {
    var scalar: Float
    @inline(__always) func value(_ x: Float) -> Float { x + scalar }
    @inline(__always) func slope(_ x: Float, _ y: Float) -> Float { 1 }
}

struct ScaleShift: UnaryFormula {
    var scale: Float
    var shift: Float
    @inline(__always) func value(_ x: Float) -> Float { x * scale + shift }
    @inline(__always) func slope(_ x: Float, _ y: Float) -> Float { scale }
}

struct DivideByScalar: UnaryFormula {
    var scalar: Float
    @inline(__always) func value(_ x: Float) -> Float { x / scalar }
    @inline(__always) func slope(_ x: Float, _ y: Float) -> Float { 1 / scalar }
}

struct DivideScalar: UnaryFormula {
    var scalar: Float
    @inline(__always) func value(_ x: Float) -> Float { scalar / x }
    @inline(__always) func slope(_ x: Float, _ y: Float) -> Float { -scalar / (x * x) }
}

struct PowerScalar: UnaryFormula {
    var exponent: Float
    @inline(__always) func value(_ x: Float) -> Float { exponent == 2 ? x * x : pow(x, exponent) }
    @inline(__always) func slope(_ x: Float, _ y: Float) -> Float {
        exponent == 0 ? 0 : exponent == 2 ? 2 * x : exponent * pow(x, exponent - 1)
    }
}

struct Negate: UnaryFormula {
    @inline(__always) func value(_ x: Float) -> Float { -x }
    @inline(__always) func slope(_ x: Float, _ y: Float) -> Float { -1 }
}

struct Absolute: UnaryFormula {
    @inline(__always) func value(_ x: Float) -> Float { abs(x) }
    @inline(__always) func slope(_ x: Float, _ y: Float) -> Float { x > 0 ? 1 : x < 0 ? -1 : 0 }
}

struct Exponential: UnaryFormula {
    @inline(__always) func value(_ x: Float) -> Float { exp(x) }
    @inline(__always) func slope(_ x: Float, _ y: Float) -> Float { y }
}

struct Logarithm: UnaryFormula {
    @inline(__always) func value(_ x: Float) -> Float { log(x) }
    @inline(__always) func slope(_ x: Float, _ y: Float) -> Float { 1 / x }
}

struct Log1p: UnaryFormula {
    @inline(__always) func value(_ x: Float) -> Float { log1p(x) }
    @inline(__always) func slope(_ x: Float, _ y: Float) -> Float { 1 / (x + 1) }
}

struct SquareRoot: UnaryFormula {
    @inline(__always) func value(_ x: Float) -> Float { x.squareRoot() }
    @inline(__always) func slope(_ x: Float, _ y: Float) -> Float { 1 / (2 * y) }
}

struct ReciprocalSquareRoot: UnaryFormula {
    @inline(__always) func value(_ x: Float) -> Float { 1 / x.squareRoot() }
    @inline(__always) func slope(_ x: Float, _ y: Float) -> Float { -0.5 * y * y * y }
}

struct Square: UnaryFormula {
    @inline(__always) func value(_ x: Float) -> Float { x * x }
    @inline(__always) func slope(_ x: Float, _ y: Float) -> Float { 2 * x }
}

struct Reciprocal: UnaryFormula {
    @inline(__always) func value(_ x: Float) -> Float { 1 / x }
    @inline(__always) func slope(_ x: Float, _ y: Float) -> Float { -y * y }
}

struct Sign: UnaryFormula {
    @inline(__always) func value(_ x: Float) -> Float { x > 0 ? 1 : x < 0 ? -1 : 0 }
}

struct Floor: UnaryFormula {
    @inline(__always) func value(_ x: Float) -> Float { x.rounded(.down) }
}

struct RoundHalfEven: UnaryFormula {
    @inline(__always) func value(_ x: Float) -> Float { x.rounded(.toNearestOrEven) }
}

struct Truncate: UnaryFormula {
    static let isDifferentiable = false
    @inline(__always) func value(_ x: Float) -> Float { x.rounded(.towardZero) }
}

struct Truth: UnaryFormula {
    static let isDifferentiable = false
    @inline(__always) func value(_ x: Float) -> Float { x == 0 ? 0 : 1 }
}

struct LogicalNot: UnaryFormula {
    static let isDifferentiable = false
    @inline(__always) func value(_ x: Float) -> Float { x == 0 ? 1 : 0 }
}

/// x compared with a scalar. Not generic: a generic formula would share one set of loops, which call it for each element.
struct CompareScalar: UnaryFormula {
    enum Relation { case greater, greaterOrEqual, less, lessOrEqual, equal, notEqual }

    static var isDifferentiable: Bool { false }
    var relation: Relation
    var scalar: Float

    @inline(__always)
    func value(_ x: Float) -> Float {
        let holds =
            switch relation {
            case .greater: x > scalar
            case .greaterOrEqual: x >= scalar
            case .less: x < scalar
            case .lessOrEqual: x <= scalar
            case .equal: x == scalar
            case .notEqual: x != scalar
            }
        return holds ? 1 : 0
    }
}
