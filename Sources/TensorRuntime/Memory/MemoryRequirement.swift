/// Bytes that a graph takes at a batch size, known when it is compiled and before its first step.
///
/// ```swift
/// let compiled = try CompiledGraph(graph: train, batch: 8, parameters: store)
/// print(compiled.memory)  // 1.2 GiB: parameters 118.5 MiB, gradients 118.5 MiB, …
/// let whole = compiled.memory + optimizer.memory(store)
/// ```
///
/// Counts what the runtime allocates for good. Not counted: the caller's own tensors, copies that `ParameterStore.state()` and
/// checkpoints make, the copy of the gradients while batches accumulate, and the program itself (its code and lists, some MiB).
public struct MemoryRequirement: Sendable, Equatable {
    /// Parameters, buffers and constants.
    public var parameters = 0
    /// Gradients of parameters.
    public var gradients = 0
    /// What the optimizer keeps beside the parameters; it grows to this in the first step.
    public var optimizerState = 0
    /// The arena of inputs, activations and their gradients: those whose lives do not overlap share it.
    public var activations = 0
    /// What a graph keeps between runs: weights in the order in which kernels read them. Training makes them anew in each step, in
    /// the arena.
    public var packedWeights = 0
    /// Scratch memory that kernels share.
    public var workspace = 0

    /// Nothing.
    public init() {}

    /// All together.
    public var total: Int { store + optimizerState + graph }

    /// What a parameter store holds, once for all graphs on it.
    public var store: Int { parameters + gradients }

    /// What a graph allocates when it is compiled.
    public var graph: Int { activations + packedWeights + workspace }

    /// The two side by side.
    public static func + (a: Self, b: Self) -> Self {
        var sum = a
        sum.parameters += b.parameters
        sum.gradients += b.gradients
        sum.optimizerState += b.optimizerState
        sum.activations += b.activations
        sum.packedWeights += b.packedWeights
        sum.workspace += b.workspace
        return sum
    }
}

extension MemoryRequirement: CustomStringConvertible {
    public var description: String {
        let parts = [
            ("parameters", parameters), ("gradients", gradients), ("optimizer state", optimizerState),
            ("activations", activations), ("packed weights", packedWeights), ("workspace", workspace),
        ]
        let shown = parts.filter { $0.1 > 0 }.map { "\($0.0) \(Self.text($0.1))" }
        return "\(Self.text(total)): \(shown.joined(separator: ", "))"
    }

    /// Bytes as a person reads them, rounded up: `812 KiB`, `118.5 MiB`, `12.3 GiB`.
    static func text(_ bytes: Int) -> String {
        guard bytes >= 1 << 20 else { return "\((bytes + 1023) / 1024) KiB" }
        let (shift, unit) = bytes >= 1 << 30 ? (30, "GiB") : (20, "MiB")
        let tenths = (bytes >> shift) * 10 + ((bytes & (1 << shift - 1)) * 10 + (1 << shift - 1)) >> shift
        return "\(tenths / 10).\(tenths % 10) \(unit)"
    }
}
