import Datasets
import Files
import Foundation
import Metrics
import NNUNet
import ResultStore
import TensorRuntime

/// Trains what a plan asks for and stores how well it segments; what is finished is never done again.
///
/// ```swift
/// let stage = SweepStage(workspace: workspace, store: store, study: "default")
/// try stage.run(SweepPlan(size: 64, steps: 300), on: [dataset])
/// ```
///
/// An interrupted training goes on from its last checkpoint, a tenth of its steps back at most, to the same bits; a cancelled U-Net from the
/// step that it had come to.
public struct SweepStage: Sendable {
    public let workspace: Workspace
    public let store: ResultStore
    public let study: String
    /// All cores where nil.
    public var threads: Int?

    public init(workspace: Workspace, store: ResultStore, study: String, threads: Int? = nil) {
        (self.workspace, self.store, self.study, self.threads) = (workspace, store, study, threads)
    }

    /// How far a sweep is.
    public struct Progress: Sendable {
        /// Trainings done and to be done, over all datasets; what was finished before counts as done.
        public var finished: Int
        public var total: Int
        /// Steps done of what this call trains.
        public var step: Int
        public var steps: Int
        public var dataset: String
        public var item: SweepPlan.Item
        public var loss: Float?
    }

    /// Runs to the end, or until the task is cancelled.
    ///
    /// - Parameter again: Forgets stored trainings that the plan asks for, and those of an earlier state of the data.
    /// - Returns: the trainings of the plan, in its order, dataset by dataset. One that failed is stored as such and does not keep the others
    ///   from being trained; the next call tries it again.
    /// - Throws: `SweepError`, `DatasetError`, `StoreError`; `CancellationError`, after which the same call goes on.
    @discardableResult
    public func run(
        _ plan: SweepPlan, on datasets: [Dataset], again: Bool = false, progress: (Progress) -> Void = { _ in }
    ) throws -> [SweepTrainingRecord] {
        guard !datasets.isEmpty else { throw SweepError.emptyPlan("dataset") }
        for dataset in datasets { try plan.check(dataset) }
        let lock = try lock()
        defer { lock.release() }
        var pending: [Job] = []
        var records: [SweepTrainingRecord] = []
        for dataset in datasets {
            let hash = try dataset.contentHash()
            try forget(dataset, hash, plan, again: again)
            for item in plan.items {
                let record = try store.beginSweepTraining(record(of: item, plan, dataset, hash))
                if record.status != .finished {
                    pending.append(Job(dataset: dataset, item: item, place: records.count))
                }
                records.append(record)
            }
        }
        for (number, job) in pending.enumerated() {
            records[job.place] = try train(records[job.place], job, plan) { step, loss in
                try Task.checkCancellation()
                progress(
                    Progress(
                        finished: records.count - pending.count + number, total: records.count,
                        step: number * plan.steps + step, steps: pending.count * plan.steps, dataset: job.dataset.name,
                        item: job.item, loss: loss))
            }
        }
        return records
    }

    private struct Job {
        var dataset: Dataset
        var item: SweepPlan.Item
        var place: Int
    }

    private func lock() throws -> FileLock {
        let file = workspace.results(study: study).appending(path: "sweep.lock")
        do {
            try FileManager.default.createDirectory(
                at: workspace.results(study: study), withIntermediateDirectories: true)
            return try FileLock(trying: file)
        } catch FileLock.Failure.held {
            throw SweepError.alreadyRunning(study: study)
        } catch {
            throw SweepError.file(path: file.path(percentEncoded: false), reason: "it cannot be locked")
        }
    }

    private func record(
        of item: SweepPlan.Item, _ plan: SweepPlan, _ dataset: Dataset, _ hash: String
    ) -> SweepTrainingRecord {
        SweepTrainingRecord(
            dataset: dataset.name, datasetHash: hash, network: item.network.rawValue, labels: item.labels,
            seed: item.seed, size: plan.size, steps: plan.steps, recipe: item.network.recipe)
    }

    private func forget(_ dataset: Dataset, _ hash: String, _ plan: SweepPlan, again: Bool) throws {
        let stored = try store.sweepTrainings().filter { $0.dataset == dataset.name }
        let stale = stored.filter { $0.datasetHash != hash }
        guard stale.isEmpty || again else {
            throw SweepError.datasetChanged(dataset.name, trainings: stale.count)
        }
        guard again else { return }
        let wanted = Set(plan.items.map { Self.folderName($0, size: plan.size, steps: plan.steps) })
        for training in stored where training.datasetHash != hash || wanted.contains(Self.folderName(training)) {
            try store.deleteSweepTraining(training)
            try? FileManager.default.removeItem(at: folder(training))
        }
    }

    /// `unet-n10-seed0-s64-t300`
    static func folderName(_ item: SweepPlan.Item, size: Int, steps: Int) -> String {
        "\(item.network.rawValue)-n\(item.labels)-seed\(item.seed)-s\(size)-t\(steps)"
    }

    static func folderName(_ record: SweepTrainingRecord) -> String {
        "\(record.network)-n\(record.labels)-seed\(record.seed)-s\(record.size)-t\(record.steps)"
    }

    private func folder(_ record: SweepTrainingRecord) -> URL {
        workspace.sweep(study: study, dataset: record.dataset, training: Self.folderName(record))
    }

    private func train(
        _ record: SweepTrainingRecord, _ job: Job, _ plan: SweepPlan, progress: (Int, Float?) throws -> Void
    ) throws -> SweepTrainingRecord {
        var record = record
        (record.status, record.failure) = (.running, nil)
        let folder = folder(record)
        try Self.make(folder)
        let subset = try LabelSubset(
            of: job.dataset.split.training, labels: job.item.labels, seed: job.item.seed, dataset: job.dataset.name)
        (record.trainingImages, record.validationImages) = (subset.training.count, subset.validation.count)
        record.threads = RuntimeOptions(threads: threads).threads
        let start = ContinuousClock.now
        func keepTime() { record.seconds = (record.seconds ?? 0) + (ContinuousClock.now - start) / .seconds(1) }
        do {
            let maps = try fit(&record, job, subset, plan, folder, progress)
            keepTime()
            return try score(maps, record, job.dataset, plan.size, folder)
        } catch is CancellationError {
            keepTime()
            try store.updateSweepTraining(record)
            throw CancellationError()
        } catch let error where error is RuntimeError || error is NNUNetError {
            // What a network did; a full disk or a broken store ends the sweep.
            keepTime()
            (record.status, record.failure, record.endedAt) = (.failed, "\(error)", Date())
            try store.updateSweepTraining(record)
            return record
        }
    }

    /// Trains and predicts: one map a held-out image, on the sweep's grid.
    private func fit(
        _ record: inout SweepTrainingRecord, _ job: Job, _ subset: LabelSubset, _ plan: SweepPlan, _ folder: URL,
        _ progress: (Int, Float?) throws -> Void
    ) throws -> [[Float]] {
        let heldOut = job.dataset.split.heldOut
        let checkpoint = folder.appending(path: "checkpoint.safetensors")
        if job.item.network == .nnunet {
            let training = NNUNetTraining(
                dataset: job.dataset, subset: subset, seed: job.item.seed, size: plan.size, steps: plan.steps,
                checkpoint: checkpoint, threads: threads)
            let outcome = try training.run(heldOut: heldOut, progress: progress)
            (record.parameters, record.validationDice) = (outcome.parameters, outcome.validationDice)
            record.bestStep = plan.steps
            return outcome.masks
        }
        var training = try UNetTraining(
            network: job.item.network, images: SweepImages(job.dataset, subset.training, size: plan.size),
            validation: SweepImages(job.dataset, subset.validation, size: plan.size), seed: job.item.seed,
            steps: plan.steps, checkpoint: checkpoint, threads: threads)
        let best = try training.run(progress: progress)
        (record.parameters, record.bestStep, record.validationDice) = (training.parameters, best.step, best.dice)
        return try training.predict(SweepImages(job.dataset, heldOut, size: plan.size))
    }

    /// Scores each map on the original grid of its image, leaves the masks, and says that the training is finished.
    private func score(
        _ maps: [[Float]], _ record: SweepTrainingRecord, _ dataset: Dataset, _ size: Int, _ folder: URL
    ) throws -> SweepTrainingRecord {
        var record = record
        let masks = folder.appending(path: "masks", directoryHint: .isDirectory)
        try Self.make(masks)
        var scores: [SweepScoreRecord] = []
        for (sample, map) in zip(dataset.split.heldOut, maps) {
            let truth = try dataset.truth(sample)
            let predicted = try Self.mask(map, size: size, width: truth.width, height: truth.height)
            let metrics = try SegmentationScores(
                predicted: predicted, truth: Mask(width: truth.width, height: truth.height, values: truth.bytes))
            scores.append(
                SweepScoreRecord(
                    trainingId: record.id ?? -1, sample: sample, dice: metrics.dice, iou: metrics.iou,
                    hausdorff95: metrics.hausdorff95))
            try PNG.write(
                Image(
                    width: truth.width, height: truth.height, channels: 1,
                    bytes: predicted.values.map { $0 == 0 ? 0 : 255 }),
                to: masks.appending(path: "\(sample).png"))
        }
        (record.status, record.endedAt) = (.finished, Date())
        try store.storeSweepScores(scores, of: record)
        try? FileManager.default.removeItem(at: folder.appending(path: "checkpoint.safetensors"))
        return record
    }

    /// A map of probabilities, or of 0 and 1, brought to the original grid bilinearly and decided at one half.
    static func mask(_ map: [Float], size: Int, width: Int, height: Int) throws -> Mask {
        let wide = try Resize.bilinear(map, width: size, height: size, toWidth: width, toHeight: height)
        return try Mask(width: width, height: height, values: wide.map { $0 > 0.5 ? 1 : 0 })
    }

    private static func make(_ folder: URL) throws {
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        } catch {
            throw SweepError.file(path: folder.path(percentEncoded: false), reason: "the folder cannot be made")
        }
    }
}
