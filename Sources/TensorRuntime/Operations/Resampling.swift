/// Linear resampling of images along both axes: each output row (column) is a weighted sum of input rows (columns).
///
/// Average pooling, adaptive average pooling, and nearest and bilinear up-sampling are all of this kind and differ in `AxisWeights`.
struct Resampling: Operation {
    /// How the sizes and weights of one axis follow from the size of the input.
    enum Rule {
        case nearest(output: Extent, scale: [Double?]?)
        case bilinear(output: Extent, alignCorners: Bool, scale: [Double?]?)
        case average(kernel: Extent, stride: Extent, padding: Extent, ceilMode: Bool, countsPadding: Bool)
        case adaptiveAverage(output: Extent)
    }

    var rule: Rule

    func shape(_ inputs: [[Int]?]) throws -> [Int] {
        guard let x = inputs[0], x.count == 4 else { throw ShapeFault("only images N C H W can be resampled") }
        let (rows, columns) = (try weights(x[2], isHeight: true), try weights(x[3], isHeight: false))
        return [x[0], x[1], rows.taps.count, columns.taps.count]
    }

    private func weights(_ size: Int, isHeight: Bool) throws -> AxisWeights {
        func side(_ extent: Extent) -> Int { isHeight ? extent.height : extent.width }
        func factor(_ scale: [Double?]?) -> Double? {
            guard let scale, let last = scale.last else { return nil }
            return isHeight ? scale[0] : last
        }
        switch rule {
        case .nearest(let output, let scale):
            return AxisWeights(nearest: size, to: side(output), scale: factor(scale))
        case .bilinear(let output, let alignCorners, let scale):
            return AxisWeights(linear: size, to: side(output), alignCorners: alignCorners, scale: factor(scale))
        case .average(let kernel, let stride, let padding, let ceilMode, let countsPadding):
            guard size / side(stride) * min(side(kernel), size) <= AxisWeights.limit else {
                throw ShapeFault("windows of \(side(kernel)) over a size of \(size)")
            }
            let weights = AxisWeights(
                average: size, kernel: side(kernel), stride: side(stride), padding: side(padding), ceilMode: ceilMode,
                countsPadding: countsPadding)
            guard !weights.taps.isEmpty, 2 * side(padding) <= side(kernel) else {
                throw ShapeFault("windows of \(side(kernel)) do not fit a size of \(size)")
            }
            return weights
        case .adaptiveAverage(let output):
            guard size + 2 * side(output) <= AxisWeights.limit else {
                throw ShapeFault("\(side(output)) windows over a size of \(size)")
            }
            return AxisWeights(adaptive: size, to: side(output))
        }
    }

    private func tables(_ builder: ProgramBuilder, _ node: PlanNode) -> (AxisWeights, AxisWeights)? {
        let x = builder.shape(node.input(0))
        guard let rows = try? weights(x[2], isHeight: true), let columns = try? weights(x[3], isHeight: false) else {
            return nil
        }
        return (rows, columns)
    }

    func forward(_ builder: ProgramBuilder, _ node: PlanNode) {
        guard let (rows, columns) = tables(builder, node) else { return }
        let x = builder.pixels(builder.view(node.input(0)))
        let y = builder.output(node)
        let ys = y.pixelStride ?? y.shape[1]
        let kernel = ResamplingKernel(
            rows: rows, columns: columns, batch: y.shape[0], channels: y.shape[1],
            inputs: (x.view.shape[2], x.view.shape[3]))
        builder.emit([x.view, y], result: y) { memory, pool in
            kernel.run(
                memory.pixels(x.view, stride: x.stride), into: memory.pixels(y, stride: ys), adds: false, pool)
        }
    }

    func backward(_ builder: ProgramBuilder, _ node: PlanNode, _ gradient: GradientSlot) {
        guard let (rows, columns) = tables(builder, node) else { return }
        let dy = builder.pixels(gradient.view)
        let input = builder.shape(node.input(0))
        let kernel = ResamplingKernel(
            rows: rows.transposed(input[2]), columns: columns.transposed(input[3]), batch: input[0], channels: input[1],
            inputs: (dy.view.shape[2], dy.view.shape[3]))
        builder.accumulate(node.input(0)) { dx, adds in
            let isImage = dx.pixelStride != nil
            let target = isImage ? dx : builder.temporary(dx.shape)
            let stride = target.pixelStride ?? input[1]
            builder.emit([dy.view, target], result: target) { memory, pool in
                kernel.run(
                    memory.pixels(dy.view, stride: dy.stride), into: memory.pixels(target, stride: stride),
                    adds: adds && isImage, pool)
            }
            if !isImage { adds ? builder.add(target, to: dx) : builder.copy(target, to: dx) }
        }
    }
}

/// For each output position along an axis, which input positions it takes and with which weight.
struct AxisWeights {
    struct Tap {
        var index: Int
        var weight: Float
    }

    var taps: [[Tap]]

    /// The most taps that an axis may have; real ones have thousands.
    static let limit = 1 << 25

    /// `source = floor(position · size / output)`, or by the reciprocal of the scale that the source gave.
    init(nearest size: Int, to output: Int, scale: Double?) {
        let step = Float(scale.map { 1 / $0 } ?? Double(Float(size) / Float(output)))
        taps = (0..<output).map { position in
            [Tap(index: min(AxisWeights.index(Float(position) * step), size - 1), weight: 1)]
        }
    }

    /// PyTorch's two conventions: corners of the images aligned, or corners of the corner pixels.
    init(linear size: Int, to output: Int, alignCorners: Bool, scale: Double?) {
        let step: Float =
            alignCorners
            ? (output > 1 ? Float(size - 1) / Float(output - 1) : 0)
            : Float(scale.map { 1 / $0 } ?? Double(Float(size) / Float(output)))
        taps = (0..<output).map { position in
            let source = alignCorners ? step * Float(position) : max(step * (Float(position) + 0.5) - 0.5, 0)
            let first = min(AxisWeights.index(source), size - 1)
            let fraction = min(max(source - Float(first), 0), 1)
            guard first < size - 1, fraction > 0 else { return [Tap(index: first, weight: 1)] }
            return [Tap(index: first, weight: 1 - fraction), Tap(index: first + 1, weight: fraction)]
        }
    }

    init(average size: Int, kernel: Int, stride: Int, padding: Int, ceilMode: Bool, countsPadding: Bool) {
        let shape = PoolingShape(
            batch: 1, height: size, width: 1, channels: 1, kernel: Extent(kernel, 1), stride: Extent(stride, 1),
            padding: Extent(padding, 0), ceilMode: ceilMode)
        taps = (0..<max(shape.outputHeight, 0)).map { position in
            let start = position * stride - padding
            let end = min(start + kernel, size + padding)
            let inside = max(start, 0)..<max(min(end, size), max(start, 0))
            let divisor = countsPadding ? end - start : inside.count
            return inside.map { Tap(index: $0, weight: 1 / Float(divisor)) }
        }
    }

    init(adaptive size: Int, to output: Int) {
        taps = (0..<output).map { position in
            let (start, end) = (position * size / output, ((position + 1) * size + output - 1) / output)
            return (start..<end).map { Tap(index: $0, weight: 1 / Float(end - start)) }
        }
    }

    private init(taps: [[Tap]]) {
        self.taps = taps
    }

    /// For each input position, which outputs it goes to.
    func transposed(_ size: Int) -> AxisWeights {
        var turned = [[Tap]](repeating: [], count: size)
        for (position, list) in taps.enumerated() {
            for tap in list { turned[tap.index].append(Tap(index: position, weight: tap.weight)) }
        }
        return AxisWeights(taps: turned)
    }

    private static func index(_ position: Float) -> Int {
        position.isFinite ? Int(min(max(position, 0), 1e9)) : 0
    }
}

/// Applies weights along rows and columns; every output pixel is gathered by one thread.
final class ResamplingKernel {
    private let rowStarts: [Int32]
    private let rowTaps: [AxisWeights.Tap]
    private let columnStarts: [Int32]
    private let columnTaps: [AxisWeights.Tap]
    private let batch: Int
    private let channels: Int
    private let inputHeight: Int
    private let inputWidth: Int

    init(rows: AxisWeights, columns: AxisWeights, batch: Int, channels: Int, inputs: (Int, Int)) {
        func starts(_ weights: AxisWeights) -> [Int32] {
            weights.taps.reduce(into: [0]) { $0.append(($0.last ?? 0) + Int32($1.count)) }
        }
        (rowStarts, rowTaps) = (starts(rows), rows.taps.flatMap { $0 })
        (columnStarts, columnTaps) = (starts(columns), columns.taps.flatMap { $0 })
        self.batch = batch
        self.channels = channels
        (inputHeight, inputWidth) = inputs
    }

    func run(_ x: Pixels, into y: Pixels, adds: Bool, _ pool: ThreadPool) {
        let (height, width) = (rowStarts.count - 1, columnStarts.count - 1)
        rowStarts.withUnsafeBufferPointer { rowStarts in
            rowTaps.withUnsafeBufferPointer { rowTaps in
                columnStarts.withUnsafeBufferPointer { columnStarts in
                    columnTaps.withUnsafeBufferPointer { columnTaps in
                        pool.parallel(batch * height) { line in
                            let (n, row) = (line / height, line % height)
                            let source = x.base + n * inputHeight * inputWidth * x.stride
                            let rows = rowTaps[Int(rowStarts[row])..<Int(rowStarts[row + 1])]
                            for column in 0..<width {
                                let columns = columnTaps[Int(columnStarts[column])..<Int(columnStarts[column + 1])]
                                let target = y.base + (line * width + column) * y.stride
                                if !adds { target.update(repeating: 0, count: channels) }
                                for r in rows {
                                    let start = source + r.index * inputWidth * x.stride
                                    for c in columns {
                                        let (pixel, weight) = (start + c.index * x.stride, r.weight * c.weight)
                                        for k in 0..<channels { target[k] += weight * pixel[k] }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
