import Foundation

/// Smoothing of one-channel maps; layout H W.
enum GaussianBlur {
    /// Convolution with a normal density cut off at four standard deviations and scaled to a sum of one, along rows and then columns;
    /// edges repeated outwards, as `scipy.ndimage.gaussian_filter(mode="nearest")`.
    ///
    /// - Parameter deviation: pixels; 0 leaves the map as it is.
    /// - Complexity: O(pixels × deviation).
    static func apply(_ map: [Double], width: Int, height: Int, deviation: Double) -> [Double] {
        let radius = Int((4 * deviation + 0.5).rounded(.down))
        guard radius > 0 else { return map }
        let weights = (-radius...radius).map { exp(-0.5 * Double($0 * $0) / (deviation * deviation)) }
        let total = weights.reduce(0, +)
        let kernel = weights.map { $0 / total }
        let rows = pass(map, kernel, radius, count: width, stride: 1, lines: height, lineStride: width)
        return pass(rows, kernel, radius, count: height, stride: width, lines: width, lineStride: 1)
    }

    private static func pass(
        _ map: [Double], _ kernel: [Double], _ radius: Int, count: Int, stride: Int, lines: Int, lineStride: Int
    ) -> [Double] {
        var result = [Double](repeating: 0, count: map.count)
        var padded = [Double](repeating: 0, count: count + 2 * radius)
        for line in 0..<lines {
            let start = line * lineStride
            for index in padded.indices { padded[index] = map[start + min(max(index - radius, 0), count - 1) * stride] }
            padded.withUnsafeBufferPointer { padded in
                for index in 0..<count {
                    var sum = 0.0
                    for (offset, weight) in kernel.enumerated() { sum += weight * padded[index &+ offset] }
                    result[start + index * stride] = sum
                }
            }
        }
        return result
    }
}
