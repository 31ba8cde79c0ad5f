import Foundation
import ResultStore
import TensorRuntime
import Testing

@testable import Capture

/// What a pipeline of the fixtures is known to do.
struct Expected: Sendable, CustomTestStringConvertible {
    var pipeline: String
    var optimizer: String
    var scheduler: (name: String, when: String)?
    var clip: PipelineDescription.GradientClip?
    var accumulation = 1
    var weights: PipelineDescription.EvaluatedWeights
    var patience: Int?
    var batch: Int
    var dropLast = false
    var loss: String
    var upsampling: String
    var skip: String
    var normalization: String
    var encoder: [Int]
    var testDescription: String { pipeline }

    static let last = PipelineDescription.EvaluatedWeights(kind: "last")
    static let bestLoss = PipelineDescription.EvaluatedWeights(kind: "best", monitor: "validation_loss", mode: "min")
    static let bestDice = PipelineDescription.EvaluatedWeights(kind: "best", monitor: "validation_dice", mode: "max")

    static let all = [
        Expected(
            pipeline: "transposed-logits", optimizer: "Adam", weights: last, batch: 8, loss: "BCE with logits",
            upsampling: "transposed", skip: "concatenate", normalization: "batch", encoder: [8, 16, 32]),
        Expected(
            pipeline: "bilinear-pad-plateau", optimizer: "Adam",
            scheduler: ("ReduceLROnPlateau", "metric:validation_loss"), weights: bestLoss, batch: 4, dropLast: true,
            loss: "BCE", upsampling: "bilinear", skip: "concatenate, padded", normalization: "batch",
            encoder: [8, 16, 32]),
        Expected(
            pipeline: "cropped-dice-clip", optimizer: "SGD", scheduler: ("StepLR", "epoch"),
            clip: .init(kind: "norm", max: 1, normType: 2), weights: bestDice, patience: 6, batch: 6,
            loss: "BCE + Dice", upsampling: "transposed", skip: "concatenate, cropped", normalization: "none",
            encoder: [8, 16]),
        Expected(
            pipeline: "two-class-cycle", optimizer: "AdamW", scheduler: ("OneCycleLR", "batch"), weights: last,
            batch: 8,
            loss: "cross-entropy", upsampling: "nearest + bilinear", skip: "concatenate", normalization: "instance",
            encoder: [8, 16]),
        Expected(
            pipeline: "attention-accumulate", optimizer: "RMSprop", scheduler: ("CosineAnnealingLR", "epoch"),
            clip: .init(kind: "value", max: 0.5), accumulation: 2, weights: bestLoss, batch: 5,
            loss: "BCE with logits", upsampling: "transposed", skip: "concatenate", normalization: "group",
            encoder: [8, 16]),
    ]
}

@Suite("A capture", .serialized)
struct CaptureStageTests {
    @Test("reads graph, loop, data and facts off a running pipeline", arguments: Expected.all)
    func readsPipeline(expected: Expected) async throws {
        let fixture = try CaptureFixture()
        let dataset = try fixture.dataset()
        let result = try await fixture.stage().capture(run: try fixture.run(expected.pipeline), dataset: dataset)
        let found = result.description
        #expect(found.refusals == [])
        #expect(found.capturable)
        #expect(found.stochasticData == false)
        #expect(found.optimizer?.name == expected.optimizer)
        #expect(found.scheduler?.name == expected.scheduler?.name)
        #expect(found.scheduler?.when == expected.scheduler?.when)
        #expect(found.gradientClip == expected.clip)
        #expect(found.accumulation == expected.accumulation)
        #expect(found.evaluatedWeights == expected.weights)
        #expect(found.earlyStopping?.patience == expected.patience)
        #expect(found.batchSize == expected.batch)
        #expect(found.dropLast == expected.dropLast)
        #expect(found.shuffle == true)
        let parts = [found.split?.train, found.split?.validation, found.split?.test].map { $0?.count ?? 0 }
        #expect(parts == [32, 4, 4])

        // The graph, interpreted anew, gives the recorded loss and probabilities at both batch sizes.
        #expect(try #require(found.checks?.trainLossRelativeDifference) < 1e-6)
        #expect(try #require(found.checks?.probabilityLargestDifference) < 1e-6)

        let facts = try #require(found.facts)
        #expect(facts.loss == expected.loss)
        #expect(facts.upsampling == expected.upsampling)
        #expect(facts.skip == expected.skip)
        #expect(facts.normalization == expected.normalization)
        #expect(facts.encoderChannels == expected.encoder)
        try checkFiles(result, heldOut: Set(dataset.split.heldOut))
    }

    /// Everything that training needs is there, and our runtime can read and compile it.
    private func checkFiles(_ result: CaptureStage.Result, heldOut: Set<String>) throws {
        let folder = result.folder
        let heldOutFile = try SafeTensors(contentsOf: folder.appending(path: "data/heldout.safetensors"))
        let ids = try JSONDecoder().decode([String].self, from: Data((heldOutFile.metadata["ids"] ?? "").utf8))
        #expect(Set(ids) == heldOut)
        #expect(heldOutFile.entries["masks"] == nil)
        let train = try Graph(contentsOf: folder.appending(path: "train-graph.json"))
        let evaluation = try Graph(contentsOf: folder.appending(path: "eval-graph.json"))
        let weights = try SafeTensors(contentsOf: folder.appending(path: "weights.safetensors")).tensors()
        let session = try GraphSession(train: train, evaluation: evaluation, tensors: weights)
        let images = try heldOutFile.tensor("images")
        let scale = heldOutFile.metadata["images.scale"].flatMap(Double.init) ?? 1
        let scaled = try Tensor(shape: images.shape, values: images.values.map { Float(Double($0) * scale) })
        let probability = try session.predict(["image": scaled])
        #expect(probability.shape == [images.shape[0], 1, images.shape[2], images.shape[3]])
        #expect(probability.values.allSatisfy { $0 >= 0 && $0 <= 1 })
    }

    @Test("of data that differ from reading to reading says so")
    func noticesStochasticData() async throws {
        let fixture = try CaptureFixture()
        let result = try await fixture.stage().capture(
            run: try fixture.run("augmented"), dataset: try fixture.dataset())
        #expect(result.description.stochasticData == true)
    }

    @Test("refuses an operation outside the format by its name and source line")
    func refusesOperation() async throws {
        let fixture = try CaptureFixture()
        let run = try fixture.run("transposed-logits") { file, text in
            file == "model.py"
                ? text.replacingOccurrences(of: "return self.final(x)", with: "return self.final(torch.erf(x))") : text
        }
        let found = try await fixture.stage().capture(run: run, dataset: try fixture.dataset()).description
        #expect(!found.capturable)
        #expect(found.refusals.contains { $0.contains("aten.erf.default") && $0.contains("model.py:45") })
        #expect(found.split?.train?.count == 32, "the data are read all the same")
    }

    @Test("refuses control flow that depends on the data")
    func refusesDataDependence() async throws {
        let fixture = try CaptureFixture()
        let run = try fixture.run("transposed-logits") { file, text in
            file == "train.py"
                ? text.replacingOccurrences(
                    of: "loss = criterion(model(images), masks)",
                    with: "loss = criterion(model(images), masks) * (1.0 + float(images.mean()))") : text
        }
        let found = try await fixture.stage().capture(run: run, dataset: try fixture.dataset()).description
        #expect(!found.capturable)
        #expect(found.refusals.contains { $0.contains("in one step and") })
    }

    @Test("of a program that fails is a refusal with the exit code")
    func reportsFailure() async throws {
        let fixture = try CaptureFixture()
        let run = try fixture.run("transposed-logits") { file, text in
            file == "main.py" ? text + "\nraise SystemExit(7)\n" : "import nothing_of_this_name\n" + text
        }
        let found = try await fixture.stage().capture(run: run, dataset: try fixture.dataset()).description
        #expect(!found.capturable)
        #expect(found.refusals == ["main.py ended with exit code 1 while it was captured"])
    }
}
