import Foundation
import Sandbox
import TensorRuntime

/// The engine `pytorch`: the helper trains the captured graph in PyTorch, from the same weights on the same batches.
public struct PyTorchEngine: Sendable {
    public var helper: HelperProgram
    public var limits: SandboxLimits

    public init(
        helper: HelperProgram, limits: SandboxLimits = SandboxLimits(wallSeconds: 24 * 3600, cpuSeconds: 96 * 3600)
    ) {
        self.helper = helper
        self.limits = limits
    }

    /// Dropout masks of a job.
    enum Dropout: String {
        case draw, off
    }

    struct Steps: Decodable {
        var losses: [Double]
    }

    private struct Epochs: Decodable {
        struct Epoch: Decodable {
            var epoch: Int
            var trainLoss: Double?
            var validationLoss: Double?
            var learningRate: Double?
            var seconds: Double?

            enum CodingKeys: String, CodingKey {
                case epoch, seconds
                case trainLoss = "train_loss"
                case validationLoss = "validation_loss"
                case learningRate = "learning_rate"
            }
        }

        var epochs: [Epoch]
        var bestEpoch: Int?
        var stoppedEarly: Bool
        var predictionSeconds: Double?

        enum CodingKeys: String, CodingKey {
            case epochs
            case bestEpoch = "best_epoch"
            case stoppedEarly = "stopped_early"
            case predictionSeconds = "prediction_seconds"
        }
    }

    /// Trains to the end. What was killed goes on after its last whole epoch, to the same bits.
    ///
    /// - Parameter folder: Receives logs, checkpoints and results.
    /// - Throws: `TrainingError`, `SandboxError`.
    public func train(
        _ pipeline: CapturedPipeline, epochs: Int, seed: Int, folder: URL,
        progress: @escaping @Sendable (TrainingProgress) -> Void = { _ in }
    ) async throws -> (outcome: TrainingOutcome, predictions: Predictions, inferenceSeconds: Double?) {
        let order = pipeline.order(seed: seed)
        let record = try await run(
            pipeline, batches: (1...max(1, epochs)).map(order.batches), steps: nil, dropout: .draw, seed: seed,
            folder: folder, progress: progress)
        let report: Epochs = try read("epochs.json", in: record)
        let history = try report.epochs.map {
            try result($0, try validationProbability(epoch: $0.epoch, in: record), pipeline)
        }
        let weights = try tensors("final.safetensors", in: record)
        let outcome = TrainingOutcome(
            history: history, weights: weights,
            bestEpoch: report.bestEpoch == history.last?.epoch ? nil : report.bestEpoch,
            stoppedAtEpoch: report.stoppedEarly ? history.last?.epoch : nil)
        return (
            outcome, try Predictions(data: record.data("predictions.safetensors", limit: 8 << 30)),
            report.predictionSeconds
        )
    }

    /// The losses of the first steps with dropout off: see `SwiftTrainer.firstLosses`.
    ///
    /// - Throws: `TrainingError`, `SandboxError`.
    public func firstLosses(_ pipeline: CapturedPipeline, steps: Int, seed: Int, folder: URL) async throws -> [Double] {
        try? FileManager.default.removeItem(at: folder.appending(path: "out"))
        let record = try await run(
            pipeline, batches: [pipeline.order(seed: seed).firstBatches(steps)], steps: steps, dropout: .off,
            seed: seed,
            folder: folder, plain: true)
        return (try read("steps.json", in: record) as Steps).losses
    }

    /// What PyTorch makes of the first batches, three times: see the helper's mode `agree`.
    ///
    /// - Throws: `TrainingError`, `SandboxError`.
    func reference(_ pipeline: CapturedPipeline, steps: Int, seed: Int, folder: URL) async throws -> [String: Tensor] {
        try? FileManager.default.removeItem(at: folder.appending(path: "out"))
        let record = try await run(
            pipeline, batches: [pipeline.order(seed: seed).firstBatches(steps)], steps: nil, dropout: .off, seed: seed,
            folder: folder, mode: "agree", plain: true)
        return try tensors("agree.safetensors", in: record)
    }

    /// - Parameter plain: one optimizer step a batch, for comparisons.
    private func run(
        _ pipeline: CapturedPipeline, batches: [[[Int]]], steps: Int?, dropout: Dropout, seed: Int, folder: URL,
        mode: String = "train-graph", plain: Bool = false,
        progress: @escaping @Sendable (TrainingProgress) -> Void = { _ in }
    ) async throws -> HelperRecord {
        let job = folder.appending(path: "job", directoryHint: .isDirectory)
        let out = folder.appending(path: "out", directoryHint: .isDirectory)
        try DurableFile.write(
            jobData(pipeline, batches: batches, steps: steps, dropout: dropout, plain: plain),
            to: job.appending(path: "job.json"))
        let outcome = try await helper.run(
            mode: [mode, "--job", "/job/job.json"],
            mounts: [.init(host: pipeline.folder, inside: "/capture"), .init(host: job, inside: "/job")], out: out,
            seed: seed, limits: limits, progress: progress)
        if let failure = outcome.failure {
            let line = HelperProgram.lastLine(of: folder.appending(path: "stderr")) ?? failure
            if line.contains("the loss is") {
                throw TrainingError.pipelineFailed(reason: line)
            }
            throw TrainingError.harness(reason: "PyTorch could not train the captured graph: \(line)")
        }
        return HelperRecord(out: out)
    }

    private func jobData(
        _ pipeline: CapturedPipeline, batches: [[[Int]]], steps: Int?, dropout: Dropout, plain: Bool
    ) throws -> Data {
        let text = try DurableFile.read(
            pipeline.folder.appending(path: "pipeline.json"), limit: TrainingLoop.maximumBytes)
        guard var description = try JSONSerialization.jsonObject(with: text) as? [String: Any] else {
            throw TrainingError.badCapture(file: "pipeline.json", reason: "it is no JSON object")
        }
        // The scheduler stays: one that begins with a warm-up, or steps with the batches, sets the rates of the first steps too.
        if plain { description["accumulation"] = 1 }
        let job: [String: Any] = [
            "capture": "/capture", "pipeline": description, "order": batches, "max_steps": steps ?? NSNull(),
            "dropout": dropout.rawValue, "threads": helper.threads, "predict_validation": !plain,
        ]
        return try JSONSerialization.data(withJSONObject: job, options: .sortedKeys)
    }

    private func result(_ epoch: Epochs.Epoch, _ probability: Tensor?, _ pipeline: CapturedPipeline) throws
        -> EpochResult
    {
        var result = EpochResult(
            epoch: epoch.epoch, trainLoss: epoch.trainLoss ?? .nan, validationLoss: epoch.validationLoss,
            learningRates: epoch.learningRate.map { [$0] } ?? [], seconds: epoch.seconds ?? 0)
        guard let probability, let samples = pipeline.validation, samples.masks != nil else { return result }
        let size = pipeline.loop.validationBatchSize ?? pipeline.loop.batchSize ?? 1
        let batches = BatchOrder(samples: samples.count, batchSize: size, dropLast: false, shuffle: false, seed: 0)
        try ValidationScores(
            probabilities: batches.batches(epoch: 1).map { try probability.rows($0) }, samples: samples,
            threshold: pipeline.evaluation.threshold
        ).write(to: &result)
        return result
    }

    private func read<T: Decodable>(_ name: String, in record: HelperRecord) throws -> T {
        let data = try record.data(name, limit: 256 << 20)
        do {
            return try JSONDecoder().decode(T.self, from: EmittedReport.withoutNotANumber(data))
        } catch {
            throw TrainingError.harness(reason: "the helper's \(name) is not of the expected form")
        }
    }

    private func tensors(_ name: String, in record: HelperRecord) throws -> [String: Tensor] {
        do {
            return try SafeTensors(data: record.data(name, limit: 8 << 30), name: name).tensors()
        } catch {
            throw TrainingError.harness(reason: "the helper's \(name) cannot be read: \(error)")
        }
    }

    private func validationProbability(epoch: Int, in record: HelperRecord) throws -> Tensor? {
        let name = "validation.\(epoch).safetensors"
        guard record.has(name) else { return nil }
        return try tensors(name, in: record)["probability"]
    }
}
