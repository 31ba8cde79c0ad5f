/// Batch normalization over images N H W C, in training (statistics of the batch) and in evaluation (running statistics).
///
/// With `relu`, y = max(0, batch_norm(x)) is computed in the same pass, and the backward pass masks dy itself: it recomputes
/// the sign from x, so y is not needed.
package enum BatchNormalization {
    /// Bytes of scratch memory for `forward` and `backward`.
    package static func workspaceBytes(pixels: Int, channels: Int, threads: Int) -> Int {
        4 * channels * 4 * (threads + 1) + 64
    }

    /// y = (x - mean) · gamma / sqrt(variance + epsilon) + beta, with mean and biased variance of the batch.
    ///
    /// Saves per channel the mean, the *biased* variance (multiply by pixels / (pixels - 1) for the running one), and
    /// 1 / sqrt(variance + epsilon).
    package static func forward(
        _ x: Pixels, pixels: Int, channels: Int, gamma: UnsafePointer<Float>?, beta: UnsafePointer<Float>?,
        epsilon: Float, relu: Bool, into y: Pixels, mean: UnsafeMutablePointer<Float>,
        variance: UnsafeMutablePointer<Float>, inverseDeviation: UnsafeMutablePointer<Float>,
        workspace: UnsafeMutableRawPointer, pool: ThreadPool
    ) {
        for c in 0..<channels {
            var sum = 0.0
            for p in 0..<pixels { sum += Double(x.base[p * x.stride + c]) }
            let center = sum / Double(pixels)
            var squares = 0.0
            for p in 0..<pixels {
                let difference = Double(x.base[p * x.stride + c]) - center
                squares += difference * difference
            }
            mean[c] = Float(center)
            variance[c] = Float(squares / Double(pixels))
            inverseDeviation[c] = Float(1 / (squares / Double(pixels) + Double(epsilon)).squareRoot())
        }
        apply(
            x, pixels: pixels, channels: channels, gamma: gamma, beta: beta, mean: mean,
            inverseDeviation: inverseDeviation, relu: relu, into: y, workspace: workspace, pool: pool)
    }

    /// y = (x - mean) · gamma · inverseDeviation + beta with given statistics: evaluation.
    package static func apply(
        _ x: Pixels, pixels: Int, channels: Int, gamma: UnsafePointer<Float>?, beta: UnsafePointer<Float>?,
        mean: UnsafePointer<Float>, inverseDeviation: UnsafePointer<Float>, relu: Bool, into y: Pixels,
        workspace: UnsafeMutableRawPointer, pool: ThreadPool
    ) {
        for c in 0..<channels {
            let scale = (gamma?[c] ?? 1) * inverseDeviation[c]
            let shift = (beta?[c] ?? 0) - mean[c] * scale
            for p in 0..<pixels {
                let value = x.base[p * x.stride + c] * scale + shift
                y.base[p * y.stride + c] = relu && value < 0 ? 0 : value
            }
        }
    }

    /// dx, dgamma and dbeta of the training form from x, dy and the saved statistics; all are overwritten. dy is the gradient
    /// after the ReLU when `relu`. `dx` may be the same memory as `dy`.
    package static func backward(
        _ x: Pixels, _ dy: Pixels, pixels: Int, channels: Int, gamma: UnsafePointer<Float>?,
        beta: UnsafePointer<Float>?, mean: UnsafePointer<Float>, inverseDeviation: UnsafePointer<Float>, relu: Bool,
        into dx: Pixels, dgamma: UnsafeMutablePointer<Float>?, dbeta: UnsafeMutablePointer<Float>?,
        workspace: UnsafeMutableRawPointer, pool: ThreadPool
    ) {
        for c in 0..<channels {
            let scale = (gamma?[c] ?? 1) * inverseDeviation[c]
            let shift = (beta?[c] ?? 0) - mean[c] * scale
            var (sum, product) = (0.0, 0.0)
            for p in 0..<pixels {
                let value = x.base[p * x.stride + c]
                if relu, value * scale + shift <= 0 { continue }
                let slope = Double(dy.base[p * dy.stride + c])
                sum += slope
                product += slope * Double((value - mean[c]) * inverseDeviation[c])
            }
            dgamma?[c] = Float(product)
            dbeta?[c] = Float(sum)
            let (a, b) = (Float(sum / Double(pixels)), Float(product / Double(pixels)))
            for p in 0..<pixels {
                let value = x.base[p * x.stride + c]
                let slope = relu && value * scale + shift <= 0 ? 0 : dy.base[p * dy.stride + c]
                dx.base[p * dx.stride + c] = scale * (slope - a - (value - mean[c]) * inverseDeviation[c] * b)
            }
        }
    }
}
