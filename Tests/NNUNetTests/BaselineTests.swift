import Foundation
import TensorRuntime
import Testing

@testable import NNUNet

/// The whole way from images to masks.
@Suite struct BaselineTests {
    /// A bright disc on noise, at a place of its own in each image.
    private func labelled(_ number: Int, size: Int = 32) throws -> LabelledCase {
        let noise = HashedValues.uniform(900 + number, size * size)
        let (y, x) = (10 + 3 * (number % 5), 9 + 2 * (number % 7))
        let inside = (0..<size * size).map { pixel -> Bool in
            let (dy, dx) = (pixel / size - y, pixel % size - x)
            return dy * dy + dx * dx <= 36
        }
        let values = zip(noise, inside).map { Float($0 * 60 + 20) + ($1 ? 50 : 0) }
        return try LabelledCase(
            name: "disc \(number)", image: CaseImage(channels: 1, height: size, width: size, values: values),
            labels: LabelMap(shape: [1, size, size], values: inside.map { $0 ? 1 : 0 }))
    }

    private func baseline(
        _ budget: TrainingBudget, seed: UInt64 = 1, threads: Int = 2, memoryBudget: Int? = nil
    ) throws -> NNUNetBaseline {
        try NNUNetBaseline(
            train: (0..<6).map { try labelled($0) }, validation: (6..<8).map { try labelled($0) },
            channelNames: ["grey"], classes: 2, name: "Dataset001_Discs", budget: budget, seed: seed, threads: threads,
            memoryBudget: memoryBudget, samples: 10_000)
    }

    private var held: [LabelledCase] { get throws { try (8..<11).map { try labelled($0) } } }

    /// Forty steps suffice for a disc that anybody sees.
    @Test func aTrainingLearnsToSegment() throws {
        let held = try held
        let baseline = try baseline(TrainingBudget(epochs: 2, iterations: 20, validationIterations: 2))
        #expect(baseline.plan.patchSize == [32, 32])
        var events: [NNUNetBaseline.Event] = []
        let result = try baseline.run(test: held.map(\.image)) { events.append($0) }
        let dice = ClassOverlap.meanDice(result.masks, held.map(\.labels), classes: 2)
        #expect((dice[0] ?? 0) > 0.8, "Dice \(dice)")
        #expect(result.records.count == 2)
        #expect(result.records[0].learningRate == 0.01)
        #expect(abs(result.records[1].learningRate - 0.01 * pow(0.5, 0.9)) < 1e-12)
        #expect(result.records[1].trainLoss < result.records[0].trainLoss)
        #expect((result.records[1].meanPseudoDice ?? 0) > 0.5)
        guard case .planned(let parameters, let bytes)? = events.first else {
            Issue.record("the first event is not the plan")
            return
        }
        #expect(parameters == result.weights.values.reduce(0) { $0 + $1.count })
        #expect(bytes > 3 * 4 * parameters)
        #expect(events.filter { if case .iteration = $0 { true } else { false } }.count == 40)
        #expect(events.suffix(3) == [.predicted(0), .predicted(1), .predicted(2)])
    }

    /// Same seed, same bits; another seed, other bits.
    @Test func oneSeedGivesTheSameBits() throws {
        let budget = try TrainingBudget(epochs: 1, iterations: 3, validationIterations: 1)
        func run(_ seed: UInt64) throws -> NNUNetBaseline.Result {
            try baseline(budget, seed: seed).run(test: held.map(\.image))
        }
        let (first, again, other) = (try run(4), try run(4), try run(5))
        #expect(first.weights == again.weights)
        #expect(first.masks == again.masks)
        #expect(first.records[0].trainLoss == again.records[0].trainLoss)
        #expect(first.weights != other.weights)
    }

    private struct Stop: Error {}

    /// Stopped in the middle of the second epoch, a run goes on from the end of the first, to the same bits.
    @Test func anInterruptedRunGoesOnToTheSameBits() throws {
        try NNUNetReference.withFolder { folder in
            let file = folder.appending(path: "checkpoint.safetensors")
            let baseline = try baseline(TrainingBudget(epochs: 2, iterations: 3, validationIterations: 1))
            let whole = try baseline.run(test: held.map(\.image))
            #expect(throws: Stop.self) {
                try baseline.run(test: held.map(\.image), checkpoint: file) { event in
                    if case .iteration(1, 1, _) = event { throw Stop() }
                }
            }
            var resumed = 0
            let result = try baseline.run(test: held.map(\.image), checkpoint: file) { event in
                if case .resumed(let epochs) = event { resumed = epochs }
            }
            #expect(resumed == 1)
            #expect(result.weights == whole.weights)
            #expect(result.masks == whole.masks)
            #expect(result.records.map(\.trainLoss) == whole.records.map(\.trainLoss))
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["checkpoint.safetensors"])
            #expect(
                throws: NNUNetError.invalidCheckpoint(
                    "the checkpoint is of a run with another plan, budget or seed: remove it, or run with the old "
                        + "settings")
            ) {
                let other = try self.baseline(
                    TrainingBudget(epochs: 2, iterations: 3, validationIterations: 1), seed: 2)
                _ = try other.run(test: [], checkpoint: file)
            }
        }
    }

    @Test func memoryShortOfThePlanEndsTheRunBeforeItBegins() throws {
        let baseline = try baseline(
            TrainingBudget(epochs: 1, iterations: 1, validationIterations: 1), memoryBudget: 60 << 20)
        var events = 0
        #expect(throws: RuntimeError.self) { try baseline.run(test: []) { _ in events += 1 } }
        #expect(events == 0)
    }

    @Test func dataSetsThatCannotBeUsedAreRefused() throws {
        let budget = try TrainingBudget(epochs: 1)
        func refused(_ train: [LabelledCase], _ validation: [LabelledCase], classes: Int = 2) -> String {
            do {
                _ = try NNUNetBaseline(
                    train: train, validation: validation, channelNames: ["a"], classes: classes, name: "d",
                    budget: budget, seed: 1, samples: 100)
                return "nothing was refused"
            } catch { return "\(error)" }
        }
        let cases = try (0..<6).map { try labelled($0) }
        #expect(
            refused(Array(cases.prefix(3)), [cases[3]]) == "4 images are too few for a plan: give at least 5")
        #expect(
            refused(cases, []) == "6 training and 0 validation images are no data set: give some of each")
        let stack = try LabelledCase(
            name: "stack",
            image: CaseImage(
                channels: 1, shape: [2, 16, 16], spacing: [1, 1, 1], values: [Float](repeating: 1, count: 512)),
            labels: LabelMap(shape: [2, 16, 16], values: [Int16](repeating: 1, count: 512)))
        #expect(refused(cases, [stack]) == "stack is a stack of 2 slices: training takes 2-D images")
        let many = try LabelledCase(
            name: "many", image: cases[0].image,
            labels: LabelMap(shape: [1, 32, 32], values: [Int16](repeating: 2, count: 1024)))
        #expect(
            refused(cases, [many]) == "many: its mask has the label 2, and there are 2 classes from 0")
    }

    @Test func aFinishedTrainingTakesNoFurtherEpoch() throws {
        let budget = try TrainingBudget(epochs: 1, iterations: 1, validationIterations: 1)
        let plan = try baseline(budget).plan
        let preprocessor = Preprocessor(plan)
        let cases = try (0..<2).map { try preprocessor(labelled($0)) }
        let trainer = try Trainer(plan: plan, train: cases, validation: cases, budget: budget, seed: 1, threads: 2)
        try trainer.runEpoch()
        #expect(throws: NNUNetError.invalidSetting("all 1 epochs of the budget are done: give more epochs")) {
            try trainer.runEpoch()
        }
    }
}
