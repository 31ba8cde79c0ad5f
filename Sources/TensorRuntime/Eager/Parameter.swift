import Foundation

/// A weight: a leaf that optimizers move.
public final class Parameter: Variable {
    /// A weight with these elements.
    public convenience init(_ tensor: Tensor) {
        self.init(TraceNode(.leaf(LeafStorage(tensor)), shape: tensor.shape, requiresGradient: true))
    }

    /// A parameter of a layer; an impossible shape, which the layer reports as its fault, gives none.
    convenience init(_ shape: [Int], _ initialization: Initialization) {
        self.init((try? initialization.tensor(shape)) ?? Tensor(unchecked: [0], []))
    }

    /// Whether gradients are computed; false freezes the parameter. Operations noted down before are not affected.
    override public var requiresGradient: Bool {
        get { node.requiresGradient }
        set { node.requiresGradient = newValue }
    }

    /// Replaces the elements. Throws `RuntimeError.tensorMismatch` for another shape.
    public func set(_ tensor: Tensor) throws {
        guard tensor.shape == shape else {
            throw RuntimeError.tensorMismatch(name: "of a parameter", expected: shape, got: tensor.shape)
        }
        node.leaf?.set(tensor)
    }

    /// Draws the elements anew. Throws `RuntimeError.invalidShape` when the scheme does not fit the shape.
    public func initialize(
        _ initialization: Initialization, generator: RandomGenerator = Engine.current.generator
    ) throws {
        try set(initialization.tensor(shape, generator))
    }
}

/// State that is no weight: running statistics, counters. Saved with the parameters, moved by no optimizer.
public final class Buffer: Variable {
    /// State with these elements.
    public convenience init(_ tensor: Tensor) {
        self.init(TraceNode(.leaf(LeafStorage(tensor)), shape: tensor.shape, requiresGradient: false))
    }

    convenience init(_ shape: [Int], _ value: Float) {
        self.init((try? Tensor(shape: shape, repeating: value)) ?? Tensor(unchecked: [0], []))
    }

    /// Replaces the elements. Throws `RuntimeError.tensorMismatch` for another shape.
    public func set(_ tensor: Tensor) throws {
        guard tensor.shape == shape else {
            throw RuntimeError.tensorMismatch(name: "of a buffer", expected: shape, got: tensor.shape)
        }
        node.leaf?.set(tensor)
    }
}

extension Module {
    /// Reads a safetensors file with PyTorch's names; see `load(_:strict:)`. Throws what `SafeTensors` throws, too.
    public func load(contentsOf url: URL, strict: Bool = true) throws {
        let file = try SafeTensors(contentsOf: url)
        // Names and shapes first: a file that does not fit is refused before anything of it is read.
        let entries = try entries(fitting: file.entries.mapValues(\.shape), strict: strict)
        let wanted = Set(entries.map(\.name)).intersection(file.entries.keys)
        try load(Dictionary(uniqueKeysWithValues: wanted.map { ($0, try file.tensor($0)) }), strict: false)
    }

    /// Writes parameters and buffers as float32 to a safetensors file that `load_state_dict` takes.
    public func save(to url: URL, metadata: [String: String] = [:]) throws {
        try SafeTensors.write(state(), metadata: metadata, to: url)
    }
}
