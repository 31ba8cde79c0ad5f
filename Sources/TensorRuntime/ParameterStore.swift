/// The tensors that a model keeps between steps: parameters with their gradients, buffers, and constants, by name.
///
/// Shared by the train and evaluation graphs of a pipeline at all batch sizes. Values are in PyTorch's row-major layout. A class,
/// because graphs hold pointers into its memory; not for use from two threads at once.
public final class ParameterStore {
    struct Slot {
        var shape: [Int]
        var count: Int
        var value: UnsafeMutablePointer<Float>
        var gradient: UnsafeMutablePointer<Float>?
        /// Shared by all stores that hold the parameter.
        var flag = GradientFlag()

        /// Whether the last backward pass reached the parameter; PyTorch's optimizers skip a parameter without a gradient.
        var hasGradient: Bool {
            get { flag.isSet }
            nonmutating set { flag.isSet = newValue }
        }
    }

    /// Names in the order of the graph.
    public private(set) var parameterNames: [String] = []
    /// Names of running statistics in the order of the graph.
    public private(set) var bufferNames: [String] = []
    /// Names of constants in the order of the graph.
    public private(set) var constantNames: [String] = []
    private(set) var parameters: [String: Slot] = [:]
    private(set) var buffers: [String: Slot] = [:]
    private(set) var constants: [String: Slot] = [:]
    /// Counts the changes of parameter values, so that graphs know when their packed weights are out of date.
    var version: Int { changes.count }
    let changes = ChangeCounter()
    /// The threads that compute the gradients; an optimizer works with the same ones, which are awake then.
    var pool: ThreadPool?
    private var memory: [UnsafeMutableRawPointer] = []
    /// Who owns the memory of the slots of a module's store.
    private var owners: [LeafStorage] = []

    /// Takes from `tensors` what the graphs name.
    ///
    /// Throws `RuntimeError.missingTensor`, `.tensorMismatch` when a shape is not the graph's, `.malformedGraph` when two graphs
    /// disagree about a shape.
    public init(graphs: [Graph], tensors: [String: Tensor]) throws {
        let training = graphs.contains { $0.kind == .train }
        for graph in graphs {
            let shapes = Dictionary(uniqueKeysWithValues: graph.values.map { ($0.id, $0) })
            func slots(_ bindings: [Graph.Binding], _ known: inout [String: Slot], _ names: inout [String], grad: Bool)
                throws
            {
                for binding in bindings {
                    guard let value = shapes[binding.value] else { continue }
                    let shape = try Graph.shape(of: value, batch: graph.batch)
                    if let slot = known[binding.name] {
                        guard slot.shape == shape else {
                            throw RuntimeError.malformedGraph("two graphs give \(binding.name) different shapes")
                        }
                        continue
                    }
                    known[binding.name] = try slot(binding.name, shape, tensors, gradient: grad)
                    names.append(binding.name)
                }
            }
            try slots(graph.parameters, &parameters, &parameterNames, grad: training)
            try slots(graph.buffers, &buffers, &bufferNames, grad: false)
            try slots(graph.constants, &constants, &constantNames, grad: false)
        }
        try checkSharedNames()
    }

    /// The parameters and buffers of a module, which own their memory.
    init(parameters: [(name: String, leaf: LeafStorage)], buffers: [(name: String, leaf: LeafStorage)]) {
        for (name, leaf) in parameters {
            self.parameters[name] = leaf.slot(withGradient: true)
            parameterNames.append(name)
        }
        for (name, leaf) in buffers {
            self.buffers[name] = leaf.slot(withGradient: false)
            bufferNames.append(name)
        }
        owners = (parameters + buffers).map(\.leaf)
        for leaf in owners { leaf.join(changes) }
    }

    deinit {
        for pointer in memory { pointer.deallocate() }
    }

    private func slot(_ name: String, _ shape: [Int], _ tensors: [String: Tensor], gradient: Bool) throws -> Slot {
        guard let tensor = tensors[name] else { throw RuntimeError.missingTensor(name) }
        guard tensor.shape == shape else {
            throw RuntimeError.tensorMismatch(name: name, expected: shape, got: tensor.shape)
        }
        let value = allocate(tensor.count)
        tensor.values.withUnsafeBufferPointer { source in
            if let base = source.baseAddress { value.update(from: base, count: source.count) }
        }
        return Slot(
            shape: shape, count: tensor.count, value: value, gradient: gradient ? allocate(tensor.count) : nil)
    }

    /// A name stands for one tensor: the same tensor cannot be a parameter here and a buffer there.
    private func checkSharedNames() throws {
        let twice = Set(parameterNames).intersection(bufferNames + constantNames)
            .union(Set(bufferNames).intersection(constantNames))
        if let name = twice.min() { throw RuntimeError.malformedGraph("\(name) is bound in two different roles") }
    }

    private func allocate(_ count: Int) -> UnsafeMutablePointer<Float> {
        let raw = UnsafeMutableRawPointer.allocate(byteCount: ParameterStore.bytes(count), alignment: 64)
        memory.append(raw)
        let floats = raw.bindMemory(to: Float.self, capacity: max(count, 16))
        floats.initialize(repeating: 0, count: max(count, 16))
        return floats
    }

    /// The value of a parameter, buffer or constant.
    public func tensor(_ name: String) throws -> Tensor {
        guard let slot = parameters[name] ?? buffers[name] ?? constants[name] else {
            throw RuntimeError.missingTensor(name)
        }
        return copy(slot.value, slot)
    }

    /// The gradient that the last step left; nil when it did not reach the parameter, as PyTorch's `None`.
    public func gradient(_ name: String) throws -> Tensor? {
        guard let slot = parameters[name] else { throw RuntimeError.missingTensor(name) }
        guard slot.hasGradient, let gradient = slot.gradient else { return nil }
        return copy(gradient, slot)
    }

    /// Replaces a value; the shape must be the same.
    public func set(_ name: String, to tensor: Tensor) throws {
        guard let slot = parameters[name] ?? buffers[name] ?? constants[name] else {
            throw RuntimeError.missingTensor(name)
        }
        guard slot.shape == tensor.shape else {
            throw RuntimeError.tensorMismatch(name: name, expected: slot.shape, got: tensor.shape)
        }
        tensor.values.withUnsafeBufferPointer { source in
            if let base = source.baseAddress { slot.value.update(from: base, count: source.count) }
        }
        changes.count += 1
    }

    /// Parameters and buffers: what a checkpoint holds.
    public func state() throws -> [String: Tensor] {
        try Dictionary(uniqueKeysWithValues: (parameterNames + bufferNames).map { ($0, try tensor($0)) })
    }

    /// Restores what `state()` gave. Throws without changing anything when a tensor is missing or has another shape.
    public func restore(_ state: [String: Tensor]) throws {
        for name in parameterNames + bufferNames {
            guard let tensor = state[name] else { throw RuntimeError.missingTensor(name) }
            let shape = (parameters[name] ?? buffers[name])?.shape ?? []
            guard tensor.shape == shape else {
                throw RuntimeError.tensorMismatch(name: name, expected: shape, got: tensor.shape)
            }
        }
        for (name, tensor) in state where parameters[name] != nil || buffers[name] != nil {
            try set(name, to: tensor)
        }
    }

    /// Bytes of parameters, buffers and constants.
    var valueBytes: Int {
        [parameters, buffers, constants].reduce(0) { $0 + $1.values.reduce(0) { $0 + ParameterStore.bytes($1.count) } }
    }

    /// Bytes of the gradients.
    var gradientBytes: Int {
        parameters.values.reduce(0) { $0 + ($1.gradient == nil ? 0 : ParameterStore.bytes($1.count)) }
    }

    private static func bytes(_ count: Int) -> Int { max(count, 16) * 4 + 64 }

    /// The number of elements of all parameters.
    public var parameterCount: Int { parameters.values.reduce(0) { $0 + $1.count } }

    func markGradients(_ reached: Set<String>, adding: Bool) {
        for name in parameterNames {
            let before = parameters[name]?.hasGradient ?? false
            let after = reached.contains(name) || (adding && before)
            // Writing to an element of a dictionary allocates, and from the second step on nothing changes.
            if after != before { parameters[name]?.hasGradient = after }
        }
    }

    func gradientCopies() -> [String: [Float]] {
        parameters.filter { $0.value.hasGradient }.mapValues { slot in
            Array(UnsafeBufferPointer(start: slot.gradient, count: slot.gradient == nil ? 0 : slot.count))
        }
    }

    /// Adds earlier gradients; a parameter that the last pass did not reach keeps its earlier one.
    func addGradients(_ earlier: [String: [Float]], reached: Set<String>) {
        for (name, values) in earlier {
            guard let gradient = parameters[name]?.gradient else { continue }
            for index in values.indices {
                gradient[index] = reached.contains(name) ? gradient[index] + values[index] : values[index]
            }
        }
    }

    /// The first parameter, in the order of the graph, with a gradient that is not finite.
    func firstNotFiniteGradient(_ reached: Set<String>, _ pool: ThreadPool) -> String? {
        let areSound = pool.allSatisfy(parameterNames.count, with: (self, reached)) { job, index, _ in
            let (store, reached) = job
            return store.isSound(store.parameterNames[index], reached)
        }
        return areSound ? nil : parameterNames.first { !isSound($0, reached) }
    }

    /// Whether the gradient of a parameter is finite, if the last pass reached it.
    private func isSound(_ name: String, _ reached: Set<String>) -> Bool {
        guard reached.contains(name), let slot = parameters[name], let gradient = slot.gradient else { return true }
        return isFinite(gradient, slot.count)
    }

    func parametersChanged() {
        changes.count += 1
    }

    private func copy(_ pointer: UnsafeMutablePointer<Float>, _ slot: Slot) -> Tensor {
        Tensor(unchecked: slot.shape, Array(UnsafeBufferPointer(start: pointer, count: slot.count)))
    }
}

/// Whether a parameter has a gradient, shared by the stores that hold the parameter.
final class GradientFlag {
    var isSet = false
}

/// Counts the changes of the values of a store.
final class ChangeCounter {
    var count = 0
}

/// Whether all elements are finite.
func isFinite(_ values: UnsafePointer<Float>, _ count: Int) -> Bool {
    // Products with zero are zero for finite numbers and not a number otherwise; this loop vectorises.
    var sum = SIMD16<Float>()
    var index = 0
    while index + 16 <= count {
        sum += UnsafeRawPointer(values + index).loadUnaligned(as: SIMD16<Float>.self) * 0
        index += 16
    }
    var rest = sum.sum()
    while index < count {
        rest += values[index] * 0
        index += 1
    }
    return rest == 0
}
