import TensorRuntime

/// Images with their masks, in memory.
public struct Samples: Sendable {
    /// File names without `.png`.
    public let names: [String]
    /// N C H W in [0, 1].
    public let images: Tensor
    /// N 1 H W of 0 and 1.
    public let masks: Tensor

    /// Throws `PipelineError.invalid` where names, images (N C H W) and masks (N 1 H W) do not go together.
    public init(names: [String], images: Tensor, masks: Tensor) throws {
        guard images.shape.count == 4, images.shape[0] == names.count,
            masks.shape == [names.count, 1, images.shape[2], images.shape[3]]
        else {
            throw PipelineError.invalid(
                "\(names.count) names, images of shape \(images.shape) and masks of shape \(masks.shape) do not go "
                    + "together: N names, N C H W and N 1 H W are needed")
        }
        self.names = names
        self.images = images
        self.masks = masks
    }

    /// How many there are.
    public var count: Int { names.count }

    /// The samples at these indices, in this order: a part of a `Split`.
    public func subset(_ indices: [Int]) throws -> Samples {
        try Samples(names: checked(indices), images: images.rows(indices), masks: masks.rows(indices))
    }

    private func checked(_ indices: [Int]) throws -> [String] {
        guard let wrong = indices.first(where: { !names.indices.contains($0) }) else {
            return indices.map { names[$0] }
        }
        throw PipelineError.invalid("index \(wrong) is outside the \(count) samples, which are counted from 0")
    }

    /// Batches of `size` samples, the last, smaller one included; in a new random order each time where a generator is given.
    public func batches(size: Int, shuffledBy generator: RandomGenerator? = nil) throws -> [Samples] {
        guard size > 0 else { throw PipelineError.invalid("a batch of \(size) samples: it must be a positive number") }
        let order = generator.map { Self.order(count, $0) } ?? Array(0..<count)
        return try stride(from: 0, to: count, by: size).map { try subset(Array(order[$0..<min($0 + size, count)])) }
    }

    /// A random order: indices sorted by numbers drawn for them.
    static func order(_ count: Int, _ generator: RandomGenerator) -> [Int] {
        let keys = generator.uniform(count)
        return (0..<count).sorted { keys[$0] < keys[$1] }
    }
}
