import Foundation
import ResultStore
import Synchronization
import TensorRuntime
import Testing

@testable import Training

@Suite("A pipeline through all three engines", .serialized)
struct EndToEndTests {
    /// Captured once for the tests that train it; these follow one another.
    private static let captured = Task {
        let place = try DiscWorkspace()
        place.folder.removeAtExit()
        try place.install("transposed-logits")
        let capture = try await place.stageWithPython().capture(place.run)
        #expect(capture.status == .captured, "\(capture.refusals)")
        #expect(capture.facts != nil)
        return place
    }

    @Test("is captured once, trained alike by all, and scored on the same images", .timeLimit(.minutes(40)))
    func engines() async throws {
        let place = try await Self.captured.value
        let stage = try place.stageWithPython()
        let parity = try await stage.parity(place.run)
        #expect(parity.swiftLosses.count == 20)
        #expect(parity.largestLossDifference < 1e-3, "\(parity.swiftLosses) \(parity.pytorchLosses)")

        var means: [TrainingRecord.Engine: Double] = [:]
        for engine in TrainingRecord.Engine.allCases {
            let steps = Mutex<[TrainingProgress]>([])
            let training = try await stage.train(
                place.run, engine: engine,
                observer: TrainingObserver(progress: { step in steps.withLock { $0.append(step) } }))
            #expect(training.status == .trained)
            #expect((training.inferenceSeconds ?? 0) > 0, "\(engine)")
            let told = steps.withLock { $0 }
            #expect(told.allSatisfy { $0.epochs == 8 && $0.batches > 0 && $0.batch <= $0.batches }, "\(engine) \(told)")
            #expect(!told.isEmpty, "\(engine)")
            let evaluation = try stage.evaluate(place.run, engine: engine)
            #expect(evaluation.images.count == 6)
            means[engine] = evaluation.meanDice
            let epochs = try place.store.epochs(training: try #require(training.id))
            #expect(epochs.count == 8, "\(engine)")
            #expect(epochs.allSatisfy { $0.trainLoss != nil && $0.validationLoss != nil }, "\(engine)")
        }
        print("held-out Dice \(means), parity \(parity.largestLossDifference)")
        let (swift, pytorch) = (try #require(means[.swift]), try #require(means[.pytorch]))
        #expect(abs(swift - pytorch) < 0.05)
        #expect(try place.store.captures(run: place.run.storedID).count == 1)
    }

    @Test("goes on in PyTorch after its last whole epoch, to the same bits", .timeLimit(.minutes(40)))
    func resumedInPyTorch() async throws {
        let place = try await Self.captured.value
        let stage = try place.stageWithPython()
        let pipeline = try CapturedPipeline(folder: place.directory.capture(seed: 0, epochs: nil))
        let engine = PyTorchEngine(helper: try #require(stage.helper))
        let (whole, broken) = (place.folder.url.appending(path: "whole"), place.folder.url.appending(path: "broken"))
        let expected = try await engine.train(pipeline, epochs: 20, seed: 3, folder: whole)

        let first = Task { try await engine.train(pipeline, epochs: 20, seed: 3, folder: broken) }
        let record = broken.appending(path: "out/.llmbench")
        let checkpoint = record.appending(path: "checkpoint.pt")
        while !FileManager.default.fileExists(atPath: checkpoint.path) { try await Task.sleep(for: .milliseconds(10)) }
        first.cancel()
        await #expect(throws: (any Error).self) { try await first.value }
        try #require(!FileManager.default.fileExists(atPath: record.appending(path: "epochs.json").path))

        let resumed = try await engine.train(pipeline, epochs: 20, seed: 3, folder: broken)
        let log = try String(contentsOf: broken.appending(path: "stdout"), encoding: .utf8)
        #expect(log.contains("goes on after epoch"), "\(log)")
        #expect(resumed.outcome.weights == expected.outcome.weights)
        #expect(resumed.outcome.history.map(\.trainLoss) == expected.outcome.history.map(\.trainLoss))
        #expect(resumed.outcome.history.map(\.validationDice) == expected.outcome.history.map(\.validationDice))

        try Data("damaged".utf8).write(to: checkpoint)
        let again = try await engine.train(pipeline, epochs: 3, seed: 3, folder: broken)
        #expect(again.outcome.history.count == 3)
        #expect(try String(contentsOf: broken.appending(path: "stdout"), encoding: .utf8).contains("cannot be read"))
    }

    @Test("that fails while it trains is recorded with its last line", .timeLimit(.minutes(40)))
    func failing() async throws {
        let place = try DiscWorkspace()
        try place.writeSyntheticCapture()
        try FileManager.default.createDirectory(at: place.directory.final, withIntermediateDirectories: true)
        try "raise ValueError('the learning rate is too shy')".write(
            to: place.directory.final.appending(path: "main.py"), atomically: true, encoding: .utf8)
        let stage = try place.stageWithPython()
        await #expect(throws: TrainingError.self) { try await stage.train(place.run, engine: .emitted) }
        let training = try #require(try place.store.trainings(run: place.run.storedID).first)
        #expect(training.status == .failed)
        #expect(try #require(training.failure).contains("ValueError: the learning rate is too shy"))
    }
}
