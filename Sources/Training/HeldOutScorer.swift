import Foundation
import Metrics
import TensorRuntime

/// Dice of one held-out image, on both grids.
public struct HeldOutScore: Sendable, Hashable, Codable {
    /// File name without suffix.
    public var sample: String
    /// On the grid of the file: the probability resized to it, then decided.
    public var dice: Double
    /// On the grid of the model: the truth resized to it by nearest neighbour.
    public var modelGridDice: Double

    public init(sample: String, dice: Double, modelGridDice: Double) {
        self.sample = sample
        self.dice = dice
        self.modelGridDice = modelGridDice
    }
}

/// Scores probability maps against masks that the sandbox never saw.
///
/// Dice is `2|A∩B| / (|A| + |B|)` an image, without smoothing: 1 where both masks are empty, 0 where one is.
public struct HeldOutScorer: Sendable {
    /// How a probability becomes a yes or no, as the pipeline does it; one that is no number is background.
    public var threshold: Threshold

    public init(threshold: Threshold) {
        self.threshold = threshold
    }

    /// - Parameters:
    ///   - probability: height × width values on the model's grid.
    ///   - truth: truthHeight × truthWidth values, 0 for background.
    /// - Throws: `MetricsError` where a map and its size do not go together.
    public func score(
        sample: String, probability: [Float], height: Int, width: Int, truth: [UInt8], truthHeight: Int, truthWidth: Int
    ) throws -> HeldOutScore {
        let onOriginal = try Resize.bilinear(
            probability, width: width, height: height, toWidth: truthWidth, toHeight: truthHeight)
        let truthOnModel = try Resize.nearest(
            truth, width: truthWidth, height: truthHeight, toWidth: width, toHeight: height)
        return HeldOutScore(
            sample: sample,
            dice: try dice(probability: onOriginal, truth: truth),
            modelGridDice: try dice(probability: probability, truth: truthOnModel))
    }

    func dice(probability: [Float], truth: [UInt8]) throws -> Double {
        try ConfusionCounts(predicted: probability.map(threshold.admits), truth: truth.map { $0 != 0 }).dice
    }

    /// The mean of each run of `size` values, the last one over what is left: the scores of a loader's batches.
    public static func batchMeans(_ dice: [Double], size: Int) -> [Double] {
        let size = max(1, size)
        return stride(from: 0, to: dice.count, by: size).map { start in
            let batch = dice[start..<min(start + size, dice.count)]
            return batch.reduce(0, +) / Double(batch.count)
        }
    }
}
