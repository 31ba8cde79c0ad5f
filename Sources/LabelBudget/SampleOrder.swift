import Statistics

/// Which images a step learns from and how they are flipped: a function of the seed and the step alone, so that a training that goes on
/// after an interruption takes the same.
struct SampleOrder: Sendable {
    let count: Int
    let batch: Int
    let seed: Int

    /// All images in a new order, again and again, cut in batches.
    func places(step: Int) -> [(index: Int, flip: SweepImages.Flip)] {
        (0..<batch).map { place in
            let position = step * batch + place
            var random = SplitMix64(seed: key(stream: 2, position))
            let bits = random.next()
            return (
                permutation(round: position / count)[position % count],
                SweepImages.Flip(horizontal: bits & 1 != 0, vertical: bits & 2 != 0)
            )
        }
    }

    private func permutation(round: Int) -> [Int] {
        var random = SplitMix64(seed: key(stream: 1, round))
        var order = Array(0..<count)
        for place in stride(from: count - 1, to: 0, by: -1) { order.swapAt(place, random.index(below: place + 1)) }
        return order
    }

    private func key(stream: UInt64, _ position: Int) -> UInt64 {
        // Each key begins a stream of its own: SplitMix64's own mixing keeps them apart.
        var mixed = SplitMix64(seed: UInt64(bitPattern: Int64(seed)) &* 0x2545_f491_4f6c_dd1d &+ stream)
        return mixed.next() &+ UInt64(position) &* 0x9e37_79b9_7f4a_7c15
    }
}
