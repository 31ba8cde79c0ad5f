/// Normalization of samples.
extension OperationTable {
    static let sampleNorms: [String: Factory] = [
        "group_norm": {
            SampleNorm(
                kind: .group(try $0.integer("groups")), epsilon: Float(try $0.number("eps", default: 1e-5)))
        },
        "layer_norm": {
            SampleNorm(
                kind: .layer(try $0.integers("normalized_shape")), epsilon: Float(try $0.number("eps", default: 1e-5)))
        },
    ]

    static let instanceNorms: [String: Composer.Composition] = [
        // With `use_input_stats` the statistics are those of each channel of each sample, otherwise the running ones.
        "instance_norm": { c in
            let attributes = c.attributes
            try c.expect(1...5)
            let (x, epsilon) = (try c.input(0), Float(try attributes.number("eps", default: 1e-5)))
            let momentum = Float(try attributes.number("momentum", default: 0.1))
            let shape = c.shape(x)
            guard (3...5).contains(shape.count) else {
                throw ShapeFault("shape \(shape) is not N C and one to three spatial axes")
            }
            let operands = (0..<5).map { c.optional($0) }
            guard try attributes.flag("use_input_stats", default: true) else {
                return try c.apply(
                    BatchNorm(isTraining: false, momentum: momentum, epsilon: epsilon), operands)
            }
            guard shape.dropFirst(2).reduce(1, *) > 1 else {
                throw ShapeFault("there is one value per channel of an instance, but more are needed: shape \(shape)")
            }
            let tracks = operands[3] != nil || operands[4] != nil
            let norm = SampleNorm(kind: .group(shape[1]), epsilon: epsilon, momentum: tracks ? momentum : nil)
            return try c.apply(norm, tracks ? operands : Array(operands.prefix(3)))
        }
    ]
}

/// Normalization of groups of elements of one sample by their own mean and variance: group norm (Wu and He 2018), instance norm
/// (Ulyanov, Vedaldi and Lempitsky 2016: as many groups as channels) and layer norm (Ba, Kiros and Hinton 2016).
struct SampleNorm: Operation {
    enum Kind {
        /// Groups of channels of N C ….
        case group(Int)
        /// The last axes, of this shape.
        case layer([Int])
    }

    var kind: Kind
    var epsilon: Float
    /// Set where running statistics follow those of the instances.
    var momentum: Float?
    var arity: ClosedRange<Int> { 1...(momentum == nil ? 3 : 5) }
    var updatesStatistics: Bool { momentum != nil }

    func isOptional(_ input: Int) -> Bool { input > 0 }
    func differentiable(_ input: Int) -> Bool { input < 3 }

    func shape(_ inputs: [[Int]?]) throws -> [Int] {
        let shape = inputs[0] ?? []
        let affine: [Int]
        switch kind {
        case .group(let groups):
            guard (2...5).contains(shape.count), groups > 0, shape[1] % groups == 0 else {
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
        let average = builder.reduction(of: x, into: mean)
        let variance = momentum.map { _ in builder.saved(node, 2, count: count) }
        let center = Nest([squares, x, mean]).plan
        let deviation = builder.reduction(of: squares, into: inverse)
        builder.emit([x, mean, squares, inverse, variance]) { memory, pool in
            average.run(Sum(), memory, x, mean, scale: 1 / Float(size), adds: false, pool)
            center.forEachPart(pool, with: (memory[squares], memory[x], memory[mean])) { job, part in
                part.map2(job.0, job.1, job.2) { ($0 - $1) * ($0 - $1) }
            }
            deviation.run(Sum(), memory, squares, inverse, scale: 1 / Float(size), adds: false, pool)
            let values = memory[inverse]
            if let variance { memory[variance].update(from: values, count: count) }
            for group in 0..<count { values[group] = 1 / (values[group] + epsilon).squareRoot() }
        }
        if let variance { updateStatistics(builder, node, mean, variance, size) }
        let statistics = Nest([y, x, mean, inverse]).plan
        builder.emit([y, x, mean, inverse], result: y) { memory, pool in
            normalize(statistics, memory[y], memory[x], memory[mean], memory[inverse], pool)
        }
        scaleAndShift(builder, node, y)
    }

    /// y = (x - mean) / deviation
    private func normalize(
        _ plan: NestPlan, _ y: Elementwise.Floats, _ x: Elementwise.Floats, _ mean: Elementwise.Floats,
        _ inverse: Elementwise.Floats, _ pool: ThreadPool
    ) {
        plan.forEachPart(pool, with: (y, x, mean, inverse)) { job, part in
            part.map3(adds: false, job.0, job.1, job.2, job.3) { ($0 - $1) * $2 }
        }
    }

    /// After the step: running ← (1 - momentum) · running + momentum · the average over the batch of the statistics of the
    /// instances, the variance unbiased, as PyTorch's `instance_norm`.
    private func updateStatistics(
        _ builder: ProgramBuilder, _ node: PlanNode, _ mean: View, _ variance: View, _ size: Int
    ) {
        guard builder.training, let momentum else { return }
        let channels = mean.shape[1]
        let batch = mean.shape[0]
        let factor = size > 1 ? Float(Double(size) / Double(size - 1)) : 1
        for (input, statistic, scale) in [(node.inputs[3], mean, Float(1)), (node.inputs[4], variance, factor)] {
            guard let input else { continue }
            let running = builder.view(input)
            builder.emitCompletion([running, statistic]) { memory, _ in
                let (r, values) = (memory[running], memory[statistic])
                for c in 0..<channels {
                    var total: Float = 0
                    for n in 0..<batch { total += values[n * channels + c] }
                    r[c] = (1 - momentum) * r[c] + momentum * scale * total / Float(batch)
                }
            }
        }
    }

    private func scaleAndShift(_ builder: ProgramBuilder, _ node: PlanNode, _ y: View) {
        for (position, multiplies) in [(1, true), (2, false)] where position < node.inputs.count {
            guard let value = node.inputs[position] else { continue }
            let operand = affine(builder.view(value), y.shape)
            let plan = Nest([y, y, operand]).plan
            builder.emit([y, operand], result: y) { memory, pool in
                let (target, factor) = (memory[y], memory[operand])
                if multiplies {
                    Multiply().map(plan, target, target, factor, pool)
                } else {
                    Add().map(plan, target, target, factor, pool)
                }
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
        let statistics = Nest([normal, x, mean, inverse]).plan
        builder.emit([normal, x, mean, inverse]) { memory, pool in
            normalize(statistics, memory[normal], memory[x], memory[mean], memory[inverse], pool)
        }
        affineGradients(builder, node, g, normal)
        let weight = node.inputs.count > 1 ? node.inputs[1].map { affine(builder.view($0), x.shape) } : nil
        let scale = Nest([slope, g, weight ?? g]).plan
        builder.emit([slope, g, weight]) { memory, pool in
            if let weight {
                Multiply().map(scale, memory[slope], memory[g], memory[weight], pool)
            } else {
                Elementwise.copy(scale, memory[slope], memory[g], pool)
            }
        }
        let product = split(builder.temporary(whole))
        let (first, second) = (
            statistic(builder.temporary([count]), x.shape), statistic(builder.temporary([count]), x.shape)
        )
        let multiply = Nest([product, slope, normal]).plan
        let sums = (builder.reduction(of: slope, into: first), builder.reduction(of: product, into: second))
        builder.emit([product, slope, normal, first, second]) { memory, pool in
            Multiply().map(multiply, memory[product], memory[slope], memory[normal], pool)
            sums.0.run(Sum(), memory, slope, first, scale: 1 / Float(size), adds: false, pool)
            sums.1.run(Sum(), memory, product, second, scale: 1 / Float(size), adds: false, pool)
        }
        // dx = (slope - mean(slope) - normal · mean(slope · normal)) / deviation, in two passes over four operands.
        let project = Nest([slope, slope, first, normal, second]).plan
        builder.emit([slope, first, normal, second]) { memory, pool in
            let means = (memory[first], memory[second])
            project.forEachPart(pool, with: (memory[slope], memory[normal], means)) { job, part in
                let (slope, normal, means) = job
                part.map4(slope, slope, means.0, normal, means.1) { $0 - $1 - $2 * $3 }
            }
        }
        builder.accumulate(node.input(0)) { dx, adds in
            let target = split(dx)
            let plan = Nest([target, slope, inverse, inverse]).plan
            builder.emit([target, slope, inverse], result: dx) { memory, pool in
                plan.forEachPart(pool, with: (memory[target], memory[slope], memory[inverse], adds)) { job, part in
                    part.map3(adds: job.3, job.0, job.1, job.2, job.2) { a, b, _ in a * b }
                }
            }
        }
    }

    private func affineGradients(_ builder: ProgramBuilder, _ node: PlanNode, _ g: View, _ normal: View) {
        for position in 1..<max(min(node.inputs.count, 3), 1) {
            guard let value = node.inputs[position], builder.wants(value) else { continue }
            var source = g
            if position == 1 {
                let (product, slope) = (split(builder.temporary(builder.shape(node.input(0)))), g)
                let plan = Nest([product, slope, normal]).plan
                builder.emit([product, slope, normal]) { memory, pool in
                    Multiply().map(plan, memory[product], memory[slope], memory[normal], pool)
                }
                source = product
            }
            let part = source
            builder.accumulate(value) { target, adds in
                let spread = affine(target, part.shape)
                let plan = builder.reduction(of: part, into: spread)
                builder.emit([part, spread], result: target) { memory, pool in
                    plan.run(Sum(), memory, part, spread, scale: 1, adds: adds, pool)
                }
            }
        }
    }
}
