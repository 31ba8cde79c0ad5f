import Foundation
import ResultStore
import Testing

@testable import Reporting

/// A small study in a real store and a real folder: one run that learns, one that learns nothing, one that never ran.
struct SampleStudy {
    let workspace: Workspace
    let store: ResultStore

    static let hostile = "</pre><script>alert(1)</script>\u{1b}[31m<img src=x onerror=alert(2)>{{reply}}"

    init() throws {
        let root = FileManager.default.temporaryDirectory.appending(path: "llmbench-report-\(UUID().uuidString)")
        workspace = Workspace(root: root)
        store = try ResultStore(path: workspace.database(study: "s"))
        try store.storeReference(
            DatasetReferenceRecord(
                dataset: "d", datasetHash: "h", samples: 12, bestThreshold: 0.4, bestThresholdDice: 0.31,
                meanMaskDice: 0.42))
        try addLearner()
        try addFlatline()
        try addNever()
    }

    func evidence() throws -> StudyEvidence { try StudyEvidence(store: store, study: "s") }

    func remove() { try? FileManager.default.removeItem(at: workspace.root) }

    private func begin(_ model: String, status: RunRecord.Status, fixture: Bool = true) throws -> Int64 {
        let key = RunKey(study: "s", dataset: "d", model: model, target: "pytorch", promptHash: "abcd1234", index: 1)
        var record = RunRecord(key: key, provider: "replay", fixture: fixture, datasetHash: "h")
        record.status = status
        let id = try #require(try store.beginRun(record).id)
        return id
    }

    private func addLearner() throws {
        let id = try begin("learner", status: .succeeded)
        let round = workspace.directory(
            of: RunKey(study: "s", dataset: "d", model: "learner", target: "pytorch", promptHash: "abcd1234", index: 1))
        for index in 0...1 {
            let folder = round.round(index)
            try FileManager.default.createDirectory(at: folder.files, withIntermediateDirectories: true)
            try FileManager.default.createDirectory(at: folder.check, withIntermediateDirectories: true)
            try Data(Self.hostile.utf8).write(to: folder.reply)
            try Data("import torch\nraise ValueError\n".utf8).write(to: folder.files.appending(path: "main.py"))
            try Data("Traceback\n\(Self.hostile)\n".utf8).write(to: folder.standardError)
        }
        let files = [RoundRecord.File(name: "main.py", sha256: "0", bytes: 29, changed: true)]
        try store.finishRound(
            RoundRecord(
                runId: id, round: 0, outcome: .error, files: files, codeLines: 2, termination: "exit 1",
                checkSeconds: 3.5),
            error: ErrorRecord(
                runId: id, round: 0, errorClass: "ValueError", subcategory: "shape mismatch", message: Self.hostile,
                file: "main.py",
                line: 2, signature: "x"),
            interactions: [InteractionRecord(runId: id, round: 0, ordinal: 0, kind: .error, text: Self.hostile)])
        try store.finishRound(
            RoundRecord(runId: id, round: 1, outcome: .clean, files: files, codeLines: 2, checkSeconds: 9), error: nil,
            interactions: [])
        _ = try store.storeCapture(
            CaptureRecord(
                runId: id, datasetHash: "h", epochs: nil, seed: 0, status: .captured,
                facts: #"{"trainable_parameters": 31, "encoder_channels": [8, 16], "conv_block": "(Conv-BN-ReLU)x2"}"#,
                pipeline:
                    #"{"optimizer": {"name": "Adam", "groups": [{"lr": 0.002, "weight_decay": 0}]}, "scheduler": null, "batch_size": 8, "epochs": 6}"#,
                stated:
                    #"{"encoder_channels": [8, 16], "learning_rate": 0.001, "optimizer": "Adam", "conv_block": "(conv3x3-batchnorm-relu)x2"}"#
            ))
        for (engine, offset) in [(TrainingRecord.Engine.swift, 0.0), (.emitted, -0.01)] {
            try addTraining(
                run: id, engine: engine, losses: (1...6).map { 0.7 / Double($0) },
                dice: (0..<12).map { 0.7 + 0.02 * Double($0) + offset })
        }
        try store.storeParity(
            ParityRecord(
                runId: id, seed: 0, steps: 20, largestLossDifference: 0.00002, swiftLosses: [0.7], pytorchLosses: [0.7])
        )
    }

    private func addFlatline() throws {
        let id = try begin("flatline", status: .succeeded)
        try store.finishRound(
            RoundRecord(runId: id, round: 0, outcome: .clean, files: [], codeLines: 2), error: nil, interactions: [])
        try addTraining(
            run: id, engine: .swift, losses: [0.91, 0.905, 0.909, 0.907, 0.906], dice: (0..<12).map { Double($0) / 40 })
    }

    private func addNever() throws {
        let id = try begin("never", status: .roundLimit)
        for (index, name) in ["ImportError", "ContractViolation"].enumerated() {
            try store.finishRound(
                RoundRecord(runId: id, round: index, outcome: index == 0 ? .error : .contract, files: [], codeLines: 9),
                error: ErrorRecord(
                    runId: id, round: index, errorClass: name, subcategory: "other", message: "no", signature: name),
                interactions: [
                    InteractionRecord(
                        runId: id, round: index, ordinal: 0, kind: index == 0 ? .error : .contract, text: "no")
                ])
        }
    }

    private func addTraining(run: Int64, engine: TrainingRecord.Engine, losses: [Double], dice: [Double]) throws {
        var training = try store.beginTraining(
            TrainingRecord(runId: run, engine: engine, seed: 0, epochs: losses.count, datasetHash: "h"))
        let id = try #require(training.id)
        for (index, loss) in losses.enumerated() {
            try store.storeEpoch(
                EpochRecord(
                    trainingId: id, epoch: index + 1, trainLoss: loss, validationLoss: loss * 1.1, commonBce: loss,
                    commonSoftDice: 1 - loss, seconds: 1),
                validationDice: [0.5, 0.6])
        }
        try store.storeHeldOut(
            dice.enumerated().map { HeldOutRecord(trainingId: id, sample: "s\($0)", dice: $1, modelGridDice: $1) },
            batches: [0.7],
            training: id)
        training.status = .evaluated
        training.seconds = 12
        try store.updateTraining(training)
    }
}
