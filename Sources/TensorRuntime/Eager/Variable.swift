/// A tensor in a computation that remembers how it came about, so that gradients can be asked for.
///
/// ```swift
/// let w = Variable(try Tensor(shape: [2], values: [1, 2]), requiresGradient: true)
/// let loss = try (w * w).sum()
/// try loss.backward()
/// print(w.gradient!.values)  // [2, 4]
/// ```
///
/// Operations check shapes at once and throw `RuntimeError.invalidOperation`, which names the operation, the module and all shapes;
/// one `try` covers an expression. Nothing is computed until `value` is read or `backward()` called; see `Engine` for what that
/// costs. Elements are 32-bit floats; class indices and masks are exact small numbers. Images are N C H W.
///
/// A variable belongs to one task; parameters may be read by one task at a time.
public class Variable {
    let node: TraceNode

    init(_ node: TraceNode) {
        self.node = node
        node.holders += 1
    }

    deinit {
        node.holders -= 1
    }

    /// A known tensor; with `requiresGradient` a leaf whose gradient `backward()` computes.
    public convenience init(_ tensor: Tensor, requiresGradient: Bool = false) {
        let source: TraceNode.Source = requiresGradient ? .leaf(LeafStorage(tensor)) : .constant(tensor)
        self.init(TraceNode(source, shape: tensor.shape, requiresGradient: requiresGradient))
    }

    /// A scalar that is not part of the compiled program, so that it may change from step to step.
    public convenience init(_ scalar: Double) {
        self.init(Tensor(unchecked: [], [Float(scalar)]))
    }

    /// The size along each axis; empty for a scalar.
    public var shape: [Int] { node.shape }

    /// The number of elements.
    public var count: Int { node.shape.reduce(1, *) }

    /// Whether a gradient flows through the variable.
    public var requiresGradient: Bool { node.requiresGradient }

    /// The elements; computes them when they are not known yet.
    ///
    /// Throws `RuntimeError.invalidOperation` when something that they depend on has changed since, `.insufficientMemory`
    /// when the computation does not fit. A value that needs no gradient is computed once. One that does is computed again by
    /// `backward()`; to pay once, read it afterwards.
    public var value: Tensor {
        get throws {
            if let known = node.known { return known }
            if case .random = node.source { return try reshaped(shape).value }
            try Engine.current.evaluate(node)
            return node.known ?? Tensor(unchecked: [0], [])
        }
    }

    /// The only element. Throws `RuntimeError.invalidShape` when there are several, and what `value` throws.
    public var scalar: Float {
        get throws {
            let tensor = try value
            guard tensor.count == 1 else {
                throw RuntimeError.invalidShape("a tensor of shape \(tensor.shape) is no scalar")
            }
            return tensor.values[0]
        }
    }

    /// The sum of the gradients of the `backward()` calls since the last `zeroGradient()`; nil when none reached this leaf.
    public var gradient: Tensor? { node.leaf?.gradientTensor }

    /// Forgets the gradient.
    public func zeroGradient() {
        node.leaf?.flag.isSet = false
    }

    /// Computes the gradients of this scalar with respect to all leaves that want them, and adds them to those there are.
    ///
    /// Everything on the way that a variable stands for gets its value in the same pass. The trace is then used up unless
    /// `keepingTrace`: a second call through it throws, as in PyTorch.
    /// Throws `RuntimeError.invalidOperation` when this is no scalar or does not depend on a leaf with a gradient, and
    /// `.notFinite` naming the module whose result was the first that is not finite; gradients and running statistics are then
    /// as before.
    public func backward(keepingTrace: Bool = false) throws {
        guard count == 1 else {
            throw RuntimeError.invalidOperation(
                name: "backward", location: node.path,
                reason: "only a scalar has gradients, not a result of shape \(shape)")
        }
        guard requiresGradient, node.leaf == nil else {
            throw RuntimeError.invalidOperation(
                name: "backward", location: node.path,
                reason: "the result of shape \(shape) depends on nothing that requires a gradient")
        }
        try Engine.current.differentiate(node, keepingTrace: keepingTrace)
    }

    /// The same value, through which no gradient flows.
    public func detach() throws -> Variable { try apply("detach") }
}

/// Runs code whose results need no gradients: evaluation, and changes of weights. Saves the memory of the backward pass.
public func withoutGradients<R>(_ body: () throws -> R) rethrows -> R {
    try TraceMode.$recordsGradients.withValue(false) { try body() }
}

enum TraceMode {
    /// Whether new operations take part in backward passes.
    @TaskLocal static var recordsGradients = true
}

extension Variable {
    /// Notes down an operation of the table.
    static func apply(
        _ name: String, _ inputs: [Variable?], _ attributes: [String: AttributeValue] = [:]
    ) throws -> Variable {
        let signature = OperationSignature(name, attributes)
        let path = CallFrame.current.path
        let shape = try Engine.current.shape(signature, inputs.map { $0?.shape }, path: path)
        let requiresGradient =
            TraceMode.recordsGradients && name != "detach" && inputs.contains { $0?.requiresGradient == true }
        let node = TraceNode(
            .operation(signature, inputs.map { $0?.node }), shape: shape, requiresGradient: requiresGradient, path: path
        )
        return Variable(node)
    }

    /// Notes down an operation on this and other operands.
    func apply(
        _ name: String, _ others: [Variable?] = [], _ attributes: [String: AttributeValue] = [:]
    ) throws -> Variable {
        try Variable.apply(name, [self] + others, attributes)
    }

    /// Ones with probability `p`, zeros otherwise, from the engine's seed and the number of masks drawn before.
    ///
    /// Throws `RuntimeError.invalidShape` for an impossible shape or a `p` outside 0 … 1.
    public static func bernoulli(_ shape: [Int], probability p: Double) throws -> Variable {
        guard p >= 0, p <= 1 else { throw RuntimeError.invalidShape("p = \(p) is no probability") }
        _ = try Tensor.count(of: shape)
        let source = TraceNode.Source.random(probability: p, draw: Engine.current.nextDraw())
        return Variable(TraceNode(source, shape: shape, requiresGradient: false))
    }
}

extension [Int] {
    var attribute: AttributeValue { .list(map { .number(Double($0)) }) }
}
