import Datasets
import Foundation
import ResultStore
import TensorRuntime
import Testing

@testable import Baselines

/// The engine swift, which needs no Python.
@Suite("A baseline on our own runtime", .serialized)
struct SwiftBaselineTests {
    private static let budget = BaselineBudget(.epochs(3), iterations: 2, batchSize: 4)

    private func stage(_ place: BaselineWorkspace) -> BaselineStage {
        BaselineStage(workspace: place.workspace, store: place.store, study: "default", engine: .swift)
    }

    private func options(_ change: (inout BaselineStage.Options) -> Void = { _ in }) -> BaselineStage.Options {
        var options = BaselineStage.Options()
        options.seed = 5
        change(&options)
        return options
    }

    @Test(
        "goes on after it was stopped, to the same weights' Dice, and leaves predictions and rows",
        .timeLimit(.minutes(40)))
    func whole() async throws {
        let straight = try BaselineWorkspace()
        try straight.addDiscs(training: 8, heldOut: 3)
        let undisturbed = try await stage(straight).run("discs", budget: Self.budget, options: options())
        #expect(undisturbed.status == .evaluated && undisturbed.engine == .swift && undisturbed.device == "cpu")
        #expect(undisturbed.batchSize == 4 && undisturbed.patchHeight == 64 && undisturbed.patchWidth == 64)
        let (wholeTime, network) = (
            try #require(undisturbed.inferenceSeconds), try #require(undisturbed.networkSeconds)
        )
        #expect(network > 0 && wholeTime > network && undisturbed.postprocessing != nil)

        let place = try BaselineWorkspace()
        try place.addDiscs(training: 8, heldOut: 3)
        let stage = stage(place)
        let options = options()
        let first = Task {
            try await stage.run(
                "discs", budget: Self.budget, options: options,
                observer: .init(epoch: { epoch in
                    if epoch.epoch == 1 { withUnsafeCurrentTask { $0?.cancel() } }
                }))
        }
        await #expect(throws: CancellationError.self) { _ = try await first.value }
        let broken = try #require(try place.store.baselines().first)
        #expect(broken.status == .running)
        #expect(try place.store.baselineEpochs(baseline: broken.id ?? -1).map(\.epoch) == [1])
        let record = try await stage.run("discs", budget: Self.budget, options: options)
        #expect(record.id == broken.id && record.status == .evaluated)

        func epochs(_ place: BaselineWorkspace, _ record: BaselineRecord) throws -> [[Double?]] {
            try place.store.baselineEpochs(baseline: record.id ?? -1).map {
                [Double($0.epoch), $0.trainLoss, $0.validationLoss, $0.pseudoDice, $0.learningRate]
            }
        }
        #expect(try epochs(place, record) == epochs(straight, undisturbed), "the same bits as without a stop")
        let dice = try place.store.baselineHeldOut(baseline: record.id ?? -1).map(\.dice)
        #expect(dice.count == 3)
        #expect(try dice == straight.store.baselineHeldOut(baseline: undisturbed.id ?? -1).map(\.dice))
        let folder = stage.folder(dataset: "discs", budget: Self.budget, seed: 5)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["predictions"])
        // What is finished is not done again.
        #expect(try await stage.run("discs", budget: Self.budget, options: options) == place.store.baselines().first)
    }

    @Test("takes colour as it is", .timeLimit(.minutes(40)))
    func colour() async throws {
        let place = try BaselineWorkspace()
        try place.addDiscs(training: 6, heldOut: 2, size: 32, channels: 3)
        let budget = BaselineBudget(.epochs(1), iterations: 1)
        let record = try await stage(place).run("discs", budget: budget, options: options())
        #expect(record.status == .evaluated)
        #expect(try place.store.baselineHeldOut(baseline: record.id ?? -1).count == 2)
    }

    @Test("says in one sentence what it cannot do, and leaves nothing")
    func refusals() async throws {
        let place = try BaselineWorkspace()
        try place.addDiscs(training: 6, heldOut: 2, size: 32)
        try place.addDiscs("four", training: 4, heldOut: 2, size: 32)
        try place.addDiscs("blank", training: 6, heldOut: 2, size: 32, empty: true)
        let stage = stage(place)
        let budget = BaselineBudget(.epochs(1), iterations: 1)
        await #expect(throws: BaselineError.onlyCPU) {
            _ = try await stage.run("discs", budget: budget, options: options { $0.device = .cuda })
        }
        await #expect(throws: BaselineError.onlyEpochs) {
            _ = try await stage.run("discs", budget: BaselineBudget(.seconds(60)))
        }
        await #expect(throws: BaselineError.noWorkers) {
            _ = try await stage.run("discs", budget: budget, options: options { $0.workers = 2 })
        }
        try place.addDiscs("bordered", training: 6, heldOut: 2, border: 28)
        await #expect(throws: BaselineError.patchTooSmall(dataset: "bordered", patch: [8, 8])) {
            _ = try await stage.run("bordered", budget: budget)
        }
        await #expect(throws: BaselineError.tooFewImages(dataset: "four", count: 4)) {
            _ = try await stage.run("four", budget: budget)
        }
        await #expect(throws: BaselineError.noForeground(dataset: "blank")) {
            _ = try await stage.run("blank", budget: budget)
        }
        do {
            _ = try await stage.run("discs", budget: budget, options: options { $0.memory = 1 << 20 })
            Issue.record("a mebibyte was enough")
        } catch let error as BaselineError {
            guard case .memory("discs", let needed, 1_048_576, _, _) = error else { throw error }
            #expect(needed > 1 << 20)
            #expect(error.description.contains("GiB of memory at its batch size of"), "\(error)")
        }
        #expect(try place.store.baselines().isEmpty)
        #expect(
            place.leftovers().allSatisfy { !$0.contains("predictions") && !$0.contains("checkpoint") },
            "\(place.leftovers())")
    }
}
