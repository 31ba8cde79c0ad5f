/// Turns the nodes of a graph into operations that have kernels, checks their shapes, and joins what can run in one pass.
struct Lowering {
    let graph: Graph
    let batch: Int
    private(set) var nodes: [PlanNode] = []
    private(set) var shapes: [Int: [Int]] = [:]
    private var next: Int

    /// Operations that are made of others.
    static let names: Set<String> = [
        "binary_cross_entropy", "binary_cross_entropy_with_logits", "mse_loss", "l1_loss", "smooth_l1_loss", "dropout",
        "prelu",
    ]

    init(_ graph: Graph, batch: Int) throws {
        self.graph = graph
        self.batch = batch
        next = (graph.values.map(\.id).max() ?? 0) + 1
        let declared = Dictionary(uniqueKeysWithValues: graph.values.map { ($0.id, $0) })
        for binding in graph.inputs + graph.parameters + graph.buffers + graph.constants {
            guard let value = declared[binding.value] else { continue }
            let shape = try Graph.shape(of: value, batch: batch)
            guard shape.allSatisfy({ $0 > 0 }) else { throw RuntimeError.malformedGraph("\(binding.name) is empty") }
            shapes[binding.value] = shape
        }
        for (index, node) in graph.nodes.enumerated() {
            try lower(node, index)
            guard let output = node.outputs.first, let value = declared[output] else { continue }
            let (wanted, got) = (try Graph.shape(of: value, batch: batch), shapes[output] ?? [])
            guard wanted == got else {
                throw RuntimeError.shapeMismatch(
                    name: node.op, location: node.location, declared: wanted, computed: got)
            }
        }
        removeDeadNodes()
        fuseReLU()
    }

    private mutating func lower(_ node: Graph.Node, _ index: Int) throws {
        let attributes = Attributes(node: node, batch: batch)
        let output = node.outputs.first ?? -1
        if let factory = OperationTable.factories[node.op] {
            return try append(factory(attributes), node.inputs, output, attributes, index)
        }
        var composer = Composer(lowering: self, attributes: attributes, index: index, output: output)
        try composer.compose()
        self = composer.lowering
    }

    /// Adds a node, checking its operands.
    fileprivate mutating func append(
        _ operation: any Operation, _ inputs: [Int?], _ output: Int, _ attributes: Attributes, _ index: Int
    ) throws {
        var inputs = inputs
        while inputs.count < operation.arity.upperBound, operation.isOptional(inputs.count), inputs.count < 8 {
            inputs.append(nil)
        }
        guard operation.arity.contains(inputs.count) else {
            throw attributes.failure("it has \(inputs.count) operands")
        }
        for (position, input) in inputs.enumerated() where input == nil && !operation.isOptional(position) {
            throw attributes.failure("operand \(position) is absent")
        }
        do {
            let shape = try operation.shape(inputs.map { $0.flatMap { shapes[$0] } })
            guard shape.count <= 6, shape.allSatisfy({ $0 > 0 }) else { throw ShapeFault("the result is empty") }
            var count = 1
            for size in shape {
                let (product, overflow) = count.multipliedReportingOverflow(by: size)
                guard !overflow, product <= Graph.Limits.elements else {
                    throw RuntimeError.tooLarge(
                        "\(attributes.node.op) (\(attributes.node.location)) yields shape \(shape)")
                }
                count = product
            }
            shapes[output] = shape
        } catch let fault as ShapeFault {
            throw attributes.failure(fault.reason)
        }
        nodes.append(PlanNode(operation: operation, inputs: inputs, output: output, origin: index))
    }

    fileprivate mutating func fresh() -> Int {
        next += 1
        return next - 1
    }

    private var results: Set<Int> { Set([graph.outputs.loss, graph.outputs.probability].compactMap { $0 }) }

    /// Drops what the outputs do not depend on; training-mode batch norm stays, for its running statistics.
    private mutating func removeDeadNodes() {
        var needed = results
        var kept: [PlanNode] = []
        for node in nodes.reversed() {
            let isStatistics = (node.operation as? BatchNorm)?.isTraining == true
            guard needed.contains(node.output) || isStatistics else { continue }
            needed.formUnion(node.inputs.compactMap { $0 })
            kept.append(node)
        }
        nodes = kept.reversed()
    }

    /// A convolution or batch norm whose only reader is a ReLU computes it in the same pass.
    private mutating func fuseReLU() {
        var readers: [Int: Int] = [:]
        for node in nodes { for input in node.inputs.compactMap({ $0 }) { readers[input, default: 0] += 1 } }
        var producer: [Int: Int] = [:]
        var dropped: Set<Int> = []
        for index in nodes.indices {
            if nodes[index].operation is UnaryOperation<ReLU>, let source = producer[nodes[index].input(0)],
                readers[nodes[index].input(0)] == 1, !results.contains(nodes[index].input(0))
            {
                if var norm = nodes[source].operation as? BatchNorm {
                    norm.relu = true
                    nodes[index].operation = norm
                } else if var convolution = nodes[source].operation as? Convolution {
                    convolution.relu = true
                    nodes[index].operation = convolution
                } else {
                    continue
                }
                nodes[index].inputs = nodes[source].inputs
                nodes[index].origin = nodes[source].origin
                dropped.insert(source)
            }
            producer[nodes[index].output] = index
        }
        nodes = nodes.indices.filter { !dropped.contains($0) }.map { nodes[$0] }
    }
}

/// Builds an operation of the table out of others.
private struct Composer {
    var lowering: Lowering
    let attributes: Attributes
    let index: Int
    let output: Int

    private var inputs: [Int?] { attributes.node.inputs }

    private func input(_ position: Int) throws -> Int {
        guard position < inputs.count, let input = inputs[position] else {
            throw attributes.failure("operand \(position) is absent")
        }
        return input
    }

    private func optional(_ position: Int) -> Int? { position < inputs.count ? inputs[position] : nil }

    private mutating func apply(_ operation: any Operation, _ operands: Int..., isLast: Bool = false) throws -> Int {
        let target = isLast ? output : lowering.fresh()
        try lowering.append(operation, operands, target, attributes, index)
        return target
    }

    mutating func compose() throws {
        switch attributes.node.op {
        case "dropout": try dropout()
        case "prelu": try prelu()
        case "mse_loss":
            try reduce(apply(UnaryOperation(Square()), apply(BinaryOperation(Subtract()), input(0), input(1))))
        case "l1_loss":
            try reduce(apply(UnaryOperation(Absolute()), apply(BinaryOperation(Subtract()), input(0), input(1))))
        case "smooth_l1_loss":
            let beta = Float(try attributes.number("beta", default: 1))
            try reduce(apply(BinaryOperation(SmoothL1(beta: beta)), input(0), input(1)))
        case "binary_cross_entropy":
            try weighted(apply(BinaryOperation(BinaryCrossEntropy()), input(0), input(1)))
        case "binary_cross_entropy_with_logits":
            try weighted(crossEntropyOfLogits())
        default:
            throw RuntimeError.unknownOperation(name: attributes.node.op, location: attributes.node.location)
        }
    }

    private mutating func dropout() throws {
        let p = try attributes.number("p", default: 0.5)
        guard p >= 0, p <= 1 else { throw attributes.failure("p = \(p) is no probability") }
        let x = try input(0)
        let mask = try apply(Bernoulli(target: lowering.shapes[x] ?? [], probability: 1 - p, name: output))
        let kept = try apply(BinaryOperation(Multiply()), x, mask)
        _ = try apply(UnaryOperation(ScaleShift(scale: p < 1 ? Float(1 / (1 - p)) : 0, shift: 0)), kept, isLast: true)
    }

    /// The weight has one value, or one a channel.
    private mutating func prelu() throws {
        let (x, weight) = (try input(0), try input(1))
        let rank = lowering.shapes[x]?.count ?? 0
        let count = lowering.shapes[weight]?.reduce(1, *) ?? 1
        guard lowering.shapes[weight]?.count == 1, count == 1 || rank >= 2 && lowering.shapes[x]?[1] == count else {
            throw attributes.failure("\(count) weights do not fit an input of shape \(lowering.shapes[x] ?? [])")
        }
        let shape = count == 1 ? [1] : [count] + [Int](repeating: 1, count: rank - 2)
        let spread = try apply(Reshape(target: shape), weight)
        _ = try apply(BinaryOperation(PReLU()), x, spread, isLast: true)
    }

    /// (1 - t) x + (1 + (w - 1) t) softplus(-x) with the weight w of positive targets.
    private mutating func crossEntropyOfLogits() throws -> Int {
        let (x, target) = (try input(0), try input(1))
        guard let positive = optional(3) else {
            return try apply(BinaryOperation(BinaryCrossEntropyWithLogits()), x, target)
        }
        let linear = try apply(
            BinaryOperation(Multiply()), apply(UnaryOperation(ScaleShift(scale: -1, shift: 1)), target), x)
        let excess = try apply(
            BinaryOperation(Multiply()), target, apply(UnaryOperation(AddScalar(scalar: -1)), positive))
        let factor = try apply(UnaryOperation(AddScalar(scalar: 1)), excess)
        // softplus(-x) = -log_sigmoid(x)
        let log = try apply(BinaryOperation(Multiply()), factor, apply(UnaryOperation(LogSigmoid()), x))
        return try apply(BinaryOperation(Subtract()), linear, log)
    }

    private mutating func weighted(_ losses: Int) throws {
        guard let weight = optional(2) else { return try reduce(losses) }
        try reduce(apply(BinaryOperation(Multiply()), losses, weight))
    }

    private mutating func reduce(_ losses: Int) throws {
        switch try Reduction(attributes) {
        case .none: _ = try apply(Identity(), losses, isLast: true)
        case .sum, .mean:
            let isMean = try Reduction(attributes) == .mean
            _ = try apply(
                SumOrMean(axes: ReducedAxes(axes: [], keepsAxes: false), isMean: isMean), losses, isLast: true)
        }
    }
}
