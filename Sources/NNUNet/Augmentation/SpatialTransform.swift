import Foundation

/// Rotation and scaling about the middle of a patch, and a crop to the final size: batchgeneratorsv2 0.3.6, `SpatialTransform`,
/// with the settings that nnU-Net 2.8.1 gives it (bilinear images padded with zeros, labels by their interpolated share).
struct SpatialTransform: Equatable {
    /// Radians.
    var angle = 0.0
    /// Distances between sampled pixels; larger numbers make objects smaller.
    var scale = 1.0
    /// H W of the result.
    var size: [Int]

    /// The label of what lies outside of a patch.
    static let outside: Int16 = -1

    /// Costs a few operations a pixel and channel, and as many for each label that the patch has.
    func callAsFunction(_ patch: Patch) -> Patch {
        guard angle != 0 || scale != 1 else { return patch.centre(size) }
        let samples = positions(in: patch)
        var result = Patch(
            channels: patch.channels, size: size,
            values: [Float](repeating: 0, count: patch.channels * samples.count),
            labels: [Int16](repeating: 0, count: samples.count))
        patch.values.withUnsafeBufferPointer { values in
            for channel in 0..<patch.channels {
                let plane = UnsafeBufferPointer(rebasing: values[patch.channel(channel)])
                for (index, sample) in samples.enumerated() {
                    result.values[channel * samples.count + index] = sample.interpolate(plane)
                }
            }
        }
        result.labels = labels(patch, samples)
        return result
    }

    /// Where each pixel of the result is read, as `grid_sample` without aligned corners computes it.
    private func positions(in patch: Patch) -> [Sample] {
        let (cosine, sine) = (Float(cos(angle) * scale), Float(sin(angle) * scale))
        let (height, width) = (Float(patch.size[0]), Float(patch.size[1]))
        var samples: [Sample] = []
        samples.reserveCapacity(size[0] * size[1])
        for row in 0..<size[0] {
            let y = Float(row) - Float(size[0] - 1) / 2
            for column in 0..<size[1] {
                let x = Float(column) - Float(size[1] - 1) / 2
                let (gridY, gridX) = ((cosine * y - sine * x) / (height / 2), (sine * y + cosine * x) / (width / 2))
                samples.append(
                    Sample(
                        y: ((gridY + 1) * height - 1) / 2, x: ((gridX + 1) * width - 1) / 2, size: patch.size))
            }
        }
        return samples
    }

    /// The label with the largest interpolated share; the nearest pixel's where shares are equal in half precision.
    private func labels(_ patch: Patch, _ samples: [Sample]) -> [Int16] {
        var present = Set(patch.labels)
        if samples.contains(where: \.reachesOutside) { present.insert(Self.outside) }
        let labels = present.sorted()
        guard labels.count > 1 else { return [Int16](repeating: labels.first ?? 0, count: samples.count) }
        return patch.labels.withUnsafeBufferPointer { plane in
            samples.map { sample in
                var (best, winner) = (-Float.infinity, labels[0])
                var (nearestScore, nearest) = (-Float.infinity, sample.nearest(plane, outside: Self.outside))
                for label in labels {
                    let score = sample.share(of: label, plane, outside: Self.outside)
                    if label == nearest { nearestScore = score }
                    if score > best { (best, winner) = (score, label) }
                }
                if nearestScore != best { nearest = winner }
                return nearest
            }
        }
    }
}

/// A position between four pixels of a plane.
private struct Sample {
    private let row: Int
    private let column: Int
    private let y: Float
    private let x: Float
    private let size: SIMD2<Int>

    init(y: Float, x: Float, size: [Int]) {
        (row, column) = (Int(y.rounded(.down)), Int(x.rounded(.down)))
        (self.y, self.x) = (y, x)
        self.size = SIMD2(size[0], size[1])
    }

    private var weights: (Float, Float, Float, Float) {
        let (down, right) = (y - Float(row), x - Float(column))
        return ((1 - down) * (1 - right), (1 - down) * right, down * (1 - right), down * right)
    }

    var reachesOutside: Bool { row < 0 || column < 0 || row + 1 >= size[0] || column + 1 >= size[1] }

    private func index(_ row: Int, _ column: Int) -> Int? {
        row >= 0 && column >= 0 && row < size[0] && column < size[1] ? row * size[1] + column : nil
    }

    /// Zero outside.
    func interpolate(_ plane: UnsafeBufferPointer<Float>) -> Float {
        let weights = weights
        func value(_ row: Int, _ column: Int) -> Float { index(row, column).map { plane[$0] } ?? 0 }
        return value(row, column) * weights.0 + value(row, column + 1) * weights.1
            + value(row + 1, column) * weights.2 + value(row + 1, column + 1) * weights.3
    }

    /// The weight of the pixels with a label, in thousandths and half precision.
    func share(of label: Int16, _ plane: UnsafeBufferPointer<Int16>, outside: Int16) -> Float {
        let weights = weights
        func part(_ row: Int, _ column: Int) -> Float {
            (index(row, column).map { plane[$0] } ?? outside) == label ? 1000 : 0
        }
        let sum =
            part(row, column) * weights.0 + part(row, column + 1) * weights.1 + part(row + 1, column) * weights.2
            + part(row + 1, column + 1) * weights.3
        return halfPrecision(sum)
    }

    func nearest(_ plane: UnsafeBufferPointer<Int16>, outside: Int16) -> Int16 {
        index(Int(y.rounded(.toNearestOrEven)), Int(x.rounded(.toNearestOrEven))).map { plane[$0] } ?? outside
    }

    /// Rounded to the eleven bits of a half, for numbers from 2⁻¹⁴ to 65504.
    private func halfPrecision(_ value: Float) -> Float {
        let bits = value.bitPattern
        return Float(bitPattern: (bits &+ 0xFFF &+ ((bits >> 13) & 1)) & ~0x1FFF)
    }
}
