/// What an operation does: its name in the operation table and its attributes. The hash is computed once.
struct OperationSignature: Hashable {
    let name: String
    let attributes: [String: AttributeValue]
    private let hash: Int

    init(_ name: String, _ attributes: [String: AttributeValue]) {
        self.name = name
        self.attributes = attributes
        var hasher = Hasher()
        hasher.combine(name)
        hasher.combine(attributes)
        hash = hasher.finalize()
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(hash)
    }

    static func == (a: OperationSignature, b: OperationSignature) -> Bool {
        a.hash == b.hash && a.name == b.name && a.attributes == b.attributes
    }
}

/// One value of a trace: an operation that has not run yet, or something that is known.
///
/// A node is held by the `Variable` that stands for it and by the nodes that read it. Only values of nodes with a variable can be
/// asked for, so only those are kept when the trace runs.
final class TraceNode {
    /// Where the value comes from.
    enum Source {
        case operation(OperationSignature, [TraceNode?])
        /// Memory that others may change.
        case leaf(LeafStorage)
        case constant(Tensor)
        /// Ones with probability p, zeros otherwise: draw number `draw` of the engine.
        case random(probability: Double, draw: UInt64)
    }

    let shape: [Int]
    private(set) var source: Source
    /// Whether gradients flow through the node.
    var requiresGradient: Bool
    /// The module that made the node.
    let path: String
    /// The elements, once the trace has run.
    private(set) var value: Tensor?
    /// How many variables stand for the node.
    var holders = 0
    /// Whether a backward pass has gone through the node.
    var isSpent = false
    /// Whether running statistics have still to take in this batch.
    var hasPendingStatistics = false
    /// The versions of operands that are leaves, when the node was made.
    private var versions: [Int] = []

    init(_ source: Source, shape: [Int], requiresGradient: Bool, path: String = "") {
        self.source = source
        self.shape = shape
        self.requiresGradient = requiresGradient
        self.path = path
        if case .operation(_, let inputs) = source { versions = inputs.map { $0?.leaf?.version ?? 0 } }
    }

    /// Long chains are taken apart one by one: releasing them by recursion would exhaust the stack.
    deinit {
        var rest = takeInputs()
        while var node = rest.popLast() {
            if isKnownUniquelyReferenced(&node) { rest += node.takeInputs() }
        }
    }

    private func takeInputs() -> [TraceNode] {
        guard case .operation(_, let inputs) = source else { return [] }
        source = .constant(TraceNode.nothing)
        return inputs.compactMap { $0 }
    }

    private static let nothing = Tensor(unchecked: [0], [])

    var leaf: LeafStorage? {
        if case .leaf(let storage) = source { return storage }
        return nil
    }

    var inputs: [TraceNode?] {
        if case .operation(_, let inputs) = source { return inputs }
        return []
    }

    /// Whether this normalizes by the statistics of its operand, and may carry running ones (operands 3 and 4) along.
    var normalizesByInput: Bool {
        guard case .operation(let signature, _) = source else { return false }
        switch signature.name {
        case "batch_norm": return signature.attributes["training"] == .bool(true)
        case "instance_norm": return signature.attributes["use_input_stats"] == .bool(true)
        default: return false
        }
    }

    /// Whether running the node moves running statistics.
    var carriesStatistics: Bool { normalizesByInput && inputs.dropFirst(3).contains { $0?.leaf != nil } }

    /// The name of the operation; empty for what is known.
    var name: String {
        if case .operation(let signature, _) = source { return signature.name }
        return ""
    }

    func take(_ tensor: Tensor) {
        value = tensor
    }

    /// Forgets how the value was computed. Without effect before it is known.
    func forgetInputs() {
        guard let value else { return }
        var rest = takeInputs()
        source = .constant(value)
        while var node = rest.popLast() {
            if isKnownUniquelyReferenced(&node) { rest += node.takeInputs() }
        }
    }

    /// Throws when an operand was changed after the node was made.
    func checkVersions() throws {
        for (position, (input, version)) in zip(inputs, versions).enumerated() {
            guard let leaf = input?.leaf, leaf.version != version else { continue }
            // Running statistics are only written in training.
            if normalizesByInput, position > 2 { continue }
            throw RuntimeError.invalidOperation(
                name: name, location: path,
                reason:
                    "an operand of shape \(leaf.shape) was changed (by an optimizer's step or an assignment) before "
                    + "the result was computed; read the result, or call backward(), first")
        }
    }
}
