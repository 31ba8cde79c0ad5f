import Synchronization

/// The weight gradient of a 3×3 convolution of stride one in the Winograd domain (see `Winograd`).
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
    let chunk: Int
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
        let tileBytes = 4 * Winograd.points * (padded(taps.bigChannels) + padded(taps.smallChannels))
        let sumBytes = 4 * Winograd.points * padded(taps.bigChannels) * padded(taps.smallChannels)
        if sumBytes <= 1 << 20 {
            division = .tiles
            chunk = max(8, min((700 << 10) / tileBytes / 4 * 4, 128))
        } else if grid.count * tileBytes <= 20 << 20 {
            division = .channels
            chunk = (grid.count + 3) / 4 * 4
        } else {
            division = .points
            chunk = max(8, min((14 << 20) / tileBytes / 4 * 4, (grid.count + 3) / 4 * 4))
        }
    }

    private var bigPlane: Int { chunk * paddedDepth + lanes }
    private var smallPlane: Int { chunk * paddedBreadth + lanes }
    private var blockFloats: Int { Winograd.points * (bigPlane + smallPlane) }
    private static let tileFloats = 2 * Winograd.points * lanes
    /// Input channels of a block that one thread takes from products to weights.
    private static let blockDepth = 32

    /// Sums of products: 36 planes of input channels by output channels.
    private var sums: Sums {
        division == .channels
            ? Sums(depth: Self.blockDepth, breadth: 4 * lanes) : Sums(depth: paddedDepth, breadth: paddedBreadth)
    }

    private struct Sums {
        let depth: Int
        let breadth: Int
        var plane: Int { depth * breadth + lanes }
        var floats: Int { Winograd.points * plane }
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

    private func runByTiles(_ job: Job) -> Bool {
        let pieces = job.pool.threadCount
        let blocks = job.sums + pieces * sums.floats
        job.pool.parallel(pieces) { piece in
            let own = job.sums + piece * sums.floats
            let block = blocks + piece * blockFloats
            own.update(repeating: 0, count: sums.floats)
            for tiles in chunks(ThreadPool.range(piece, of: pieces, count: grid.count, grain: 1)) {
                transform(job, tiles, from: tiles.lowerBound, block, job.scratch(piece))
                for point in 0..<Winograd.points {
                    multiply(point, tiles.count, block, 0..<depth, own, accumulates: true)
                }
            }
        }
        return collectAll(job, pieces: pieces)
    }

    private func runByPoints(_ job: Job) -> Bool {
        let block = job.sums + sums.floats
        for tiles in chunks(0..<grid.count) {
            let isFirst = tiles.lowerBound == 0
            transformAll(job, tiles, block)
            job.pool.parallel(Winograd.points) { point in
                multiply(point, tiles.count, block, 0..<depth, job.sums, accumulates: !isFirst)
            }
        }
        return collectAll(job, pieces: 1)
    }

    private func runByChannels(_ job: Job) -> Bool {
        let block = job.sums + job.pool.threadCount * sums.floats
        transformAll(job, 0..<grid.count, block)
        let panels = Panels(channels: breadth)
        let isFinite = Atomic<Bool>(true)
        let steps = (depth + Self.blockDepth - 1) / Self.blockDepth
        job.pool.parallel(steps * panels.count) { index, worker in
            let (step, number) = index.quotientAndRemainder(dividingBy: panels.count)
            let panel = panels[number]
            let rows = step * Self.blockDepth..<min((step + 1) * Self.blockDepth, depth)
            let own = job.sums + worker * sums.floats
            for point in 0..<Winograd.points {
                multiplyPanel(point, grid.count, block, rows, panel.channel, panel.vectors, own, accumulates: false)
            }
            for vector in 0..<panel.vectors where panel.channel + vector * lanes < breadth {
                let sum = collect(
                    job, rows, panel.channel + vector * lanes, from: own + vector * lanes, pieces: 1)
                if !sum.isFinite { isFinite.store(false, ordering: .relaxed) }
            }
        }
        return isFinite.load(ordering: .relaxed)
    }

    private func chunks(_ range: Range<Int>) -> some Sequence<Range<Int>> {
        stride(from: range.lowerBound, to: range.upperBound, by: chunk).lazy.map {
            $0..<min($0 + chunk, range.upperBound)
        }
    }

    private func transformAll(_ job: Job, _ tiles: Range<Int>, _ block: UnsafeMutablePointer<Float>) {
        job.pool.parallel((tiles.count + 3) / 4) { piece, worker in
            let first = tiles.lowerBound + piece * 4
            transform(
                job, first..<min(first + 4, tiles.upperBound), from: tiles.lowerBound, block, job.scratch(worker))
        }
    }

    private func transform(
        _ job: Job, _ tiles: Range<Int>, from first: Int, _ block: UnsafeMutablePointer<Float>,
        _ scratch: UnsafeMutablePointer<Float>
    ) {
        let buffer = scratch + Winograd.points * lanes
        let smallBlock = block + Winograd.points * bigPlane
        for tile in tiles {
            let corner = grid.corner(tile)
            let patch = Patch(
                image: corner.image, y: corner.y - taps.padding.height, x: corner.x - taps.padding.width,
                size: Winograd.inputs)
            let target = block + (tile - first) * paddedDepth
            patch.read(job.big, of: taps.big, channels: depth, buffer: buffer) {
                base, rowStride, columnStride, channel in
                Winograd.inputTile(
                    base, rowStride: rowStride, columnStride: columnStride, into: target + channel,
                    planeStride: bigPlane, scratch: scratch)
            }
            let outputs = Patch(image: corner.image, y: corner.y, x: corner.x, size: Winograd.outputs)
            let smallTarget = smallBlock + (tile - first) * paddedBreadth
            outputs.read(job.small, of: taps.small, channels: breadth, buffer: buffer) {
                base, rowStride, columnStride, channel in
                Winograd.gradientTile(
                    base, rowStride: rowStride, columnStride: columnStride, into: smallTarget + channel,
                    planeStride: smallPlane, scratch: scratch)
            }
        }
    }

    private func multiply(
        _ point: Int, _ tiles: Int, _ block: UnsafePointer<Float>, _ rows: Range<Int>,
        _ target: UnsafeMutablePointer<Float>, accumulates: Bool
    ) {
        Panels(channels: breadth).walk { channel, vectors in
            multiplyPanel(
                point, tiles, block, rows, channel, vectors, target + channel, accumulates: accumulates)
        }
    }

    /// The products of one point and one panel for some input channels; `target` is where the panel of the first plane begins.
    private func multiplyPanel(
        _ point: Int, _ tiles: Int, _ block: UnsafePointer<Float>, _ rows: Range<Int>, _ channel: Int, _ vectors: Int,
        _ target: UnsafeMutablePointer<Float>, accumulates: Bool
    ) {
        let a = block + point * bigPlane + rows.lowerBound
        let b = block + Winograd.points * bigPlane + point * smallPlane + channel
        let c = target + point * sums.plane
        switch vectors {
        case 1: multiply(Panel1.self, tiles, a, rows.count, b, c, accumulates)
        case 2: multiply(Panel2.self, tiles, a, rows.count, b, c, accumulates)
        case 3: multiply(Panel3.self, tiles, a, rows.count, b, c, accumulates)
        default: multiply(Panel4.self, tiles, a, rows.count, b, c, accumulates)
        }
    }

    private func multiply<P: Panel>(
        _: P.Type, _ tiles: Int, _ a: UnsafePointer<Float>, _ rows: Int, _ b: UnsafePointer<Float>,
        _ c: UnsafeMutablePointer<Float>, _ accumulates: Bool
    ) {
        var row = 0
        while row < rows {
            MicroKernel<P>.multiplyTransposed(
                depth: tiles, a: a + row, aStride: paddedDepth, b: b, bStride: paddedBreadth, c: c + row * sums.breadth,
                cStride: sums.breadth, accumulates: accumulates)
            row += MicroKernel<P>.columns
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
        let (plane, step) = (sums.plane, sums.floats)
        func total(_ offset: Int) -> Vector {
            var sum = load(source + offset)
            for piece in 1..<max(1, pieces) where pieces > 1 { sum += load(source + piece * step + offset) }
            return sum
        }
        return withUnsafeTemporaryAllocation(of: Vector.self, capacity: 27) { scratch in
            var sum = Vector()
            for c in rows {
                let base = (c - rows.lowerBound) * sums.breadth
                for j in 0..<6 {
                    let r = Winograd.weightGradient(
                        total(j * plane + base), total((6 + j) * plane + base), total((12 + j) * plane + base),
                        total((18 + j) * plane + base), total((24 + j) * plane + base), total((30 + j) * plane + base))
                    (scratch[j], scratch[6 + j], scratch[12 + j]) = r
                }
                for i in 0..<3 {
                    let r = Winograd.weightGradient(
                        scratch[6 * i], scratch[6 * i + 1], scratch[6 * i + 2], scratch[6 * i + 3], scratch[6 * i + 4],
                        scratch[6 * i + 5])
                    sum += r.0 + r.1 + r.2
                    (scratch[18 + 3 * i], scratch[19 + 3 * i], scratch[20 + 3 * i]) = r
                }
                guard let first = scratch.baseAddress else { continue }
                let values = UnsafeRawPointer(first + 18).assumingMemoryBound(to: Float.self)
                for lane in 0..<count {
                    let target = job.dw + ((k + lane) * depth + c) * 9
                    for tap in 0..<9 { target[tap] = values[tap * lanes + lane] }
                }
            }
            return sum.sum()
        }
    }
}
