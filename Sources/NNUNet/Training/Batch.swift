import Foundation
import TensorRuntime

/// The inputs of one training or validation step.
struct Batch {
    /// `image` N C H W and `target0`, `target1`, … N H W.
    var inputs: [String: Tensor]

    /// Stacks patches; targets of lower resolutions take the label whose pixel is nearest (`DownsampleSegForDSTransform`).
    init(_ patches: [Patch], _ network: PlainConvUNet) throws {
        let size = network.patchSize
        inputs = [
            "image": try Tensor(
                shape: [patches.count, network.inputChannels] + size, values: patches.flatMap(\.values))
        ]
        let weights = network.headWeights
        for (head, target) in network.headSizes.enumerated() where weights[head] > 0 {
            let labels = patches.flatMap { patch -> [Float] in
                let labels = target == size ? patch.labels : nearestExact(patch.labels, size: size, to: target)
                return labels.map { Float($0) }
            }
            inputs["target\(head)"] = try Tensor(shape: [patches.count] + target, values: labels)
        }
    }
}

/// Computes independent things on several threads; the results do not depend on their number.
func concurrently<T: Sendable>(_ count: Int, threads: Int, _ body: @Sendable (Int) -> T) -> [T] {
    guard threads > 1, count > 1 else { return (0..<count).map(body) }
    let results = Slots<T>(count)
    let workers = min(threads, count)
    DispatchQueue.concurrentPerform(iterations: workers) { worker in
        for index in stride(from: worker, to: count, by: workers) { results.set(index, body(index)) }
    }
    return results.values
}

/// A place for each result.
private final class Slots<T: Sendable>: @unchecked Sendable {
    // The lock guards the array; each place is written once.
    private let lock = NSLock()
    private var slots: [T?]

    init(_ count: Int) { slots = [T?](repeating: nil, count: count) }

    func set(_ index: Int, _ value: T) { lock.withLock { slots[index] = value } }

    var values: [T] { lock.withLock { slots.compactMap { $0 } } }
}
