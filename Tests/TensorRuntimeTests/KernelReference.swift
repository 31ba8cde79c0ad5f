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
    let (inSize, outSize) = (
        SIMD3(s.slices.count, s.height, s.width), SIMD3(s.outputSlices, s.outputHeight, s.outputWidth)
    )
    let (near, far) = s.transposed ? (inSize, outSize) : (outSize, inSize)
    let kernel = SIMD3(s.slices.kernel, s.kernel.height, s.kernel.width)
    let stride = SIMD3(s.slices.stride, s.stride.height, s.stride.width)
    let padding = SIMD3(s.slices.padding, s.padding.height, s.padding.width)
    let dilation = SIMD3(s.slices.dilation, s.dilation.height, s.dilation.width)
    func place(_ index: Int, _ size: SIMD3<Int>) -> SIMD3<Int> {
        SIMD3(index / (size.y * size.z), index / size.z % size.y, index % size.z)
    }
    func index(_ place: SIMD3<Int>, _ size: SIMD3<Int>) -> Int { (place.x * size.y + place.y) * size.z + place.z }
    let (volume, area) = (near.x * near.y * near.z, kernel.x * kernel.y * kernel.z)
    for a in 0..<s.batch * volume {
        for tap in 0..<area {
            let source = place(a % volume, near) &* stride &- padding &+ place(tap, kernel) &* dilation
            guard all(source .>= SIMD3(0, 0, 0)), all(source .< far) else { continue }
            let b = a / volume * far.x * far.y * far.z + index(source, far)
            for g in 0..<s.groups {
                for c in 0..<cg {
                    for k in 0..<kg {
                        if s.transposed {
                            body(a, g * cg + c, b, g * kg + k, ((g * cg + c) * kg + k) * area + tap)
                        } else {
                            body(b, g * cg + c, a, g * kg + k, ((g * kg + k) * cg + c) * area + tap)
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
    private let scratch = Scratch()

    var inputPixels: Int { shape.inputPixels }
    var outputPixels: Int { shape.outputPixels }

    init(_ shape: ConvolutionShape, _ random: inout KernelRandom) {
        self.shape = shape
        xStride = shape.inputChannels + (random.chance(2) ? 5 : 0)
        yStride = shape.outputChannels + (random.chance(2) ? 7 : 0)
        relu = random.chance(2)
        let input = shape.inputPixels * xStride
        let output = shape.outputPixels * yStride
        x = Buffer(input, &random)
        y = Buffer(output)
        dx = Buffer(input)
        dy = Buffer(output, &random)
        w = Buffer(shape.weightCount, &random)
        dw = Buffer(shape.weightCount)
        b = Buffer(shape.outputChannels, &random)
        db = Buffer(shape.outputChannels)
    }

    /// The same inputs, with memory of its own for the results.
    init(copying other: ConvolutionTrial) {
        (shape, xStride, yStride, relu) = (other.shape, other.xStride, other.yStride, other.relu)
        (x, dy, w, b) = (other.x, other.dy, other.w, other.b)
        (y, dx, dw, db) = (
            Buffer(other.y.count), Buffer(other.dx.count), Buffer(other.dw.count), Buffer(other.db.count)
        )
    }

    /// The largest difference of y, dx, dw and db from another trial, relative to the largest element of each.
    func difference(from other: ConvolutionTrial) -> Double {
        let (ci, co) = (shape.inputChannels, shape.outputChannels)
        func compare(_ mine: Buffer, _ theirs: Buffer, _ stride: Int, _ channels: Int) -> Double {
            let expected = (0..<mine.count / stride * channels).map {
                Double(theirs.base[$0 / channels * stride + $0 % channels])
            }
            return relativeError(mine.base, stride: stride, channels: channels, expected)
        }
        let errors = [
            compare(y, other.y, yStride, co), compare(dx, other.dx, xStride, ci), compare(dw, other.dw, 1, 1),
            compare(db, other.db, 1, 1),
        ]
        return errors.reduce(0) { $0.isNaN || $1.isNaN ? .nan : max($0, $1) }
    }

    /// Runs the passes, each in a workspace of the size that its plan asks for.
    func run(_ policy: ConvolutionPolicy, _ pool: ThreadPool) {
        let plan = ConvolutionPlan(shape, threads: pool.threadCount, policy: policy)
        let workspaces = ConvolutionPass.allCases.map { Buffer(plan.workspaceBytes($0) / 4) }
        func workspace(_ pass: ConvolutionPass) -> UnsafeMutablePointer<Float> {
            workspaces[ConvolutionPass.allCases.firstIndex(of: pass) ?? 0].base
        }
        let forward = Buffer(plan.packedCount(.forward))
        let backward = Buffer(plan.packedCount(.inputGradient))
        plan.pack(w.base, for: .forward, into: forward.base, pool: pool)
        plan.pack(w.base, for: .inputGradient, into: backward.base, pool: pool)
        plan.forward(
            Pixels(x.base, stride: xStride), weights: w.base, packed: forward.base, bias: b.base, relu: relu,
            into: Pixels(y.base, stride: yStride), workspace: workspace(.forward), pool: pool)
        plan.inputGradient(
            Pixels(dy.base, stride: yStride), weights: w.base, packed: backward.base,
            into: Pixels(dx.base, stride: xStride), workspace: workspace(.inputGradient), pool: pool)
        plan.weightGradient(
            Pixels(x.base, stride: xStride), Pixels(dy.base, stride: yStride), into: dw.base, bias: db.base,
            workspace: workspace(.weightGradient), pool: pool)
        scratch.isIntact = scratch.isIntact && (workspaces + [forward, backward]).allSatisfy(\.isIntact)
    }

    /// Whether nothing was written behind a buffer, those of the runs so far included.
    var isIntact: Bool {
        scratch.isIntact && [x, y, dx, dy, w, dw, b, db].allSatisfy(\.isIntact)
    }

    private final class Scratch {
        var isIntact = true
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
