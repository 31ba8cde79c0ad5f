/// What a reduction yields: the axes it runs over, and whether they stay with size one.
struct ReducedAxes {
    var axes: [Int]
    var keepsAxes: Bool

    func resolved(_ rank: Int) throws -> [Int] {
        guard !axes.isEmpty else { return Array(0..<rank) }
        let resolved = try axes.map { try resolveAxis($0, rank: rank) }
        guard Set(resolved).count == resolved.count else { throw ShapeFault("axes \(axes) repeat") }
        return resolved
    }

    func shape(_ input: [Int]) throws -> [Int] {
        let axes = try resolved(input.count)
        return input.indices.compactMap { axes.contains($0) ? (keepsAxes ? 1 : nil) : input[$0] }
    }

    /// The view of a result with the rank of the operand: stride zero along the reduced axes.
    func spread(_ view: View, over shape: [Int]) -> View {
        let axes = (try? resolved(shape.count)) ?? []
        var spread = view
        spread.shape = shape
        spread.strides = []
        var next = 0
        for axis in shape.indices {
            if axes.contains(axis) {
                spread.strides.append(0)
                if keepsAxes { next += 1 }
            } else {
                spread.strides.append(view.strides[next])
                next += 1
            }
        }
        return spread
    }
}

/// Sum or mean over axes.
struct SumOrMean: Operation {
    var axes: ReducedAxes
    var isMean: Bool

    func shape(_ inputs: [[Int]?]) throws -> [Int] { try axes.shape(inputs[0] ?? []) }

    private func scale(_ builder: ProgramBuilder, _ node: PlanNode) -> Float {
        let (all, kept) = (builder.shape(node.input(0)).reduce(1, *), builder.shape(node.output).reduce(1, *))
        return isMean ? Float(1 / Double(all / max(kept, 1))) : 1
    }

    func forward(_ builder: ProgramBuilder, _ node: PlanNode) {
        let x = builder.view(node.input(0))
        let y = builder.output(node)
        let (plan, scale) = (builder.reduction(of: x, into: axes.spread(y, over: x.shape)), scale(builder, node))
        builder.emit([x, y], result: y) { memory, pool in
            plan.run(Sum(), memory, x, y, scale: scale, adds: false, pool)
        }
    }

    func backward(_ builder: ProgramBuilder, _ node: PlanNode, _ gradient: GradientSlot) {
        let shape = builder.shape(node.input(0))
        let spread = axes.spread(gradient.view, over: shape)
        let scale = scale(builder, node)
        builder.accumulate(node.input(0)) { dx, adds in
            let plan = Nest([dx, spread, spread, spread]).plan
            builder.emit([dx, spread], result: dx) { memory, pool in
                plan.forEachPart(pool, with: (memory[dx], memory[spread], adds, scale)) { job, part in
                    let (g, scale) = (job.1, job.3)
                    part.map3(adds: job.2, job.0, g, g, g) { a, _, _ in a * scale }
                }
            }
        }
    }
}

/// The largest or smallest element over axes. Equal extremes share the gradient, as in PyTorch's `amax` and `amin`.
struct Extreme: Operation {
    var axes: ReducedAxes
    var isLargest: Bool

    func shape(_ inputs: [[Int]?]) throws -> [Int] { try axes.shape(inputs[0] ?? []) }

    func forward(_ builder: ProgramBuilder, _ node: PlanNode) {
        let x = builder.view(node.input(0))
        let y = builder.output(node)
        let plan = builder.reduction(of: x, into: axes.spread(y, over: x.shape))
        builder.emit([x, y], result: y) { memory, pool in
            if isLargest {
                plan.run(Maximum(), memory, x, y, scale: 1, adds: false, pool)
            } else {
                plan.run(Minimum(), memory, x, y, scale: 1, adds: false, pool)
            }
        }
    }

    func backward(_ builder: ProgramBuilder, _ node: PlanNode, _ gradient: GradientSlot) {
        let x = builder.view(node.input(0))
        let y = axes.spread(builder.view(node.output), over: x.shape)
        let g = axes.spread(gradient.view, over: x.shape)
        // How many elements attain the extreme, per result.
        let hits = builder.temporary(x.shape)
        let counts = builder.temporary(builder.shape(node.output))
        let mark = Nest([hits, x, y]).plan
        builder.emit([hits, x, y]) { memory, pool in
            Equal().map(mark, memory[hits], memory[x], memory[y], pool)
        }
        let spread = axes.spread(counts, over: x.shape)
        let total = builder.reduction(of: hits, into: spread)
        builder.emit([hits, counts]) { memory, pool in
            total.run(Sum(), memory, hits, counts, scale: 1, adds: false, pool)
        }
        builder.accumulate(node.input(0)) { dx, adds in
            let plan = Nest([dx, hits, g, spread]).plan
            builder.emit([dx, hits, g, spread], result: dx) { memory, pool in
                let operands = (memory[hits], memory[g], memory[spread])
                plan.forEachPart(pool, with: (memory[dx], operands, adds)) { job, part in
                    let (target, operands, adds) = job
                    part.map3(adds: adds, target, operands.0, operands.1, operands.2) { $0 * $1 / $2 }
                }
            }
        }
    }
}
