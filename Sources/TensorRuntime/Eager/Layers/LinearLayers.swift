/// y = x Wᵀ + b over the last axis; starts as PyTorch's: weights and biases uniform in ±1/√inputs.
public final class Linear: Layer {
    /// O I.
    public let weight: Parameter
    /// O.
    public let bias: Parameter?

    /// From … `inputs` to … `outputs`.
    public init(_ inputs: Int, _ outputs: Int, bias hasBias: Bool = true) {
        let isSound = inputs > 0 && outputs > 0 && (try? Tensor.count(of: [inputs, outputs])) != nil
        weight = Parameter(
            isSound ? [outputs, inputs] : [0], .kaimingUniform(nonlinearity: .leakyReLU(slope: 5.0.squareRoot())))
        let bound = 1 / Double(max(inputs, 1)).squareRoot()
        bias = hasBias ? Parameter(isSound ? [outputs] : [0], .uniform(low: -bound, high: bound)) : nil
        super.init()
        if !isSound { fault = "\(inputs) inputs and \(outputs) outputs" }
    }

    override public func forward(_ x: Variable) throws -> Variable { try x.linear(weight, bias: bias) }
}

/// Attention of several heads (Vaswani et al. 2017) over sequences N L E; names and start are those of `torch.nn.MultiheadAttention`
/// with `batch_first`.
public final class MultiheadAttention: Module {
    /// How many heads share the features.
    public let heads: Int
    /// The projections of queries, keys and values, one below the other: 3E E; Xavier uniform at first.
    public let inProjWeight: Parameter
    /// 3E; zero at first.
    public let inProjBias: Parameter?
    /// What joins the heads.
    public let outProj: Linear

    /// `features` E must be a multiple of `heads`.
    public init(_ features: Int, heads: Int, bias: Bool = true) {
        let isSound =
            features > 0 && heads > 0 && features % heads == 0
            && (try? Tensor.count(of: [3, features, features])) != nil
        self.heads = heads
        inProjWeight = Parameter(isSound ? [3 * features, features] : [0], .xavierUniform())
        inProjBias = bias ? Parameter(isSound ? [3 * features] : [0], .constant(0)) : nil
        outProj = Linear(max(features, 1), max(features, 1), bias: bias)
        super.init()
        if isSound, let bias = outProj.bias { try? bias.initialize(.constant(0)) }
        if !isSound { fault = "\(features) features in \(heads) heads" }
    }

    /// Queries N L E over keys and values N S E (the queries themselves unless given) to N L E; masks as for `attention`,
    /// broadcast to N heads L S.
    public func callAsFunction(
        _ queries: Variable, keys: Variable? = nil, values: Variable? = nil, mask: Variable? = nil,
        visible: Variable? = nil, isCausal: Bool = false
    ) throws -> Variable {
        try scope {
            let keys = keys ?? queries
            let parts = try zip(0..<3, [queries, keys, values ?? keys]).map { try projected($1, part: $0) }
            let mixed = try parts[0].attention(
                keys: parts[1], values: parts[2], mask: mask, visible: visible, isCausal: isCausal)
            let joined = try mixed.permuted([0, 2, 1, 3])
            return try outProj(joined.reshaped([joined.shape[0], joined.shape[1], -1]))
        }
    }

    /// N L E as N heads L E/heads.
    private func projected(_ x: Variable, part: Int) throws -> Variable {
        let features = inProjWeight.shape[1]
        guard x.shape.count == 3, x.shape[2] == features else {
            throw x.failure("attention", "a sequence of shape \(x.shape) is not N L E with \(features) features")
        }
        let rows = part * features..<(part + 1) * features
        let y = try x.linear(
            inProjWeight.sliced(axis: 0, rows), bias: inProjBias?.sliced(axis: 0, rows))
        return try y.reshaped([x.shape[0], x.shape[1], heads, features / heads]).permuted([0, 2, 1, 3])
    }
}
