/// How an optimizer moves one parameter in one step; one file a rule in `Rules/`.
protocol UpdateRule: Sendable {
    /// The learning rate before any schedule.
    var learningRate: Double { get }
    /// What `OneCycleLR` cycles, momentum or β₁; nil where the rule has neither.
    var momentum: Double? { get set }
    /// The tensors of the parameter's size that the rule keeps, by PyTorch's names.
    var stateNames: [String] { get }
    /// The single numbers that the rule keeps for each parameter, by PyTorch's names.
    var scalarNames: [String] { get }
    /// Throws `RuntimeError.invalidOptimizer` for settings that PyTorch refuses too.
    func check() throws
    /// Updates value and state of a parameter; its state already counts this step.
    func update(_ parameter: ParameterUpdate)
}

extension UpdateRule {
    var scalarNames: [String] { [] }

    func refuseNegative(_ settings: [(name: String, value: Double)]) throws {
        for (name, value) in settings where !(value >= 0) {
            throw RuntimeError.invalidOptimizer("\(name) is \(value), but must not be below zero")
        }
    }

    func refuseBetas(_ betas: (Double, Double)) throws {
        for beta in [betas.0, betas.1] where !(0..<1).contains(beta) {
            throw RuntimeError.invalidOptimizer("a beta of \(beta) lies outside 0 ..< 1")
        }
    }
}

/// The formula of a rule for sixteen elements.
protocol UpdateKernel {
    /// The new value of `p`, given its gradient `g`; `state` holds the rows in the order in which they were named, and is updated.
    func move(_ p: Vector, _ g: Vector, _ state: inout StateVectors) -> Vector
}

struct StateVectors {
    var first = Vector()
    var second = Vector()
    var third = Vector()
}

/// One parameter in one step: its memory, its state, and the learning rate of its group.
struct ParameterUpdate {
    var value: UnsafeMutablePointer<Float>
    var gradient: UnsafeMutablePointer<Float>
    var count: Int
    var rate: Double
    var state: ParameterState
    var pool: ThreadPool

    /// Runs a kernel over all elements; cost: one pass over value, gradient and rows.
    func run(
        _ kernel: some UpdateKernel, _ first: UnsafeMutablePointer<Float>? = nil,
        _ second: UnsafeMutablePointer<Float>? = nil, _ third: UnsafeMutablePointer<Float>? = nil
    ) {
        let pass = UpdatePass(
            kernel: kernel, value: value, gradient: gradient, first: first, second: second, third: third)
        if count < 16_384 {
            pass.run(0..<count)
        } else {
            pool.parallelRanges(count, grain: lanes, with: pass) { pass, range in pass.run(range) }
        }
    }
}

/// What a kernel reads and writes in its pass over one parameter.
private struct UpdatePass<Kernel: UpdateKernel> {
    let kernel: Kernel
    let value: UnsafeMutablePointer<Float>
    let gradient: UnsafePointer<Float>
    let first: UnsafeMutablePointer<Float>?
    let second: UnsafeMutablePointer<Float>?
    let third: UnsafeMutablePointer<Float>?

    /// The tail goes through the same formula in a padded vector, so that an element's bits do not depend on its position.
    @inline(__always)
    func run(_ range: Range<Int>) {
        var state = StateVectors()
        var i = range.lowerBound
        while i < range.upperBound {
            let left = range.upperBound - i
            if let first { state.first = load(first + i, upTo: left) }
            if let second { state.second = load(second + i, upTo: left) }
            if let third { state.third = load(third + i, upTo: left) }
            let moved = kernel.move(load(value + i, upTo: left), load(gradient + i, upTo: left), &state)
            store(moved, value + i, upTo: left)
            if let first { store(state.first, first + i, upTo: left) }
            if let second { store(state.second, second + i, upTo: left) }
            if let third { store(state.third, third + i, upTo: left) }
            i += lanes
        }
    }
}

/// What an optimizer keeps for one parameter between steps: rows of floats by PyTorch's names, made when first asked for.
final class ParameterState {
    private struct Row {
        var name: String
        var base: UnsafeMutablePointer<Float>
        var count: Int
    }

    /// Steps in which the parameter had a gradient.
    var step = 0
    private var rows: [Row] = []

    deinit {
        for row in rows { row.base.deallocate() }
    }

    func has(_ name: String) -> Bool {
        rows.contains { $0.name == name }
    }

    /// The memory of a row; a new one is filled with `initial`. The same row always has the same count.
    func row(_ name: String, count: Int, initial: Float = 0) -> UnsafeMutablePointer<Float> {
        for row in rows where row.name == name { return row.base }
        let base = UnsafeMutablePointer<Float>.allocate(capacity: max(count, 1))
        base.initialize(repeating: initial, count: max(count, 1))
        rows.append(Row(name: name, base: base, count: count))
        return base
    }

    func set(_ name: String, _ values: [Float]) {
        let target = row(name, count: values.count)
        for (index, value) in values.enumerated() { target[index] = value }
    }

    /// Bytes of all rows.
    var bytes: Int { rows.reduce(0) { $0 + max($1.count, 1) * 4 } }

    /// The rows in the order in which they were made.
    var contents: [(name: String, values: [Float])] {
        rows.map { ($0.name, Array(UnsafeBufferPointer(start: $0.base, count: $0.count))) }
    }
}

/// a + w (b - a), from the nearer end, as `torch.lerp` computes it.
@inline(__always)
func interpolated(_ a: Vector, _ b: Vector, _ weight: Float) -> Vector {
    weight < 0.5 ? a + weight * (b - a) : b - (b - a) * (1 - weight)
}

/// The gradient as a rule sees it: negated where it maximizes, with `decay` times the parameter added.
struct Slope {
    let maximizes: Bool
    let decay: Float

    @inline(__always)
    func callAsFunction(_ g: Vector, _ p: Vector) -> Vector {
        let slope = maximizes ? -g : g
        return decay == 0 ? slope : slope + decay * p
    }
}
