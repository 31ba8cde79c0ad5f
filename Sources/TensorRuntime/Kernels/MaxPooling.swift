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
    /// y: N H' W' C; `winners` (as many elements as y, densely stored) receives the pixel of its image, y · W + x, that won.
    /// The first of equal values wins, and a value that is not a number wins over all numbers, as in PyTorch.
    package static func forward(
        _ shape: PoolingShape, _ x: Pixels, into y: Pixels, winners: UnsafeMutablePointer<Int32>?, pool: ThreadPool
    ) {
        let (h, w) = (shape.outputHeight, shape.outputWidth)
        pool.parallel(shape.batch * h) { row in
            let (n, oy) = (row / h, row % h)
            for ox in 0..<w {
                let output = row * w + ox
                for c in 0..<shape.channels {
                    var best = -Float.infinity
                    var winner = -1
                    for i in 0..<shape.kernel.height {
                        let iy = oy * shape.stride.height - shape.padding.height + i * shape.dilation.height
                        guard iy >= 0, iy < shape.height else { continue }
                        for j in 0..<shape.kernel.width {
                            let ix = ox * shape.stride.width - shape.padding.width + j * shape.dilation.width
                            guard ix >= 0, ix < shape.width else { continue }
                            let pixel = iy * shape.width + ix
                            let value = x.base[(n * shape.height * shape.width + pixel) * x.stride + c]
                            if winner < 0 || value > best || value.isNaN { (best, winner) = (value, pixel) }
                        }
                    }
                    y.base[output * y.stride + c] = best
                    winners?[output * shape.channels + c] = Int32(winner)
                }
            }
        }
    }

    /// dx from dy and the winners of the forward pass; dx is overwritten.
    package static func backward(
        _ shape: PoolingShape, _ dy: Pixels, winners: UnsafePointer<Int32>, into dx: Pixels, pool: ThreadPool
    ) {
        let outputs = shape.outputHeight * shape.outputWidth
        let inputs = shape.height * shape.width
        pool.parallel(shape.batch) { n in
            for pixel in n * inputs..<(n + 1) * inputs {
                for c in 0..<shape.channels { dx.base[pixel * dx.stride + c] = 0 }
            }
            for output in n * outputs..<(n + 1) * outputs {
                for c in 0..<shape.channels {
                    let winner = n * inputs + Int(winners[output * shape.channels + c])
                    dx.base[winner * dx.stride + c] += dy.base[output * dy.stride + c]
                }
            }
        }
    }
}
