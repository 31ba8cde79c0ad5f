import Datasets
import Diagnosis
import Files
import Foundation
import ResultStore
import Synchronization
import TensorRuntime

extension TrainingStage {
    /// Trains a run with one engine from one seed, or returns what an earlier call trained.
    ///
    /// - Parameters:
    ///   - epochs: nil leaves the choice to the pipeline.
    ///   - again: forgets an earlier training of this engine and seed.
    /// - Throws: `TrainingError` (the pipeline's own failures are stored), `CaptureError`, `SandboxError`, `DatasetError`,
    ///   `StoreError`.
    public func train(
        _ run: RunRecord, engine: TrainingRecord.Engine, epochs: Int? = nil, seed: Int = 0, again: Bool = false,
        observer: TrainingObserver = TrainingObserver()
    ) async throws -> TrainingRecord {
        if engine != .emitted { try requireCapturable(run) }
        if engine == .pytorch, run.target == PipelineTarget.tensorflow.rawValue {
            throw TrainingError.notCapturable(
                reasons: ["the engine pytorch trains pipelines of the target pytorch: use swift or emitted"])
        }
        let isCaptured = PipelineTarget(rawValue: run.target)?.isCaptured ?? true
        let folder = directory(of: run).training(engine: engine.rawValue, seed: seed)
        try DurableFile.makeFolder(folder)
        let lock = try Self.lock(folder, run: run)
        defer { lock.release() }
        let (dataset, hash) = try dataset(of: run)
        var ledger = try TrainingLedger(
            store: store, run: run, engine: engine, seed: seed, epochs: epochs, datasetHash: hash,
            threads: engine == .swift
                ? RuntimeOptions(threads: threads).threads : (try? requireHelper(of: run))?.threads, again: again)
        if ledger.isTrained { return ledger.record }
        if again { try Self.clear(folder) }
        if isCaptured { _ = try await capture(run, epochs: epochs, seed: seed) }
        do {
            switch engine {
            case .swift: try trainSwift(run, epochs: epochs, seed: seed, folder: folder, &ledger, observer)
            case .pytorch: try await trainPyTorch(run, epochs: epochs, seed: seed, folder: folder, &ledger, observer)
            case .emitted:
                try await trainEmitted(run, dataset, epochs: epochs, seed: seed, folder: folder, &ledger, observer)
            }
        } catch let error as TrainingError {
            try ledger.fail(error)
            throw error
        }
        return ledger.record
    }

    private func trainSwift(
        _ run: RunRecord, epochs: Int?, seed: Int, folder: URL, _ ledger: inout TrainingLedger,
        _ observer: TrainingObserver
    ) throws {
        let pipeline = try CapturedPipeline(folder: directory(of: run).capture(seed: seed, epochs: epochs))
        let trainer = try SwiftTrainer(
            pipeline, options: .init(epochs: epochs, seed: seed, threads: threads), folder: folder)
        try ledger.update { $0.epochs = trainer.epochs }
        let rows = Mutex(ledger)
        let outcome = try trainer.train(
            TrainingObserver(
                progress: observer.progress,
                epoch: { epoch in
                    try rows.withLock { try $0.store(epoch) }
                    try observer.epoch(epoch)
                }, note: observer.note))
        try DurableFile.write(SafeTensors.encode(outcome.weights), to: folder.appending(path: "weights.safetensors"))
        if let heldOut = pipeline.heldOut {
            let start = ContinuousClock.now
            let probabilities = try trainer.predict(
                heldOut, weights: outcome.weights, batch: pipeline.loop.testBatchSize ?? 1)
            let seconds = (ContinuousClock.now - start) / .seconds(1)
            try ledger.update { $0.inferenceSeconds = seconds }
            try Predictions(ids: heldOut.ids.map { $0 ?? "" }, probabilities: probabilities)
                .write(to: folder.appending(path: "predictions.safetensors"))
        }
        try storeTestScores(pipeline, trainer, outcome, ledger)
        try Self.complete(&ledger, outcome)
    }

    /// Mean Dice of each batch of the pipeline's own test part, on the model's grid.
    private func storeTestScores(
        _ pipeline: CapturedPipeline, _ trainer: SwiftTrainer, _ outcome: TrainingOutcome, _ ledger: TrainingLedger
    ) throws {
        guard let test = pipeline.test, test.count > 0, test.masks != nil, let id = ledger.record.id else { return }
        let size = pipeline.loop.testBatchSize ?? 1
        let probability = try trainer.predict(test, weights: outcome.weights, batch: size)
        let order = BatchOrder(samples: test.count, batchSize: size, dropLast: false, shuffle: false, seed: 0)
        let scores = try ValidationScores(
            probabilities: order.batches(epoch: 1).map { try probability.rows($0) }, samples: test,
            threshold: pipeline.evaluation.threshold)
        try store.storeTestBatches(scores.batchDice, training: id)
    }

    private func trainPyTorch(
        _ run: RunRecord, epochs: Int?, seed: Int, folder: URL, _ ledger: inout TrainingLedger,
        _ observer: TrainingObserver
    ) async throws {
        let pipeline = try CapturedPipeline(folder: directory(of: run).capture(seed: seed, epochs: epochs))
        guard let count = epochs ?? pipeline.loop.epochs, count > 0 else {
            throw TrainingError.notCapturable(reasons: ["its number of epochs was not seen; give --epochs N"])
        }
        try ledger.update { $0.epochs = count }
        let (outcome, predictions, seconds) = try await PyTorchEngine(helper: try requireHelper()).train(
            pipeline, epochs: count, seed: seed, folder: folder, progress: observer.progress)
        try ledger.update { $0.inferenceSeconds = seconds }
        for epoch in outcome.history {
            try ledger.store(epoch)
            try observer.epoch(epoch)
        }
        try DurableFile.write(SafeTensors.encode(outcome.weights), to: folder.appending(path: "weights.safetensors"))
        try predictions.write(to: folder.appending(path: "predictions.safetensors"))
        try Self.complete(&ledger, outcome)
    }

    private func trainEmitted(
        _ run: RunRecord, _ dataset: Dataset, epochs: Int?, seed: Int, folder: URL, _ ledger: inout TrainingLedger,
        _ observer: TrainingObserver
    ) async throws {
        let directory = directory(of: run)
        let data = try dataset.stageTraining(to: folder.appending(path: "data", directoryHint: .isDirectory))
        defer { try? FileManager.default.removeItem(at: data.folder) }
        let result: EmittedEngine.Result
        if PipelineTarget(rawValue: run.target) == .swift {
            guard let swift else {
                throw TrainingError.harness(reason: "the Swift toolchain is needed here and was not set up")
            }
            let heldOut = try dataset.stageHeldOut(to: folder.appending(path: "heldout", directoryHint: .isDirectory))
            defer { try? FileManager.default.removeItem(at: heldOut.folder) }
            result = try await SwiftProgramEngine(programs: swift).train(
                code: directory.final, data: data.folder, heldOut: heldOut.folder, epochs: epochs, seed: seed,
                folder: folder, progress: observer.progress)
        } else {
            result = try await EmittedEngine(helper: try requireHelper(of: run)).train(
                code: directory.final, data: data.folder, capture: directory.capture(seed: seed, epochs: epochs),
                epochs: epochs, seed: seed, folder: folder, progress: observer.progress)
        }
        for epoch in result.history {
            try ledger.store(epoch)
            try observer.epoch(epoch)
        }
        if let id = ledger.record.id { try store.storeTestBatches(result.testDice, training: id) }
        try result.predictions.write(to: folder.appending(path: "predictions.safetensors"))
        try ledger.update { record in
            record.status = .trained
            record.epochs = record.epochs ?? result.history.count
            record.seconds = result.seconds
            record.inferenceSeconds = result.inferenceSeconds
            record.endedAt = Date()
        }
    }

    private static func complete(_ ledger: inout TrainingLedger, _ outcome: TrainingOutcome) throws {
        try ledger.update { record in
            record.status = .trained
            record.bestEpoch = outcome.bestEpoch
            record.stoppedAtEpoch = outcome.stoppedAtEpoch
            record.seconds = outcome.seconds
            record.endedAt = Date()
        }
    }

    private static func lock(_ folder: URL, run: RunRecord) throws -> FileLock {
        do {
            return try FileLock(trying: folder.appending(path: "lock"))
        } catch FileLock.Failure.held {
            throw TrainingError.harness(
                reason: "another llmbench trains \(run.path) with this engine and seed: wait for it")
        } catch {
            throw TrainingError.harness(reason: "\(error)")
        }
    }

    private static func clear(_ folder: URL) throws {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [] where name != "lock" {
            try? FileManager.default.removeItem(at: folder.appending(path: name))
        }
    }
}
