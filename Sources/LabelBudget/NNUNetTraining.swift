import Datasets
import Foundation
import NNUNet
import TensorRuntime

/// Trains our nnU-Net on the images of a budget, brought to the sweep's size, and predicts the held-out ones.
///
/// Plan, network, loss, schedule and augmentation are nnU-Net's; the length is the sweep's, cut in ten epochs, after each of which its state
/// is kept. The validation images choose the postprocessing.
struct NNUNetTraining {
    let dataset: Dataset
    let subset: LabelSubset
    let seed: Int
    let size: Int
    let steps: Int
    let checkpoint: URL
    let threads: Int?

    struct Outcome {
        /// Foreground as 0 and 1, H W each, in the order of the held-out images.
        var masks: [[Float]]
        var parameters: Int
        var validationDice: Double?
    }

    func run(heldOut: [String], progress: (_ done: Int, _ loss: Float?) throws -> Void) throws -> Outcome {
        let interval = steps / SweepNetwork.looks
        let baseline = try NNUNetBaseline(
            train: try subset.training.map(labelled), validation: try subset.validation.map(labelled),
            channelNames: dataset.description.channels == 3 ? ["R", "G", "B"] : ["grey"], classes: 2,
            name: "Dataset001_Sweep",
            budget: TrainingBudget(epochs: SweepNetwork.looks, iterations: interval, validationIterations: 1),
            seed: UInt64(bitPattern: Int64(seed)), threads: threads, batchSize: SweepNetwork.batchSize)
        var (parameters, done) = (0, 0)
        let result = try baseline.run(test: try heldOut.map(image), checkpoint: checkpoint) { event in
            switch event {
            case .planned(let count, _): parameters = count
            case .resumed(let epochs):
                done = epochs * interval
                try progress(done, nil)
            case .iteration(let epoch, let iteration, let loss):
                done = epoch * interval + iteration + 1
                try progress(done, loss)
            case .epoch, .postprocessing, .predicted: try progress(done, nil)
            }
        }
        return Outcome(
            masks: result.masks.map { $0.values.map { $0 > 0 ? 1 : 0 } }, parameters: parameters,
            validationDice: result.validationDice.first ?? nil)
    }

    private func image(_ sample: String) throws -> CaseImage {
        let planes = SweepImages.planes(try dataset.image(sample), size: size)
        return try CaseImage(
            channels: planes.count, height: size, width: size, values: planes.flatMap { $0 })
    }

    private func labelled(_ sample: String) throws -> LabelledCase {
        let mask = SweepImages.mask(try dataset.truth(sample), size: size)
        return try LabelledCase(
            name: sample, image: image(sample),
            labels: LabelMap(shape: [1, size, size], values: mask.map { Int16($0) }))
    }
}
