import Foundation

// The intensity transforms of batchgeneratorsv2 0.3.6 on one channel of a patch; `Augmentation` draws their settings.

extension Patch {
    /// Independent normal numbers are added (`GaussianNoiseTransform`; what is called its variance is a standard deviation).
    mutating func addNoise(_ noise: [Double]) {
        for index in values.indices { values[index] += Float(noise[index]) }
    }

    /// `MultiplicativeBrightnessTransform`.
    mutating func multiply(channel: Int, by factor: Float) {
        for index in self.channel(channel) { values[index] *= factor }
    }

    /// Distances from the mean are multiplied, within the range there was (`ContrastTransform` with `preserve_range`).
    mutating func changeContrast(channel: Int, by factor: Float) {
        let range = self.channel(channel)
        let (mean, low, high) = (mean(range), minimum(range), maximum(range))
        for index in range { values[index] = min(max((values[index] - mean) * factor + mean, low), high) }
    }

    /// A power of the intensities scaled to 0 … 1, mean and standard deviation kept (`GammaTransform` with `retain_stats`); with
    /// `inverted` on the negative of the channel.
    mutating func applyGamma(channel: Int, _ gamma: Float, inverted: Bool) {
        let range = self.channel(channel)
        if inverted { for index in range { values[index] = -values[index] } }
        let (mean, deviation) = (mean(range), deviation(range))
        let low = minimum(range)
        let extent = maximum(range) - low
        let divisor = max(extent, 1e-7)
        for index in range { values[index] = powf((values[index] - low) / divisor, gamma) * extent + low }
        let (newMean, newDeviation) = (self.mean(range), self.deviation(range))
        let factor = deviation / max(newDeviation, 1e-7)
        let sign: Float = inverted ? -1 : 1
        for index in range { values[index] = ((values[index] - newMean) * factor + mean) * sign }
    }

    /// Gaussian blur of each axis with its own standard deviation in pixels, the patch mirrored at its edges
    /// (`GaussianBlurTransform`; kernels of about six deviations).
    mutating func blur(channel: Int, sigmas: [Double]) {
        for axis in 0..<2 {
            let kernel = Patch.gaussianKernel(sigmas[axis])
            convolve(channel, kernel, axis)
        }
    }

    /// The kernel of an odd length near 6 σ, adding up to one.
    static func gaussianKernel(_ sigma: Double) -> [Float] {
        let wanted = sigma * 6 + 0.5
        var length = rounded(wanted)
        if length % 2 == 0 { length += wanted - Double(length) >= 0 ? 1 : -1 }
        let weights = (0..<length).map { index -> Float in
            let distance = Float(index) - Float(length - 1) / 2
            return expf(-0.5 * (distance / Float(sigma)) * (distance / Float(sigma)))
        }
        let sum = weights.reduce(0, +)
        return weights.map { $0 / sum }
    }

    private mutating func convolve(_ channel: Int, _ kernel: [Float], _ axis: Int) {
        let (length, stride) = (size[axis], axis == 0 ? size[1] : 1)
        let (lines, lineStride) = (size[1 - axis], axis == 0 ? 1 : size[1])
        let half = kernel.count / 2
        // Mirroring needs a neighbour; a line of one pixel has none.
        guard length > half else { return }
        let start = self.channel(channel).lowerBound
        var line = [Float](repeating: 0, count: length + 2 * half)
        for number in 0..<lines {
            let base = start + number * lineStride
            for index in line.indices {
                var position = abs(index - half)
                if position >= length { position = 2 * (length - 1) - position }
                line[index] = values[base + position * stride]
            }
            for index in 0..<length {
                var sum: Float = 0
                for tap in kernel.indices { sum += kernel[tap] * line[index + tap] }
                values[base + index * stride] = sum
            }
        }
    }

    /// Fewer pixels by the nearest, then as many as before linearly (`SimulateLowResolutionTransform`).
    mutating func lowerResolution(channel: Int, scale: Double) {
        let small = size.map { max(1, rounded(Double($0) * Double(Float(scale)))) }
        let range = self.channel(channel)
        let picked = nearestExact(Array(values[range]), size: size, to: small)
        let rows = (0..<size[0]).map { linearPosition($0, small[0], size[0]) }
        let columns = (0..<size[1]).map { linearPosition($0, small[1], size[1]) }
        for (y, row) in rows.enumerated() {
            for (x, column) in columns.enumerated() {
                func value(_ y: Int, _ x: Int) -> Float { picked[y * small[1] + x] }
                let above = value(row.low, column.low) * (1 - column.share) + value(row.low, column.high) * column.share
                let below =
                    value(row.high, column.low) * (1 - column.share) + value(row.high, column.high) * column.share
                values[range.lowerBound + y * size[1] + x] = above * (1 - row.share) + below * row.share
            }
        }
    }

    private func linearPosition(_ index: Int, _ from: Int, _ to: Int) -> (low: Int, high: Int, share: Float) {
        let position = max(0, (Float(index) + 0.5) * (Float(from) / Float(to)) - 0.5)
        let low = min(Int(position), from - 1)
        return (low, min(low + 1, from - 1), position - Float(low))
    }

    /// Both planes and labels reversed along axes (`MirrorTransform`).
    mutating func mirror(axes: [Int]) {
        guard !axes.isEmpty else { return }
        let (height, width) = (size[0], size[1])
        let (oldValues, oldLabels) = (values, labels)
        for y in 0..<height {
            let row = axes.contains(0) ? height - 1 - y : y
            for x in 0..<width {
                let source = row * width + (axes.contains(1) ? width - 1 - x : x)
                labels[y * width + x] = oldLabels[source]
                for channel in 0..<channels {
                    values[channel * pixels + y * width + x] = oldValues[channel * pixels + source]
                }
            }
        }
    }

    private func mean(_ range: Range<Int>) -> Float {
        Float(range.reduce(0) { $0 + Double(values[$1]) } / Double(range.count))
    }

    /// Divided by the count less one, as PyTorch's `std`.
    private func deviation(_ range: Range<Int>) -> Float {
        let mean = range.reduce(0) { $0 + Double(values[$1]) } / Double(range.count)
        let sum = range.reduce(0) { $0 + (Double(values[$1]) - mean) * (Double(values[$1]) - mean) }
        return Float((sum / Double(max(1, range.count - 1))).squareRoot())
    }

    private func minimum(_ range: Range<Int>) -> Float { range.reduce(.infinity) { min($0, values[$1]) } }
    private func maximum(_ range: Range<Int>) -> Float { range.reduce(-.infinity) { max($0, values[$1]) } }
}

/// A plane H W by the pixel whose centre is nearest, as PyTorch's `nearest-exact`.
func nearestExact<T>(_ plane: [T], size: [Int], to target: [Int]) -> [T] {
    func source(_ index: Int, _ axis: Int) -> Int {
        min(Int((Float(index) + 0.5) * (Float(size[axis]) / Float(target[axis]))), size[axis] - 1)
    }
    let columns = (0..<target[1]).map { source($0, 1) }
    var result: [T] = []
    result.reserveCapacity(target[0] * target[1])
    for y in 0..<target[0] {
        let row = source(y, 0) * size[1]
        for x in columns { result.append(plane[row + x]) }
    }
    return result
}
