import Metrics
import TensorRuntime

/// The mean over a batch of each sample's Dice, 2|A∩B| / (|A| + |B|) (Dice 1945), where a pixel is foreground when its probability
/// is above `threshold`; 1 where both masks are empty. Both tensors are N 1 H W.
///
/// Throws `PipelineError.invalid` where the shapes differ or there is no sample.
public func meanDice(_ probabilities: Tensor, _ masks: Tensor, threshold: Float = 0.5) throws -> Double {
    guard probabilities.shape == masks.shape, let samples = masks.shape.first, samples > 0 else {
        throw PipelineError.invalid(
            "probabilities of shape \(probabilities.shape) and masks of shape \(masks.shape): both are N 1 H W")
    }
    let size = masks.count / samples
    let scores = try (0..<samples).map { sample in
        let range = sample * size..<(sample + 1) * size
        return try ConfusionCounts(
            predicted: probabilities.values[range].map { $0 > threshold }, truth: masks.values[range].map { $0 > 0.5 }
        ).dice
    }
    return scores.reduce(0, +) / Double(samples)
}
