import Testing

@testable import TensorRuntime

@Suite("Normalization and pooling kernels")
struct KernelTestsNormalization {
    @Test("Batch normalization and its gradient agree with double precision, with and without ReLU")
    func batchNormalization() {
        let seed = UInt64.random(in: 1...1 << 40)
        var random = KernelRandom(seed: seed)
        for _ in 0..<60 {
            let trial = NormalizationTrial(&random)
            trial.run(ThreadPool(threads: random.int(1...3)))
            for (name, error, rounding) in trial.errors() {
                #expect(
                    error < 5e-5 + rounding, "\(name), seed \(seed), \(trial.pixels) pixels, \(trial.channels) channels"
                )
            }
        }
    }

    @Test("Max pooling takes the first maximum, and its gradient goes where the maximum was")
    func maxPooling() {
        let seed = UInt64.random(in: 1...1 << 40)
        var random = KernelRandom(seed: seed)
        var tried = 0
        while tried < 60 {
            let kernel = Extent(random.int(1...3), random.int(1...3))
            let tiles = random.chance(2)
            let shape = PoolingShape(
                batch: random.int(1...3), height: random.int(1...12), width: random.int(1...12),
                channels: random.int(1...40),
                kernel: kernel, stride: tiles ? kernel : Extent(random.int(1...3)),
                padding: tiles ? Extent(0) : Extent(kernel.height / 2, kernel.width / 2),
                dilation: tiles ? Extent(1) : Extent(random.int(1...2)), ceilMode: random.chance(2))
            guard shape.outputHeight > 0, shape.outputWidth > 0 else { continue }
            tried += 1
            #expect(poolingMistakes(shape, &random) == 0, "seed \(seed), \(shape)")
        }
    }

    @Test("A value that is not a number wins its window")
    func maxPoolingKeepsNaN() {
        var random = KernelRandom(seed: 5)
        let shape = PoolingShape(batch: 1, height: 4, width: 4, channels: 3, kernel: Extent(2), stride: Extent(2))
        let x = Buffer(48, &random)
        let y = Buffer(12)
        x.base[5 * 3 + 1] = .nan
        MaxPooling.forward(
            shape, Pixels(x.base, stride: 3), into: Pixels(y.base, stride: 3), winners: nil,
            pool: ThreadPool(threads: 1))
        #expect((0..<12).filter { y.base[$0].isNaN } == [1])
    }

    /// How many outputs, winners and gradients differ from the definition.
    private func poolingMistakes(_ s: PoolingShape, _ random: inout KernelRandom) -> Int {
        let c = s.channels
        let outputs = s.batch * s.outputHeight * s.outputWidth
        let inputs = s.batch * s.height * s.width
        let (x, y, dx) = (Buffer(inputs * c), Buffer(outputs * c), Buffer(inputs * c))
        let dy = Buffer(outputs * c, &random)
        for index in 0..<x.count { x.base[index] = Float(random.int(0...6)) }
        let winners = UnsafeMutablePointer<Int32>.allocate(capacity: outputs * c)
        defer { winners.deallocate() }
        let pool = ThreadPool(threads: random.int(1...3))
        MaxPooling.forward(s, Pixels(x.base, stride: c), into: Pixels(y.base, stride: c), winners: winners, pool: pool)
        MaxPooling.backward(
            s, Pixels(dy.base, stride: c), winners: winners, into: Pixels(dx.base, stride: c), pool: pool)
        var expected = [Double](repeating: 0, count: inputs * c)
        var mistakes = 0
        for index in 0..<outputs * c {
            let (output, channel) = (index / c, index % c)
            let image = output / (s.outputHeight * s.outputWidth)
            let (row, column) = (output / s.outputWidth % s.outputHeight, output % s.outputWidth)
            var (best, winner) = (-Float.infinity, -1)
            for tap in 0..<s.kernel.height * s.kernel.width {
                let iy = row * s.stride.height - s.padding.height + tap / s.kernel.width * s.dilation.height
                let ix = column * s.stride.width - s.padding.width + tap % s.kernel.width * s.dilation.width
                guard iy >= 0, iy < s.height, ix >= 0, ix < s.width else { continue }
                let value = x.base[((image * s.height + iy) * s.width + ix) * c + channel]
                if value > best { (best, winner) = (value, iy * s.width + ix) }
            }
            if y.base[index] != best || Int(winners[index]) != winner { mistakes += 1 }
            if winner >= 0 {
                expected[(image * s.height * s.width + winner) * c + channel] += Double(dy.base[index])
            }
        }
        let error = relativeError(dx.base, stride: c, channels: c, expected)
        return error < 1e-5 && [x, y, dx, dy].allSatisfy(\.isIntact) ? mistakes : mistakes + 1
    }
}

/// Batch normalization forward and backward on random numbers.
private struct NormalizationTrial {
    let pixels: Int
    let channels: Int
    let stride: Int
    let relu: Bool
    let x, y, dx, dy, gamma, beta, mean, variance, inverse, dgamma, dbeta: Buffer

    init(_ random: inout KernelRandom) {
        pixels = random.int(2...900)
        channels = random.int(1...70)
        stride = channels + (random.chance(2) ? 3 : 0)
        relu = random.chance(2)
        x = Buffer(pixels * stride, &random, offset: random.chance(2) ? 10 : 0)
        dy = Buffer(pixels * stride, &random)
        (y, dx) = (Buffer(pixels * stride), Buffer(pixels * stride))
        gamma = Buffer(channels, &random, offset: 1.5)
        beta = Buffer(channels, &random)
        (mean, variance, inverse) = (Buffer(channels), Buffer(channels), Buffer(channels))
        (dgamma, dbeta) = (Buffer(channels), Buffer(channels))
    }

    func run(_ pool: ThreadPool) {
        let bytes = BatchNormalization.workspaceBytes(pixels: pixels, channels: channels, threads: pool.threadCount)
        let workspace = Buffer(bytes / 4)
        BatchNormalization.forward(
            Pixels(x.base, stride: stride), pixels: pixels, channels: channels, gamma: gamma.base, beta: beta.base,
            epsilon: 1e-5, relu: relu, into: Pixels(y.base, stride: stride), mean: mean.base, variance: variance.base,
            inverseDeviation: inverse.base, workspace: workspace.base, pool: pool)
        BatchNormalization.backward(
            Pixels(x.base, stride: stride), Pixels(dy.base, stride: stride), pixels: pixels, channels: channels,
            gamma: gamma.base, beta: beta.base, mean: mean.base, inverseDeviation: inverse.base, relu: relu,
            into: Pixels(dx.base, stride: stride), dgamma: dgamma.base, dbeta: dbeta.base, workspace: workspace.base,
            pool: pool)
    }

    /// Errors beside the largest value, each with what rounding alone may come to: numbers of a size m are told apart to m·2⁻²⁴, so
    /// that normal values are known to four times |mean| / deviation · 2⁻²⁴ (Higham 2002, *Accuracy and Stability of Numerical
    /// Algorithms*, 1.9: the condition of a variance). Two pixels that happen to be close count some thousand times as much as usual ones.
    func errors() -> [(String, Double, Double)] {
        var (y0, dx0) = (
            [Double](repeating: 0, count: pixels * channels), [Double](repeating: 0, count: pixels * channels)
        )
        var (mean0, variance0) = ([Double](repeating: 0, count: channels), [Double](repeating: 0, count: channels))
        var (dgamma0, dbeta0) = (mean0, mean0)
        // Sums may cancel to nearly nothing, those of dx for two pixels, the others by chance where there is one channel: a twentieth of
        // the largest terms is the least that they are measured beside.
        var (terms, means, gammas, betas, condition) = (0.0, 0.0, 0.0, 0.0, 0.0)
        let n = Double(pixels)
        for c in 0..<channels {
            let values = (0..<pixels).map { Double(x.base[$0 * stride + c]) }
            mean0[c] = values.reduce(0, +) / n
            variance0[c] = values.reduce(0) { $0 + ($1 - mean0[c]) * ($1 - mean0[c]) } / n
            let inverse = 1 / (variance0[c] + 1e-5).squareRoot()
            condition = max(condition, abs(mean0[c]) * inverse)
            let normal = values.map { ($0 - mean0[c]) * inverse }
            let slopes = (0..<pixels).map { p in
                relu && y.base[p * stride + c] <= 0 ? 0 : Double(dy.base[p * stride + c])
            }
            means = max(means, values.reduce(0) { $0 + abs($1) } / n)
            gammas = max(gammas, zip(slopes, normal).reduce(0) { $0 + abs($1.0 * $1.1) })
            betas = max(betas, slopes.reduce(0) { $0 + abs($1) })
            dbeta0[c] = slopes.reduce(0, +)
            dgamma0[c] = zip(slopes, normal).reduce(0) { $0 + $1.0 * $1.1 }
            for p in 0..<pixels {
                let value = normal[p] * Double(gamma.base[c]) + Double(beta.base[c])
                y0[p * channels + c] = relu ? max(0, value) : value
                terms = max(terms, abs(Double(gamma.base[c]) * inverse * slopes[p]))
                dx0[p * channels + c] =
                    Double(gamma.base[c]) * inverse * (slopes[p] - dbeta0[c] / n - normal[p] * dgamma0[c] / n)
            }
        }
        func beside(_ terms: Double, _ got: Buffer, _ want: [Double], stride: Int = 1, channels: Int = 1) -> Double {
            let largest = want.reduce(0) { max($0, abs($1)) }
            let error = relativeError(got.base, stride: stride, channels: channels, want)
            return largest > 0 && largest < 0.05 * terms ? error * largest / (0.05 * terms) : error
        }
        let rounding = 4 * condition / Double(1 << 24)
        /// What the terms' own rounding comes to beside what their sum is measured beside.
        func summed(_ terms: Double, _ want: [Double]) -> Double {
            let largest = max(want.reduce(0) { max($0, abs($1)) }, 0.05 * terms)
            return largest > 0 ? rounding * max(1, terms / largest) : 0
        }
        return [
            ("y", relativeError(y.base, stride: stride, channels: channels, y0), rounding),
            (
                "dx", beside(terms, dx, dx0, stride: stride, channels: channels),
                summed(terms, dx0)
            ),
            ("mean", beside(means, mean, mean0), 0),
            ("variance", relativeError(variance.base, stride: 1, channels: 1, variance0), rounding),
            ("dgamma", beside(gammas, dgamma, dgamma0), summed(gammas, dgamma0)),
            ("dbeta", beside(betas, dbeta, dbeta0), 0),
        ]
    }
}
