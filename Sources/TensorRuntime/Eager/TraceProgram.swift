/// A compiled trace: runs on the leaves of any trace with the same key.
final class TraceProgram {
    private struct Stored {
        var number: Int
        var value: Int
        var gradient: View?
        var isReached: Bool
    }

    /// Bytes of memory that stay allocated while the program is kept.
    var bytes: Int { memory.bytes }

    private let program: Program
    private let memory: ProgramMemory
    /// Leaves whose values are copied in, with where.
    private let inputs: [(number: Int, view: View, plan: NestPlan)]
    private let stored: [Stored]
    private let results: [(number: Int, view: View, plan: NestPlan)]
    private let loss: (number: Int, view: View)?
    private let statistics: [Int]
    /// The node of the trace that each node of the graph came from.
    private let origins: [Int]
    /// The versions and addresses of the stored leaves when weights were last brought into the form that kernels read.
    private var prepared: [Int] = []

    /// `held` is what other programs hold already. Throws `RuntimeError.insufficientMemory` before anything is allocated.
    init(
        _ trace: Trace, pool: ThreadPool, random: RandomStream, policy: ConvolutionPolicy, budget: MemoryBudget,
        held: Int
    ) throws {
        let graph = trace.graph()
        guard graph.nodes.count <= Graph.Limits.values else {
            throw RuntimeError.tooLarge("a trace of \(graph.nodes.count) operations")
        }
        var wanted = Set(trace.key.results)
        if let loss = trace.key.loss { wanted.insert(loss) }
        let lowering = try Lowering(graph, batch: 1, results: wanted)
        let compiler = GraphCompiler(lowering, threads: pool.threadCount, policy: policy, random: random)
        let builder = compiler.builder
        for binding in graph.inputs { builder.bindInput(binding.value) }
        for number in trace.leaves {
            guard let leaf = trace.nodes[number].leaf else { continue }
            let wantsGradient = trace.key.leaves[number]?.wantsGradient == true
            // The addresses are those of the trace at hand; others replace them before each run.
            builder.bind(number, leaf.value, gradient: wantsGradient ? leaf.value : nil)
        }
        compiler.emitForward()
        let views = trace.key.results.map { ($0, builder.view($0)) }
        // Results are copied out between the passes and must last until then.
        builder.emit(views.map { $0.1 }) { _, _ in }
        if let number = trace.key.loss {
            let view = builder.view(number)
            loss = (number, view)
            compiler.differentiate(number)
            builder.keep(view)
        } else {
            loss = nil
        }
        let reached = builder.reached
        stored = trace.leaves.filter { trace.nodes[$0].leaf != nil }.map { number in
            Stored(
                number: number, value: builder.view(number).buffer, gradient: builder.parameterGradient(number),
                isReached: reached.contains(number))
        }
        inputs = graph.inputs.map { binding in
            let view = builder.view(binding.value)
            let source = View(buffer: 0, shape: view.shape, strides: View.strides(rowMajor: view.shape))
            return (binding.value, view, Nest([view, source]).plan)
        }
        results = views.map { number, view in
            let target = View(buffer: 0, shape: view.shape, strides: View.strides(rowMajor: view.shape))
            return (number, view, Nest([target, view]).plan)
        }
        statistics = trace.operations.filter { trace.nodes[$0].hasPendingStatistics }
        origins = graph.nodes.map { min($0.outputs[0], trace.nodes.count - 1) }
        program = builder.program
        let plan = MemoryPlan(program)
        let leaves = held + trace.leafBytes
        let bytes = plan.total * 4 + program.lastingFloats * 4 + program.workspaceBytes
        try budget.require(bytes + leaves, held: leaves, batch: trace.batch)
        memory = try ProgramMemory(program, plan)
    }

    /// Computes the results of a trace with the program's key, and the gradients when it has a loss.
    ///
    /// Throws `RuntimeError.notFinite` naming the layer; gradients and running statistics are then as before.
    func run(_ trace: Trace, seed: UInt64, pool: ThreadPool, random: RandomStream) throws {
        load(trace, seed, pool, random)
        bind(trace)
        prepare(trace, pool)
        run(program.forward, pool)
        let computed = results.map { tensor($0.view, $0.plan, pool) }
        if let loss {
            guard memory.isFinite(loss.view) else { throw notFinite("the loss", trace, seed, pool, random) }
            run(program.backward, pool)
            for leaf in stored where leaf.isReached {
                guard let gradient = leaf.gradient, let storage = trace.nodes[leaf.number].leaf else { continue }
                guard isFinite(memory.table[gradient], storage.count) else {
                    throw notFinite("the gradient of shape \(storage.shape)", trace, seed, pool, random)
                }
            }
            addGradients(trace)
        }
        run(program.completion, pool)
        for (result, tensor) in zip(results, computed) { trace.nodes[result.number].take(tensor) }
        for number in statistics {
            let node = trace.nodes[number]
            node.hasPendingStatistics = false
            for input in node.inputs.dropFirst(3) { input?.leaf?.markChanged() }
        }
    }

    private func run(_ steps: [Program.Step], _ pool: ThreadPool) {
        for step in steps { step.run(memory.table, pool) }
    }

    private func load(_ trace: Trace, _ seed: UInt64, _ pool: ThreadPool, _ random: RandomStream) {
        for input in inputs {
            let node = trace.nodes[input.number]
            if node.value == nil, case .random(let probability, let draw) = node.source {
                random.state = RandomState(seed: seed, step: draw)
                random.bernoulli(
                    memory.table[input.view], count: input.view.count, p: probability, stream: TraceProgram.maskStream,
                    pool)
                continue
            }
            guard let tensor = node.known else { continue }
            tensor.values.withUnsafeBufferPointer { values in
                guard let base = values.baseAddress else { return }
                Elementwise.copy(input.plan, memory.table[input.view], UnsafeMutablePointer(mutating: base), pool)
            }
        }
    }

    /// The stream of the counter-based generator that masks are drawn from.
    private static let maskStream: UInt32 = 0x6d61_736b

    private func bind(_ trace: Trace) {
        for leaf in stored {
            guard let storage = trace.nodes[leaf.number].leaf else { continue }
            memory.table.bases[leaf.value] = storage.value
            guard let gradient = leaf.gradient else { continue }
            memory.table.bases[gradient.buffer] = storage.flag.isSet ? storage.scratch : storage.gradient
        }
    }

    private func addGradients(_ trace: Trace) {
        for leaf in stored where leaf.isReached {
            guard let storage = trace.nodes[leaf.number].leaf else { continue }
            if storage.flag.isSet {
                let (sum, part) = (storage.gradient, storage.scratch)
                for index in 0..<storage.count { sum[index] += part[index] }
            }
            storage.flag.isSet = true
        }
    }

    private func prepare(_ trace: Trace, _ pool: ThreadPool) {
        let signature = signature(trace)
        guard signature != prepared else { return }
        run(program.preparation, pool)
        prepared = signature
    }

    private func signature(_ trace: Trace) -> [Int] {
        stored.flatMap { leaf -> [Int] in
            guard let storage = trace.nodes[leaf.number].leaf else { return [] }
            return [Int(bitPattern: storage.value), storage.version]
        }
    }

    private func tensor(_ view: View, _ plan: NestPlan, _ pool: ThreadPool) -> Tensor {
        let count = view.count
        let values = [Float](unsafeUninitializedCapacity: count) { buffer, filled in
            if let base = buffer.baseAddress { Elementwise.copy(plan, base, memory.table[view], pool) }
            filled = count
        }
        return Tensor(unchecked: view.shape, values)
    }

    /// Runs again, kernel by kernel, until one yields a value that is not finite, and names its operation and module.
    private func notFinite(
        _ what: String, _ trace: Trace, _ seed: UInt64, _ pool: ThreadPool, _ random: RandomStream
    ) -> RuntimeError {
        load(trace, seed, pool, random)
        for step in program.forward + program.backward {
            step.run(memory.table, pool)
            guard let result = step.result, let node = step.node, !memory.isFinite(result) else { continue }
            let origin = trace.nodes[origins[node]]
            let place = origin.path.isEmpty ? "" : ", \(origin.path)"
            return .notFinite(what: what, location: "first at \(origin.name)\(place)")
        }
        return .notFinite(what: what, location: "")
    }
}

extension TraceNode {
    /// The elements of what is known without running anything.
    var known: Tensor? {
        if let value { return value }
        switch source {
        case .constant(let tensor): return tensor
        case .leaf(let storage): return storage.tensor
        case .operation, .random: return nil
        }
    }
}
