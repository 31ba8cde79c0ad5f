/// How each output position along one of the spatial axes is made of input positions.
protocol AxisRule: Sendable {
    /// `axis` counts the spatial axes from 0. Throws `ShapeFault` when the rule does not fit the size.
    func weights(_ size: Int, axis: Int) throws -> AxisWeights
}

/// Linear resampling along the last one to three axes: each output position is a weighted sum of input positions, independently
/// along each axis.
///
/// Average pooling, adaptive average pooling, interpolation and the padding modes are all of this kind and differ in their `AxisRule`.
/// Operands are N C … or C …. Cost: the product of the weights an axis for each output element.
struct Resampling: Operation {
    /// The number of spatial axes.
    var axes: Int
    var rule: any AxisRule
    /// Whether the axis of the batch may be absent.
    var allowsSingle = true

    func shape(_ inputs: [[Int]?]) throws -> [Int] {
        let x = inputs[0] ?? []
        guard x.count == axes + 2 || allowsSingle && x.count == axes + 1 else {
            throw ShapeFault("shape \(x) is not N C and \(axes) spatial \(axes == 1 ? "axis" : "axes")")
        }
        var result = x
        for (position, weights) in try tables(x).enumerated() { result[x.count - axes + position] = weights.taps.count }
        return result
    }

    private func tables(_ x: [Int]) throws -> [AxisWeights] {
        try (0..<axes).map { try rule.weights(x[x.count - axes + $0], axis: $0) }
    }

    func forward(_ builder: ProgramBuilder, _ node: PlanNode) {
        guard let tables = try? tables(builder.shape(node.input(0))) else { return }
        let x = builder.pixels(builder.view(node.input(0)).volume(axes))
        let y = builder.output(node)
        let kernel = ResamplingKernel(tables, input: x.view.shape)
        builder.writeVolume(y.volume(axes)) { target, stride in
            builder.emit([x.view, target], result: y) { memory, pool in
                kernel.run(
                    memory.pixels(x.view, stride: x.stride), into: memory.pixels(target, stride: stride), adds: false,
                    pool)
            }
        }
    }

    func backward(_ builder: ProgramBuilder, _ node: PlanNode, _ gradient: GradientSlot) {
        let input = builder.shape(node.input(0))
        guard let tables = try? tables(input) else { return }
        let turned = zip(tables, input.suffix(axes)).map { $0.transposed($1) }
        let dy = builder.pixels(gradient.view.volume(axes))
        let kernel = ResamplingKernel(turned, input: dy.view.shape)
        builder.accumulate(node.input(0)) { dx, adds in
            let whole = dx.volume(axes)
            let target = whole.pixelStride == nil ? builder.temporary(whole.shape) : whole
            let (stride, isDirect) = (target.pixelStride ?? whole.shape[1], target == whole)
            builder.emit([dy.view, target], result: target) { memory, pool in
                kernel.run(
                    memory.pixels(dy.view, stride: dy.stride), into: memory.pixels(target, stride: stride),
                    adds: adds && isDirect, pool)
            }
            if !isDirect { adds ? builder.add(target, to: whole) : builder.copy(target, to: whole) }
        }
    }
}

extension View {
    /// N C … or C … with up to three spatial axes as N C D H W.
    func volume(_ axes: Int) -> View {
        var view = self
        view.shape.insert(contentsOf: [Int](repeating: 1, count: 3 - axes), at: rank - axes)
        view.strides.insert(contentsOf: [Int](repeating: 1, count: 3 - axes), at: rank - axes)
        if view.rank == 4 {
            view.shape.insert(1, at: 0)
            view.strides.insert(1, at: 0)
        }
        return view
    }
}

extension ProgramBuilder {
    /// Lets a kernel that writes channels-last pixels write a view of any layout.
    func writeVolume(_ view: View, _ emit: (_ target: View, _ stride: Int) -> Void) {
        let target = view.pixelStride == nil ? temporary(view.shape) : view
        emit(target, target.pixelStride ?? view.shape[1])
        copy(target, to: view)
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

    /// For each input position, which outputs it goes to.
    func transposed(_ size: Int) -> AxisWeights {
        var turned = [[Tap]](repeating: [], count: size)
        for (position, list) in taps.enumerated() {
            for tap in list { turned[tap.index].append(Tap(index: position, weight: tap.weight)) }
        }
        return AxisWeights(taps: turned)
    }
}

/// The taps of an axis one after the other, for kernels.
final class AxisTable: @unchecked Sendable {
    let count: Int
    private let starts: UnsafeMutablePointer<Int>
    private let taps: UnsafeMutablePointer<AxisWeights.Tap>

    init(_ weights: AxisWeights) {
        count = weights.taps.count
        starts = .allocate(capacity: count + 1)
        taps = .allocate(capacity: max(weights.taps.reduce(0) { $0 + $1.count }, 1))
        var next = 0
        starts.initialize(to: 0)
        for (position, list) in weights.taps.enumerated() {
            for tap in list {
                (taps + next).initialize(to: tap)
                next += 1
            }
            (starts + position + 1).initialize(to: next)
        }
    }

    deinit {
        starts.deallocate()
        taps.deallocate()
    }

    @inline(__always)
    subscript(_ position: Int) -> UnsafeBufferPointer<AxisWeights.Tap> {
        UnsafeBufferPointer(start: taps + starts[position], count: starts[position + 1] - starts[position])
    }
}

/// Applies weights along depth, height and width of N D H W C; every output pixel is gathered by one thread.
final class ResamplingKernel {
    private let planes: AxisTable
    private let rows: AxisTable
    private let columns: AxisTable
    private let batch: Int
    private let channels: Int
    private let size: (depth: Int, height: Int, width: Int)

    /// `tables` are those of the last axes; `input` is N C D H W.
    init(_ tables: [AxisWeights], input: [Int]) {
        let single = AxisWeights(taps: [[AxisWeights.Tap(index: 0, weight: 1)]])
        let all = [AxisWeights](repeating: single, count: 3 - tables.count) + tables
        (planes, rows, columns) = (AxisTable(all[0]), AxisTable(all[1]), AxisTable(all[2]))
        (batch, channels) = (input[0], input[1])
        size = (input[2], input[3], input[4])
    }

    func run(_ x: Pixels, into y: Pixels, adds: Bool, _ pool: ThreadPool) {
        pool.parallel(batch * planes.count * rows.count, with: (self, x, y, adds)) { job, line, _ in
            job.0.run(line, job.1, into: job.2, adds: job.3)
        }
    }

    /// One line of outputs, counted through all planes of the batch.
    private func run(_ line: Int, _ x: Pixels, into y: Pixels, adds: Bool) {
        let (depth, height, width) = (planes.count, rows.count, columns.count)
        let (plane, row) = line.quotientAndRemainder(dividingBy: height)
        let source = x.base + plane / depth * size.depth * size.height * size.width * x.stride
        for column in 0..<width {
            let target = y.base + (line * width + column) * y.stride
            if !adds { target.update(repeating: 0, count: channels) }
            for p in planes[plane % depth] {
                for r in rows[row] {
                    let start = source + (p.index * size.height + r.index) * size.width * x.stride
                    for c in columns[column] {
                        let (pixel, weight) = (start + c.index * x.stride, p.weight * r.weight * c.weight)
                        for k in 0..<channels { target[k] += weight * pixel[k] }
                    }
                }
            }
        }
    }
}
