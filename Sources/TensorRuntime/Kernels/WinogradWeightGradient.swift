import Synchronization

/// The weight gradient of a 3×3 convolution of stride one in the Winograd domain (see `Winograd`).
///
/// Patches of the big image and of the small one are transformed, their products summed over all tiles, and the sums transformed
/// once. While the sums are small each thread keeps its own over its own range of tiles; with many channels all threads transform
/// a chunk of tiles together and each sums its own points. Both add up in a fixed order.
struct WinogradWeightGradient: Sendable {
    let taps: TapGeometry
    let grid: TileGrid
    let chunk: Int
    let isShared: Bool

    var depth: Int { taps.bigChannels }
    var breadth: Int { taps.smallChannels }
    var paddedDepth: Int { padded(depth) }
    var paddedBreadth: Int { padded(breadth) }

    init(_ taps: TapGeometry, threads: Int) {
        self.taps = taps
        grid = TileGrid(batch: taps.batch, size: taps.small)
        let channels = padded(taps.bigChannels) + padded(taps.smallChannels)
        let sums = 4 * Winograd.points * padded(taps.bigChannels) * padded(taps.smallChannels)
        isShared = sums > 1 << 20
        let cached = isShared ? 8 << 20 : 700 << 10
        let fitting = cached / (4 * Winograd.points * channels) / 4 * 4
        chunk = max(8, min(fitting, isShared ? (grid.count + 3) / 4 * 4 : 128))
    }

    private var bigPlane: Int { chunk * paddedDepth + lanes }
    private var smallPlane: Int { chunk * paddedBreadth + lanes }
    private var sumPlane: Int { paddedDepth * paddedBreadth + lanes }
    private var blockFloats: Int { Winograd.points * (bigPlane + smallPlane) }
    /// The sums of one thread: 36 planes and the sums of the small image's channels.
    private var sumFloats: Int { Winograd.points * sumPlane + paddedBreadth }
    private static let tileFloats = 2 * Winograd.points * lanes

    func workspaceFloats(threads: Int) -> Int {
        threads * Self.tileFloats + (isShared ? 1 : threads) * (blockFloats + sumFloats)
    }

    /// dw in PyTorch's order; `channelSums`, when given, receives the sums of the small image (a bias gradient). False when dw holds
    /// a value that is not finite.
    func run(
        big: Pixels, small: Pixels, into dw: UnsafeMutablePointer<Float>, channelSums: UnsafeMutablePointer<Float>?,
        workspace: UnsafeMutablePointer<Float>, pool: ThreadPool
    ) -> Bool {
        let pieces = isShared ? 1 : pool.threadCount
        let sums = workspace + pool.threadCount * Self.tileFloats
        let blocks = sums + pieces * sumFloats
        if isShared {
            runShared(big, small, sums: sums, block: blocks, workspace, pool)
        } else {
            pool.parallel(pieces) { piece in
                let own = sums + piece * sumFloats
                let block = blocks + piece * blockFloats
                own.update(repeating: 0, count: sumFloats)
                for tiles in chunks(ThreadPool.range(piece, of: pieces, count: grid.count, grain: 1)) {
                    transform(big, small, tiles, from: tiles.lowerBound, block, workspace + piece * Self.tileFloats)
                    for point in 0..<Winograd.points { multiply(point, tiles.count, block, own) }
                    addChannels(tiles.count, block, own, 0..<paddedBreadth / lanes)
                }
            }
        }
        let isFinite = Atomic<Bool>(true)
        pool.parallel(paddedBreadth / lanes) { vector in
            let sum = collect(vector * lanes, pieces, sums, into: dw, channelSums: channelSums)
            if !sum.isFinite { isFinite.store(false, ordering: .relaxed) }
        }
        return isFinite.load(ordering: .relaxed)
    }

    private func chunks(_ range: Range<Int>) -> some Sequence<Range<Int>> {
        stride(from: range.lowerBound, to: range.upperBound, by: chunk).lazy.map {
            $0..<min($0 + chunk, range.upperBound)
        }
    }

    private func runShared(
        _ big: Pixels, _ small: Pixels, sums: UnsafeMutablePointer<Float>, block: UnsafeMutablePointer<Float>,
        _ workspace: UnsafeMutablePointer<Float>, _ pool: ThreadPool
    ) {
        for tiles in chunks(0..<grid.count) {
            let isFirst = tiles.lowerBound == 0
            pool.parallel((tiles.count + 3) / 4) { piece, worker in
                let first = tiles.lowerBound + piece * 4
                transform(
                    big, small, first..<min(first + 4, tiles.upperBound), from: tiles.lowerBound, block,
                    workspace + worker * Self.tileFloats)
            }
            pool.parallel(Winograd.points) { point in
                if isFirst { (sums + point * sumPlane).update(repeating: 0, count: sumPlane) }
                multiply(point, tiles.count, block, sums)
            }
            if isFirst { (sums + Winograd.points * sumPlane).update(repeating: 0, count: paddedBreadth) }
            addChannels(tiles.count, block, sums, 0..<paddedBreadth / lanes)
        }
    }

    private func transform(
        _ big: Pixels, _ small: Pixels, _ tiles: Range<Int>, from first: Int, _ block: UnsafeMutablePointer<Float>,
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
            patch.read(big, of: taps.big, channels: depth, buffer: buffer) { base, rowStride, columnStride, channel in
                Winograd.inputTile(
                    base, rowStride: rowStride, columnStride: columnStride, into: target + channel,
                    planeStride: bigPlane, scratch: scratch)
            }
            let outputs = Patch(image: corner.image, y: corner.y, x: corner.x, size: Winograd.outputs)
            let smallTarget = smallBlock + (tile - first) * paddedBreadth
            outputs.read(small, of: taps.small, channels: breadth, buffer: buffer) {
                base, rowStride, columnStride, channel in
                Winograd.gradientTile(
                    base, rowStride: rowStride, columnStride: columnStride, into: smallTarget + channel,
                    planeStride: smallPlane, scratch: scratch)
            }
        }
    }

    private func multiply(
        _ point: Int, _ tiles: Int, _ block: UnsafePointer<Float>, _ sums: UnsafeMutablePointer<Float>
    ) {
        let a = block + point * bigPlane
        let b = block + Winograd.points * bigPlane + point * smallPlane
        let c = sums + point * sumPlane
        Panels(channels: breadth).walk { channel, vectors in
            switch vectors {
            case 1: multiply(Panel1.self, tiles, a, b + channel, c + channel)
            case 2: multiply(Panel2.self, tiles, a, b + channel, c + channel)
            case 3: multiply(Panel3.self, tiles, a, b + channel, c + channel)
            default: multiply(Panel4.self, tiles, a, b + channel, c + channel)
            }
        }
    }

    private func multiply<P: Panel>(
        _: P.Type, _ tiles: Int, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ c: UnsafeMutablePointer<Float>
    ) {
        var row = 0
        while row < depth {
            MicroKernel<P>.multiplyTransposed(
                depth: tiles, a: a + row, aStride: paddedDepth, b: b, bStride: paddedBreadth,
                c: c + row * paddedBreadth,
                cStride: paddedBreadth)
            row += MicroKernel<P>.columns
        }
    }

    /// The product at points (1, 1) is the plain sum of the pixels of a tile.
    private func addChannels(
        _ tiles: Int, _ block: UnsafePointer<Float>, _ sums: UnsafeMutablePointer<Float>, _ vectors: Range<Int>
    ) {
        let plane = block + Winograd.points * bigPlane + 7 * smallPlane
        for vector in vectors {
            var sum = Vector()
            for tile in 0..<tiles { sum += load(plane + tile * paddedBreadth + vector * lanes) }
            let target = sums + Winograd.points * sumPlane + vector * lanes
            store(load(target) + sum, target)
        }
    }

    /// Adds up the threads' sums for sixteen output channels, transforms them, and writes them in PyTorch's order; returns a number
    /// that is finite only when all of them are.
    private func collect(
        _ k: Int, _ pieces: Int, _ sums: UnsafePointer<Float>, into dw: UnsafeMutablePointer<Float>,
        channelSums: UnsafeMutablePointer<Float>?
    ) -> Float {
        let count = min(lanes, breadth - k)
        func total(_ offset: Int) -> Vector {
            var sum = load(sums + offset)
            for piece in 1..<max(1, pieces) where pieces > 1 { sum += load(sums + piece * sumFloats + offset) }
            return sum
        }
        if let channelSums { store(total(Winograd.points * sumPlane + k), channelSums + k, upTo: count) }
        return withUnsafeTemporaryAllocation(of: Vector.self, capacity: 18) { scratch in
            var sum = Vector()
            for c in 0..<depth {
                let base = c * paddedBreadth + k
                for j in 0..<6 {
                    let r = Winograd.weightGradient(
                        total(j * sumPlane + base), total((6 + j) * sumPlane + base), total((12 + j) * sumPlane + base),
                        total((18 + j) * sumPlane + base), total((24 + j) * sumPlane + base),
                        total((30 + j) * sumPlane + base))
                    (scratch[j], scratch[6 + j], scratch[12 + j]) = r
                }
                for i in 0..<3 {
                    let r = Winograd.weightGradient(
                        scratch[6 * i], scratch[6 * i + 1], scratch[6 * i + 2], scratch[6 * i + 3], scratch[6 * i + 4],
                        scratch[6 * i + 5])
                    sum += r.0 + r.1 + r.2
                    for lane in 0..<count {
                        let target = dw + ((k + lane) * depth + c) * 9 + 3 * i
                        (target[0], target[1], target[2]) = (r.0[lane], r.1[lane], r.2[lane])
                    }
                }
            }
            return sum.sum()
        }
    }
}
