/// The random numbers of numpy's `RandomState`: MT19937 (Matsumoto and Nishimura 1998), seeded with one number by its `init_genrand`.
///
/// Here because nnU-Net's fingerprint is drawn with it, and the same draws give the same plan.
struct MersenneTwister {
    private var state = [UInt32](repeating: 0, count: 624)
    private var position = 624

    init(seed: UInt32) {
        state[0] = seed
        for i in 1..<624 {
            state[i] = 1_812_433_253 &* (state[i - 1] ^ (state[i - 1] >> 30)) &+ UInt32(i)
        }
    }

    /// 32 random bits.
    mutating func next() -> UInt32 {
        if position == 624 { twist() }
        var y = state[position]
        position += 1
        y ^= y >> 11
        y ^= (y << 7) & 0x9d2c_5680
        y ^= (y << 15) & 0xefc6_0000
        return y ^ (y >> 18)
    }

    private mutating func twist() {
        state.withUnsafeMutableBufferPointer { state in
            for i in 0..<624 {
                let y = (state[i] & 0x8000_0000) | (state[(i + 1) % 624] & 0x7fff_ffff)
                state[i] = state[(i + 397) % 624] ^ (y >> 1) ^ (y & 1 == 0 ? 0 : 0x9908_b0df)
            }
        }
        position = 0
    }

    /// Uniform in 0..<count by masked rejection, as `RandomState.randint` and `choice` with replacement; draws nothing for one.
    mutating func index(below count: Int) -> Int {
        let largest = UInt32(truncatingIfNeeded: count - 1)
        guard largest > 0 else { return 0 }
        let mask = UInt32.max >> UInt32(largest.leadingZeroBitCount)
        while true {
            let value = next() & mask
            if value <= largest { return Int(value) }
        }
    }
}
