import Foundation

/// A function of one element and its derivative, from the argument x and the result y.
protocol UnaryFormula {
    static var isDifferentiable: Bool { get }
    func value(_ x: Float) -> Float
    func slope(_ x: Float, _ y: Float) -> Float
}

extension UnaryFormula {
    static var isDifferentiable: Bool { true }
    @inline(__always) func slope(_ x: Float, _ y: Float) -> Float { 0 }
}

@inline(__always)
func logistic(_ x: Float) -> Float {
    1 / (1 + exp(-x))
}

/// log(1 + exp(x)) without overflow.
@inline(__always)
func softplus(_ x: Float) -> Float {
    max(x, 0) + log1p(exp(-abs(x)))
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

/// x compared with a scalar.
struct CompareScalar<C: BinaryFormula>: UnaryFormula {
    static var isDifferentiable: Bool { false }
    var comparison: C
    var scalar: Float
    @inline(__always) func value(_ x: Float) -> Float { comparison.value(x, scalar) }
}
