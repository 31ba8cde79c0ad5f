/// Averages of windows (PyTorch's `avg_pool1d` to `3d`) and of a given number of windows (`adaptive_avg_pool1d` to `3d`).
extension OperationTable {
    static let averagePooling: [String: Factory] = {
        var family: [String: Factory] = [:]
        for axes in 1...3 {
            family["avg_pool\(axes)d"] = { attributes in
                let windows = try Windows(attributes, axes: axes)
                let divisor = try attributes.optionalNumber("divisor_override")
                guard divisor != 0, divisor?.isFinite != false else { throw attributes.failure("a divisor of zero") }
                return Resampling(
                    axes: axes,
                    rule: AverageWindows(
                        windows: windows, countsPadding: try attributes.flag("count_include_pad", default: true),
                        divisor: divisor))
            }
            family["adaptive_avg_pool\(axes)d"] = {
                Resampling(axes: axes, rule: AdaptiveWindows(output: try $0.sizes("output_size", axes: axes)))
            }
        }
        return family
    }()
}

/// The windows of a pooling: sizes, distances, padding and dilation along each axis.
struct Windows: Sendable {
    var kernel: [Int]
    var stride: [Int]
    var padding: [Int]
    var dilation: [Int]
    var ceilMode: Bool

    /// Without a stride, windows do not overlap.
    init(_ attributes: Attributes, axes: Int) throws {
        kernel = try attributes.sizes("kernel", axes: axes)
        let given = try attributes.integers("stride", default: [])
        stride = given.isEmpty ? kernel : try attributes.sizes("stride", axes: axes)
        padding = try attributes.sizes("padding", axes: axes, default: 0, minimum: 0)
        dilation = try attributes.sizes("dilation", axes: axes, default: 1)
        ceilMode = try attributes.flag("ceil_mode")
    }

    /// The number of windows along an axis: in ceil mode a window may hang over the end, but it must start inside the image or its
    /// left padding.
    func count(_ size: Int, _ axis: Int) throws -> Int {
        let reach = dilation[axis] * (kernel[axis] - 1) + 1
        let room = size + 2 * padding[axis] - reach
        guard room >= 0, 2 * padding[axis] <= reach else {
            throw ShapeFault(
                "windows of \(kernel[axis]) (dilation \(dilation[axis]), padding \(padding[axis])) do not fit a size of \(size)"
            )
        }
        let step = stride[axis]
        var count = (ceilMode ? (room + step - 1) / step : room / step) + 1
        if ceilMode, (count - 1) * step >= size + padding[axis] { count -= 1 }
        guard count <= AxisWeights.limit / min(kernel[axis], size + padding[axis]) else {
            throw ShapeFault("\(count) windows of \(kernel[axis])")
        }
        return count
    }
}

/// Averages over windows. With `countsPadding` the zeros of the padding count; with `divisor` the sum is divided by it instead of by
/// the number of elements.
struct AverageWindows: AxisRule {
    var windows: Windows
    var countsPadding: Bool
    var divisor: Double?

    func weights(_ size: Int, axis: Int) throws -> AxisWeights {
        let (kernel, padding) = (windows.kernel[axis], windows.padding[axis])
        return AxisWeights(
            taps: (0..<(try windows.count(size, axis))).map { position in
                let start = position * windows.stride[axis] - padding
                let end = min(start + kernel, size + padding)
                let inside = max(start, 0)..<max(min(end, size), max(start, 0))
                // The divisor of a window is the product over its axes; an own one is put on the first axis.
                var weight = 1 / Float(countsPadding ? end - start : inside.count)
                if let divisor { weight = axis == 0 ? Float(1 / divisor) : 1 }
                return inside.map { AxisWeights.Tap(index: $0, weight: weight) }
            })
    }
}

/// `output` windows that cover the axis, overlapping where the sizes do not divide; averages when read with their weights.
struct AdaptiveWindows: AxisRule {
    var output: [Int]

    func weights(_ size: Int, axis: Int) throws -> AxisWeights {
        let count = output[axis]
        guard size + 2 * count <= AxisWeights.limit else { throw ShapeFault("\(count) windows over a size of \(size)") }
        return AxisWeights(
            taps: (0..<count).map { position in
                let (start, end) = (position * size / count, ((position + 1) * size + count - 1) / count)
                return (start..<end).map { AxisWeights.Tap(index: $0, weight: 1 / Float(end - start)) }
            })
    }
}
