import Datasets
import Diagnosis
import Foundation
import ResultStore
import TensorRuntime

extension TrainingStage {
    /// Scores a training on the held-out images and stores it, with the references of the dataset where they are missing.
    ///
    /// - Throws: `TrainingError` (a geometry that cannot be scored is stored as the training's failure), `DatasetError`,
    ///   `StoreError`.
    public func evaluate(
        _ run: RunRecord, engine: TrainingRecord.Engine, seed: Int = 0, again: Bool = false
    ) throws -> Evaluation {
        guard
            var training = try store.trainings(run: run.storedID).first(where: {
                $0.engine == engine && $0.seed == seed
            })
        else {
            throw TrainingError.missing(
                what: "a training of \(run.path) by \(engine.rawValue) from seed \(seed)",
                command: "llmbench train \(run.path) --engine \(engine.rawValue) --seed \(seed)")
        }
        if !again {
            switch training.status {
            case .evaluated: return try stored(training)
            case .failed:
                throw TrainingError.failedBefore(
                    reason: training.failure ?? "the training failed; no reason was stored")
            case .running: throw TrainingError.unfinished(run: run.path, engine: engine.rawValue, seed: seed)
            case .trained: break
            }
        }
        let (dataset, hash) = try dataset(of: run)
        try requireSame(hash, training, run)
        _ = try references(of: dataset, hash: hash)
        let folder = directory(of: run).training(engine: engine.rawValue, seed: seed)
        let predictions = try Predictions(contentsOf: folder.appending(path: "predictions.safetensors"))
        do {
            let (evaluator, images) = try evaluator(of: run, training, dataset)
            let evaluation = try evaluator.evaluate(predictions, images: images)
            try write(evaluation, &training)
            return evaluation
        } catch let error as TrainingError where error.isPipelinesFault {
            training.failure = error.description
            training.status = .failed
            try store.updateTraining(training)
            throw error
        }
    }

    /// The threshold and the mean mask of a dataset, computed once.
    ///
    /// - Throws: `DatasetError`, `StoreError`.
    public func references(of dataset: Dataset, hash: String) throws -> DatasetReferenceRecord {
        if let known = try store.references().first(where: { $0.dataset == dataset.name && $0.datasetHash == hash }) {
            return known
        }
        let computed = try ReferenceDice.compute(dataset)
        let record = DatasetReferenceRecord(
            dataset: dataset.name, datasetHash: hash, samples: dataset.split.heldOut.count,
            bestThreshold: Double(computed.threshold.level) / 255, bestThresholdDice: computed.threshold.heldOutDice,
            meanMaskDice: computed.meanMask.heldOutDice)
        try store.storeReference(record)
        return record
    }

    /// Compares the first steps of our runtime and of the pipeline's own framework, and stores the result.
    ///
    /// - Throws: `TrainingError`, `SandboxError`, `StoreError`.
    public func parity(
        _ run: RunRecord, epochs: Int? = nil, seed: Int = 0, steps: Int = 20, again: Bool = false
    ) async throws -> ParityRecord {
        if !again,
            let known = try store.parities(run: run.storedID).first(where: { $0.seed == seed && $0.steps == steps })
        {
            return known
        }
        _ = try await capture(run, epochs: epochs, seed: seed)
        let pipeline = try CapturedPipeline(folder: directory(of: run).capture(seed: seed, epochs: epochs))
        let folder = directory(of: run).training(engine: "parity", seed: seed)
        let parity = try await Parity.measure(pipeline, steps: steps, seed: seed, threads: threads, folder: folder) {
            try await reference(pipeline, of: run, steps: steps, seed: seed, folder: folder)
        }
        let record = ParityRecord(
            runId: try run.storedID, seed: seed, steps: steps, largestLossDifference: parity.largestLossDifference,
            swiftLosses: parity.swift, pytorchLosses: parity.pytorch)
        try store.storeParity(record)
        return record
    }

    /// The first losses of the framework that the pipeline was written for.
    private func reference(
        _ pipeline: CapturedPipeline, of run: RunRecord, steps: Int, seed: Int, folder: URL
    ) async throws -> [Double] {
        guard run.target == PipelineTarget.tensorflow.rawValue else {
            return try await PyTorchEngine(helper: try requireHelper()).firstLosses(
                pipeline, steps: steps, seed: seed, folder: folder)
        }
        try DurableFile.makeFolder(folder)
        let data = try dataset(of: run).dataset.stageTraining(
            to: folder.appending(path: "data", directoryHint: .isDirectory))
        defer { try? FileManager.default.removeItem(at: data.folder) }
        return try await KerasEngine(helper: try requireHelper(of: run)).firstLosses(
            pipeline, code: directory(of: run).final, data: data.folder, steps: steps, seed: seed, folder: folder)
    }

    private func evaluator(
        of run: RunRecord, _ training: TrainingRecord, _ dataset: Dataset
    ) throws -> (Evaluator, SampleTensors) {
        if PipelineTarget(rawValue: run.target)?.isCaptured == false {
            let file = directory(of: run).training(engine: training.engine.rawValue, seed: training.seed)
                .appending(path: HeldOutRule.file)
            let rule = try HeldOutRule(contentsOf: file)
            return (
                Evaluator(dataset: dataset, threshold: rule.decision, batchSize: rule.batchSize),
                try SampleTensors(contentsOf: file)
            )
        }
        let folder = try captureFolder(of: run, training)
        let loop = try TrainingLoop(contentsOf: folder.appending(path: "pipeline.json"))
        let images = try SampleTensors(contentsOf: folder.appending(path: "data/heldout.safetensors"))
        // Where the prediction could not be captured, what the pipeline says of itself decides, or else a probability of one half.
        let graph = try? Graph(contentsOf: folder.appending(path: "eval-graph.json"))
        let threshold = graph?.threshold ?? Threshold(value: statedThreshold(run) ?? 0.5, comparison: .greater)
        return (Evaluator(dataset: dataset, threshold: threshold, batchSize: loop.testBatchSize ?? 1), images)
    }

    /// `threshold` of the `config.json` of a Keras pipeline, whose comparison is out of sight. In single precision, as it compares.
    private func statedThreshold(_ run: RunRecord) -> Double? {
        guard run.target == PipelineTarget.tensorflow.rawValue, let text = stated(by: run),
            let object = try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any],
            let value = (object["threshold"] as? NSNumber)?.doubleValue, (0...1).contains(value)
        else { return nil }
        return Double(Float(value))
    }

    /// The capture that a training was made from: the one of its epochs, or of the pipeline's own.
    private func captureFolder(of run: RunRecord, _ training: TrainingRecord) throws -> URL {
        let directory = directory(of: run)
        for epochs in [training.epochs, nil] {
            let folder = directory.capture(seed: training.seed, epochs: epochs)
            if FileManager.default.fileExists(atPath: folder.appending(path: "pipeline.json").path) { return folder }
        }
        throw TrainingError.missing(what: "the capture of \(run.path)", command: "llmbench capture \(run.path)")
    }

    private func requireSame(_ hash: String, _ training: TrainingRecord, _ run: RunRecord) throws {
        guard training.datasetHash == hash else {
            throw TrainingError.harness(
                reason: "the dataset of \(run.path) has changed since it was trained: train it again with --again")
        }
    }

    private func write(_ evaluation: Evaluation, _ training: inout TrainingRecord) throws {
        guard let id = training.id else { return }
        try store.storeHeldOut(
            evaluation.images.map {
                HeldOutRecord(trainingId: id, sample: $0.sample, dice: $0.dice, modelGridDice: $0.modelGridDice)
            }, batches: evaluation.batches, training: id)
        training.status = .evaluated
        try store.updateTraining(training)
    }

    private func stored(_ training: TrainingRecord) throws -> Evaluation {
        guard let id = training.id else { return Evaluation(images: [], batches: []) }
        return Evaluation(
            images: try store.heldOut(training: id).map {
                HeldOutScore(sample: $0.sample, dice: $0.dice, modelGridDice: $0.modelGridDice ?? .nan)
            }, batches: try store.heldOutBatches(training: id).map(\.dice))
    }
}
