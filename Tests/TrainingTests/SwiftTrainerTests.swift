import Foundation
import Synchronization
import TensorRuntime
import Testing

@testable import Training

@Suite("Training a captured pipeline on the runtime")
struct SwiftTrainerTests {
    private func outcome(
        _ folder: TemporaryFolder, _ name: String = "t", epochs: Int? = nil, seed: Int = 0,
        change: (inout SyntheticCapture) -> Void = { _ in }
    ) throws -> TrainingOutcome {
        var capture = SyntheticCapture(in: folder.url.appending(path: "capture-\(name)"))
        change(&capture)
        return try SwiftTrainer(
            capture.read(), options: .test(epochs: epochs, seed: seed), folder: folder.url.appending(path: name)
        ).train()
    }

    @Test("learns: loss and common cross-entropy fall, Dice rises")
    func learns() throws {
        let outcome = try outcome(TemporaryFolder(), epochs: 25)
        let (first, last) = (try #require(outcome.history.first), try #require(outcome.history.last))
        #expect(outcome.history.map(\.epoch) == Array(1...25))
        #expect(last.trainLoss < 0.3 * first.trainLoss)
        #expect(try #require(last.validationLoss) < 0.5 * (try #require(first.validationLoss)))
        #expect(try #require(last.commonBCE) < 0.5 * (try #require(first.commonBCE)))
        #expect(try #require(last.commonSoftDice) > 0.7)
        #expect(try #require(last.meanValidationDice) > 0.7)
        // Seven validation samples in batches of four.
        #expect(last.validationDice.count == 2)
    }

    @Test("measures the pipeline's own loss in evaluation mode: it equals the common one where the loss is the same")
    func evaluationLoss() throws {
        let outcome = try outcome(TemporaryFolder(), epochs: 3) { $0.pipeline["validation_batch_size"] = 7 }
        for epoch in outcome.history {
            let (own, common) = (try #require(epoch.validationLoss), try #require(epoch.commonBCE))
            // Clamped at 1e-7 one way, computed from logits the other.
            #expect(abs(own - common) < 1e-4 * max(1, common), "\(own) \(common)")
        }
    }

    @Test("gives the same bits for the same seed and others for another")
    func deterministic() throws {
        let folder = try TemporaryFolder()
        let (a, b) = (try outcome(folder, "a", epochs: 3), try outcome(folder, "b", epochs: 3))
        #expect(a.weights.mapValues(\.values) == b.weights.mapValues(\.values))
        #expect(a.history.map(\.trainLoss) == b.history.map(\.trainLoss))
        let c = try outcome(folder, "c", epochs: 3, seed: 1)
        #expect(a.history.map(\.trainLoss) != c.history.map(\.trainLoss))
    }

    @Test("killed in the middle of an epoch goes on to the same bits as one that was not", .timeLimit(.minutes(40)))
    func killed() async throws {
        let folder = try TemporaryFolder()
        let pipeline: [String: any Sendable] = [
            "scheduler": ["name": "StepLR", "step_size": 2, "gamma": 0.5, "when": "epoch"] as [String: any Sendable],
            "evaluated_weights": ["kind": "best", "monitor": "validation_loss", "mode": "min"],
        ]
        let whole = try outcome(folder, "whole", epochs: 6) { $0.pipeline = pipeline }
        var capture = SyntheticCapture(in: folder.url.appending(path: "capture"))
        capture.pipeline = pipeline
        try capture.write()
        let path = folder.url.path
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
            let folder = URL(filePath: path, directoryHint: .isDirectory)
            let trainer = try SwiftTrainer(
                CapturedPipeline(folder: folder.appending(path: "capture")), options: .test(epochs: 6),
                folder: folder.appending(path: "killed"))
            _ = try trainer.train(
                TrainingObserver(progress: { if $0.epoch == 4, $0.batch == 2 { kill(getpid(), SIGKILL) } }))
        }
        let seen = Mutex<[Int]>([])
        let resumed = try SwiftTrainer(
            CapturedPipeline(folder: capture.folder), options: .test(epochs: 6),
            folder: folder.url.appending(path: "killed")
        ).train(TrainingObserver(progress: { step in seen.withLock { $0.append(step.epoch) } }))
        #expect(seen.withLock { $0.min() } == 4, "it began again instead of going on")
        #expect(resumed.history.count == 6)
        #expect(resumed.weights.mapValues(\.values) == whole.weights.mapValues(\.values))
        #expect(resumed.history.map(\.trainLoss) == whole.history.map(\.trainLoss))
        #expect(resumed.history.map(\.commonBCE) == whole.history.map(\.commonBCE))
        #expect(resumed.history.map(\.learningRates) == whole.history.map(\.learningRates))
        #expect(resumed.bestEpoch == whole.bestEpoch)
    }

    @Test("that is finished is not trained again")
    func finished() throws {
        let folder = try TemporaryFolder()
        let capture = try SyntheticCapture(in: folder.url.appending(path: "capture")).read()
        let trained = try SwiftTrainer(capture, options: .test(epochs: 2), folder: folder.url).train()
        let again = try SwiftTrainer(capture, options: .test(epochs: 2), folder: folder.url).train(
            TrainingObserver(progress: { _ in Issue.record("it trained again") }))
        #expect(again.weights.mapValues(\.values) == trained.weights.mapValues(\.values))
    }

    @Test("passes over a damaged checkpoint, says so, and comes to the same bits")
    func damaged() throws {
        let folder = try TemporaryFolder()
        let whole = try outcome(folder, "whole", epochs: 4)
        let capture = try CapturedPipeline(folder: folder.url.appending(path: "capture-whole"))
        let place = folder.url.appending(path: "whole")
        let newest = try #require(try FileManager.default.contentsOfDirectory(atPath: place.path).sorted().last)
        #expect(newest.hasPrefix("epoch-00004"))
        try Data("rubbish".utf8).write(to: place.appending(path: newest))
        let notes = Mutex<[String]>([])
        let resumed = try SwiftTrainer(capture, options: .test(epochs: 4), folder: place).train(
            TrainingObserver(note: { line in notes.withLock { $0.append(line) } }))
        #expect(notes.withLock { $0 } == ["the checkpoint \(newest) is damaged: going on from epoch 3"])
        #expect(resumed.weights.mapValues(\.values) == whole.weights.mapValues(\.values))
    }

    @Test("does not mix checkpoints of another seed or number of epochs", arguments: [(2, 1), (3, 0)])
    func foreign(epochs: Int, seed: Int) throws {
        let folder = try TemporaryFolder()
        let capture = try SyntheticCapture(in: folder.url.appending(path: "capture")).read()
        _ = try SwiftTrainer(capture, options: .test(epochs: 2), folder: folder.url).train()
        do {
            _ = try SwiftTrainer(capture, options: .test(epochs: epochs, seed: seed), folder: folder.url).train()
            Issue.record("checkpoints of another training were used")
        } catch let error as TrainingError {
            #expect("\(error)".contains("belong to another capture, seed or number of epochs"))
        }
    }

    @Test("stops with the layer's name when a number is not finite")
    func notFinite() throws {
        do {
            _ = try outcome(TemporaryFolder(), epochs: 5) {
                $0.batchNorm = false
                $0.learningRate = 1e30
            }
            Issue.record("it trained on")
        } catch let error as TrainingError {
            guard case .notFinite(_, let module, let epoch, let batch) = error else { throw error }
            #expect(error.isPipelinesFault)
            #expect(epoch == 1 && batch > 1)
            #expect(try #require(module).contains("enc1") || (try #require(module)).contains("bottleneck"), "\(error)")
        }
    }

    @Test("that cannot write its checkpoint fails with one sentence and keeps the one before")
    func unwritable() throws {
        let folder = try TemporaryFolder()
        let capture = try SyntheticCapture(in: folder.url.appending(path: "capture")).read()
        let place = folder.url.appending(path: "t")
        let aside = folder.url.appending(path: "aside")
        let trainer = try SwiftTrainer(capture, options: .test(epochs: 3), folder: place)
        do {
            // After the second epoch the folder is no folder any more.
            _ = try trainer.train(
                TrainingObserver(epoch: { epoch in
                    guard epoch.epoch == 2 else { return }
                    try FileManager.default.moveItem(at: place, to: aside)
                    try Data().write(to: place)
                }))
            Issue.record("it trained on without checkpoints")
        } catch let error as TrainingError {
            #expect(!error.isPipelinesFault)
            #expect("\(error)".hasPrefix(place.path))
        }
        try FileManager.default.removeItem(at: place)
        try FileManager.default.moveItem(at: aside, to: place)
        #expect(try CheckpointFolder(url: place).latest()?.epoch == 2)
        #expect(try SwiftTrainer(capture, options: .test(epochs: 3), folder: place).train().history.count == 3)
    }

    @Test("restores the best weights where the pipeline evaluates those")
    func best() throws {
        // A rate that falls to nothing after the first epochs, then noise: the best epoch is told by the monitor.
        let outcome = try outcome(TemporaryFolder(), epochs: 8) {
            $0.learningRate = 0.2
            $0.pipeline["evaluated_weights"] = ["kind": "best", "monitor": "validation_loss", "mode": "min"]
        }
        let losses = outcome.history.map { $0.validationLoss ?? .nan }
        let best = try #require(losses.indices.min { losses[$0] < losses[$1] }) + 1
        #expect((outcome.bestEpoch ?? 8) == best)
    }

    @Test("stops early after as many epochs without an improvement as the pipeline waits")
    func early() throws {
        let outcome = try outcome(TemporaryFolder(), epochs: 40) {
            $0.learningRate = 0
            $0.batchNorm = false
            $0.pipeline["early_stopping"] =
                ["monitor": "validation_loss", "mode": "min", "patience": 3, "min_delta": 0] as [String: any Sendable]
        }
        // Nothing is learnt: the first epoch stays the best.
        #expect(outcome.stoppedAtEpoch == 4)
        #expect(outcome.history.count == 4)
    }

    @Test(
        "lowers the rate when and as the scheduler says",
        arguments: [
            ("epoch", [0.01, 0.005, 0.0025]), ("batch", [0.01, 0.01 * 0.03125, 0.01 * 0.03125 * 0.03125]),
        ])
    func scheduler(when: String, rates: [Double]) throws {
        let outcome = try outcome(TemporaryFolder(), epochs: 3) {
            $0.pipeline["scheduler"] =
                ["name": "ExponentialLR", "gamma": 0.5, "when": when] as [String: any Sendable]
        }
        // 24 samples in batches of five: five batches an epoch.
        for (epoch, rate) in zip(outcome.history, rates) {
            #expect(abs(epoch.learningRates[0] - rate) < 1e-12, "\(epoch.learningRates)")
        }
    }

    @Test("accumulates gradients over batches and applies what is left at the end of the epoch")
    func accumulation() throws {
        // Without batch norm and with the same number of samples in each batch, two summed batches of 4 are twice one of 8; SGD at
        // half the rate then makes the same step.
        func trained(_ batch: Int, _ accumulation: Int, _ rate: Double) throws -> [Float] {
            let outcome = try outcome(TemporaryFolder(), epochs: 2) { capture in
                capture.batchNorm = false
                let names = UNetGraph(baseChannels: 4, depth: 2, size: 16, batchNorm: false).train.parameters.map(
                    \.name)
                capture.pipeline = [
                    "batch_size": batch, "accumulation": accumulation, "shuffle": false,
                    "optimizer": [
                        "name": "SGD", "groups": [["lr": rate, "parameters": names] as [String: any Sendable]],
                    ] as [String: any Sendable],
                ]
            }
            return outcome.weights.keys.sorted().flatMap { outcome.weights[$0]?.values ?? [] }
        }
        let (summed, whole) = (try trained(4, 2, 0.05), try trained(8, 1, 0.1))
        let difference = zip(summed, whole).map { abs($0 - $1) }.max() ?? .nan
        #expect(difference < 1e-5, "\(difference)")
        // Three times eight: with an accumulation of two the third batch is applied alone.
        let left = try trained(8, 2, 0.1)
        #expect(left != whole)
    }

    @Test("refuses more memory than there is before it begins, and says which batch size fits")
    func memory() throws {
        let folder = try TemporaryFolder()
        let capture = try SyntheticCapture(in: folder.url.appending(path: "capture")).read()
        func trainer(_ budget: Int) throws -> SwiftTrainer {
            var options = SwiftTrainer.Options.test(epochs: 1)
            options.runtime.memoryBudget = budget
            return try SwiftTrainer(capture, options: options, folder: folder.url.appending(path: "t"))
        }
        var found: (needed: Int, fitting: Int?)?
        do {
            _ = try trainer(1000)
            Issue.record("it would have trained in 1000 bytes")
        } catch TrainingError.memory(let needed, 1000, 5, let fitting) {
            found = (needed, fitting)
        }
        let all = try #require(found)
        #expect(all.fitting == 0)
        #expect(try trainer(all.needed).train().history.count == 1)
        #expect(throws: TrainingError.memory(needed: all.needed, available: all.needed - 1, batch: 5, fitting: 4)) {
            try trainer(all.needed - 1)
        }
    }

    @Test("says in one sentence how much memory is needed, how much there is, and what to do")
    func memorySentence() {
        func sentence(_ fitting: Int?) -> String {
            "\(TrainingError.memory(needed: 3 << 30, available: 2 << 30, batch: 8, fitting: fitting))"
        }
        let start = "this training needs 3.0 GiB of memory at its batch size of 8 and 2.0 GiB are free: "
        let end = "close other programs or use a machine with more"
        #expect(sentence(5) == start + "a batch of at most 5 would fit; else " + end)
        #expect(sentence(nil) == start + "use a smaller batch, " + end)
        #expect(sentence(0) == start + end)
    }
}
