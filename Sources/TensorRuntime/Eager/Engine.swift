import Foundation

/// What eager code runs on: threads, random numbers, and the compiled programs.
///
/// Operations on `Variable`s are only noted down. Reading a value, or `backward()`, compiles the part of the trace that is needed
/// with the compiler of captured graphs (fusion, planned memory) and runs it. A trace of the same operations, attributes and
/// shapes as an earlier one, with gradients for the same leaves, runs the earlier program on the new leaves: the second step of a
/// training loop compiles nothing. Numbers that operations are given (`x * 0.5`) are part of the program; a factor that changes
/// from step to step belongs in a `Variable`.
///
/// ```swift
/// let engine = Engine(RuntimeOptions(threads: 2, seed: 7))
/// try engine.run { try train() }
/// ```
///
/// Cost: compiling takes milliseconds, finding a program again some microseconds for each operation. A kept program holds the memory
/// of its activations, so at most `maximumPrograms` of at most `maximumBytes` together are kept (the last one always), the least
/// recently used going first. Safe to use from several threads: runs wait for each other.
public final class Engine: @unchecked Sendable {
    // The lock guards everything that changes; non-sendable parts never leave it.
    private let lock = NSLock()
    private let pool: ThreadPool
    private let stream: RandomStream
    private var programs: [(key: Trace.Key, program: TraceProgram)] = []
    private var shapes: [ShapeKey: [Int]] = [:]
    private var counts = Statistics()
    private var draws: UInt64 = 0

    /// Threads, convolution algorithms and seed.
    public let options: RuntimeOptions
    /// How many compiled programs are kept.
    public let maximumPrograms: Int
    /// How many bytes the kept programs may hold together.
    public let maximumBytes: Int
    /// Random numbers for initial weights, from the seed of the options.
    public let generator: RandomGenerator

    /// What an engine has done.
    public struct Statistics: Sendable, Equatable {
        /// Programs compiled.
        public var compilations = 0
        /// Traces that were run.
        public var runs = 0
        /// Programs kept.
        public var programs = 0
        /// Bytes that the kept programs hold.
        public var bytes = 0
    }

    /// The engine that new operations and runs use: that of the innermost `run`, or one with default options.
    @TaskLocal public static var current = Engine()

    /// `maximumBytes` defaults to half of the machine's memory.
    public init(
        _ options: RuntimeOptions = RuntimeOptions(), maximumPrograms: Int = 32, maximumBytes: Int? = nil
    ) {
        self.options = options
        self.maximumPrograms = max(1, maximumPrograms)
        self.maximumBytes = maximumBytes ?? Int(clamping: ProcessInfo.processInfo.physicalMemory / 2)
        generator = RandomGenerator(seed: options.seed)
        pool = ThreadPool(threads: options.threads)
        stream = RandomStream(RandomState(seed: options.seed))
    }

    /// Makes this the current engine while `body` runs.
    public func run<R>(_ body: () throws -> R) rethrows -> R {
        try Engine.$current.withValue(self) { try body() }
    }

    /// What the engine has done so far.
    public var statistics: Statistics {
        lock.withLock {
            var result = counts
            result.programs = programs.count
            result.bytes = heldBytes
            return result
        }
    }

    /// How many random masks were drawn; with the seed this is the state of dropout, for checkpoints.
    public var randomState: RandomState {
        get { lock.withLock { RandomState(seed: options.seed, step: draws) } }
        set { lock.withLock { draws = newValue.step } }
    }

    /// Frees the memory of all compiled programs.
    public func removePrograms() {
        lock.withLock { programs = [] }
    }

    func nextDraw() -> UInt64 {
        lock.withLock {
            draws += 1
            return draws
        }
    }

    /// The shape that an operation yields, found by the compiler's own rules.
    ///
    /// Throws `RuntimeError.invalidOperation` naming the operation, the module and the shapes of all operands.
    func shape(_ signature: OperationSignature, _ operands: [[Int]?], path: String) throws -> [Int] {
        let key = ShapeKey(signature: signature, operands: operands)
        if let shape = lock.withLock({ shapes[key] }) { return shape }
        var values: [Graph.Value] = []
        for (number, shape) in operands.enumerated() {
            guard let shape else { continue }
            values.append(Graph.Value(id: number, shape: shape.map { .fixed($0) }))
        }
        let output = operands.count
        let graph = Graph(
            kind: .train, batch: 1, values: values,
            inputs: values.map { Graph.Binding(value: $0.id, name: "operand \($0.id)") }, parameters: [],
            nodes: [
                Graph.Node(
                    op: signature.name, inputs: operands.indices.map { operands[$0] == nil ? nil : $0 },
                    outputs: [output], attributes: signature.attributes, module: path)
            ], outputs: GraphOutputs(loss: output))
        let list = operands.map { $0.map { "\($0)" } ?? "none" }.joined(separator: ", ")
        guard operands.allSatisfy({ $0?.contains(0) != true }) else {
            throw RuntimeError.invalidOperation(
                name: signature.name, location: path, reason: "an operand is empty; operands of shape \(list)")
        }
        do {
            guard OperationTable.names.contains(signature.name) else {
                throw RuntimeError.unknownOperation(name: signature.name, location: path)
            }
            let shape = try Lowering(graph, batch: 1, results: [output]).shapes[output] ?? []
            lock.withLock {
                // Shapes that never repeat must not fill the memory.
                if shapes.count >= 65_536 { shapes = [:] }
                shapes[key] = shape
            }
            return shape
        } catch RuntimeError.invalidOperation(let name, let location, let reason) {
            throw RuntimeError.invalidOperation(
                name: name, location: location, reason: "\(reason); operands of shape \(list)")
        }
    }

    private struct ShapeKey: Hashable {
        var signature: OperationSignature
        var operands: [[Int]?]
    }

    /// Computes the value of a node and of everything with a variable on the way.
    func evaluate(_ node: TraceNode) throws {
        try lock.withLock {
            let trace = try Trace(targets: [node])
            try run(trace)
            for number in trace.key.results where !trace.nodes[number].requiresGradient {
                trace.nodes[number].forgetInputs()
            }
        }
    }

    /// Computes the gradients of a scalar with respect to the leaves that want them.
    func differentiate(_ node: TraceNode, keepingTrace: Bool) throws {
        try lock.withLock {
            let trace = try Trace(targets: [], loss: node)
            try run(trace)
            for number in trace.operations {
                let node = trace.nodes[number]
                if keepingTrace, node.requiresGradient { continue }
                node.isSpent = true
                node.forgetInputs()
            }
        }
    }

    private func run(_ trace: Trace) throws {
        let program = try program(trace)
        try program.run(trace, seed: options.seed, pool: pool, random: stream)
        counts.runs += 1
    }

    private var heldBytes: Int { programs.reduce(0) { $0 + $1.program.bytes } }

    /// Where the memory does not suffice beside the kept programs, these go.
    private func compile(_ trace: Trace) throws -> TraceProgram {
        func compile() throws -> TraceProgram {
            try TraceProgram(
                trace, pool: pool, random: stream, policy: options.policy, budget: options.budget, held: heldBytes)
        }
        do {
            return try compile()
        } catch RuntimeError.insufficientMemory where !programs.isEmpty {
            programs = []
            return try compile()
        }
    }

    private func program(_ trace: Trace) throws -> TraceProgram {
        if let index = programs.lastIndex(where: { $0.key == trace.key }) {
            let entry = programs.remove(at: index)
            programs.append(entry)
            return entry.program
        }
        let made = try compile(trace)
        counts.compilations += 1
        programs.append((trace.key, made))
        var bytes = heldBytes
        while programs.count > 1, programs.count > maximumPrograms || bytes > maximumBytes {
            bytes -= programs.removeFirst().program.bytes
        }
        return made
    }
}
