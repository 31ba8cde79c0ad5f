import Foundation

/// Changes the size of a plane H W, as nnU-Net's `resample_data_or_seg_to_shape` does with 2-D images.
///
/// That calls scikit-image's `resize` with mode `edge` and no anti-aliasing, which is scipy's `ndimage.zoom` with `grid_mode`: pixel
/// centres lie at (i + 0.5) · old / new - 0.5, the outermost pixels go on for ever, and results are clipped to the range of the
/// input. Cost: a few operations a new pixel, and for cubic splines two recursive passes over the old ones.
enum Resampling {
    /// Cubic B-splines through the pixels (Unser 1999, "Splines: a perfect fit for signal and image processing").
    static func cubic(_ plane: [Float], size: [Int], to target: [Int]) -> [Float] {
        let padded = size.map { $0 + 2 * padding }
        var coefficients = [Double](repeating: 0, count: padded[0] * padded[1])
        for y in 0..<padded[0] {
            let row = min(max(y - padding, 0), size[0] - 1) * size[1]
            for x in 0..<padded[1] {
                coefficients[y * padded[1] + x] = Double(plane[row + min(max(x - padding, 0), size[1] - 1)])
            }
        }
        for y in 0..<padded[0] { prefilter(&coefficients, start: y * padded[1], stride: 1, count: padded[1]) }
        for x in 0..<padded[1] { prefilter(&coefficients, start: x, stride: padded[1], count: padded[0]) }
        let (rows, columns) = (
            positions(size[0], target[0]).map(cubicTaps), positions(size[1], target[1]).map(cubicTaps)
        )
        return interpolate(coefficients, width: padded[1], rows, columns, clipping: plane).map { Float($0) }
    }

    /// Linear between pixels.
    static func linear(_ plane: [Float], size: [Int], to target: [Int]) -> [Float] {
        let (rows, columns) = linearTaps(size, target)
        return interpolate(plane.map { Double($0) }, width: size[1], rows, columns, clipping: plane).map { Float($0) }
    }

    /// The label with the largest share of the pixels around, each interpolated linearly on its own; of equal ones the nearest pixel's,
    /// else the smallest (batchgenerators 0.25.5, `resize_segmentation`).
    static func labels(_ labels: [Int16], size: [Int], to target: [Int]) -> [Int16] {
        let nearest = zip(size, target).map { size, target in
            positions(size, target).map { Int(min(max($0, 0), Double(size - 1)) + 0.5) }
        }
        let closest = nearest[0].flatMap { y in nearest[1].map { labels[y * size[1] + $0] } }
        let (rows, columns) = linearTaps(size, target)
        var result = closest
        var best = [Double](repeating: -1, count: closest.count)
        var closestShare = best
        for label in Set(labels).sorted() {
            let shares = interpolate(
                labels.map { $0 == label ? 1 : 0 }, width: size[1], rows, columns, clipping: [0, 1])
            for index in shares.indices {
                if label == closest[index] { closestShare[index] = shares[index] }
                if shares[index] > best[index] { (best[index], result[index]) = (shares[index], label) }
            }
        }
        for index in result.indices where closestShare[index] == best[index] { result[index] = closest[index] }
        return result
    }

    /// How far scipy continues an image before it filters: what lies beyond weighs less than 1e-6.
    private static let padding = 12
    /// The pole of the cubic B-spline's inverse.
    private static let pole = 3.0.squareRoot() - 2

    /// From samples to spline coefficients along a line that goes on as its own mirror image.
    private static func prefilter(_ values: inout [Double], start: Int, stride: Int, count: Int) {
        let gain = (1 - pole) * (1 - 1 / pole)
        func at(_ index: Int) -> Int { start + index * stride }
        for index in 0..<count { values[at(index)] *= gain }
        var (first, power) = (values[at(0)], pole)
        for index in 0..<count {
            first += power * values[at(index)]
            power *= pole
        }
        values[at(0)] = first
        for index in 1..<max(count, 1) { values[at(index)] += pole * values[at(index - 1)] }
        values[at(count - 1)] *= pole / (pole - 1)
        for index in (0..<count - 1).reversed() {
            values[at(index)] = pole * (values[at(index + 1)] - values[at(index)])
        }
    }

    /// Which old pixels a new one is made of.
    private struct Taps {
        var first: Int
        var last: Int
        var weights: (Double, Double, Double, Double)
        var count: Int
    }

    /// Where the centres of new pixels lie among the old ones.
    private static func positions(_ size: Int, _ target: Int) -> [Double] {
        let scale = Double(size) / Double(target)
        return (0..<target).map { (Double($0) + 0.5) * scale - 0.5 }
    }

    private static func linearTaps(_ size: [Int], _ target: [Int]) -> (rows: [Taps], columns: [Taps]) {
        (
            positions(size[0], target[0]).map { linearTaps($0, size[0]) },
            positions(size[1], target[1]).map { linearTaps($0, size[1]) }
        )
    }

    private static func cubicTaps(_ position: Double) -> Taps {
        let shifted = position + Double(padding)
        let first = Int(shifted.rounded(.down))
        let t = shifted - Double(first)
        let u = 1 - t
        return Taps(
            first: first - 1, last: .max,
            weights: (
                u * u * u / 6, (t * t * (t - 2) * 3 + 4) / 6, (u * u * (u - 2) * 3 + 4) / 6, t * t * t / 6
            ), count: 4)
    }

    private static func linearTaps(_ position: Double, _ size: Int) -> Taps {
        let bounded = min(max(position, 0), Double(size - 1))
        let first = Int(bounded)
        let t = bounded - Double(first)
        return Taps(first: first, last: size - 1, weights: (1 - t, t, 0, 0), count: 2)
    }

    private static func interpolate(
        _ values: [Double], width: Int, _ rows: [Taps], _ columns: [Taps], clipping plane: [Float]
    ) -> [Double] {
        let (low, high) = (Double(plane.min() ?? 0), Double(plane.max() ?? 0))
        var result: [Double] = []
        result.reserveCapacity(rows.count * columns.count)
        for row in rows {
            for column in columns {
                var sum = 0.0
                for i in 0..<row.count {
                    let base = min(row.first + i, row.last) * width
                    var line = 0.0
                    for j in 0..<column.count {
                        line += weight(column, j) * values[base + min(column.first + j, column.last)]
                    }
                    sum += weight(row, i) * line
                }
                result.append(min(max(sum, low), high))
            }
        }
        return result
    }

    @inline(__always)
    private static func weight(_ taps: Taps, _ index: Int) -> Double {
        switch index {
        case 0: taps.weights.0
        case 1: taps.weights.1
        case 2: taps.weights.2
        default: taps.weights.3
        }
    }
}
