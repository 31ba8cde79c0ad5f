/// Convolution of N C L, N C H W or N C D H W, also transposed. With `relu` the following ReLU is computed in the same pass.
///
/// Stride, padding, dilation and output padding have one entry for all spatial axes or one for each. In evaluation `normalizes`
/// says that a batch norm with running statistics is folded into weights and bias; its weight, bias, mean and variance are then
/// operands 3 to 6.
struct Convolution: Operation {
    var stride: [Int]
    var padding: [Int]
    var dilation: [Int]
    var transposed: Bool
    var outputPadding: [Int]
    var groups: Int
    var relu = false
    var foldedEpsilon: Float?
    var arity: ClosedRange<Int> { foldedEpsilon == nil ? 2...3 : 7...7 }

    /// Reads the attributes of a node.
    init(_ attributes: Attributes) throws {
        func sizes(_ name: String, default fallback: Int, minimum: Int) throws -> [Int] {
            let sizes = try attributes.integers(name, default: [fallback])
            guard (1...3).contains(sizes.count), sizes.allSatisfy({ $0 >= minimum && $0 <= 1 << 20 }) else {
                throw attributes.failure("\(sizes) is no \(name) along one to three axes")
            }
            return sizes
        }
        stride = try sizes("stride", default: 1, minimum: 1)
        padding = try sizes("padding", default: 0, minimum: 0)
        dilation = try sizes("dilation", default: 1, minimum: 1)
        transposed = try attributes.flag("transposed")
        outputPadding = try sizes("output_padding", default: 0, minimum: 0)
        groups = try attributes.integer("groups", default: 1)
    }

    func isOptional(_ input: Int) -> Bool { (2...4).contains(input) }
    func differentiable(_ input: Int) -> Bool { input < 3 }

    /// The sizes along slices, rows and columns, with `filler` where the input has no such axis.
    private func spread(_ sizes: [Int], _ filler: Int, rank: Int, _ name: String) throws -> [Int] {
        guard sizes.count == 1 || sizes.count == rank else {
            throw ShapeFault("a \(name) of \(sizes) does not fit \(rank) spatial axes")
        }
        let all = sizes.count == rank ? sizes : [Int](repeating: sizes[0], count: rank)
        return [Int](repeating: filler, count: 3 - rank) + all
    }

    func geometry(_ x: [Int], _ weight: [Int]) throws -> ConvolutionShape {
        guard (3...5).contains(x.count), weight.count == x.count else {
            throw ShapeFault("an input of shape \(x) with weights \(weight) is no convolution along one to three axes")
        }
        guard (1...65_536).contains(groups) else { throw ShapeFault("\(groups) groups") }
        let rank = x.count - 2
        let input = try spread(Array(x.dropFirst(2)), 1, rank: rank, "input")
        let kernel = try spread(Array(weight.dropFirst(2)), 1, rank: rank, "kernel")
        let (stride, dilation) = (
            try spread(stride, 1, rank: rank, "stride"), try spread(dilation, 1, rank: rank, "dilation")
        )
        let padding = try spread(padding, 0, rank: rank, "padding")
        let extra = try spread(outputPadding, 0, rank: rank, "output padding")
        guard zip(extra, zip(stride, dilation)).allSatisfy({ $0 < max($1.0, $1.1) }) else {
            throw ShapeFault("the output padding is not below the stride or the dilation")
        }
        let shape = ConvolutionShape(
            batch: x[0], height: input[1], width: input[2], inputChannels: x[1],
            outputChannels: transposed ? weight[1] * groups : weight[0], kernel: Extent(kernel[1], kernel[2]),
            stride: Extent(stride[1], stride[2]), padding: Extent(padding[1], padding[2]),
            dilation: Extent(dilation[1], dilation[2]), groups: groups, transposed: transposed,
            outputPadding: Extent(extra[1], extra[2]),
            slices: SliceAxis(
                count: input[0], kernel: kernel[0], stride: stride[0], padding: padding[0], dilation: dilation[0],
                outputPadding: extra[0]))
        guard shape.isValid, transposed ? weight[0] == x[1] : weight[1] * groups == x[1] else {
            throw ShapeFault("weights \(weight) in \(groups) groups do not fit an input of shape \(x)")
        }
        return shape
    }

    func shape(_ inputs: [[Int]?]) throws -> [Int] {
        let x = inputs[0] ?? []
        let shape = try geometry(x, inputs[1] ?? [])
        for case let other? in inputs.dropFirst(2) where other != [shape.outputChannels] {
            throw ShapeFault("a bias of shape \(other) for \(shape.outputChannels) channels")
        }
        let sizes = [shape.outputSlices, shape.outputHeight, shape.outputWidth]
        return [shape.batch, shape.outputChannels] + sizes.suffix(x.count - 2)
    }

    private func plan(_ builder: ProgramBuilder, _ node: PlanNode) -> ConvolutionPlan? {
        let shape = try? geometry(builder.shape(node.input(0)), builder.shape(node.input(1)))
        return shape.map { ConvolutionPlan($0, threads: builder.threads, policy: builder.policy) }
    }

    func forward(_ builder: ProgramBuilder, _ node: PlanNode) {
        guard let plan = plan(builder, node) else { return }
        let y = builder.output(node).asImage
        let x = builder.pixels(builder.view(node.input(0)).asImage)
        if let epsilon = foldedEpsilon {
            let (weight, bias) = builder.folded(node, plan.shape, epsilon)
            emitConvolutionForward(
                builder, plan, x: x, weight: weight, packed: builder.packed(weight, isStable: true, .forward, plan),
                bias: bias, relu: relu, y: y)
        } else {
            emitConvolutionForward(
                builder, plan, x: x, weight: node.input(1), bias: node.inputs.count > 2 ? node.inputs[2] : nil,
                relu: relu, y: y)
        }
    }

    func backward(_ builder: ProgramBuilder, _ node: PlanNode, _ gradient: GradientSlot) {
        guard let plan = plan(builder, node) else { return }
        var slot = gradient
        if relu {
            let (y, g) = (builder.view(node.output), gradient.view)
            let masked = gradient.owned ? g : builder.temporary(g.shape)
            let nest = Nest([masked, g, y]).plan
            builder.emit([masked, g, y]) { memory, pool in
                nest.forEachPart(pool, with: (memory[masked], memory[g], memory[y])) { job, part in
                    part.map2(job.0, job.1, job.2) { $1 > 0 ? $0 : 0 }
                }
            }
            slot = GradientSlot(view: masked, owned: true)
        }
        emitConvolutionBackward(
            builder, plan, x: { builder.pixels(builder.view(node.input(0)).asImage) },
            dy: builder.pixels(slot.view.asImage), weight: node.input(1),
            bias: node.inputs.count > 2 ? node.inputs[2] : nil,
            intoInput: { body in builder.overwrite(node.input(0)) { body($0.asImage) } })
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
    let source = builder.rowMajor(builder.view(weight))
    emitConvolutionForward(
        builder, plan, x: x, weight: source,
        packed: builder.packed(source, isStable: builder.isStable(weight), .forward, plan),
        bias: bias.map { builder.rowMajor(builder.view($0)) }, relu: relu, y: y)
}

private func emitConvolutionForward(
    _ builder: ProgramBuilder, _ plan: ConvolutionPlan, x: (view: View, stride: Int), weight source: View, packed: View,
    bias b: View?, relu: Bool, y: View
) {
    let target = y.pixelStride == nil ? builder.temporary(y.shape) : y
    let stride = target.pixelStride ?? target.shape[1]
    builder.needWorkspace(plan.workspaceBytes(.forward))
    builder.emit(
        [x.view, source, packed, b, target], result: target, part: ConvolutionPass.forward.rawValue,
        operations: plan.shape.operations
    ) { memory, pool in
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
            builder.emit(
                [x.view, dy.view, dw, db], result: dw, part: ConvolutionPass.weightGradient.rawValue,
                operations: plan.shape.operations
            ) { memory, pool in
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
        let source = builder.rowMajor(builder.view(weight))
        let packed = builder.packed(source, isStable: builder.isStable(weight), .inputGradient, plan)
        let target = dx.pixelStride == nil ? builder.temporary(dx.shape) : dx
        let stride = target.pixelStride ?? target.shape[1]
        builder.needWorkspace(plan.workspaceBytes(.inputGradient))
        builder.emit(
            [dy.view, source, packed, target], result: target, part: ConvolutionPass.inputGradient.rawValue,
            operations: plan.shape.operations
        ) { memory, pool in
            plan.inputGradient(
                memory.pixels(dy.view, stride: dy.stride), weights: memory[source], packed: memory[packed],
                into: memory.pixels(target, stride: stride), workspace: ProgramBuilder.workspace(memory), pool: pool)
        }
        builder.copy(target, to: dx)
    }
}

extension ProgramBuilder {
    /// Weights (row-major) in the form that a pass reads.
    ///
    /// Evaluation packs parameters once after they changed and keeps them. In training they change with each step: they are packed
    /// right before their use, into memory that other temporaries share, because with Winograd they take four times the parameters.
    func packed(_ source: View, isStable: Bool, _ pass: ConvolutionPass, _ plan: ConvolutionPlan) -> View {
        let count = plan.packedCount(pass)
        guard count > 0 else { return source }
        if isStable && !training {
            let target = persistent(count)
            emitPreparation([source, target]) { memory, pool in
                plan.pack(memory[source], for: pass, into: memory[target], pool: pool)
            }
            return target
        }
        let target = temporary([count])
        emit([source, target], part: "weights") { memory, pool in
            plan.pack(memory[source], for: pass, into: memory[target], pool: pool)
        }
        return target
    }

    /// Weights and bias of a convolution with the batch norm of its operands 3 to 6 folded in: w s and (b - mean) s + beta with
    /// s = gamma / sqrt(variance + epsilon) for each output channel. Computed once after a change.
    func folded(_ node: PlanNode, _ shape: ConvolutionShape, _ epsilon: Float) -> (weight: View, bias: View) {
        // Not the first: that is the image, which stays as it is.
        let operands = node.inputs.enumerated().map { index, value in
            index == 0 ? nil : value.map { rowMajor(view($0)) }
        }
        let (weight, bias) = (persistent(shape.weightCount), persistent(shape.outputChannels))
        guard let source = operands[1], let mean = operands[5], let variance = operands[6] else {
            return (weight, bias)
        }
        let (b, gamma, beta) = (operands[2], operands[3], operands[4])
        emitPreparation([source, b, gamma, beta, mean, variance, weight, bias].compactMap { $0 }) { memory, pool in
            let folding = Folding(
                shape: shape, epsilon: Double(epsilon), source: memory[source], start: b.map { memory[$0] },
                gamma: gamma.map { memory[$0] }, beta: beta.map { memory[$0] }, mean: memory[mean],
                variance: memory[variance], weight: memory[weight], bias: memory[bias])
            pool.parallel(shape.outputChannels, with: folding) { folding, k, _ in folding.fold(k) }
        }
        return (weight, bias)
    }
}

/// The memory that folding a batch norm into a convolution reads and writes; see `ProgramBuilder.folded`.
private struct Folding {
    let shape: ConvolutionShape
    let epsilon: Double
    let source: UnsafePointer<Float>
    /// The bias of the convolution itself.
    let start: UnsafePointer<Float>?
    let gamma: UnsafePointer<Float>?
    let beta: UnsafePointer<Float>?
    let mean: UnsafePointer<Float>
    let variance: UnsafePointer<Float>
    let weight: UnsafeMutablePointer<Float>
    let bias: UnsafeMutablePointer<Float>

    /// Weights and bias of one output channel.
    func fold(_ k: Int) {
        let area = shape.slices.kernel * shape.kernel.height * shape.kernel.width
        let (first, second) = (shape.inputChannels / shape.groups, shape.outputChannels / shape.groups)
        let scale = Double(gamma?[k] ?? 1) / (Double(variance[k]) + epsilon).squareRoot()
        bias[k] = Float((Double(start?[k] ?? 0) - Double(mean[k])) * scale + Double(beta?[k] ?? 0))
        for c in 0..<first {
            // Transposed weights are (I, O/g, …), others (O, I/g, …).
            let (group, channel) = k.quotientAndRemainder(dividingBy: second)
            let row = shape.transposed ? (group * first + c) * second + channel : k * first + c
            for tap in row * area..<(row + 1) * area { weight[tap] = Float(Double(source[tap]) * scale) }
        }
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
        let sizes = (m: m, n: n, k: k)
        let steps = (
            batch: a.rank == 3 ? a.strides[0] : 0, row: a.strides[a.rank - 2], column: a.strides[a.rank - 1]
        )
        builder.emit([a, b, target], result: target) { memory, pool in
            let (left, right, result) = (memory[a], memory[b], memory[target])
            pool.parallel(batch * m, with: (left, right, result, sizes, steps)) { job, row, _ in
                let (left, right, result, (m, n, k), steps) = job
                let (group, i) = (row / m, row % m)
                let line = result + row * n
                line.update(repeating: 0, count: n)
                for p in 0..<k {
                    let factor = left[group * steps.batch + i * steps.row + p * steps.column]
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
