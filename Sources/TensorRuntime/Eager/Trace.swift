/// The part of the trace that is needed for some values, in an order in which it can be computed.
struct Trace {
    /// Two traces with the same key do the same, on other leaves: they share a compiled program.
    struct Key: Hashable {
        struct Leaf: Hashable {
            var shape: [Int]
            /// Whether the value is read in place rather than copied in.
            var isStored: Bool
            var wantsGradient: Bool
        }

        var operations: [OperationSignature] = []
        /// For each operation the numbers of its operands, absent ones -1, behind their count.
        var operands: [Int] = []
        /// What is behind an operand that no gradient may flow to.
        var detached: [Int] = []
        var leaves: [Int: Leaf] = [:]
        var results: [Int] = []
        var loss: Int?
    }

    /// Leaves and operations; a node's position is its number.
    private(set) var nodes: [TraceNode] = []
    /// The numbers of operations.
    private(set) var operations: [Int] = []
    /// The numbers of leaves.
    private(set) var leaves: [Int] = []
    private(set) var key = Key()
    private var numbers: [ObjectIdentifier: Int] = [:]

    /// Collects what `targets` depend on. With `loss` the backward pass of that node is included, and its value is a target.
    ///
    /// Throws `RuntimeError.invalidOperation` when an operand has changed since, or a backward pass has been through the trace.
    init(targets: [TraceNode], loss: TraceNode? = nil) throws {
        var stack: [(node: TraceNode, isExpanded: Bool)] = targets.reversed().map { ($0, false) }
        if let loss { stack.append((loss, false)) }
        var seen: Set<ObjectIdentifier> = []
        while let (node, isExpanded) = stack.popLast() {
            if isExpanded {
                add(node, isLeaf: false, hasLoss: loss != nil)
                continue
            }
            guard seen.insert(ObjectIdentifier(node)).inserted else { continue }
            let needsOperation = loss != nil && node.requiresGradient
            guard case .operation = node.source, node.value == nil || needsOperation && !node.isSpent else {
                if needsOperation, node.isSpent { throw Trace.spent(node) }
                add(node, isLeaf: true, hasLoss: loss != nil)
                continue
            }
            if needsOperation, node.isSpent { throw Trace.spent(node) }
            try node.checkVersions()
            stack.append((node, true))
            for case let input? in node.inputs.reversed() { stack.append((input, false)) }
        }
        key.loss = number(loss)
        key.results = operations.filter { number in
            let node = nodes[number]
            return node.value == nil && (node.holders > 0 || node === loss || targets.contains { $0 === node })
        }
    }

    private static func spent(_ node: TraceNode) -> RuntimeError {
        .invalidOperation(
            name: node.name.isEmpty ? "backward" : node.name, location: node.path,
            reason: "a backward pass has been through this result of shape \(node.shape); call "
                + "backward(keepingTrace: true) the first time, or detach() the result")
    }

    private func number(_ node: TraceNode?) -> Int? {
        node.flatMap { numbers[ObjectIdentifier($0)] }
    }

    private mutating func add(_ node: TraceNode, isLeaf: Bool, hasLoss: Bool) {
        let number = nodes.count
        numbers[ObjectIdentifier(node)] = number
        nodes.append(node)
        if isLeaf {
            leaves.append(number)
            key.leaves[number] = Key.Leaf(
                shape: node.shape, isStored: node.leaf != nil, wantsGradient: hasLoss && node.requiresGradient)
            return
        }
        guard case .operation(let signature, let inputs) = node.source else { return }
        operations.append(number)
        key.operations.append(signature)
        let operands = Trace.operands(of: node, inputs)
        key.operands.append(operands.count)
        key.operands += operands.map { self.number($0) ?? -1 }
        // What was computed without gradients stays so when it is recomputed beside gradients.
        if hasLoss, !node.requiresGradient, inputs.contains(where: { $0?.requiresGradient == true }) {
            key.detached.append(number)
        }
    }

    /// Bytes of the leaves that are read in place, and of their gradients.
    var leafBytes: Int {
        leaves.reduce(0) { sum, number in
            guard let leaf = nodes[number].leaf else { return sum }
            return sum + leaf.count * (key.leaves[number]?.wantsGradient == true ? 8 : 4)
        }
    }

    /// The first size of the largest input: what a person would call the batch.
    var batch: Int {
        let inputs = leaves.filter { nodes[$0].leaf == nil }.map { nodes[$0].shape }
        return inputs.max { $0.reduce(1, *) < $1.reduce(1, *) }?.first ?? 1
    }

    /// The operands; a norm whose running statistics have already taken in the batch leaves them alone.
    static func operands(of node: TraceNode, _ inputs: [TraceNode?]) -> [TraceNode?] {
        guard node.normalizesByInput, !node.hasPendingStatistics else { return inputs }
        return Array(inputs.prefix(3)) + [nil, nil]
    }

    /// The graph of the trace, in the numbers of its nodes.
    func graph() -> Graph {
        var (values, inputs, parameters): ([Graph.Value], [Graph.Binding], [Graph.Binding]) = ([], [], [])
        for number in leaves {
            values.append(Graph.Value(id: number, shape: nodes[number].shape.map { .fixed($0) }))
            let binding = Graph.Binding(value: number, name: "\(number)")
            nodes[number].leaf == nil ? inputs.append(binding) : parameters.append(binding)
        }
        var list: [Graph.Node] = []
        var next = nodes.count
        for number in operations {
            values.append(Graph.Value(id: number, shape: nodes[number].shape.map { .fixed($0) }))
        }
        let detached = Set(key.detached)
        for number in operations {
            let node = nodes[number]
            guard case .operation(let signature, let all) = node.source else { continue }
            var operands = Trace.operands(of: node, all).map { self.number($0) }
            if detached.contains(number) {
                for position in operands.indices where all[position]?.requiresGradient == true {
                    list.append(
                        Graph.Node(op: "detach", inputs: [operands[position]], outputs: [next], module: node.path))
                    let shape = all[position]?.shape ?? []
                    values.append(Graph.Value(id: next, shape: shape.map { .fixed($0) }))
                    operands[position] = next
                    next += 1
                }
            }
            list.append(
                Graph.Node(
                    op: signature.name, inputs: operands, outputs: [number], attributes: signature.attributes,
                    module: node.path))
        }
        return Graph(
            kind: .train, batch: 1, values: values, inputs: inputs, parameters: parameters, nodes: list,
            outputs: GraphOutputs(loss: key.loss ?? key.results.first))
    }
}
