/// How values are combined by a reduction.
protocol Reducer {
    var start: Float { get }
    func combine(_ a: Float, _ b: Float) -> Float
    /// Whether partial results are carried in double precision.
    static var isSum: Bool { get }
}

struct Sum: Reducer {
    static let isSum = true
    var start: Float { 0 }
    @inline(__always) func combine(_ a: Float, _ b: Float) -> Float { a + b }
}

struct Maximum: Reducer {
    static let isSum = false
    var start: Float { -.infinity }
    @inline(__always) func combine(_ a: Float, _ b: Float) -> Float { a.isNaN || a > b ? a : b }
}

struct Minimum: Reducer {
    static let isSum = false
    var start: Float { .infinity }
    @inline(__always) func combine(_ a: Float, _ b: Float) -> Float { a.isNaN || a < b ? a : b }
}

/// Combination over the axes along which the output view (broadcast to the input's shape) has stride zero.
///
/// Results do not depend on the number of threads: the input is cut into a number of pieces fixed by the shapes, each piece is
/// summed in blocks of floats that are added up in double precision, and the pieces are combined in order.
struct ReductionPlan {
    private let kept: NestPlan
    private let keptInner: Int
    private let keptInnerStride: Int
    private let reduced: NestPlan
    private let keptRows: Int
    /// Whether whole rows of results are added at a time: the kept axis is contiguous and the reduced one is not.
    private let byRows: Bool
    private let pieces: Int

    init(input: View, output: View) {
        var (keptIn, keptOut, inner) = (input, output, input)
        for axis in 0..<input.rank {
            if output.strides[axis] == 0, input.shape[axis] != 1 {
                (keptIn.shape[axis], keptOut.shape[axis]) = (1, 1)
            } else {
                inner.shape[axis] = 1
            }
        }
        let nest = Nest([keptIn, keptOut])
        kept = nest.plan
        keptRows = nest.rows
        keptInner = nest.rowLength
        keptInnerStride = nest.inner[1]
        let innerNest = Nest([inner])
        reduced = innerNest.plan
        byRows = nest.inner[0] == 1 && nest.rowLength >= 4 && innerNest.inner[0] != 1
        pieces = max(1, min(32, reduced.rows * reduced.rowLength * (byRows ? keptInner : 1) / 8192))
    }

    /// Partial results, one a piece, or one a piece and result of a row.
    private var partials: Int { byRows ? pieces * keptInner : pieces }

    /// Bytes of scratch memory that a run needs.
    var workspaceBytes: Int { partials * MemoryLayout<Double>.stride }

    /// output = scale · reduction (+ output when `adds`), of views of the shapes that the plan was made for.
    func run<R: Reducer>(
        _ reducer: R, _ memory: Memory, _ input: View, _ output: View, scale: Float, adds: Bool, _ pool: ThreadPool
    ) {
        let partial = ProgramBuilder.workspace(memory).bindMemory(to: Double.self, capacity: partials)
        let (x, y) = (memory[input], memory[output])
        if byRows {
            runRows(reducer, x, y, partial, scale, adds, pool)
        } else if keptRows * keptInner == 1 {
            let context = (plan: self, reducer: reducer, x: x, partial: partial)
            pool.parallel(pieces, with: context) { job, piece, _ in
                job.partial[piece] = job.plan.partialResult(job.reducer, job.x, piece)
            }
            store(reducer, UnsafeMutableBufferPointer(start: partial, count: pieces), y, scale, adds)
        } else {
            let context = (plan: self, reducer: reducer, x: x, y: y, scale: scale, adds: adds)
            pool.parallelRanges(keptRows * keptInner, with: context) { job, range in
                job.plan.reduce(job.reducer, range, job.x, job.y, job.scale, job.adds)
            }
        }
    }

    /// Some of the results, element by element.
    @inline(__always)
    private func reduce<R: Reducer>(
        _ reducer: R, _ results: Range<Int>, _ x: UnsafeMutablePointer<Float>, _ y: UnsafeMutablePointer<Float>,
        _ scale: Float, _ adds: Bool
    ) {
        for index in results {
            let offsets = kept.offsets(row: index / keptInner)
            let column = index % keptInner
            let source = x + offsets[0] + column * kept.inner[0]
            var total = Double(reducer.start)
            for piece in 0..<pieces { total = join(reducer, total, partialResult(reducer, source, piece)) }
            let target = y + offsets[1] + column * keptInnerStride
            target.pointee = Float(total) * scale + (adds ? target.pointee : 0)
        }
    }

    private func store<R: Reducer>(
        _ reducer: R, _ partial: UnsafeMutableBufferPointer<Double>, _ y: UnsafeMutablePointer<Float>, _ scale: Float,
        _ adds: Bool
    ) {
        var total = Double(reducer.start)
        for value in partial { total = join(reducer, total, value) }
        y.pointee = Float(total * Double(scale)) + (adds ? y.pointee : 0)
    }

    @inline(__always)
    private func join<R: Reducer>(_ reducer: R, _ a: Double, _ b: Double) -> Double {
        R.isSum ? a + b : Double(reducer.combine(Float(a), Float(b)))
    }

    /// The combination of one piece of the reduced elements.
    @inline(__always)
    private func partialResult<R: Reducer>(_ reducer: R, _ x: UnsafeMutablePointer<Float>, _ piece: Int) -> Double {
        let total = reduced.rows * reduced.rowLength
        var position = total * piece / pieces
        let end = total * (piece + 1) / pieces
        var result = Double(reducer.start)
        while position < end {
            let column = position % reduced.rowLength
            let length = min(end - position, reduced.rowLength - column)
            let source = x + reduced.offsets(row: position / reduced.rowLength)[0] + column * reduced.inner[0]
            result = join(reducer, result, run(reducer, source, length, reduced.inner[0]))
            position += length
        }
        return result
    }

    @inline(__always)
    private func run<R: Reducer>(_ reducer: R, _ x: UnsafeMutablePointer<Float>, _ count: Int, _ stride: Int) -> Double
    {
        var result = Double(reducer.start)
        var index = 0
        if stride == 1, count >= 16, R.isSum {
            while index + 16 <= count {
                // Blocks of 4096 floats keep the rounding error of a long sum near one part in 10⁷.
                let block = min(count - index, 4096) / 16 * 16
                var lanes = SIMD16<Float>()
                for offset in Swift.stride(from: index, to: index + block, by: 16) {
                    lanes += UnsafeRawPointer(x + offset).loadUnaligned(as: SIMD16<Float>.self)
                }
                result += Double(lanes.sum())
                index += block
            }
        }
        while index < count {
            result = join(reducer, result, Double(x[index * stride]))
            index += 1
        }
        return result
    }

    private func runRows<R: Reducer>(
        _ reducer: R, _ x: UnsafeMutablePointer<Float>, _ y: UnsafeMutablePointer<Float>,
        _ partial: UnsafeMutablePointer<Double>, _ scale: Float, _ adds: Bool, _ pool: ThreadPool
    ) {
        for row in 0..<keptRows {
            let offsets = kept.offsets(row: row)
            let context = (plan: self, reducer: reducer, x: x + offsets[0], partial: partial)
            pool.parallel(pieces, with: context) { job, piece, _ in
                job.plan.partialRow(job.reducer, job.x, piece, into: job.partial + piece * job.plan.keptInner)
            }
            for k in 0..<keptInner {
                var result = Double(reducer.start)
                for piece in 0..<pieces { result = join(reducer, result, partial[piece * keptInner + k]) }
                let target = y + offsets[1] + k * keptInnerStride
                target.pointee = Float(result) * scale + (adds ? target.pointee : 0)
            }
        }
    }

    /// The combination of one piece of the reduced rows, for a row of results.
    @inline(__always)
    private func partialRow<R: Reducer>(
        _ reducer: R, _ x: UnsafeMutablePointer<Float>, _ piece: Int, into sums: UnsafeMutablePointer<Double>
    ) {
        let total = reduced.rows * reduced.rowLength
        for k in 0..<keptInner { sums[k] = Double(reducer.start) }
        for position in total * piece / pieces..<total * (piece + 1) / pieces {
            let source =
                x + reduced.offsets(row: position / reduced.rowLength)[0]
                + position % reduced.rowLength * reduced.inner[0]
            for k in 0..<keptInner { sums[k] = join(reducer, sums[k], Double(source[k])) }
        }
    }
}
