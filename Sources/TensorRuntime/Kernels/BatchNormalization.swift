/// Batch normalization over images N H W C, in training (statistics of the batch) and in evaluation (running statistics).
///
/// With `relu`, y = max(0, batch_norm(x)) is computed in the same pass, and the backward pass masks dy itself: it recomputes
/// the sign from x, so y is not needed. `negativeSlope` makes it a leaky ReLU.
package enum BatchNormalization {
    /// Bytes of scratch memory for every function here; aligned to 64 bytes.
    package static func workspaceBytes(pixels: Int, channels: Int, threads: Int) -> Int {
        4 * padded(channels) * (4 + 2 * threads)
    }

    /// y = (x - mean) · gamma / sqrt(variance + epsilon) + beta, with mean and biased variance of the batch.
    ///
    /// Saves per channel the mean, the *biased* variance (multiply by pixels / (pixels - 1) for the running one), and
    /// 1 / sqrt(variance + epsilon).
    package static func forward(
        _ x: Pixels, pixels: Int, channels: Int, gamma: UnsafePointer<Float>?, beta: UnsafePointer<Float>?,
        epsilon: Float, relu: Bool, negativeSlope: Float = 0, into y: Pixels, mean: UnsafeMutablePointer<Float>,
        variance: UnsafeMutablePointer<Float>, inverseDeviation: UnsafeMutablePointer<Float>,
        workspace: UnsafeMutableRawPointer, pool: ThreadPool
    ) {
        moments(
            x, pixels: pixels, channels: channels, mean: mean, variance: variance,
            workspace: workspace.assumingMemoryBound(to: Float.self), pool: pool)
        for c in 0..<channels {
            inverseDeviation[c] = Float(1 / (Double(variance[c]) + Double(epsilon)).squareRoot())
        }
        apply(
            x, pixels: pixels, channels: channels, gamma: gamma, beta: beta, mean: mean,
            inverseDeviation: inverseDeviation, relu: relu, negativeSlope: negativeSlope, into: y, workspace: workspace,
            pool: pool)
    }

    /// y = (x - mean) · gamma · inverseDeviation + beta with given statistics: evaluation.
    package static func apply(
        _ x: Pixels, pixels: Int, channels: Int, gamma: UnsafePointer<Float>?, beta: UnsafePointer<Float>?,
        mean: UnsafePointer<Float>, inverseDeviation: UnsafePointer<Float>, relu: Bool, negativeSlope: Float = 0,
        into y: Pixels, workspace: UnsafeMutableRawPointer, pool: ThreadPool
    ) {
        let scale = workspace.assumingMemoryBound(to: Float.self)
        let shift = scale + padded(channels)
        affine(channels, gamma, beta, mean, inverseDeviation, scale: scale, shift: shift)
        let form = (channels, relu, negativeSlope)
        pool.parallelRanges(pixels, with: (x, y, scale, shift, form)) { job, range in
            let (x, y, scale, shift, (channels, relu, negativeSlope)) = job
            for chunk in chunks(range, channels: channels) {
                for channel in stride(from: 0, to: channels, by: lanes) {
                    let count = channels - channel
                    let (a, b) = (load(scale + channel), load(shift + channel))
                    for pixel in chunk {
                        let value = multiplyAdd(b, load(x.base + (pixel &* x.stride &+ channel), upTo: count), a)
                        store(
                            relu ? rectified(value, negativeSlope) : value, y.base + (pixel &* y.stride &+ channel),
                            upTo: count)
                    }
                }
            }
        }
    }

    /// dx, dgamma and dbeta of the training form from x, dy and the saved statistics; all are overwritten. dy is the gradient
    /// after the ReLU when `relu`. `dx` may be the same memory as `dy`.
    package static func backward(
        _ x: Pixels, _ dy: Pixels, pixels: Int, channels: Int, gamma: UnsafePointer<Float>?,
        beta: UnsafePointer<Float>?, mean: UnsafePointer<Float>, inverseDeviation: UnsafePointer<Float>, relu: Bool,
        negativeSlope: Float = 0, into dx: Pixels, dgamma: UnsafeMutablePointer<Float>?,
        dbeta: UnsafeMutablePointer<Float>?,
        workspace: UnsafeMutableRawPointer, pool: ThreadPool
    ) {
        let width = padded(channels)
        let scale = workspace.assumingMemoryBound(to: Float.self)
        let shift = scale + width
        let slope = shift + width
        let center = slope + width
        let partial = center + width
        affine(channels, gamma, beta, mean, inverseDeviation, scale: scale, shift: shift)
        slope.update(repeating: 0, count: 2 * width)
        center.update(from: mean, count: channels)
        let form = Backward(
            x: x, dy: dy, channels: channels, relu: relu, negativeSlope: negativeSlope, scale: scale, shift: shift,
            center: center)
        let pieces = pool.threadCount
        pool.parallel(pieces, with: (form, partial, (pieces, pixels))) { job, piece, _ in
            let (form, partial, (pieces, pixels)) = job
            let width = padded(form.channels)
            let sums = partial + piece * 2 * width
            sums.update(repeating: 0, count: 2 * width)
            let range = ThreadPool.range(piece, of: pieces, count: pixels, grain: 1)
            for chunk in chunks(range, channels: form.channels) { form.accumulate(chunk, into: sums, width: width) }
        }
        for c in 0..<channels {
            var (sum, product) = (0.0, 0.0)
            for piece in 0..<pieces {
                sum += Double(partial[piece * 2 * width + c])
                product += Double(partial[piece * 2 * width + width + c])
            }
            let deviation = Double(inverseDeviation[c])
            dgamma?[c] = Float(product * deviation)
            dbeta?[c] = Float(sum)
            slope[c] = Float(-Double(scale[c]) * product * deviation * deviation / Double(pixels))
            partial[c] = Float(-Double(scale[c]) * sum / Double(pixels))
        }
        pool.parallelRanges(pixels, with: (form, slope, partial, dx)) { job, range in
            let (form, slope, partial, dx) = job
            for chunk in chunks(range, channels: form.channels) {
                form.finish(chunk, slope: slope, offset: partial, into: dx)
            }
        }
    }

    /// scale = gamma · inverseDeviation, shift = beta - mean · scale, zeros in the padding.
    private static func affine(
        _ channels: Int, _ gamma: UnsafePointer<Float>?, _ beta: UnsafePointer<Float>?, _ mean: UnsafePointer<Float>,
        _ inverseDeviation: UnsafePointer<Float>, scale: UnsafeMutablePointer<Float>, shift: UnsafeMutablePointer<Float>
    ) {
        for c in 0..<padded(channels) {
            guard c < channels else {
                (scale[c], shift[c]) = (0, 0)
                continue
            }
            scale[c] = (gamma?[c] ?? 1) * inverseDeviation[c]
            shift[c] = (beta?[c] ?? 0) - mean[c] * scale[c]
        }
    }

    /// Cuts pixels into pieces that stay in the first-level cache.
    @inline(__always)
    private static func chunks(_ range: Range<Int>, channels: Int) -> some Sequence<Range<Int>> {
        let size = max(16, 4096 / padded(channels))
        return stride(from: range.lowerBound, to: range.upperBound, by: size).lazy.map {
            $0..<min($0 + size, range.upperBound)
        }
    }
}

extension BatchNormalization {
    /// Mean and biased variance of each channel in one pass over memory: each chunk is centred on its own mean while it is in cache,
    /// and chunks are merged by the formula of Chan, Golub and LeVeque (1983).
    private static func moments(
        _ x: Pixels, pixels: Int, channels: Int, mean: UnsafeMutablePointer<Float>,
        variance: UnsafeMutablePointer<Float>, workspace: UnsafeMutablePointer<Float>, pool: ThreadPool
    ) {
        let width = padded(channels)
        let pieces = pool.threadCount
        pool.parallel(pieces, with: (x, (pieces, pixels, channels), workspace)) { job, piece, _ in
            let (x, (pieces, pixels, channels), workspace) = job
            let width = padded(channels)
            let means = workspace + piece * 2 * width
            means.update(repeating: 0, count: 2 * width)
            let range = ThreadPool.range(piece, of: pieces, count: pixels, grain: 1)
            for chunk in chunks(range, channels: channels) {
                for channel in stride(from: 0, to: channels, by: lanes) {
                    merge(
                        x, chunk, seen: chunk.lowerBound - range.lowerBound, channel: channel,
                        count: channels - channel,
                        means: means + channel, squares: means + width + channel)
                }
            }
        }
        for c in 0..<channels {
            var (count, center, squares) = (0.0, 0.0, 0.0)
            for piece in 0..<pieces {
                let size = Double(ThreadPool.range(piece, of: pieces, count: pixels, grain: 1).count)
                guard size > 0 else { continue }
                let difference = Double(workspace[piece * 2 * width + c]) - center
                count += size
                center += difference * size / count
                squares += Double(workspace[piece * 2 * width + width + c])
                squares += difference * difference * size * (count - size) / count
            }
            mean[c] = Float(center)
            variance[c] = Float(squares / count)
        }
    }

    @inline(__always)
    private static func merge(
        _ x: Pixels, _ chunk: Range<Int>, seen: Int, channel: Int, count: Int, means: UnsafeMutablePointer<Float>,
        squares: UnsafeMutablePointer<Float>
    ) {
        let base = x.base + channel
        var sum = Vector()
        for pixel in chunk { sum += load(base + pixel &* x.stride, upTo: count) }
        let size = Float(chunk.count)
        let center = sum * (1 / size)
        var square = Vector()
        for pixel in chunk {
            let difference = load(base + pixel &* x.stride, upTo: count) - center
            square = multiplyAdd(square, difference, difference)
        }
        let difference = center - load(means)
        let total = size + Float(seen)
        store(load(means) + difference * (size / total), means)
        store(load(squares) + square + difference * difference * (size * Float(seen) / total), squares)
    }

    /// What both passes of the gradient read.
    private struct Backward {
        let x: Pixels
        let dy: Pixels
        let channels: Int
        let relu: Bool
        let negativeSlope: Float
        let scale: UnsafeMutablePointer<Float>
        let shift: UnsafeMutablePointer<Float>
        let center: UnsafeMutablePointer<Float>

        /// dy where the ReLU let the value pass.
        @inline(__always)
        private func masked(_ gradient: Vector, _ value: Vector, _ scale: Vector, _ shift: Vector) -> Vector {
            guard relu else { return gradient }
            let isNegative = multiplyAdd(shift, value, scale) .<= Vector()
            if negativeSlope == 0 { return gradient.replacing(with: Vector(), where: isNegative) }
            return gradient.replacing(with: gradient * negativeSlope, where: isNegative)
        }

        /// Adds Σ g and Σ g · (x - mean).
        @inline(__always)
        func accumulate(_ chunk: Range<Int>, into sums: UnsafeMutablePointer<Float>, width: Int) {
            for channel in stride(from: 0, to: channels, by: lanes) {
                let count = channels - channel
                let (a, b, m) = (load(scale + channel), load(shift + channel), load(center + channel))
                var sum = Vector()
                var product = Vector()
                for pixel in chunk {
                    let value = load(x.base + (pixel &* x.stride &+ channel), upTo: count)
                    let gradient = masked(load(dy.base + (pixel &* dy.stride &+ channel), upTo: count), value, a, b)
                    sum += gradient
                    product = multiplyAdd(product, gradient, value - m)
                }
                store(load(sums + channel) + sum, sums + channel)
                store(load(sums + width + channel) + product, sums + width + channel)
            }
        }

        /// dx = scale · g + slope · (x - mean) + offset.
        @inline(__always)
        func finish(
            _ chunk: Range<Int>, slope: UnsafePointer<Float>, offset: UnsafePointer<Float>, into dx: Pixels
        ) {
            for channel in stride(from: 0, to: channels, by: lanes) {
                let count = channels - channel
                let (a, b, m) = (load(scale + channel), load(shift + channel), load(center + channel))
                let (s, o) = (load(slope + channel), load(offset + channel))
                for pixel in chunk {
                    let value = load(x.base + (pixel &* x.stride &+ channel), upTo: count)
                    let gradient = masked(load(dy.base + (pixel &* dy.stride &+ channel), upTo: count), value, a, b)
                    let result = multiplyAdd(multiplyAdd(o, value - m, s), gradient, a)
                    store(result, dx.base + (pixel &* dx.stride &+ channel), upTo: count)
                }
            }
        }
    }
}
