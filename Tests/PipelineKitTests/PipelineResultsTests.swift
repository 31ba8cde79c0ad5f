import Datasets
import Diagnosis
import Foundation
import TensorRuntime
import Testing

@testable import PipelineKit

/// One convolution as a whole pipeline, its results written where the contract looks for them.
private struct SmallPipeline {
    let folder: PairFolder
    let out: URL
    let model = Conv2d(1, 1, kernel: 1)
    let arguments: PipelineArguments
    let samples: Samples
    let split: Split

    init(isHeldOut: Bool = true) throws {
        folder = try PairFolder(names: (0..<20).map { "sample-\($0 + 10)" })
        out = folder.url.appending(path: "out")
        var environment = ["LLMBENCH_RECORD": out.appending(path: ".llmbench").path]
        if isHeldOut { environment["LLMBENCH_HELDOUT"] = folder.url.path }
        arguments = try PipelineArguments(
            defaultEpochs: 9, words: ["--data", folder.url.path, "--out", out.path, "--epochs", "2"],
            environment: environment)
        samples = try ImagePairs(folder: arguments.data).load(height: 8, width: 8)
        split = try Split(count: samples.count, seed: 5, harness: arguments.harness)
    }

    static let configuration = PipelineConfiguration(
        encoderChannels: [], decoderChannels: [], bottleneckChannels: nil, convBlock: "conv1x1", normalization: "none",
        upsampling: "none", skip: "none", finalLayer: "conv1x1", outputActivation: "none", loss: "none",
        optimizer: "none", learningRate: 1e-3)

    func run(
        configuration: PipelineConfiguration = Self.configuration, threshold: Float = 0.5,
        predict: ((Tensor) throws -> Tensor)? = nil
    ) throws {
        let results = PipelineResults(arguments)
        try results.record(trainingLoss: 0.5, validationLoss: 0.75, validationDice: [0.25])
        try results.record(trainingLoss: 0.25, validationLoss: 0.5, validationDice: [0.5])
        try results.finish(
            model: model, samples: samples, split: split, batchSize: 2, threshold: threshold,
            configuration: configuration
        ) { images in try predict?(images) ?? withoutGradients { try model(Variable(images)).sigmoid().value } }
    }

    func breaches() -> [ContractBreach] {
        let seen = ContractObservation.read(in: out) ?? ContractObservation()
        return ContractCheck(ContractExpectation(epochs: 2, pairs: 20, observation: seen, target: .swift))
            .breaches(in: out)
    }
}

@Suite("The results of a pipeline")
struct PipelineResultsTests {
    @Test("keep the contract, and hand over what was predicted of further images")
    func contract() throws {
        let pipeline = try SmallPipeline()
        defer { pipeline.folder.remove() }
        try pipeline.run()
        #expect(pipeline.breaches() == [])
        let losses = try Workbook(reading: "val_losses.xlsx", below: pipeline.out)
        #expect(losses.rows == [[.number(1), .number(2)], [.number(0.75), .number(0.5)]])
        let test = try Workbook(reading: "test_dice_scores.xlsx", below: pipeline.out)
        #expect(test.rows.count == 1 && test.rows[0].count == 1)
        let weights = try SafeTensors(contentsOf: pipeline.out.appending(path: "model.safetensors"))
        #expect(Set(weights.entries.keys) == ["weight", "bias"])
        let handed = try SafeTensors(contentsOf: pipeline.out.appending(path: ".llmbench/predictions.safetensors"))
        #expect(try handed.tensor("probability").shape == [20, 1, 8, 8])
        #expect(handed.metadata["threshold"] == "0.5" && handed.metadata["batch_size"] == "2")
        let images = try SafeTensors(contentsOf: pipeline.out.appending(path: ".llmbench/heldout.safetensors"))
        #expect(try images.tensor("images") == pipeline.samples.images)
        let names = try JSONDecoder().decode([String].self, from: Data((images.metadata["ids"] ?? "").utf8))
        #expect(names == pipeline.samples.names)
    }

    @Test("without a harness nothing but the pipeline's own files is left")
    func alone() throws {
        let pipeline = try SmallPipeline(isHeldOut: false)
        defer { pipeline.folder.remove() }
        try pipeline.run()
        let record = try FileManager.default.contentsOfDirectory(
            atPath: pipeline.out.appending(path: ".llmbench").path)
        #expect(record.sorted() == ["observation.json", "progress.json"])
    }

    @Test("config.json states what was chosen and what was done")
    func configuration() throws {
        let pipeline = try SmallPipeline()
        defer { pipeline.folder.remove() }
        try pipeline.run(threshold: 0.3)
        let data = try Data(contentsOf: pipeline.out.appending(path: "config.json"))
        let object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        #expect(object["input_size"] as? [Int] == [8, 8] && object["trainable_parameters"] as? Int == 2)
        #expect(object["bottleneck_channels"] is NSNull && object["scheduler"] is NSNull)
        #expect(object["epochs"] as? Int == 2 && object["seed"] as? Int == 5 && object["threshold"] as? Double == 0.3)
    }

    @Test("a prediction of another shape or outside [0, 1], and numbers that are none, are refused")
    func refusals() throws {
        let pipeline = try SmallPipeline()
        defer { pipeline.folder.remove() }
        #expect(
            throws: PipelineError.invalid(
                "predict turned images of shape [2, 1, 8, 8] into shape [2, 1, 4, 16], not [2, 1, 8, 8]")
        ) { try pipeline.run { try $0.reshaped([2, 1, 4, 16]) } }
        #expect(throws: PipelineError.invalid("predict gave the probability -1.0, which is outside [0, 1]")) {
            try pipeline.run { try Tensor(shape: $0.shape, repeating: -1) }
        }
        #expect(throws: PipelineError.invalid("the threshold is 2.0: it is a probability, 0 to 1")) {
            try pipeline.run(threshold: 2)
        }
        var configuration = SmallPipeline.configuration
        configuration.learningRate = .infinity
        #expect(throws: PipelineError.invalid("the learning rate is inf, which is no finite number")) {
            try pipeline.run(configuration: configuration)
        }
    }

    @Test("a loss that is no number is written as a word, which the contract finds")
    func notFinite() throws {
        let pipeline = try SmallPipeline()
        defer { pipeline.folder.remove() }
        try pipeline.run()
        try Sheets.write([[1, 2], [0.5, .nan]], to: pipeline.out.appending(path: "train_losses.xlsx"))
        #expect(pipeline.breaches() == [.lossNotFinite("train_losses.xlsx", epoch: 2, value: "nan")])
    }
}
