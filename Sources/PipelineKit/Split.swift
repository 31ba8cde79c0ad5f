import Foundation
import TensorRuntime

/// A random split of samples into 80 % training, 10 % validation and 10 % test: indices, each in one part.
public struct Split: Sendable, Hashable {
    /// Sorted indices.
    public let training: [Int]
    /// Sorted indices.
    public let validation: [Int]
    /// Sorted indices.
    public let test: [Int]
    /// What it was made from.
    public let seed: Int

    /// The same count and seed give the same split. Throws `PipelineError.invalid` for fewer than 3 samples or a negative seed.
    public init(count: Int, seed: Int) throws {
        try self.init(count: count, seed: seed, harness: Harness(environment: ProcessInfo.processInfo.environment))
    }

    init(count: Int, seed: Int, harness: Harness) throws {
        guard count >= 3 else { throw PipelineError.invalid("\(count) samples cannot be split into three parts") }
        guard seed >= 0 else { throw PipelineError.invalid("the seed \(seed) is negative") }
        let tenth = max(1, Int((Double(count) / 10).rounded()))
        let order = Samples.order(count, RandomGenerator(seed: UInt64(seed)))
        test = order.prefix(tenth).sorted()
        validation = order[tenth..<(2 * tenth)].sorted()
        training = order.dropFirst(2 * tenth).sorted()
        self.seed = seed
        try harness.note([
            "train_samples": training.count, "validation_samples": validation.count, "test_samples": test.count,
        ])
    }
}
