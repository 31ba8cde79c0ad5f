/// How the losses of elements become one.
public enum LossReduction: String, Sendable {
    case mean, sum, none
}

/// The losses of segmentation, as functions of variables. Names and defaults are those of torch.nn.functional where it has them.
public enum Loss {
    private static func attributes(
        _ reduction: LossReduction, _ more: [String: AttributeValue] = [:]
    ) -> [String: AttributeValue] {
        more.merging(["reduction": .string(reduction.rawValue)]) { first, _ in first }
    }

    /// -(t log p + (1 - t) log(1 - p)) of probabilities p, logarithms cut off at -100.
    public static func binaryCrossEntropy(
        _ probability: Variable, _ target: Variable, weight: Variable? = nil, reduction: LossReduction = .mean
    ) throws -> Variable {
        try probability.apply("binary_cross_entropy", [target, weight], attributes(reduction))
    }

    /// The same from logits, without overflow; `positiveWeight` multiplies the loss of positive targets.
    public static func binaryCrossEntropyWithLogits(
        _ logits: Variable, _ target: Variable, weight: Variable? = nil, positiveWeight: Variable? = nil,
        reduction: LossReduction = .mean
    ) throws -> Variable {
        try logits.apply(
            "binary_cross_entropy_with_logits", [target, weight, positiveWeight], attributes(reduction))
    }

    /// Cross entropy of logits N C … and class indices N …, with a weight for each class.
    public static func crossEntropy(
        _ logits: Variable, _ classes: Variable, weight: Variable? = nil, ignoreIndex: Int = -100,
        reduction: LossReduction = .mean
    ) throws -> Variable {
        try logits.logSoftmax().apply(
            "nll_loss", [classes, weight], attributes(reduction, ["ignore_index": .number(Double(ignoreIndex))]))
    }

    public static func meanSquaredError(
        _ x: Variable, _ target: Variable, reduction: LossReduction = .mean
    ) throws -> Variable {
        try x.apply("mse_loss", [target], attributes(reduction))
    }

    public static func meanAbsoluteError(
        _ x: Variable, _ target: Variable, reduction: LossReduction = .mean
    ) throws -> Variable {
        try x.apply("l1_loss", [target], attributes(reduction))
    }

    /// Quadratic below `beta`, linear above.
    public static func smoothL1(
        _ x: Variable, _ target: Variable, beta: Double = 1, reduction: LossReduction = .mean
    ) throws -> Variable {
        try x.apply("smooth_l1_loss", [target], attributes(reduction, ["beta": .number(beta)]))
    }

    /// 1 - (2 Σ p t + s) / (Σ p + Σ t + s), the mean over classes and samples of N C …, or over classes when the sums run over the
    /// whole batch (Milletari, Navab and Ahmadi 2016, with sums rather than sums of squares, as in nnU-Net).
    public static func dice(
        _ probability: Variable, _ target: Variable, smoothing: Double = 1, overBatch: Bool = false
    ) throws -> Variable {
        try tversky(
            probability, target, falsePositives: 0.5, falseNegatives: 0.5, smoothing: smoothing / 2,
            overBatch: overBatch)
    }

    /// 1 - (TP + s) / (TP + α FP + β FN + s), the mean as for `dice` (Salehi, Erdogmus and Gholipour 2017).
    public static func tversky(
        _ probability: Variable, _ target: Variable, falsePositives alpha: Double, falseNegatives beta: Double,
        smoothing: Double = 1, overBatch: Bool = false
    ) throws -> Variable {
        guard probability.shape.count >= 2, probability.shape == target.shape else {
            throw RuntimeError.invalidOperation(
                name: "dice", location: CallFrame.current.path,
                reason: "probabilities \(probability.shape) and targets \(target.shape) are not of one shape N C …")
        }
        let axes = (overBatch ? [0] : []) + Array(2..<probability.shape.count)
        func total(_ x: Variable) throws -> Variable { axes.isEmpty ? x : try x.sum(axes: axes) }
        let hits = try total(probability * target)
        let denominator = try hits * (1 - alpha - beta) + total(probability) * alpha + total(target) * beta
        return try (1 - (hits + smoothing) / (denominator + smoothing)).mean()
    }

    /// α (1 - p)^γ · cross entropy, p the probability of the true answer, α for positive and 1 - α for negative targets (Lin et al.
    /// 2017; as torchvision's sigmoid_focal_loss).
    public static func focal(
        _ logits: Variable, _ target: Variable, alpha: Double = 0.25, gamma: Double = 2,
        reduction: LossReduction = .mean
    ) throws -> Variable {
        let entropy = try binaryCrossEntropyWithLogits(logits, target, reduction: .none)
        let p = try logits.sigmoid()
        let miss = try p + target - 2 * (p * target)
        let loss = try (1 - alpha + (2 * alpha - 1) * target) * entropy * miss.power(gamma)
        switch reduction {
        case .none: return loss
        case .sum: return try loss.sum()
        case .mean: return try loss.mean()
        }
    }
}
