/// Turns the nodes of a graph into operations that have kernels, checks their shapes, and joins what can run in one pass.
struct Lowering {
    let graph: Graph
    let batch: Int
    private(set) var nodes: [PlanNode] = []
    private(set) var shapes: [Int: [Int]] = [:]
    private var next: Int
    /// The values whose elements are wanted: neither dropped nor computed away.
    private let results: Set<Int>

    /// `results` are the outputs of the graph unless others are named.
    init(_ graph: Graph, batch: Int, results: Set<Int>? = nil) throws {
        self.graph = graph
        self.results = results ?? Set([graph.outputs.loss, graph.outputs.probability].compactMap { $0 })
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
        separateInstances()
        fuseReLU()
        if graph.kind == .evaluation { foldBatchNorm() }
    }

    private mutating func lower(_ node: Graph.Node, _ index: Int) throws {
        let attributes = Attributes(node: node, batch: batch)
        let output = node.outputs.first ?? -1
        if let factory = OperationTable.factories[node.op] {
            return try append(factory(attributes), node.inputs, output, attributes, index)
        }
        guard let composition = OperationTable.compositions[node.op] else {
            throw RuntimeError.unknownOperation(name: node.op, location: node.location)
        }
        var composer = Composer(lowering: self, attributes: attributes, index: index)
        do {
            let result = try composition(&composer)
            try composer.finish(result, as: output)
        } catch let fault as ShapeFault {
            throw attributes.failure(fault.reason)
        }
        self = composer.lowering
    }

    /// Adds a node, checking its operands.
    mutating func append(
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

    mutating func fresh() -> Int {
        next += 1
        return next - 1
    }

    /// Lets the last node define `output` in place of a fresh value; false when another node made that value.
    mutating func rename(_ value: Int, to output: Int) -> Bool {
        guard let last = nodes.indices.last, nodes[last].output == value else { return false }
        nodes[last].output = output
        shapes[output] = shapes[value]
        return true
    }

    /// Drops what the outputs do not depend on; what updates running statistics stays.
    private mutating func removeDeadNodes() {
        var needed = results
        var kept: [PlanNode] = []
        for node in nodes.reversed() {
            guard needed.contains(node.output) || node.operation.updatesStatistics else { continue }
            needed.formUnion(node.inputs.compactMap { $0 })
            kept.append(node)
        }
        nodes = kept.reversed()
    }

    /// Group norm with one channel a group has kernels of its own.
    private mutating func separateInstances() {
        for index in nodes.indices {
            guard let norm = nodes[index].operation as? SampleNorm, case .group(let groups) = norm.kind,
                nodes[index].inputs.count == 3, let shape = shapes[nodes[index].input(0)],
                (3...5).contains(shape.count),
                shape[1] == groups
            else { continue }
            nodes[index].operation = InstanceNorm(epsilon: norm.epsilon)
        }
    }

    /// The slope below zero of a ReLU or leaky ReLU.
    private func negativeSlope(_ operation: any Operation) -> Float? {
        if operation is UnaryOperation<ReLU> { return 0 }
        guard let leaky = operation as? UnaryOperation<LeakyReLU>, leaky.formula.negativeSlope >= 0 else { return nil }
        return leaky.formula.negativeSlope
    }

    /// A convolution or normalization whose only reader is a ReLU computes it in the same pass, normalizations a leaky ReLU
    /// too; a second activation is not another slope of the first.
    private mutating func fuseReLU() {
        var readers: [Int: Int] = [:]
        for node in nodes { for input in node.inputs.compactMap({ $0 }) { readers[input, default: 0] += 1 } }
        var producer: [Int: Int] = [:]
        var dropped: Set<Int> = []
        for index in nodes.indices {
            if let slope = negativeSlope(nodes[index].operation), let source = producer[nodes[index].input(0)],
                readers[nodes[index].input(0)] == 1, !results.contains(nodes[index].input(0))
            {
                if var norm = nodes[source].operation as? BatchNorm, !norm.relu {
                    (norm.relu, norm.negativeSlope) = (true, slope)
                    nodes[index].operation = norm
                } else if var norm = nodes[source].operation as? InstanceNorm, !norm.relu {
                    (norm.relu, norm.negativeSlope) = (true, slope)
                    nodes[index].operation = norm
                } else if slope == 0, var convolution = nodes[source].operation as? Convolution {
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

    /// In evaluation a batch norm whose operand comes from a convolution alone is a scale and a shift of its output channels.
    private mutating func foldBatchNorm() {
        var readers: [Int: Int] = [:]
        for node in nodes { for input in node.inputs.compactMap({ $0 }) { readers[input, default: 0] += 1 } }
        let fixed = Set((graph.parameters + graph.buffers + graph.constants).map(\.value))
        var producer: [Int: Int] = [:]
        var dropped: Set<Int> = []
        for index in nodes.indices {
            let node = nodes[index]
            if let norm = node.operation as? BatchNorm, !norm.isTraining, norm.negativeSlope == 0,
                let source = producer[node.input(0)],
                var convolution = nodes[source].operation as? Convolution, !convolution.relu,
                convolution.foldedEpsilon == nil, readers[node.input(0)] == 1, !results.contains(node.input(0)),
                (nodes[source].inputs.dropFirst() + node.inputs.dropFirst()).allSatisfy({
                    $0.map(fixed.contains) ?? true
                })
            {
                (convolution.foldedEpsilon, convolution.relu) = (norm.epsilon, norm.relu)
                let bias = nodes[source].inputs.count > 2 ? nodes[source].inputs[2] : nil
                nodes[index].operation = convolution
                nodes[index].inputs =
                    [nodes[source].inputs[0], nodes[source].inputs[1], bias] + node.inputs.dropFirst()
                nodes[index].origin = nodes[source].origin
                dropped.insert(source)
            }
            producer[nodes[index].output] = index
        }
        nodes = nodes.indices.filter { !dropped.contains($0) }.map { nodes[$0] }
    }
}
