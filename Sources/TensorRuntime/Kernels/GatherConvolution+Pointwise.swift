/// Pixels of a segment at most.
private let longestSegment = 240

extension GatherConvolution {
    /// 1×1 convolutions and their relatives: a plain product of pixels by channels.
    func runPointwise(_ call: Call, pool: ThreadPool) {
        let pixels = batch * inputSlices * input.height * input.width
        guard pixels > 0 else { return }
        // As many segments as give every thread the same number of them, and whole products of twelve pixels but the last.
        let least = (pixels + longestSegment - 1) / longestSegment
        let segments = (least + pool.threadCount - 1) / pool.threadCount * pool.threadCount
        let segment = ((pixels + segments - 1) / segments + 11) / 12 * 12
        let cut = (pixels: pixels, segment: segment)
        pool.parallel((pixels + segment - 1) / segment, with: (kernel: self, call: call, cut: cut)) { job, index, _ in
            let first = index * job.cut.segment
            let count = min(job.cut.segment, job.cut.pixels - first)
            job.kernel.forEachPhase { phase in job.kernel.runSegment(first, count, phase, job.call) }
        }
    }

    private func runSegment(_ first: Int, _ count: Int, _ phase: Phase, _ call: Call) {
        let packed = call.packed + phase.start
        Panels(channels: breadth).walk { channel, vectors in
            let segment = PointwiseSegment(
                geometry: self, first: first, count: count,
                origin: (phase.slice.origin, phase.row.origin, phase.column.origin), x: call.x,
                b: packed + channel * depth, bias: call.bias, relu: call.relu, y: call.y, channel: channel,
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

    /// Where an input pixel is, and where its output goes.
    private struct Place {
        /// The row of the input, counted through all volumes and slices, the column in it, and the output pixel of its column 0.
        var line: Int
        var column: Int
        var output: Int
    }

    private func place(line: Int, column: Int) -> Place {
        let (image, row) = line.quotientAndRemainder(dividingBy: geometry.input.height)
        let (volume, slice) = image.quotientAndRemainder(dividingBy: geometry.inputSlices)
        let z = volume * geometry.outputSlices + origin.slice + slice * geometry.outSliceStep
        let y = z * geometry.output.height + origin.row + row * geometry.outStep.height
        return Place(line: line, column: column, output: y * geometry.output.width + origin.column)
    }

    /// The output pixel of a place.
    @inline(__always)
    private func output(_ place: Place) -> Int { place.output &+ place.column &* geometry.outStep.width }

    @inline(__always)
    private func advance(_ place: inout Place, by count: Int) {
        place.column &+= count
        while place.column >= geometry.input.width {
            place = self.place(line: place.line &+ 1, column: place.column &- geometry.input.width)
        }
    }

    /// Whether outputs follow each other as inputs do.
    private var isDense: Bool { geometry.outStep == Extent(1) && geometry.outSliceStep == 1 }

    func run<P: Panel>(_: P.Type) {
        let width = P.vectors * lanes
        withStackTile { tile in
            let start = tile + 6 * 64
            for lane in 0..<width { start[lane] = lane < channels ? bias?[channel + lane] ?? 0 : 0 }
            let epilogue = Epilogue(bias: start, rectifies: relu)
            let isWhole = channels == width
            let step = MicroKernel<P>.rows
            let outputStep = (isDense ? 1 : geometry.outStep.width) * y.stride
            withUnsafeTemporaryAllocation(of: Run.self, capacity: 1) { one in
                one[0] = Run(a: 0, b: 0)
                let runs = UnsafeBufferPointer(one)
                let (line, column) = first.quotientAndRemainder(dividingBy: geometry.input.width)
                var place = place(line: line, column: column)
                var row = 0
                while row < count {
                    let rows = min(step, count - row)
                    let a = x.base + (first + row) * x.stride
                    // Outputs of pixels that follow each other lie a fixed distance apart, in all of the image or in their row.
                    let isEven = isDense || place.column + rows <= geometry.input.width
                    let straight = isWhole && isEven && rows == step
                    let c = straight ? y.base + output(place) * y.stride + channel : tile
                    if rows == step {
                        MicroKernel<P>.multiply(
                            runs, length: geometry.depth, a: a, aStride: x.stride, b: b, c: c,
                            cStride: straight ? outputStep : width, epilogue)
                    } else {
                        for r in 0..<rows {
                            MicroKernel<P>.one(
                                runs, length: geometry.depth, a: a + r * x.stride, b: b, c: c + r * width, epilogue)
                        }
                    }
                    if !straight { copy(tile, place, rows: rows, width: width, isEven ? outputStep : nil) }
                    row += step
                    if row < count { advance(&place, by: step) }
                }
            }
        }
    }

    /// Copies the results of some pixels from a place on to where they belong, `step` floats apart or row by row.
    private func copy(
        _ tile: UnsafePointer<Float>, _ place: Place, rows: Int, width: Int, _ step: Int?
    ) {
        if let step {
            copyPixels(
                tile, stride: width, to: y.base + output(place) * y.stride + channel, stride: step, pixels: rows,
                channels: channels)
            return
        }
        var place = place
        for r in 0..<rows {
            copyPixels(
                tile + r * width, stride: width, to: y.base + output(place) * y.stride + channel, stride: 0, pixels: 1,
                channels: channels)
            if r + 1 < rows { advance(&place, by: 1) }
        }
    }
}
