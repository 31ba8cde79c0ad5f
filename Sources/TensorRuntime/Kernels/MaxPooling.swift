/// The geometry of a max pooling over images N H W C.
package struct PoolingShape: Hashable, Sendable {
    package var batch: Int
    package var height: Int
    package var width: Int
    package var channels: Int
    package var kernel: Extent
    package var stride: Extent
    package var padding: Extent
    package var dilation: Extent
    package var ceilMode: Bool

    package init(
        batch: Int, height: Int, width: Int, channels: Int, kernel: Extent, stride: Extent, padding: Extent = Extent(0),
        dilation: Extent = Extent(1), ceilMode: Bool = false
    ) {
        self.batch = batch
        self.height = height
        self.width = width
        self.channels = channels
        self.kernel = kernel
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
        self.ceilMode = ceilMode
    }

    package var outputHeight: Int {
        outputSize(height, kernel.height, stride.height, padding.height, dilation.height)
    }

    package var outputWidth: Int {
        outputSize(width, kernel.width, stride.width, padding.width, dilation.width)
    }

    /// A window may hang over the end in ceil mode, but it must start inside the image or its left padding.
    private func outputSize(_ size: Int, _ kernel: Int, _ stride: Int, _ padding: Int, _ dilation: Int) -> Int {
        let room = size + 2 * padding - dilation * (kernel - 1) - 1
        guard room >= 0 else { return 0 }
        var count = (ceilMode ? (room + stride - 1) / stride : room / stride) + 1
        if ceilMode, (count - 1) * stride >= size + padding { count -= 1 }
        return count
    }
}

/// Max pooling and its gradient.
package enum MaxPooling {
    private typealias Winners = SIMD16<Int32>

    /// y: N H' W' C; `winners` (as many elements as y, densely stored) receives the pixel of its image, y · W + x, that won.
    /// The first of equal values wins, and a value that is not a number wins over all numbers, as in PyTorch.
    package static func forward(
        _ shape: PoolingShape, _ x: Pixels, into y: Pixels, winners: UnsafeMutablePointer<Int32>?, pool: ThreadPool
    ) {
        pool.parallel(shape.batch * shape.outputHeight, with: (shape, x, y, winners)) { job, row, _ in
            let (shape, x, y, winners) = job
            let w = shape.outputWidth
            let (n, oy) = row.quotientAndRemainder(dividingBy: shape.outputHeight)
            let image = x.base + n * shape.height * shape.width * x.stride
            for ox in 0..<w {
                let output = row * w + ox
                for channel in stride(from: 0, to: shape.channels, by: lanes) {
                    let count = shape.channels - channel
                    let (best, winner) = window(shape, image + channel, x.stride, oy, ox, count)
                    store(best, y.base + output * y.stride + channel, upTo: count)
                    guard let winners else { continue }
                    storeWinners(winner, winners + output * shape.channels + channel, upTo: count)
                }
            }
        }
    }

    /// The largest values of one window and the pixels where they lie.
    @inline(__always)
    private static func window(
        _ shape: PoolingShape, _ image: UnsafePointer<Float>, _ pixelStride: Int, _ oy: Int, _ ox: Int, _ count: Int
    ) -> (Vector, Winners) {
        let (top, left) = (
            oy &* shape.stride.height &- shape.padding.height, ox &* shape.stride.width &- shape.padding.width
        )
        var best = Vector(repeating: -.infinity)
        var winner = Winners(repeating: -1)
        for i in 0..<shape.kernel.height {
            let iy = top &+ i &* shape.dilation.height
            guard iy >= 0, iy < shape.height else { continue }
            for j in 0..<shape.kernel.width {
                let ix = left &+ j &* shape.dilation.width
                guard ix >= 0, ix < shape.width else { continue }
                let pixel = iy &* shape.width &+ ix
                let value = load(image + pixel &* pixelStride, upTo: count)
                let wins = (value .> best) .| (value .!= value) .| (winner .< Winners())
                best.replace(with: value, where: wins)
                winner.replace(with: Winners(repeating: Int32(truncatingIfNeeded: pixel)), where: wins)
            }
        }
        return (best, winner)
    }

    /// dx from dy and the winners of the forward pass; dx is overwritten, or with `adds` added to.
    package static func backward(
        _ shape: PoolingShape, _ dy: Pixels, winners: UnsafePointer<Int32>, into dx: Pixels, adds: Bool = false,
        pool: ThreadPool
    ) {
        let isTiling =
            shape.stride == shape.kernel && shape.dilation == Extent(1) && shape.padding == Extent(0)
            && shape.outputHeight * shape.kernel.height == shape.height
            && shape.outputWidth * shape.kernel.width == shape.width
        if isTiling {
            tile(shape, dy, winners, into: dx, adds, pool)
        } else {
            scatter(shape, dy, winners, into: dx, adds, pool)
        }
    }

    /// Windows that cover the image without overlap: each pixel receives its window's gradient or zero.
    private static func tile(
        _ shape: PoolingShape, _ dy: Pixels, _ winners: UnsafePointer<Int32>, into dx: Pixels, _ adds: Bool,
        _ pool: ThreadPool
    ) {
        pool.parallel(shape.batch * shape.outputHeight, with: (shape, dy, winners, dx, adds)) { job, row, _ in
            let (shape, dy, winners, dx, adds) = job
            let w = shape.outputWidth
            let (n, oy) = row.quotientAndRemainder(dividingBy: shape.outputHeight)
            let image = dx.base + n * shape.height * shape.width * dx.stride
            for ox in 0..<w {
                let output = row * w + ox
                for channel in stride(from: 0, to: shape.channels, by: lanes) {
                    let count = shape.channels - channel
                    let gradient = load(dy.base + output * dy.stride + channel, upTo: count)
                    let winner = loadWinners(winners + output * shape.channels + channel, upTo: count)
                    for i in 0..<shape.kernel.height {
                        for j in 0..<shape.kernel.width {
                            let pixel = (oy &* shape.kernel.height &+ i) &* shape.width &+ ox &* shape.kernel.width &+ j
                            let here = winner .== Winners(repeating: Int32(truncatingIfNeeded: pixel))
                            let target = image + (pixel &* dx.stride &+ channel)
                            let own = Vector().replacing(with: gradient, where: here)
                            store(adds ? load(target, upTo: count) + own : own, target, upTo: count)
                        }
                    }
                }
            }
        }
    }

    @inline(__always)
    private static func loadWinners(_ pointer: UnsafePointer<Int32>, upTo count: Int) -> Winners {
        if count >= lanes { return UnsafeRawPointer(pointer).loadUnaligned(as: Winners.self) }
        var winner = Winners(repeating: -1)
        for lane in 0..<count { winner[lane] = pointer[lane] }
        return winner
    }

    @inline(__always)
    private static func storeWinners(_ winner: Winners, _ pointer: UnsafeMutablePointer<Int32>, upTo count: Int) {
        if count >= lanes {
            UnsafeMutableRawPointer(pointer).storeBytes(of: winner, as: Winners.self)
        } else {
            for lane in 0..<count { pointer[lane] = winner[lane] }
        }
    }

    /// Any windows: gradients are added where they belong, one image a thread at a time.
    private static func scatter(
        _ shape: PoolingShape, _ dy: Pixels, _ winners: UnsafePointer<Int32>, into dx: Pixels, _ adds: Bool,
        _ pool: ThreadPool
    ) {
        pool.parallel(shape.batch, with: (shape, dy, winners, dx, adds)) { job, n, _ in
            let (shape, dy, winners, dx, adds) = job
            let outputs = shape.outputHeight * shape.outputWidth
            let inputs = shape.height * shape.width
            for pixel in n * inputs..<(n + 1) * inputs where !adds {
                (dx.base + pixel * dx.stride).update(repeating: 0, count: shape.channels)
            }
            for output in n * outputs..<(n + 1) * outputs {
                for c in 0..<shape.channels {
                    let place = Int(winners[output * shape.channels + c])
                    guard place >= 0 else { continue }
                    let winner = n * inputs + place
                    dx.base[winner * dx.stride + c] += dy.base[output * dy.stride + c]
                }
            }
        }
    }
}
