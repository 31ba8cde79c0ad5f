import Synchronization

/// The weight gradient of a convolution of stride one with 3×3 taps a slice in the Winograd domain (see `Winograd`).
///
/// In volumes each slice tap has sums of its own; a slice is transformed once for all of them.
///
/// Patches of the big image and of the small one are transformed, their products summed over all tiles, and the sums transformed
/// once. Which part of that stays in cache decides how it is cut into work:
///
/// - few channels: each thread sums its own range of tiles, block by block, and keeps all sums;
/// - many channels and few tiles: all tiles are transformed first, then each thread takes blocks of channels from products to
///   finished weights, so that the sums (four times the weights) never leave its cache;
/// - many of both: as the second, but chunk by chunk of tiles, with the sums in memory.
///
/// All of them add up in a fixed order.
struct WinogradWeightGradient: Sendable {
    let taps: TapGeometry
    let grid: TileGrid
    /// Tiles of a slice and slices of the small volume that are worked on together.
    let chunk: Int
    let chunkSlices: Int
    let division: Division

    /// How the work is cut.
    enum Division: String, Sendable {
        case tiles = "tiles a thread"
        case channels = "tiles, channels by thread"
        case points = "tiles by all threads"
    }

    var depth: Int { taps.bigChannels }
    var breadth: Int { taps.smallChannels }
    var paddedDepth: Int { padded(depth) }
    var paddedBreadth: Int { padded(breadth) }

    init(_ taps: TapGeometry, threads: Int) {
        self.taps = taps
        grid = TileGrid(batch: taps.batch, size: taps.small)
        let slices = taps.smallSlices
        let halo = taps.slices.dilation * (taps.slices.kernel - 1)
        let (wide, narrow) = (
            4 * Winograd.points * padded(taps.bigChannels), 4 * Winograd.points * padded(taps.smallChannels)
        )
        let sumBytes = wide * padded(taps.smallChannels) * taps.slices.kernel
        /// Tiles of a slice whose blocks, `slices` slices deep, take no more than these bytes.
        func fitting(_ bytes: Int, _ slices: Int) -> Int {
            bytes / (wide * (slices + halo) + narrow * slices)
        }
        let all = (grid.count + 3) / 4 * 4
        if sumBytes <= 1 << 20 {
            division = .tiles
            chunkSlices = min(slices, 8)
            chunk = max(min(8, all), min(fitting(700 << 10, chunkSlices) / 4 * 4, max(128 / chunkSlices, 4)))
        } else if fitting(20 << 20, slices) >= grid.count {
            division = .channels
            chunkSlices = slices
            chunk = all
        } else {
            division = .points
            chunkSlices = slices
            chunk = max(4, min(fitting(14 << 20, slices) / 4 * 4, all))
        }
    }

    private var halo: Int { taps.slices.dilation * (taps.slices.kernel - 1) }
    /// Distance between the rows of a block. The products walk down columns: rows a power of two apart would share few sets of
    /// the first-level cache.
    private var bigRow: Int { Self.spread(paddedDepth) }
    private var smallRow: Int { Self.spread(paddedBreadth) }
    private static func spread(_ channels: Int) -> Int { channels % 256 == 0 ? channels + lanes : channels }
    private var bigPlane: Int { chunk * (chunkSlices + halo) * bigRow + lanes }
    private var smallPlane: Int { chunk * chunkSlices * smallRow + lanes }
    private var blockFloats: Int { Winograd.points * (bigPlane + smallPlane) }
    private static let tileFloats = 2 * Winograd.points * lanes
    /// Input channels of a block that one thread takes from products to weights.
    private static let blockDepth = 32

    /// Sums of products: for each slice tap 36 planes of input channels by output channels.
    private var sums: Sums {
        division == .channels
            ? Sums(taps: taps.slices.kernel, depth: Self.blockDepth, breadth: 4 * lanes)
            : Sums(taps: taps.slices.kernel, depth: paddedDepth, breadth: paddedBreadth)
    }

    private struct Sums {
        let taps: Int
        let depth: Int
        let breadth: Int
        var plane: Int { depth * breadth + lanes }
        var floats: Int { taps * Winograd.points * plane }
    }

    func workspaceFloats(threads: Int) -> Int {
        let sumsFloats = (division == .points ? 1 : threads) * sums.floats
        return threads * Self.tileFloats + (division == .tiles ? threads : 1) * blockFloats + sumsFloats
    }

    /// dw in PyTorch's order. False when it holds a value that is not finite.
    func run(
        big: Pixels, small: Pixels, into dw: UnsafeMutablePointer<Float>, workspace: UnsafeMutablePointer<Float>,
        pool: ThreadPool
    ) -> Bool {
        let job = Job(
            big: big, small: small, dw: dw, scratch: workspace,
            sums: workspace + pool.threadCount * Self.tileFloats, pool: pool)
        switch division {
        case .tiles: return runByTiles(job)
        case .channels: return runByChannels(job)
        case .points: return runByPoints(job)
        }
    }

    /// One call's pointers.
    private struct Job {
        let big: Pixels
        let small: Pixels
        let dw: UnsafeMutablePointer<Float>
        let scratch: UnsafeMutablePointer<Float>
        let sums: UnsafeMutablePointer<Float>
        let pool: ThreadPool

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

    private var chunks: Int { (grid.count + chunk - 1) / chunk }
    private var layers: Int { (taps.smallSlices + chunkSlices - 1) / chunkSlices }

    private func part(_ index: Int) -> Part {
        let (number, layer) = index.quotientAndRemainder(dividingBy: layers)
        return Part(
            tiles: number * chunk..<min((number + 1) * chunk, grid.count),
            slices: layer * chunkSlices..<min((layer + 1) * chunkSlices, taps.smallSlices))
    }

    private func runByTiles(_ job: Job) -> Bool {
        let pieces = job.pool.threadCount
        let blocks = job.sums + pieces * sums.floats
        job.pool.parallel(pieces) { piece in
            let own = job.sums + piece * sums.floats
            let block = blocks + piece * blockFloats
            own.update(repeating: 0, count: sums.floats)
            for index in ThreadPool.range(piece, of: pieces, count: chunks * layers, grain: 1) {
                let part = part(index)
                for row in 0..<part.slices.count + halo {
                    transform(job, part, row, part.tiles, block, job.scratch(piece))
                }
                for plane in 0..<sums.taps * Winograd.points {
                    multiply(plane, part, block, 0..<depth, own, accumulates: true)
                }
            }
        }
        return collectAll(job, pieces: pieces)
    }

    private func runByPoints(_ job: Job) -> Bool {
        let block = job.sums + sums.floats
        for index in 0..<chunks * layers {
            let part = part(index)
            transformAll(job, part, block)
            job.pool.parallel(sums.taps * Winograd.points) { plane in
                multiply(plane, part, block, 0..<depth, job.sums, accumulates: index > 0)
            }
        }
        return collectAll(job, pieces: 1)
    }

    private func runByChannels(_ job: Job) -> Bool {
        let block = job.sums + job.pool.threadCount * sums.floats
        let part = part(0)
        transformAll(job, part, block)
        let panels = Panels(channels: breadth)
        let isFinite = Atomic<Bool>(true)
        let steps = (depth + Self.blockDepth - 1) / Self.blockDepth
        job.pool.parallel(steps * panels.count) { index, worker in
            let (step, number) = index.quotientAndRemainder(dividingBy: panels.count)
            let panel = panels[number]
            let rows = step * Self.blockDepth..<min((step + 1) * Self.blockDepth, depth)
            let own = job.sums + worker * sums.floats
            for plane in 0..<sums.taps * Winograd.points {
                multiplyPanel(plane, part, block, rows, panel.channel, panel.vectors, own, accumulates: false)
            }
            for vector in 0..<panel.vectors where panel.channel + vector * lanes < breadth {
                let sum = collect(
                    job, rows, panel.channel + vector * lanes, from: own + vector * lanes, pieces: 1)
                if !sum.isFinite { isFinite.store(false, ordering: .relaxed) }
            }
        }
        return isFinite.load(ordering: .relaxed)
    }

    private func transformAll(_ job: Job, _ part: Part, _ block: UnsafeMutablePointer<Float>) {
        let pieces = (part.tiles.count + 3) / 4
        job.pool.parallel(pieces * (part.slices.count + halo)) { index, worker in
            let first = part.tiles.lowerBound + index % pieces * 4
            transform(
                job, part, index / pieces, first..<min(first + 4, part.tiles.upperBound), block, job.scratch(worker))
        }
    }

    /// Transforms some tiles of slice `row` of the big block, and of the small block when it has that many.
    private func transform(
        _ job: Job, _ part: Part, _ row: Int, _ tiles: Range<Int>, _ block: UnsafeMutablePointer<Float>,
        _ scratch: UnsafeMutablePointer<Float>
    ) {
        let buffer = scratch + Winograd.points * lanes
        let first = row * part.tiles.count + tiles.lowerBound - part.tiles.lowerBound
        let bigBlock = block + first * bigRow
        let smallBlock = block + Winograd.points * bigPlane + first * smallRow
        let slice = part.slices.lowerBound + row - taps.slices.padding
        let isInside = slice >= 0 && slice < taps.bigSlices
        if !isInside {
            for point in 0..<Winograd.points {
                (bigBlock + point * bigPlane).update(repeating: 0, count: tiles.count * bigRow)
            }
        }
        for tile in tiles {
            let corner = grid.corner(tile)
            let number = tile - tiles.lowerBound
            if isInside {
                let patch = Patch(
                    image: corner.image * taps.bigSlices + slice, y: corner.y - taps.padding.height,
                    x: corner.x - taps.padding.width, size: Winograd.inputs)
                let target = bigBlock + number * bigRow
                patch.read(job.big, of: taps.big, channels: depth, buffer: buffer) {
                    base, rowStride, columnStride, channel in
                    Winograd.inputTile(
                        base, rowStride: rowStride, columnStride: columnStride, into: target + channel,
                        planeStride: bigPlane, scratch: scratch)
                }
            }
            guard row < part.slices.count else { continue }
            let outputs = Patch(
                image: corner.image * taps.smallSlices + part.slices.lowerBound + row, y: corner.y, x: corner.x,
                size: Winograd.outputs)
            let smallTarget = smallBlock + number * smallRow
            outputs.read(job.small, of: taps.small, channels: breadth, buffer: buffer) {
                base, rowStride, columnStride, channel in
                Winograd.gradientTile(
                    base, rowStride: rowStride, columnStride: columnStride, into: smallTarget + channel,
                    planeStride: smallPlane, scratch: scratch)
            }
        }
    }

    /// The products of one plane (a slice tap and a point).
    private func multiply(
        _ plane: Int, _ part: Part, _ block: UnsafePointer<Float>, _ rows: Range<Int>,
        _ target: UnsafeMutablePointer<Float>, accumulates: Bool
    ) {
        Panels(channels: breadth).walk { channel, vectors in
            multiplyPanel(
                plane, part, block, rows, channel, vectors, target + channel, accumulates: accumulates)
        }
    }

    /// The products of one plane and one panel for some input channels; `target` is where the panel of the first plane begins.
    private func multiplyPanel(
        _ plane: Int, _ part: Part, _ block: UnsafePointer<Float>, _ rows: Range<Int>, _ channel: Int, _ vectors: Int,
        _ target: UnsafeMutablePointer<Float>, accumulates: Bool
    ) {
        let (tap, point) = plane.quotientAndRemainder(dividingBy: Winograd.points)
        let a =
            block + point * bigPlane + tap * taps.slices.dilation * part.tiles.count * bigRow + rows.lowerBound
        let b = block + Winograd.points * bigPlane + point * smallPlane + channel
        let c = target + plane * sums.plane
        switch vectors {
        case 1: multiply(Panel1.self, part.rows, a, rows.count, b, c, accumulates)
        case 2: multiply(Panel2.self, part.rows, a, rows.count, b, c, accumulates)
        case 3: multiply(Panel3.self, part.rows, a, rows.count, b, c, accumulates)
        default: multiply(Panel4.self, part.rows, a, rows.count, b, c, accumulates)
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
                    b: b + start * smallRow, bStride: smallRow, c: c + row * sums.breadth, cStride: sums.breadth,
                    accumulates: accumulates || start > 0)
                row += MicroKernel<P>.columns
            }
        }
    }

    private func collectAll(_ job: Job, pieces: Int) -> Bool {
        let isFinite = Atomic<Bool>(true)
        job.pool.parallel(paddedBreadth / lanes) { vector in
            let sum = collect(job, 0..<depth, vector * lanes, from: job.sums + vector * lanes, pieces: pieces)
            if !sum.isFinite { isFinite.store(false, ordering: .relaxed) }
        }
        return isFinite.load(ordering: .relaxed)
    }

    /// Adds up the threads' sums for sixteen output channels from `k` on and some input channels, transforms them, and writes them
    /// in PyTorch's order; returns a number that is finite only when all of them are.
    private func collect(
        _ job: Job, _ rows: Range<Int>, _ k: Int, from source: UnsafePointer<Float>, pieces: Int
    ) -> Float {
        let count = min(lanes, breadth - k)
        let (plane, step, area) = (sums.plane, sums.floats, 9 * sums.taps)
        let stage = Stage(area: area)
        return withStackStage { scratch in
            let values = scratch + 18 * lanes
            let staged = scratch + 28 * lanes
            var sum = Vector()
            for c in rows {
                let place = (c - rows.lowerBound) % stage.channels * area
                for tap in 0..<sums.taps {
                    let base = source + (tap * Winograd.points * plane + (c - rows.lowerBound) * sums.breadth)
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
                    let target = job.dw + ((k + lane) * depth + c) * area - place
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
