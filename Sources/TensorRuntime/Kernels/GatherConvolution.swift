/// Direct convolution by register-blocked products over rows of pixels: any stride, padding, dilation, groups, either direction.
///
/// For each row of outputs, the input rows that it needs, of all its slices, are copied with their zero padding into a buffer (a few per cent of the
/// work), so that the taps of a row are neighbours in memory and the product runs through them without a test.
struct GatherConvolution: Sendable {
    let batch: Int
    let input: Extent
    let output: Extent
    let inputChannels: Int
    let outputChannels: Int
    let groups: Int
    let inStep: Extent
    let outStep: Extent
    let inputSlices: Int
    let outputSlices: Int
    let inSliceStep: Int
    let outSliceStep: Int
    let slices: [AxisPhase]
    let rows: [AxisPhase]
    let columns: [AxisPhase]
    let taps: TapGeometry
    let scatters: Bool
    private let bufferFloats: Int

    /// Input channels and output channels of one group.
    var depth: Int { inputChannels / groups }
    var breadth: Int { outputChannels / groups }
    var paddedBreadth: Int { padded(breadth) }

    init(_ taps: TapGeometry, scatters: Bool) {
        let (k, s, p, d) = (taps.kernel, taps.stride, taps.padding, taps.dilation)
        let axis = taps.slices
        batch = taps.batch
        groups = taps.groups
        self.taps = taps
        self.scatters = scatters
        if scatters {
            (input, output) = (taps.small, taps.big)
            (inputChannels, outputChannels) = (taps.smallChannels, taps.bigChannels)
            (inStep, outStep) = (Extent(1), s)
            (inputSlices, outputSlices, inSliceStep, outSliceStep) = (taps.smallSlices, taps.bigSlices, 1, axis.stride)
            slices = AxisPhase.scatter(
                big: outputSlices, kernel: axis.kernel, stride: axis.stride, padding: axis.padding,
                dilation: axis.dilation)
            rows = AxisPhase.scatter(
                big: output.height, kernel: k.height, stride: s.height, padding: p.height, dilation: d.height)
            columns = AxisPhase.scatter(
                big: output.width, kernel: k.width, stride: s.width, padding: p.width, dilation: d.width)
        } else {
            (input, output) = (taps.big, taps.small)
            (inputChannels, outputChannels) = (taps.bigChannels, taps.smallChannels)
            (inStep, outStep) = (s, Extent(1))
            (inputSlices, outputSlices, inSliceStep, outSliceStep) = (taps.bigSlices, taps.smallSlices, axis.stride, 1)
            slices = AxisPhase.correlate(
                small: outputSlices, kernel: axis.kernel, stride: axis.stride, padding: axis.padding,
                dilation: axis.dilation)
            rows = AxisPhase.correlate(
                small: output.height, kernel: k.height, stride: s.height, padding: p.height, dilation: d.height)
            columns = AxisPhase.correlate(
                small: output.width, kernel: k.width, stride: s.width, padding: p.width, dilation: d.width)
        }
        bufferFloats = Self.bufferFloats(
            slices: slices, rows: rows, columns: columns, inStep: inStep.width, depth: inputChannels / groups)
    }

    /// Whether each output pixel of a phase reads one input pixel, at its own place: then rows and images follow each other.
    var isPointwise: Bool {
        groups == 1 && inStep == Extent(1) && inSliceStep == 1
            && slices.allSatisfy { $0.offsets == [0] && $0.count == inputSlices }
            && rows.allSatisfy { $0.offsets == [0] && $0.count == input.height }
            && columns.allSatisfy { $0.offsets == [0] && $0.count == input.width }
    }

    var packedCount: Int {
        groups * depth * paddedBreadth * taps.area
    }

    /// Output positions r + q · stride along the three axes, and the taps that contribute to them.
    struct Phase {
        let slice: AxisPhase
        let row: AxisPhase
        let column: AxisPhase
        /// Where its packed weights begin.
        let start: Int

        var taps: Int { slice.taps.count * row.taps.count * column.taps.count }
    }

    /// Calls `body` for each phase in order.
    func forEachPhase(_ body: (Phase) -> Void) {
        var start = 0
        for slice in slices {
            for row in rows {
                for column in columns {
                    let phase = Phase(slice: slice, row: row, column: column, start: start)
                    body(phase)
                    start += groups * phase.taps * depth * paddedBreadth
                }
            }
        }
    }

    /// Packed as phase, group, panel, slice tap, row tap, column tap, input channel, lane.
    func pack(_ weights: UnsafePointer<Float>, into packed: UnsafeMutablePointer<Float>, pool: ThreadPool) {
        let panels = Panels(channels: breadth)
        forEachPhase { phase in
            let context = (kernel: self, phase: phase, weights: weights, packed: packed + phase.start, panels: panels)
            pool.parallel(groups * panels.count, with: context) { job, index, _ in
                let (group, panel) = index.quotientAndRemainder(dividingBy: job.panels.count)
                job.kernel.pack(job.weights, into: job.packed, job.phase, group, job.panels[panel])
            }
        }
    }

    private func pack(
        _ weights: UnsafePointer<Float>, into packed: UnsafeMutablePointer<Float>, _ phase: Phase, _ group: Int,
        _ panel: (channel: Int, vectors: Int)
    ) {
        let width = panel.vectors * lanes
        var target = packed + (group * paddedBreadth + panel.channel) * phase.taps * depth
        let area = taps.area
        for slice in phase.slice.taps {
            for row in phase.row.taps {
                for column in phase.column.taps {
                    let tap = (slice * taps.kernel.height + row) * taps.kernel.width + column
                    for c in 0..<depth {
                        for lane in 0..<width {
                            let k = panel.channel + lane
                            let index =
                                scatters
                                ? ((group * depth + c) * breadth + k) * area + tap
                                : ((group * breadth + k) * depth + c) * area + tap
                            target[lane] = k < breadth ? weights[index] : 0
                        }
                        target += width
                    }
                }
            }
        }
    }

    /// Pixels of one buffered input row, with room for blocks that hang over the end.
    private static func bufferWidth(_ column: AxisPhase, _ inStep: Int) -> Int {
        ((column.count + 11) / 12 * 12 - 1) * inStep + column.last - column.first + 1
    }

    /// Floats of the buffered input rows of one line of outputs.
    private static func bufferFloats(
        slices: [AxisPhase], rows: [AxisPhase], columns: [AxisPhase], inStep: Int, depth: Int
    ) -> Int {
        let widest = columns.map { bufferWidth($0, inStep) }.max() ?? 0
        let tallest = (slices.map(\.taps.count).max() ?? 0) * (rows.map(\.taps.count).max() ?? 0)
        return padded(widest * depth * tallest + lanes)
    }

    func workspaceFloats(threads: Int) -> Int {
        isPointwise ? 0 : threads * bufferFloats
    }

    func run(
        _ x: Pixels, packed: UnsafePointer<Float>, bias: UnsafePointer<Float>?, relu: Bool, into y: Pixels,
        workspace: UnsafeMutablePointer<Float>, pool: ThreadPool
    ) {
        let call = Call(x: x, packed: packed, bias: bias, relu: relu, y: y)
        if isPointwise { return runPointwise(call, pool: pool) }
        forEachPhase { phase in
            let (slices, rows) = (phase.slice.count, phase.row.count)
            let context = (kernel: self, phase: phase, call: call, workspace: workspace)
            pool.parallel(batch * slices * rows, with: context) { job, index, worker in
                let (slices, rows) = (job.phase.slice.count, job.phase.row.count)
                let (volume, rest) = index.quotientAndRemainder(dividingBy: slices * rows)
                job.kernel.runLine(
                    Line(volume: volume, slice: rest / rows, row: rest % rows), job.phase, job.call,
                    buffer: job.workspace + worker * job.kernel.bufferFloats)
            }
        }
    }

    /// One call's operands.
    struct Call {
        let x: Pixels
        let packed: UnsafePointer<Float>
        let bias: UnsafePointer<Float>?
        let relu: Bool
        let y: Pixels
    }

    /// One row of outputs of one phase.
    private struct Line {
        let volume: Int
        let slice: Int
        let row: Int
    }

    private func runLine(
        _ line: Line, _ phase: Phase, _ call: Call, buffer: UnsafeMutablePointer<Float>
    ) {
        let (row, column) = (phase.row, phase.column)
        let image = line.volume * outputSlices + phase.slice.origin + line.slice * outSliceStep
        let outputRow = (image * output.height + row.origin + line.row * outStep.height) * output.width
        let first = call.y.base + (outputRow + column.origin) * call.y.stride
        let length = column.isContiguous ? column.taps.count * depth : depth
        withUnsafeTemporaryAllocation(of: Run.self, capacity: max(1, phase.taps)) { storage in
            for group in 0..<groups {
                let valid = gather(line, phase, group, call.x, into: buffer, storage)
                let target = Target(
                    base: first + group * breadth, stride: outStep.width * call.y.stride, count: column.count,
                    bias: call.bias.map { $0 + group * breadth }, rectifies: call.relu)
                let weights = call.packed + (phase.start + group * paddedBreadth * phase.taps * depth)
                multiply(
                    UnsafeMutableBufferPointer(rebasing: storage[0..<valid]), length: length, a: buffer,
                    aStride: inStep.width * depth, packed: weights, taps: phase.taps, target)
            }
        }
    }

    /// Copies the input rows of a line that exist, and lists where the products of each begin; returns how many there are.
    private func gather(
        _ line: Line, _ phase: Phase, _ group: Int, _ x: Pixels, into buffer: UnsafeMutablePointer<Float>,
        _ runs: UnsafeMutableBufferPointer<Run>
    ) -> Int {
        let column = phase.column
        let width = Self.bufferWidth(column, inStep.width)
        let pieces = column.isContiguous ? min(1, column.taps.count) : column.taps.count
        var valid = 0
        for slice in phase.slice.offsets.indices {
            let sourceSlice = line.slice * inSliceStep + phase.slice.offsets[slice]
            guard sourceSlice >= 0, sourceSlice < inputSlices else { continue }
            let image = line.volume * inputSlices + sourceSlice
            for row in phase.row.offsets.indices {
                let source = line.row * inStep.height + phase.row.offsets[row]
                guard source >= 0, source < input.height else { continue }
                let index = slice * phase.row.offsets.count + row
                fill(
                    buffer + index * width * depth, width: width, from: column.first,
                    x.base + (image * input.height + source) * input.width * x.stride + group * depth,
                    stride: x.stride)
                for piece in 0..<pieces {
                    let pixel = column.isContiguous ? 0 : column.offsets[piece] - column.first
                    runs[valid] = Run(
                        a: (index * width + pixel) * depth, b: (index * column.taps.count + piece) * depth)
                    valid += 1
                }
            }
        }
        return valid
    }

    /// Copies one input row from position `start` on, zeros where it lies outside of the image.
    private func fill(
        _ buffer: UnsafeMutablePointer<Float>, width: Int, from start: Int, _ source: UnsafePointer<Float>, stride: Int
    ) {
        let left = min(width, max(0, -start))
        let end = min(width, max(left, input.width - start))
        buffer.update(repeating: 0, count: left * depth)
        if stride == depth {
            (buffer + left * depth).update(from: source + (start + left) * stride, count: (end - left) * depth)
        } else {
            copyPixels(
                source + (start + left) * stride, stride: stride, to: buffer + left * depth, stride: depth,
                pixels: end - left, channels: depth)
        }
        (buffer + end * depth).update(repeating: 0, count: (width - end) * depth)
    }

    /// Where a row of results goes.
    struct Target {
        var base: UnsafeMutablePointer<Float>
        var stride: Int
        var count: Int
        var bias: UnsafePointer<Float>?
        var rectifies: Bool
    }

    /// All panels of one row; rows of A may be read up to the next multiple of twelve.
    private func multiply(
        _ runs: UnsafeMutableBufferPointer<Run>, length: Int, a: UnsafePointer<Float>, aStride: Int,
        packed: UnsafePointer<Float>, taps: Int, _ target: Target
    ) {
        Panels(channels: breadth).walk { channel, vectors in
            let b = packed + channel * taps * depth
            let factor = vectors * lanes
            for index in runs.indices { runs[index].b *= factor }
            let block = RowBlock(
                runs: UnsafeBufferPointer(runs), length: length, a: a, aStride: aStride, b: b, channel: channel,
                channels: min(vectors * lanes, breadth - channel), target: target)
            switch vectors {
            case 1: block.run(Panel1.self)
            case 2: block.run(Panel2.self)
            case 3: block.run(Panel3.self)
            default: block.run(Panel4.self)
            }
            for index in runs.indices { runs[index].b /= factor }
        }
    }
}

/// One panel of one row of results: whole blocks go straight to memory, what hangs over goes by way of a small tile.
private struct RowBlock {
    let runs: UnsafeBufferPointer<Run>
    let length: Int
    let a: UnsafePointer<Float>
    let aStride: Int
    let b: UnsafePointer<Float>
    let channel: Int
    let channels: Int
    let target: GatherConvolution.Target

    func run<P: Panel>(_: P.Type) {
        let width = P.vectors * lanes
        withStackTile { tile in
            let bias = tile + 6 * 64
            for lane in 0..<width { bias[lane] = lane < channels ? target.bias?[channel + lane] ?? 0 : 0 }
            let epilogue = Epilogue(bias: bias, rectifies: target.rectifies)
            let step = MicroKernel<P>.rows
            var row = 0
            while row < target.count {
                let rows = min(step, target.count - row)
                let c = target.base + row * target.stride + channel
                let whole = rows == step && channels == width
                MicroKernel<P>.multiply(
                    runs, length: length, a: a + row * aStride, aStride: aStride, b: b, c: whole ? c : tile,
                    cStride: whole ? target.stride : width, epilogue)
                if !whole {
                    copyPixels(tile, stride: width, to: c, stride: target.stride, pixels: rows, channels: channels)
                }
                row += step
            }
        }
    }
}
