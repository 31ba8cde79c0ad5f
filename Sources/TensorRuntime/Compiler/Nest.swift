/// The loops over several views of one shape, merged as far as their strides allow, the contiguous axis innermost.
///
/// Compiled once; running it allocates nothing. The work is split over the pool by rows, or within the row when there is one.
struct Nest {
    static let maximumOperands = 5
    private(set) var sizes: [Int] = []
    /// Per loop the stride of each operand.
    private(set) var strides: [[Int]] = []
    private(set) var rows = 1
    private(set) var rowLength = 1
    let operands: Int

    /// Inner strides, one an operand.
    var inner: [Int] { strides[strides.count - 1] }

    /// All views must have the shape of the first, which decides the order of the loops.
    init(_ views: [View]) {
        operands = views.count
        let shape = views[0].shape
        let order = shape.indices.filter { shape[$0] != 1 }.sorted {
            let (a, b) = (views[0].strides[$0], views[0].strides[$1])
            return a != b ? a > b : (views.last?.strides[$0] ?? 0) > (views.last?.strides[$1] ?? 0)
        }
        for axis in order {
            let steps = views.map { $0.strides[axis] }
            if let last = strides.last, zip(last, steps).allSatisfy({ $0 == $1 * shape[axis] }) {
                sizes[sizes.count - 1] *= shape[axis]
                strides[strides.count - 1] = steps
            } else {
                sizes.append(shape[axis])
                strides.append(steps)
            }
        }
        if sizes.isEmpty {
            sizes = [1]
            strides = [[Int](repeating: 1, count: operands)]
        }
        rowLength = sizes[sizes.count - 1]
        rows = sizes.dropLast().reduce(1, *)
    }

    /// The loops as plain numbers, for the kernels.
    var plan: NestPlan { NestPlan(self) }
}

/// A `Nest` with its numbers in fixed storage, so that walking it touches no array.
struct NestPlan {
    typealias Offsets = SIMD8<Int>

    let rows: Int
    let rowLength: Int
    let inner: Offsets
    private let depth: Int
    private let sizes: SIMD8<Int>
    private let steps: (Offsets, Offsets, Offsets, Offsets, Offsets, Offsets)

    init(_ nest: Nest) {
        rows = nest.rows
        rowLength = nest.rowLength
        depth = nest.sizes.count - 1
        func pack(_ list: [Int]) -> Offsets {
            var packed = Offsets()
            for (index, value) in list.enumerated() where index < 8 { packed[index] = value }
            return packed
        }
        inner = pack(nest.inner)
        sizes = pack(nest.sizes)
        let all = nest.strides.map(pack) + [Offsets](repeating: Offsets(), count: 6)
        steps = (all[0], all[1], all[2], all[3], all[4], all[5])
    }

    @inline(__always)
    private func step(_ level: Int) -> Offsets {
        switch level {
        case 0: return steps.0
        case 1: return steps.1
        case 2: return steps.2
        case 3: return steps.3
        case 4: return steps.4
        default: return steps.5
        }
    }

    /// The offsets of the operands at the start of a row.
    @inline(__always)
    func offsets(row: Int) -> Offsets {
        var offsets = Offsets()
        var rest = row
        var level = depth - 1
        while level >= 0 {
            let index = rest % sizes[level]
            rest /= sizes[level]
            offsets &+= step(level) &* Offsets(repeating: index)
            level -= 1
        }
        return offsets
    }

    /// Calls `body(context, part)` for parts that make up all rows, in parallel when there is enough to do.
    ///
    /// As with `ThreadPool.parallel`, a `body` that captures nothing allocates nothing.
    func forEachPart<Context>(
        _ pool: ThreadPool, with context: Context, _ body: @escaping (_ context: Context, _ part: NestPart) -> Void
    ) {
        withUnsafePointer(to: self) { plan in
            guard rows * rowLength >= 8192 else {
                return body(context, NestPart(plan, rows: 0..<rows, columns: 0..<rowLength))
            }
            let job = NestJob(plan: plan, context: context, body: body, pieces: pool.threadCount)
            pool.run(pool.threadCount, job)
        }
    }
}

/// Some rows of a nest, or a piece of its only row: what one thread works on.
struct NestPart {
    /// Per operand the distance of neighbours in a row.
    let inner: NestPlan.Offsets
    private let plan: UnsafePointer<NestPlan>
    private let rows: Range<Int>
    private let columns: Range<Int>

    fileprivate init(_ plan: UnsafePointer<NestPlan>, rows: Range<Int>, columns: Range<Int>) {
        (inner, self.plan, self.rows, self.columns) = (plan.pointee.inner, plan, rows, columns)
    }

    /// Calls `body` with the offsets of the operands and the number of elements for each row, or for the piece of it.
    @inline(__always)
    func forEachRow(_ body: (_ offsets: NestPlan.Offsets, _ count: Int) -> Void) {
        let first = inner &* NestPlan.Offsets(repeating: columns.lowerBound)
        for row in rows { body(plan.pointee.offsets(row: row) &+ first, columns.count) }
    }
}

/// The parts of a nest as a job of a pool: ranges of rows, or of the only row.
private struct NestJob<Context>: PoolJob {
    let plan: UnsafePointer<NestPlan>
    let context: Context
    let body: (Context, NestPart) -> Void
    let pieces: Int

    func run(_ index: Int, _ worker: Int) {
        let (rows, rowLength) = (plan.pointee.rows, plan.pointee.rowLength)
        let range = ThreadPool.range(
            index, of: pieces, count: rows == 1 ? rowLength : rows, grain: rows == 1 ? 64 : 1)
        if range.isEmpty { return }
        let part =
            rows == 1
            ? NestPart(plan, rows: 0..<1, columns: range) : NestPart(plan, rows: range, columns: 0..<rowLength)
        body(context, part)
    }
}
