/// A convolution of stride one whose taps within a slice are 3×3 by F(4×4, 3×3), in either direction.
///
/// Along the slices of a volume the convolution stays direct: a slice is transformed once, and the products of its tiles with
/// the weights of all slice taps are summed before the transform back. A block is therefore a column of tiles through some
/// slices, and the taps of an output slice lie a fixed distance apart in it.
///
/// Blocks of tiles are transformed, multiplied and transformed back by one thread without leaving its cache, as long as the
/// transformed weights are small beside it (Jia et al. 2018, "Optimizing N-dimensional, Winograd-based convolution for manycore
/// CPUs"). With many channels the weights weigh more than the images: then all threads transform a chunk of tiles together, each
/// multiplies its own points, and the weights are read once.
struct WinogradConvolution: Sendable {
    let grid: TileGrid
    let input: Extent
    let padding: Extent
    let depth: Int
    let breadth: Int
    let scatters: Bool
    /// Along the slices: how many go in and come out, taps, their distance, and the padding before the first.
    let inputSlices: Int
    let outputSlices: Int
    let sliceTaps: Int
    let sliceDilation: Int
    let slicePadding: Int
    /// Tiles of a slice and output slices that are worked on together, and whether by all threads.
    let chunk: Int
    let chunkSlices: Int
    let isShared: Bool

    /// Input slices of a block beyond its output slices.
    private var halo: Int { (sliceTaps - 1) * sliceDilation }

    var paddedDepth: Int { padded(depth) }
    var paddedBreadth: Int { padded(breadth) }

    init(_ taps: TapGeometry, scatters: Bool, threads: Int) {
        self.scatters = scatters
        input = scatters ? taps.small : taps.big
        grid = TileGrid(batch: taps.batch, size: scatters ? taps.big : taps.small)
        padding = scatters ? Extent(2 - taps.padding.height, 2 - taps.padding.width) : taps.padding
        depth = scatters ? taps.smallChannels : taps.bigChannels
        breadth = scatters ? taps.bigChannels : taps.smallChannels
        let axis = taps.slices
        inputSlices = scatters ? taps.smallSlices : taps.bigSlices
        outputSlices = scatters ? taps.bigSlices : taps.smallSlices
        sliceTaps = axis.kernel
        sliceDilation = axis.dilation
        slicePadding = scatters ? axis.dilation * (axis.kernel - 1) - axis.padding : axis.padding
        let channels = padded(depth) + padded(breadth)
        let weights = 4 * Winograd.points * depth * padded(breadth) * sliceTaps
        isShared = weights > 3 << 20 || grid.count * outputSlices < 24 * threads
        chunkSlices = isShared ? outputSlices : min(outputSlices, 8)
        let cached = isShared ? 12 << 20 : 800 << 10
        let ahead = axis.dilation * (axis.kernel - 1)
        let row = 4 * Winograd.points * (channels * chunkSlices + padded(depth) * ahead)
        let fitting = max(cached / row, 1)
        let even = (grid.count + threads - 1) / threads
        if axis.kernel == 1 && outputSlices == 1 {
            let limit = isShared ? grid.count : (even + 11) / 12 * 12
            chunk = max(12, min(min(fitting / 12 * 12, isShared ? 1 << 20 : 96), (limit + 11) / 12 * 12))
        } else {
            chunk = max(1, min(fitting, isShared ? grid.count : even))
        }
    }

    /// Distance between the planes of the 36 products: one line more than the tiles take, so that planes do not share cache sets.
    private var inputPlane: Int { inputRows * paddedDepth + lanes }
    private var outputPlane: Int { outputRows * paddedBreadth + lanes }
    private var weightPlane: Int { sliceTaps * depth * paddedBreadth + lanes }
    private var blockFloats: Int { Winograd.points * (inputPlane + outputPlane) + 12 * paddedDepth }
    /// Rows of a block; the last products may hang over by up to twelve.
    private var inputRows: Int { chunk * (chunkSlices + halo) }
    private var outputRows: Int { (chunk * chunkSlices + 11) / 12 * 12 }
    /// A patch of 6×6 vectors and the transform's own 36.
    private static let tileFloats = 2 * Winograd.points * lanes

    var packedCount: Int { Winograd.points * weightPlane }

    func workspaceFloats(threads: Int) -> Int {
        threads * Self.tileFloats + (isShared ? 1 : threads) * blockFloats
    }

    /// Input channels that one call of `packWeights` takes.
    private static let packDepth = 64

    /// G g Gᵀ of all weights: point, panel, slice tap, input channel, lane.
    func pack(_ weights: UnsafePointer<Float>, into packed: UnsafeMutablePointer<Float>, pool: ThreadPool) {
        let panels = Panels(channels: breadth)
        let steps = (depth + Self.packDepth - 1) / Self.packDepth
        let context = (kernel: self, weights: weights, packed: packed, steps: steps)
        pool.parallel(panels.count * steps, with: context) { job, index, _ in
            let (panel, step) = index.quotientAndRemainder(dividingBy: job.steps)
            job.kernel.pack(job.weights, panel, step, into: job.packed)
        }
    }

    /// Packs some input channels of one panel.
    private func pack(
        _ weights: UnsafePointer<Float>, _ panel: Int, _ step: Int, into packed: UnsafeMutablePointer<Float>
    ) {
        let (channel, vectors) = Panels(channels: breadth)[panel]
        withStackTile { scratch in
            for tap in 0..<sliceTaps {
                for c in step * Self.packDepth..<min((step + 1) * Self.packDepth, depth) {
                    let target = packed + channel * depth * sliceTaps + (tap * depth + c) * vectors * lanes
                    for vector in 0..<vectors {
                        packWeights(weights, tap, c, channel + vector * lanes, into: target + vector * lanes, scratch)
                    }
                }
            }
        }
    }

    @inline(__always)
    private func packWeights(
        _ weights: UnsafePointer<Float>, _ tap: Int, _ c: Int, _ k: Int, into target: UnsafeMutablePointer<Float>,
        _ scratch: UnsafeMutablePointer<Float>
    ) {
        let count = min(lanes, breadth - k)
        let area = 9 * sliceTaps
        let step = scatters ? area : depth * area
        let source =
            weights + (scatters ? (c * breadth + k) * area : (k * depth + c) * area)
            + 9 * (scatters ? sliceTaps - 1 - tap : tap)
        for j in 0..<3 {
            let r = Winograd.weight(
                gather(source, j, step, count), gather(source, 3 + j, step, count), gather(source, 6 + j, step, count))
            Winograd.scatter(r, scratch + j * lanes, 3 * lanes)
        }
        for i in 0..<6 {
            let p = scratch + 3 * i * lanes
            let r = Winograd.weight(load(p), load(p + lanes), load(p + 2 * lanes))
            Winograd.scatter(r, target + i * 6 * weightPlane, weightPlane)
        }
    }

    @inline(__always)
    private func gather(_ source: UnsafePointer<Float>, _ tap: Int, _ step: Int, _ count: Int) -> Vector {
        let p = source + (scatters ? 8 - tap : tap)
        if count < lanes {
            var vector = Vector()
            for lane in 0..<count { vector[lane] = p[lane * step] }
            return vector
        }
        return Vector(
            p[0], p[step], p[2 * step], p[3 * step], p[4 * step], p[5 * step], p[6 * step], p[7 * step], p[8 * step],
            p[9 * step], p[10 * step], p[11 * step], p[12 * step], p[13 * step], p[14 * step], p[15 * step])
    }

    /// Runs the convolution; false when an output is not finite (the caller then computes it directly).
    func run(
        _ x: Pixels, packed: UnsafePointer<Float>, bias: UnsafePointer<Float>?, relu: Bool, into y: Pixels,
        workspace: UnsafeMutablePointer<Float>, pool: ThreadPool
    ) -> Bool {
        let call = Call(
            x: x, packed: packed, bias: bias, relu: relu, y: y, scratch: workspace,
            blocks: workspace + pool.threadCount * Self.tileFloats)
        let parts = (grid.count + chunk - 1) / chunk * layers
        if !isShared {
            return pool.allSatisfy(parts, with: (kernel: self, call: call)) { job, index, worker in
                job.kernel.runAlone(job.call, job.kernel.part(index), worker)
            }
        }
        var isFinite = true
        for index in 0..<parts {
            if !runTogether(call, part(index), pool) { isFinite = false }
        }
        return isFinite
    }

    /// One call's operands and scratch memory.
    private struct Call {
        let x: Pixels
        let packed: UnsafePointer<Float>
        let bias: UnsafePointer<Float>?
        let relu: Bool
        let y: Pixels
        let scratch: UnsafeMutablePointer<Float>
        let blocks: UnsafeMutablePointer<Float>

        func scratch(_ worker: Int) -> UnsafeMutablePointer<Float> {
            scratch + worker * WinogradConvolution.tileFloats
        }
    }

    /// What a block holds: some tiles of some output slices; a row of it is a tile, slice by slice.
    private struct Part {
        let tiles: Range<Int>
        let slices: Range<Int>

        /// Pieces of at most four tiles in a slice.
        var pieces: Int { (tiles.count + 3) / 4 }

        /// A piece, counted through all slices: its slice and its tiles.
        func piece(_ index: Int) -> (row: Int, tiles: Range<Int>) {
            let (row, number) = index.quotientAndRemainder(dividingBy: pieces)
            let first = tiles.lowerBound + number * 4
            return (row, first..<min(first + 4, tiles.upperBound))
        }
    }

    private var layers: Int { (outputSlices + chunkSlices - 1) / chunkSlices }

    private func part(_ index: Int) -> Part {
        let (number, layer) = index.quotientAndRemainder(dividingBy: layers)
        return Part(
            tiles: number * chunk..<min((number + 1) * chunk, grid.count),
            slices: layer * chunkSlices..<min((layer + 1) * chunkSlices, outputSlices))
    }

    /// Where the products of a block lie.
    private func products(_ block: UnsafeMutablePointer<Float>) -> UnsafeMutablePointer<Float> {
        block + Winograd.points * inputPlane + 12 * paddedDepth
    }

    /// A part from images to images by one thread; whether its outputs are finite.
    private func runAlone(_ call: Call, _ part: Part, _ worker: Int) -> Bool {
        let block = call.blocks + worker * blockFloats
        let products = products(block)
        let scratch = call.scratch(worker)
        for row in 0..<part.slices.count + halo { transform(call.x, part, row, part.tiles, into: block, scratch) }
        for point in 0..<Winograd.points { multiply(point, part, block, call.packed, products) }
        var sum: Float = 0
        for row in part.slices.indices {
            sum += restore(products, part, row - part.slices.lowerBound, part.tiles, call, scratch)
        }
        return sum.isFinite
    }

    /// A part by all threads; whether its outputs are finite.
    private func runTogether(_ call: Call, _ part: Part, _ pool: ThreadPool) -> Bool {
        let context = (kernel: self, call: call, part: part)
        pool.parallel(part.pieces * (part.slices.count + halo), with: context) { job, index, worker in
            let (row, tiles) = job.part.piece(index)
            job.kernel.transform(
                job.call.x, job.part, row, tiles, into: job.call.blocks, job.call.scratch(worker))
        }
        pool.parallel(Winograd.points, with: context) { job, point, _ in
            let block = job.call.blocks
            job.kernel.multiply(point, job.part, block, job.call.packed, job.kernel.products(block))
        }
        return pool.allSatisfy(part.pieces * part.slices.count, with: context) { job, index, worker in
            let (row, tiles) = job.part.piece(index)
            let products = job.kernel.products(job.call.blocks)
            return job.kernel.restore(products, job.part, row, tiles, job.call, job.call.scratch(worker)).isFinite
        }
    }

    /// Transforms some tiles of one of the input slices that a part needs; a slice outside of the volume is zero.
    private func transform(
        _ x: Pixels, _ part: Part, _ row: Int, _ tiles: Range<Int>, into block: UnsafeMutablePointer<Float>,
        _ scratch: UnsafeMutablePointer<Float>
    ) {
        let buffer = scratch + Winograd.points * lanes
        let slice = part.slices.lowerBound + row - slicePadding
        let first = block + (row * part.tiles.count + tiles.lowerBound - part.tiles.lowerBound) * paddedDepth
        guard slice >= 0, slice < inputSlices else {
            for point in 0..<Winograd.points {
                (first + point * inputPlane).update(repeating: 0, count: tiles.count * paddedDepth)
            }
            return
        }
        for tile in tiles {
            let corner = grid.corner(tile)
            let patch = Patch(
                image: corner.image * inputSlices + slice, y: corner.y - padding.height, x: corner.x - padding.width,
                size: Winograd.inputs)
            let target = first + (tile - tiles.lowerBound) * paddedDepth
            patch.read(x, of: input, channels: depth, buffer: buffer) { base, rowStride, columnStride, channel in
                Winograd.inputTile(
                    base, rowStride: rowStride, columnStride: columnStride, into: target + channel,
                    planeStride: inputPlane, scratch: scratch)
            }
        }
    }

    private func multiply(
        _ point: Int, _ part: Part, _ block: UnsafePointer<Float>, _ packed: UnsafePointer<Float>,
        _ products: UnsafeMutablePointer<Float>
    ) {
        let a = block + point * inputPlane
        let b = packed + point * weightPlane
        let c = products + point * outputPlane
        Panels(channels: breadth).walk { channel, vectors in
            let panel = b + channel * depth * sliceTaps
            switch vectors {
            case 1: multiply(Panel1.self, part, a, panel, c + channel)
            case 2: multiply(Panel2.self, part, a, panel, c + channel)
            case 3: multiply(Panel3.self, part, a, panel, c + channel)
            default: multiply(Panel4.self, part, a, panel, c + channel)
            }
        }
    }

    private func multiply<P: Panel>(
        _: P.Type, _ part: Part, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ c: UnsafeMutablePointer<Float>
    ) {
        withUnsafeTemporaryAllocation(of: Run.self, capacity: sliceTaps) { runs in
            for tap in 0..<sliceTaps {
                runs[tap] = Run(
                    a: tap * sliceDilation * part.tiles.count * paddedDepth, b: tap * depth * P.vectors * lanes)
            }
            var row = 0
            while row < part.tiles.count * part.slices.count {
                MicroKernel<P>.multiply(
                    UnsafeBufferPointer(runs), length: depth, a: a + row * paddedDepth, aStride: paddedDepth, b: b,
                    c: c + row * paddedBreadth, cStride: paddedBreadth, Epilogue())
                row += MicroKernel<P>.rows
            }
        }
    }

    /// Transforms the products of tiles back; the result is finite only when all outputs are.
    private func restore(
        _ products: UnsafePointer<Float>, _ part: Part, _ row: Int, _ tiles: Range<Int>, _ call: Call,
        _ scratch: UnsafeMutablePointer<Float>
    ) -> Float {
        let (bias, relu, y) = (call.bias, call.relu, call.y)
        let buffer = scratch + Winograd.points * lanes
        let first = products + (row * part.tiles.count + tiles.lowerBound - part.tiles.lowerBound) * paddedBreadth
        var sum = Vector()
        for tile in tiles {
            let corner = grid.corner(tile)
            let image = corner.image * outputSlices + part.slices.lowerBound + row
            let isInside = corner.y + 4 <= grid.size.height && corner.x + 4 <= grid.size.width
            let base = ((image * grid.size.height + corner.y) * grid.size.width + corner.x) * y.stride
            let source = first + (tile - tiles.lowerBound) * paddedBreadth
            var channel = 0
            while channel < breadth {
                let count = breadth - channel
                let start = bias.map { load($0 + channel, upTo: count) } ?? Vector()
                let straight = isInside && count >= lanes
                sum += Winograd.outputTile(
                    source + channel, planeStride: outputPlane, bias: start, rectifies: relu,
                    into: straight ? y.base + (base + channel) : buffer,
                    rowStride: straight ? grid.size.width * y.stride : 4 * lanes,
                    columnStride: straight ? y.stride : lanes,
                    scratch: scratch)
                if !straight { clip(buffer, corner.y, corner.x, y.base + (base + channel), y.stride, count) }
                channel += lanes
            }
        }
        return sum.sum()
    }

    /// Copies the part of a tile that lies inside of the image.
    private func clip(
        _ buffer: UnsafePointer<Float>, _ y: Int, _ x: Int, _ target: UnsafeMutablePointer<Float>, _ stride: Int,
        _ count: Int
    ) {
        for i in 0..<min(4, grid.size.height - y) {
            for j in 0..<min(4, grid.size.width - x) {
                store(
                    load(buffer + (i * 4 + j) * lanes), target + (i * grid.size.width + j) * stride, upTo: count)
            }
        }
    }
}
