extension GatherConvolution {
    private static let segment = 240

    /// 1×1 convolutions and their relatives: a plain product of pixels by channels.
    func runPointwise(
        _ x: Pixels, packed: UnsafePointer<Float>, bias: UnsafePointer<Float>?, relu: Bool, into y: Pixels,
        pool: ThreadPool
    ) {
        let pixels = batch * inputSlices * input.height * input.width
        let segments = (pixels + Self.segment - 1) / Self.segment
        pool.parallel(segments) { index in
            let first = index * Self.segment
            let count = min(Self.segment, pixels - first)
            forEachPhase { phase in
                runSegment(first, count, phase, x, packed: packed + phase.start, bias: bias, relu: relu, into: y)
            }
        }
    }

    private func runSegment(
        _ first: Int, _ count: Int, _ phase: Phase, _ x: Pixels, packed: UnsafePointer<Float>,
        bias: UnsafePointer<Float>?, relu: Bool, into y: Pixels
    ) {
        Panels(channels: breadth).walk { channel, vectors in
            let segment = PointwiseSegment(
                geometry: self, first: first, count: count,
                origin: (phase.slice.origin, phase.row.origin, phase.column.origin), x: x, b: packed + channel * depth,
                bias: bias, relu: relu, y: y, channel: channel,
                channels: min(vectors * lanes, breadth - channel))
            switch vectors {
            case 1: segment.run(Panel1.self)
            case 2: segment.run(Panel2.self)
            case 3: segment.run(Panel3.self)
            default: segment.run(Panel4.self)
            }
        }
    }
}

private struct PointwiseSegment {
    let geometry: GatherConvolution
    let first: Int
    let count: Int
    let origin: (slice: Int, row: Int, column: Int)
    let x: Pixels
    let b: UnsafePointer<Float>
    let bias: UnsafePointer<Float>?
    let relu: Bool
    let y: Pixels
    let channel: Int
    let channels: Int

    /// The output pixel of an input pixel.
    @inline(__always)
    private func place(_ pixel: Int) -> Int {
        if isDense { return pixel }
        let (line, column) = pixel.quotientAndRemainder(dividingBy: geometry.input.width)
        let (image, row) = line.quotientAndRemainder(dividingBy: geometry.input.height)
        let (volume, slice) = image.quotientAndRemainder(dividingBy: geometry.inputSlices)
        let z = volume * geometry.outputSlices + origin.slice + slice * geometry.outSliceStep
        let y = z * geometry.output.height + origin.row + row * geometry.outStep.height
        return y * geometry.output.width + origin.column + column * geometry.outStep.width
    }

    /// Whether outputs follow each other as inputs do.
    private var isDense: Bool { geometry.outStep == Extent(1) && geometry.outSliceStep == 1 }

    func run<P: Panel>(_: P.Type) {
        let width = P.vectors * lanes
        withStackTile { tile in
            let start = tile + 6 * 64
            for lane in 0..<width { start[lane] = lane < channels ? bias?[channel + lane] ?? 0 : 0 }
            let epilogue = Epilogue(bias: start, rectifies: relu)
            let straight = channels == width && isDense
            let step = MicroKernel<P>.rows
            withUnsafeTemporaryAllocation(of: Run.self, capacity: 1) { one in
                one[0] = Run(a: 0, b: 0)
                let runs = UnsafeBufferPointer(one)
                var row = 0
                while row < count {
                    let rows = min(step, count - row)
                    let a = x.base + (first + row) * x.stride
                    let whole = rows == step && straight
                    let c = whole ? y.base + (first + row) * y.stride + channel : tile
                    if rows == step {
                        MicroKernel<P>.multiply(
                            runs, length: geometry.depth, a: a, aStride: x.stride, b: b, c: c,
                            cStride: whole ? y.stride : width, epilogue)
                    } else {
                        for r in 0..<rows {
                            MicroKernel<P>.one(
                                runs, length: geometry.depth, a: a + r * x.stride, b: b, c: c + r * width, epilogue)
                        }
                    }
                    if !whole { copy(tile, row: row, rows: rows, width: width) }
                    row += step
                }
            }
        }
    }

    private func copy(_ tile: UnsafePointer<Float>, row: Int, rows: Int, width: Int) {
        for r in 0..<rows {
            let target = y.base + place(first + row + r) * y.stride + channel
            target.update(from: tile + r * width, count: channels)
        }
    }
}
