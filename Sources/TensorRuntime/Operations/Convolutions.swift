/// Convolution of N C H W, also transposed. With `relu` the following ReLU is computed in the same pass.
struct Convolution: Operation {
    var stride: Extent
    var padding: Extent
    var dilation: Extent
    var transposed: Bool
    var outputPadding: Extent
    var groups: Int
    var relu = false
    var arity: ClosedRange<Int> { 2...3 }

    func isOptional(_ input: Int) -> Bool { input == 2 }

    func geometry(_ x: [Int], _ weight: [Int]) throws -> ConvolutionShape {
        guard x.count == 4, weight.count == 4 else {
            throw ShapeFault("only two-dimensional convolutions are supported, not \(x) with weights \(weight)")
        }
        guard (1...65_536).contains(groups) else { throw ShapeFault("\(groups) groups") }
        guard outputPadding.height < max(stride.height, dilation.height),
            outputPadding.width < max(stride.width, dilation.width)
        else { throw ShapeFault("the output padding is not below the stride or the dilation") }
        let shape = ConvolutionShape(
            batch: x[0], height: x[2], width: x[3], inputChannels: x[1],
            outputChannels: transposed ? weight[1] * groups : weight[0], kernel: Extent(weight[2], weight[3]),
            stride: stride, padding: padding, dilation: dilation, groups: groups, transposed: transposed,
            outputPadding: outputPadding)
        guard shape.isValid, transposed ? weight[0] == x[1] : weight[1] * groups == x[1] else {
            throw ShapeFault("weights \(weight) in \(groups) groups do not fit an input of shape \(x)")
        }
        return shape
    }

    func shape(_ inputs: [[Int]?]) throws -> [Int] {
        let shape = try geometry(inputs[0] ?? [], inputs[1] ?? [])
        if inputs.count > 2, let bias = inputs[2], bias != [shape.outputChannels] {
            throw ShapeFault("a bias of shape \(bias) for \(shape.outputChannels) channels")
        }
        return [shape.batch, shape.outputChannels, shape.outputHeight, shape.outputWidth]
    }

    private func plan(_ builder: ProgramBuilder, _ node: PlanNode) -> ConvolutionPlan? {
        let shape = try? geometry(builder.shape(node.input(0)), builder.shape(node.input(1)))
        return shape.map { ConvolutionPlan($0, threads: builder.threads, policy: builder.policy) }
    }

    func forward(_ builder: ProgramBuilder, _ node: PlanNode) {
        guard let plan = plan(builder, node) else { return }
        emitConvolutionForward(
            builder, plan, x: builder.pixels(builder.view(node.input(0))), weight: node.input(1),
            bias: node.inputs.count > 2 ? node.inputs[2] : nil, relu: relu, y: builder.output(node))
    }

    func backward(_ builder: ProgramBuilder, _ node: PlanNode, _ gradient: GradientSlot) {
        guard let plan = plan(builder, node) else { return }
        var slot = gradient
        if relu {
            let (y, g) = (builder.view(node.output), gradient.view)
            let masked = gradient.owned ? g : builder.temporary(g.shape)
            let nest = Nest([masked, g, y]).plan
            builder.emit([masked, g, y]) { memory, pool in
                Elementwise.map2(nest, memory[masked], memory[g], memory[y], pool) { $1 > 0 ? $0 : 0 }
            }
            slot = GradientSlot(view: masked, owned: true)
        }
        emitConvolutionBackward(
            builder, plan, x: { builder.pixels(builder.view(node.input(0))) }, dy: builder.pixels(slot.view),
            weight: node.input(1), bias: node.inputs.count > 2 ? node.inputs[2] : nil,
            intoInput: { body in builder.overwrite(node.input(0), body) })
    }
}

/// y = x Wᵀ + b over the last axis: a convolution with a kernel of one pixel.
struct AffineMap: Operation {
    var arity: ClosedRange<Int> { 2...3 }
    func isOptional(_ input: Int) -> Bool { input == 2 }

    func shape(_ inputs: [[Int]?]) throws -> [Int] {
        let (x, weight) = (inputs[0] ?? [], inputs[1] ?? [])
        guard let last = x.last, weight.count == 2, weight[1] == last else {
            throw ShapeFault("weights \(weight) do not fit an input of shape \(x)")
        }
        if inputs.count > 2, let bias = inputs[2], bias != [weight[0]] {
            throw ShapeFault("a bias of shape \(bias) for \(weight[0]) outputs")
        }
        return x.dropLast() + [weight[0]]
    }

    private func plan(_ builder: ProgramBuilder, _ node: PlanNode) -> ConvolutionPlan {
        let (x, weight) = (builder.shape(node.input(0)), builder.shape(node.input(1)))
        let shape = ConvolutionShape(
            batch: 1, height: 1, width: x.dropLast().reduce(1, *), inputChannels: weight[1], outputChannels: weight[0],
            kernel: Extent(1))
        return ConvolutionPlan(shape, threads: builder.threads, policy: builder.policy)
    }

    /// Row-major vectors as pixels.
    private func pixels(_ view: View) -> (view: View, stride: Int) {
        let channels = view.shape[view.rank - 1]
        let image = View(
            buffer: view.buffer, offset: view.offset, shape: [1, channels, 1, view.count / max(channels, 1)],
            strides: [view.count, 1, view.count, channels])
        return (image, channels)
    }

    func forward(_ builder: ProgramBuilder, _ node: PlanNode) {
        let y = builder.output(node)
        let target = y.isRowMajor ? y : builder.temporary(y.shape, rowMajor: true)
        emitConvolutionForward(
            builder, plan(builder, node), x: pixels(builder.rowMajor(builder.view(node.input(0)))),
            weight: node.input(1), bias: node.inputs.count > 2 ? node.inputs[2] : nil, relu: false,
            y: pixels(target).view)
        builder.copy(target, to: y)
    }

    func backward(_ builder: ProgramBuilder, _ node: PlanNode, _ gradient: GradientSlot) {
        emitConvolutionBackward(
            builder, plan(builder, node), x: { pixels(builder.rowMajor(builder.view(node.input(0)))) },
            dy: pixels(builder.rowMajor(gradient.view)), weight: node.input(1),
            bias: node.inputs.count > 2 ? node.inputs[2] : nil,
            intoInput: { body in
                guard builder.wants(node.input(0)) else { return }
                let dx = builder.temporary(builder.shape(node.input(0)), rowMajor: true)
                body(pixels(dx).view)
                builder.pass(dx, to: node.input(0), owned: true)
            })
    }
}

private func emitConvolutionForward(
    _ builder: ProgramBuilder, _ plan: ConvolutionPlan, x: (view: View, stride: Int), weight: Int, bias: Int?,
    relu: Bool, y: View
) {
    let packed = builder.packed(weight, for: .forward, plan)
    let source = builder.rowMajor(builder.view(weight))
    let b = bias.map { builder.rowMajor(builder.view($0)) }
    let target = y.pixelStride == nil ? builder.temporary(y.shape) : y
    let stride = target.pixelStride ?? target.shape[1]
    builder.needWorkspace(plan.workspaceBytes(.forward))
    builder.emit([x.view, source, packed, b, target], result: target) { memory, pool in
        plan.forward(
            memory.pixels(x.view, stride: x.stride), weights: memory[source], packed: memory[packed],
            bias: b.map { memory[$0] }, relu: relu,
            into: memory.pixels(target, stride: stride), workspace: ProgramBuilder.workspace(memory), pool: pool)
    }
    builder.copy(target, to: y)
}

private func emitConvolutionBackward(
    _ builder: ProgramBuilder, _ plan: ConvolutionPlan, x: () -> (view: View, stride: Int),
    dy: (view: View, stride: Int), weight: Int, bias: Int?, intoInput: (_ body: (View) -> Void) -> Void
) {
    let wantsBias = builder.wants(bias)
    if builder.wants(weight) || wantsBias {
        let x = x()
        builder.needWorkspace(plan.workspaceBytes(.weightGradient))
        // The kernel always yields the weight gradient; without a need for it, it goes to scratch memory.
        func emit(_ dw: View, _ db: View?) {
            builder.emit([x.view, dy.view, dw, db], result: dw) { memory, pool in
                plan.weightGradient(
                    memory.pixels(x.view, stride: x.stride), memory.pixels(dy.view, stride: dy.stride),
                    into: memory[dw], bias: db.map { memory[$0] }, workspace: ProgramBuilder.workspace(memory),
                    pool: pool)
            }
        }
        func withBias(_ body: (View?) -> Void) {
            if wantsBias, let bias { builder.overwrite(bias) { body($0) } } else { body(nil) }
        }
        withBias { db in
            if builder.wants(weight) {
                builder.overwrite(weight, rowMajor: true) { emit($0, db) }
            } else {
                emit(builder.temporary(builder.shape(weight), rowMajor: true), db)
            }
        }
    }
    intoInput { dx in
        let packed = builder.packed(weight, for: .inputGradient, plan)
        let source = builder.rowMajor(builder.view(weight))
        let target = dx.pixelStride == nil ? builder.temporary(dx.shape) : dx
        let stride = target.pixelStride ?? target.shape[1]
        builder.needWorkspace(plan.workspaceBytes(.inputGradient))
        builder.emit([dy.view, source, packed, target], result: target) { memory, pool in
            plan.inputGradient(
                memory.pixels(dy.view, stride: dy.stride), weights: memory[source], packed: memory[packed],
                into: memory.pixels(target, stride: stride), workspace: ProgramBuilder.workspace(memory), pool: pool)
        }
        builder.copy(target, to: dx)
    }
}

extension ProgramBuilder {
    /// The weights of a convolution in the form that a pass reads: parameters are packed once after they changed, computed weights
    /// in each run.
    func packed(_ weight: Int, for pass: ConvolutionPass, _ plan: ConvolutionPlan) -> View {
        let source = rowMajor(view(weight))
        let count = plan.packedCount(pass)
        guard count > 0 else { return source }
        if isStable(weight) {
            let target = persistent(count)
            emitPreparation([source, target]) { memory, pool in
                plan.pack(memory[source], for: pass, into: memory[target], pool: pool)
            }
            return target
        }
        let target = temporary([count])
        emit([source, target]) { memory, pool in
            plan.pack(memory[source], for: pass, into: memory[target], pool: pool)
        }
        return target
    }
}

/// Product of matrices, or of batches of them.
struct MatrixProduct: Operation {
    var arity: ClosedRange<Int> { 2...2 }

    func shape(_ inputs: [[Int]?]) throws -> [Int] {
        let (a, b) = (inputs[0] ?? [], inputs[1] ?? [])
        guard a.count == b.count, a.count == 2 || a.count == 3, a[a.count - 1] == b[b.count - 2],
            a.count == 2 || a[0] == b[0]
        else { throw ShapeFault("matrices \(a) and \(b) cannot be multiplied") }
        return a.dropLast() + [b[b.count - 1]]
    }

    func forward(_ builder: ProgramBuilder, _ node: PlanNode) {
        let y = builder.output(node)
        multiply(builder, builder.view(node.input(0)), builder.view(node.input(1)), into: y)
    }

    func backward(_ builder: ProgramBuilder, _ node: PlanNode, _ gradient: GradientSlot) {
        let (a, b) = (builder.view(node.input(0)), builder.view(node.input(1)))
        builder.overwrite(node.input(0)) { multiply(builder, gradient.view, b.transposed, into: $0) }
        builder.overwrite(node.input(1)) { multiply(builder, a.transposed, gradient.view, into: $0) }
    }

    /// c = a b, row by row of the result; b is made row-major so that the inner loop is contiguous.
    private func multiply(_ builder: ProgramBuilder, _ a: View, _ b: View, into c: View) {
        let b = builder.rowMajor(b)
        let target = c.isRowMajor ? c : builder.temporary(c.shape, rowMajor: true)
        let (batch, m) = (a.rank == 3 ? a.shape[0] : 1, a.shape[a.rank - 2])
        let (k, n) = (a.shape[a.rank - 1], b.shape[b.rank - 1])
        let (rowStep, columnStep) = (a.strides[a.rank - 2], a.strides[a.rank - 1])
        let batchStep = a.rank == 3 ? a.strides[0] : 0
        builder.emit([a, b, target], result: target) { memory, pool in
            let (left, right, result) = (memory[a], memory[b], memory[target])
            pool.parallel(batch * m) { row in
                let (group, i) = (row / m, row % m)
                let line = result + row * n
                line.update(repeating: 0, count: n)
                for p in 0..<k {
                    let factor = left[group * batchStep + i * rowStep + p * columnStep]
                    let source = right + (group * k + p) * n
                    for j in 0..<n { line[j] += factor * source[j] }
                }
            }
        }
        builder.copy(target, to: c)
    }
}

extension View {
    /// The last two axes exchanged.
    var transposed: View {
        var view = self
        view.shape.swapAt(rank - 1, rank - 2)
        view.strides.swapAt(rank - 1, rank - 2)
        return view
    }
}
