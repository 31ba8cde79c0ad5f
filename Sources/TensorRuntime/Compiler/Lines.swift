/// The lines of several views of one shape along an axis: where each starts, how long it is, how far its elements are apart.
///
/// The views may differ in length along the axis; the length is that of the first.
struct Lines {
    let length: Int
    /// Per view the distance of neighbours along the axis.
    let steps: SIMD8<Int>
    private let plan: NestPlan

    /// A value without axes is one line of one element.
    init(_ views: [View], axis: Int) {
        guard views[0].rank > 0 else {
            (plan, length, steps) = (Nest(views).plan, 1, SIMD8(repeating: 1))
            return
        }
        let axis = axis < 0 ? axis + views[0].rank : axis
        plan = Nest(views.map { $0.narrowed(axis: axis, start: 0, size: 1) }).plan
        length = views[0].shape[axis]
        var steps = SIMD8<Int>()
        for (index, view) in views.enumerated() { steps[index] = view.strides[axis] }
        self.steps = steps
    }

    /// Calls `body(context, part)` for parts that make up all lines, in parallel when there is enough to do.
    ///
    /// As with `ThreadPool.parallel`, a `body` that captures nothing allocates nothing.
    func forEachPart<Context>(
        _ pool: ThreadPool, with context: Context, _ body: @escaping (_ context: Context, _ part: NestPart) -> Void
    ) {
        plan.forEachPart(pool, with: context, body)
    }
}

extension NestPart {
    /// Calls `body` with the offsets of the views at the start of each line.
    @inline(__always)
    func forEachLine(_ body: (_ offsets: SIMD8<Int>) -> Void) {
        forEachRow { offsets, count in
            for index in 0..<count { body(offsets &+ inner &* SIMD8(repeating: index)) }
        }
    }
}
