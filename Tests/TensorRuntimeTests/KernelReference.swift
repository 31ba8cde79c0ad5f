@testable import TensorRuntime

/// A small reproducible generator (xorshift64*), so that a failing shape can be made again from the printed seed.
struct KernelRandom {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
    }

    mutating func next() -> UInt64 {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return state &* 0x2545_F491_4F6C_DD1D
    }

    mutating func int(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + Int(next() >> 33) % (range.upperBound - range.lowerBound + 1)
    }

    mutating func chance(_ oneIn: Int) -> Bool {
        int(1...oneIn) == 1
    }

    /// Uniform in [-1, 1).
    mutating func float() -> Float {
        Float(next() >> 40) / Float(1 << 23) - 1
    }
}

/// Floats aligned as kernels want them, filled with a value that no result may keep.
final class Buffer {
    let count: Int
    let base: UnsafeMutablePointer<Float>

    init(_ count: Int) {
        self.count = count
        let memory = UnsafeMutableRawPointer.allocate(byteCount: max(1, count) * 4 + 64, alignment: 64)
        base = memory.assumingMemoryBound(to: Float.self)
        base.initialize(repeating: .nan, count: count + 16)
    }

    convenience init(_ count: Int, _ random: inout KernelRandom, offset: Float = 0) {
        self.init(count)
        for index in 0..<count { base[index] = random.float() + offset }
    }

    deinit {
        base.deallocate()
    }

    /// Whether nothing was written behind the end.
    var isIntact: Bool {
        (count..<count + 16).allSatisfy { base[$0].isNaN }
    }
}

/// max|a - b| / max|b| over pixels that lie `stride` apart; NaN when any a is not a number.
func relativeError(_ values: UnsafePointer<Float>, stride: Int, channels: Int, _ expected: [Double]) -> Double {
    var (largest, difference) = (0.0, 0.0)
    for index in expected.indices {
        let value = Double(values[index / channels * stride + index % channels])
        if value.isNaN { return .nan }
        largest = max(largest, abs(expected[index]))
        difference = max(difference, abs(value - expected[index]))
    }
    return largest == 0 ? difference : difference / largest
}

/// Calls `body(input pixel, c, output pixel, k, weight index)` for every product in the definition of a convolution.
func forEachProduct(_ s: ConvolutionShape, _ body: (Int, Int, Int, Int, Int) -> Void) {
    let (cg, kg) = (s.inputChannels / s.groups, s.outputChannels / s.groups)
    let near = s.transposed ? Extent(s.height, s.width) : Extent(s.outputHeight, s.outputWidth)
    let far = s.transposed ? Extent(s.outputHeight, s.outputWidth) : Extent(s.height, s.width)
    for line in 0..<s.batch * near.height {
        for x in 0..<near.width {
            for tap in 0..<s.kernel.height * s.kernel.width {
                let (i, j) = (tap / s.kernel.width, tap % s.kernel.width)
                let fy = line % near.height * s.stride.height - s.padding.height + i * s.dilation.height
                let fx = x * s.stride.width - s.padding.width + j * s.dilation.width
                guard fy >= 0, fy < far.height, fx >= 0, fx < far.width else { continue }
                let a = line * near.width + x
                let b = (line / near.height * far.height + fy) * far.width + fx
                for g in 0..<s.groups {
                    for c in 0..<cg {
                        for k in 0..<kg {
                            if s.transposed {
                                let w = ((g * cg + c) * kg + k) * s.kernel.height * s.kernel.width + tap
                                body(a, g * cg + c, b, g * kg + k, w)
                            } else {
                                let w = ((g * kg + k) * cg + c) * s.kernel.height * s.kernel.width + tap
                                body(b, g * cg + c, a, g * kg + k, w)
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Runs the three passes of a convolution on random numbers and keeps what went in and out.
struct ConvolutionTrial {
    let shape: ConvolutionShape
    let xStride: Int
    let yStride: Int
    let relu: Bool
    let x: Buffer
    let y: Buffer
    let dx: Buffer
    let dy: Buffer
    let w: Buffer
    let dw: Buffer
    let b: Buffer
    let db: Buffer

    var inputPixels: Int { shape.batch * shape.height * shape.width }
    var outputPixels: Int { shape.batch * shape.outputHeight * shape.outputWidth }

    init(_ shape: ConvolutionShape, _ random: inout KernelRandom) {
        self.shape = shape
        xStride = shape.inputChannels + (random.chance(2) ? 5 : 0)
        yStride = shape.outputChannels + (random.chance(2) ? 7 : 0)
        relu = random.chance(2)
        let input = shape.batch * shape.height * shape.width * xStride
        let output = shape.batch * shape.outputHeight * shape.outputWidth * yStride
        x = Buffer(input, &random)
        y = Buffer(output)
        dx = Buffer(input)
        dy = Buffer(output, &random)
        w = Buffer(shape.weightCount, &random)
        dw = Buffer(shape.weightCount)
        b = Buffer(shape.outputChannels, &random)
        db = Buffer(shape.outputChannels)
    }

    func run(_ policy: ConvolutionPolicy, _ pool: ThreadPool) {
        let plan = ConvolutionPlan(shape, threads: pool.threadCount, policy: policy)
        let workspace = Buffer(ConvolutionPass.allCases.map(plan.workspaceBytes).max().map { $0 / 4 } ?? 0)
        let forward = Buffer(plan.packedCount(.forward))
        let backward = Buffer(plan.packedCount(.inputGradient))
        plan.pack(w.base, for: .forward, into: forward.base, pool: pool)
        plan.pack(w.base, for: .inputGradient, into: backward.base, pool: pool)
        plan.forward(
            Pixels(x.base, stride: xStride), weights: w.base, packed: forward.base, bias: b.base, relu: relu,
            into: Pixels(y.base, stride: yStride), workspace: workspace.base, pool: pool)
        plan.inputGradient(
            Pixels(dy.base, stride: yStride), weights: w.base, packed: backward.base,
            into: Pixels(dx.base, stride: xStride), workspace: workspace.base, pool: pool)
        plan.weightGradient(
            Pixels(x.base, stride: xStride), Pixels(dy.base, stride: yStride), into: dw.base, bias: db.base,
            workspace: workspace.base, pool: pool)
    }

    var isIntact: Bool {
        [x, y, dx, dy, w, dw, b, db].allSatisfy(\.isIntact)
    }

    /// The largest relative error of y, dx, dw and db against sums of products in double precision.
    func error() -> Double {
        let (ci, co) = (shape.inputChannels, shape.outputChannels)
        var y0 = [Double](repeating: 0, count: outputPixels * co)
        var dx0 = [Double](repeating: 0, count: inputPixels * ci)
        var dw0 = [Double](repeating: 0, count: shape.weightCount)
        var db0 = [Double](repeating: 0, count: co)
        for index in y0.indices {
            y0[index] = Double(b.base[index % co])
            db0[index % co] += Double(dy.base[index / co * yStride + index % co])
        }
        forEachProduct(shape) { input, c, output, k, weight in
            let (value, slope) = (Double(x.base[input * xStride + c]), Double(dy.base[output * yStride + k]))
            y0[output * co + k] += value * Double(w.base[weight])
            dx0[input * ci + c] += slope * Double(w.base[weight])
            dw0[weight] += value * slope
        }
        if relu { y0 = y0.map { max(0, $0) } }
        let errors = [
            relativeError(y.base, stride: yStride, channels: co, y0),
            relativeError(dx.base, stride: xStride, channels: ci, dx0),
            relativeError(dw.base, stride: 1, channels: 1, dw0), relativeError(db.base, stride: 1, channels: 1, db0),
        ]
        return errors.reduce(0) { $0.isNaN || $1.isNaN ? .nan : max($0, $1) }
    }
}
