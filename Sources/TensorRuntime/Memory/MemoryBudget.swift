/// What a plan is held against before it is allocated: a stated number of bytes for all that the runtime holds, or what the
/// system has available now for what is still to come.
struct MemoryBudget {
    /// nil: `AvailableMemory.bytes()`.
    var stated: Int?

    /// Throws `RuntimeError.insufficientMemory`.
    ///
    /// - Parameters:
    ///   - needed: bytes in all.
    ///   - held: those of them that are allocated already.
    func require(_ needed: Int, held: Int, batch: Int) throws {
        let missing = stated == nil ? needed - held : needed
        guard let available = stated ?? AvailableMemory.bytes(), missing > available else { return }
        throw RuntimeError.insufficientMemory(needed: missing, available: available, batch: batch, fitting: nil)
    }

    /// Calls `body` for a batch size; where that does not fit, its error says the largest batch size that does.
    ///
    /// `plan` checks another batch size without allocating anything, some milliseconds each; it is called log₂ `batch` times.
    static func advising<R>(batch: Int, plan: (Int) throws -> Void, _ body: () throws -> R) throws -> R {
        do {
            return try body()
        } catch RuntimeError.insufficientMemory(let needed, let available, let size, _) {
            // Everything at or below `fitting` fits, `failing` does not: activations grow with the batch.
            var (fitting, failing) = (0, batch)
            while failing - fitting > 1 {
                let middle = (fitting + failing) / 2
                do {
                    try plan(middle)
                    fitting = middle
                } catch RuntimeError.insufficientMemory {
                    failing = middle
                }
            }
            throw RuntimeError.insufficientMemory(
                needed: needed, available: available, batch: size, fitting: fitting)
        }
    }
}

extension MemoryRequirement {
    init(_ program: Program, _ plan: MemoryPlan, _ store: ParameterStore) {
        parameters = store.valueBytes
        gradients = store.gradientBytes
        activations = plan.total * 4
        packedWeights = program.lastingFloats * 4
        workspace = program.workspaceBytes
    }

    /// What a graph would take at a batch size, compiled but not allocated. Throws what `CompiledGraph.init` throws.
    public init(
        of graph: Graph, batch: Int, parameters: ParameterStore, options: RuntimeOptions = RuntimeOptions()
    ) throws {
        try self.init(
            of: graph, batch: batch, parameters: parameters, threads: options.threads, policy: options.policy,
            random: RandomStream(RandomState(seed: options.seed)))
    }

    init(
        of graph: Graph, batch: Int, parameters: ParameterStore, threads: Int, policy: ConvolutionPolicy,
        random: RandomStream
    ) throws {
        let lowering = try Lowering(graph, batch: batch)
        let compiler = GraphCompiler(lowering, threads: threads, policy: policy, random: random)
        try compiler.bind(graph, parameters)
        _ = try compiler.compile(graph)
        self.init(compiler.builder.program, MemoryPlan(compiler.builder.program), parameters)
    }
}

extension Program {
    /// Floats of the buffers that a graph owns for its whole life, each aligned.
    var lastingFloats: Int {
        buffers.filter { $0.kind == .persistent }.reduce(0) { $0 + ($1.count + 31) / 32 * 32 }
    }
}
