/// Resizing one-channel maps (layout H W).
///
/// Both kinds follow PyTorch's `torch.nn.functional.interpolate` with `align_corners=False`, so that a map resized here equals one
/// resized inside a pipeline.
public enum Resize {
    /// Bilinear with half-pixel centres and clamped edges, without anti-aliasing: output pixel x samples the input at
    /// `max((x + 0.5) · w / W − 0.5, 0)`.
    ///
    /// - Throws: `MetricsError.shape`.
    /// - Complexity: O(output pixels).
    public static func bilinear(
        _ map: [Float], width: Int, height: Int, toWidth: Int, toHeight: Int
    ) throws(MetricsError) -> [Float] {
        try check(map.count, width, height, toWidth, toHeight)
        if width == toWidth && height == toHeight { return map }
        let columns = taps(from: width, to: toWidth)
        let rows = taps(from: height, to: toHeight)
        var result = [Float](repeating: 0, count: toWidth * toHeight)
        for (y, row) in rows.enumerated() {
            for (x, column) in columns.enumerated() {
                let top =
                    (1 - column.weight) * map[row.low * width + column.low]
                    + column.weight * map[row.low * width + column.high]
                let bottom =
                    (1 - column.weight) * map[row.high * width + column.low]
                    + column.weight * map[row.high * width + column.high]
                result[y * toWidth + x] = (1 - row.weight) * top + row.weight * bottom
            }
        }
        return result
    }

    /// Nearest neighbour as PyTorch's mode `nearest`: input index `floor(x · w / W)`, the ratio in single precision.
    ///
    /// - Throws: `MetricsError.shape`.
    /// - Complexity: O(output pixels).
    public static func nearest<Element>(
        _ map: [Element], width: Int, height: Int, toWidth: Int, toHeight: Int
    ) throws(MetricsError) -> [Element] {
        try check(map.count, width, height, toWidth, toHeight)
        if width == toWidth && height == toHeight { return map }
        let columns = indices(from: width, to: toWidth)
        var result: [Element] = []
        result.reserveCapacity(toWidth * toHeight)
        for row in indices(from: height, to: toHeight) {
            for column in columns { result.append(map[row * width + column]) }
        }
        return result
    }

    private struct Tap {
        var low: Int
        var high: Int
        var weight: Float
    }

    private static func taps(from size: Int, to target: Int) -> [Tap] {
        let scale = Float(size) / Float(target)
        return (0..<target).map { index in
            let position = max((Float(index) + 0.5) * scale - 0.5, 0)
            let low = min(Int(position), size - 1)
            return Tap(low: low, high: min(low + 1, size - 1), weight: min(max(position - Float(low), 0), 1))
        }
    }

    private static func indices(from size: Int, to target: Int) -> [Int] {
        let scale = Float(size) / Float(target)
        return (0..<target).map { min(Int(Float($0) * scale), size - 1) }
    }

    private static func check(
        _ samples: Int, _ width: Int, _ height: Int, _ toWidth: Int, _ toHeight: Int
    ) throws(MetricsError) {
        guard width > 0, height > 0, samples == width * height else {
            throw .shape(width: width, height: height, samples: samples)
        }
        guard toWidth > 0, toHeight > 0 else { throw .shape(width: toWidth, height: toHeight, samples: 0) }
    }
}
