import Foundation
import TensorRuntime

/// Collects what a training yields and writes the files that a pipeline leaves behind.
///
/// ```swift
/// let results = PipelineResults(arguments)
/// for _ in 1...arguments.epochs {
///     // ... train and validate ...
///     try results.record(trainingLoss: loss, validationLoss: validationLoss, validationDice: diceOfEachBatch)
/// }
/// try results.finish(model: model, samples: samples, split: split, batchSize: 8, threshold: 0.5, configuration: configuration) {
///     images in try predict(model, images)
/// }
/// ```
public final class PipelineResults {
    private let arguments: PipelineArguments
    private let out: URL
    private var trainingLosses: [Double] = []
    private var validationLosses: [Double] = []
    private var validationDice: [[Double]] = []

    /// For the run that these arguments describe.
    public init(_ arguments: PipelineArguments) {
        self.arguments = arguments
        out = URL(filePath: arguments.out, directoryHint: .isDirectory)
    }

    /// Keeps the results of the epoch that has just ended, and prints them. `validationDice` has the mean Dice of each validation
    /// batch, in the same number and order in each epoch.
    public func record(trainingLoss: Double, validationLoss: Double, validationDice: [Double]) throws {
        trainingLosses.append(trainingLoss)
        validationLosses.append(validationLoss)
        self.validationDice.append(validationDice)
        let epoch = trainingLosses.count
        let mean = validationDice.reduce(0, +) / Double(max(1, validationDice.count))
        print(
            "epoch \(epoch)/\(arguments.epochs): training loss \(trainingLoss), validation loss \(validationLoss), "
                + "validation Dice \(mean)")
        try arguments.harness.note(
            Harness.Progress(
                epoch: epoch, epochs: max(epoch, arguments.epochs), loss: trainingLoss.isFinite ? trainingLoss : nil))
    }

    /// Tests the model and writes all files to the folder of `--out`: losses and Dice as Excel sheets, loss curve and test samples as
    /// PNG, weights as `model.safetensors`, and `config.json`. Call it once, after training.
    ///
    /// `samples` are all samples that `split` divides. `predict` turns images N C H W, as `ImagePairs.load` reads them, into the
    /// probabilities of foreground N 1 H W; a pixel is foreground above `threshold`. It is called for the test part and may be called
    /// for further images. Throws `PipelineError.invalid` where shapes do not fit or a probability lies outside [0, 1].
    public func finish(
        model: Module, samples: Samples, split: Split, batchSize: Int, threshold: Float,
        configuration: PipelineConfiguration, predict: (Tensor) throws -> Tensor
    ) throws {
        guard threshold >= 0, threshold <= 1 else {
            throw PipelineError.invalid("the threshold is \(threshold): it is a probability, 0 to 1")
        }
        let test = try samples.subset(split.test)
        var predicted: [Float] = []
        var dice: [Double] = []
        for batch in try test.batches(size: batchSize) {
            let probabilities = try Self.probabilities(of: batch.images, predict)
            dice.append(try meanDice(probabilities, batch.masks, threshold: threshold))
            predicted += probabilities.values.map { $0 > threshold ? 1 : 0 }
        }
        print("test Dice \(dice.reduce(0, +) / Double(max(1, dice.count)))")
        try writeSheets(testDice: dice)
        try Plots.losses(
            training: trainingLosses, validation: validationLosses, to: out.appending(path: "loss_curve.png"))
        let shown = Array(Samples.order(test.count, RandomGenerator(seed: UInt64(split.seed))).prefix(5))
        try Plots.samples(
            test.subset(shown), predicted: Tensor(shape: test.masks.shape, values: predicted).rows(shown),
            to: out.appending(path: "test_samples.png"))
        try model.save(to: out.appending(path: "model.safetensors"))
        let shape = samples.images.shape
        let known = PipelineConfiguration.Known(
            inputSize: [shape[2], shape[3]], inputChannels: shape[1],
            trainableParameters: model.namedParameters.reduce(0) { $0 + $1.parameter.count }, batchSize: batchSize,
            epochs: arguments.epochs, threshold: threshold, split: split)
        try write(configuration.json(known), to: "config.json")
        try arguments.harness.note(["batch_size": batchSize])
        try predictHeldOut(shape, threshold: threshold, batchSize: batchSize, predict)
    }

    private func writeSheets(testDice: [Double]) throws {
        let epochs = (1...max(1, trainingLosses.count)).map(Double.init)
        try Sheets.write([epochs, trainingLosses], to: out.appending(path: "train_losses.xlsx"))
        try Sheets.write([epochs, validationLosses], to: out.appending(path: "val_losses.xlsx"))
        try Sheets.write(validationDice, to: out.appending(path: "validation_dice_scores.xlsx"))
        try Sheets.write([testDice], to: out.appending(path: "test_dice_scores.xlsx"))
    }

    private static func probabilities(of images: Tensor, _ predict: (Tensor) throws -> Tensor) throws -> Tensor {
        let probabilities = try predict(images)
        let expected = [images.shape[0], 1, images.shape[2], images.shape[3]]
        guard probabilities.shape == expected else {
            throw PipelineError.invalid(
                "predict turned images of shape \(images.shape) into shape \(probabilities.shape), not \(expected)")
        }
        if let value = probabilities.values.first(where: { !(0...1).contains($0) }) {
            throw PipelineError.invalid("predict gave the probability \(value), which is outside [0, 1]")
        }
        return probabilities
    }

    /// The images that the harness holds out, where it gives some: read and sized as the pipeline's own.
    private func predictHeldOut(
        _ shape: [Int], threshold: Float, batchSize: Int, _ predict: (Tensor) throws -> Tensor
    ) throws {
        guard let folder = arguments.harness.heldOut, let record = arguments.harness.record else { return }
        let pairs = try ImagePairs(folder, suffix: "")
        let images = try pairs.images(height: shape[2], width: shape[3], channels: shape[1])
        let start = ContinuousClock.now
        var values: [Float] = []
        for first in stride(from: 0, to: pairs.count, by: batchSize) {
            let batch = try images.rows(Array(first..<min(first + batchSize, pairs.count)))
            values += try Self.probabilities(of: batch, predict).values
        }
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        let names = String(decoding: try JSONEncoder().encode(pairs.names), as: UTF8.self)
        let facts = [
            "ids": names, "threshold": "\(threshold)", "batch_size": "\(batchSize)", "prediction_seconds": "\(seconds)",
        ]
        let probabilities = try Tensor(shape: [pairs.count, 1, shape[2], shape[3]], values: values)
        try write(
            SafeTensors.encode(["probability": probabilities], metadata: facts),
            to: record.appending(path: "predictions.safetensors"))
        try write(
            SafeTensors.encode(["images": images], metadata: ["ids": names]),
            to: record.appending(path: "heldout.safetensors"))
    }

    private func write(_ data: Data, to name: String) throws { try write(data, to: out.appending(path: name)) }

    private func write(_ data: Data, to url: URL) throws {
        do {
            try data.write(to: url)
        } catch {
            throw PipelineError.file(path: url.path, reason: error.localizedDescription)
        }
    }
}
