/// Builds an operation of the table out of others: what a composition does with it becomes nodes of the lowered graph.
///
/// A composition is a function from a composer to the value that holds its result. It may throw `ShapeFault`; the error that the
/// user reads then names the operation and its place.
struct Composer {
    typealias Composition = @Sendable (inout Composer) throws -> Int

    private(set) var lowering: Lowering
    let attributes: Attributes
    private let index: Int

    init(lowering: Lowering, attributes: Attributes, index: Int) {
        self.lowering = lowering
        self.attributes = attributes
        self.index = index
    }

    // Operands

    /// The operands that are there.
    var operands: [Int] { attributes.node.inputs.compactMap { $0 } }

    /// The value that names the node, for what outlives the lowering (recorded dropout masks).
    var name: Int { attributes.node.outputs.first ?? -1 }

    func input(_ position: Int) throws -> Int {
        guard let input = optional(position) else { throw attributes.failure("operand \(position) is absent") }
        return input
    }

    func optional(_ position: Int) -> Int? {
        position < attributes.node.inputs.count ? attributes.node.inputs[position] : nil
    }

    func shape(_ value: Int) -> [Int] { lowering.shapes[value] ?? [] }

    /// Whether the graph declares a value as Boolean.
    func isBoolean(_ value: Int) -> Bool {
        lowering.graph.values.first { $0.id == value }?.dtype == "bool"
    }

    /// Whether the graph declares a value as a floating-point number.
    func isFloat(_ value: Int) -> Bool {
        lowering.graph.values.first { $0.id == value }?.dtype.hasPrefix("float") ?? true
    }

    /// Checks the number of operands, absent ones counted.
    func expect(_ counts: ClosedRange<Int>) throws {
        let count = attributes.node.inputs.count
        guard counts.contains(count) else { throw attributes.failure("it has \(count) operands") }
    }

    // Nodes

    mutating func apply(_ operation: any Operation, _ operands: Int?...) throws -> Int {
        try apply(operation, operands)
    }

    mutating func apply(_ operation: any Operation, _ operands: [Int?]) throws -> Int {
        let target = lowering.fresh()
        try lowering.append(operation, operands, target, attributes, index)
        return target
    }

    mutating func finish(_ result: Int, as output: Int) throws {
        guard !lowering.rename(result, to: output) else { return }
        try lowering.append(Identity(), [result], output, attributes, index)
    }

    // Short forms

    mutating func add(_ a: Int, _ b: Int) throws -> Int { try apply(BinaryOperation(Add()), a, b) }
    mutating func subtract(_ a: Int, _ b: Int) throws -> Int { try apply(BinaryOperation(Subtract()), a, b) }
    mutating func multiply(_ a: Int, _ b: Int) throws -> Int { try apply(BinaryOperation(Multiply()), a, b) }
    mutating func divide(_ a: Int, _ b: Int) throws -> Int { try apply(BinaryOperation(Divide()), a, b) }

    /// scale · x + shift; without effect it is x itself.
    mutating func affine(_ x: Int, scale: Double = 1, shift: Double = 0) throws -> Int {
        if scale == 1, shift == 0 { return x }
        return try apply(UnaryOperation(ScaleShift(scale: Float(scale), shift: Float(shift))), x)
    }

    mutating func square(_ x: Int) throws -> Int { try apply(UnaryOperation(Square()), x) }

    /// The sum over axes (all when empty).
    mutating func sum(_ x: Int, _ axes: [Int] = [], keeps: Bool = false) throws -> Int {
        try apply(SumOrMean(axes: ReducedAxes(axes: axes, keepsAxes: keeps), isMean: false), x)
    }

    mutating func mean(_ x: Int, _ axes: [Int] = [], keeps: Bool = false) throws -> Int {
        try apply(SumOrMean(axes: ReducedAxes(axes: axes, keepsAxes: keeps), isMean: true), x)
    }

    mutating func reshape(_ x: Int, _ shape: [Int]) throws -> Int {
        shape == self.shape(x) ? x : try apply(Reshape(target: shape), x)
    }

    mutating func permute(_ x: Int, _ axes: [Int]) throws -> Int {
        axes == Array(axes.indices) ? x : try apply(Permute(axes: axes), x)
    }

    mutating func expand(_ x: Int, _ shape: [Int]) throws -> Int {
        shape == self.shape(x) ? x : try apply(Expand(target: shape), x)
    }

    /// A scalar constant.
    mutating func constant(_ value: Double) throws -> Int {
        try apply(Full(target: [], value: Float(value)))
    }

    /// The losses of the elements as the attribute `reduction` asks.
    mutating func reduce(_ losses: Int) throws -> Int {
        switch try Reduction(attributes) {
        case .none: return losses
        case .sum: return try sum(losses)
        case .mean: return try mean(losses)
        }
    }
}
