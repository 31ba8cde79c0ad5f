/// The memory of a leaf of the trace that programs read in place: a parameter, a buffer, or a variable with a gradient.
///
/// Row-major, aligned to 64 bytes, at one address for its whole life. The gradient is allocated when it is first needed.
final class LeafStorage {
    let shape: [Int]
    let count: Int
    let value: UnsafeMutablePointer<Float>
    let flag = GradientFlag()
    /// Counts the changes of the value that the engine or the owner made.
    private(set) var changes = 0
    /// The counters of the stores through which others change the value.
    private var counters: [ChangeCounter] = []
    private var gradientMemory: UnsafeMutablePointer<Float>?
    private var scratchMemory: UnsafeMutablePointer<Float>?

    init(_ tensor: Tensor) {
        (shape, count) = (tensor.shape, tensor.count)
        value = LeafStorage.allocate(tensor.count)
        copy(tensor)
    }

    deinit {
        for memory in [value, gradientMemory, scratchMemory] { memory?.deallocate() }
    }

    private static func allocate(_ count: Int) -> UnsafeMutablePointer<Float> {
        let raw = UnsafeMutableRawPointer.allocate(byteCount: max(count, 16) * 4 + 64, alignment: 64)
        let floats = raw.bindMemory(to: Float.self, capacity: max(count, 16))
        floats.initialize(repeating: 0, count: max(count, 16))
        return floats
    }

    /// Changes whenever the value may have changed.
    var version: Int { counters.reduce(changes) { $0 + $1.count } }

    var gradient: UnsafeMutablePointer<Float> {
        if let gradientMemory { return gradientMemory }
        let memory = LeafStorage.allocate(count)
        gradientMemory = memory
        return memory
    }

    /// Where a gradient is put that is to be added to the one there is.
    var scratch: UnsafeMutablePointer<Float> {
        if let scratchMemory { return scratchMemory }
        let memory = LeafStorage.allocate(count)
        scratchMemory = memory
        return memory
    }

    func join(_ counter: ChangeCounter) {
        counters.append(counter)
    }

    func slot(withGradient: Bool) -> ParameterStore.Slot {
        var slot = ParameterStore.Slot(
            shape: shape, count: count, value: value, gradient: withGradient ? gradient : nil)
        slot.flag = flag
        return slot
    }

    func markChanged() {
        changes += 1
    }

    /// Takes the elements of a tensor of the same shape.
    func set(_ tensor: Tensor) {
        copy(tensor)
        changes += 1
    }

    private func copy(_ tensor: Tensor) {
        tensor.values.withUnsafeBufferPointer { source in
            if let base = source.baseAddress { value.update(from: base, count: count) }
        }
    }

    var tensor: Tensor { Tensor(unchecked: shape, Array(UnsafeBufferPointer(start: value, count: count))) }

    var gradientTensor: Tensor? {
        guard flag.isSet, let gradientMemory else { return nil }
        return Tensor(unchecked: shape, Array(UnsafeBufferPointer(start: gradientMemory, count: count)))
    }
}
