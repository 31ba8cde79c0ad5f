import Foundation

/// Overlap of a predicted and a true mask, counted pixel by pixel.
///
/// ```swift
/// let counts = try ConfusionCounts(predicted: [true, true, false], truth: [true, false, false])
/// counts.dice    // 2/3
/// ```
///
/// All scores are in [0, 1] and unsmoothed. Where a denominator is 0 the question was answered without error, so the score
/// is 1; for Dice and IoU that is the convention "both masks empty = 1, one empty = 0".
public struct ConfusionCounts: Sendable, Hashable, Codable {
    /// Foreground in both.
    public var truePositives: Int
    /// Foreground in the prediction alone.
    public var falsePositives: Int
    /// Foreground in the truth alone.
    public var falseNegatives: Int
    /// Background in both.
    public var trueNegatives: Int

    public init(truePositives: Int, falsePositives: Int, falseNegatives: Int, trueNegatives: Int) {
        self.truePositives = truePositives
        self.falsePositives = falsePositives
        self.falseNegatives = falseNegatives
        self.trueNegatives = trueNegatives
    }

    /// Counts two masks of the same layout.
    ///
    /// - Throws: `MetricsError.sizes` when they differ in length.
    /// - Complexity: O(pixels).
    public init(predicted: [Bool], truth: [Bool]) throws(MetricsError) {
        try self.init(count: predicted.count, truth.count, predicted: { predicted[$0] }, truth: { truth[$0] })
    }

    /// Counts 8-bit masks, where any value but 0 is foreground.
    ///
    /// - Throws: `MetricsError.sizes` when they differ in length.
    public init(predicted: [UInt8], truth: [UInt8]) throws(MetricsError) {
        try self.init(count: predicted.count, truth.count, predicted: { predicted[$0] != 0 }, truth: { truth[$0] != 0 })
    }

    /// Counts a probability map against an 8-bit mask: a pixel is foreground where its probability exceeds the threshold. A
    /// probability that is no number is background.
    ///
    /// - Throws: `MetricsError.sizes` when they differ in length.
    public init(probability: [Float], threshold: Float = 0.5, truth: [UInt8]) throws(MetricsError) {
        try self.init(
            count: probability.count, truth.count, predicted: { probability[$0] > threshold }, truth: { truth[$0] != 0 }
        )
    }

    private init(
        count: Int, _ truthCount: Int, predicted: (Int) -> Bool, truth: (Int) -> Bool
    ) throws(MetricsError) {
        guard count == truthCount else { throw .sizes(predicted: count, truth: truthCount) }
        var both = 0
        var predictedOnes = 0
        var trueOnes = 0
        for index in 0..<count {
            let predicted = predicted(index)
            let truth = truth(index)
            both += predicted && truth ? 1 : 0
            predictedOnes += predicted ? 1 : 0
            trueOnes += truth ? 1 : 0
        }
        self.init(
            truePositives: both, falsePositives: predictedOnes - both, falseNegatives: trueOnes - both,
            trueNegatives: count - predictedOnes - trueOnes + both)
    }

    /// `2 TP / (2 TP + FP + FN)` (Dice 1945, Sørensen 1948).
    public var dice: Double { ratio(2 * truePositives, 2 * truePositives + falsePositives + falseNegatives) }

    /// Intersection over union, `TP / (TP + FP + FN)` (Jaccard 1912).
    public var iou: Double { ratio(truePositives, truePositives + falsePositives + falseNegatives) }

    /// `TP / (TP + FP)`; 1 when nothing was predicted.
    public var precision: Double { ratio(truePositives, truePositives + falsePositives) }

    /// Sensitivity, `TP / (TP + FN)`; 1 when there was nothing to find.
    public var recall: Double { ratio(truePositives, truePositives + falseNegatives) }

    /// `TN / (TN + FP)`; 1 when there was no background.
    public var specificity: Double { ratio(trueNegatives, trueNegatives + falsePositives) }

    private func ratio(_ numerator: Int, _ denominator: Int) -> Double {
        denominator == 0 ? 1 : Double(numerator) / Double(denominator)
    }
}

/// Losses that every pipeline is measured by alike, so that curves of different training losses can be averaged.
public enum CommonLosses {
    /// Probabilities are held this far from 0 and 1 before the logarithm.
    public static let clamp = 1e-7

    /// Mean binary cross-entropy of a probability map, in nats: `−mean(t ln p + (1 − t) ln(1 − p))` with p held in
    /// [1e-7, 1 − 1e-7], so that one confident mistake costs at most 16.1. Computed in double precision.
    ///
    /// A probability that is no number makes the result NaN; an empty map gives 0.
    ///
    /// - Parameter truth: In [0, 1], usually 0 or 1.
    /// - Throws: `MetricsError.sizes`.
    public static func binaryCrossEntropy(probability: [Float], truth: [Float]) throws(MetricsError) -> Double {
        guard probability.count == truth.count else {
            throw .sizes(predicted: probability.count, truth: truth.count)
        }
        guard !probability.isEmpty else { return 0 }
        var sum = 0.0
        for index in probability.indices {
            let raw = Double(probability[index])
            guard !raw.isNaN else { return .nan }
            let p = min(max(raw, clamp), 1 - clamp)
            // log1p keeps the digits of a small p.
            let t = Double(truth[index])
            sum -= (t == 0 ? 0 : t * log(p)) + (t == 1 ? 0 : (1 - t) * log1p(-p))
        }
        return sum / Double(probability.count)
    }

    /// Soft Dice coefficient of one image, `2 Σ p t / (Σ p + Σ t)`, without smoothing and without squares (Milletari et al.
    /// 2016 square the denominator; this is the linear form). 1 when both sums are 0. The loss is one minus this.
    ///
    /// - Throws: `MetricsError.sizes`.
    public static func softDice(probability: [Float], truth: [Float]) throws(MetricsError) -> Double {
        guard probability.count == truth.count else {
            throw .sizes(predicted: probability.count, truth: truth.count)
        }
        var intersection = 0.0
        var total = 0.0
        for index in probability.indices {
            let p = Double(probability[index])
            let t = Double(truth[index])
            intersection += p * t
            total += p + t
        }
        return total == 0 ? 1 : 2 * intersection / total
    }
}
