import Foundation
import Metrics
import TensorRuntime

/// Measures an epoch on the validation part: the pipeline's own loss, and what is measured for every pipeline alike.
final class Validator {
    private let samples: SampleTensors
    private let batches: [[Int]]
    /// The loss, then the metrics that the loop watches.
    private let measures: [Measure]
    private let evaluation: Graph
    private let session: GraphSession
    private let options: RuntimeOptions

    /// A scalar of a batch of images and masks.
    private final class Measure {
        let graph: Graph
        let mean: TrainingLoop.Mean
        let monitor: String
        var compiled: [Int: CompiledGraph] = [:]

        init(_ graph: Graph, _ mean: TrainingLoop.Mean, monitor: String) {
            (self.graph, self.mean, self.monitor) = (graph.evaluatedLoss, mean, monitor)
        }
    }

    /// nil where the pipeline has no validation part.
    init?(_ pipeline: CapturedPipeline, session: GraphSession, options: RuntimeOptions) throws {
        guard let samples = pipeline.validation, samples.count > 0, samples.masks != nil else { return nil }
        self.samples = samples
        self.session = session
        self.options = options
        evaluation = pipeline.evaluation
        let metrics = zip(pipeline.loop.metrics ?? [], pipeline.metrics).map {
            Measure($1, $0.mean, monitor: $0.monitor)
        }
        measures =
            [Measure(pipeline.train, pipeline.loop.lossMean ?? .batches, monitor: "validation_loss")] + metrics
        batches = BatchOrder(
            samples: samples.count, batchSize: pipeline.loop.validationBatchSize ?? pipeline.loop.batchSize ?? 1,
            dropLast: false, shuffle: false, seed: 0
        ).batches(epoch: 1)
    }

    /// The sizes of the batches.
    var batchSizes: [Int] { Set(batches.map(\.count)).sorted() }

    /// Bytes that the graphs of loss and metrics take, those of the session not counted.
    func memory() throws -> Int {
        try measures.reduce(0) { sum, measure in
            try batchSizes.reduce(sum) {
                let graph = try MemoryRequirement(
                    of: measure.graph, batch: $1, parameters: session.parameters, options: options)
                return $0 + graph.graph
            }
        }
    }

    func measure(_ result: inout EpochResult) throws {
        var sums = [Double](repeating: 0, count: measures.count)
        var probabilities: [Tensor] = []
        for indices in batches {
            let (images, masks) = try samples.batch(indices)
            for (index, measure) in measures.enumerated() {
                let inputs = try CapturedPipeline.inputs(of: measure.graph, images: images, masks: masks)
                let value = try graph(of: measure, batch: indices.count).evaluate(inputs).values.first ?? .nan
                sums[index] += Double(value) * measure.mean.weight(indices)
            }
            probabilities.append(
                try session.predict(CapturedPipeline.inputs(of: evaluation, images: images, masks: nil)))
        }
        for (sum, measure) in zip(sums, measures) {
            let mean = sum / batches.reduce(0) { $0 + measure.mean.weight($1) }
            if measure.monitor == "validation_loss" {
                result.validationLoss = mean
            } else {
                result.metrics = (result.metrics ?? [:]).merging([measure.monitor: mean]) { _, new in new }
            }
        }
        try ValidationScores(probabilities: probabilities, samples: samples, threshold: evaluation.threshold)
            .write(to: &result)
    }

    private func graph(of measure: Measure, batch: Int) throws -> CompiledGraph {
        if let known = measure.compiled[batch] { return known }
        let made = try CompiledGraph(
            graph: measure.graph, batch: batch, parameters: session.parameters, options: options)
        measure.compiled[batch] = made
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
