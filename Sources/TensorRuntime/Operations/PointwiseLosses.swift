/// Losses that compare element by element, as PyTorch's functions of the same names; attribute `reduction`.
extension OperationTable {
    static let pointwiseLosses: [String: Composer.Composition] = [
        "mse_loss": { c in
            let difference = try c.subtract(c.input(0), c.input(1))
            return try c.reduce(c.square(difference))
        },
        "l1_loss": { c in
            let difference = try c.subtract(c.input(0), c.input(1))
            return try c.reduce(c.apply(UnaryOperation(Absolute()), difference))
        },
        "smooth_l1_loss": { c in
            let beta = Float(try c.attributes.number("beta", default: 1))
            return try c.reduce(c.apply(BinaryOperation(SmoothL1(beta: beta)), c.input(0), c.input(1)))
        },
        "binary_cross_entropy": { c in
            try c.reduceWeighted(c.apply(BinaryOperation(BinaryCrossEntropy()), c.input(0), c.input(1)))
        },
        "binary_cross_entropy_with_logits": { c in try c.reduceWeighted(c.crossEntropyOfLogits()) },
    ]
}

extension Composer {
    /// (1 - t) x + (1 + (w - 1) t) softplus(-x) with the weight w of positive targets.
    fileprivate mutating func crossEntropyOfLogits() throws -> Int {
        let (x, target) = (try input(0), try input(1))
        guard let positive = optional(3) else {
            return try apply(BinaryOperation(BinaryCrossEntropyWithLogits()), x, target)
        }
        let linear = try multiply(affine(target, scale: -1, shift: 1), x)
        let excess = try multiply(target, affine(positive, shift: -1))
        // softplus(-x) = -log_sigmoid(x)
        let log = try multiply(affine(excess, shift: 1), apply(UnaryOperation(LogSigmoid()), x))
        return try subtract(linear, log)
    }

    fileprivate mutating func reduceWeighted(_ losses: Int) throws -> Int {
        guard let weight = optional(2) else { return try reduce(losses) }
        return try reduce(multiply(losses, weight))
    }
}
