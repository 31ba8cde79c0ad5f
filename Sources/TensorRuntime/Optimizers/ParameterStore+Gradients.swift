extension ParameterStore {
    /// Parameters and buffers that belong to no graph: for optimizing what other code differentiates.
    ///
    /// Throws `RuntimeError.malformedGraph` when a name is both a parameter and a buffer.
    public convenience init(parameters: [String: Tensor], buffers: [String: Tensor] = [:]) throws {
        var values: [Graph.Value] = []
        func bindings(_ tensors: [String: Tensor]) -> [Graph.Binding] {
            tensors.sorted { $0.key < $1.key }.map { name, tensor in
                values.append(Graph.Value(id: values.count, shape: tensor.shape.map { .fixed($0) }))
                return Graph.Binding(value: values.count - 1, name: name)
            }
        }
        let (learnt, kept) = (bindings(parameters), bindings(buffers))
        let graph = Graph(
            kind: .train, batch: 1, values: values, inputs: [], parameters: learnt, buffers: kept, nodes: [],
            outputs: GraphOutputs())
        try self.init(graphs: [graph], tensors: parameters.merging(buffers) { first, _ in first })
    }

    /// Gives a parameter a gradient, or with nil takes it away, so that optimizers pass the parameter over.
    ///
    /// Throws `RuntimeError.missingTensor` for an unknown parameter, `.tensorMismatch` for another shape.
    public func setGradient(_ name: String, to tensor: Tensor?) throws {
        guard let slot = parameters[name], let gradient = slot.gradient else { throw RuntimeError.missingTensor(name) }
        guard let tensor else {
            let others = parameters.filter { $0.key != name && $0.value.hasGradient }
            return markGradients(Set(others.keys), adding: false)
        }
        guard tensor.shape == slot.shape else {
            throw RuntimeError.tensorMismatch(name: "the gradient of \(name)", expected: slot.shape, got: tensor.shape)
        }
        tensor.values.withUnsafeBufferPointer { source in
            if let base = source.baseAddress { gradient.update(from: base, count: source.count) }
        }
        markGradients([name], adding: true)
    }

    /// Multiplies all gradients by a number.
    public func scaleGradients(by factor: Float) {
        for name in parameterNames {
            guard let slot = parameters[name], slot.hasGradient, let gradient = slot.gradient else { continue }
            for index in 0..<slot.count { gradient[index] *= factor }
        }
    }
}
