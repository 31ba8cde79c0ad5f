/// Reading by position and finding positions: gather, index_select, topk, argmax, argmin, one-hot.
///
/// Positions are whole numbers stored as floats, exact up to 2²⁴. A position outside the axis, which PyTorch refuses, makes the
/// result not a number.
extension OperationTable {
    static let indexing: [String: Factory] = [
        "gather": { Gather(axis: try $0.integer("axis")) },
        "topk_indices": {
            TopPositions(
                axis: try $0.integer("axis"), count: try $0.integer("k"),
                isLargest: try $0.flag("largest", default: true)
            )
        },
        "argmax": {
            TopPositions(axis: try $0.integer("axis"), count: nil, isLargest: true, keepsAxis: try $0.flag("keepdim"))
        },
        "argmin": {
            TopPositions(axis: try $0.integer("axis"), count: nil, isLargest: false, keepsAxis: try $0.flag("keepdim"))
        },
        "arange": {
            let (start, step) = (try $0.number("start", default: 0), try $0.number("step", default: 1))
            let size = try $0.integer("size")
            guard start.isFinite, step.isFinite else { throw $0.failure("start and step must be finite") }
            return Pattern(target: [size]) { Float(start + Double($0) * step) }
        },
    ]

    static let indexCompositions: [String: Composer.Composition] = [
        "topk": { c in
            let operation = TopPositions(
                axis: try c.attributes.integer("axis"), count: try c.attributes.integer("k"),
                isLargest: try c.attributes.flag("largest", default: true))
            let places = try c.apply(operation, c.input(0))
            return try c.apply(Gather(axis: operation.axis), c.input(0), places)
        },
        "index_select": { c in
            let (x, index) = (try c.input(0), try c.input(1))
            var shape = c.shape(x)
            let axis = try resolveAxis(c.attributes.integer("axis"), rank: shape.count)
            guard c.shape(index).count == 1 else { throw ShapeFault("an index of shape \(c.shape(index))") }
            shape[axis] = c.shape(index)[0]
            var line = [Int](repeating: 1, count: shape.count)
            line[axis] = shape[axis]
            return try c.apply(Gather(axis: axis), x, c.expand(c.reshape(index, line), shape))
        },
        // Along a new last axis.
        "one_hot": { c in
            let (x, classes) = (try c.input(0), try c.attributes.integer("classes"))
            let numbers = try c.apply(Pattern(target: [classes]) { Float($0) })
            return try c.apply(BinaryOperation(Equal()), c.reshape(x, c.shape(x) + [1]), numbers)
        },
    ]
}

/// A constant whose elements follow from their row-major position.
struct Pattern: Operation {
    var target: [Int]
    var element: @Sendable (Int) -> Float
    var arity: ClosedRange<Int> { 0...0 }

    init(target: [Int], _ element: @escaping @Sendable (Int) -> Float) {
        self.target = target
        self.element = element
    }

    func shape(_ inputs: [[Int]?]) throws -> [Int] { try Full(target: target, value: 0).shape(inputs) }

    func forward(_ builder: ProgramBuilder, _ node: PlanNode) {
        let y = builder.output(node)
        let rows = builder.temporary(y.shape, rowMajor: true)
        let count = rows.count
        builder.emit([rows], result: rows) { memory, pool in
            pool.parallelRanges(count, grain: 1024, with: (self, memory[rows])) { job, range in
                for index in range { job.1[index] = job.0.element(index) }
            }
        }
        builder.copy(rows, to: y)
    }
}

/// y[…, i, …] = x[…, index[…, i, …], …] along an axis, as PyTorch's `gather`; the gradient is added up in order, by one thread.
struct Gather: Operation {
    var axis: Int
    var arity: ClosedRange<Int> { 2...2 }

    func differentiable(_ input: Int) -> Bool { input == 0 }

    func shape(_ inputs: [[Int]?]) throws -> [Int] {
        let (x, index) = (inputs[0] ?? [], inputs[1] ?? [])
        let axis = try resolveAxis(axis, rank: x.count)
        guard index.count == x.count, x.indices.allSatisfy({ $0 == axis || index[$0] <= x[$0] }) else {
            throw ShapeFault("an index of shape \(index) does not fit shape \(x) along axis \(axis)")
        }
        return index
    }

    /// The operand in the shape of the index, standing still along the axis; its length there and the distance of neighbours.
    private func base(_ x: View, _ shape: [Int]) -> (view: View, length: Int, step: Int) {
        let axis = axis < 0 ? axis + x.rank : axis
        var view = x
        (view.shape, view.strides[axis]) = (shape, 0)
        return (view, x.shape[axis], x.strides[axis])
    }

    func forward(_ builder: ProgramBuilder, _ node: PlanNode) {
        let index = builder.view(node.input(1))
        let y = builder.output(node)
        let (x, length, step) = base(builder.view(node.input(0)), y.shape)
        let plan = Nest([y, index, x]).plan
        builder.emit([y, index, x], result: y) { memory, pool in
            plan.forEachPart(pool, with: (memory[y], memory[index], memory[x], (length, step))) { job, part in
                let (target, places, source, (length, step)) = job
                part.forEachLine { o in
                    let place = position(places[o[1]], below: length)
                    target[o[0]] = place.map { source[o[2] + $0 * step] } ?? .nan
                }
            }
        }
    }

    func backward(_ builder: ProgramBuilder, _ node: PlanNode, _ gradient: GradientSlot) {
        let (index, g) = (builder.view(node.input(1)), gradient.view)
        builder.accumulate(node.input(0)) { dx, adds in
            if !adds { builder.fill(dx, 0) }
            let (x, length, step) = base(dx, g.shape)
            let plan = Nest([index, g, x]).plan
            builder.emit([index, g, x], result: dx) { memory, _ in
                let (places, slope, target) = (memory[index], memory[g], memory[x])
                for row in 0..<plan.rows {
                    let offsets = plan.offsets(row: row)
                    for i in 0..<plan.rowLength {
                        let o = offsets &+ plan.inner &* SIMD8(repeating: i)
                        guard let place = position(places[o[0]], below: length) else { continue }
                        target[o[2] + place * step] += slope[o[1]]
                    }
                }
            }
        }
    }
}

/// A position that was stored as a float; nil for what lies outside.
@inline(__always)
private func position(_ value: Float, below length: Int) -> Int? {
    guard value >= 0, value < Float(length) else { return nil }
    return Int(value)
}

/// The positions of the largest (or smallest) elements along an axis, in order; of equal elements the first comes first, and what is
/// not a number counts as the largest, as in PyTorch. Cost: k passes over each line.
struct TopPositions: Operation {
    var axis: Int
    /// nil: one, and the axis goes unless it is kept.
    var count: Int?
    var isLargest: Bool
    var keepsAxis = true

    func differentiable(_ input: Int) -> Bool { false }

    func shape(_ inputs: [[Int]?]) throws -> [Int] {
        var shape = inputs[0] ?? []
        let axis = try resolveAxis(axis, rank: shape.count)
        guard (count ?? 1) > 0, (count ?? 1) <= shape[axis] else {
            throw ShapeFault("there are no \(count ?? 1) elements along axis \(axis) of \(shape)")
        }
        shape[axis] = count ?? 1
        if count == nil, !keepsAxis { shape.remove(at: axis) }
        return shape
    }

    func forward(_ builder: ProgramBuilder, _ node: PlanNode) {
        let x = builder.view(node.input(0))
        var y = builder.output(node)
        let (result, wanted) = (y, count ?? 1)
        if y.rank < x.rank {
            let axis = axis < 0 ? axis + x.rank : axis
            y.shape.insert(1, at: axis)
            y.strides.insert(1, at: axis)
        }
        let lines = Lines([x, y], axis: axis)
        let (xs, ys, length) = (lines.steps[0], lines.steps[1], lines.length)
        builder.emit([x, y], result: result) { memory, pool in
            lines.forEachPart(pool, with: (self, memory[x], memory[y], (xs, ys), (length, wanted))) { job, part in
                let (order, source, target, (xs, ys), (length, wanted)) = job
                part.forEachLine { offsets in
                    var last = -1
                    for k in 0..<wanted {
                        last = order.next(source + offsets[0], xs, length, after: last)
                        target[offsets[1] + k * ys] = Float(last)
                    }
                }
            }
        }
    }

    /// The position that follows `last` in the order; the first for -1.
    @inline(__always)
    private func next(_ line: UnsafePointer<Float>, _ step: Int, _ length: Int, after last: Int) -> Int {
        var best = -1
        for k in 0..<length where k != last {
            let value = line[k * step]
            if last >= 0, precedes(value, k, line[last * step], last) { continue }
            if best < 0 || precedes(value, k, line[best * step], best) { best = k }
        }
        return best
    }

    @inline(__always)
    private func precedes(_ a: Float, _ i: Int, _ b: Float, _ j: Int) -> Bool {
        if a.isNaN || b.isNaN { return a.isNaN == b.isNaN ? i < j : a.isNaN == isLargest }
        return a == b ? i < j : (a > b) == isLargest
    }
}
