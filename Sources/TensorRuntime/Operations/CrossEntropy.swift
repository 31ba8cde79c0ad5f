/// PyTorch's `cross_entropy` of class scores N C … (or C) with class indices N … or probabilities N C … as the target, class
/// weights, `ignore_index` and label smoothing (Szegedy et al. 2016).
extension OperationTable {
    static let crossEntropies: [String: Composer.Composition] = [
        "cross_entropy": { c in
            try c.expect(2...3)
            let attributes = c.attributes
            let smoothing = try attributes.number("label_smoothing", default: 0)
            guard smoothing >= 0, smoothing <= 1 else { throw ShapeFault("a label smoothing of \(smoothing)") }
            let (x, target) = (try c.input(0), try c.input(1))
            let (shape, targets) = (c.shape(x), c.shape(target))
            guard !shape.isEmpty else { throw ShapeFault("a number is no vector of class scores") }
            let loss = CrossEntropy(
                reduction: try Reduction(attributes),
                ignoreIndex: try attributes.integer("ignore_index", default: -100),
                smoothing: smoothing, weight: c.optional(2))
            let isProbability = shape == targets
            // One vector of scores is a batch of one.
            guard shape.count == 1 else { return try c.compose(loss, x, target, isProbability) }
            let single = try c.compose(
                loss, c.reshape(x, [1] + shape), c.reshape(target, [1] + targets), isProbability)
            return try c.reshape(single, [])
        }
    ]
}

/// What a cross entropy is asked for.
struct CrossEntropy {
    var reduction = Reduction.mean
    var ignoreIndex = -100
    var smoothing = 0.0
    var weight: Int?
}

extension Composer {
    mutating func compose(_ loss: CrossEntropy, _ x: Int, _ target: Int, _ isProbability: Bool) throws -> Int {
        let shape = shape(x)
        let logarithm = try apply(Softmax(axis: 1, isLogarithm: true), x)
        var weighted = logarithm
        if let weight = loss.weight {
            guard self.shape(weight) == [shape[1]] else {
                throw ShapeFault("weights of shape \(self.shape(weight)) for \(shape[1]) classes")
            }
            weighted = try multiply(
                logarithm, reshape(weight, [shape[1]] + [Int](repeating: 1, count: shape.count - 2)))
        }
        if isProbability { return try ofProbabilities(loss, weighted, target) }
        let likelihood = NegativeLogLikelihood(reduction: loss.reduction, ignoreIndex: loss.ignoreIndex)
        let hard = try apply(likelihood, logarithm, target, loss.weight)
        guard loss.smoothing > 0 else { return hard }
        let counted = try apply(
            UnaryOperation(CompareScalar(relation: .notEqual, scalar: Float(loss.ignoreIndex))), target)
        let all = try affine(sum(weighted, [1]), scale: -1)
        var smooth = try apply(Choose(), counted, all, constant(0))
        if loss.reduction != .none { smooth = try sum(smooth) }
        if loss.reduction == .mean {
            // The weights of the target classes, summed over what counts.
            let ones = try apply(Full(target: shape, value: -1))
            let total = NegativeLogLikelihood(reduction: .sum, ignoreIndex: loss.ignoreIndex)
            smooth = try divide(smooth, apply(total, ones, target, loss.weight))
        }
        return try add(
            affine(hard, scale: 1 - loss.smoothing), affine(smooth, scale: loss.smoothing / Double(shape[1])))
    }

    private mutating func ofProbabilities(_ loss: CrossEntropy, _ logarithm: Int, _ target: Int) throws -> Int {
        let shape = shape(logarithm)
        let smoothed = try affine(target, scale: 1 - loss.smoothing, shift: loss.smoothing / Double(shape[1]))
        let losses = try sum(affine(multiply(logarithm, smoothed), scale: -1), [1])
        switch loss.reduction {
        case .none: return losses
        case .sum: return try sum(losses)
        case .mean: return try mean(losses)
        }
    }
}
