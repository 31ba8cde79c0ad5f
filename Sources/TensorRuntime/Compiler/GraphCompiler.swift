/// Emits the program of a lowered graph: memory of the named tensors, forward pass, backward pass.
struct GraphCompiler {
    let builder: ProgramBuilder
    private let nodes: [PlanNode]

    init(_ lowering: Lowering, threads: Int, policy: ConvolutionPolicy, random: RandomStream) {
        nodes = lowering.nodes
        builder = ProgramBuilder(
            shapes: lowering.shapes, threads: threads, policy: policy, training: lowering.graph.kind == .train,
            random: random)
    }

    func bind(_ graph: Graph, _ store: ParameterStore) throws {
        func bind(_ bindings: [Graph.Binding], _ slots: [String: ParameterStore.Slot]) throws {
            for binding in bindings {
                guard let slot = slots[binding.name] else { throw RuntimeError.missingTensor(binding.name) }
                let shape = builder.shape(binding.value)
                guard slot.shape == shape else {
                    throw RuntimeError.tensorMismatch(name: binding.name, expected: shape, got: slot.shape)
                }
                builder.bind(binding.value, slot.value, gradient: builder.training ? slot.gradient : nil)
            }
        }
        try bind(graph.parameters, store.parameters)
        try bind(graph.buffers, store.buffers)
        try bind(graph.constants, store.constants)
        for input in graph.inputs { builder.bindInput(input.value) }
    }

    /// Emits everything; returns where the result lies and which parameters receive a gradient.
    func compile(_ graph: Graph) throws -> (result: View, reached: Set<String>) {
        emitForward()
        let value = graph.outputs.loss ?? graph.outputs.probability ?? -1
        if graph.kind == .train {
            guard builder.shape(value).reduce(1, *) == 1 else {
                throw RuntimeError.malformedGraph("the loss has shape \(builder.shape(value)); it must be a scalar")
            }
            differentiate(value)
        }
        let result = builder.view(value)
        builder.keep(result)
        let names = Dictionary(uniqueKeysWithValues: graph.parameters.map { ($0.value, $0.name) })
        return (result, Set(builder.reached.compactMap { names[$0] }))
    }

    /// Emits the forward pass; operands must be bound.
    func emitForward() {
        for node in nodes where node.inputs.indices.contains(where: { flows(node, $0) }) {
            builder.setWanting(node.output)
        }
        placeConcatenations()
        for node in nodes {
            builder.begin(node: node.origin)
            node.operation.forward(builder, node)
        }
    }

    private func flows(_ node: PlanNode, _ position: Int) -> Bool {
        builder.wants(node.inputs[position]) && node.operation.differentiable(position)
    }

    /// Emits the backward pass of a scalar.
    func differentiate(_ loss: Int) {
        builder.beginBackward()
        builder.seed(loss)
        for node in nodes.reversed() where builder.wants(node.output) {
            guard let gradient = builder.gradient(node.output) else { continue }
            builder.begin(node: node.origin)
            node.operation.backward(builder, node, gradient)
        }
        builder.begin(node: nil)
    }

    /// Lets the producers of concatenated channels write straight into the result, the last concatenation first, since one may
    /// be part of another.
    private func placeConcatenations() {
        for node in nodes.reversed() {
            let rank = builder.shape(node.output).count
            guard let concatenation = node.operation as? Concatenate, rank == 4 || rank == 5,
                [1, 1 - rank].contains(concatenation.axis)
            else { continue }
            let whole = builder.placement(node.output) ?? builder.temporary(builder.shape(node.output))
            builder.place(node.output, whole)
            for (input, part) in zip(node.inputs, concatenation.parts(whole, builder, node)) {
                guard let input, builder.placement(input) == nil else { continue }
                builder.place(input, part)
            }
        }
    }
}
