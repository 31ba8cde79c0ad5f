import Foundation
import ResultStore
import TensorRuntime
import Testing

@testable import Training

@Suite("A pipeline through all three engines", .serialized)
struct EndToEndTests {
    @Test("is captured once, trained alike by all, and scored on the same images", .timeLimit(.minutes(5)))
    func engines() async throws {
        let place = try DiscWorkspace()
        try place.install("transposed-logits")
        let stage = try place.stageWithPython()
        let capture = try await stage.capture(place.run)
        #expect(capture.status == .captured, "\(capture.refusals)")
        #expect(capture.facts != nil)

        let parity = try await stage.parity(place.run)
        #expect(parity.swiftLosses.count == 20)
        #expect(parity.largestLossDifference < 1e-3, "\(parity.swiftLosses) \(parity.pytorchLosses)")

        var means: [TrainingRecord.Engine: Double] = [:]
        for engine in TrainingRecord.Engine.allCases {
            let training = try await stage.train(place.run, engine: engine)
            #expect(training.status == .trained)
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

    @Test("that fails while it trains is recorded with its last line", .timeLimit(.minutes(2)))
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
