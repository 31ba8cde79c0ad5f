/// Batch normalization over the channels of N C or N C …, with the statistics of the batch (training) or the running ones.
///
/// Ioffe and Szegedy 2015. With `relu` the following ReLU is computed in the same pass.
struct BatchNorm: Operation {
    var isTraining: Bool
    var momentum: Float
    var epsilon: Float
    var relu = false
    var arity: ClosedRange<Int> { 5...5 }

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
                    into: memory.pixels(target, stride: ys), mean: memory[mean], variance: memory[variance],
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
                    into: memory.pixels(target, stride: ys), workspace: ProgramBuilder.workspace(memory), pool: pool)
            }
        }
        builder.copy(target, to: y.asImage)
    }

    /// After the step: running ← (1 - momentum) · running + momentum · batch, the variance unbiased.
    private func updateStatistics(
        _ builder: ProgramBuilder, _ node: PlanNode, _ mean: View, _ variance: View, pixels: Int
    ) {
        guard builder.training else { return }
        let factor = pixels > 1 ? Float(Double(pixels) / Double(pixels - 1)) : 1
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
                inverseDeviation: memory[inverse], relu: relu, into: memory.pixels(dx, stride: dxs),
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
            builder.emit([masked, slope, y]) { memory, pool in
                Elementwise.map2(plan, memory[masked], memory[slope], memory[y], pool) { $1 > 0 ? $0 : 0 }
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
                Elementwise.map4(
                    plan, memory[product], memory[slope], memory[x], memory[m], memory[i], pool
                ) { $0 * ($1 - $2) * $3 }
            }
            builder.passSummed(product.channels, to: value, owned: true)
        }
        let i = spread(inverse)
        let gamma = node.inputs[1].map { spread(builder.view($0)) }
        builder.accumulate(node.input(0)) { dx, adds in
            let target = dx.asImage
            let plan = Nest([target, slope, i, gamma ?? i]).plan
            builder.emit([target, slope, i, gamma], result: dx) { memory, pool in
                let hasGamma = gamma != nil
                Elementwise.map3(
                    plan, adds: adds, memory[target], memory[slope], memory[i], memory[gamma ?? i], pool
                ) { hasGamma ? $0 * $1 * $2 : $0 * $1 }
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

/// Normalization of groups of elements of one sample by their own mean and variance: group norm (Wu and He 2018) and layer
/// norm (Ba, Kiros and Hinton 2016).
struct SampleNorm: Operation {
    enum Kind {
        /// Groups of channels of N C ….
        case group(Int)
        /// The last axes, of this shape.
        case layer([Int])
    }

    var kind: Kind
    var epsilon: Float
    var arity: ClosedRange<Int> { 1...3 }

    func isOptional(_ input: Int) -> Bool { input > 0 }

    func shape(_ inputs: [[Int]?]) throws -> [Int] {
        let shape = inputs[0] ?? []
        let affine: [Int]
        switch kind {
        case .group(let groups):
            guard shape.count >= 2, shape.count <= 5, groups > 0, shape[1] % groups == 0 else {
                throw ShapeFault("\(groups) groups do not fit shape \(shape)")
            }
            affine = [shape[1]]
        case .layer(let normalized):
            guard !normalized.isEmpty, normalized == shape.suffix(normalized.count) else {
                throw ShapeFault("a normalized shape of \(normalized) does not fit shape \(shape)")
            }
            affine = normalized
        }
        for case let other? in inputs.dropFirst() where other != affine {
            throw ShapeFault("weights of shape \(other) where \(affine) is needed")
        }
        return shape
    }

    /// A view with the axis of channels split into groups; nothing changes for layer norm.
    private func split(_ view: View) -> View {
        guard case .group(let groups) = kind else { return view }
        var result = view
        let size = view.shape[1] / groups
        result.shape.replaceSubrange(1...1, with: [groups, size])
        result.strides.replaceSubrange(1...1, with: [view.strides[1] * size, view.strides[1]])
        return result
    }

    /// The axes of a split view that are normalized together.
    private func normalizedAxes(_ rank: Int) -> Range<Int> {
        switch kind {
        case .group: return 2..<rank
        case .layer(let normalized): return rank - normalized.count..<rank
        }
    }

    /// Weight or bias over the split shape.
    private func affine(_ view: View, _ shape: [Int]) -> View {
        guard case .group(let groups) = kind else { return view.broadcast(to: shape) }
        var strides = [Int](repeating: 0, count: shape.count)
        (strides[1], strides[2]) = (view.strides[0] * (view.shape[0] / groups), view.strides[0])
        return View(buffer: view.buffer, offset: view.offset, shape: shape, strides: strides)
    }

    /// One value a group over the split shape.
    private func statistic(_ view: View, _ shape: [Int]) -> View {
        let axes = normalizedAxes(shape.count)
        let kept = Array(shape[..<axes.lowerBound])
        let strides = View.strides(rowMajor: kept) + [Int](repeating: 0, count: axes.count)
        return View(buffer: view.buffer, offset: view.offset, shape: shape, strides: strides)
    }

    private func groups(_ shape: [Int]) -> Int { shape[..<normalizedAxes(shape.count).lowerBound].reduce(1, *) }

    func forward(_ builder: ProgramBuilder, _ node: PlanNode) {
        let x = split(builder.view(node.input(0)))
        let y = split(builder.output(node))
        let count = groups(x.shape)
        let size = x.count / count
        let mean = statistic(builder.saved(node, 0, count: count), x.shape)
        let inverse = statistic(builder.saved(node, 1, count: count), x.shape)
        let squares = split(builder.temporary(builder.shape(node.input(0))))
        let average = ReductionPlan(input: x, output: mean)
        let center = Nest([squares, x, mean]).plan
        let deviation = ReductionPlan(input: squares, output: inverse)
        builder.emit([x, mean, squares, inverse]) { memory, pool in
            average.run(Sum(), memory[x], memory[mean], scale: 1 / Float(size), adds: false, pool)
            Elementwise.map2(center, memory[squares], memory[x], memory[mean], pool) { ($0 - $1) * ($0 - $1) }
            deviation.run(Sum(), memory[squares], memory[inverse], scale: 1 / Float(size), adds: false, pool)
            let values = memory[inverse]
            for group in 0..<count { values[group] = 1 / (values[group] + epsilon).squareRoot() }
        }
        let normalize = Nest([y, x, mean, inverse]).plan
        builder.emit([y, x, mean, inverse], result: y) { memory, pool in
            Elementwise.map3(normalize, adds: false, memory[y], memory[x], memory[mean], memory[inverse], pool) {
                ($0 - $1) * $2
            }
        }
        scaleAndShift(builder, node, y)
    }

    private func scaleAndShift(_ builder: ProgramBuilder, _ node: PlanNode, _ y: View) {
        for (position, multiplies) in [(1, true), (2, false)] where position < node.inputs.count {
            guard let value = node.inputs[position] else { continue }
            let operand = affine(builder.view(value), y.shape)
            let plan = Nest([y, y, operand]).plan
            builder.emit([y, operand], result: y) { memory, pool in
                Elementwise.map2(plan, memory[y], memory[y], memory[operand], pool) { multiplies ? $0 * $1 : $0 + $1 }
            }
        }
    }

    func backward(_ builder: ProgramBuilder, _ node: PlanNode, _ gradient: GradientSlot) {
        let (x, g) = (split(builder.view(node.input(0))), split(gradient.view))
        let count = groups(x.shape)
        let size = x.count / count
        let mean = statistic(builder.saved(node, 0, count: count), x.shape)
        let inverse = statistic(builder.saved(node, 1, count: count), x.shape)
        let whole = builder.shape(node.input(0))
        let (normal, slope) = (split(builder.temporary(whole)), split(builder.temporary(whole)))
        let normalize = Nest([normal, x, mean, inverse]).plan
        builder.emit([normal, x, mean, inverse]) { memory, pool in
            Elementwise.map3(
                normalize, adds: false, memory[normal], memory[x], memory[mean], memory[inverse], pool
            ) { ($0 - $1) * $2 }
        }
        affineGradients(builder, node, g, normal)
        let weight = node.inputs.count > 1 ? node.inputs[1].map { affine(builder.view($0), x.shape) } : nil
        let scale = Nest([slope, g, weight ?? g]).plan
        builder.emit([slope, g, weight]) { memory, pool in
            let hasWeight = weight != nil
            Elementwise.map2(scale, memory[slope], memory[g], memory[weight ?? g], pool) { hasWeight ? $0 * $1 : $0 }
        }
        let product = split(builder.temporary(whole))
        let (first, second) = (
            statistic(builder.temporary([count]), x.shape), statistic(builder.temporary([count]), x.shape)
        )
        let multiply = Nest([product, slope, normal]).plan
        let sums = (ReductionPlan(input: slope, output: first), ReductionPlan(input: product, output: second))
        builder.emit([product, slope, normal, first, second]) { memory, pool in
            Elementwise.map2(multiply, memory[product], memory[slope], memory[normal], pool) { $0 * $1 }
            sums.0.run(Sum(), memory[slope], memory[first], scale: 1 / Float(size), adds: false, pool)
            sums.1.run(Sum(), memory[product], memory[second], scale: 1 / Float(size), adds: false, pool)
        }
        // dx = (slope - mean(slope) - normal · mean(slope · normal)) / deviation, in two passes over four operands.
        let project = Nest([slope, slope, first, normal, second]).plan
        builder.emit([slope, first, normal, second]) { memory, pool in
            Elementwise.map4(
                project, memory[slope], memory[slope], memory[first], memory[normal], memory[second], pool
            ) { $0 - $1 - $2 * $3 }
        }
        builder.accumulate(node.input(0)) { dx, adds in
            let target = split(dx)
            let plan = Nest([target, slope, inverse, inverse]).plan
            builder.emit([target, slope, inverse], result: dx) { memory, pool in
                let i = memory[inverse]
                Elementwise.map3(plan, adds: adds, memory[target], memory[slope], i, i, pool) { a, b, _ in a * b }
            }
        }
    }

    private func affineGradients(_ builder: ProgramBuilder, _ node: PlanNode, _ g: View, _ normal: View) {
        for position in 1..<max(node.inputs.count, 1) {
            guard let value = node.inputs[position], builder.wants(value) else { continue }
            var source = g
            if position == 1 {
                let (product, slope) = (split(builder.temporary(builder.shape(node.input(0)))), g)
                let plan = Nest([product, slope, normal]).plan
                builder.emit([product, slope, normal]) { memory, pool in
                    Elementwise.map2(plan, memory[product], memory[slope], memory[normal], pool) { $0 * $1 }
                }
                source = product
            }
            let part = source
            builder.accumulate(value) { target, adds in
                let spread = affine(target, part.shape)
                let plan = ReductionPlan(input: part, output: spread)
                builder.emit([part, spread], result: target) { memory, pool in
                    plan.run(Sum(), memory[part], memory[spread], scale: 1, adds: adds, pool)
                }
            }
        }
    }
}
