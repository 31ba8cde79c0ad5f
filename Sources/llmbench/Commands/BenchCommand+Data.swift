import Foundation
import TensorRuntime

/// Data for the benchmark's networks.
enum BenchData {
    /// A reproducible batch: smooth blobs as images or volumes, their cores as masks; for nnU-Net the masks of all resolutions.
    static func batch(_ count: Int, _ network: BenchNetwork) throws -> [String: Tensor] {
        var random = BenchRandom()
        let (slices, size) = (network.slices ?? 1, network.size)
        var (image, mask): ([Float], [Float]) = ([], [])
        for _ in 0..<count {
            func center(_ extent: Int) -> Float { Float(extent) * (0.5 + 0.2 * random.next()) }
            let (cy, cx) = (center(size), center(size))
            let cz = network.slices == nil ? 0 : center(slices)
            let radius = Float(size) * (0.2 + 0.1 * random.next())
            for voxel in 0..<slices * size * size {
                let (z, y, x) = (voxel / (size * size), voxel / size % size, voxel % size)
                let (dz, dy, dx) = (Float(z) - cz, Float(y) - cy, Float(x) - cx)
                let distance = (dz * dz + dy * dy + dx * dx).squareRoot() / radius
                image.append(max(0, 1 - distance / 2) + 0.1 * random.next())
                mask.append(distance < 1 ? 1 : 0)
            }
        }
        let shape = [count, 1] + (network.slices.map { [$0] } ?? []) + [size, size]
        var batch = ["image": try Tensor(shape: shape, values: image)]
        guard network.kind == .nnunet else {
            batch["mask"] = try Tensor(shape: shape, values: mask)
            return batch
        }
        for level in 0..<NNUNetGraph(size: size).heads {
            let (side, step) = (size >> level, 1 << level)
            let values = (0..<count * side * side).map { pixel in
                mask[(pixel / (side * side) * size + pixel / side % side * step) * size + pixel % side * step]
            }
            batch["mask\(level)"] = try Tensor(shape: [count, side, side], values: values)
        }
        return batch
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
