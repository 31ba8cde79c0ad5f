import Datasets
import Foundation
import NNUNet
import ResultStore
import TensorRuntime
import Training

extension BaselineStage {
    /// Trains in this process and leaves the predictions where the package leaves its own.
    ///
    /// - Throws: `BaselineError`, `DatasetError`, `StoreError`; `CancellationError`, after which the same call goes on from the last epoch.
    func trainHere(
        _ record: inout BaselineRecord, _ data: NNUNetData, _ folder: URL, _ budget: BaselineBudget, _ options: Options,
        _ observer: Observer
    ) async throws {
        let (store, id, dataset) = (store, record.id ?? -1, record.dataset)
        let work = SwiftTraining(
            data: data, folder: folder, budget: budget, seed: options.seed,
            threads: RuntimeOptions(threads: options.threads).threads, memory: options.memory, observer: observer,
            keep: { try store.storeBaselineEpoch($0.row(of: id)) }, row: { $0.row(of: id) })
        // A cancelled caller ends it at the next step.
        let task = Task(executorPreference: ThreadExecutor.shared) { try work.run() }
        let outcome: SwiftTraining.Outcome
        do {
            outcome = try await withTaskCancellationHandler {
                try await task.value
            } onCancel: {
                task.cancel()
            }
        } catch RuntimeError.insufficientMemory(let needed, let available, let batch, let fitting) {
            throw BaselineError.memory(
                dataset: dataset, needed: needed, available: available, batch: batch, fitting: fitting ?? 0)
        } catch let error as RuntimeError {
            guard case .notFinite = error else { throw BaselineError.unusable(reason: "\(dataset): \(error)") }
            throw BaselineError.notFinite(reason: "\(error)")
        } catch let error as NNUNetError {
            throw BaselineError.unusable(reason: "\(dataset): \(error)")
        }
        (record.device, record.threads) = ("cpu", work.threads)
        record.batchSize = outcome.plan.batchSize
        if outcome.plan.patchSize.count == 2 {
            (record.patchHeight, record.patchWidth) = (outcome.plan.patchSize[0], outcome.plan.patchSize[1])
        }
        record.postprocessing = outcome.postprocessing
        (record.inferenceSeconds, record.networkSeconds) = (outcome.inferenceSeconds, outcome.networkSeconds)
        record.seconds = try store.baselineEpochs(baseline: id).compactMap(\.seconds).reduce(0, +)
        try store.updateBaseline(record)
    }
}

/// One training of `NNUNetBaseline` on a prepared dataset, from its images to `predictions/`.
struct SwiftTraining: Sendable {
    let data: NNUNetData
    let folder: URL
    let budget: BaselineBudget
    let seed: Int
    let threads: Int
    let memory: Int?
    let observer: BaselineStage.Observer
    /// Stores an epoch as soon as its checkpoint is written.
    let keep: @Sendable (NNUNet.EpochRecord) throws -> Void
    let row: @Sendable (NNUNet.EpochRecord) -> BaselineEpochRecord

    struct Outcome: Sendable {
        var plan: NNUNetPlan
        var postprocessing: Bool
        /// Of all held-out images, from file to file.
        var inferenceSeconds: Double
        /// Of them, from preprocessed images to class scores.
        var networkSeconds: Double
    }

    private var checkpoint: URL { folder.appending(path: "checkpoint.safetensors") }

    func run() throws -> Outcome {
        observer.progress(BaselineProgress(stage: "fingerprint"))
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let baseline = try NNUNetBaseline(
            train: try cases(data.split.training), validation: try cases(data.split.validation),
            channelNames: data.dataset.description.channels == 3 ? ["R", "G", "B"] : ["grey"], classes: 2,
            name: NNUNetData.name,
            budget: TrainingBudget(
                epochs: budget.epochs ?? 1, iterations: budget.iterations,
                validationIterations: budget.validationIterations),
            seed: UInt64(seed), threads: threads, memoryBudget: memory, batchSize: budget.batchSize)
        guard baseline.plan.architecture.stages >= NNUNetData.fewestStages else {
            throw BaselineError.patchTooSmall(dataset: data.dataset.name, patch: baseline.plan.patchSize)
        }
        let (held, reading) = try timed { try data.heldOut.map { try image(of: $0) } }
        var lastShown: ContinuousClock.Instant?
        let result = try baseline.run(test: held, checkpoint: checkpoint) { event in
            try Task.checkCancellation()
            switch event {
            case .planned: observer.progress(BaselineProgress(stage: "train"))
            case .resumed: break
            case .iteration(let epoch, let iteration, let loss):
                guard lastShown.map({ $0.duration(to: .now) > .milliseconds(500) }) ?? true else { return }
                lastShown = .now
                observer.progress(progress(epoch, iteration, loss))
            case .epoch(let record):
                try keep(record)
                observer.epoch(row(record))
                if record.epoch + 1 == budget.epochs { observer.progress(BaselineProgress(stage: "validate")) }
            case .postprocessing: observer.progress(BaselineProgress(stage: "predict"))
            case .predicted: break
            }
        }
        // A process that was killed between checkpoint and store left the last one out.
        for record in result.records { try keep(record) }
        let (_, writing) = try timed { try write(result.masks) }
        try? FileManager.default.removeItem(at: checkpoint)
        return Outcome(
            plan: baseline.plan, postprocessing: !result.postprocessing.largestComponentOf.isEmpty,
            inferenceSeconds: reading + result.inference.whole + writing, networkSeconds: result.inference.network)
    }

    /// What `body` gives, and the seconds it took.
    private func timed<R>(_ body: () throws -> R) rethrows -> (R, Double) {
        let start = ContinuousClock.now
        let result = try body()
        return (result, (ContinuousClock.now - start) / .seconds(1))
    }

    private func progress(_ epoch: Int, _ iteration: Int, _ loss: Float) -> BaselineProgress {
        var progress = BaselineProgress(stage: "train")
        (progress.epoch, progress.epochs) = (epoch + 1, budget.epochs)
        (progress.iteration, progress.iterations) = (iteration + 1, budget.iterations)
        progress.loss = Double(loss)
        return progress
    }

    private func cases(_ names: [String]) throws -> [LabelledCase] {
        try names.sorted().map { name in
            let truth = try data.dataset.truth(name)
            return try LabelledCase(
                name: name, image: image(of: name),
                labels: LabelMap(shape: [1, truth.height, truth.width], values: truth.bytes.map { $0 == 0 ? 0 : 1 }))
        }
    }

    /// The pixels as they are, H W C in the file, C H W here.
    private func image(of name: String) throws -> CaseImage {
        let image = try data.dataset.image(name)
        let values = (0..<image.channels).flatMap { channel in
            stride(from: channel, to: image.bytes.count, by: image.channels).map { Float(image.bytes[$0]) }
        }
        return try CaseImage(channels: image.channels, height: image.height, width: image.width, values: values)
    }

    /// 0 and 1, as the package writes them; the folder appears when it is complete.
    private func write(_ masks: [LabelMap]) throws {
        let files = FileManager.default
        let predictions = folder.appending(path: "predictions", directoryHint: .isDirectory)
        let partial = folder.appending(path: "predictions.partial", directoryHint: .isDirectory)
        do {
            try? files.removeItem(at: partial)
            try files.createDirectory(at: partial, withIntermediateDirectories: true)
            for (index, mask) in masks.enumerated() {
                let image = try Image(
                    width: mask.shape[2], height: mask.shape[1], channels: 1, bytes: mask.values.map { $0 > 0 ? 1 : 0 })
                try PNG.write(image, to: partial.appending(path: NNUNetData.heldOutCase(index) + ".png"))
            }
            try? files.removeItem(at: predictions)
            try files.moveItem(at: partial, to: predictions)
        } catch {
            throw BaselineError.file(path: predictions.path(percentEncoded: false), reason: "\(error)")
        }
    }
}

extension NNUNet.EpochRecord {
    /// As the store keeps it: epochs from 1.
    func row(of baseline: Int64) -> BaselineEpochRecord {
        BaselineEpochRecord(
            baselineId: baseline, epoch: epoch + 1, trainLoss: trainLoss, validationLoss: validationLoss,
            pseudoDice: meanPseudoDice, learningRate: learningRate, seconds: seconds)
    }
}
