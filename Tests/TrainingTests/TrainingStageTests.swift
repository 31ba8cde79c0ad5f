import Datasets
import Files
import Foundation
import ResultStore
import Synchronization
import TensorRuntime
import Testing

@testable import Training

@Suite("Trainings in the store")
struct TrainingStageTests {
    @Test("train, evaluate and leave rows that a report can be made of")
    func rows() async throws {
        let place = try DiscWorkspace()
        try place.writeSyntheticCapture()
        let training = try await place.stage.train(place.run, engine: .swift)
        #expect(training.status == .trained)
        #expect(training.epochs == 8 && (training.inferenceSeconds ?? 0) > 0)
        let id = try #require(training.id)
        let epochs = try place.store.epochs(training: id)
        #expect(epochs.map(\.epoch) == Array(1...8))
        #expect(epochs.allSatisfy { $0.trainLoss != nil && $0.validationLoss != nil && $0.commonBce != nil })
        #expect(try place.store.validationBatches(training: id).count == 8)
        // Three test samples in batches of two.
        #expect(try place.store.testBatches(training: id).count == 2)
        let evaluation = try place.stage.evaluate(place.run, engine: .swift)
        #expect(evaluation.images.map(\.sample) == place.dataset.split.heldOut)
        #expect(evaluation.batches.count == 3)
        #expect(try place.store.heldOut(training: id).count == 6)
        #expect(try place.store.trainings(run: place.run.storedID).map(\.status) == [.evaluated])
        let reference = try #require(try place.store.references().first)
        #expect(reference.dataset == "discs" && reference.samples == 6)
        // What is scored once is read from the store.
        let again = try place.stage.evaluate(place.run, engine: .swift)
        #expect(again.images.sorted { $0.sample < $1.sample } == evaluation.images.sorted { $0.sample < $1.sample })
    }

    @Test("that are finished are not trained again, unless asked for")
    func finished() async throws {
        let place = try DiscWorkspace()
        try place.writeSyntheticCapture()
        let steps = Mutex(0)
        let observer = TrainingObserver(progress: { _ in steps.withLock { $0 += 1 } })
        let first = try await place.stage.train(place.run, engine: .swift, observer: observer)
        let trained = steps.withLock { $0 }
        #expect(trained > 0)
        let second = try await place.stage.train(place.run, engine: .swift, observer: observer)
        #expect(second.id == first.id && second.status == .trained)
        #expect(steps.withLock { $0 } == trained)
        let third = try await place.stage.train(place.run, engine: .swift, again: true, observer: observer)
        #expect(steps.withLock { $0 } == 2 * trained)
        #expect(third.status == .trained)
    }

    @Test("of another number of epochs are not mixed with what is there")
    func epochs() async throws {
        let place = try DiscWorkspace()
        try place.writeSyntheticCapture()
        _ = try await place.stage.train(place.run, engine: .swift)
        do {
            _ = try await place.stage.train(place.run, engine: .swift, epochs: 3)
            Issue.record("two trainings were mixed")
        } catch let error as TrainingError {
            #expect("\(error)".contains("for 8 epochs, not 3: start over with --again"))
            #expect(!error.isPipelinesFault)
        }
    }

    @Test("that fail by the pipeline's fault are stored as its result")
    func failed() async throws {
        let place = try DiscWorkspace()
        let names = SyntheticCapture.unet.train.parameters.map(\.name)
        let group: [String: any Sendable] = ["lr": 1e38, "parameters": names]
        try place.writeSyntheticCapture(
            pipeline: ["optimizer": ["name": "SGD", "groups": [group]] as [String: any Sendable]])
        await #expect(throws: TrainingError.self) { try await place.stage.train(place.run, engine: .swift) }
        let training = try #require(try place.store.trainings(run: place.run.storedID).first)
        #expect(training.status == .failed)
        #expect(try #require(training.failure).contains("not finite in epoch 1"))
        // Scoring it tells the same, and does not look for weights.
        do {
            _ = try place.stage.evaluate(place.run, engine: .swift)
            Issue.record("a failed training was scored")
        } catch let error as TrainingError {
            #expect(error.isPipelinesFault && "\(error)".contains("not finite in epoch 1"))
        }
    }

    @Test("of a pipeline that moves its images are refused and not scored")
    func geometry() async throws {
        let place = try DiscWorkspace()
        try place.writeSyntheticCapture { $0.central(height: 36, width: 42) }
        _ = try await place.stage.train(place.run, engine: .swift)
        #expect(throws: TrainingError.self) { try place.stage.evaluate(place.run, engine: .swift) }
        let training = try #require(try place.store.trainings(run: place.run.storedID).first)
        #expect(training.status == .failed)
        #expect(try #require(training.failure).contains("cropped to the central 75 %"), "\(training.failure ?? "")")
        #expect(try place.store.heldOut(training: try #require(training.id)).isEmpty)
    }

    @Test("whose dataset has changed since are not scored")
    func changedData() async throws {
        let place = try DiscWorkspace()
        try place.writeSyntheticCapture()
        _ = try await place.stage.train(place.run, engine: .swift)
        let mask = place.dataset.maskURL(place.dataset.split.heldOut[0])
        try PNG.write(Image(width: DiscWorkspace.width, height: DiscWorkspace.height, channels: 1, fill: 255), to: mask)
        do {
            _ = try place.stage.evaluate(place.run, engine: .swift)
            Issue.record("it was scored on other masks")
        } catch let error as TrainingError {
            #expect("\(error)".contains("has changed since it was trained"))
        }
    }

    @Test("that are under way in another process are left alone")
    func locked() async throws {
        let place = try DiscWorkspace()
        try place.writeSyntheticCapture()
        let folder = place.directory.training(engine: "swift", seed: 0)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let lock = try FileLock(trying: folder.appending(path: "lock"))
        do {
            _ = try await place.stage.train(place.run, engine: .swift)
            Issue.record("two processes trained at once")
        } catch let error as TrainingError {
            #expect("\(error)".contains("another llmbench trains"))
        }
        lock.release()
        #expect(try await place.stage.train(place.run, engine: .swift).status == .trained)
    }

    @Test("that are not there name the command that makes them")
    func missing() async throws {
        let place = try DiscWorkspace()
        do {
            _ = try place.stage.evaluate(place.run, engine: .pytorch, seed: 2)
            Issue.record("nothing was scored")
        } catch let error as TrainingError {
            #expect("\(error)".contains("--engine pytorch --seed 2`"))
        }
        await #expect(throws: TrainingError.self) { try await place.stage.train(place.run, engine: .swift) }
        // It has begun, and has nothing to score.
        #expect(throws: TrainingError.unfinished(run: place.run.path, engine: "swift", seed: 0)) {
            try place.stage.evaluate(place.run, engine: .swift)
        }
    }

    @Test("refuse predictions that are incomplete or no probabilities")
    func predictions() throws {
        let place = try DiscWorkspace()
        let evaluator = Evaluator(
            dataset: place.dataset, threshold: Threshold(value: 0.5, comparison: .greater), batchSize: 1)
        let images = try SampleTensors(ids: ["a"], images: Tensor(shape: [1, 1, 4, 4], repeating: 0), masks: nil)
        let one = try Predictions(ids: ["a"], probabilities: Tensor(shape: [1, 1, 4, 4], repeating: 0.5))
        #expect(throws: TrainingError.self) { try evaluator.evaluate(one, images: images) }
        #expect(throws: TrainingError.self) {
            try Predictions(ids: ["a"], probabilities: Tensor(shape: [1, 1, 4, 4], repeating: 7))
        }
        #expect(throws: TrainingError.self) {
            try Predictions(ids: ["a", "b"], probabilities: Tensor(shape: [1, 1, 4, 4], repeating: 0))
        }
    }
}
