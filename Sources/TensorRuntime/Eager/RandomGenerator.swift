import Foundation

/// Seeded random numbers for initial weights and sampling: Philox 4×32-10 (Salmon, Moraes, Dror and Shaw 2011) on a counter.
///
/// The same seed gives the same numbers on every machine and for every thread count. They are not PyTorch's numbers: only the
/// distributions agree. Safe to use from several threads, which then share one sequence.
public final class RandomGenerator: @unchecked Sendable {
    // The lock guards the counter and the numbers that are left of a block.
    private let lock = NSLock()
    private let seed: UInt64
    private var counter: UInt64 = 0
    private var left: [UInt32] = []

    /// The same seed gives the same sequence.
    public init(seed: UInt64) {
        self.seed = seed
    }

    private func next() -> UInt32 {
        if let number = left.popLast() { return number }
        let block = philox(
            SIMD4(
                UInt32(truncatingIfNeeded: counter), UInt32(truncatingIfNeeded: counter >> 32),
                RandomGenerator.stream, 0), key: seed)
        counter += 1
        left = [block[3], block[2], block[1]]
        return block[0]
    }

    /// Keeps these numbers apart from those of dropout masks, which have the same key.
    private static let stream: UInt32 = 0x696e_6974

    /// Uniform in [0, 1) with 53 random bits.
    private func unit() -> Double {
        let (high, low) = (UInt64(next()), UInt64(next()))
        return Double((high << 32 | low) >> 11) * 0x1p-53
    }

    /// `count` numbers uniform in [low, high).
    public func uniform(_ count: Int, low: Double = 0, high: Double = 1) -> [Double] {
        lock.withLock { (0..<count).map { _ in low + (high - low) * unit() } }
    }

    /// `count` normal numbers, by pairs (Box and Muller 1958).
    public func normal(_ count: Int, mean: Double = 0, standardDeviation: Double = 1) -> [Double] {
        lock.withLock {
            var numbers: [Double] = []
            numbers.reserveCapacity(count + 1)
            while numbers.count < count {
                let radius = (-2 * log(1 - unit())).squareRoot() * standardDeviation
                let angle = 2 * Double.pi * unit()
                numbers += [mean + radius * cos(angle), mean + radius * sin(angle)]
            }
            return Array(numbers.prefix(count))
        }
    }

    /// `count` normal numbers given that they lie in [low, high], by rejection (Robert 1995, "Simulation of truncated normal
    /// variables"): from the normal distribution when the interval holds much of it, else from the uniform one.
    ///
    /// Throws `RuntimeError.invalidShape` when the interval is empty or a bound or the deviation is no number.
    public func truncatedNormal(
        _ count: Int, mean: Double = 0, standardDeviation: Double = 1, low: Double = -2, high: Double = 2
    ) throws -> [Double] {
        guard low < high, standardDeviation > 0, standardDeviation.isFinite, mean.isFinite else {
            throw RuntimeError.invalidShape(
                "no normal numbers of deviation \(standardDeviation) lie between \(low) and \(high)")
        }
        let (a, b) = ((low - mean) / standardDeviation, (high - mean) / standardDeviation)
        let share = 0.5 * (erf(b / 2.0.squareRoot()) - erf(a / 2.0.squareRoot()))
        if share > 0.25 {
            var numbers: [Double] = []
            while numbers.count < count {
                numbers += normal(count - numbers.count).filter { $0 >= a && $0 <= b }
            }
            return numbers.map { mean + standardDeviation * $0 }
        }
        // Nothing that matters lies further than ten deviations beyond the bound nearest to the mean.
        let (from, to) = (max(a, min(b, 0) - 10), min(b, max(a, 0) + 10))
        let mode = min(max(0, from), to)
        return lock.withLock {
            (0..<count).map { _ in
                while true {
                    let x = from + (to - from) * unit()
                    if unit() < exp((mode * mode - x * x) / 2) { return mean + standardDeviation * x }
                }
            }
        }
    }
}

extension Tensor {
    /// Independent normal numbers. Throws `RuntimeError.invalidShape` for an impossible shape.
    public static func normal(
        shape: [Int], mean: Double = 0, standardDeviation: Double = 1,
        generator: RandomGenerator = Engine.current.generator
    ) throws -> Tensor {
        try Initialization.normal(mean: mean, standardDeviation: standardDeviation).tensor(shape, generator)
    }

    /// Independent numbers uniform in [low, high). Throws `RuntimeError.invalidShape` for an impossible shape.
    public static func uniform(
        shape: [Int], low: Double = 0, high: Double = 1, generator: RandomGenerator = Engine.current.generator
    ) throws -> Tensor {
        try Initialization.uniform(low: low, high: high).tensor(shape, generator)
    }
}
