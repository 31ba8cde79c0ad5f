import Foundation

/// A function of two elements; `left` and `right` are the gradients of the operands given that of the result.
///
/// The loops are requirements for the same reason as those of `UnaryFormula`.
protocol BinaryFormula {
    static var isDifferentiable: Bool { get }
    func value(_ a: Float, _ b: Float) -> Float
    func left(_ g: Float, _ a: Float, _ b: Float) -> Float
    func right(_ g: Float, _ a: Float, _ b: Float) -> Float
    /// y = value(a, b)
    func map(
        _ plan: NestPlan, _ y: Elementwise.Floats, _ a: Elementwise.Floats, _ b: Elementwise.Floats, _ pool: ThreadPool)
    /// d = left(g, a, b), or right (+ d when `adds`)
    func mapGradient(
        _ plan: NestPlan, isLeft: Bool, adds: Bool, _ d: Elementwise.Floats, _ g: Elementwise.Floats,
        _ a: Elementwise.Floats, _ b: Elementwise.Floats, _ pool: ThreadPool)
}

extension BinaryFormula {
    static var isDifferentiable: Bool { true }
    @inline(__always) func left(_ g: Float, _ a: Float, _ b: Float) -> Float { 0 }
    @inline(__always) func right(_ g: Float, _ a: Float, _ b: Float) -> Float { 0 }

    func map(
        _ plan: NestPlan, _ y: Elementwise.Floats, _ a: Elementwise.Floats, _ b: Elementwise.Floats, _ pool: ThreadPool
    ) {
        plan.forEachPart(pool, with: (self, y, a, b)) { job, part in
            let formula = job.0
            part.map2(job.1, job.2, job.3) { formula.value($0, $1) }
        }
    }

    func mapGradient(
        _ plan: NestPlan, isLeft: Bool, adds: Bool, _ d: Elementwise.Floats, _ g: Elementwise.Floats,
        _ a: Elementwise.Floats, _ b: Elementwise.Floats, _ pool: ThreadPool
    ) {
        let operands = (d, g, a, b)
        plan.forEachPart(pool, with: (self, (isLeft: isLeft, adds: adds), operands)) { job, part in
            let (formula, (isLeft, adds), operands) = job
            if isLeft {
                part.map3(adds: adds, operands.0, operands.1, operands.2, operands.3) { formula.left($0, $1, $2) }
            } else {
                part.map3(adds: adds, operands.0, operands.1, operands.2, operands.3) { formula.right($0, $1, $2) }
            }
        }
    }
}

struct Add: BinaryFormula {
    @inline(__always) func value(_ a: Float, _ b: Float) -> Float { a + b }
    @inline(__always) func left(_ g: Float, _ a: Float, _ b: Float) -> Float { g }
    @inline(__always) func right(_ g: Float, _ a: Float, _ b: Float) -> Float { g }
}

struct Subtract: BinaryFormula {
    @inline(__always) func value(_ a: Float, _ b: Float) -> Float { a - b }
    @inline(__always) func left(_ g: Float, _ a: Float, _ b: Float) -> Float { g }
    @inline(__always) func right(_ g: Float, _ a: Float, _ b: Float) -> Float { -g }
}

struct Multiply: BinaryFormula {
    @inline(__always) func value(_ a: Float, _ b: Float) -> Float { a * b }
    @inline(__always) func left(_ g: Float, _ a: Float, _ b: Float) -> Float { g * b }
    @inline(__always) func right(_ g: Float, _ a: Float, _ b: Float) -> Float { g * a }
}

struct Divide: BinaryFormula {
    @inline(__always) func value(_ a: Float, _ b: Float) -> Float { a / b }
    @inline(__always) func left(_ g: Float, _ a: Float, _ b: Float) -> Float { g / b }
    @inline(__always) func right(_ g: Float, _ a: Float, _ b: Float) -> Float { -g * (a / b / b) }
}

/// Equal operands share the gradient, as in PyTorch.
struct Larger: BinaryFormula {
    @inline(__always) func value(_ a: Float, _ b: Float) -> Float { a.isNaN ? a : b.isNaN ? b : max(a, b) }
    @inline(__always) func left(_ g: Float, _ a: Float, _ b: Float) -> Float { a > b ? g : a == b ? g / 2 : 0 }
    @inline(__always) func right(_ g: Float, _ a: Float, _ b: Float) -> Float { b > a ? g : a == b ? g / 2 : 0 }
}

struct Smaller: BinaryFormula {
    @inline(__always) func value(_ a: Float, _ b: Float) -> Float { a.isNaN ? a : b.isNaN ? b : min(a, b) }
    @inline(__always) func left(_ g: Float, _ a: Float, _ b: Float) -> Float { a < b ? g : a == b ? g / 2 : 0 }
    @inline(__always) func right(_ g: Float, _ a: Float, _ b: Float) -> Float { b < a ? g : a == b ? g / 2 : 0 }
}

struct Power: BinaryFormula {
    @inline(__always) func value(_ a: Float, _ b: Float) -> Float { pow(a, b) }
    @inline(__always) func left(_ g: Float, _ a: Float, _ b: Float) -> Float { b == 0 ? 0 : g * b * pow(a, b - 1) }
    @inline(__always) func right(_ g: Float, _ a: Float, _ b: Float) -> Float {
        a == 0 && b >= 0 ? 0 : g * pow(a, b) * log(a)
    }
}

/// max(0, slope) with a learnt slope: a is x, b the weight.
struct PReLU: BinaryFormula {
    @inline(__always) func value(_ a: Float, _ b: Float) -> Float { a > 0 ? a : a * b }
    @inline(__always) func left(_ g: Float, _ a: Float, _ b: Float) -> Float { a > 0 ? g : g * b }
    @inline(__always) func right(_ g: Float, _ a: Float, _ b: Float) -> Float { a > 0 ? 0 : g * a }
}

/// -(t log p + (1 - t) log(1 - p)) with the logarithms cut off at -100, as in PyTorch: a is p, b is t.
struct BinaryCrossEntropy: BinaryFormula {
    @inline(__always) func value(_ a: Float, _ b: Float) -> Float {
        -(b * max(log(a), -100) + (1 - b) * max(log1p(-a), -100))
    }
    @inline(__always) func left(_ g: Float, _ a: Float, _ b: Float) -> Float {
        g * (a - b) / max((1 - a) * a, 1e-12)
    }
    @inline(__always) func right(_ g: Float, _ a: Float, _ b: Float) -> Float {
        g * (max(log1p(-a), -100) - max(log(a), -100))
    }
}

/// The same from the logit x = log(p / (1 - p)), without overflow: a is x, b is t.
struct BinaryCrossEntropyWithLogits: BinaryFormula {
    @inline(__always) func value(_ a: Float, _ b: Float) -> Float { (1 - b) * a + softplus(-a) }
    @inline(__always) func left(_ g: Float, _ a: Float, _ b: Float) -> Float {
        let decay = exponentialDecay(-abs(a))
        return g * ((a < 0 ? decay : 1) / (1 + decay) - b)
    }
    @inline(__always) func right(_ g: Float, _ a: Float, _ b: Float) -> Float { -g * a }
}

struct SmoothL1: BinaryFormula {
    var beta: Float
    @inline(__always) func value(_ a: Float, _ b: Float) -> Float {
        let d = abs(a - b)
        return d < beta ? 0.5 * d * d / beta : d - 0.5 * beta
    }
    @inline(__always) func left(_ g: Float, _ a: Float, _ b: Float) -> Float {
        let d = a - b
        return abs(d) < beta ? g * d / beta : d > 0 ? g : d < 0 ? -g : 0
    }
    @inline(__always) func right(_ g: Float, _ a: Float, _ b: Float) -> Float { -left(g, a, b) }
}

struct Greater: BinaryFormula {
    static let isDifferentiable = false
    @inline(__always) func value(_ a: Float, _ b: Float) -> Float { a > b ? 1 : 0 }
}

struct GreaterOrEqual: BinaryFormula {
    static let isDifferentiable = false
    @inline(__always) func value(_ a: Float, _ b: Float) -> Float { a >= b ? 1 : 0 }
}

struct Less: BinaryFormula {
    static let isDifferentiable = false
    @inline(__always) func value(_ a: Float, _ b: Float) -> Float { a < b ? 1 : 0 }
}

struct LessOrEqual: BinaryFormula {
    static let isDifferentiable = false
    @inline(__always) func value(_ a: Float, _ b: Float) -> Float { a <= b ? 1 : 0 }
}

struct Equal: BinaryFormula {
    static let isDifferentiable = false
    @inline(__always) func value(_ a: Float, _ b: Float) -> Float { a == b ? 1 : 0 }
}

struct NotEqual: BinaryFormula {
    static let isDifferentiable = false
    @inline(__always) func value(_ a: Float, _ b: Float) -> Float { a != b ? 1 : 0 }
}

struct LogicalAnd: BinaryFormula {
    static let isDifferentiable = false
    @inline(__always) func value(_ a: Float, _ b: Float) -> Float { a != 0 && b != 0 ? 1 : 0 }
}

struct LogicalOr: BinaryFormula {
    static let isDifferentiable = false
    @inline(__always) func value(_ a: Float, _ b: Float) -> Float { a != 0 || b != 0 ? 1 : 0 }
}
