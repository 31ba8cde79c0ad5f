/// Which operations exist, and how each is made from the attributes of a node.
enum OperationTable {
    typealias Factory = @Sendable (Attributes) throws -> any Operation

    /// All names that a graph may use.
    static let names = Set(factories.keys).union(compositions.keys)

    /// Operations with kernels. A family stands in its own file; a new operation is an entry there.
    static let factories: [String: Factory] = joined([
        activations, arithmetic, comparisons, shapes, reductions, layers, padding, averagePooling, maximumPooling,
        interpolation, indexing, scans, sampleNorms,
    ])

    /// Operations that are made of others.
    static let compositions: [String: Composer.Composition] = joined([
        pointwiseLosses, pointwiseCompositions, randomCompositions, matrixProducts, attention, rearrangements,
        statistics, indexCompositions, crossEntropies, segmentationLosses, instanceNorms,
    ])

    private static func joined<T>(_ families: [[String: T]]) -> [String: T] {
        families.reduce(into: [:]) { $0.merge($1) { first, _ in first } }
    }

    private static let activations: [String: Factory] = [
        "relu": { _ in UnaryOperation(ReLU()) },
        "sigmoid": { _ in UnaryOperation(Sigmoid()) },
        "tanh": { _ in UnaryOperation(Tanh()) },
        "silu": { _ in UnaryOperation(SiLU()) },
        "mish": { _ in UnaryOperation(Mish()) },
        "hardswish": { _ in UnaryOperation(HardSwish()) },
        "hardsigmoid": { _ in UnaryOperation(HardSigmoid()) },
        "log_sigmoid": { _ in UnaryOperation(LogSigmoid()) },
        "leaky_relu": {
            UnaryOperation(LeakyReLU(negativeSlope: Float(try $0.number("negative_slope", default: 0.01))))
        },
        "elu": { UnaryOperation(ELU(alpha: Float(try $0.number("alpha", default: 1)))) },
        "gelu": {
            let isTanh = try $0.string("approximate", default: "none") == "tanh"
            return isTanh ? UnaryOperation(TanhGELU()) as any Operation : UnaryOperation(GELU())
        },
        "softplus": {
            UnaryOperation(
                Softplus(
                    beta: Float(try $0.number("beta", default: 1)),
                    threshold: Float(try $0.number("threshold", default: 20))))
        },
        "hardtanh": {
            UnaryOperation(
                HardTanh(low: Float(try $0.number("min", default: -1)), high: Float(try $0.number("max", default: 1))))
        },
        "softmax": { Softmax(axis: try $0.integer("axis"), isLogarithm: false) },
        "log_softmax": { Softmax(axis: try $0.integer("axis"), isLogarithm: true) },
    ]

    private static let arithmetic: [String: Factory] = [
        "add": { _ in BinaryOperation(Add()) },
        "sub": { _ in BinaryOperation(Subtract()) },
        "mul": { _ in BinaryOperation(Multiply()) },
        "div": { _ in BinaryOperation(Divide()) },
        "minimum": { _ in BinaryOperation(Smaller()) },
        "maximum": { _ in BinaryOperation(Larger()) },
        "pow": { _ in BinaryOperation(Power()) },
        "add_scalar": { UnaryOperation(AddScalar(scalar: Float(try $0.number("scalar")))) },
        "mul_scalar": { UnaryOperation(ScaleShift(scale: Float(try $0.number("scalar")), shift: 0)) },
        "div_scalar": { UnaryOperation(DivideByScalar(scalar: Float(try $0.number("scalar")))) },
        "pow_scalar": { UnaryOperation(PowerScalar(exponent: Float(try $0.number("scalar")))) },
        "rsub_scalar": { UnaryOperation(ScaleShift(scale: -1, shift: Float(try $0.number("scalar")))) },
        "rdiv_scalar": { UnaryOperation(DivideScalar(scalar: Float(try $0.number("scalar")))) },
        "neg": { _ in UnaryOperation(Negate()) },
        "abs": { _ in UnaryOperation(Absolute()) },
        "exp": { _ in UnaryOperation(Exponential()) },
        "log": { _ in UnaryOperation(Logarithm()) },
        "log1p": { _ in UnaryOperation(Log1p()) },
        "sqrt": { _ in UnaryOperation(SquareRoot()) },
        "rsqrt": { _ in UnaryOperation(ReciprocalSquareRoot()) },
        "square": { _ in UnaryOperation(Square()) },
        "reciprocal": { _ in UnaryOperation(Reciprocal()) },
        "sign": { _ in UnaryOperation(Sign()) },
        "floor": { _ in UnaryOperation(Floor()) },
        "round": { _ in UnaryOperation(RoundHalfEven()) },
        "clamp": {
            UnaryOperation(
                Clamp(
                    low: Float(try $0.number("min", default: -.infinity)),
                    high: Float(try $0.number("max", default: .infinity))))
        },
    ]

    private static func comparing<C: BinaryFormula & Sendable>(
        _ name: String, _ comparison: C, _ relation: CompareScalar.Relation
    ) -> [String: Factory] {
        [
            name: { _ in BinaryOperation(comparison) },
            name + "_scalar": {
                UnaryOperation(CompareScalar(relation: relation, scalar: Float(try $0.number("scalar"))))
            },
        ]
    }

    private static let comparisons: [String: Factory] = [
        comparing("gt", Greater(), .greater), comparing("ge", GreaterOrEqual(), .greaterOrEqual),
        comparing("lt", Less(), .less), comparing("le", LessOrEqual(), .lessOrEqual),
        comparing("eq", Equal(), .equal), comparing("ne", NotEqual(), .notEqual),
        [
            "logical_not": { _ in UnaryOperation(LogicalNot()) },
            "logical_and": { _ in BinaryOperation(LogicalAnd()) },
            "logical_or": { _ in BinaryOperation(LogicalOr()) },
            "where": { _ in Choose() },
        ],
    ].reduce(into: [:]) { $0.merge($1) { first, _ in first } }

    private static let shapes: [String: Factory] = [
        "concatenate": { Concatenate(axis: try $0.integer("axis")) },
        "slice": {
            Slice(
                axis: try $0.integer("axis"), start: try $0.integer("start", default: 0),
                end: try $0.integer("end", default: Int.max >> 1), step: try $0.integer("step", default: 1))
        },
        "select": { Select(axis: try $0.integer("axis"), index: try $0.integer("index")) },
        "reshape": { Reshape(target: try $0.integers("shape")) },
        "permute": { Permute(axes: try $0.integers("axes")) },
        "flip": { Flip(axes: try $0.integers("axes")) },
        "expand": { Expand(target: try $0.integers("shape")) },
        "identity": { _ in Identity() },
        "detach": { _ in Detach() },
        "cast": {
            switch try $0.string("dtype", default: "float32") {
            case "bool": return UnaryOperation(Truth())
            case "int64": return UnaryOperation(Truncate())
            case "float32", "float64": return Identity()
            case let name: throw $0.failure("the dtype \(name) is unknown")
            }
        },
        "full": { Full(target: try $0.integers("shape"), value: Float(try $0.number("value"))) },
        "bernoulli": {
            Bernoulli(
                target: try $0.integers("shape"), probability: try $0.number("p"), name: $0.node.outputs.first ?? -1)
        },
    ]

    private static let reductions: [String: Factory] = [
        "sum": { SumOrMean(axes: try axes($0), isMean: false) },
        "mean": { SumOrMean(axes: try axes($0), isMean: true) },
        "amax": { Extreme(axes: try axes($0), isLargest: true) },
        "amin": { Extreme(axes: try axes($0), isLargest: false) },
        "nll_loss": {
            NegativeLogLikelihood(
                reduction: try Reduction($0), ignoreIndex: try $0.integer("ignore_index", default: -100))
        },
    ]

    static func axes(_ attributes: Attributes) throws -> ReducedAxes {
        ReducedAxes(
            axes: try attributes.integers("axes", default: []), keepsAxes: try attributes.flag("keepdim"))
    }

    /// `running_variance` of a batch norm: `unbiased` unless given, or `biased`.
    private static func biasedVariance(_ attributes: Attributes) throws -> Bool {
        switch try attributes.string("running_variance", default: "unbiased") {
        case "unbiased": return false
        case "biased": return true
        case let word: throw attributes.failure("running_variance is \(word), neither unbiased nor biased")
        }
    }

    private static let layers: [String: Factory] = [
        "convolution": { try Convolution($0) },
        "linear": { _ in AffineMap() },
        "batch_norm": {
            BatchNorm(
                isTraining: try $0.flag("training"), momentum: Float(try $0.number("momentum", default: 0.1)),
                epsilon: Float(try $0.number("eps", default: 1e-5)),
                keepsBiasedVariance: try biasedVariance($0))
        },
        "max_pool2d": {
            let kernel = try $0.extent("kernel")
            return MaxPool(
                kernel: kernel, stride: try stride($0, kernel),
                padding: try $0.extent("padding", default: 0, minimum: 0),
                dilation: try $0.extent("dilation", default: 1), ceilMode: try $0.flag("ceil_mode"))
        },
    ]

    /// Without a stride, windows do not overlap.
    private static func stride(_ attributes: Attributes, _ kernel: Extent) throws -> Extent {
        let sizes = try attributes.integers("stride", default: [])
        return sizes.isEmpty ? kernel : try attributes.extent("stride")
    }
}
