/// An elementwise operation of one operand.
struct UnaryOperation<F: UnaryFormula>: Operation {
    var formula: F

    init(_ formula: F) {
        self.formula = formula
    }

    func shape(_ inputs: [[Int]?]) -> [Int] { inputs[0] ?? [] }
    func differentiable(_ input: Int) -> Bool { F.isDifferentiable }

    func forward(_ builder: ProgramBuilder, _ node: PlanNode) {
        let x = builder.view(node.input(0))
        let y = builder.output(node)
        let plan = Nest([y, x]).plan
        builder.emit([x, y], result: y) { memory, pool in
            formula.map(plan, memory[y], memory[x], pool)
        }
    }

    func backward(_ builder: ProgramBuilder, _ node: PlanNode, _ gradient: GradientSlot) {
        let (x, y, g) = (builder.view(node.input(0)), builder.view(node.output), gradient.view)
        builder.accumulate(node.input(0), inPlaceOf: gradient) { dx, adds in
            let plan = Nest([dx, g, x, y]).plan
            builder.emit([x, y, g, dx], result: dx) { memory, pool in
                formula.mapSlope(plan, adds: adds, memory[dx], memory[g], memory[x], memory[y], pool)
            }
        }
    }
}

/// An elementwise operation of two operands with broadcasting.
struct BinaryOperation<F: BinaryFormula>: Operation {
    var formula: F
    var arity: ClosedRange<Int> { 2...2 }

    init(_ formula: F) {
        self.formula = formula
    }

    func shape(_ inputs: [[Int]?]) throws -> [Int] {
        try broadcastShape(inputs[0] ?? [], inputs[1] ?? [])
    }

    func differentiable(_ input: Int) -> Bool { F.isDifferentiable }

    func forward(_ builder: ProgramBuilder, _ node: PlanNode) {
        let y = builder.output(node)
        let a = builder.view(node.input(0)).broadcast(to: y.shape)
        let b = builder.view(node.input(1)).broadcast(to: y.shape)
        let plan = Nest([y, a, b]).plan
        builder.emit([a, b, y], result: y) { memory, pool in
            formula.map(plan, memory[y], memory[a], memory[b], pool)
        }
    }

    func backward(_ builder: ProgramBuilder, _ node: PlanNode, _ gradient: GradientSlot) {
        let shape = builder.shape(node.output)
        let a = builder.view(node.input(0)).broadcast(to: shape)
        let b = builder.view(node.input(1)).broadcast(to: shape)
        if F.self == Add.self {
            builder.passSummed(gradient.view, to: node.input(0), owned: false)
            builder.passSummed(gradient.view, to: node.input(1), owned: false)
            return
        }
        side(builder, node.input(0), gradient.view, a, b, isLeft: true)
        side(builder, node.input(1), gradient.view, a, b, isLeft: false)
    }

    private func side(_ builder: ProgramBuilder, _ value: Int, _ g: View, _ a: View, _ b: View, isLeft: Bool) {
        guard builder.wants(value) else { return }
        func emit(_ target: View, _ adds: Bool) {
            let plan = Nest([target, g, a, b]).plan
            builder.emit([g, a, b, target], result: target) { memory, pool in
                formula.mapGradient(
                    plan, isLeft: isLeft, adds: adds, memory[target], memory[g], memory[a], memory[b], pool)
            }
        }
        if builder.shape(value) == g.shape {
            builder.accumulate(value, emit)
        } else {
            let full = builder.temporary(g.shape)
            emit(full, false)
            builder.passSummed(full, to: value, owned: true)
        }
    }
}

/// `where(condition, a, b)` with broadcasting.
struct Choose: Operation {
    var arity: ClosedRange<Int> { 3...3 }

    func shape(_ inputs: [[Int]?]) throws -> [Int] {
        try broadcastShape(inputs[0] ?? [], try broadcastShape(inputs[1] ?? [], inputs[2] ?? []))
    }

    func differentiable(_ input: Int) -> Bool { input > 0 }

    func forward(_ builder: ProgramBuilder, _ node: PlanNode) {
        let y = builder.output(node)
        let operands = node.inputs.map { builder.view($0 ?? -1).broadcast(to: y.shape) }
        let (c, a, b) = (operands[0], operands[1], operands[2])
        let plan = Nest([y, c, a, b]).plan
        builder.emit([c, a, b, y], result: y) { memory, pool in
            plan.forEachPart(pool, with: (memory[y], memory[c], memory[a], memory[b])) { job, part in
                part.map3(adds: false, job.0, job.1, job.2, job.3) { $0 != 0 ? $1 : $2 }
            }
        }
    }

    func backward(_ builder: ProgramBuilder, _ node: PlanNode, _ gradient: GradientSlot) {
        let g = gradient.view
        let condition = builder.view(node.input(0)).broadcast(to: g.shape)
        for (value, wanted) in [(node.input(1), true), (node.input(2), false)] where builder.wants(value) {
            let part = builder.temporary(g.shape)
            let plan = Nest([part, condition, g]).plan
            builder.emit([condition, g, part], result: part) { memory, pool in
                plan.forEachPart(pool, with: (memory[part], memory[condition], memory[g], wanted)) { job, part in
                    let wanted = job.3
                    part.map2(job.0, job.1, job.2) { ($0 != 0) == wanted ? $1 : 0 }
                }
            }
            builder.passSummed(part, to: value, owned: true)
        }
    }
}

extension OperationTable {
    static let pointwiseCompositions: [String: Composer.Composition] = [
        // The weight has one value, or one a channel.
        "prelu": { c in
            let (x, weight) = (try c.input(0), try c.input(1))
            let (shape, weights) = (c.shape(x), c.shape(weight))
            guard weights.count == 1, weights == [1] || shape.count >= 2 && shape[1] == weights[0] else {
                throw ShapeFault("weights of shape \(weights) do not fit an input of shape \(shape)")
            }
            let spread = weights == [1] ? [1] : weights + [Int](repeating: 1, count: shape.count - 2)
            return try c.apply(BinaryOperation(PReLU()), x, c.reshape(weight, spread))
        }
    ]
}
