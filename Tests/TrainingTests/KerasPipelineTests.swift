import Capture
import Datasets
import Foundation
import ResultStore
import TensorRuntime
import Testing

@testable import Training

/// Pipelines of TensorFlow (Tests/Fixtures/pipelines/keras) on the way that a generated one goes, with real TensorFlow in the sandbox.
@Suite("A pipeline of Keras", .serialized)
struct KerasPipelineTests {
    @Test(
        "is captured as the same graph, whose first losses on our runtime are those of TensorFlow, and is trained",
        .timeLimit(.minutes(5)),
        arguments: [
            Expected(
                name: "functional", optimizer: "Adam", scheduler: ["ReduceLROnPlateau", "metric:validation_loss"],
                loss: "BCE with logits + Dice", block: "(Conv-BN-ReLU)x2", upsampling: "transposed", best: nil),
            Expected(
                name: "subclassed", optimizer: "AdamW", scheduler: ["LambdaLR", "batch"],
                loss: "BCE with logits + Tversky", block: "Conv-GN-LeakyReLU-Conv-LN-LeakyReLU", upsampling: "bilinear",
                best: "validation_loss"),
        ])
    func captured(_ expected: Expected) async throws {
        let place = try DiscWorkspace(.grey, target: .tensorflow)
        try place.install("keras/\(expected.name)")
        let stage = try place.stageWithPython()
        let capture = try await stage.capture(place.run)
        #expect(capture.refusals == [])
        let found = try CaptureStage.description(in: place.directory.capture(seed: 0, epochs: nil))
        #expect(found.optimizer?.name == expected.optimizer)
        #expect(found.scheduler.map { [$0.name, $0.when] } == expected.scheduler)
        #expect(found.evaluatedWeights?.monitor == expected.best)
        #expect(found.batchSize == 8 && found.epochs == 3 && found.ownEpochs == 3)
        #expect(found.facts?.loss == expected.loss && found.facts?.splitMethod == "train_test_split")
        let facts = try #require(found.facts)
        #expect(facts.convBlock == expected.block && facts.upsampling == expected.upsampling)
        #expect(facts.encoderChannels == [8, 16] && facts.bottleneckChannels == 32)

        let parity = try await stage.parity(place.run)
        let differences = zip(parity.swiftLosses, parity.pytorchLosses).map { abs($0 - $1) }
        print("\(expected.name): first losses differ from TensorFlow's by", differences)
        #expect(parity.swiftLosses.count == 20)
        // Two float sums of the same terms; afterwards rounding grows from step to step.
        #expect(differences[0] <= 2e-6)
        #expect(differences.prefix(3).allSatisfy { $0 <= 1e-4 })
        #expect(parity.largestLossDifference <= 0.02)

        let training = try await stage.train(place.run, engine: .swift)
        #expect(training.status == .trained)
        let scores = try stage.evaluate(place.run, engine: .swift)
        #expect(scores.images.count == place.dataset.split.heldOut.count)
        await #expect(throws: TrainingError.self) { try await stage.train(place.run, engine: .pytorch) }
    }

    /// Each capture of a Keras pipeline is computed again by the runtime before it is believed.
    @Test("of many kinds of layers gives the same loss and the same prediction on our runtime", .timeLimit(.minutes(5)))
    func manyLayers() async throws {
        let place = try DiscWorkspace(.grey, target: .tensorflow)
        try place.install("keras/many-layers")
        let stage = try place.stageWithPython()
        let capture = try await stage.capture(place.run)
        #expect(capture.refusals == [])
        let folder = place.directory.capture(seed: 0, epochs: nil)
        let verification = try #require(try CaptureVerification(CapturedPipeline(folder: folder)))
        #expect(try verification.objection() == nil)
        // A weight that is another one is noticed.
        var other = verification
        let name = try #require(other.pipeline.train.parameters.map(\.name).first { $0.hasSuffix("kernel") })
        let kernel = try #require(other.pipeline.weights[name])
        other.pipeline.weights[name] = try Tensor(shape: kernel.shape, values: kernel.values.map { $0 * 1.01 })
        #expect(try other.objection()?.hasPrefix("the captured step gives another loss than the pipeline") == true)
    }

    @Test("with a loop of its own is refused in a line, and trained as it is", .timeLimit(.minutes(5)))
    func ownLoop() async throws {
        let place = try DiscWorkspace(.grey, target: .tensorflow)
        try place.install("keras/own-loop")
        let stage = try place.stageWithPython()
        let capture = try await stage.capture(place.run)
        #expect(capture.refusals == ["a training loop of the program's own: only that of fit is read"])
        let found = try CaptureStage.description(in: place.directory.capture(seed: 0, epochs: nil))
        #expect(found.stochasticData == false && found.facts?.splitSeed == 11)
        await #expect(throws: TrainingError.self) { try await stage.train(place.run, engine: .swift) }
        let training = try await stage.train(place.run, engine: .emitted)
        #expect(training.status == .trained)
        let scores = try stage.evaluate(place.run, engine: .emitted)
        #expect(scores.images.count == place.dataset.split.heldOut.count)
        #expect(scores.images.allSatisfy { (0...1).contains($0.dice) })
    }

    struct Expected: Sendable, CustomTestStringConvertible {
        var name: String
        var optimizer: String
        var scheduler: [String]
        var loss: String
        var block: String
        var upsampling: String
        var best: String?

        var testDescription: String { name }
    }
}
