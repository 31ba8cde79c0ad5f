import Foundation
import Metrics
import TensorRuntime

/// Measures an epoch on the validation part: the pipeline's own loss, and what is measured for every pipeline alike.
final class Validator {
    private let samples: SampleTensors
    private let batches: [[Int]]
    private let lossGraph: Graph
    private let evaluation: Graph
    private let session: GraphSession
    private let options: RuntimeOptions
    private var compiled: [Int: CompiledGraph] = [:]

    /// nil where the pipeline has no validation part.
    init?(_ pipeline: CapturedPipeline, session: GraphSession, options: RuntimeOptions) throws {
        guard let samples = pipeline.validation, samples.count > 0, samples.masks != nil else { return nil }
        self.samples = samples
        self.session = session
        self.options = options
        evaluation = pipeline.evaluation
        lossGraph = pipeline.train.evaluatedLoss
        batches = BatchOrder(
            samples: samples.count, batchSize: pipeline.loop.validationBatchSize ?? pipeline.loop.batchSize ?? 1,
            dropLast: false, shuffle: false, seed: 0
        ).batches(epoch: 1)
    }

    /// The sizes of the batches.
    var batchSizes: [Int] { Set(batches.map(\.count)).sorted() }

    /// Bytes that the graphs of the validation loss take, those of the session not counted.
    func memory() throws -> Int {
        try batchSizes.reduce(0) {
            $0
                + (try MemoryRequirement(of: lossGraph, batch: $1, parameters: session.parameters, options: options)
                    .graph)
        }
    }

    func measure(_ result: inout EpochResult) throws {
        var losses: [Double] = []
        var probabilities: [Tensor] = []
        for indices in batches {
            let (images, masks) = try samples.batch(indices)
            let inputs = try CapturedPipeline.inputs(of: lossGraph, images: images, masks: masks)
            losses.append(Double(try graph(for: indices.count).evaluate(inputs).values.first ?? .nan))
            probabilities.append(
                try session.predict(CapturedPipeline.inputs(of: evaluation, images: images, masks: nil)))
        }
        result.validationLoss = losses.reduce(0, +) / Double(losses.count)
        try ValidationScores(probabilities: probabilities, samples: samples, threshold: evaluation.threshold)
            .write(to: &result)
    }

    private func graph(for batch: Int) throws -> CompiledGraph {
        if let known = compiled[batch] { return known }
        let made = try CompiledGraph(graph: lossGraph, batch: batch, parameters: session.parameters, options: options)
        compiled[batch] = made
        return made
    }
}

/// The common measures of one epoch, from the probabilities of the validation part: the same code for every engine.
struct ValidationScores {
    var commonBCE: Double
    var commonSoftDice: Double
    /// Mean Dice of the images of each batch.
    var batchDice: [Double]

    /// - Parameter probabilities: one tensor N 1 H W a batch, in the order of the samples.
    init(probabilities: [Tensor], samples: SampleTensors, threshold: Threshold?) throws {
        let scorer = HeldOutScorer(threshold: threshold ?? Threshold(value: 0.5, comparison: .greater))
        var (bce, soft, index) = (0.0, 0.0, 0)
        batchDice = []
        for batch in probabilities {
            var dice: [Double] = []
            for row in 0..<(batch.shape.first ?? 0) {
                let probability = try batch.rows([row]).values
                let truth = try samples.foreground(index)
                bce += try CommonLosses.binaryCrossEntropy(probability: probability, truth: truth)
                soft += try CommonLosses.softDice(probability: probability, truth: truth)
                dice.append(try scorer.dice(probability: probability, truth: truth.map { $0 > 0.5 ? 1 : 0 }))
                index += 1
            }
            batchDice.append(dice.reduce(0, +) / Double(max(1, dice.count)))
        }
        // All images have the same number of pixels, so the mean of means is the mean.
        commonBCE = bce / Double(max(1, index))
        commonSoftDice = soft / Double(max(1, index))
    }

    func write(to result: inout EpochResult) {
        result.commonBCE = commonBCE
        result.commonSoftDice = commonSoftDice
        result.validationDice = batchDice
    }
}

extension SampleTensors {
    /// The mask of one sample as H W values in [0, 1]; of two channels the second is the foreground.
    func foreground(_ index: Int) throws -> [Float] {
        guard let masks else { throw TrainingError.badCapture(file: "data", reason: "it holds no masks") }
        let row = try masks.rows([index])
        let pixels = images.shape[2] * images.shape[3]
        guard row.count >= pixels else {
            throw TrainingError.badCapture(
                file: "data", reason: "masks of shape \(masks.shape) do not fit their images")
        }
        return Array(row.values.suffix(pixels))
    }
}
