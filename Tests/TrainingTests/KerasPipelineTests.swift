import Capture
import Datasets
import Foundation
import ResultStore
import Synchronization
import TensorRuntime
import Testing

@testable import Training

/// Pipelines of TensorFlow (Tests/Fixtures/pipelines/keras) on the way that a generated one goes, with real TensorFlow in the sandbox.
@Suite("A pipeline of Keras", .serialized)
struct KerasPipelineTests {
    /// Fixtures as they are, captured once each for the tests that read them; these follow one another.
    private static let places = Mutex<[String: DiscWorkspace]>([:])

    private static func place(_ fixture: String) async throws -> DiscWorkspace {
        if let known = places.withLock({ $0[fixture] }) { return known }
        let place = try DiscWorkspace(.grey, target: .tensorflow)
        place.folder.removeAtExit()
        try place.install("keras/\(fixture)")
        _ = try await place.stageWithPython().capture(place.run)
        places.withLock { $0[fixture] = place }
        return place
    }

    @Test(
        "is captured, trains on our runtime as near to TensorFlow as TensorFlow's own kernels are to each other, and is scored",
        .timeLimit(.minutes(40)),
        arguments: [
            Expected(
                name: "functional", optimizer: "Adam", scheduler: ["ReduceLROnPlateau", "metric:validation_loss"],
                loss: "BCE with logits + Dice", block: "(Conv-BN-ReLU)x2", upsampling: "transposed", best: nil),
            // Depthwise and separable convolutions, Nadam, clipnorm, metrics that callbacks watch.
            Expected(
                name: "watched-dice", optimizer: "NAdam",
                scheduler: ["ReduceLROnPlateau", "metric:validation_metric_2"], loss: "BCE with logits + Dice",
                block: "Conv-BN-ReLU-Conv-Conv-BN-ReLU", upsampling: "bilinear", best: "validation_metric_1",
                metrics: ["val_dice_coefficient by batches", "val_iou by samples"], clip: "norm_each"),
            // A train_step and a test_step of the program's own.
            Expected(
                name: "train-step", optimizer: "SGD", scheduler: nil, loss: "BCE with logits + Dice",
                block: "(Conv-BN-ReLU)x2", upsampling: "transposed", best: "validation_metric_1",
                metrics: ["val_loss by batches"]),
            Expected(
                name: "subclassed", optimizer: "AdamW", scheduler: ["LambdaLR", "batch"],
                loss: "BCE with logits + Tversky", block: "Conv-GN-LeakyReLU-Conv-LN-LeakyReLU", upsampling: "bilinear",
                best: "validation_loss", clip: "norm"),
        ])
    func captured(_ expected: Expected) async throws {
        let place = try await Self.place(expected.name)
        let stage = try place.stageWithPython()
        #expect(try place.store.captures(run: place.run.storedID).map(\.refusals) == [[]])
        let found = try CaptureStage.description(in: place.directory.capture(seed: 0, epochs: nil))
        #expect(found.optimizer?.name == expected.optimizer)
        #expect(found.scheduler.map { [$0.name, $0.when] } == expected.scheduler)
        #expect(found.evaluatedWeights?.monitor == expected.best)
        #expect((found.metrics ?? []).map { "\($0.name) by \($0.mean)" } == expected.metrics)
        #expect(found.gradientClip?.kind == expected.clip)
        #expect(found.batchSize == 8 && found.epochs == 3 && found.ownEpochs == 3)
        #expect(found.facts?.loss == expected.loss && found.facts?.splitMethod == "train_test_split")
        let facts = try #require(found.facts)
        #expect(facts.convBlock == expected.block && facts.upsampling == expected.upsampling)
        #expect(facts.encoderChannels == [8, 16] && facts.bottleneckChannels == 32)

        try await agrees(expected, place, stage)

        let training = try await stage.train(place.run, engine: .swift)
        #expect(training.status == .trained)
        let scores = try stage.evaluate(place.run, engine: .swift)
        #expect(scores.images.count == place.dataset.split.heldOut.count)
        await #expect(throws: TrainingError.self) { try await stage.train(place.run, engine: .pytorch) }
    }

    /// 50 steps beside TensorFlow, which takes them by its default kernels, without oneDNN and compiled by XLA.
    private func agrees(_ expected: Expected, _ place: DiscWorkspace, _ stage: TrainingStage) async throws {
        let pipeline = try CapturedPipeline(folder: place.directory.capture(seed: 0, epochs: nil))
        let folder = place.folder.url.appending(path: "agreement", directoryHint: .isDirectory)
        try DurableFile.makeFolder(folder)
        let data = try place.dataset.stageTraining(to: folder.appending(path: "data", directoryHint: .isDirectory))
        let engine = KerasEngine(helper: try stage.requireHelper(of: place.run))
        let agreement = try await EngineAgreement.measure(pipeline, seed: 0, threads: 2, folder: folder) {
            try await engine.reference(
                pipeline, code: place.directory.final, data: data.folder, steps: 50, seed: 0, folder: folder)
        }
        print(
            "\(expected.name): forward \(agreement.forwardError), gradient \(agreement.gradient) at "
                + "\(agreement.worstGradient ?? "none"), loss \(agreement.loss), output \(agreement.output)")
        print(
            "\(expected.name): loss \(agreement.loss.ratioToWays) and output \(agreement.output.ratioToWays) times what "
                + "TensorFlow's own ways of computing differ by")
        #expect(agreement.steps == 50 && Set(agreement.loss.ways.keys) == ["eigen", "xla"])
        #expect(agreement.isStepExact, "\(agreement)")
        // One training says little, since rounding grows exponentially: as for PyTorch (StyledPipelineTests) thirtyfold is the bound of a
        // single one, and threefold that of the mean.
        #expect(agreement.loss.ratio <= 30 && agreement.output.ratio <= 30, "\(agreement)")
        let ratios = Ratios.keras.adding(expected.name, agreement)
        guard ratios.count == 4 else { return }
        for (what, values) in [("loss", ratios.map(\.loss)), ("output", ratios.map(\.output))] {
            let mean = exp(values.map { log(max($0, 1e-3)) }.reduce(0, +) / Double(values.count))
            print("\(what): \(mean) times TensorFlow's own difference over \(values.count) pipelines")
            #expect(mean <= 3, "\(what)")
        }
    }

    @Test("is held against TensorFlow for a stage, which keeps what it measured", .timeLimit(.minutes(40)))
    func parity() async throws {
        let place = try await Self.place("functional")
        let stage = try place.stageWithPython()
        let parity = try await stage.parity(place.run)
        #expect(parity.swiftLosses.count == 20)
        let differences = zip(parity.swiftLosses, parity.pytorchLosses).map { abs($0 - $1) }
        // Two float sums of the same terms.
        #expect(differences[0] <= 2e-6)
        #expect(try place.store.parities(run: place.run.storedID).map(\.swiftLosses) == [parity.swiftLosses])
    }

    @Test(
        "whose loop cannot be read says so in a line; a callback that watches nothing is passed over",
        .timeLimit(.minutes(40)),
        arguments: [
            Changed(
                file: "train.py", text: "monitor=\"val_loss\"", by: "monitor=\"val_iou\"",
                note: "EarlyStopping watches val_iou, which fit does not measure: it never acts"),
            Changed(
                file: "model.py", text: "self.dice_tracker = keras.metrics.Mean(name=\"dice\")",
                by: "self.dice_tracker = keras.metrics.Sum(name=\"dice\")",
                and: ("train.py", "monitor=\"val_loss\"", "monitor=\"val_dice\""),
                refusals: ["a callback that watches val_dice, which is not a mean of a value a batch or an item"]),
        ])
    func loops(_ changed: Changed) async throws {
        let place = try DiscWorkspace(.grey, target: .tensorflow)
        try place.install("keras/train-step") { file, text in
            var text = file == changed.file ? text.replacingOccurrences(of: changed.text, with: changed.by) : text
            if let (other, before, after) = changed.and, other == file {
                text = text.replacingOccurrences(of: before, with: after)
            }
            return text
        }
        let stage = try place.stageWithPython()
        let capture = try await stage.capture(place.run)
        #expect(capture.refusals == changed.refusals)
        let found = try CaptureStage.description(in: place.directory.capture(seed: 0, epochs: nil))
        if let note = changed.note {
            #expect(found.notes?.contains(note) == true)
            #expect(found.earlyStopping == nil && found.evaluatedWeights?.kind == "last")
        }
    }

    struct Changed: Sendable, CustomTestStringConvertible {
        var file: String
        var text: String
        var by: String
        var and: (String, String, String)?
        var refusals: [String] = []
        var note: String?

        var testDescription: String { note ?? refusals.first ?? by }
    }

    /// Each capture of a Keras pipeline is computed again by the runtime before it is believed.
    @Test(
        "of many kinds of layers gives the same loss and the same prediction on our runtime", .timeLimit(.minutes(40)))
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

    @Test("whose metrics are not what the pipeline measured is noticed", .timeLimit(.minutes(40)))
    func otherMetrics() async throws {
        let place = try await Self.place("watched-dice")
        var pipeline = try CapturedPipeline(folder: place.directory.capture(seed: 0, epochs: nil))
        #expect(try CaptureVerification(pipeline)?.objection() == nil)
        pipeline.metrics.reverse()
        let objection = try CaptureVerification(pipeline)?.objection()
        #expect(objection?.hasPrefix("the captured metric val_dice_coefficient differs from the pipeline's by") == true)
    }

    @Test(
        "with a plain loop around a gradient tape is captured, its clipping too, and trained", .timeLimit(.minutes(40)))
    func ownLoop() async throws {
        let place = try DiscWorkspace(.grey, target: .tensorflow)
        try place.install("keras/own-loop") { _, text in
            text.replacingOccurrences(
                of: "        optimizer.apply_gradients",
                with: "        gradients, _ = tf.clip_by_global_norm(gradients, 1.0)\n        optimizer.apply_gradients"
            )
        }
        let stage = try place.stageWithPython()
        let capture = try await stage.capture(place.run)
        #expect(capture.refusals == [])
        let found = try CaptureStage.description(in: place.directory.capture(seed: 0, epochs: nil))
        #expect(found.optimizer?.name == "SGD" && found.optimizer?.groups.first?.momentum == 0.9)
        #expect(found.gradientClip == .init(kind: "norm", max: 1, normType: 2))
        #expect(found.epochs == 3 && found.earlyStopping == nil && found.evaluatedWeights?.kind == "last")
        #expect(found.shuffle == true && found.batchSize == 8)
        let training = try await stage.train(place.run, engine: .swift)
        #expect(training.status == .trained)
        let scores = try stage.evaluate(place.run, engine: .swift)
        #expect(scores.images.count == place.dataset.split.heldOut.count)
    }

    @Test("with a loop that sets its rate is refused in a line, and trained as it is", .timeLimit(.minutes(40)))
    func refusedLoop() async throws {
        let place = try DiscWorkspace(.grey, target: .tensorflow)
        try place.install("keras/own-loop") {
            $1.replacingOccurrences(
                of: "    for _ in range(epochs):\n",
                with:
                    "    for epoch in range(epochs):\n        optimizer.learning_rate.assign(learning_rate * 0.9**epoch)\n"
            )
        }
        let stage = try place.stageWithPython()
        let capture = try await stage.capture(place.run)
        #expect(capture.refusals == [Self.own + "changes the learning rate"])
        let found = try CaptureStage.description(in: place.directory.capture(seed: 0, epochs: nil))
        #expect(found.stochasticData == false && found.facts?.splitSeed == 11)
        await #expect(throws: TrainingError.self) { try await stage.train(place.run, engine: .swift) }
        let training = try await stage.train(place.run, engine: .emitted)
        #expect(training.status == .trained)
        let scores = try stage.evaluate(place.run, engine: .emitted)
        #expect(scores.images.count == place.dataset.split.heldOut.count)
        #expect(scores.images.allSatisfy { (0...1).contains($0.dice) })
    }

    /// What a capture says of a fixture's program after these changes.
    private func refusals(
        _ fixture: String, _ changes: [(file: String, text: String, other: String)]
    ) async throws -> [String] {
        let place = try DiscWorkspace(.grey, target: .tensorflow)
        var made = 0
        try place.install("keras/\(fixture)") { file, text in
            changes.filter { $0.file == file }.reduce(text) { text, change in
                made += text.contains(change.text) ? 1 : 0
                return text.replacingOccurrences(of: change.text, with: change.other)
            }
        }
        try #require(made == changes.count, "the fixture is another one than these changes are for")
        let refusals = try await place.stageWithPython().capture(place.run).refusals
        await #expect(throws: TrainingError.self) {
            try await place.stageWithPython().train(place.run, engine: .swift)
        }
        return refusals
    }

    private static let own = "a training loop of the program's own that "
    private static let begin = "    train_losses, val_losses, rows = [], [], []\n"
    private static let end = "    return train_losses, val_losses, rows"

    @Test(
        "that constrains its weights, trains some, restores a checkpoint or changes its images is refused, each in a line",
        .timeLimit(.minutes(40)))
    func constrained() async throws {
        let found = try await refusals(
            "own-loop",
            [
                (
                    "model.py", "padding=\"same\", use_bias=False)",
                    "padding=\"same\", use_bias=False, kernel_constraint=keras.constraints.MaxNorm(2.0))"
                ),
                (
                    "train.py", "optimizer.apply_gradients(zip(gradients, model.trainable_variables))",
                    "optimizer.apply_gradients(list(zip(gradients, model.trainable_variables))[2:])"
                ),
                (
                    "train.py", Self.begin,
                    Self.begin
                        + "    checkpoint = tf.train.Checkpoint(model=model)\n    kept = checkpoint.save(\"/tmp/kept\")\n"
                ),
                ("train.py", Self.end, "    checkpoint.restore(kept)\n" + Self.end),
                ("train.py", "model(images, training=True)", "model(images / 2, training=True)"),
            ])
        #expect(
            found == [
                "images that are changed between the loader and the model", "weights with a constraint",
                Self.own + "trains some of the weights alone",
                Self.own + "loads or sets weights",
            ])
    }

    @Test(
        "that sets its weights or rate itself, or leaves its loop, is refused even where nothing comes of it in so few steps",
        .timeLimit(.minutes(40)))
    func setByHand() async throws {
        // Weights within their bounds, a rate that would be lowered after a hundred steps by an object that the loop tells.
        let found = try await refusals(
            "own-loop",
            [
                (
                    "train.py", "        return loss\n\n    train_losses",
                    "        for weight in model.trainable_variables:\n"
                        + "            weight.assign(tf.clip_by_value(weight, -9.0, 9.0))\n        return loss\n\n    train_losses"
                ),
                (
                    "train.py", "def train(model",
                    "class Decay:\n    def __init__(self, optimizer):\n        self.optimizer, self.count = optimizer, 0\n\n"
                        + "    def step(self):\n        self.count += 1\n        if self.count == 100:\n"
                        + "            self.optimizer.learning_rate = 1e-4\n\n\ndef train(model"
                ),
                ("train.py", Self.begin, Self.begin + "    decay = Decay(optimizer)\n"),
                ("train.py", "        train_losses.append(", "        decay.step()\n        train_losses.append("),
                (
                    "train.py", "        rows.append(dice_scores(model, val_data, threshold))\n",
                    "        rows.append(dice_scores(model, val_data, threshold))\n"
                        + "        if val_losses[-1] > min(val_losses[:-1], default=9) - 1e-4:\n            break\n"
                ),
            ])
        // No step is taken, so that nothing improves and the loop ends.
        #expect(
            Set(found)
                == Set(
                    [
                        "changes weights by other ways than its optimizer", "changes the learning rate",
                        "may leave its loop or pass a batch over", "may end before its last epoch",
                    ].map { Self.own + $0 }))
    }

    @Test(
        "that keeps an average of its weights by hand is refused, though no weight has moved", .timeLimit(.minutes(40)))
    func averaged() async throws {
        let found = try await refusals(
            "own-loop",
            [
                (
                    "train.py", Self.begin,
                    Self.begin + "    average = [tf.Variable(v) for v in model.trainable_variables]\n"
                ),
                (
                    "train.py", "        rows.append",
                    "        for a, v in zip(average, model.trainable_variables):\n            a.assign(0.5 * a + 0.5 * v)\n        rows.append"
                ),
                (
                    "train.py", Self.end,
                    "    twin = keras.models.clone_model(model)\n    for a, v in zip(twin.trainable_variables, average):\n"
                        + "        a.assign(v)\n" + Self.end + ", twin"
                ),
                (
                    "main.py", "train_losses, val_losses, val_dice = train(",
                    "train_losses, val_losses, val_dice, model = train("
                ),
            ])
        #expect(found == ["another model is evaluated than the one that is trained"])
    }

    @Test(
        "whose train_step sets weights or rate, or changes images or gradients, is refused, each in a line",
        .timeLimit(.minutes(40)))
    func setInTrainStep() async throws {
        let after =
            "        self.dice_tracker.update_state(dice)\n        return {m.name: m.result() for m in self.metrics}\n\n    def test_step"
        let found = try await refusals(
            "train-step",
            [
                (
                    "model.py", after,
                    "        for weight in self.trainable_variables:\n            weight.assign(tf.clip_by_value(weight, -9.0, 9.0))\n"
                        + "        self.slow_down()\n"
                        + after.replacingOccurrences(
                            of: "    def test_step",
                            with: "    def slow_down(self):\n        self.seen = getattr(self, \"seen\", 0) + 1\n"
                                + "        if self.seen == 100:\n            self.optimizer.learning_rate.assign(1e-4)\n\n    def test_step"
                        )
                ), ("model.py", "self(images, training=True)", "self(images / 2, training=True)"),
                (
                    "model.py", "self.optimizer.apply_gradients(zip(gradients,",
                    "self.optimizer.apply_gradients(zip([tf.clip_by_norm(g, 1.0) for g in gradients],"
                ),
            ])
        #expect(
            found == [
                "images that are changed between the loader and the model",
                "a train_step of the program's own that changes its gradients",
                "a training that changes weights by other ways than its optimizer",
                "a train_step of the program's own that changes the learning rate",
            ])
    }

    struct Expected: Sendable, CustomTestStringConvertible {
        var name: String
        var optimizer: String
        var scheduler: [String]?
        var loss: String
        var block: String
        var upsampling: String
        var best: String?
        var metrics: [String] = []
        var clip: String?

        var testDescription: String { name }
    }
}
