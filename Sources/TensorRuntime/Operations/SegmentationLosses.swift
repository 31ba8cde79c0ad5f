import Foundation

/// Losses of segmentation that PyTorch lacks. Predictions and targets are N C … unless said otherwise.
extension OperationTable {
    static let segmentationLosses: [String: Composer.Composition] = [
        // prediction, target: mean of 1 - (2 Σ p t + s) / (Σ p + Σ t + s) over samples and classes (Sudre et al. 2017), with
        // `squared` Σ p² + Σ t² below (Milletari et al. 2016), with `batch` the sums also run over the batch.
        "dice_loss": { c in
            try c.expect(2...2)
            let (p, t) = (try c.input(0), try c.input(1))
            let isSquared = try c.attributes.flag("squared")
            let smooth = try c.attributes.number("smooth", default: 1)
            let axes = try c.overlapAxes(p, t)
            let overlap = try c.sum(c.multiply(p, t), axes)
            let (sizeP, sizeT) =
                isSquared
                ? (try c.sum(c.square(p), axes), try c.sum(c.square(t), axes))
                : (try c.sum(p, axes), try c.sum(t, axes))
            let ratio = try c.divide(
                c.affine(overlap, scale: 2, shift: smooth), c.affine(c.add(sizeP, sizeT), shift: smooth))
            return try c.reduce(c.affine(ratio, scale: -1, shift: 1))
        },
        // prediction, target: mean of (1 - (tp + s) / (tp + α fp + β fn + s))^γ (Salehi et al. 2017; with γ Abraham and Khan 2019).
        "tversky_loss": { c in
            try c.expect(2...2)
            let (p, t) = (try c.input(0), try c.input(1))
            let (alpha, beta) = (
                try c.attributes.number("alpha", default: 0.5), try c.attributes.number("beta", default: 0.5)
            )
            let smooth = try c.attributes.number("smooth", default: 1)
            let gamma = try c.attributes.number("gamma", default: 1)
            let axes = try c.overlapAxes(p, t)
            let both = try c.multiply(p, t)
            let hits = try c.sum(both, axes)
            let (extra, missed) = (try c.sum(c.subtract(p, both), axes), try c.sum(c.subtract(t, both), axes))
            let misses = try c.add(c.affine(extra, scale: alpha), c.affine(missed, scale: beta))
            // 1 - (tp + s) / (tp + m + s) = m / (tp + m + s), without the cancellation.
            let loss = try c.divide(misses, c.affine(c.add(hits, misses), shift: smooth))
            return try c.reduce(
                gamma == 1 ? loss : c.apply(UnaryOperation(PowerScalar(exponent: Float(gamma))), loss))
        },
        // logits, target of any one shape: α_t (1 - p_t)^γ (-log p_t) (Lin et al. 2017); a negative or absent alpha weighs nothing.
        "focal_loss": { c in
            try c.expect(2...2)
            let (x, t) = (try c.input(0), try c.input(1))
            guard c.shape(x) == c.shape(t) else { throw ShapeFault("logits \(c.shape(x)) and targets \(c.shape(t))") }
            let (alpha, gamma) = (
                try c.attributes.number("alpha", default: -1), try c.attributes.number("gamma", default: 2)
            )
            let entropy = try c.apply(BinaryOperation(BinaryCrossEntropyWithLogits()), x, t)
            let p = try c.apply(UnaryOperation(Sigmoid()), x)
            // 1 - p_t = p + t - 2 p t
            let wrong = try c.subtract(c.add(p, t), c.affine(c.multiply(p, t), scale: 2))
            var loss = try c.multiply(
                entropy, c.apply(UnaryOperation(PowerScalar(exponent: Float(gamma))), wrong))
            if alpha >= 0 { loss = try c.multiply(loss, c.affine(t, scale: 2 * alpha - 1, shift: 1 - alpha)) }
            return try c.reduce(loss)
        },
        // logits N C …, class indices N … or N 1 …, then the same at lower resolutions: nnU-Net's Dice and cross entropy with deep
        // supervision (Isensee et al. 2021), Σ weights[i] (ce_weight · CE - dice_weight · soft Dice of the softmax).
        "dice_cross_entropy_loss": { c in try c.deepSupervision() },
    ]
}

extension Composer {
    /// The axes that an overlap of two N C … is summed over: the spatial ones, and with `batch` that of the batch.
    fileprivate func overlapAxes(_ p: Int, _ t: Int) throws -> [Int] {
        let shape = shape(p)
        guard shape.count >= 3, shape == self.shape(t) else {
            throw ShapeFault("a prediction of shape \(shape) and a target of shape \(self.shape(t)) are not both N C …")
        }
        return (try attributes.flag("batch") ? [0] : []) + Array(2..<shape.count)
    }

    fileprivate mutating func deepSupervision() throws -> Int {
        let values = operands
        guard values.count >= 2, values.count % 2 == 0, values.count == attributes.node.inputs.count else {
            throw ShapeFault("it needs pairs of logits and targets, and has \(values.count) operands")
        }
        let scales = values.count / 2
        // Halved with each resolution, the lowest left out, normalised.
        var weights = (0..<scales).map { $0 > 0 && $0 == scales - 1 ? 0 : pow(0.5, Double($0)) }
        let whole = weights.reduce(0, +)
        weights = weights.map { $0 / whole }
        if let given = try attributes.optionalNumbers("weights") {
            guard given.count == scales else { throw ShapeFault("\(given.count) weights for \(scales) resolutions") }
            weights = given.map { $0 ?? 0 }
        }
        var total: Int?
        for (index, weight) in weights.enumerated() where weight != 0 {
            let part = try affine(diceAndCrossEntropy(values[2 * index], values[2 * index + 1]), scale: weight)
            total = try total.map { try add($0, part) } ?? part
        }
        guard let total else { throw ShapeFault("all weights are zero") }
        return total
    }

    private mutating func diceAndCrossEntropy(_ logits: Int, _ target: Int) throws -> Int {
        let shape = shape(logits)
        let spatial = Array(shape.dropFirst(2))
        guard shape.count >= 3, [[shape[0]] + spatial, [shape[0], 1] + spatial].contains(self.shape(target)) else {
            throw ShapeFault("logits of shape \(shape) and class indices of shape \(self.shape(target))")
        }
        let labels = try reshape(target, [shape[0]] + spatial)
        let entropy = try compose(CrossEntropy(), logits, labels, false)
        let classes = try apply(Pattern(target: [shape[1]] + spatial.map { _ in 1 }) { Float($0) })
        var truth = try apply(
            BinaryOperation(Equal()), reshape(labels, [shape[0], 1] + spatial), classes)
        var p = try apply(Softmax(axis: 1, isLogarithm: false), logits)
        if !(try attributes.flag("background")) {
            guard shape[1] > 1 else { throw ShapeFault("there is no class beside the background") }
            truth = try apply(Slice(axis: 1, start: 1, end: shape[1], step: 1), truth)
            p = try apply(Slice(axis: 1, start: 1, end: shape[1], step: 1), p)
        }
        let smooth = try attributes.number("smooth", default: 1e-5)
        let axes = (try attributes.flag("batch") ? [0] : []) + Array(2..<shape.count)
        let overlap = try affine(sum(multiply(p, truth), axes), scale: 2, shift: smooth)
        let sizes = try affine(add(sum(truth, axes), sum(p, axes)), shift: smooth)
        let bounded = try apply(UnaryOperation(Clamp(low: 1e-8, high: .infinity)), sizes)
        let dice = try mean(divide(overlap, bounded))
        return try subtract(
            affine(entropy, scale: attributes.number("ce_weight", default: 1)),
            affine(dice, scale: attributes.number("dice_weight", default: 1)))
    }
}
