import Foundation

/// A second set of weights that follows the trained ones slowly, for evaluation (Polyak and Juditsky 1992; Tarvainen and
/// Valpola 2017, https://arxiv.org/abs/1703.01780).
///
/// ```swift
/// let average = try ExponentialMovingAverage(session.parameters, decay: 0.999)
/// try optimizer.step(session.parameters)
/// try average.update(session.parameters)
/// let probability = try average.evaluating(session.parameters) { try session.predict(images) }
/// ```
///
/// As `torch.optim.swa_utils.AveragedModel` with `get_ema_multi_avg_fn`: the first update copies the weights, each later one
/// moves the average by (1 - decay) of the way to them; buffers are copied. With `correctsBias` the weight of update t is
/// (1 - d)/(1 - dᵗ), which makes the average that of Adam's bias-corrected moments (Kingma and Ba 2015, §3): early averages
/// are then means of all weights so far and not close to the first. Holds a copy of all parameters and buffers; an update costs
/// one pass over them. Not for use from two threads at once.
public final class ExponentialMovingAverage {
    /// The weight of the average so far.
    public let decay: Double
    /// Whether early averages are means of all weights so far.
    public let correctsBias: Bool
    /// Updates so far.
    public private(set) var updates = 0
    /// Whether the store holds the average now, and this object the trained weights.
    public private(set) var isSwapped = false
    private var average: [String: Tensor]

    /// Starts at the present weights. Throws `RuntimeError.invalidOptimizer` for a decay outside 0 ... 1.
    public init(_ store: ParameterStore, decay: Double = 0.999, correctsBias: Bool = false) throws {
        guard (0...1).contains(decay), !correctsBias || decay < 1 else {
            throw RuntimeError.invalidOptimizer("a decay of \(decay) for averaged weights")
        }
        self.decay = decay
        self.correctsBias = correctsBias
        average = try store.state()
    }

    /// The averaged parameters and the buffers.
    public func state(_ store: ParameterStore) throws -> [String: Tensor] {
        isSwapped ? try store.state() : average
    }

    /// Takes in the weights after an optimizer step.
    ///
    /// Throws `RuntimeError.invalidOptimizer` while weights are swapped, and `.missingTensor` or `.tensorMismatch` for a store
    /// with other parameters.
    public func update(_ store: ParameterStore) throws {
        guard !isSwapped else { throw RuntimeError.invalidOptimizer("averaged weights are in use") }
        try check(store)
        let weight = Float(updates == 0 ? 1 : intake)
        for name in store.parameterNames {
            if let slot = store.parameters[name] { move(name, slot, weight) }
        }
        for name in store.bufferNames {
            if let slot = store.buffers[name] { move(name, slot, 1) }
        }
        updates += 1
    }

    private var intake: Double {
        correctsBias ? (1 - decay) / (1 - pow(decay, Double(updates + 1))) : 1 - decay
    }

    private func move(_ name: String, _ slot: ParameterStore.Slot, _ weight: Float) {
        average[name]?.values.withUnsafeMutableBufferPointer { target in
            guard let base = target.baseAddress else { return }
            var i = 0
            while i < slot.count {
                let left = slot.count - i
                let now = load(slot.value + i, upTo: left)
                store(weight == 1 ? now : interpolated(load(base + i, upTo: left), now, weight), base + i, upTo: left)
                i += lanes
            }
        }
    }

    private func check(_ store: ParameterStore) throws {
        for name in store.parameterNames + store.bufferNames {
            guard let tensor = average[name] else { throw RuntimeError.missingTensor(name) }
            let shape = (store.parameters[name] ?? store.buffers[name])?.shape ?? []
            guard tensor.shape == shape else {
                throw RuntimeError.tensorMismatch(name: name, expected: shape, got: tensor.shape)
            }
        }
    }

    /// Exchanges the weights of the store with the average; a second call exchanges them back, bit for bit.
    public func swap(_ store: ParameterStore) throws {
        let weights = try store.state()
        try store.restore(average)
        average = weights
        isSwapped.toggle()
    }

    /// Calls `body` while the store holds the average.
    public func evaluating<R>(_ store: ParameterStore, _ body: () throws -> R) throws -> R {
        try swap(store)
        let result = Result { try body() }
        try swap(store)
        return try result.get()
    }

    /// The state between updates as strings for a checkpoint.
    public func metadata() -> [String: String] { ["average.updates": String(updates)] }

    /// Restores what `state` and `metadata()` gave.
    ///
    /// Throws `RuntimeError.invalidCheckpoint`, `.missingTensor` or `.tensorMismatch` when it does not fit, and changes nothing
    /// then. The store must hold the trained weights.
    public func restore(_ tensors: [String: Tensor], metadata: [String: String], _ store: ParameterStore) throws {
        let restored = try restored(tensors, metadata: metadata, store)
        (average, updates) = (restored.average, restored.updates)
    }

    func restored(
        _ tensors: [String: Tensor], metadata: [String: String], _ store: ParameterStore
    ) throws -> (average: [String: Tensor], updates: Int) {
        guard !isSwapped else { throw RuntimeError.invalidCheckpoint("averaged weights are in use") }
        guard let count = metadata["average.updates"].flatMap({ Int($0) }), count >= 0 else {
            throw RuntimeError.invalidCheckpoint("the number of averaged updates is missing")
        }
        var restored = average
        for (name, tensor) in average {
            guard let found = tensors[name] else { throw RuntimeError.missingTensor(name) }
            guard found.shape == tensor.shape else {
                throw RuntimeError.tensorMismatch(name: name, expected: tensor.shape, got: found.shape)
            }
            restored[name] = found
        }
        return (restored, count)
    }

    func apply(_ restored: (average: [String: Tensor], updates: Int)) {
        (average, updates) = restored
    }
}
