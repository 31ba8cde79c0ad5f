/// Random numbers from a counter: the numbers of step s are the same whatever was drawn before.
///
/// Philox 4×32-10 (Salmon, Moraes, Dror and Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3"). The state to save is the
/// seed and the step.
public struct RandomState: Sendable, Equatable, Codable {
    /// The key of the numbers.
    public var seed: UInt64
    /// Counts the training steps that were taken.
    public var step: UInt64

    /// The state before the step.
    public init(seed: UInt64, step: UInt64 = 0) {
        self.seed = seed
        self.step = step
    }
}

/// The random state of a session, and masks that replace random ones, shared by its compiled graphs.
final class RandomStream {
    var state: RandomState
    /// Recorded masks by the value that `bernoulli` or `dropout` defines.
    var masks: [Int: Tensor] = [:]

    init(_ state: RandomState) {
        self.state = state
    }

    /// Fills memory with ones with probability p, zeros otherwise.
    func bernoulli(_ target: UnsafeMutablePointer<Float>, count: Int, p: Double, stream: UInt32, _ pool: ThreadPool) {
        // A draw is below the bound with probability p; one needs 33 bits.
        let bound = UInt64(max(0, min(1, p)) * 4_294_967_296)
        pool.parallelRanges((count + 3) / 4, grain: 16, with: (target, count, bound, stream, state)) { job, range in
            let (target, count, bound, stream, state) = job
            for block in range {
                let draws = philox(
                    SIMD4(
                        UInt32(truncatingIfNeeded: block), stream, UInt32(truncatingIfNeeded: state.step),
                        UInt32(truncatingIfNeeded: state.step >> 32)), key: state.seed)
                for lane in 0..<min(4, count - block * 4) {
                    target[block * 4 + lane] = UInt64(draws[lane]) < bound ? 1 : 0
                }
            }
        }
    }
}

/// Ten rounds of Philox 4×32.
func philox(_ counter: SIMD4<UInt32>, key: UInt64) -> SIMD4<UInt32> {
    var c = counter
    var (k0, k1) = (UInt32(truncatingIfNeeded: key), UInt32(truncatingIfNeeded: key >> 32))
    for _ in 0..<10 {
        let a = c[0].multipliedFullWidth(by: 0xD251_1F53)
        let b = c[2].multipliedFullWidth(by: 0xCD9E_8D57)
        c = SIMD4(b.high ^ c[1] ^ k0, b.low, a.high ^ c[3] ^ k1, a.low)
        k0 &+= 0x9E37_79B9
        k1 &+= 0xBB67_AE85
    }
    return c
}

/// Ones with probability p, zeros otherwise, drawn anew each step, or a recorded mask.
struct Bernoulli: Operation {
    var target: [Int]
    var probability: Double
    /// The value of the graph that names the mask.
    var name: Int
    var arity: ClosedRange<Int> { 0...0 }

    func shape(_ inputs: [[Int]?]) throws -> [Int] {
        guard probability >= 0, probability <= 1 else { throw ShapeFault("p = \(probability) is no probability") }
        return try Full(target: target, value: 0).shape(inputs)
    }

    func forward(_ builder: ProgramBuilder, _ node: PlanNode) {
        let y = builder.output(node)
        let draws = builder.temporary(y.shape, rowMajor: true)
        let random = builder.random
        let stream = UInt32(truncatingIfNeeded: name)
        let count = draws.count
        builder.emit([draws], result: draws) { memory, pool in
            let target = memory[draws]
            if let mask = random.masks[name], mask.count == count {
                mask.values.withUnsafeBufferPointer { source in
                    if let base = source.baseAddress { target.update(from: base, count: count) }
                }
            } else {
                random.bernoulli(target, count: count, p: probability, stream: stream, pool)
            }
        }
        builder.copy(draws, to: y)
    }
}

extension OperationTable {
    static let randomCompositions: [String: Composer.Composition] = [
        "dropout": { c in
            let p = try c.attributes.number("p", default: 0.5)
            guard p >= 0, p <= 1 else { throw c.attributes.failure("p = \(p) is no probability") }
            let x = try c.input(0)
            let mask = try c.apply(Bernoulli(target: c.shape(x), probability: 1 - p, name: c.name))
            return try c.affine(c.multiply(x, mask), scale: p < 1 ? 1 / (1 - p) : 0)
        }
    ]
}
