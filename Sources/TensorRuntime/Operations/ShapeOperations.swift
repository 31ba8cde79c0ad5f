/// The same elements: copies, contiguity, casts between float types.
struct Identity: Operation {
    func shape(_ inputs: [[Int]?]) -> [Int] { inputs[0] ?? [] }

    func forward(_ builder: ProgramBuilder, _ node: PlanNode) {
        builder.alias(node, builder.view(node.input(0)))
    }

    func backward(_ builder: ProgramBuilder, _ node: PlanNode, _ gradient: GradientSlot) {
        builder.pass(gradient.view, to: node.input(0), owned: gradient.owned)
    }
}

/// The same elements without a gradient.
struct Detach: Operation {
    func shape(_ inputs: [[Int]?]) -> [Int] { inputs[0] ?? [] }
    func differentiable(_ input: Int) -> Bool { false }

    func forward(_ builder: ProgramBuilder, _ node: PlanNode) {
        builder.alias(node, builder.view(node.input(0)))
    }
}

struct Concatenate: Operation {
    var axis: Int
    var arity: ClosedRange<Int> { 1...1024 }

    func shape(_ inputs: [[Int]?]) throws -> [Int] {
        let shapes = inputs.compactMap { $0 }
        guard let first = shapes.first else { throw ShapeFault("nothing to concatenate") }
        let axis = try resolveAxis(axis, rank: first.count)
        var result = first
        for shape in shapes.dropFirst() {
            guard shape.count == first.count else { throw ShapeFault("\(first) and \(shape) differ in rank") }
            for other in shape.indices where other != axis && shape[other] != first[other] {
                throw ShapeFault("\(first) and \(shape) differ along axis \(other)")
            }
            result[axis] += shape[axis]
        }
        return result
    }

    /// The parts of a concatenated value that the operands take.
    func parts(_ whole: View, _ builder: ProgramBuilder, _ node: PlanNode) -> [View] {
        let axis = axis < 0 ? axis + whole.rank : axis
        var start = 0
        return node.inputs.map { input in
            let size = builder.shape(input ?? -1)[axis]
            defer { start += size }
            return whole.narrowed(axis: axis, start: start, size: size)
        }
    }

    func forward(_ builder: ProgramBuilder, _ node: PlanNode) {
        let y = builder.output(node)
        for (input, part) in zip(node.inputs, parts(y, builder, node)) {
            builder.copy(builder.view(input ?? -1), to: part)
        }
        builder.markResult(y)
    }

    func backward(_ builder: ProgramBuilder, _ node: PlanNode, _ gradient: GradientSlot) {
        // Operands that appear twice must not share the memory of one part with another.
        for (input, part) in zip(node.inputs, parts(gradient.view, builder, node)) {
            builder.pass(part, to: input ?? -1, owned: gradient.owned)
        }
    }
}

struct Pad: Operation {
    /// Before and after, from the last axis backwards.
    var padding: [Int]
    var value: Float

    private func bounds(_ axis: Int, rank: Int) -> (Int, Int) {
        let pair = rank - 1 - axis
        return 2 * pair + 1 < padding.count ? (padding[2 * pair], padding[2 * pair + 1]) : (0, 0)
    }

    func shape(_ inputs: [[Int]?]) throws -> [Int] {
        let shape = inputs[0] ?? []
        guard padding.count % 2 == 0, padding.count / 2 <= shape.count else {
            throw ShapeFault("a padding of \(padding) does not fit shape \(shape)")
        }
        return try shape.indices.map { axis in
            let (before, after) = bounds(axis, rank: shape.count)
            let size = shape[axis] + before + after
            guard size > 0, abs(before) < 1 << 24, abs(after) < 1 << 24 else {
                throw ShapeFault("a padding of \(padding) does not fit shape \(shape)")
            }
            return size
        }
    }

    /// The elements that both have, in the operand and in the result.
    private func overlap(_ x: View, _ y: View) -> (View, View) {
        var (inner, outer) = (x, y)
        for axis in 0..<x.rank {
            let (before, after) = bounds(axis, rank: x.rank)
            let size = x.shape[axis] + min(before, 0) + min(after, 0)
            inner = inner.narrowed(axis: axis, start: max(-before, 0), size: size)
            outer = outer.narrowed(axis: axis, start: max(before, 0), size: size)
        }
        return (inner, outer)
    }

    func forward(_ builder: ProgramBuilder, _ node: PlanNode) {
        let x = builder.view(node.input(0))
        let y = builder.output(node)
        if padding.contains(where: { $0 > 0 }) { builder.fill(y, value) }
        let (inner, outer) = overlap(x, y)
        builder.copy(inner, to: outer)
        builder.markResult(y)
    }

    func backward(_ builder: ProgramBuilder, _ node: PlanNode, _ gradient: GradientSlot) {
        let x = View(
            buffer: 0, shape: builder.shape(node.input(0)),
            strides: View.strides(canonical: builder.shape(node.input(0))))
        let part = overlap(x, gradient.view).1
        if padding.contains(where: { $0 < 0 }) {
            builder.passPart(part, of: node.input(0)) { overlap($0, gradient.view).0 }
        } else {
            builder.pass(part, to: node.input(0), owned: gradient.owned)
        }
    }
}

struct Slice: Operation {
    var axis: Int
    var start: Int
    var end: Int
    var step: Int

    private func range(_ shape: [Int]) -> (axis: Int, start: Int, size: Int) {
        let axis = axis < 0 ? axis + shape.count : axis
        let length = shape[axis]
        func clamped(_ index: Int) -> Int { min(max(index < 0 ? index + length : index, 0), length) }
        let (first, last) = (clamped(start), clamped(end))
        return (axis, first, last > first ? (last - first + step - 1) / step : 0)
    }

    func shape(_ inputs: [[Int]?]) throws -> [Int] {
        var shape = inputs[0] ?? []
        _ = try resolveAxis(axis, rank: shape.count)
        guard step > 0, step <= Graph.Limits.elements else { throw ShapeFault("a step of \(step)") }
        let (axis, start, size) = range(shape)
        guard size > 0 else { throw ShapeFault("the slice from \(start) of axis \(axis) of \(shape) is empty") }
        shape[axis] = size
        return shape
    }

    private func part(_ view: View) -> View {
        let (axis, start, size) = range(view.shape)
        return view.narrowed(axis: axis, start: start, size: size, step: step)
    }

    func forward(_ builder: ProgramBuilder, _ node: PlanNode) {
        builder.alias(node, part(builder.view(node.input(0))))
    }

    func backward(_ builder: ProgramBuilder, _ node: PlanNode, _ gradient: GradientSlot) {
        builder.passPart(gradient.view, of: node.input(0), part)
    }
}

struct Select: Operation {
    var axis: Int
    var index: Int

    func shape(_ inputs: [[Int]?]) throws -> [Int] {
        var shape = inputs[0] ?? []
        let axis = try resolveAxis(axis, rank: shape.count)
        guard index >= -shape[axis], index < shape[axis] else {
            throw ShapeFault("index \(index) lies outside axis \(axis) of \(shape)")
        }
        shape.remove(at: axis)
        return shape
    }

    private func part(_ view: View) -> View {
        let axis = axis < 0 ? axis + view.rank : axis
        let index = index < 0 ? index + view.shape[axis] : index
        var part = view.narrowed(axis: axis, start: index, size: 1)
        part.shape.remove(at: axis)
        part.strides.remove(at: axis)
        return part
    }

    func forward(_ builder: ProgramBuilder, _ node: PlanNode) {
        builder.alias(node, part(builder.view(node.input(0))))
    }

    func backward(_ builder: ProgramBuilder, _ node: PlanNode, _ gradient: GradientSlot) {
        builder.passPart(gradient.view, of: node.input(0), part)
    }
}

struct Reshape: Operation {
    var target: [Int]

    func shape(_ inputs: [[Int]?]) throws -> [Int] {
        let shape = inputs[0] ?? []
        let count = shape.reduce(1, *)
        var result = target
        let open = target.indices.filter { target[$0] == -1 }
        let known = boundedProduct(target.filter { $0 != -1 }) ?? 0
        if open.count == 1, known > 0, count % known == 0 { result[open[0]] = count / known }
        guard result.allSatisfy({ $0 > 0 && $0 <= count }), result.count <= 6, boundedProduct(result) == count else {
            throw ShapeFault("shape \(shape) cannot be seen as \(target)")
        }
        return result
    }

    func forward(_ builder: ProgramBuilder, _ node: PlanNode) {
        let x = builder.view(node.input(0))
        let shape = builder.shape(node.output)
        if let view = x.reshaped(shape) { return builder.alias(node, view) }
        let copy = builder.temporary(x.shape, rowMajor: true)
        builder.copy(x, to: copy)
        var view = copy
        (view.shape, view.strides) = (shape, View.strides(rowMajor: shape))
        builder.alias(node, view)
    }

    func backward(_ builder: ProgramBuilder, _ node: PlanNode, _ gradient: GradientSlot) {
        let shape = builder.shape(node.input(0))
        if let view = gradient.view.reshaped(shape) {
            return builder.pass(view, to: node.input(0), owned: gradient.owned)
        }
        var copy = builder.rowMajor(gradient.view)
        (copy.shape, copy.strides) = (shape, View.strides(rowMajor: shape))
        builder.pass(copy, to: node.input(0), owned: true)
    }
}

extension View {
    /// The same memory under another shape, when the strides allow that without a copy.
    func reshaped(_ target: [Int]) -> View? {
        let axes = shape.indices.filter { shape[$0] != 1 }
        var strides = [Int](repeating: 0, count: target.count)
        var (old, new) = (0, 0)
        while old < axes.count {
            // The shortest run of old axes that covers a run of new ones.
            var (oldEnd, oldCount) = (old + 1, shape[axes[old]])
            while new < target.count, target[new] == 1 { new += 1 }
            guard new < target.count else { return nil }
            var (newEnd, newCount) = (new + 1, target[new])
            while oldCount != newCount {
                if oldCount < newCount {
                    guard oldEnd < axes.count else { return nil }
                    oldCount *= shape[axes[oldEnd]]
                    oldEnd += 1
                } else {
                    guard newEnd < target.count else { return nil }
                    newCount *= target[newEnd]
                    newEnd += 1
                }
            }
            for index in old + 1..<max(oldEnd, old + 1)
            where self.strides[axes[index - 1]] != self.strides[axes[index]] * shape[axes[index]] {
                return nil
            }
            var step = self.strides[axes[oldEnd - 1]]
            for index in (new..<newEnd).reversed() {
                strides[index] = step
                step *= target[index]
            }
            (old, new) = (oldEnd, newEnd)
        }
        return View(buffer: buffer, offset: offset, shape: target, strides: strides)
    }
}

struct Permute: Operation {
    var axes: [Int]

    func shape(_ inputs: [[Int]?]) throws -> [Int] {
        let shape = inputs[0] ?? []
        let resolved = try axes.map { try resolveAxis($0, rank: shape.count) }
        guard resolved.sorted() == Array(shape.indices) else { throw ShapeFault("\(axes) does not permute \(shape)") }
        return resolved.map { shape[$0] }
    }

    func forward(_ builder: ProgramBuilder, _ node: PlanNode) {
        let x = builder.view(node.input(0))
        var view = x
        for (to, axis) in axes.enumerated() {
            let from = axis < 0 ? axis + x.rank : axis
            (view.shape[to], view.strides[to]) = (x.shape[from], x.strides[from])
        }
        builder.alias(node, view)
    }

    func backward(_ builder: ProgramBuilder, _ node: PlanNode, _ gradient: GradientSlot) {
        var view = gradient.view
        for (from, axis) in axes.enumerated() {
            let to = axis < 0 ? axis + view.rank : axis
            (view.shape[to], view.strides[to]) = (gradient.view.shape[from], gradient.view.strides[from])
        }
        builder.pass(view, to: node.input(0), owned: gradient.owned)
    }
}

/// The elements along some axes in reverse order.
struct Flip: Operation {
    var axes: [Int]

    func shape(_ inputs: [[Int]?]) throws -> [Int] {
        let shape = inputs[0] ?? []
        let resolved = try axes.map { try resolveAxis($0, rank: shape.count) }
        guard Set(resolved).count == resolved.count else { throw ShapeFault("axes \(axes) repeat") }
        return shape
    }

    private func turned(_ view: View) -> View {
        var view = view
        for axis in axes.map({ $0 < 0 ? $0 + view.rank : $0 }) {
            view.offset += (view.shape[axis] - 1) * view.strides[axis]
            view.strides[axis] = -view.strides[axis]
        }
        return view
    }

    func forward(_ builder: ProgramBuilder, _ node: PlanNode) {
        builder.alias(node, turned(builder.view(node.input(0))))
    }

    func backward(_ builder: ProgramBuilder, _ node: PlanNode, _ gradient: GradientSlot) {
        builder.pass(turned(gradient.view), to: node.input(0), owned: gradient.owned)
    }
}

struct Expand: Operation {
    var target: [Int]

    func shape(_ inputs: [[Int]?]) throws -> [Int] {
        let shape = inputs[0] ?? []
        guard target.count >= shape.count, target.count <= 6 else {
            throw ShapeFault("shape \(shape) cannot be expanded to \(target)")
        }
        let missing = target.count - shape.count
        var (result, count) = (target, 1)
        for axis in target.indices {
            if target[axis] == -1, axis >= missing { result[axis] = shape[axis - missing] }
            let (product, overflow) = count.multipliedReportingOverflow(by: result[axis])
            guard result[axis] > 0, !overflow, product <= Graph.Limits.elements else {
                throw ShapeFault("shape \(shape) cannot be expanded to \(target)")
            }
            count = product
            guard axis < missing || shape[axis - missing] == 1 || shape[axis - missing] == result[axis] else {
                throw ShapeFault("shape \(shape) cannot be expanded to \(target)")
            }
        }
        return result
    }

    func forward(_ builder: ProgramBuilder, _ node: PlanNode) {
        builder.alias(node, builder.view(node.input(0)).broadcast(to: builder.shape(node.output)))
    }

    func backward(_ builder: ProgramBuilder, _ node: PlanNode, _ gradient: GradientSlot) {
        builder.passSummed(gradient.view, to: node.input(0), owned: gradient.owned)
    }
}

/// A constant tensor.
struct Full: Operation {
    var target: [Int]
    var value: Float
    var arity: ClosedRange<Int> { 0...0 }

    func shape(_ inputs: [[Int]?]) throws -> [Int] {
        guard target.count <= 6, target.allSatisfy({ $0 > 0 }),
            (try? Tensor.count(of: target)).map({ $0 <= Graph.Limits.elements }) == true
        else { throw ShapeFault("\(target) is no shape") }
        return target
    }

    func forward(_ builder: ProgramBuilder, _ node: PlanNode) {
        builder.fill(builder.output(node), value)
    }
}
