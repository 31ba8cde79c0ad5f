/// One row of the table of operations: reads its attributes, knows the shape it yields, and emits the kernels of its forward
/// and backward pass.
protocol Operation {
    /// The smallest and largest number of operands.
    var arity: ClosedRange<Int> { get }
    /// Which operands may be absent (by position); the others must be there.
    func isOptional(_ input: Int) -> Bool
    /// The shape of the result. Throws `ShapeFault` when the operands do not fit.
    func shape(_ inputs: [[Int]?]) throws -> [Int]
    /// Whether a training step changes running statistics, so that it runs even where nothing reads its result.
    var updatesStatistics: Bool { get }
    /// Whether a gradient flows to an operand.
    func differentiable(_ input: Int) -> Bool
    func forward(_ builder: ProgramBuilder, _ node: PlanNode)
    /// Emits the gradients of the operands, given that of the result.
    func backward(_ builder: ProgramBuilder, _ node: PlanNode, _ gradient: GradientSlot)
}

extension Operation {
    var arity: ClosedRange<Int> { 1...1 }
    var updatesStatistics: Bool { false }
    func isOptional(_ input: Int) -> Bool { false }
    func differentiable(_ input: Int) -> Bool { true }
    func backward(_ builder: ProgramBuilder, _ node: PlanNode, _ gradient: GradientSlot) {}
}

/// An operation that cannot be applied to the shapes it got.
struct ShapeFault: Error {
    var reason: String

    init(_ reason: String) {
        self.reason = reason
    }
}

/// A node as it is compiled: operation with its attributes read, operands and result as value numbers.
struct PlanNode {
    var operation: any Operation
    var inputs: [Int?]
    var output: Int
    /// The node of the graph it stems from.
    var origin: Int

    /// The operand at a position that is known to be there.
    func input(_ position: Int) -> Int { inputs[position] ?? -1 }
}

/// The gradient of a value, and whether its memory is nobody else's.
struct GradientSlot {
    var view: View
    var owned: Bool
}

/// The shape of a broadcast of two shapes, as in NumPy.
func broadcastShape(_ a: [Int], _ b: [Int]) throws -> [Int] {
    let rank = max(a.count, b.count)
    var result = [Int](repeating: 1, count: rank)
    for axis in 0..<rank {
        let x = axis < rank - a.count ? 1 : a[axis - (rank - a.count)]
        let y = axis < rank - b.count ? 1 : b[axis - (rank - b.count)]
        guard x == y || x == 1 || y == 1 else { throw ShapeFault("shapes \(a) and \(b) cannot be broadcast") }
        result[axis] = x == 1 ? y : x
    }
    return result
}

/// The product of sizes that may come from a hostile graph; nil when it is beyond what a value may have.
func boundedProduct(_ sizes: [Int]) -> Int? {
    var product = 1
    for size in sizes {
        let (next, overflow) = product.multipliedReportingOverflow(by: size)
        guard size >= 0, !overflow, next <= Graph.Limits.elements else { return nil }
        product = next
    }
    return product
}

/// A possibly negative axis as an index. Throws `ShapeFault` when it is out of range.
func resolveAxis(_ axis: Int, rank: Int) throws -> Int {
    guard axis >= -rank, axis < rank else { throw ShapeFault("axis \(axis) does not exist among \(rank)") }
    return axis < 0 ? axis + rank : axis
}
