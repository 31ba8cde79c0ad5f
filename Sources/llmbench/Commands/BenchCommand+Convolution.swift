import ArgumentParser
import Foundation
import TensorRuntime

extension BenchCommand {
    struct Conv: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "The convolutions of the U-Net, one by one: forward, input gradient, weight gradient.",
            discussion: """
                  llmbench bench conv --base 64 --size 256 --batch 2 --against pytorch
                  llmbench bench conv --explain
                """)

        @OptionGroup var options: Options

        @Flag(help: "Say which algorithm each pass of each convolution gets, and why, and measure nothing.")
        var explain = false

        func run() async throws {
            let shapes = UNetConvolutions(base: options.base, size: options.size, batch: options.batch).distinct
            if explain { return try printPlans(shapes) }
            let peer = try options.against.map {
                try PythonPeer.pytorch(
                    network: BenchNetwork(base: options.base, size: options.size), threads: options.threadCount,
                    layout: $0.layout)
            }
            let bar = ProgressBar(title: "bench conv", total: shapes.count)
            var rows: [(shape: ConvolutionShape, result: BenchResult)] = []
            for (index, shape) in shapes.enumerated() {
                bar.update(index, note: name(shape))
                rows.append((shape, try measure(shape, peer)))
            }
            bar.finish()
            try report(rows)
        }

        private func measure(_ shape: ConvolutionShape, _ peer: PythonPeer?) throws -> BenchResult {
            let trial = try ConvolutionBench(shape, threads: options.threadCount)
            let folder = try BenchFolder()
            var difference: Double?
            if let peer {
                try trial.write(to: folder.file("conv.safetensors"))
                try peer.ask("conv-check \(folder.url.path)")
                trial.run()
                difference = try trial.difference(from: folder.file("theirs.safetensors"))
                _ = try peer.time("conv 1")
            } else {
                trial.run()
            }
            var (ours, theirs) = (Timings(), Timings())
            for _ in 0..<options.rounds {
                ours.add(Timings.measure { for _ in 0..<options.repeats { trial.run() } } / Double(options.repeats))
                if let peer { theirs.add(try peer.time("conv \(options.repeats)")) }
            }
            var result = BenchResult(
                ours: ours, theirs: peer == nil ? nil : theirs, operations: 3 * shape.operations,
                threads: options.threadCount)
            result.maxDifference = difference
            result.pytorch = peer?.version
            result.against = options.against?.rawValue
            return result
        }

        private struct Row: Encodable {
            var shape: String
            var result: BenchResult
        }

        private struct Report: Encodable {
            var oursSeconds: Double
            var theirsSeconds: Double?
            var ratio: Double?
            var maxDifference: Double?
            var convolutions: [Row]

            enum CodingKeys: String, CodingKey {
                case ratio, convolutions
                case oursSeconds = "ours_s"
                case theirsSeconds = "theirs_s"
                case maxDifference = "max_difference"
            }
        }

        private func report(_ rows: [(shape: ConvolutionShape, result: BenchResult)]) throws {
            let ours = rows.map(\.result.oursSeconds).reduce(0, +)
            let compared = options.against != nil
            let theirs = compared ? rows.compactMap(\.result.theirsSeconds).reduce(0, +) : nil
            let report = Report(
                oursSeconds: ours, theirsSeconds: theirs, ratio: theirs.map { $0 / ours },
                maxDifference: rows.compactMap(\.result.maxDifference).max(),
                convolutions: rows.map { Row(shape: name($0.shape), result: $0.result) })
            if options.output.json { return try JSONOption.print(report) }
            var table = TextTable(
                [("convolution", .left), ("ours ms", .right), ("GFLOP/s", .right)]
                    + (compared ? [("theirs ms", .right), ("ratio", .right), ("difference", .right)] : []))
            func digits(_ value: Double?, _ format: String) -> String { value.map { String(format: format, $0) } ?? "" }
            for (shape, result) in rows {
                let mine = [name(shape), digits(result.oursSeconds * 1e3, "%.2f"), digits(result.gigaflops, "%.0f")]
                let other = [
                    digits(result.theirsSeconds.map { $0 * 1e3 }, "%.2f"), digits(result.ratio, "%.2f"),
                    digits(result.maxDifference, "%.1e"),
                ]
                table.add(mine + (compared ? other : []))
            }
            print(table.render())
            if let ratio = report.ratio {
                print("all together: ratio \(digits(ratio, "%.2f")) (above 1: ours is faster)")
            }
        }

        private struct PlanRow: Encodable {
            var shape: String
            var pass: String
            var algorithm: String
            var reason: String
        }

        private func printPlans(_ shapes: [ConvolutionShape]) throws {
            let rows = shapes.flatMap { shape in
                ConvolutionPlan(shape, threads: options.threadCount).explanation.map {
                    PlanRow(shape: name(shape), pass: $0.pass.rawValue, algorithm: $0.algorithm, reason: $0.reason)
                }
            }
            if options.output.json { return try JSONOption.print(rows) }
            var table = TextTable([("convolution", .left), ("pass", .left), ("algorithm", .left), ("because", .left)])
            for row in rows { table.add([row.shape, row.pass, row.algorithm, row.reason]) }
            print(table.render())
        }

        private func name(_ s: ConvolutionShape) -> String {
            "\(s.batch)x\(s.height)x\(s.width) \(s.inputChannels)->\(s.outputChannels) "
                + "\(s.kernel.height)x\(s.kernel.width)" + (s.transposed ? " transposed" : "")
        }
    }
}

/// The convolutions of the benchmark's U-Net, in the order of the network.
struct UNetConvolutions {
    var all: [ConvolutionShape] = []

    init(base: Int, size: Int, batch: Int, levels: Int = 4) {
        func add(_ side: Int, _ from: Int, _ to: Int, _ kernel: Int, transposed: Bool = false) {
            all.append(
                ConvolutionShape(
                    batch: batch, height: side, width: side, inputChannels: from, outputChannels: to,
                    kernel: Extent(kernel),
                    stride: Extent(transposed ? 2 : 1), padding: Extent(kernel == 3 ? 1 : 0), transposed: transposed))
        }
        for level in 0...levels {
            add(size >> level, level == 0 ? 1 : base << (level - 1), base << level, 3)
            add(size >> level, base << level, base << level, 3)
        }
        for level in (0..<levels).reversed() {
            add(size >> (level + 1), base << (level + 1), base << level, 2, transposed: true)
            add(size >> level, base << (level + 1), base << level, 3)
            add(size >> level, base << level, base << level, 3)
        }
        add(size, base, 1, 1)
    }

    /// Each shape once.
    var distinct: [ConvolutionShape] {
        var seen: Set<ConvolutionShape> = []
        return all.filter { seen.insert($0).inserted }
    }

    /// Multiplications and additions of a forward pass.
    var operations: Double { all.map(\.operations).reduce(0, +) }
}

/// One convolution with its gradients on random numbers.
private final class ConvolutionBench {
    private let shape: ConvolutionShape
    private let plan: ConvolutionPlan
    private let pool: ThreadPool
    private let x, y, dx, dy, w, dw, forward, backward, workspace: UnsafeMutableBufferPointer<Float>

    init(_ shape: ConvolutionShape, threads: Int) throws {
        self.shape = shape
        pool = ThreadPool(threads: threads)
        plan = ConvolutionPlan(shape, threads: threads)
        let input = shape.batch * shape.height * shape.width * shape.inputChannels
        let output = shape.batch * shape.outputHeight * shape.outputWidth * shape.outputChannels
        func floats(_ count: Int) -> UnsafeMutableBufferPointer<Float> {
            let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: max(count, 16) * 4, alignment: 64)
            let floats = memory.bindMemory(to: Float.self)
            floats.initialize(repeating: 0)
            return floats
        }
        (x, dx, y, dy) = (floats(input), floats(input), floats(output), floats(output))
        (w, dw) = (floats(shape.weightCount), floats(shape.weightCount))
        (forward, backward) = (floats(plan.packedCount(.forward)), floats(plan.packedCount(.inputGradient)))
        workspace = floats((ConvolutionPass.allCases.map(plan.workspaceBytes).max() ?? 0) / 4)
        var state: UInt64 = 0x2545_F491_4F6C_DD1D
        for buffer in [x, dy, w] {
            for index in buffer.indices {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                buffer[index] = Float(state >> 40) / Float(1 << 23) - 1
            }
        }
    }

    deinit {
        for buffer in [x, y, dx, dy, w, dw, forward, backward, workspace] { buffer.deallocate() }
    }

    /// Weights packed, forward, input gradient, weight gradient: what a training step does.
    func run() {
        guard let x = x.baseAddress, let y = y.baseAddress, let dx = dx.baseAddress, let dy = dy.baseAddress,
            let w = w.baseAddress, let dw = dw.baseAddress, let forward = forward.baseAddress,
            let backward = backward.baseAddress, let scratch = workspace.baseAddress
        else { return }
        let (c, k) = (shape.inputChannels, shape.outputChannels)
        plan.pack(w, for: .forward, into: forward, pool: pool)
        plan.pack(w, for: .inputGradient, into: backward, pool: pool)
        plan.forward(
            Pixels(x, stride: c), weights: w, packed: forward, bias: nil, into: Pixels(y, stride: k),
            workspace: scratch,
            pool: pool)
        plan.inputGradient(
            Pixels(dy, stride: k), weights: w, packed: backward, into: Pixels(dx, stride: c), workspace: scratch,
            pool: pool)
        plan.weightGradient(
            Pixels(x, stride: c), Pixels(dy, stride: k), into: dw, bias: nil, workspace: scratch, pool: pool)
    }

    /// The inputs in PyTorch's layout, with the geometry as metadata.
    func write(to url: URL) throws {
        let s = shape
        let geometry = """
            {"transposed": \(s.transposed), "stride": [\(s.stride.height), \(s.stride.width)], \
            "padding": [\(s.padding.height), \(s.padding.width)]}
            """
        let tensors = [
            "x": try planar(x, s.inputChannels, s.height, s.width),
            "dy": try planar(dy, s.outputChannels, s.outputHeight, s.outputWidth),
            "w": try Tensor(shape: weightShape, values: Array(w[0..<s.weightCount])),
        ]
        try SafeTensors.write(tensors, metadata: ["shape": geometry], to: url)
    }

    /// The largest relative difference of y, dx and dw.
    func difference(from url: URL) throws -> Double {
        let theirs = try SafeTensors(contentsOf: url)
        let ours = [
            "y": try planar(y, shape.outputChannels, shape.outputHeight, shape.outputWidth),
            "dx": try planar(dx, shape.inputChannels, shape.height, shape.width),
            "dw": try Tensor(shape: weightShape, values: Array(dw[0..<shape.weightCount])),
        ]
        return try ours.map { try relativeDifference($1.values, theirs.tensor($0).values) }.max() ?? .nan
    }

    private var weightShape: [Int] {
        let (first, second) =
            shape.transposed ? (shape.inputChannels, shape.outputChannels) : (shape.outputChannels, shape.inputChannels)
        return [first, second, shape.kernel.height, shape.kernel.width]
    }

    /// N H W C as a tensor N C H W.
    private func planar(_ pixels: UnsafeMutableBufferPointer<Float>, _ c: Int, _ h: Int, _ w: Int) throws -> Tensor {
        var values = [Float](repeating: 0, count: shape.batch * c * h * w)
        for n in 0..<shape.batch {
            for channel in 0..<c {
                for pixel in 0..<h * w {
                    values[(n * c + channel) * h * w + pixel] = pixels[(n * h * w + pixel) * c + channel]
                }
            }
        }
        return try Tensor(shape: [shape.batch, c, h, w], values: values)
    }
}
