import Datasets
import Files
import Foundation
import Metrics
import ResultStore
import Testing

@testable import LabelBudget

@Suite("The sweep", .serialized)
struct SweepTests {
    private struct Broken: Error {}

    private func plan(_ networks: [SweepNetwork] = [.unet], steps: Int = 20) throws -> SweepPlan {
        try SweepPlan(networks: networks, budgets: [5, 10], seeds: 2, size: 32, steps: steps)
    }

    /// Scores and masks of every training, by folder.
    private func results(_ place: DiscWorkspace) throws -> [String: [SweepScoreRecord]] {
        var results: [String: [SweepScoreRecord]] = [:]
        for training in try place.store.sweepTrainings() {
            results[SweepStage.folderName(training)] = try place.store.sweepScores(training: training.id ?? -1).map {
                var score = $0
                score.trainingId = 0
                return score
            }
        }
        return results
    }

    @Test("All three networks are trained, scored on the original grid, and never trained again")
    func wholeSweep() throws {
        let place = try DiscWorkspace()
        let dataset = try place.addDiscs()
        let plan = try SweepPlan(networks: SweepNetwork.allCases, budgets: [5, 10], seeds: 2, size: 32, steps: 10)
        var steps = 0
        let records = try place.stage().run(plan, on: [dataset]) { progress in
            steps = max(steps, progress.step)
            #expect(progress.total == 12 && progress.steps == 12 * 10 && progress.finished < 12)
        }
        #expect(steps == 12 * 10)
        #expect(records.count == 12 && records.allSatisfy { $0.status == .finished && $0.failure == nil })
        #expect(
            records.allSatisfy {
                $0.trainingImages == $0.labels - $0.labels / 5 && $0.validationImages == $0.labels / 5
            })
        #expect(Set(records.map(\.parameters)).count == 3, "three networks of three sizes")
        for record in records {
            let scores = try place.store.sweepScores(training: record.id ?? -1)
            #expect(scores.map(\.sample) == dataset.split.heldOut.sorted())
            let masks = place.workspace.sweep(
                study: "default", dataset: "discs", training: SweepStage.folderName(record)
            ).appending(path: "masks")
            for score in scores {
                let truth = try dataset.truth(score.sample)
                let mask = try PNG.read(masks.appending(path: "\(score.sample).png"))
                let metrics = try SegmentationScores(
                    predicted: Mask(width: 40, height: 36, values: mask.bytes),
                    truth: Mask(width: 40, height: 36, values: truth.bytes))
                #expect(
                    metrics.dice == score.dice && metrics.iou == score.iou && metrics.hausdorff95 == score.hausdorff95)
            }
        }
        let again = try place.stage().run(plan, on: [dataset]) { _ in Issue.record("trained what is finished") }
        #expect(again.map(\.id) == records.map(\.id) && again.allSatisfy { $0.status == .finished })
        let left =
            FileManager.default.enumerator(at: place.sweepFolder, includingPropertiesForKeys: nil)?.allObjects ?? []
        #expect(!left.contains { ($0 as? URL)?.lastPathComponent == "checkpoint.safetensors" })
    }

    @Test("A U-Net learns discs, and the weights that validation chose are the ones that are scored")
    func learns() throws {
        let place = try DiscWorkspace()
        let dataset = try place.addDiscs(training: 20, heldOut: 5)
        let plan = try SweepPlan(networks: [.unet, .resunet], budgets: [20], seeds: 2, size: 32, steps: 100)
        for record in try place.stage().run(plan, on: [dataset]) {
            let scores = try place.store.sweepScores(training: record.id ?? -1)
            let dice = scores.reduce(0) { $0 + $1.dice } / Double(scores.count)
            #expect(dice > 0.85, "\(record.network) seed \(record.seed): \(dice)")
            #expect((record.validationDice ?? 0) > 0.85 && (10...100).contains(record.bestStep ?? 0))
            #expect((record.bestStep ?? 1) % 10 == 0)
        }
    }

    @Test("Broken off anywhere and begun again, a sweep gives the same bits", arguments: [SweepNetwork.unet, .nnunet])
    func resumes(network: SweepNetwork) async throws {
        let plan = try SweepPlan(networks: [network], budgets: [10], seeds: 2, size: 32, steps: 10)
        let whole = try DiscWorkspace()
        try whole.stage().run(plan, on: [whole.addDiscs()])
        let broken = try DiscWorkspace()
        let dataset = try broken.addDiscs()
        for limit in [13] {
            // What ends a task ends it here.
            let task = Task { [stage = broken.stage()] in
                try stage.run(plan, on: [dataset]) { progress in
                    if progress.step >= limit { withUnsafeCurrentTask { $0?.cancel() } }
                }
            }
            _ = await task.result
        }
        let records = try broken.stage().run(plan, on: [dataset])
        #expect(records.allSatisfy { $0.status == .finished })
        #expect(try results(broken) == results(whole))
    }

    @Test(
        "A U-Net that is asked to stop between two checkpoints goes on from the step it had come to, to the same bits")
    func stops() async throws {
        let plan = try SweepPlan(networks: [.unet], budgets: [10], seeds: 2, size: 32, steps: 40)
        let whole = try DiscWorkspace()
        try whole.stage().run(plan, on: [whole.addDiscs()])
        let broken = try DiscWorkspace()
        let dataset = try broken.addDiscs()
        let task = Task { [stage = broken.stage()] in
            try stage.run(plan, on: [dataset]) { progress in
                if progress.step >= 5 { withUnsafeCurrentTask { $0?.cancel() } }
            }
        }
        await #expect(throws: CancellationError.self) { try await task.value }
        var first: Int?
        try broken.stage().run(plan, on: [dataset]) { first = first ?? $0.step }
        // What cancels is heard at the next step.
        #expect(first == 6)
        #expect(try results(broken) == results(whole))
    }

    @Test("A dataset that changed is refused, and forgotten when told to")
    func changedDataset() throws {
        let place = try DiscWorkspace()
        let plan = try SweepPlan(networks: [.unet], budgets: [5], seeds: 2, size: 32, steps: 10)
        try place.stage().run(plan, on: [place.addDiscs()])
        let changed = try place.addDiscs(seed: 2)
        let error = #expect(throws: SweepError.datasetChanged("discs", trainings: 2)) {
            try place.stage().run(plan, on: [changed])
        }
        #expect(error?.description.contains("discs has changed since 2 trainings") == true)
        let records = try place.stage().run(plan, on: [changed], again: true)
        #expect(try place.store.sweepTrainings().map(\.id) == records.map(\.id))
        #expect(Set(records.map(\.datasetHash)) == [try changed.contentHash()])
    }

    @Test("A budget that is larger than a dataset ends a sweep before the first training")
    func tooFewImages() throws {
        let place = try DiscWorkspace()
        let (large, small) = (try place.addDiscs("large", training: 20), try place.addDiscs("small", training: 8))
        #expect(throws: SweepError.labels(10, dataset: "small", available: 8)) {
            try place.stage().run(plan(), on: [large, small])
        }
        #expect(try place.store.sweepTrainings().isEmpty)
        #expect(throws: SweepError.emptyPlan("dataset")) { try place.stage().run(plan(), on: []) }
    }

    @Test("One process sweeps a study at a time")
    func locked() throws {
        let place = try DiscWorkspace()
        let dataset = try place.addDiscs()
        let lock = try FileLock(
            trying: place.workspace.results(study: "default").appending(path: "sweep.lock"))
        let error = #expect(throws: SweepError.alreadyRunning(study: "default")) {
            try place.stage().run(plan(), on: [dataset])
        }
        #expect(error?.description.contains("another process sweeps the study 'default'") == true)
        lock.release()
        let file = place.workspace.results(study: "default").appending(path: "sweep")
        try Data().write(to: file)
        #expect(throws: SweepError.self) { try place.stage().run(plan(), on: [dataset]) }
    }

    @Test("A network that cannot learn is stored as failed, and the others go on")
    func failedTraining() throws {
        let place = try DiscWorkspace()
        var dataset = try place.addDiscs(training: 10)
        // Masks without foreground: nnU-Net has nothing to plan from, a U-Net learns to mark nothing.
        let source = dataset.folder
        for id in dataset.split.training {
            try PNG.write(try Image(width: 40, height: 36, channels: 1), to: source.appending(path: "masks/\(id).png"))
        }
        dataset = try Dataset.load(source)
        let plan = try SweepPlan(networks: [.nnunet, .unet], budgets: [5], seeds: 2, size: 32, steps: 10)
        let records = try place.stage().run(plan, on: [dataset])
        #expect(records.filter { $0.network == "nnunet" }.allSatisfy { $0.status == .failed && $0.failure != nil })
        #expect(records.filter { $0.network == "unet" }.allSatisfy { $0.status == .finished })
    }
}
