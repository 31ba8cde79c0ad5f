import Foundation

/// Softmax along an axis, or its logarithm.
struct Softmax: Operation {
    var axis: Int
    var isLogarithm: Bool
    /// Whether a line of negative infinities yields zeros, as under PyTorch's attention masks, and not what is no number.
    var isSafe = false

    func shape(_ inputs: [[Int]?]) throws -> [Int] {
        let shape = inputs[0] ?? []
        if !shape.isEmpty { _ = try resolveAxis(axis, rank: shape.count) }
        return shape
    }

    func forward(_ builder: ProgramBuilder, _ node: PlanNode) {
        let x = builder.view(node.input(0))
        let y = builder.output(node)
        let lines = Lines([y, x], axis: axis)
        let (ys, xs, length) = (lines.steps[0], lines.steps[1], lines.length)
        builder.emit([x, y], result: y) { memory, pool in
            lines.forEachPart(pool, with: (self, memory[y], memory[x], (ys, xs, length))) { job, part in
                let (softmax, target, source, (ys, xs, length)) = job
                part.forEachLine {
                    softmax.line(into: target + $0[0], ys, from: source + $0[1], xs, length)
                }
            }
        }
    }

    /// One line, elements `ys` and `xs` floats apart.
    @inline(__always)
    private func line(
        into t: UnsafeMutablePointer<Float>, _ ys: Int, from s: UnsafePointer<Float>, _ xs: Int, _ length: Int
    ) {
        var peak = s[0]
        for k in 1..<max(length, 1) { peak = Maximum().combine(peak, s[k * xs]) }
        if isSafe, peak == -.infinity { peak = 0 }
        var total: Float = 0
        for k in 0..<length {
            let value = exp(s[k * xs] - peak)
            t[k * ys] = value
            total += value
        }
        if isSafe, total == 0 { total = 1 }
        if isLogarithm {
            let shift = log(total)
            for k in 0..<length { t[k * ys] = s[k * xs] - peak - shift }
        } else {
            for k in 0..<length { t[k * ys] /= total }
        }
    }

    func backward(_ builder: ProgramBuilder, _ node: PlanNode, _ gradient: GradientSlot) {
        let (y, g) = (builder.view(node.output), gradient.view)
        builder.accumulate(node.input(0)) { dx, adds in
            let lines = Lines([dx, g, y], axis: axis)
            let (steps, length) = ((lines.steps[0], lines.steps[1], lines.steps[2]), lines.length)
            builder.emit([dx, g, y], result: dx) { memory, pool in
                let operands = (memory[dx], memory[g], memory[y])
                let flags = (adds: adds, isLogarithm: isLogarithm)
                lines.forEachPart(pool, with: (operands, steps, length, flags)) { job, part in
                    let ((target, slope, result), (ds, gs, ys), length, (adds, isLogarithm)) = job
                    part.forEachLine { offsets in
                        let (d, s, r) = (target + offsets[0], slope + offsets[1], result + offsets[2])
                        var total: Float = 0
                        for k in 0..<length { total += isLogarithm ? s[k * gs] : s[k * gs] * r[k * ys] }
                        for k in 0..<length {
                            let value =
                                isLogarithm ? s[k * gs] - exp(r[k * ys]) * total : r[k * ys] * (s[k * gs] - total)
                            d[k * ds] = adds ? d[k * ds] + value : value
                        }
                    }
                }
            }
        }
    }
}

/// Negative log-likelihood of a class index per element: log-probabilities N C …, targets N ….
struct NegativeLogLikelihood: Operation {
    var reduction: Reduction
    var ignoreIndex: Int
    var arity: ClosedRange<Int> { 2...3 }

    func isOptional(_ input: Int) -> Bool { input == 2 }
    func differentiable(_ input: Int) -> Bool { input == 0 }

    func shape(_ inputs: [[Int]?]) throws -> [Int] {
        let (x, target) = (inputs[0] ?? [], inputs[1] ?? [])
        guard x.count >= 2, target == [x[0]] + x.dropFirst(2) else {
            throw ShapeFault("targets \(target) do not fit log-probabilities \(x)")
        }
        if inputs.count == 3, let weight = inputs[2], weight != [x[1]] {
            throw ShapeFault("\(weight) weights for \(x[1]) classes")
        }
        return reduction == .none ? target : []
    }

    /// Loss and weight an element, then their sums.
    func forward(_ builder: ProgramBuilder, _ node: PlanNode) {
        let (x, target) = (builder.view(node.input(0)), builder.view(node.input(1)))
        let weight = node.inputs.count == 3 ? node.inputs[2].map { builder.view($0) } : nil
        let y = builder.output(node)
        let losses = reduction == .none ? y : builder.temporary(target.shape)
        let lines = lines(x)
        let plan = Nest([losses, target, lines]).plan
        let (labels, step) = (Labels(count: x.shape[1], ignored: ignoreIndex), x.strides[1])
        builder.emit([x, target, weight, losses], result: losses) { memory, pool in
            let operands = (memory[losses], memory[target], memory[x], weight.map { memory[$0] })
            plan.forEachPart(pool, with: (operands, labels, step)) { job, part in
                let ((l, t, s, w), labels, step) = job
                let (ls, ts, ss) = (part.inner[0], part.inner[1], part.inner[2])
                part.forEachRow { offsets, count in
                    for i in 0..<count {
                        let label = classIndex(t[offsets[1] + i * ts])
                        let inside = labels.contains(label)
                        let value = inside ? s[offsets[2] + i * ss + label * step] : 0
                        let factor = inside ? w?[label] ?? 1 : 0
                        // PyTorch refuses a class that does not exist; here it makes the loss not a number.
                        l[offsets[0] + i * ls] = inside ? -value * factor : label == labels.ignored ? 0 : .nan
                    }
                }
            }
        }
        guard reduction != .none else { return }
        let norm = builder.saved(node, 0, count: 1)
        let (count, isMean) = (target.count, reduction == .mean)
        let rows = Nest([target]).plan
        builder.emit([target, weight, losses, norm, y], result: y) { memory, pool in
            let (t, w) = (memory[target], weight.map { memory[$0] })
            var total = 0.0
            for row in 0..<rows.rows {
                for i in 0..<rows.rowLength {
                    let label = classIndex(t[rows.offsets(row: row)[0] + i * rows.inner[0]])
                    if labels.contains(label) { total += Double(w?[label] ?? 1) }
                }
            }
            memory[norm].pointee = isMean ? Float(total) : 1
            var sum = 0.0
            let l = memory[losses]
            for i in 0..<count { sum += Double(l[i]) }
            memory[y].pointee = isMean ? Float(sum / total) : Float(sum)
        }
    }

    /// The log-probabilities without their class axis: where each line of classes starts.
    private func lines(_ x: View) -> View {
        var lines = x.narrowed(axis: 1, start: 0, size: 1)
        lines.shape.remove(at: 1)
        lines.strides.remove(at: 1)
        return lines
    }

    func backward(_ builder: ProgramBuilder, _ node: PlanNode, _ gradient: GradientSlot) {
        let (x, target) = (builder.view(node.input(0)), builder.view(node.input(1)))
        let weight = node.inputs.count == 3 ? node.inputs[2].map { builder.view($0) } : nil
        let g = reduction == .none ? gradient.view : gradient.view.broadcast(to: target.shape)
        let norm = reduction == .none ? nil : builder.saved(node, 0, count: 1)
        let labels = Labels(count: x.shape[1], ignored: ignoreIndex)
        builder.overwrite(node.input(0)) { dx in
            builder.fill(dx, 0)
            let step = dx.strides[1]
            let plan = Nest([lines(dx), target, g]).plan
            builder.emit([dx, target, weight, g, norm], result: dx) { memory, pool in
                let operands = (memory[dx], memory[target], memory[g], weight.map { memory[$0] })
                let divisor = norm.map { memory[$0].pointee } ?? 1
                plan.forEachPart(pool, with: (operands, labels, step, divisor)) { job, part in
                    let ((d, t, s, w), labels, step, divisor) = job
                    let (ds, ts, ss) = (part.inner[0], part.inner[1], part.inner[2])
                    part.forEachRow { offsets, count in
                        for i in 0..<count {
                            let label = classIndex(t[offsets[1] + i * ts])
                            guard labels.contains(label) else { continue }
                            let factor = w?[label] ?? 1
                            d[offsets[0] + i * ds + label * step] = -s[offsets[2] + i * ss] * factor / divisor
                        }
                    }
                }
            }
        }
    }
}

/// The class indices that count in a loss.
private struct Labels {
    let count: Int
    let ignored: Int

    @inline(__always)
    func contains(_ label: Int) -> Bool { label != ignored && label >= 0 && label < count }
}

/// How the losses of the elements become one.
enum Reduction: String {
    case mean, sum, none

    init(_ attributes: Attributes) throws {
        let name = try attributes.string("reduction", default: "mean")
        guard let reduction = Reduction(rawValue: name) else {
            throw attributes.failure("the reduction \(name) is unknown")
        }
        self = reduction
    }
}

/// A class index that was stored as a float; -1 for what is none.
@inline(__always)
private func classIndex(_ value: Float) -> Int {
    abs(value) < 1e6 ? Int(value) : -1
}
