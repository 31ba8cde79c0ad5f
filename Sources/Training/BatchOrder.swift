/// In which order the samples of an epoch reach the optimizer.
///
/// A function of seed and epoch alone, so that a resumed training, the PyTorch engine and a reader of the record see the
/// same batches without any generator state.
public struct BatchOrder: Sendable, Hashable {
    public let samples: Int
    public let batchSize: Int
    /// Leaves out a last batch that is not full.
    public let dropLast: Bool
    public let shuffle: Bool
    public let seed: Int

    public init(samples: Int, batchSize: Int, dropLast: Bool, shuffle: Bool, seed: Int) {
        self.samples = samples
        self.batchSize = batchSize
        self.dropLast = dropLast
        self.shuffle = shuffle
        self.seed = seed
    }

    /// The batches of one epoch (counted from 1), as indices of samples. O(samples).
    public func batches(epoch: Int) -> [[Int]] {
        guard samples > 0, batchSize > 0 else { return [] }
        var order = Array(0..<samples)
        if shuffle {
            var generator = SplitMix64(seed: UInt64(bitPattern: Int64(seed)), stream: UInt64(epoch))
            for index in stride(from: samples - 1, to: 0, by: -1) {
                order.swapAt(index, generator.next(upTo: index + 1))
            }
        }
        var batches = stride(from: 0, to: samples, by: batchSize).map { start in
            Array(order[start..<min(start + batchSize, samples)])
        }
        if dropLast, let last = batches.last, last.count < batchSize { batches.removeLast() }
        return batches
    }

    /// The first so many batches of all epochs from the first on; fewer where an epoch has none.
    func firstBatches(_ count: Int) -> [[Int]] {
        var found: [[Int]] = []
        var epoch = 1
        while found.count < count {
            let next = batches(epoch: epoch)
            guard !next.isEmpty else { break }
            found += next.prefix(count - found.count)
            epoch += 1
        }
        return found
    }
}

/// SplitMix64 (Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators"): 64 bits of state, passes
/// BigCrush, the same bits on every platform.
struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64, stream: UInt64 = 0) {
        state = seed
        // One draw between seed and stream, so that (1, 0) and (0, 1) share nothing.
        state = next() ^ stream &* 0xD134_2543_DE82_EF95
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// Uniform in 0..<bound, without bias: the standard library's own method could change between releases.
    mutating func next(upTo bound: Int) -> Int {
        let bound = UInt64(bound)
        let limit = UInt64.max - (UInt64.max % bound + 1) % bound
        while true {
            let value = next()
            if value <= limit { return Int(value % bound) }
        }
    }
}
