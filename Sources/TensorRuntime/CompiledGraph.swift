/// A graph made ready for one batch size: kernels in order, and memory for all values.
///
/// ```swift
/// let compiled = try CompiledGraph(graph: graph, batch: 8, parameters: store)
/// let loss = try compiled.step(["image": images, "mask": masks])
/// ```
///
/// Compiling costs milliseconds and allocates everything; a step allocates nothing, an evaluation the values that it returns. Not for
/// use from two threads at once. Same inputs, parameters, random state and thread count give the same bits.
public final class CompiledGraph {
    /// What was compiled.
    public let graph: Graph
    /// The batch size it was compiled for.
    public let batch: Int
    /// The parameters and buffers that it reads and moves.
    public let parameters: ParameterStore
    /// Bytes that this graph takes, those of its parameters and their gradients included.
    public let memory: MemoryRequirement
    /// Bytes of memory that the values of this graph take, parameters not counted.
    public var memoryBytes: Int { storage.bytes }

    let pool: ThreadPool
    let random: RandomStream
    private let program: Program
    private let storage: ProgramMemory
    private let feeds: [Feed]
    private let resultView: View
    private let resultPlan: NestPlan
    private let reached: Set<String>
    private var preparedVersion = -1

    /// Compiles a graph for a batch size with a pool of its own.
    ///
    /// Throws `RuntimeError.insufficientMemory` before it allocates when the memory does not fit into the budget of the options, or
    /// into what the system has available; `.malformedGraph`, `.unknownOperation`, `.invalidOperation`, `.shapeMismatch`,
    /// `.tooLarge` and `.missingTensor` for a graph that cannot be run.
    public convenience init(
        graph: Graph, batch: Int, parameters: ParameterStore, options: RuntimeOptions = RuntimeOptions()
    ) throws {
        try self.init(
            graph: graph, batch: batch, parameters: parameters, pool: ThreadPool(threads: options.threads),
            random: RandomStream(RandomState(seed: options.seed)), policy: options.policy, budget: options.budget)
    }

    init(
        graph: Graph, batch: Int, parameters: ParameterStore, pool: ThreadPool, random: RandomStream,
        policy: ConvolutionPolicy, budget: MemoryBudget, beside: Int = 0
    ) throws {
        guard batch > 0, batch <= Graph.Limits.batch else { throw RuntimeError.tooLarge("a batch size of \(batch)") }
        try graph.validate()
        (self.graph, self.batch, self.parameters) = (graph, batch, parameters)
        (self.pool, self.random) = (pool, random)
        let lowering = try Lowering(graph, batch: batch)
        let compiler = GraphCompiler(lowering, threads: pool.threadCount, policy: policy, random: random)
        try compiler.bind(graph, parameters)
        (resultView, reached) = try compiler.compile(graph)
        let rows = View.strides(rowMajor: resultView.shape)
        resultPlan = Nest([View(buffer: 0, shape: resultView.shape, strides: rows), resultView]).plan
        program = compiler.builder.program
        feeds = graph.inputs.map { Feed(name: $0.name, view: compiler.builder.view($0.value)) }
        let plan = MemoryPlan(program)
        memory = MemoryRequirement(program, plan, parameters)
        try budget.require(memory.total + beside, held: memory.store + beside, batch: batch)
        storage = try ProgramMemory(program, plan)
    }

    /// One training step without the optimizer's part: forward, backward, running statistics. Returns the loss.
    ///
    /// Gradients are left in the parameter store; with `accumulating` they are added to those already there. Throws
    /// `RuntimeError.notFinite` naming the layer when the loss or a gradient is not finite (parameters and running statistics
    /// are then as before, and so are gradients that were there when `accumulating`), `.missingTensor` and `.tensorMismatch` for wrong inputs.
    public func step(_ inputs: [String: Tensor], accumulating: Bool = false) throws -> Float {
        guard graph.kind == .train else { throw RuntimeError.malformedGraph("an eval graph cannot be trained") }
        try load(inputs)
        prepare()
        let earlier = accumulating ? parameters.gradientCopies() : [:]
        run(program.forward)
        let loss = storage.table[resultView].pointee
        guard loss.isFinite else { throw try notFinite("the loss", inputs, [program.forward]) }
        run(program.backward)
        if let name = parameters.firstNotFiniteGradient(reached, pool) {
            let error = try notFinite("the gradient of \(name)", inputs, [program.forward, program.backward])
            parameters.addGradients(earlier, reached: [])
            throw error
        }
        parameters.addGradients(earlier, reached: reached)
        parameters.markGradients(reached, adding: accumulating)
        run(program.completion)
        // Running statistics may be folded into the weights of an evaluation graph.
        parameters.parametersChanged()
        random.state.step += 1
        return loss
    }

    /// The value of the graph without any effect: the loss of a train graph as a scalar, the probabilities of an evaluation graph.
    public func evaluate(_ inputs: [String: Tensor]) throws -> Tensor {
        try load(inputs)
        prepare()
        run(program.forward)
        return result()
    }

    private func result() -> Tensor {
        let count = resultView.count
        let values = [Float](unsafeUninitializedCapacity: count) { buffer, filled in
            if let base = buffer.baseAddress { Elementwise.copy(resultPlan, base, storage.table[resultView], pool) }
            filled = count
        }
        return Tensor(unchecked: resultView.shape, values)
    }

    private func load(_ inputs: [String: Tensor]) throws {
        for feed in feeds {
            guard let tensor = inputs[feed.name] else { throw RuntimeError.missingTensor("the input \(feed.name)") }
            guard tensor.shape == feed.view.shape else {
                throw RuntimeError.tensorMismatch(name: feed.name, expected: feed.view.shape, got: tensor.shape)
            }
            tensor.values.withUnsafeBufferPointer { values in
                guard let base = values.baseAddress else { return }
                Elementwise.copy(feed.plan, storage.table[feed.view], UnsafeMutablePointer(mutating: base), pool)
            }
        }
    }

    /// An input and the loops that bring it into place.
    private struct Feed {
        let name: String
        let view: View
        let plan: NestPlan

        init(name: String, view: View) {
            (self.name, self.view) = (name, view)
            plan = Nest([view, View(buffer: 0, shape: view.shape, strides: View.strides(rowMajor: view.shape))]).plan
        }
    }

    private func prepare() {
        guard preparedVersion != parameters.version else { return }
        run(program.preparation)
        preparedVersion = parameters.version
    }

    /// What a node takes in one phase of a step.
    public struct ProfileRow: Sendable {
        /// `prepare`, `forward` or `backward`.
        public var phase: String
        /// The operation, and for a convolution which of its computations.
        public var operation: String
        /// The module of the source that the node stems from.
        public var module: String
        /// The least of all runs.
        public var seconds: Double
        /// Multiplications and additions by the definition; zero where nobody counts them.
        public var operations: Double
    }

    /// Seconds that nodes take in each phase, in order: for finding what is slow. Runs each phase `runs` times on the inputs of the
    /// last step; gradients are spoiled afterwards, parameters and running statistics are not touched.
    public func profile(runs: Int = 3) -> [ProfileRow] {
        let clock = ContinuousClock()
        var rows: [ProfileRow] = []
        for run in 0..<max(1, runs) {
            var index = 0
            for (phase, steps) in [
                ("prepare", program.preparation), ("forward", program.forward), ("backward", program.backward),
            ] {
                for step in steps {
                    let time = clock.measure { step.run(storage.table, pool) } / .seconds(1)
                    if run == 0 {
                        let node = step.node.map { graph.nodes[$0] }
                        let name = (node?.op ?? "other") + (step.part.isEmpty ? "" : ", \(step.part)")
                        rows.append(
                            ProfileRow(
                                phase: phase, operation: name, module: node?.module ?? "", seconds: time,
                                operations: step.operations))
                    } else {
                        rows[index].seconds = min(rows[index].seconds, time)
                    }
                    index += 1
                }
            }
        }
        return rows
    }

    private func run(_ steps: [Program.Step]) {
        for step in steps { step.run(storage.table, pool) }
    }

    /// Runs again, kernel by kernel, until one yields a value that is not finite, and names its node.
    private func notFinite(
        _ what: String, _ inputs: [String: Tensor], _ phases: [[Program.Step]]
    ) throws -> RuntimeError {
        try load(inputs)
        for step in phases.joined() {
            step.run(storage.table, pool)
            guard let result = step.result, let node = step.node, !storage.isFinite(result) else { continue }
            return .notFinite(what: what, location: "first at \(graph.nodes[node].op), \(graph.nodes[node].location)")
        }
        return .notFinite(what: what, location: "")
    }
}

/// The memory of a program: one arena for all temporary buffers, one block for what lasts, and the scratch memory.
final class ProgramMemory {
    let table: Memory
    private(set) var bytes = 0
    private var blocks: [UnsafeMutableRawPointer] = []
    private let pointers: UnsafeMutablePointer<UnsafeMutablePointer<Float>>

    /// The most memory that one compiled graph may take: 64 GiB.
    static let limit = 64 << 30

    convenience init(_ program: Program) throws {
        try self.init(program, MemoryPlan(program))
    }

    init(_ program: Program, _ plan: MemoryPlan) throws {
        let lasting = program.lastingFloats
        let total = (plan.total + lasting) * 4 + program.workspaceBytes
        guard total <= ProgramMemory.limit else { throw RuntimeError.tooLarge("a graph that needs \(total >> 30) GiB") }
        pointers = .allocate(capacity: program.buffers.count + 1)
        table = Memory(bases: pointers + 1)
        let scratch = allocateFloats(program.workspaceBytes / 4 + 16, &blocks, &bytes)
        pointers.initialize(repeating: scratch, count: program.buffers.count + 1)
        let arena = allocateFloats(plan.total, &blocks, &bytes)
        var rest = allocateFloats(lasting, &blocks, &bytes)
        for (index, buffer) in program.buffers.enumerated() {
            switch buffer.kind {
            case .external(let pointer): pointers[index + 1] = pointer
            case .temporary: pointers[index + 1] = arena + (plan.offsets[index] ?? 0)
            case .persistent:
                pointers[index + 1] = rest
                rest += (buffer.count + 31) / 32 * 32
            }
        }
    }

    deinit {
        pointers.deallocate()
        for block in blocks { block.deallocate() }
    }

    func isFinite(_ view: View) -> Bool {
        let plan = Nest([view]).plan
        let base = table[view]
        for row in 0..<plan.rows {
            let line = base + plan.offsets(row: row)[0]
            for index in 0..<plan.rowLength where !line[index * plan.inner[0]].isFinite { return false }
        }
        return true
    }
}

private func allocateFloats(
    _ count: Int, _ blocks: inout [UnsafeMutableRawPointer], _ bytes: inout Int
) -> UnsafeMutablePointer<Float> {
    let size = max(count, 16) * 4 + 64
    let block = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: size >= 4 << 20 ? 2 << 20 : 64)
    blocks.append(block)
    bytes += size
    useHugePages(block, size)
    return block.bindMemory(to: Float.self, capacity: max(count, 16))
}
