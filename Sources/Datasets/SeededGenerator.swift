import Foundation

/// SplitMix64 (Steele, Lea and Flood 2014): the same numbers on every machine and in every version of the standard library, so that a
/// seed in `dataset.json` keeps its meaning.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    private var spare: Double?

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    /// Uniform in [0, 1) with 53 random bits.
    mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// Uniform over a range, rounded to four decimals, so that what is written down is what was used.
    mutating func parameter(in range: ClosedRange<Double>) -> Double {
        let value = range.lowerBound + (range.upperBound - range.lowerBound) * unit()
        return (value * 10_000).rounded() / 10_000
    }

    /// Standard normal (Box and Muller 1958).
    mutating func normal() -> Double {
        if let value = spare {
            spare = nil
            return value
        }
        let radius = (-2 * log(1 - unit())).squareRoot()
        let angle = 2 * Double.pi * unit()
        spare = radius * sin(angle)
        return radius * cos(angle)
    }
}

extension Array {
    /// Fisher and Yates, with numbers of our own: the standard library does not promise that its `shuffled` stays the same.
    func shuffled(using generator: inout SeededGenerator) -> [Element] {
        var result = self
        for index in stride(from: result.count - 1, to: 0, by: -1) {
            // The bias of the remainder is below 2⁻⁵⁰ for any dataset that fits a disk.
            result.swapAt(index, Int(generator.next() % UInt64(index + 1)))
        }
        return result
    }
}
