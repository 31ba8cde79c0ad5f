import TensorRuntime

/// The random numbers of one sample of a training: the same for the same seed, purpose, step and place in the batch, whatever was
/// drawn before; so an interrupted training goes on to the same bits.
struct Draws {
    private let generator: RandomGenerator

    /// What numbers are drawn for.
    enum Purpose: UInt64 {
        case weights = 1
        case training = 2
        case validation = 3
    }

    init(seed: UInt64, purpose: Purpose, step: Int = 0, sample: Int = 0) {
        var key = seed
        for part in [purpose.rawValue, UInt64(step), UInt64(sample)] { key = Draws.mix(key &+ part) }
        generator = RandomGenerator(seed: key)
    }

    /// SplitMix64 (Steele, Lea and Flood 2014).
    static func mix(_ value: UInt64) -> UInt64 {
        var z = value &+ 0x9E37_79B9_7F4A_7C15
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// Uniform in [low, high).
    func uniform(_ low: Double = 0, _ high: Double = 1) -> Double { generator.uniform(1, low: low, high: high)[0] }

    /// True with a probability.
    func chance(_ probability: Double) -> Bool { uniform() < probability }

    /// Uniform in `range`.
    func integer(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + min(Int(uniform() * Double(range.count)), range.count - 1)
    }

    /// Normal numbers around zero.
    func normal(_ count: Int, deviation: Double) -> [Double] {
        generator.normal(count, standardDeviation: deviation)
    }
}
