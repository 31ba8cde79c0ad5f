import Audit
import Datasets
import Foundation
import GRDB
import Hashing
import ResultStore
import TestSupport
import Testing

/// A study in which everything holds together, in a real store beside a real dataset: what faults are planted in.
struct SyntheticStudy {
    struct Shape {
        var models = 2
        var runs = 1
        var engines: [TrainingRecord.Engine] = [.swift]
        var seeds = [0]
        var epochs = 4
        /// Images; a sixth of them is held out.
        var images = 36
        /// Written as a training image's copy where a held-out image is due.
        var hasCopiedImage = false
        /// The pipelines' own seed, where they have one.
        var ownSeed: Int?
    }

    let workspace: Workspace
    let store: ResultStore
    let dataset: Dataset
    let datasetHash: String
    let shape: Shape
    static let name = "s"
    static let price = AuditSurroundings.Price(input: 2.5, output: 10)
    static let batchSize = 2

    init(_ shape: Shape = Shape(), seed: UInt64 = 1) throws {
        self.shape = shape
        var random = SeededGenerator(seed: seed)
        let root = FileManager.default.temporaryDirectory.appending(path: "llmbench-audit-\(UUID().uuidString)")
        workspace = Workspace(root: root)
        try FileManager.default.createDirectory(at: workspace.prompts, withIntermediateDirectories: true)
        try Data("Segment {{foreground}}.\n".utf8).write(to: workspace.prompts.appending(path: "pytorch.md"))
        dataset = try Self.makeDataset(shape, in: workspace, &random)
        datasetHash = try dataset.contentHash()
        store = try ResultStore(path: workspace.database(study: Self.name))
        try store.storeReference(
            DatasetReferenceRecord(
                dataset: dataset.name, datasetHash: datasetHash, samples: dataset.split.heldOut.count,
                bestThreshold: 0.4, bestThresholdDice: 0.3, meanMaskDice: 0.4))
        for model in 0..<shape.models {
            for index in 1...shape.runs { try addRun("model-\(model)", index, &random) }
        }
    }

    func remove() { try? FileManager.default.removeItem(at: workspace.root) }

    func surroundings() throws -> AuditSurroundings {
        var surroundings = try AuditSurroundings(workspace: workspace, store: store, study: Self.name)
        surroundings.prices = Dictionary(uniqueKeysWithValues: (0..<shape.models).map { ("model-\($0)", Self.price) })
        return surroundings
    }

    func audit() throws -> AuditReport {
        try StudyAudit(store: store, study: Self.name, surroundings: surroundings()).report()
    }

    /// Statements on the database, as a slip of a hand or another program would make them.
    func sql(_ statements: String...) throws {
        var configuration = Configuration()
        configuration.foreignKeysEnabled = false
        let queue = try DatabaseQueue(path: store.path.path, configuration: configuration)
        try queue.write { db in for statement in statements { try db.execute(sql: statement) } }
    }

    private static func makeDataset(
        _ shape: Shape, in workspace: Workspace, _ random: inout SeededGenerator
    ) throws -> Dataset {
        let scans = workspace.root.appending(path: "scans", directoryHint: .isDirectory)
        for part in ["images", "masks"] {
            try FileManager.default.createDirectory(at: scans.appending(path: part), withIntermediateDirectories: true)
        }
        for index in 0..<shape.images {
            var image = try Image(width: 16, height: 16, channels: 1)
            var mask = try Image(width: 16, height: 16, channels: 1)
            for y in 0..<16 {
                for x in 0..<16 {
                    let isInside = abs(x - 8) + abs(y - 8) < 3 + index % 4
                    image[x: x, y: y] = UInt8.random(in: 0...99, using: &random) + (isInside ? 100 : 0)
                    mask[x: x, y: y] = isInside ? 255 : 0
                }
            }
            let name = String(format: "p%03d.png", index)
            try PNG.write(image, to: scans.appending(path: "images/\(name)"))
            try PNG.write(mask, to: scans.appending(path: "masks/\(name)"))
        }
        let dataset = try DatasetPreparer(
            .init(name: "discs", imageKind: "discs", foreground: "the disc", heldOut: 1.0 / 6)
        ).prepare(scans, into: DatasetCatalogue(root: workspace.datasets)).dataset
        if shape.hasCopiedImage {
            // Compressed anew: the bytes of the file differ, the picture does not.
            try PNG.write(
                dataset.image(dataset.split.training[0]), to: dataset.imageURL(dataset.split.heldOut[0]), level: 0)
        }
        return dataset
    }

    private func addRun(_ model: String, _ index: Int, _ random: inout SeededGenerator) throws {
        let key = RunKey(
            study: Self.name, dataset: dataset.name, model: model, target: "pytorch", promptHash: "abcd1234",
            index: index)
        let template = try Data(contentsOf: workspace.prompts.appending(path: "pytorch.md"))
        var run = try store.beginRun(
            RunRecord(
                key: key, provider: "openai", templateHash: SHA256.hexadecimal(template), datasetHash: datasetHash))
        let id = try #require(run.id)
        let failures = Int.random(in: 0...2, using: &random)
        for round in 0...failures { try addRound(round, of: run, isLast: round == failures, &random) }
        run = try store.setStatus(.succeeded, reason: "it ran", of: run)
        let batch = Self.batchSize
        let learningRate = [1e-3, 1e-4, 3e-4].randomElement(using: &random) ?? 1e-3
        for seed in shape.seeds {
            try addCapture(of: id, seed: seed, batch: batch, learningRate: learningRate, &random)
        }
        let level = Double.random(in: 0.3...0.9, using: &random)
        for engine in shape.engines {
            for seed in shape.seeds { try addTraining(of: id, engine, seed, level: level, &random) }
        }
        let losses = (0..<20).map { 0.7 / Double($0 + 1) + Double.random(in: 0...0.01, using: &random) }
        let theirs = losses.map { $0 + Double.random(in: -1e-6...1e-6, using: &random) }
        try store.storeParity(
            ParityRecord(
                runId: id, seed: 0, steps: 20,
                largestLossDifference: zip(losses, theirs).map { abs($0 - $1) }.max() ?? 0,
                swiftLosses: losses, pytorchLosses: theirs))
    }

    private func addRound(
        _ round: Int, of run: RunRecord, isLast: Bool, _ random: inout SeededGenerator
    ) throws {
        let id = try #require(run.id)
        var exchange = try store.insertExchange(ExchangeRecord(runId: id, round: round, ordinal: 0, requestHash: "r"))
        let (input, output) = (Int.random(in: 500...9000, using: &random), Int.random(in: 500...9000, using: &random))
        exchange.status = .complete
        (exchange.inputTokens, exchange.outputTokens) = (input, output)
        exchange.cost = (Double(input) * Self.price.input + Double(output) * Self.price.output) / 1e6
        try store.updateExchange(exchange)
        let program = Data("print(\(random.next()))\n".utf8)
        let file = RoundRecord.File(
            name: "main.py", sha256: SHA256.hexadecimal(program), bytes: program.count, changed: true)
        let directory = workspace.directory(of: run.key)
        for folder in [directory.round(round).files] + (isLast ? [directory.final] : []) {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try program.write(to: folder.appending(path: file.name))
        }
        try store.finishRound(
            RoundRecord(runId: id, round: round, outcome: isLast ? .clean : .error, files: [file], codeLines: 3),
            error: isLast
                ? nil
                : ErrorRecord(
                    runId: id, round: round, errorClass: "ValueError", subcategory: "other", message: "no",
                    signature: "s\(round)"),
            interactions: [])
    }

    /// 24 + 3 + 3 samples of 30, and a config.json that tells the truth.
    private func addCapture(
        of id: Int64, seed: Int, batch: Int, learningRate: Double, _ random: inout SeededGenerator
    ) throws {
        let samples = dataset.split.training.shuffled(using: &random)
        let tenth = samples.count / 10 * 2
        let split = [
            "test": Array(samples[..<tenth]), "validation": Array(samples[tenth..<(2 * tenth)]),
            "train": Array(samples[(2 * tenth)...]),
        ]
        let facts: [String: Any] = [
            "trainable_parameters": 487_297, "encoder_stages": 3, "encoder_channels": [16, 32, 64],
            "image_size": [16, 16],
            "channels": 1,
        ]
        let groups: [[String: Any]] = [["lr": learningRate, "weight_decay": 0, "parameters": ["a"]]]
        var pipeline: [String: Any] = [
            "schema": 1, "capturable": true, "refusals": [String](), "split": split, "facts": facts,
            "batch_size": batch, "validation_batch_size": batch, "test_batch_size": batch, "drop_last": false,
            "epochs": shape.epochs, "optimizer": ["name": "Adam", "groups": groups],
        ]
        if let own = shape.ownSeed { pipeline["seed"] = own }
        let stated: [String: Any] = [
            "trainable_parameters": 487_297, "encoder_stages": 3, "encoder_channels": [16, 32, 64], "input_size": 16,
            "input_channels": 1, "optimizer": "adam", "learning_rate": learningRate, "weight_decay": 0,
            "batch_size": batch,
            "epochs": 2, "loss": "my own words",
        ]
        func json(_ object: [String: Any]) throws -> String {
            String(decoding: try JSONSerialization.data(withJSONObject: object), as: UTF8.self)
        }
        _ = try store.storeCapture(
            CaptureRecord(
                runId: id, datasetHash: datasetHash, epochs: nil, seed: seed, status: .captured, facts: try json(facts),
                pipeline: try json(pipeline), stated: try json(stated)))
    }

    private func addTraining(
        of id: Int64, _ engine: TrainingRecord.Engine, _ seed: Int, level: Double, _ random: inout SeededGenerator
    ) throws {
        var training = try store.beginTraining(
            TrainingRecord(runId: id, engine: engine, seed: seed, epochs: shape.epochs, datasetHash: datasetHash))
        let key = try #require(training.id)
        let part = dataset.split.training.count / 10 * 2
        let batches = (part + Self.batchSize - 1) / Self.batchSize
        func scores(_ count: Int) -> [Double] {
            (0..<count).map { _ in min(1, max(0, level + Double.random(in: -0.05...0.05, using: &random))) }
        }
        for epoch in 1...shape.epochs {
            let loss = 0.7 / Double(epoch) + Double.random(in: 0...0.05, using: &random)
            try store.storeEpoch(
                EpochRecord(
                    trainingId: key, epoch: epoch, trainLoss: loss, validationLoss: loss * 1.1, commonBce: loss * 0.9,
                    commonSoftDice: max(0, 1 - loss), seconds: 1), validationDice: scores(batches))
        }
        try store.storeTestBatches(scores(batches), training: key)
        let dice = scores(dataset.split.heldOut.count)
        let held = zip(dataset.split.heldOut, dice).map {
            HeldOutRecord(trainingId: key, sample: $0, dice: $1, modelGridDice: $1 * 0.99)
        }
        let means = stride(from: 0, to: dice.count, by: Self.batchSize).map { start in
            let part = dice[start..<min(dice.count, start + Self.batchSize)]
            return part.reduce(0, +) / Double(part.count)
        }
        try store.storeHeldOut(held, batches: means, training: key)
        training.status = .evaluated
        try store.updateTraining(training)
    }
}
