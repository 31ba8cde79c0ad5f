/// Running sums, and products.
extension OperationTable {
    static let scans: [String: Factory] = [
        "cumsum": { CumulativeSum(axis: try $0.integer("axis")) }
    ]
}

/// y[i] = x[0] + … + x[i] along an axis, carried in double precision.
struct CumulativeSum: Operation {
    var axis: Int

    func shape(_ inputs: [[Int]?]) throws -> [Int] {
        let shape = inputs[0] ?? []
        if !shape.isEmpty { _ = try resolveAxis(axis, rank: shape.count) }
        return shape
    }

    func forward(_ builder: ProgramBuilder, _ node: PlanNode) {
        let x = builder.view(node.input(0))
        let y = builder.output(node)
        let lines = Lines([y, x], axis: axis)
        let (steps, length) = ((lines.steps[0], lines.steps[1]), lines.length)
        builder.emit([x, y], result: y) { memory, pool in
            lines.forEachPart(pool, with: (memory[y], memory[x], steps, length)) { job, part in
                let (target, source, (ys, xs), length) = job
                part.forEachLine { offsets in
                    var total = 0.0
                    for k in 0..<length {
                        total += Double(source[offsets[1] + k * xs])
                        target[offsets[0] + k * ys] = Float(total)
                    }
                }
            }
        }
    }

    func backward(_ builder: ProgramBuilder, _ node: PlanNode, _ gradient: GradientSlot) {
        let g = gradient.view
        builder.accumulate(node.input(0)) { dx, adds in
            let lines = Lines([dx, g], axis: axis)
            let (steps, length) = ((lines.steps[0], lines.steps[1]), lines.length)
            builder.emit([dx, g], result: dx) { memory, pool in
                lines.forEachPart(pool, with: (memory[dx], memory[g], steps, length, adds)) { job, part in
                    let (target, slope, (ds, gs), length, adds) = job
                    part.forEachLine { offsets in
                        var total = 0.0
                        for k in (0..<length).reversed() {
                            total += Double(slope[offsets[1] + k * gs])
                            let place = target + offsets[0] + k * ds
                            place.pointee = Float(total) + (adds ? place.pointee : 0)
                        }
                    }
                }
            }
        }
    }
}

/// The product along an axis, which stays with size one. The gradient of an element is the product of the others, exact where
/// elements are zero.
struct Product: Operation {
    var axis: Int

    func shape(_ inputs: [[Int]?]) throws -> [Int] {
        var shape = inputs[0] ?? []
        shape[try resolveAxis(axis, rank: shape.count)] = 1
        return shape
    }

    func forward(_ builder: ProgramBuilder, _ node: PlanNode) {
        let x = builder.view(node.input(0))
        let y = builder.output(node)
        let lines = Lines([x, y], axis: axis)
        let (xs, length) = (lines.steps[0], lines.length)
        builder.emit([x, y], result: y) { memory, pool in
            lines.forEachPart(pool, with: (memory[y], memory[x], xs, length)) { job, part in
                let (target, source, xs, length) = job
                part.forEachLine { offsets in
                    var product = 1.0
                    for k in 0..<length { product *= Double(source[offsets[0] + k * xs]) }
                    target[offsets[1]] = Float(product)
                }
            }
        }
    }

    func backward(_ builder: ProgramBuilder, _ node: PlanNode, _ gradient: GradientSlot) {
        let (x, g) = (builder.view(node.input(0)), gradient.view)
        builder.accumulate(node.input(0)) { dx, adds in
            let lines = Lines([dx, x, g], axis: axis)
            let (steps, length) = ((lines.steps[0], lines.steps[1]), lines.length)
            builder.emit([dx, x, g], result: dx) { memory, pool in
                let operands = (memory[dx], memory[x], memory[g])
                lines.forEachPart(pool, with: (operands, steps, length, adds)) { job, part in
                    let ((target, source, slope), (ds, xs), length, adds) = job
                    part.forEachLine { offsets in
                        var (product, zeros) = (1.0, 0)
                        for k in 0..<length {
                            let value = source[offsets[1] + k * xs]
                            if value == 0 { zeros += 1 } else { product *= Double(value) }
                        }
                        for k in 0..<length {
                            let value = source[offsets[1] + k * xs]
                            let others =
                                value == 0 ? (zeros == 1 ? product : 0) : (zeros == 0 ? product / Double(value) : 0)
                            let place = target + offsets[0] + k * ds
                            place.pointee = Float(Double(slope[offsets[2]]) * others) + (adds ? place.pointee : 0)
                        }
                    }
                }
            }
        }
    }
}

/// Product, variance and standard deviation over any axes, as PyTorch's; `correction` is what the count is lessened by.
extension OperationTable {
    static let statistics: [String: Composer.Composition] = [
        "prod": { c in
            let (x, axes) = (try c.input(0), try OperationTable.axes(c.attributes))
            let shape = c.shape(x)
            let (result, over) = (try axes.shape(shape), try axes.resolved(shape.count))
            let kept = shape.indices.filter { !over.contains($0) }
            let flat = try c.reshape(
                c.permute(x, kept + over), [kept, over].map { $0.reduce(1) { $0 * shape[$1] } })
            return try c.reshape(c.apply(Product(axis: 1), flat), result)
        },
        "var": { c in try c.variance() },
        "std": { c in try c.apply(UnaryOperation(SquareRoot()), c.variance()) },
    ]
}

extension Composer {
    fileprivate mutating func variance() throws -> Int {
        let (x, axes) = (try input(0), try OperationTable.axes(attributes))
        let shape = shape(x)
        let over = try axes.resolved(shape.count)
        let count = Double(over.reduce(1) { $0 * shape[$1] }) - (try attributes.number("correction", default: 1))
        let centred = try subtract(x, mean(x, over, keeps: true))
        // Without axes a value is its own mean.
        let squares = try square(centred)
        let total = over.isEmpty ? squares : try sum(squares, over, keeps: axes.keepsAxes)
        return try apply(UnaryOperation(DivideByScalar(scalar: Float(max(count, 0)))), total)
    }
}
