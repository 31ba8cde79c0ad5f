import Testing

@testable import TensorRuntime

@Suite("Convolution kernels")
struct KernelTestsConvolution {
    /// Half of the shapes are volumes; all kinds of strides, paddings and dilations along the slices.
    private func randomShape(_ random: inout KernelRandom, winograd: Bool) -> ConvolutionShape {
        var shape = randomImage(&random, winograd: winograd)
        guard random.chance(2) else { return shape }
        shape.slices = SliceAxis(
            count: random.int(1...9), kernel: random.int(1...4), stride: winograd ? 1 : random.int(1...3),
            padding: random.int(0...3), dilation: random.int(1...3))
        if shape.transposed { shape.slices.outputPadding = random.int(0...shape.slices.stride - 1) }
        return shape
    }

    private func randomImage(_ random: inout KernelRandom, winograd: Bool) -> ConvolutionShape {
        let groups = winograd || !random.chance(4) ? 1 : random.int(2...3)
        let largest = random.chance(8) ? 40 : 13
        let sides = Extent(random.int(1...largest), random.int(1...largest))
        let factor = random.chance(4) ? 4 : 1
        let channels = (groups * random.int(1...40) * factor, groups * random.int(1...40) * factor)
        let padding = Extent(random.int(0...2), random.int(0...2))
        if winograd {
            return ConvolutionShape(
                batch: random.int(1...3), height: sides.height, width: sides.width, inputChannels: channels.0,
                outputChannels: channels.1, kernel: Extent(3), padding: padding, transposed: random.chance(4))
        }
        let stride = Extent(random.int(1...3), random.int(1...3))
        let transposed = random.chance(3)
        return ConvolutionShape(
            batch: random.int(1...3), height: sides.height, width: sides.width, inputChannels: channels.0,
            outputChannels: channels.1, kernel: Extent(random.int(1...4), random.int(1...4)), stride: stride,
            padding: padding, dilation: Extent(random.int(1...2), random.int(1...3)), groups: groups,
            transposed: transposed,
            outputPadding: transposed
                ? Extent(random.int(0...stride.height - 1), random.int(0...stride.width - 1)) : Extent(0))
    }

    @Test("Random shapes agree with the definition in double precision", arguments: [true, false])
    func agreesWithDefinition(winograd: Bool) {
        let seed = UInt64.random(in: 1...1 << 40)
        var random = KernelRandom(seed: seed)
        let pools = [1, 2, 3].map { ThreadPool(threads: $0) }
        var worst = 0.0
        for _ in 0..<120 {
            var shape = randomShape(&random, winograd: winograd)
            while !shape.isValid || shape.operations > 6e6 { shape = randomShape(&random, winograd: winograd) }
            let trial = ConvolutionTrial(shape, &random)
            trial.run(random.chance(5) ? .direct : .automatic, pools[random.int(0...2)])
            let error = trial.error()
            worst = max(worst, error)
            #expect(error < 3e-5, "seed \(seed), \(shape)")
            #expect(trial.isIntact, "wrote behind a buffer: seed \(seed), \(shape)")
        }
        print("seed \(seed): largest relative error \(worst)")
    }

    /// Among them: several blocks of output channels to one job, the last one narrow; and more threads than blocks.
    @Test("The shapes of a U-Net with many channels agree", arguments: [1, 2, 16])
    func agreesWithManyChannels(threads: Int) {
        var random = KernelRandom(seed: 7)
        for (side, channels) in [(8, (160, 256)), (6, (272, 130)), (5, (256, 521)), (9, (256, 16)), (48, (64, 128))] {
            let shape = ConvolutionShape(
                batch: 1, height: side, width: side, inputChannels: channels.0, outputChannels: channels.1,
                kernel: Extent(3), padding: Extent(1))
            let trial = ConvolutionTrial(shape, &random)
            trial.run(.automatic, ThreadPool(threads: threads))
            let direct = ConvolutionTrial(copying: trial)
            direct.run(.direct, ThreadPool(threads: 2))
            #expect(trial.difference(from: direct) < 3e-5, "\(shape)")
            #expect(trial.isIntact && direct.isIntact, "wrote behind a buffer: \(shape)")
        }
    }

    @Test("Many taps along the slices agree", arguments: [5, 13])
    func agreesWithManySliceTaps(taps: Int) {
        var random = KernelRandom(seed: 13)
        for channels in [(16, 16), (24, 72)] {
            let shape = ConvolutionShape(
                batch: 1, height: 9, width: 6, inputChannels: channels.0, outputChannels: channels.1, kernel: Extent(3),
                padding: Extent(1), slices: SliceAxis(count: 15, kernel: taps, padding: taps / 2))
            let trial = ConvolutionTrial(shape, &random)
            trial.run(.automatic, ThreadPool(threads: 2))
            let direct = ConvolutionTrial(copying: trial)
            direct.run(.direct, ThreadPool(threads: 2))
            #expect(trial.difference(from: direct) < 3e-5, "\(shape)")
            #expect(trial.isIntact && direct.isIntact, "wrote behind a buffer: \(shape)")
        }
    }

    @Test("Segmentation heads agree: single pixels to a few classes", arguments: [1, 2, 3, 4, 5])
    func agreesOnHeads(classes: Int) {
        var random = KernelRandom(seed: 11)
        for (slices, channels, isTransposed) in [(1, 16, false), (3, 37, false), (1, 9, false), (2, 16, true)] {
            // Transposed, a head whose output has one slice more than its input: no pixel-by-pixel product.
            let shape =
                isTransposed
                ? ConvolutionShape(
                    batch: 2, height: 6, width: 5, inputChannels: classes, outputChannels: channels, kernel: Extent(1),
                    transposed: true, slices: SliceAxis(count: slices, dilation: 2, outputPadding: 1))
                : ConvolutionShape(
                    batch: 2, height: 22, width: 13, inputChannels: channels, outputChannels: classes,
                    kernel: Extent(1), slices: SliceAxis(count: slices))
            for threads in [1, 2, 3] {
                let trial = ConvolutionTrial(shape, &random)
                trial.run(.automatic, ThreadPool(threads: threads))
                #expect(trial.error() < 3e-6)
                #expect(trial.isIntact)
            }
        }
    }

    @Test("Volumes with many channels agree, in all ways of cutting the work")
    func agreesOnVolumes() {
        var random = KernelRandom(seed: 9)
        var kinds: Set<String> = []
        for (slices, side, channels) in [
            (5, 9, (136, 200)), (20, 26, (16, 24)), (3, 40, (96, 160)), (2, 4, (256, 256)),
        ] {
            let shape = ConvolutionShape(
                batch: 2, height: side, width: side, inputChannels: channels.0, outputChannels: channels.1,
                kernel: Extent(3), padding: Extent(1), slices: SliceAxis(count: slices, kernel: 3, padding: 1))
            for row in ConvolutionPlan(shape, threads: 2).explanation where row.pass != .inputGradient {
                kinds.insert("\(row.pass) \(row.algorithm.filter(\.isLetter))")
            }
            let trial = ConvolutionTrial(shape, &random)
            trial.run(.automatic, ThreadPool(threads: 2))
            let direct = ConvolutionTrial(copying: trial)
            direct.run(.direct, ThreadPool(threads: 2))
            #expect(trial.difference(from: direct) < 3e-5, "\(shape)")
        }
        #expect(kinds.count == 4, "\(kinds)")
    }

    @Test("The same thread count gives the same bits, however the threads are scheduled")
    func isDeterministic() {
        let shape = ConvolutionShape(
            batch: 2, height: 45, width: 37, inputChannels: 24, outputChannels: 40, kernel: Extent(3),
            padding: Extent(1))
        let pool = ThreadPool(threads: 2)
        var bits: Set<[UInt32]> = []
        for _ in 0..<6 {
            var random = KernelRandom(seed: 3)
            let trial = ConvolutionTrial(shape, &random)
            trial.run(.automatic, pool)
            bits.insert(
                [trial.y, trial.dx, trial.dw, trial.db].flatMap { buffer in
                    (0..<buffer.count).map { buffer.base[$0].bitPattern }
                })
        }
        #expect(bits.count == 1)
    }

    @Test(
        "A value that is not finite reaches exactly the outputs that depend on it",
        arguments: [Float.infinity, .nan, 3e38])
    func spreadsNonFiniteExactly(value: Float) {
        var random = KernelRandom(seed: 11)
        let shape = ConvolutionShape(
            batch: 1, height: 20, width: 20, inputChannels: 16, outputChannels: 16, kernel: Extent(3),
            padding: Extent(1))
        let trial = ConvolutionTrial(shape, &random)
        for index in 0..<trial.b.count { trial.b.base[index] = 1 }
        trial.x.base[(9 * 20 + 9) * trial.xStride + 4] = value
        trial.run(.automatic, ThreadPool(threads: 2))
        for pixel in 0..<400 {
            let isNear = abs(pixel / 20 - 9) <= 1 && abs(pixel % 20 - 9) <= 1
            let outputs = (0..<16).map { trial.y.base[pixel * trial.yStride + $0] }
            if !isNear {
                #expect(outputs.allSatisfy { $0.isFinite && abs($0) < 200 })
            } else if value.isNaN {
                #expect(outputs.allSatisfy { $0.isNaN })
            }
        }
    }

    @Test("The plan says which algorithm it chose and why")
    func explains() {
        let small = ConvolutionPlan(
            ConvolutionShape(
                batch: 1, height: 8, width: 8, inputChannels: 1, outputChannels: 16, kernel: Extent(3),
                padding: Extent(1)),
            threads: 2)
        #expect(small.explanation.allSatisfy { $0.algorithm == "direct" && $0.reason.contains("1 channels") })
        let shape = ConvolutionShape(
            batch: 1, height: 64, width: 64, inputChannels: 16, outputChannels: 16, kernel: Extent(3),
            padding: Extent(1))
        #expect(ConvolutionPlan(shape, threads: 2).explanation.allSatisfy { $0.algorithm.hasPrefix("winograd") })
        let direct = ConvolutionPlan(shape, threads: 2, policy: .direct).explanation
        #expect(direct.allSatisfy { $0.algorithm == "direct" && $0.reason == "direct was asked for" })
    }
}
