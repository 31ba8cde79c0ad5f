/// Batch normalization over the channels of N C or N C …, with the statistics of the batch (training) or the running ones.
///
/// Ioffe and Szegedy 2015. With `relu` the following ReLU is computed in the same pass.
struct BatchNorm: Operation {
    var isTraining: Bool
    var momentum: Float
    var epsilon: Float
    /// The running variance follows that of the batch as it is, as in Keras, and not its unbiased estimate, as in PyTorch.
    var keepsBiasedVariance = false
    var relu = false
    /// Not zero when that is a leaky ReLU.
    var negativeSlope: Float = 0
    var arity: ClosedRange<Int> { 5...5 }
    var updatesStatistics: Bool { isTraining }

    func isOptional(_ input: Int) -> Bool { input > 0 }
    func differentiable(_ input: Int) -> Bool { input < 3 }

    func shape(_ inputs: [[Int]?]) throws -> [Int] {
        let shape = inputs[0] ?? []
        guard (2...5).contains(shape.count) else {
            throw ShapeFault("shape \(shape) is not N C, N C L, N C H W or N C D H W")
        }
        for other in inputs.dropFirst() {
            if let other, other != [shape[1]] { throw ShapeFault("\(other) values for \(shape[1]) channels") }
        }
        if !isTraining, inputs[3] == nil || inputs[4] == nil {
            throw ShapeFault("evaluation needs running statistics")
        }
        if isTraining, shape.reduce(1, *) == shape[1] {
            throw ShapeFault("training needs more than one value per channel, but the shape is \(shape)")
        }
        return shape
    }

    /// A view of any rank as channels-last pixels, copied when need be.
    private func image(_ view: View, _ builder: ProgramBuilder) -> (view: View, stride: Int) {
        builder.pixels(view.asImage)
    }

    func forward(_ builder: ProgramBuilder, _ node: PlanNode) {
        let (x, xs) = image(builder.view(node.input(0)), builder)
        let y = builder.output(node)
        var target = y.asImage
        if target.pixelStride == nil { target = builder.temporary(target.shape) }
        let ys = target.pixelStride ?? target.shape[1]
        let (channels, pixels) = (x.shape[1], x.count / x.shape[1])
        let gamma = node.inputs[1].map { builder.rowMajor(builder.view($0)) }
        let beta = node.inputs[2].map { builder.rowMajor(builder.view($0)) }
        let (mean, variance, inverse) = (
            builder.saved(node, 0, count: channels), builder.saved(node, 1, count: channels),
            builder.saved(node, 2, count: channels)
        )
        builder.needWorkspace(
            BatchNormalization.workspaceBytes(pixels: pixels, channels: channels, threads: builder.threads))
        let touched = [x, target, gamma, beta, mean, variance, inverse]
        if isTraining {
            builder.emit(touched, result: target) { memory, pool in
                BatchNormalization.forward(
                    memory.pixels(x, stride: xs), pixels: pixels, channels: channels, gamma: gamma.map { memory[$0] },
                    beta: beta.map { memory[$0] }, epsilon: epsilon, relu: relu,
                    negativeSlope: negativeSlope, into: memory.pixels(target, stride: ys), mean: memory[mean],
                    variance: memory[variance],
                    inverseDeviation: memory[inverse], workspace: ProgramBuilder.workspace(memory), pool: pool)
            }
            updateStatistics(builder, node, mean, variance, pixels: pixels)
        } else {
            let (m, v) = (
                builder.rowMajor(builder.view(node.input(3))), builder.rowMajor(builder.view(node.input(4)))
            )
            builder.emit(touched + [m, v], result: target) { memory, pool in
                for c in 0..<channels {
                    memory[mean][c] = memory[m][c]
                    memory[inverse][c] = 1 / (memory[v][c] + epsilon).squareRoot()
                }
                BatchNormalization.apply(
                    memory.pixels(x, stride: xs), pixels: pixels, channels: channels, gamma: gamma.map { memory[$0] },
                    beta: beta.map { memory[$0] }, mean: memory[mean], inverseDeviation: memory[inverse], relu: relu,
                    negativeSlope: negativeSlope, into: memory.pixels(target, stride: ys),
                    workspace: ProgramBuilder.workspace(memory), pool: pool)
            }
        }
        builder.copy(target, to: y.asImage)
    }

    /// After the step: running ← (1 - momentum) · running + momentum · batch, the variance unbiased unless told otherwise.
    private func updateStatistics(
        _ builder: ProgramBuilder, _ node: PlanNode, _ mean: View, _ variance: View, pixels: Int
    ) {
        guard builder.training else { return }
        let factor = pixels > 1 && !keepsBiasedVariance ? Float(Double(pixels) / Double(pixels - 1)) : 1
        for (input, batch, scale) in [(node.inputs[3], mean, Float(1)), (node.inputs[4], variance, factor)] {
            guard let input else { continue }
            let running = builder.view(input)
            builder.emitCompletion([running, batch]) { memory, _ in
                let (r, b) = (memory[running], memory[batch])
                for c in 0..<batch.count { r[c] = (1 - momentum) * r[c] + momentum * (b[c] * scale) }
            }
        }
    }

    func backward(_ builder: ProgramBuilder, _ node: PlanNode, _ gradient: GradientSlot) {
        guard isTraining else { return backwardFixed(builder, node, gradient) }
        let (x, xs) = image(builder.view(node.input(0)), builder)
        let (dy, dys) = image(gradient.view, builder)
        let isCopy = dy.buffer != gradient.view.buffer
        let (channels, pixels) = (x.shape[1], x.count / x.shape[1])
        let gamma = node.inputs[1].map { builder.rowMajor(builder.view($0)) }
        let beta = node.inputs[2].map { builder.rowMajor(builder.view($0)) }
        let (mean, inverse) = (builder.saved(node, 0, count: channels), builder.saved(node, 2, count: channels))
        let (dgamma, dbeta) = (builder.temporary([channels]), builder.temporary([channels]))
        let dx = gradient.owned || isCopy ? dy : builder.temporary(dy.shape)
        let dxs = dx.pixelStride ?? channels
        builder.emit([x, dy, gamma, beta, mean, inverse, dgamma, dbeta, dx], result: dx) { memory, pool in
            BatchNormalization.backward(
                memory.pixels(x, stride: xs), memory.pixels(dy, stride: dys), pixels: pixels, channels: channels,
                gamma: gamma.map { memory[$0] }, beta: beta.map { memory[$0] }, mean: memory[mean],
                inverseDeviation: memory[inverse], relu: relu, negativeSlope: negativeSlope,
                into: memory.pixels(dx, stride: dxs),
                dgamma: memory[dgamma], dbeta: memory[dbeta], workspace: ProgramBuilder.workspace(memory), pool: pool)
        }
        if let value = node.inputs[1] { builder.pass(dgamma, to: value, owned: true) }
        if let value = node.inputs[2] { builder.pass(dbeta, to: value, owned: true) }
        if let view = dx.reshaped(builder.shape(node.input(0))) {
            builder.pass(view, to: node.input(0), owned: true)
        } else {
            builder.overwrite(node.input(0)) { builder.copy(dx, to: $0.asImage) }
        }
    }

    /// With given statistics the operation is y = x · s + t per channel.
    private func backwardFixed(_ builder: ProgramBuilder, _ node: PlanNode, _ gradient: GradientSlot) {
        let x = builder.view(node.input(0)).asImage
        var g = gradient.view.asImage
        let channels = x.shape[1]
        let (mean, inverse) = (builder.saved(node, 0, count: channels), builder.saved(node, 2, count: channels))
        func spread(_ view: View) -> View {
            var strides = [Int](repeating: 0, count: x.rank)
            strides[1] = view.strides[0]
            return View(buffer: view.buffer, offset: view.offset, shape: x.shape, strides: strides)
        }
        if relu {
            let (y, masked) = (builder.view(node.output).asImage, builder.temporary(x.shape))
            let (plan, slope) = (Nest([masked, g, y]).plan, g)
            let leak = negativeSlope
            builder.emit([masked, slope, y]) { memory, pool in
                plan.forEachPart(pool, with: (memory[masked], memory[slope], memory[y], leak)) { job, part in
                    let leak = job.3
                    part.map2(job.0, job.1, job.2) { $1 > 0 ? $0 : leak == 0 ? 0 : leak * $0 }
                }
            }
            g = masked
        }
        let slope = g
        if let value = node.inputs[2] {
            builder.passSummed(slope.channels, to: value, owned: false)
        }
        if let value = node.inputs[1], builder.wants(value) {
            let product = builder.temporary(x.shape)
            let (m, i) = (spread(mean), spread(inverse))
            let plan = Nest([product, slope, x, m, i]).plan
            builder.emit([product, slope, x, m, i]) { memory, pool in
                let statistics = (memory[m], memory[i])
                plan.forEachPart(pool, with: (memory[product], memory[slope], memory[x], statistics)) { job, part in
                    let (product, slope, x, statistics) = job
                    part.map4(product, slope, x, statistics.0, statistics.1) { $0 * ($1 - $2) * $3 }
                }
            }
            builder.passSummed(product.channels, to: value, owned: true)
        }
        let i = spread(inverse)
        let gamma = node.inputs[1].map { spread(builder.view($0)) }
        builder.accumulate(node.input(0)) { dx, adds in
            let target = dx.asImage
            let plan = Nest([target, slope, i, gamma ?? i]).plan
            builder.emit([target, slope, i, gamma], result: dx) { memory, pool in
                let (factors, flags) = ((memory[i], memory[gamma ?? i]), (adds: adds, hasGamma: gamma != nil))
                plan.forEachPart(pool, with: (memory[target], memory[slope], factors, flags)) { job, part in
                    let (target, slope, factors, flags) = job
                    part.map3(adds: flags.adds, target, slope, factors.0, factors.1) {
                        flags.hasGamma ? $0 * $1 * $2 : $0 * $1
                    }
                }
            }
        }
    }
}

extension View {
    /// N C and N C L as N C H W; images and volumes as they are.
    var asImage: View {
        switch rank {
        case 2:
            return View(buffer: buffer, offset: offset, shape: shape + [1, 1], strides: strides + [1, 1])
        case 3:
            return View(
                buffer: buffer, offset: offset, shape: [shape[0], shape[1], 1, shape[2]],
                strides: [strides[0], strides[1], 1, strides[2]])
        default:
            return self
        }
    }

    /// N C … with the axis of channels last, so that summing down to a vector of channels is a broadcast.
    var channels: View {
        var view = self
        view.shape.append(view.shape.remove(at: 1))
        view.strides.append(view.strides.remove(at: 1))
        return view
    }
}
