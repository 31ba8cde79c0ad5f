import Synchronization

/// A 3×3 convolution of stride one by F(4×4, 3×3), in either direction.
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
    /// Tiles that are worked on together, and whether by all threads.
    let chunk: Int
    let isShared: Bool

    var paddedDepth: Int { padded(depth) }
    var paddedBreadth: Int { padded(breadth) }

    init(_ taps: TapGeometry, scatters: Bool, threads: Int) {
        self.scatters = scatters
        input = scatters ? taps.small : taps.big
        grid = TileGrid(batch: taps.batch, size: scatters ? taps.big : taps.small)
        padding = scatters ? Extent(2 - taps.padding.height, 2 - taps.padding.width) : taps.padding
        depth = scatters ? taps.smallChannels : taps.bigChannels
        breadth = scatters ? taps.bigChannels : taps.smallChannels
        let channels = padded(depth) + padded(breadth)
        let weights = 4 * Winograd.points * depth * padded(breadth)
        isShared = weights > 3 << 20 || grid.count < 24 * threads
        let cached = isShared ? 12 << 20 : 800 << 10
        let fitting = cached / (4 * Winograd.points * channels) / 12 * 12
        let even = (grid.count + threads - 1) / threads
        let limit = isShared ? grid.count : (even + 11) / 12 * 12
        chunk = max(12, min(min(fitting, isShared ? 1 << 20 : 96), (limit + 11) / 12 * 12))
    }

    /// Distance between the planes of the 36 products: one line more than the tiles take, so that planes do not share cache sets.
    private var inputPlane: Int { chunk * paddedDepth + lanes }
    private var outputPlane: Int { chunk * paddedBreadth + lanes }
    private var weightPlane: Int { depth * paddedBreadth + lanes }
    private var blockFloats: Int { Winograd.points * (inputPlane + outputPlane) + 12 * paddedDepth }
    /// A patch of 6×6 vectors and the transform's own 36.
    private static let tileFloats = 2 * Winograd.points * lanes

    var packedCount: Int { Winograd.points * weightPlane }

    func workspaceFloats(threads: Int) -> Int {
        threads * Self.tileFloats + (isShared ? 1 : threads) * blockFloats
    }

    /// G g Gᵀ of all weights: point, panel, input channel, lane.
    func pack(_ weights: UnsafePointer<Float>, into packed: UnsafeMutablePointer<Float>, pool: ThreadPool) {
        pool.parallel(paddedBreadth / lanes) { vector in
            withUnsafeTemporaryAllocation(of: Vector.self, capacity: 18) { scratch in
                for c in 0..<depth { packWeights(weights, into: packed, vector * lanes, c, scratch) }
            }
        }
    }

    private func packWeights(
        _ weights: UnsafePointer<Float>, into packed: UnsafeMutablePointer<Float>, _ k: Int, _ c: Int,
        _ scratch: UnsafeMutableBufferPointer<Vector>
    ) {
        let count = min(lanes, breadth - k)
        let step = scatters ? 9 : depth * 9
        let source = weights + (scatters ? (c * breadth + k) * 9 : (k * depth + c) * 9)
        for j in 0..<3 {
            let r = Winograd.weight(
                gather(source, j, step, count), gather(source, 3 + j, step, count), gather(source, 6 + j, step, count))
            (scratch[j], scratch[3 + j], scratch[6 + j]) = (r.0, r.1, r.2)
            (scratch[9 + j], scratch[12 + j], scratch[15 + j]) = (r.3, r.4, r.5)
        }
        let panel = Panels(channels: breadth)[k / 64]
        let target = packed + panel.channel * depth + c * panel.vectors * lanes + (k - panel.channel)
        for i in 0..<6 {
            let r = Winograd.weight(scratch[3 * i], scratch[3 * i + 1], scratch[3 * i + 2])
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
        let isFinite = Atomic<Bool>(true)
        let blocks = workspace + pool.threadCount * Self.tileFloats
        let chunks = (grid.count + chunk - 1) / chunk
        if !isShared {
            pool.parallel(chunks) { index, worker in
                let tiles = index * chunk..<min((index + 1) * chunk, grid.count)
                let block = blocks + worker * blockFloats
                let scratch = workspace + worker * Self.tileFloats
                let products = block + Winograd.points * inputPlane + 12 * paddedDepth
                transform(x, tiles, from: tiles.lowerBound, into: block, scratch)
                for point in 0..<Winograd.points { multiply(point, tiles.count, block, packed, products) }
                let sum = restore(products, tiles, from: tiles.lowerBound, bias, relu, into: y, scratch)
                if !sum.isFinite { isFinite.store(false, ordering: .relaxed) }
            }
            return isFinite.load(ordering: .relaxed)
        }
        for index in 0..<chunks {
            let tiles = index * chunk..<min((index + 1) * chunk, grid.count)
            let products = blocks + Winograd.points * inputPlane + 12 * paddedDepth
            let pieces = (tiles.count + 3) / 4
            pool.parallel(pieces) { piece, worker in
                let part = tiles.lowerBound + piece * 4..<min(tiles.lowerBound + piece * 4 + 4, tiles.upperBound)
                transform(x, part, from: tiles.lowerBound, into: blocks, workspace + worker * Self.tileFloats)
            }
            pool.parallel(Winograd.points) { multiply($0, tiles.count, blocks, packed, products) }
            pool.parallel(pieces) { piece, worker in
                let part = tiles.lowerBound + piece * 4..<min(tiles.lowerBound + piece * 4 + 4, tiles.upperBound)
                let scratch = workspace + worker * Self.tileFloats
                let sum = restore(products, part, from: tiles.lowerBound, bias, relu, into: y, scratch)
                if !sum.isFinite { isFinite.store(false, ordering: .relaxed) }
            }
        }
        return isFinite.load(ordering: .relaxed)
    }

    private func transform(
        _ x: Pixels, _ tiles: Range<Int>, from first: Int, into block: UnsafeMutablePointer<Float>,
        _ scratch: UnsafeMutablePointer<Float>
    ) {
        let buffer = scratch + Winograd.points * lanes
        for tile in tiles {
            let corner = grid.corner(tile)
            let patch = Patch(
                image: corner.image, y: corner.y - padding.height, x: corner.x - padding.width, size: Winograd.inputs)
            let target = block + (tile - first) * paddedDepth
            patch.read(x, of: input, channels: depth, buffer: buffer) { base, rowStride, columnStride, channel in
                Winograd.inputTile(
                    base, rowStride: rowStride, columnStride: columnStride, into: target + channel,
                    planeStride: inputPlane, scratch: scratch)
            }
        }
    }

    private func multiply(
        _ point: Int, _ tiles: Int, _ block: UnsafePointer<Float>, _ packed: UnsafePointer<Float>,
        _ products: UnsafeMutablePointer<Float>
    ) {
        let a = block + point * inputPlane
        let b = packed + point * weightPlane
        let c = products + point * outputPlane
        Panels(channels: breadth).walk { channel, vectors in
            let panel = b + channel * depth
            switch vectors {
            case 1: multiply(Panel1.self, tiles, a, panel, c + channel)
            case 2: multiply(Panel2.self, tiles, a, panel, c + channel)
            case 3: multiply(Panel3.self, tiles, a, panel, c + channel)
            default: multiply(Panel4.self, tiles, a, panel, c + channel)
            }
        }
    }

    private func multiply<P: Panel>(
        _: P.Type, _ tiles: Int, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ c: UnsafeMutablePointer<Float>
    ) {
        withUnsafeTemporaryAllocation(of: Run.self, capacity: 1) { one in
            one[0] = Run(a: 0, b: 0)
            var row = 0
            while row < tiles {
                MicroKernel<P>.multiply(
                    UnsafeBufferPointer(one), length: depth, a: a + row * paddedDepth, aStride: paddedDepth, b: b,
                    c: c + row * paddedBreadth, cStride: paddedBreadth, Epilogue())
                row += MicroKernel<P>.rows
            }
        }
    }

    /// Transforms the products of tiles back; the result is finite only when all outputs are.
    private func restore(
        _ products: UnsafePointer<Float>, _ tiles: Range<Int>, from first: Int, _ bias: UnsafePointer<Float>?,
        _ relu: Bool, into y: Pixels, _ scratch: UnsafeMutablePointer<Float>
    ) -> Float {
        let buffer = scratch + Winograd.points * lanes
        var sum = Vector()
        for tile in tiles {
            let corner = grid.corner(tile)
            let isInside = corner.y + 4 <= grid.size.height && corner.x + 4 <= grid.size.width
            let base = ((corner.image * grid.size.height + corner.y) * grid.size.width + corner.x) * y.stride
            let source = products + (tile - first) * paddedBreadth
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
