import Foundation
import TensorRuntime

/// Data for the benchmark's network.
enum BenchData {
    /// A reproducible batch: smooth blobs as images, their cores as masks.
    static func batch(_ count: Int, size: Int) throws -> [String: Tensor] {
        var random = BenchRandom()
        var (image, mask): ([Float], [Float]) = ([], [])
        for _ in 0..<count {
            let center = (Float(size) * (0.5 + 0.2 * random.next()), Float(size) * (0.5 + 0.2 * random.next()))
            let radius = Float(size) * (0.2 + 0.1 * random.next())
            for y in 0..<size {
                for x in 0..<size {
                    let (dy, dx) = (Float(y) - center.0, Float(x) - center.1)
                    let distance = (dy * dy + dx * dx).squareRoot() / radius
                    image.append(max(0, 1 - distance / 2) + 0.1 * random.next())
                    mask.append(distance < 1 ? 1 : 0)
                }
            }
        }
        let shape = [count, 1, size, size]
        return ["image": try Tensor(shape: shape, values: image), "mask": try Tensor(shape: shape, values: mask)]
    }
}

/// Uniform numbers in [-1, 1) by a linear congruential generator (Knuth's constants).
struct BenchRandom {
    private var state: UInt64 = 0x2545_F491_4F6C_DD1D

    mutating func next() -> Float {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Float(state >> 40) / Float(1 << 23) - 1
    }
}
