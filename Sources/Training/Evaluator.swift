import Datasets
import Foundation
import TensorRuntime

/// The held-out scores of one training.
public struct Evaluation: Sendable, Hashable, Codable {
    /// In the order of the pipeline's dataset.
    public var images: [HeldOutScore]
    /// Mean Dice of consecutive batches of the pipeline's own test batch size.
    public var batches: [Double]

    public var meanDice: Double { Self.mean(images.map(\.dice)) }
    public var meanModelGridDice: Double { Self.mean(images.map(\.modelGridDice)) }

    private static func mean(_ values: [Double]) -> Double {
        values.isEmpty ? .nan : values.reduce(0, +) / Double(values.count)
    }
}

/// Holds predictions against the masks that only the host has.
///
/// ```swift
/// let evaluator = Evaluator(dataset: dataset, threshold: graph.threshold, batchSize: 1)
/// let evaluation = try evaluator.evaluate(Predictions(contentsOf: file), images: heldOut)
/// ```
public struct Evaluator: Sendable {
    public let dataset: Dataset
    public let threshold: Threshold
    public let batchSize: Int

    public init(dataset: Dataset, threshold: Threshold, batchSize: Int) {
        self.dataset = dataset
        self.threshold = threshold
        self.batchSize = batchSize
    }

    /// - Parameter images: what the pipeline made of the held-out files, for the check of the geometry.
    /// - Throws: `TrainingError.geometry` where the pipeline's images are no plain resize of the files, `.pipelineFailed` where
    ///   images are missing, `DatasetError` for files that cannot be read.
    public func evaluate(_ predictions: Predictions, images: SampleTensors) throws -> Evaluation {
        try requireAll(predictions.ids)
        try verifyGeometry(of: images)
        let scorer = HeldOutScorer(threshold: threshold)
        let (height, width) = (predictions.probabilities.shape[2], predictions.probabilities.shape[3])
        guard images.images.shape.suffix(2) == [height, width] else {
            throw TrainingError.geometry(
                reason: "predictions of \(height)×\(width) pixels stand for images of shape \(images.images.shape)")
        }
        let scores = try predictions.ids.enumerated().map { index, id in
            let truth = try dataset.truth(id)
            return try scorer.score(
                sample: id, probability: try predictions.probabilities.rows([index]).values, height: height,
                width: width, truth: truth.bytes, truthHeight: truth.height, truthWidth: truth.width)
        }
        return Evaluation(
            images: scores, batches: HeldOutScorer.batchMeans(scores.map(\.dice), size: batchSize))
    }

    /// - Throws: `TrainingError.geometry`, `.pipelineFailed`, `DatasetError`.
    public func verifyGeometry(of samples: SampleTensors) throws {
        let ids = samples.ids.compactMap(\.self)
        try requireAll(ids)
        let captured = try ids.indices.map { GeometryCheck.Plane(meanOfChannels: try samples.images.rows([$0])) }
        let originals = try ids.map { id in
            let grey = try dataset.image(id).grey()
            return GeometryCheck.Plane(height: grey.height, width: grey.width, values: grey.bytes.map(Float.init))
        }
        try GeometryCheck().verify(captured: captured, originals: originals)
    }

    private func requireAll(_ ids: [String]) throws {
        let expected = Set(dataset.split.heldOut)
        guard Set(ids).count == ids.count, Set(ids) == expected else {
            let missing = expected.subtracting(ids).count
            throw TrainingError.pipelineFailed(
                reason:
                    "its dataset does not yield each held-out image once: \(ids.count) for \(expected.count) files, "
                    + "\(missing) missing")
        }
    }
}

extension GeometryCheck.Plane {
    /// The mean over the channels of one image, 1 C H W.
    init(meanOfChannels tensor: Tensor) {
        let (channels, height, width) = (tensor.shape[1], tensor.shape[2], tensor.shape[3])
        var values = [Float](repeating: 0, count: height * width)
        for channel in 0..<channels {
            for pixel in values.indices { values[pixel] += tensor.values[channel * values.count + pixel] }
        }
        self.init(height: height, width: width, values: values.map { $0 / Float(max(1, channels)) })
    }
}
