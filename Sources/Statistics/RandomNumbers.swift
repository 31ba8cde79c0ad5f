/// SplitMix64 (Steele, Lea and Flood 2014): small, fast, the same on every machine. Not for secrets.
public struct SplitMix64: RandomNumberGenerator, Sendable {
    private var state: UInt64

    public init(seed: UInt64) {
        state = seed
    }

    public mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    /// Uniform in 0..<bound, by Lemire's multiplication (2019) with rejection, so that no value is favoured. A bound of 0 is a
    /// programming error.
    mutating func next(upperBound bound: UInt64) -> UInt64 {
        var product = next().multipliedFullWidth(by: bound)
        if product.low < bound {
            let threshold = (0 &- bound) % bound
            while product.low < threshold { product = next().multipliedFullWidth(by: bound) }
        }
        return product.high
    }

    /// Uniform in 0..<count. A count of 0 is a programming error.
    public mutating func index(below count: Int) -> Int { Int(next(upperBound: UInt64(count))) }

    /// Uniform in (0, 1): the middle of one of 2⁵³ equal cells.
    public mutating func uniform() -> Double { (Double(next() >> 11) + 0.5) * 0x1p-53 }

    /// A standard normal value, by inversion: one uniform number each, and monotone in it.
    public mutating func normal() -> Double { NormalDistribution.quantile(uniform()) }

    /// The first `count` values of a random order of `values` (Fisher and Yates; Durstenfeld 1964), in place.
    mutating func partialShuffle<Value>(_ values: inout [Value], _ count: Int) {
        for position in 0..<count {
            values.swapAt(position, position + index(below: values.count - position))
        }
    }
}
