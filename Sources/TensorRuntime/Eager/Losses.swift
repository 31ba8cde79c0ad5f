/// How the losses of elements become one.
public enum LossReduction: String, Sendable {
    case mean, sum
    /// No reduction: one loss an element.
    case none
}

/// The losses of segmentation, as functions of variables. Names and defaults are those of torch.nn.functional where it has them.
///
/// Predictions and targets have the same shape unless said otherwise; another one throws `RuntimeError.invalidOperation`, where
/// broadcasting would hide the mistake.
public enum Loss {
    private static func pointwise(
        _ name: String, _ x: Variable, _ target: Variable, _ others: [Variable?], _ reduction: LossReduction,
        _ attributes: [String: AttributeValue] = [:]
    ) throws -> Variable {
        guard x.shape == target.shape else {
            throw x.failure(name, "a prediction of shape \(x.shape) and a target of shape \(target.shape)")
        }
        return try x.apply(
            name, [target] + others,
            attributes.merging(["reduction": .string(reduction.rawValue)]) { first, _ in first })
    }

    /// -(t log p + (1 - t) log(1 - p)) of probabilities p, logarithms cut off at -100. `weight` is broadcast.
    public static func binaryCrossEntropy(
        _ probability: Variable, _ target: Variable, weight: Variable? = nil, reduction: LossReduction = .mean
    ) throws -> Variable {
        try pointwise("binary_cross_entropy", probability, target, [weight], reduction)
    }

    /// The same from logits, without overflow; `positiveWeight`, broadcast, multiplies the loss of positive targets.
    public static func binaryCrossEntropyWithLogits(
        _ logits: Variable, _ target: Variable, weight: Variable? = nil, positiveWeight: Variable? = nil,
        reduction: LossReduction = .mean
    ) throws -> Variable {
        try pointwise("binary_cross_entropy_with_logits", logits, target, [weight, positiveWeight], reduction)
    }

    /// Cross entropy of logits N C … (or C) with class indices N …, or with probabilities of the shape of the logits; `weight` has one
    /// number a class, `labelSmoothing` spreads that share of each target over all classes (Szegedy et al. 2016).
    public static func crossEntropy(
        _ logits: Variable, _ target: Variable, weight: Variable? = nil, ignoreIndex: Int = -100,
        labelSmoothing: Double = 0, reduction: LossReduction = .mean
    ) throws -> Variable {
        if logits.shape != target.shape {
            try checkClasses("cross_entropy", logits, target, ignoreIndex)
        }
        return try logits.apply(
            "cross_entropy", [target, weight],
            [
                "reduction": .string(reduction.rawValue), "ignore_index": .number(Double(ignoreIndex)),
                "label_smoothing": .number(labelSmoothing),
            ])
    }

    /// The negative of the log-probability N C … of each class index N ….
    public static func negativeLogLikelihood(
        _ logProbability: Variable, _ target: Variable, weight: Variable? = nil, ignoreIndex: Int = -100,
        reduction: LossReduction = .mean
    ) throws -> Variable {
        try checkClasses("nll_loss", logProbability, target, ignoreIndex)
        return try logProbability.apply(
            "nll_loss", [target, weight],
            ["reduction": .string(reduction.rawValue), "ignore_index": .number(Double(ignoreIndex))])
    }

    private static func checkClasses(
        _ name: String, _ x: Variable, _ target: Variable, _ ignoreIndex: Int? = nil
    ) throws {
        guard let count = x.shape.count > 1 ? x.shape[1] : x.shape.first else { return }
        try target.checkPositions(
            name, below: count, of: "\(count) classes of shape \(x.shape)", ignoring: ignoreIndex)
    }

    /// (x - t)².
    public static func meanSquaredError(
        _ x: Variable, _ target: Variable, reduction: LossReduction = .mean
    ) throws -> Variable {
        try pointwise("mse_loss", x, target, [], reduction)
    }

    /// |x - t|.
    public static func meanAbsoluteError(
        _ x: Variable, _ target: Variable, reduction: LossReduction = .mean
    ) throws -> Variable {
        try pointwise("l1_loss", x, target, [], reduction)
    }

    /// |x - t| less β/2, below β (x - t)² / 2β (Girshick 2015).
    public static func smoothL1(
        _ x: Variable, _ target: Variable, beta: Double = 1, reduction: LossReduction = .mean
    ) throws -> Variable {
        try pointwise("smooth_l1_loss", x, target, [], reduction, ["beta": .number(beta)])
    }

    private static func overlap(
        _ smoothing: Double, _ overBatch: Bool, _ reduction: LossReduction
    ) -> [String: AttributeValue] {
        ["smooth": .number(smoothing), "batch": .bool(overBatch), "reduction": .string(reduction.rawValue)]
    }

    /// 1 - (2 Σ p t + s) / (Σ p + Σ t + s) for each sample and class of N C … (Sudre et al. 2017); with `squared` Σ p² + Σ t² below
    /// (Milletari, Navab and Ahmadi 2016), with `overBatch` the sums run over the whole batch.
    public static func dice(
        _ probability: Variable, _ target: Variable, smoothing: Double = 1, squared: Bool = false,
        overBatch: Bool = false, reduction: LossReduction = .mean
    ) throws -> Variable {
        try probability.apply(
            "dice_loss", [target],
            overlap(smoothing, overBatch, reduction).merging(["squared": .bool(squared)]) { first, _ in first })
    }

    /// (1 - (TP + s) / (TP + α FP + β FN + s))^γ for each sample and class of N C … (Salehi, Erdogmus and Gholipour 2017; with γ
    /// Abraham and Khan 2019).
    public static func tversky(
        _ probability: Variable, _ target: Variable, falsePositives alpha: Double = 0.5,
        falseNegatives beta: Double = 0.5, gamma: Double = 1, smoothing: Double = 1, overBatch: Bool = false,
        reduction: LossReduction = .mean
    ) throws -> Variable {
        let weights: [String: AttributeValue] = [
            "alpha": .number(alpha), "beta": .number(beta), "gamma": .number(gamma),
        ]
        return try probability.apply(
            "tversky_loss", [target], overlap(smoothing, overBatch, reduction).merging(weights) { first, _ in first })
    }

    /// α (1 - p)^γ · cross entropy, p the probability of the true answer, α for positive and 1 - α for negative targets (Lin et al.
    /// 2017; as torchvision's sigmoid_focal_loss). A negative α weighs both alike.
    public static func focal(
        _ logits: Variable, _ target: Variable, alpha: Double = 0.25, gamma: Double = 2,
        reduction: LossReduction = .mean
    ) throws -> Variable {
        try logits.apply(
            "focal_loss", [target],
            [
                "alpha": .number(alpha), "gamma": .number(gamma), "reduction": .string(reduction.rawValue),
            ])
    }

    /// nnU-Net's loss: cross entropy less the soft Dice of the softmax, of logits N C … and class indices N … or N 1 … (Isensee et
    /// al. 2021). The background (class 0) does not count for Dice unless `countsBackground`.
    public static func diceCrossEntropy(
        _ logits: Variable, _ target: Variable, diceWeight: Double = 1, entropyWeight: Double = 1,
        smoothing: Double = 1e-5, overBatch: Bool = false, countsBackground: Bool = false
    ) throws -> Variable {
        try deepSupervision(
            [(logits, target)], diceWeight: diceWeight, entropyWeight: entropyWeight, smoothing: smoothing,
            overBatch: overBatch, countsBackground: countsBackground)
    }

    /// `diceCrossEntropy` summed over resolutions, the finest first (Isensee et al. 2021). Weights are halved from one to the next, the
    /// coarsest has none, and they add up to one, unless others are given.
    public static func deepSupervision(
        _ scales: [(logits: Variable, target: Variable)], weights: [Double]? = nil, diceWeight: Double = 1,
        entropyWeight: Double = 1, smoothing: Double = 1e-5, overBatch: Bool = false, countsBackground: Bool = false
    ) throws -> Variable {
        var attributes: [String: AttributeValue] = [
            "smooth": .number(smoothing), "batch": .bool(overBatch), "background": .bool(countsBackground),
            "dice_weight": .number(diceWeight), "ce_weight": .number(entropyWeight),
        ]
        if let weights { attributes["weights"] = .list(weights.map { .number($0) }) }
        for (logits, target) in scales { try checkClasses("dice_cross_entropy_loss", logits, target) }
        return try Variable.apply(
            "dice_cross_entropy_loss", scales.flatMap { [$0.logits, $0.target] }, attributes)
    }
}
