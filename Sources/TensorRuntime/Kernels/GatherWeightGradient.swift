/// The weight gradient of any convolution as products of buffered input rows with rows of output gradients.
///
/// dw[k][c][t] = Σ big[q · stride + t · dilation - padding][c] · small[q][k] over all images and small pixels q, for the taps t
/// of slices, rows and columns. Where they divide evenly, each thread takes some of the taps of slices and rows, whose sums are its
/// own. Otherwise the rows of all images are cut into one range a thread; each range has its own sums, which are added in order at
/// the end: of many channels they are more to write and read than a small image is to multiply.
struct GatherWeightGradient: Sendable {
    let taps: TapGeometry

    var depth: Int { taps.bigChannels / taps.groups }
    var breadth: Int { taps.smallChannels / taps.groups }
    var paddedBreadth: Int { padded(breadth) }

    init(_ taps: TapGeometry) {
        self.taps = taps
    }

    /// Columns of A that one product covers: the taps of a row, when they are neighbours, times the channels.
    private var mergesColumns: Bool { taps.dilation.width == 1 }

    private var runLength: Int { mergesColumns ? taps.kernel.width * depth : depth }

    private var runs: Int { mergesColumns ? 1 : taps.kernel.width }

    /// Taps along slices and rows.
    private var rowTaps: Int { taps.slices.kernel * taps.kernel.height }

    /// Sums of one range: group, slice and row tap, run, column of A (padded to eight), output channel (padded).
    private var paddedRun: Int { (runLength + 7) / 8 * 8 }

    private var sumFloats: Int {
        taps.groups * rowTaps * runs * paddedRun * paddedBreadth
    }

    /// Whether the pixels that a row of the small image meets do not overlap those of the next: then the rows of several lines,
    /// one behind the other, are one long row.
    private var joinsLines: Bool { (taps.kernel.width - 1) * taps.dilation.width + 1 <= taps.stride.width }

    private var bufferWidth: Int {
        joinsLines
            ? taps.small.width * taps.stride.width
            : (taps.small.width - 1) * taps.stride.width + (taps.kernel.width - 1) * taps.dilation.width + 1
    }

    /// Lines of one product: sums of many channels are larger than the cache, and short products would do little else than read
    /// and write them.
    private var lines: Int {
        guard joinsLines else { return 1 }
        return max(1, min(256 / taps.small.width, (256 << 10) / (4 * bufferWidth * depth)))
    }

    /// The buffered rows of the big image (with room to read over their end).
    private var bigFloats: Int { padded(lines * bufferWidth * depth + 32) }

    /// Those of both images.
    private var bufferFloats: Int { bigFloats + lines * taps.small.width * paddedBreadth }

    func workspaceFloats(threads: Int) -> Int {
        threads * (sumFloats + bufferFloats)
    }

    /// Whether this is a segmentation head: single pixels to a few channels. A vector of sums then runs along the input channels.
    private var isHead: Bool {
        taps.area == 1 && taps.groups == 1 && taps.smallChannels <= 4 && taps.bigChannels >= lanes
            && taps.stride == Extent(1) && taps.padding == Extent(0) && taps.slices.stride == 1
            && taps.slices.padding == 0 && taps.big == taps.small && taps.bigSlices == taps.smallSlices
    }

    func run(
        big: Pixels, small: Pixels, into dw: UnsafeMutablePointer<Float>, workspace: UnsafeMutablePointer<Float>,
        pool: ThreadPool
    ) {
        if isHead { return runHead(big, small, dw, workspace, pool) }
        let pieces = pool.threadCount
        let count = taps.batch * taps.smallSlices * taps.small.height
        let call = Call(big: big, small: small, workspace: workspace, count: count, pieces: pieces)
        let byTaps = dividesTaps(pieces)
        pool.parallel(pieces, with: (kernel: self, call: call, byTaps: byTaps)) { job, piece, _ in
            job.byTaps ? job.kernel.accumulateTaps(job.call, piece) : job.kernel.accumulateLines(job.call, piece)
        }
        let blocks = taps.groups * (paddedBreadth / lanes)
        let summands = byTaps ? 1 : pieces
        pool.parallel(blocks, with: (kernel: self, call: call, dw: dw, summands: summands)) { job, block, _ in
            job.kernel.collect(block, pieces: job.summands, job.call.workspace, into: job.dw)
        }
    }

    /// One call's operands, scratch memory, and into how many pieces its lines, or pixels, are cut.
    private struct Call {
        let big: Pixels
        let small: Pixels
        let workspace: UnsafeMutablePointer<Float>
        let count: Int
        let pieces: Int

        func range(_ piece: Int, of count: Int) -> Range<Int> {
            ThreadPool.range(piece, of: pieces, count: count, grain: 1)
        }
    }

    /// Whether threads can share the taps of slices and rows evenly. Without padding all of them meet as many rows.
    private func dividesTaps(_ threads: Int) -> Bool {
        threads > 1 && taps.groups * rowTaps % threads == 0 && taps.padding.height == 0 && taps.slices.padding == 0
    }

    /// The sums of some taps over all lines.
    private func accumulateTaps(_ call: Call, _ piece: Int) {
        let units = call.range(piece, of: taps.groups * rowTaps)
        let unit = sumFloats / (taps.groups * rowTaps)
        (call.workspace + units.lowerBound * unit).update(repeating: 0, count: units.count * unit)
        let buffer = call.workspace + piece * (sumFloats + bufferFloats) + sumFloats
        accumulate(call, 0..<call.count, units, call.workspace, buffer: buffer)
    }

    /// The sums of all taps over some lines.
    private func accumulateLines(_ call: Call, _ piece: Int) {
        let sums = call.workspace + piece * (sumFloats + bufferFloats)
        sums.update(repeating: 0, count: sumFloats)
        accumulate(
            call, call.range(piece, of: call.count), 0..<taps.groups * rowTaps, sums, buffer: sums + sumFloats)
    }

    /// Adds the products of some lines for some taps, counted through the groups.
    private func accumulate(
        _ call: Call, _ range: Range<Int>, _ units: Range<Int>, _ sums: UnsafeMutablePointer<Float>,
        buffer: UnsafeMutablePointer<Float>
    ) {
        for first in stride(from: range.lowerBound, to: range.upperBound, by: lines) {
            let block = first..<min(first + lines, range.upperBound)
            accumulate(block, units, call.big, call.small, sums, buffer: buffer)
        }
    }

    /// dw[k][c] = Σ big[p][c] · small[p][k], in chunks that keep rounding errors small; sums of a range: k, c (padded).
    private func runHead(
        _ big: Pixels, _ small: Pixels, _ dw: UnsafeMutablePointer<Float>, _ workspace: UnsafeMutablePointer<Float>,
        _ pool: ThreadPool
    ) {
        let (pieces, width) = (pool.threadCount, padded(depth))
        let pixels = taps.batch * taps.smallSlices * taps.small.height * taps.small.width
        let call = Call(big: big, small: small, workspace: workspace, count: pixels, pieces: pieces)
        pool.parallel(pieces, with: (kernel: self, call: call)) { job, piece, _ in
            job.kernel.accumulateHead(job.call, piece)
        }
        for k in 0..<breadth {
            for c in 0..<depth {
                var sum: Float = 0
                for piece in 0..<pieces { sum += workspace[piece * sumFloats + k * width + c] }
                dw[k * depth + c] = sum
            }
        }
    }

    /// The sums of a piece of a segmentation head.
    private func accumulateHead(_ call: Call, _ piece: Int) {
        let (big, small, width) = (call.big, call.small, padded(depth))
        let sums = call.workspace + piece * sumFloats
        sums.update(repeating: 0, count: breadth * width)
        for chunk in ChannelSums.chunks(call.range(piece, of: call.count)) {
            for k in 0..<breadth {
                for channel in stride(from: 0, to: depth, by: lanes) {
                    var sum = Vector()
                    for pixel in chunk {
                        let value = load(big.base + (pixel &* big.stride &+ channel), upTo: depth &- channel)
                        sum = multiplyAdd(sum, value, Vector(repeating: small.base[pixel &* small.stride &+ k]))
                    }
                    store(load(sums + k * width + channel) + sum, sums + k * width + channel)
                }
            }
        }
    }

    /// Adds the products of some rows of the small image.
    private func accumulate(
        _ block: Range<Int>, _ units: Range<Int>, _ big: Pixels, _ small: Pixels, _ sums: UnsafeMutablePointer<Float>,
        buffer: UnsafeMutablePointer<Float>
    ) {
        let pixels = block.count * taps.small.width
        for group in units.lowerBound / rowTaps..<(units.upperBound + rowTaps - 1) / rowTaps {
            let own = max(0, units.lowerBound - group * rowTaps)..<min(rowTaps, units.upperBound - group * rowTaps)
            let smallRow = small.base + block.lowerBound * taps.small.width * small.stride + group * breadth
            let isWhole = breadth % lanes == 0
            let copy = buffer + bigFloats
            if !isWhole { copyRow(smallRow, small.stride, pixels, into: copy) }
            for i in own where gather(block, i, big, group, into: buffer) {
                for run in 0..<runs {
                    let target = sums + ((group * rowTaps + i) * runs + run) * paddedRun * paddedBreadth
                    multiply(
                        a: buffer + run * taps.dilation.width * depth, b: isWhole ? smallRow : copy,
                        bStride: isWhole ? small.stride : paddedBreadth, pixels, into: target)
                }
            }
        }
    }

    /// Copies the rows of the big image that a tap of slices and rows needs for some lines; false when none of them exists.
    private func gather(
        _ block: Range<Int>, _ tap: Int, _ big: Pixels, _ group: Int, into buffer: UnsafeMutablePointer<Float>
    ) -> Bool {
        let (sliceTap, rowTap) = tap.quotientAndRemainder(dividingBy: taps.kernel.height)
        var exists = false
        for line in block {
            let (image, q) = line.quotientAndRemainder(dividingBy: taps.small.height)
            let (volume, slice) = image.quotientAndRemainder(dividingBy: taps.smallSlices)
            let plane = slice * taps.slices.stride + sliceTap * taps.slices.dilation - taps.slices.padding
            let source = q * taps.stride.height + rowTap * taps.dilation.height - taps.padding.height
            let row = buffer + (line - block.lowerBound) * bufferWidth * depth
            if plane >= 0, plane < taps.bigSlices, source >= 0, source < taps.big.height {
                let bigRow = ((volume * taps.bigSlices + plane) * taps.big.height + source) * taps.big.width
                fill(row, big.base + bigRow * big.stride + group * depth, stride: big.stride)
                exists = true
            } else {
                row.update(repeating: 0, count: bufferWidth * depth)
            }
        }
        // Products read whole vectors, up to this much over the end.
        (buffer + block.count * bufferWidth * depth).update(repeating: 0, count: 32)
        return exists
    }

    /// Copies pixels of the small image, filled up with zeros to whole vectors.
    private func copyRow(
        _ source: UnsafePointer<Float>, _ stride: Int, _ pixels: Int, into copy: UnsafeMutablePointer<Float>
    ) {
        for pixel in 0..<pixels {
            var channel = 0
            while channel < breadth {
                store(
                    load(source + (pixel &* stride &+ channel), upTo: breadth &- channel),
                    copy + (pixel &* paddedBreadth &+ channel))
                channel &+= lanes
            }
        }
    }

    private func fill(_ buffer: UnsafeMutablePointer<Float>, _ source: UnsafePointer<Float>, stride: Int) {
        let start = -taps.padding.width
        let left = min(bufferWidth, max(0, -start))
        let end = min(bufferWidth, max(left, taps.big.width - start))
        buffer.update(repeating: 0, count: left * depth)
        if stride == depth {
            (buffer + left * depth).update(from: source + (start + left) * stride, count: (end - left) * depth)
        } else {
            copyPixels(
                source + (start + left) * stride, stride: stride, to: buffer + left * depth, stride: depth,
                pixels: end - left, channels: depth)
        }
        (buffer + end * depth).update(repeating: 0, count: (bufferWidth - end) * depth)
    }

    private func multiply(
        a: UnsafePointer<Float>, b: UnsafePointer<Float>, bStride: Int, _ pixels: Int,
        into sums: UnsafeMutablePointer<Float>
    ) {
        Panels(channels: breadth).walk { channel, vectors in
            switch vectors {
            case 1: multiply(Panel1.self, a, b + channel, bStride, pixels, sums + channel)
            case 2: multiply(Panel2.self, a, b + channel, bStride, pixels, sums + channel)
            case 3: multiply(Panel3.self, a, b + channel, bStride, pixels, sums + channel)
            default: multiply(Panel4.self, a, b + channel, bStride, pixels, sums + channel)
            }
        }
    }

    private func multiply<P: Panel>(
        _: P.Type, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ bStride: Int, _ pixels: Int,
        _ sums: UnsafeMutablePointer<Float>
    ) {
        var row = 0
        while row < runLength {
            MicroKernel<P>.multiplyTransposed(
                depth: pixels, a: a + row, aStride: taps.stride.width * depth, b: b, bStride: bStride,
                c: sums + row * paddedBreadth, cStride: paddedBreadth, accumulates: true)
            row += MicroKernel<P>.columns
        }
    }

    /// Adds up the ranges for sixteen output channels and writes them in PyTorch's order.
    private func collect(
        _ block: Int, pieces: Int, _ workspace: UnsafePointer<Float>, into dw: UnsafeMutablePointer<Float>
    ) {
        let (group, vector) = block.quotientAndRemainder(dividingBy: paddedBreadth / lanes)
        let first = vector * lanes
        let count = min(lanes, breadth - first)
        for c in 0..<depth {
            for i in 0..<rowTaps {
                for j in 0..<taps.kernel.width {
                    let row = mergesColumns ? j * depth + c : j * paddedRun + c
                    let base = ((group * rowTaps + i) * runs * paddedRun + row) * paddedBreadth + first
                    var sum = load(workspace + base)
                    for piece in 1..<max(1, pieces) where pieces > 1 {
                        sum += load(workspace + piece * (sumFloats + bufferFloats) + base)
                    }
                    for lane in 0..<count {
                        let k = group * breadth + first + lane
                        dw[(k * depth + c) * taps.area + i * taps.kernel.width + j] = sum[lane]
                    }
                }
            }
        }
    }
}
