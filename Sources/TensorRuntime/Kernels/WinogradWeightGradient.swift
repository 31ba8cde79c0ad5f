/// The weight gradient of a convolution of stride one with 3×3 taps a slice in the Winograd domain (see `Winograd`).
///
/// In volumes each slice tap has sums of its own; a slice is transformed once for all of them.
///
/// Patches of the big image and of the small one are transformed, their products summed over all tiles, and the sums transformed
/// once. The sums take four times the weights, the transformed tiles 2.25 and 9 times the images; what is summed must stay in the
/// cache of one core, so the work is cut
///
/// - by tiles when the sums of all channels fit: each thread sums its own range of tiles, block by block;
/// - by channels otherwise: a job takes some input and some output channels from images to finished weights. Tiles are then
///   transformed again for each job that reads them (a seventh of the work of 64 × 64 channels), which costs less than to
///   exchange them between cores.
///
/// Both add up in a fixed order.
struct WinogradWeightGradient: Sendable {
    let taps: TapGeometry
    let grid: TileGrid
    /// Tiles of a slice and slices of the small volume that are worked on together.
    let chunk: Int
    let chunkSlices: Int
    let division: Division
    /// Input and output channels that are summed together, whole vectors.
    let block: Block

    /// How the work is cut.
    enum Division: String, Sendable {
        case tiles = "tiles a thread"
        case channels = "tiles, channels by thread"
    }

    /// Channels of the big and of the small image.
    struct Block: Sendable {
        let depth: Int
        let breadth: Int
    }

    var depth: Int { taps.bigChannels }
    var breadth: Int { taps.smallChannels }
    var paddedDepth: Int { padded(depth) }
    var paddedBreadth: Int { padded(breadth) }

    init(_ taps: TapGeometry, threads: Int) {
        self.taps = taps
        grid = TileGrid(batch: taps.batch, size: taps.small)
        let all = (grid.count + 3) / 4 * 4
        let pointBytes = 4 * Winograd.points
        let whole = Block(depth: padded(taps.bigChannels), breadth: padded(taps.smallChannels))
        func sumBytes(_ block: Block) -> Int { pointBytes * block.depth * block.breadth * taps.slices.kernel }
        chunkSlices = min(taps.smallSlices, 8)
        let bigSlices = chunkSlices + taps.slices.dilation * (taps.slices.kernel - 1)
        let most = max(128 / chunkSlices, 4)
        let budget: Int
        let part = Self.block(of: whole, threads: threads) { sumBytes($0) <= 1 << 20 }
        let jobs = (whole.depth + part.depth - 1) / part.depth * ((whole.breadth + part.breadth - 1) / part.breadth)
        // With more threads than blocks of channels, tiles are what there is enough of.
        if sumBytes(whole) <= 1 << 20 || jobs < threads && grid.count * taps.smallSlices >= 8 * threads {
            division = .tiles
            block = whole
            budget = 700 << 10
        } else {
            division = .channels
            block = part
            budget = (1600 << 10) - sumBytes(block)
        }
        let tileBytes = pointBytes * (block.depth * bigSlices + block.breadth * chunkSlices)
        chunk = max(min(8, all), min(budget / tileBytes / 4 * 4, most))
    }

    /// The largest block, 64 channels at most on either side, that fits and gives every thread as much to do as the others.
    private static func block(of whole: Block, threads: Int, fits: (Block) -> Bool) -> Block {
        let breadth = min(4 * lanes, whole.breadth)
        let panels = (whole.breadth + breadth - 1) / breadth
        for depth in [4 * lanes, 2 * lanes] where depth < whole.depth || panels > 1 {
            let block = Block(depth: min(depth, whole.depth), breadth: breadth)
            let jobs = (whole.depth + depth - 1) / depth * panels
            if fits(block), jobs % threads == 0 || jobs >= 4 * threads { return block }
        }
        return Block(depth: lanes, breadth: breadth)
    }

    private var halo: Int { taps.slices.dilation * (taps.slices.kernel - 1) }
    /// Distance between the rows of a block. The products walk down columns: rows a power of two apart would share few sets of
    /// the first-level cache.
    private var bigRow: Int { Self.spread(block.depth) }
    private var smallRow: Int { Self.spread(block.breadth) }
    private static func spread(_ channels: Int) -> Int { channels % 256 == 0 ? channels + lanes : channels }
    private var bigPlane: Int { chunk * (chunkSlices + halo) * bigRow + lanes }
    private var smallPlane: Int { chunk * chunkSlices * smallRow + lanes }
    private var blockFloats: Int { Winograd.points * (bigPlane + smallPlane) }
    private static let tileFloats = 2 * Winograd.points * lanes

    /// Sums of products of a block: for each slice tap 36 planes of input channels by output channels.
    private var sumPlane: Int { block.depth * block.breadth + lanes }
    private var sumFloats: Int { taps.slices.kernel * Winograd.points * sumPlane }
    private var planes: Int { taps.slices.kernel * Winograd.points }

    func workspaceFloats(threads: Int) -> Int {
        threads * (Self.tileFloats + blockFloats + sumFloats)
    }

    /// dw in PyTorch's order. False when it holds a value that is not finite.
    func run(
        big: Pixels, small: Pixels, into dw: UnsafeMutablePointer<Float>, workspace: UnsafeMutablePointer<Float>,
        pool: ThreadPool
    ) -> Bool {
        let threads = pool.threadCount
        let call = Call(
            big: big, small: small, dw: dw, scratch: workspace, sums: workspace + threads * Self.tileFloats,
            blocks: workspace + threads * (Self.tileFloats + sumFloats))
        switch division {
        case .tiles: return runByTiles(call, pool)
        case .channels: return runByChannels(call, pool)
        }
    }

    /// One call's pointers.
    private struct Call {
        let big: Pixels
        let small: Pixels
        let dw: UnsafeMutablePointer<Float>
        let scratch: UnsafeMutablePointer<Float>
        let sums: UnsafeMutablePointer<Float>
        let blocks: UnsafeMutablePointer<Float>

        func scratch(_ worker: Int) -> UnsafeMutablePointer<Float> {
            scratch + worker * WinogradWeightGradient.tileFloats
        }
    }

    /// What a block holds: some tiles of some slices of the small volume; a row of it is a tile, slice by slice.
    private struct Part {
        let tiles: Range<Int>
        let slices: Range<Int>

        var rows: Int { tiles.count * slices.count }
    }

    private var layers: Int { (taps.smallSlices + chunkSlices - 1) / chunkSlices }
    private var parts: Int { (grid.count + chunk - 1) / chunk * layers }

    private func part(_ index: Int) -> Part {
        let (number, layer) = index.quotientAndRemainder(dividingBy: layers)
        return Part(
            tiles: number * chunk..<min((number + 1) * chunk, grid.count),
            slices: layer * chunkSlices..<min((layer + 1) * chunkSlices, taps.smallSlices))
    }

    private func runByTiles(_ call: Call, _ pool: ThreadPool) -> Bool {
        let pieces = pool.threadCount
        let context = (kernel: self, call: call, pieces: pieces)
        pool.parallel(pieces, with: context) { job, piece, _ in
            let range = ThreadPool.range(piece, of: job.pieces, count: job.kernel.parts, grain: 1)
            job.kernel.sum(job.call, range, piece)
        }
        return pool.allSatisfy(paddedBreadth / lanes, with: context) { job, vector, _ in
            let sums = job.call.sums + vector * lanes
            return job.kernel.collect(
                job.call, 0..<job.kernel.depth, vector * lanes, from: sums, pieces: job.pieces
            ).isFinite
        }
    }

    /// The products of some parts, summed in the memory of one thread.
    private func sum(_ call: Call, _ range: Range<Int>, _ worker: Int) {
        let own = call.sums + worker * sumFloats
        let target = call.blocks + worker * blockFloats
        let scratch = call.scratch(worker)
        if range.isEmpty { own.update(repeating: 0, count: sumFloats) }
        for index in range {
            let part = part(index)
            transformBig(call, part, 0..<depth, target, scratch)
            transformSmall(call, part, 0..<breadth, target, scratch)
            multiply(part, target, 0..<depth, 0..<breadth, own, accumulates: index > range.lowerBound)
        }
    }

    /// A job takes some input channels and, where all tiles fit, several blocks of output channels: their tiles of the big image
    /// are then transformed once.
    private func runByChannels(_ call: Call, _ pool: ThreadPool) -> Bool {
        let panels = (breadth + block.breadth - 1) / block.breadth
        let steps = (depth + block.depth - 1) / block.depth
        let panelsEach = parts == 1 ? max(1, panels * steps / (4 * pool.threadCount)) : 1
        let groups = (panels + panelsEach - 1) / panelsEach
        let cut = (groups: groups, panels: panels, each: panelsEach)
        return pool.allSatisfy(steps * groups, with: (kernel: self, call: call, cut: cut)) { job, index, worker in
            let (step, group) = index.quotientAndRemainder(dividingBy: job.cut.groups)
            let first = group * job.cut.each
            return job.kernel.finish(job.call, step, first..<min(first + job.cut.each, job.cut.panels), worker)
        }
    }

    /// The weights of some input channels and of some blocks of output channels; whether they are finite.
    private func finish(_ call: Call, _ step: Int, _ panels: Range<Int>, _ worker: Int) -> Bool {
        let rows = step * block.depth..<min((step + 1) * block.depth, depth)
        let own = call.sums + worker * sumFloats
        let target = call.blocks + worker * blockFloats
        let scratch = call.scratch(worker)
        var isFinite = true
        for panel in panels {
            let columns = panel * block.breadth..<min((panel + 1) * block.breadth, breadth)
            for index in 0..<parts {
                let part = part(index)
                if parts > 1 || panel == panels.lowerBound { transformBig(call, part, rows, target, scratch) }
                transformSmall(call, part, columns, target, scratch)
                multiply(part, target, rows, columns, own, accumulates: index > 0)
            }
            for channel in stride(from: 0, to: columns.count, by: lanes) {
                let sum = collect(call, rows, columns.lowerBound + channel, from: own + channel, pieces: 1)
                if !sum.isFinite { isFinite = false }
            }
        }
        return isFinite
    }

    /// Transforms a part's tiles of some channels of the big image; a slice outside of the volume is zero.
    private func transformBig(
        _ call: Call, _ part: Part, _ channels: Range<Int>, _ target: UnsafeMutablePointer<Float>,
        _ scratch: UnsafeMutablePointer<Float>
    ) {
        let buffer = scratch + Winograd.points * lanes
        let source = Pixels(call.big.base + channels.lowerBound, stride: call.big.stride)
        for row in 0..<part.slices.count + halo {
            let first = target + row * part.tiles.count * bigRow
            let slice = part.slices.lowerBound + row - taps.slices.padding
            guard slice >= 0, slice < taps.bigSlices else {
                for point in 0..<Winograd.points {
                    (first + point * bigPlane).update(repeating: 0, count: part.tiles.count * bigRow)
                }
                continue
            }
            for tile in part.tiles {
                let corner = grid.corner(tile)
                let patch = Patch(
                    image: corner.image * taps.bigSlices + slice, y: corner.y - taps.padding.height,
                    x: corner.x - taps.padding.width, size: Winograd.inputs)
                let place = first + (tile - part.tiles.lowerBound) * bigRow
                patch.read(source, of: taps.big, channels: channels.count, buffer: buffer) {
                    base, rowStride, columnStride, channel in
                    Winograd.inputTile(
                        base, rowStride: rowStride, columnStride: columnStride, into: place + channel,
                        planeStride: bigPlane, scratch: scratch)
                }
            }
        }
    }

    /// The same for the small image, behind the big one's.
    private func transformSmall(
        _ call: Call, _ part: Part, _ channels: Range<Int>, _ target: UnsafeMutablePointer<Float>,
        _ scratch: UnsafeMutablePointer<Float>
    ) {
        let buffer = scratch + Winograd.points * lanes
        let source = Pixels(call.small.base + channels.lowerBound, stride: call.small.stride)
        for row in part.slices.indices {
            let first =
                target + Winograd.points * bigPlane + (row - part.slices.lowerBound) * part.tiles.count * smallRow
            for tile in part.tiles {
                let corner = grid.corner(tile)
                let patch = Patch(
                    image: corner.image * taps.smallSlices + row, y: corner.y, x: corner.x, size: Winograd.outputs)
                let place = first + (tile - part.tiles.lowerBound) * smallRow
                patch.read(source, of: taps.small, channels: channels.count, buffer: buffer) {
                    base, rowStride, columnStride, channel in
                    Winograd.gradientTile(
                        base, rowStride: rowStride, columnStride: columnStride, into: place + channel,
                        planeStride: smallPlane, scratch: scratch)
                }
            }
        }
    }

    /// The products of all planes (slice taps and points) of a part for some input and output channels.
    private func multiply(
        _ part: Part, _ transformed: UnsafePointer<Float>, _ rows: Range<Int>, _ columns: Range<Int>,
        _ target: UnsafeMutablePointer<Float>, accumulates: Bool
    ) {
        for plane in 0..<planes {
            let (tap, point) = plane.quotientAndRemainder(dividingBy: Winograd.points)
            let a = transformed + point * bigPlane + tap * taps.slices.dilation * part.tiles.count * bigRow
            let b = transformed + Winograd.points * bigPlane + point * smallPlane
            let c = target + plane * sumPlane
            Panels(channels: columns.count).walk { channel, vectors in
                switch vectors {
                case 1: multiply(Panel1.self, part.rows, a, rows.count, b + channel, c + channel, accumulates)
                case 2: multiply(Panel2.self, part.rows, a, rows.count, b + channel, c + channel, accumulates)
                case 3: multiply(Panel3.self, part.rows, a, rows.count, b + channel, c + channel, accumulates)
                default: multiply(Panel4.self, part.rows, a, rows.count, b + channel, c + channel, accumulates)
                }
            }
        }
    }

    /// Tiles of one product: a panel of their output gradients, 32 KiB, stays in the first-level cache for all input channels.
    private static let productDepth = 128

    private func multiply<P: Panel>(
        _: P.Type, _ tiles: Int, _ a: UnsafePointer<Float>, _ rows: Int, _ b: UnsafePointer<Float>,
        _ c: UnsafeMutablePointer<Float>, _ accumulates: Bool
    ) {
        for start in stride(from: 0, to: tiles, by: Self.productDepth) {
            var row = 0
            while row < rows {
                MicroKernel<P>.multiplyTransposed(
                    depth: min(Self.productDepth, tiles - start), a: a + (start * bigRow + row), aStride: bigRow,
                    b: b + start * smallRow, bStride: smallRow, c: c + row * block.breadth, cStride: block.breadth,
                    accumulates: accumulates || start > 0)
                row += MicroKernel<P>.columns
            }
        }
    }

    /// Adds up the threads' sums for sixteen output channels from `k` on and some input channels, transforms them, and writes them
    /// in PyTorch's order; returns a number that is finite only when all of them are.
    private func collect(
        _ call: Call, _ rows: Range<Int>, _ k: Int, from source: UnsafePointer<Float>, pieces: Int
    ) -> Float {
        let count = min(lanes, breadth - k)
        let (plane, step, area) = (sumPlane, sumFloats, 9 * taps.slices.kernel)
        let stage = Stage(area: area)
        return withStackStage { scratch in
            let values = scratch + 18 * lanes
            let staged = scratch + 28 * lanes
            var sum = Vector()
            for c in rows {
                let place = (c - rows.lowerBound) % stage.channels * area
                for tap in 0..<taps.slices.kernel {
                    let base = source + (tap * Winograd.points * plane + (c - rows.lowerBound) * block.breadth)
                    func total(_ point: Int) -> Vector {
                        var sum = load(base + point * plane)
                        for piece in 1..<max(1, pieces) where pieces > 1 {
                            sum += load(base + point * plane + piece * step)
                        }
                        return sum
                    }
                    for j in 0..<6 {
                        let r = Winograd.weightGradient(
                            total(j), total(6 + j), total(12 + j), total(18 + j), total(24 + j), total(30 + j))
                        store(r.0, scratch + j * lanes)
                        store(r.1, scratch + (6 + j) * lanes)
                        store(r.2, scratch + (12 + j) * lanes)
                    }
                    for i in 0..<3 {
                        let p = scratch + 6 * i * lanes
                        let r = Winograd.weightGradient(
                            load(p), load(p + 16), load(p + 32), load(p + 48), load(p + 64), load(p + 80))
                        sum += r.0 + r.1 + r.2
                        store(r.0, values + 3 * i * lanes)
                        store(r.1, values + (3 * i + 1) * lanes)
                        store(r.2, values + (3 * i + 2) * lanes)
                    }
                    for lane in 0..<count {
                        let target = staged + (lane * Stage.row + place + tap * 9)
                        for tap in 0..<9 { target[tap] = values[tap * lanes + lane] }
                    }
                }
                guard place + area == stage.channels * area || c + 1 == rows.upperBound else { continue }
                for lane in 0..<count {
                    let target = call.dw + ((k + lane) * depth + c) * area - place
                    target.update(from: staged + lane * Stage.row, count: place + area)
                }
            }
            return sum.sum()
        }
    }

    /// Finished weights of sixteen output channels, gathered for some input channels before they are written: the rows of two
    /// output channels lie far apart, often a multiple of the page size, and every weight alone would miss the cache.
    private struct Stage {
        /// Floats between the rows of two output channels.
        static let row = 124
        /// Input channels that fit.
        let channels: Int

        init(area: Int) {
            channels = max(1, Self.row / area)
        }
    }
}
