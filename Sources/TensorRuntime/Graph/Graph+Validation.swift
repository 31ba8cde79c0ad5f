extension Graph {
    /// Checks what does not depend on the batch size. Cost: linear in the size of the graph.
    ///
    /// Throws `RuntimeError.unknownOperation` with the operation and its source line, `.malformedGraph` for values that are
    /// undefined, defined twice or used too early, `.tooLarge` for sizes beyond the limits.
    public func validate() throws {
        guard values.count <= Limits.values, nodes.count <= Limits.values else {
            throw RuntimeError.tooLarge("a graph of \(values.count) values and \(nodes.count) nodes")
        }
        guard batch > 0, batch <= Limits.batch else { throw RuntimeError.malformedGraph("a batch size of \(batch)") }
        var declared: Set<Int> = []
        for value in values {
            guard declared.insert(value.id).inserted else {
                throw RuntimeError.malformedGraph("value \(value.id) is declared twice")
            }
            _ = try Graph.shape(of: value, batch: batch)
            guard ["float32", "float64", "int64", "bool"].contains(value.dtype) else {
                throw RuntimeError.malformedGraph("value \(value.id) has the unknown dtype \(value.dtype)")
            }
        }
        var defined = try validateBindings(declared)
        for node in nodes { try validate(node, declared, &defined) }
        try validateOutputs(defined)
    }

    /// The sizes of a value at a batch size, bounded.
    static func shape(of value: Value, batch: Int) throws -> [Int] {
        guard value.shape.count <= 6 else {
            throw RuntimeError.tooLarge("value \(value.id) has \(value.shape.count) axes")
        }
        var count = 1
        return try value.shape.map { dimension in
            if case .fixed(let size) = dimension, size < 0 {
                throw RuntimeError.malformedGraph("value \(value.id) has a negative size")
            }
            let size = dimension.size(batch: batch)
            let (product, overflow) = count.multipliedReportingOverflow(by: max(size, 1))
            guard !overflow, product <= Limits.elements else {
                throw RuntimeError.tooLarge("value \(value.id) has more than \(Limits.elements) elements")
            }
            count = product
            return size
        }
    }

    private func validateBindings(_ declared: Set<Int>) throws -> Set<Int> {
        var defined: Set<Int> = []
        for (kind, bindings) in [
            ("input", inputs), ("parameter", parameters), ("buffer", buffers), ("constant", constants),
        ] {
            var names: Set<String> = []
            for binding in bindings {
                guard declared.contains(binding.value) else {
                    throw RuntimeError.malformedGraph(
                        "\(kind) \(binding.name) refers to the undeclared value \(binding.value)")
                }
                guard defined.insert(binding.value).inserted else {
                    throw RuntimeError.malformedGraph(
                        "value \(binding.value) of \(kind) \(binding.name) is defined twice")
                }
                guard names.insert(binding.name).inserted else {
                    throw RuntimeError.malformedGraph("there are two \(kind)s named \(binding.name)")
                }
            }
        }
        return defined
    }

    private func validate(_ node: Node, _ declared: Set<Int>, _ defined: inout Set<Int>) throws {
        guard OperationTable.names.contains(node.op) else {
            throw RuntimeError.unknownOperation(name: node.op, location: node.location)
        }
        let place = node.location.isEmpty ? node.op : "\(node.op) (\(node.location))"
        for input in node.inputs.compactMap({ $0 }) where !defined.contains(input) {
            throw RuntimeError.malformedGraph("\(place) uses value \(input) before it is defined")
        }
        guard node.outputs.count == 1 else {
            throw RuntimeError.malformedGraph("\(place) has \(node.outputs.count) outputs where one is expected")
        }
        for output in node.outputs {
            guard declared.contains(output) else {
                throw RuntimeError.malformedGraph("\(place) defines the undeclared value \(output)")
            }
            guard defined.insert(output).inserted else {
                throw RuntimeError.malformedGraph("\(place) defines value \(output) a second time")
            }
        }
    }

    private func validateOutputs(_ defined: Set<Int>) throws {
        switch kind {
        case .train:
            guard let loss = outputs.loss else { throw RuntimeError.malformedGraph("the train graph names no loss") }
            guard defined.contains(loss) else { throw RuntimeError.malformedGraph("the loss \(loss) is never defined") }
        case .evaluation:
            guard let probability = outputs.probability else {
                throw RuntimeError.malformedGraph("the eval graph names no probability")
            }
            guard defined.contains(probability) else {
                throw RuntimeError.malformedGraph("the probability \(probability) is never defined")
            }
            guard let threshold, threshold.value.isFinite else {
                throw RuntimeError.malformedGraph("the eval graph has no threshold")
            }
        }
    }
}
