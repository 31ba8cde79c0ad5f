/// A model in training: its train and evaluation graphs, compiled for each batch size that occurs, on one set of parameters.
///
/// ```swift
/// let session = try GraphSession(train: train, evaluation: evaluation, tensors: weights)
/// let optimizer = try Optimizer(.adam(), parameters: session.parameters)
/// for batch in batches {
///     let loss = try session.step(["image": batch.images, "mask": batch.masks])
///     try optimizer.step(session.parameters)
/// }
/// let probability = try session.predict(["image": images])
/// ```
///
/// The last batch of an epoch is smaller, so a few batch sizes are kept compiled. Not for use from two threads at once.
public final class GraphSession {
    /// The parameters and buffers of both graphs.
    public let parameters: ParameterStore
    /// Threads, algorithms, seed.
    public let options: RuntimeOptions
    let train: Graph?
    let evaluation: Graph?
    private let pool: ThreadPool
    private let random: RandomStream
    private(set) var compiled: [(kind: Graph.Kind, batch: Int, graph: CompiledGraph)] = []

    /// How many compiled graphs are kept; the least recently used goes first.
    public static let cachedGraphs = 4

    /// Takes parameters, buffers and constants of both graphs from `tensors`. Throws what `ParameterStore` throws.
    public init(
        train: Graph?, evaluation: Graph?, tensors: [String: Tensor], options: RuntimeOptions = RuntimeOptions()
    ) throws {
        let graphs = [train, evaluation].compactMap { $0 }
        guard train?.kind ?? .train == .train, evaluation?.kind ?? .evaluation == .evaluation else {
            throw RuntimeError.malformedGraph("train and eval graph are exchanged")
        }
        parameters = try ParameterStore(graphs: graphs, tensors: tensors)
        self.options = options
        (self.train, self.evaluation) = (train, evaluation)
        pool = ThreadPool(threads: options.threads)
        parameters.pool = pool
        random = RandomStream(RandomState(seed: options.seed))
    }

    /// The state of the dropout masks, for checkpoints.
    public var randomState: RandomState {
        get { random.state }
        set { random.state = newValue }
    }

    /// Replaces the random masks of the next steps by recorded ones, keyed by the value that a `bernoulli` or `dropout` node
    /// defines; an empty dictionary ends that. Throws `RuntimeError.missingTensor` for a value that no such node defines.
    public func setMasks(_ masks: [Int: Tensor]) throws {
        let known = Set(
            (train?.nodes ?? []).filter { $0.op == "bernoulli" || $0.op == "dropout" }.flatMap(\.outputs))
        for value in masks.keys.sorted() where !known.contains(value) {
            throw RuntimeError.missingTensor("value \(value), which is no random mask")
        }
        random.masks = masks
    }

    /// Forward, backward and running statistics of one batch; see `CompiledGraph.step`.
    public func step(_ inputs: [String: Tensor], accumulating: Bool = false) throws -> Float {
        try graph(train, inputs).step(inputs, accumulating: accumulating)
    }

    /// The loss of one batch without any effect on parameters, statistics or random state.
    public func loss(_ inputs: [String: Tensor]) throws -> Float {
        try graph(train, inputs).evaluate(inputs).values.first ?? .nan
    }

    /// The probabilities of a batch of images: N 1 H W, values in [0, 1].
    public func predict(_ inputs: [String: Tensor]) throws -> Tensor {
        try graph(evaluation, inputs).evaluate(inputs)
    }

    /// Where the time of the graph that ran last goes; see `CompiledGraph.profile`.
    public func profile(runs: Int = 3) -> [CompiledGraph.ProfileRow] {
        compiled.last?.graph.profile(runs: runs) ?? []
    }

    /// The compiled graph for the batch size of the inputs.
    private func graph(_ graph: Graph?, _ inputs: [String: Tensor]) throws -> CompiledGraph {
        guard let graph else { throw RuntimeError.malformedGraph("the session has no graph for this") }
        let batch = try graph.batchSize(of: inputs)
        if let index = compiled.firstIndex(where: { $0.kind == graph.kind && $0.batch == batch }) {
            let entry = compiled.remove(at: index)
            compiled.append(entry)
            return entry.graph
        }
        if compiled.count >= GraphSession.cachedGraphs { compiled.removeFirst() }
        while true {
            do {
                let made = try compile(graph, batch)
                compiled.append((graph.kind, batch, made))
                return made
            } catch RuntimeError.insufficientMemory where !compiled.isEmpty {
                // Those of other batch sizes can be made again.
                compiled.removeFirst()
            }
        }
    }

    var budget: MemoryBudget { options.budget }

    private func compile(_ graph: Graph, _ batch: Int) throws -> CompiledGraph {
        let others = compiled.reduce(0) { $0 + $1.graph.memory.graph }
        func make() throws -> CompiledGraph {
            try CompiledGraph(
                graph: graph, batch: batch, parameters: parameters, pool: pool, random: random, policy: options.policy,
                budget: budget, beside: others)
        }
        guard compiled.isEmpty else { return try make() }
        return try MemoryBudget.advising(
            batch: batch,
            plan: {
                let plan = try self.plan(graph, $0)
                try self.budget.require(plan.total, held: plan.store, batch: $0)
            }, make)
    }

    /// What a graph would take at a batch size.
    func plan(_ graph: Graph, _ batch: Int) throws -> MemoryRequirement {
        try MemoryRequirement(
            of: graph, batch: batch, parameters: parameters, threads: pool.threadCount, policy: options.policy,
            random: random)
    }
}

extension Graph {
    /// The batch size that the shapes of given inputs imply; the captured one when no input scales with it.
    public func batchSize(of inputs: [String: Tensor]) throws -> Int {
        for input in self.inputs {
            guard let tensor = inputs[input.name] else { throw RuntimeError.missingTensor("the input \(input.name)") }
            // A search and no dictionary: a session asks before each step, which allocates nothing.
            let declared = values.first { $0.id == input.value }?.shape ?? []
            for (axis, dimension) in declared.enumerated() {
                guard case .batch(let multiple) = dimension, axis < tensor.shape.count else { continue }
                guard tensor.shape[axis] > 0, tensor.shape[axis] % multiple == 0 else {
                    throw RuntimeError.tensorMismatch(
                        name: input.name,
                        expected: try Graph.shape(of: Value(id: 0, shape: declared), batch: batch),
                        got: tensor.shape)
                }
                return tensor.shape[axis] / multiple
            }
        }
        return batch
    }
}
