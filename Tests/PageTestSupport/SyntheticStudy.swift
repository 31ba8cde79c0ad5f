import Datasets
import Foundation
import Hashing
import ResultStore
import TensorRuntime
import Training

/// A study as the harness would leave it, of made-up runs: conversations in files, numbers in the store, predictions beside them.
///
/// The same for the same size. Model names, errors and scores are invented and mean nothing.
public struct SyntheticStudy: Sendable {
    public let workspace: Workspace
    public let store: ResultStore
    public let name: String
    private let datasets: [Dataset]
    private let hashes: [String: String]
    private let seeds: Int

    /// Runs a model in a large study.
    private static let runsAModel = 20
    private static let models = [
        "aspen-2", "aspen-2-reasoning", "birch-large", "birch-mini", "cedar-4", "cedar-4-reasoning", "dogwood",
        "elm-70b",
        "elm-405b", "fir-coder", "ginkgo-pro", "hazel", "ivy-1", "juniper-r1", "koa-mini", "larch-3", "maple-next",
        "nutmeg",
        "oak-5", "oak-5-reasoning", "pine-turbo", "quince", "rowan-2", "spruce-xl", "teak-open",
    ]

    /// Made alike, but for their images; named so that figures and tables meet short and long names.
    private static let datasetNames = [
        "ellipses", "vocal-folds", "colin27-cerebellum", "lesions", "myoma", "fundus-vessels",
    ]

    /// - Parameters:
    ///   - root: An empty folder, or one that does not exist.
    ///   - datasets: At most six; runs take turns on them.
    ///   - seeds: That each run is trained from.
    public init(root: URL, name: String = "synthetic", datasets: Int = 1, seeds: Int = 1) throws {
        self.name = name
        workspace = Workspace(root: root)
        try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
        try Data("schema: 1\nmodels: []\n".utf8).write(to: workspace.models)
        self.seeds = seeds
        let workspace = workspace
        self.datasets = try Self.datasetNames.prefix(max(1, datasets)).enumerated().map { index, name in
            try Self.makeDataset(name, phase: 100 * index, workspace)
        }
        hashes = Dictionary(uniqueKeysWithValues: try self.datasets.map { ($0.name, try $0.contentHash()) })
        store = try ResultStore(path: workspace.database(study: name))
        for (index, dataset) in self.datasets.enumerated() {
            try store.storeReference(
                DatasetReferenceRecord(
                    dataset: dataset.name, datasetHash: hashes[dataset.name] ?? "",
                    samples: dataset.split.heldOut.count, bestThreshold: 0.42,
                    bestThresholdDice: 0.512 - 0.04 * Double(index), meanMaskDice: 0.438))
        }
    }

    /// Ellipses on a textured ground: easy to see, not easy to threshold.
    private static func makeDataset(_ name: String, phase: Int, _ workspace: Workspace) throws -> Dataset {
        let scans = workspace.root.appending(path: phase == 0 ? "scans" : "scans-\(name)")
        for part in ["images", "masks"] {
            try FileManager.default.createDirectory(
                at: scans.appending(path: part), withIntermediateDirectories: true)
        }
        let size = 96
        for index in 0..<32 {
            var random = Random(UInt64(phase + index))
            var image: [UInt8] = []
            var mask: [UInt8] = []
            for pixel in 0..<size * size {
                let isInside = Self.inside(pixel % size, pixel / size, phase + index, size)
                let wave = 28 * sin(Double(pixel % size) / 7 + Double(phase + index)) * cos(Double(pixel / size) / 9)
                image.append(UInt8(max(0, min(255, (isInside ? 150 : 85) + wave + 40 * (random.unit() - 0.5)))))
                mask.append(isInside ? 255 : 0)
            }
            for (part, bytes) in [("images", image), ("masks", mask)] {
                let picture = try Image(width: size, height: size, channels: 1, bytes: bytes)
                try PNG.write(picture, to: scans.appending(path: "\(part)/scan-\(index < 10 ? "0" : "")\(index).png"))
            }
        }
        return try DatasetPreparer(
            .init(name: name, imageKind: "made-up scans", foreground: "the ellipse", heldOut: 0.4)
        ).prepare(scans, into: DatasetCatalogue(root: workspace.datasets)).dataset
    }

    private static func inside(_ x: Int, _ y: Int, _ index: Int, _ size: Int, wobble: Double = 0) -> Bool {
        let dx = Double(x - size / 2) - 12 * sin(Double(index)) - wobble * 5
        let dy = Double(y - size / 2) - 10 * cos(Double(index) * 1.3) + wobble * 3
        let (a, b) = (20 + 6 * sin(Double(index) * 0.7) + wobble * 3, 15 + 4 * cos(Double(index)))
        return dx * dx / (a * a) + dy * dy / (b * b) < 1
    }

    /// Adds runs until there are `count`.
    ///
    /// - Parameter epochs: of each training.
    public func addRuns(_ count: Int, epochs: Int = 12) throws {
        for number in try store.runs().count..<count { try addRun(number, of: count, epochs: epochs) }
    }

    /// The key of a run, which counts from 0.
    public func key(_ run: Int, of runs: Int) -> RunKey {
        let (number, count) = (run / datasets.count, runs / datasets.count)
        let dataset = datasets[run % datasets.count].name
        let aModel = count > Self.models.count ? max(2, min(Self.runsAModel, count / Self.models.count)) : 1
        let model = Self.models[number / aModel % Self.models.count]
        return RunKey(
            study: name, dataset: dataset, model: model, target: "pytorch", promptHash: "5f2d09ab",
            index: number % aModel + 1 + number / (aModel * Self.models.count) * aModel)
    }

    /// One run with its conversation, and where its code came to run, a capture and a training.
    public func addRun(_ number: Int, of count: Int, epochs: Int = 12) throws {
        var random = Random(UInt64(1000 + number))
        let key = key(number, of: count)
        let place = Self.models.firstIndex(of: key.model) ?? 0
        var record = RunRecord(
            key: key, provider: "openai", endpointModel: key.model + "-latest",
            cohortYear: place % 2 == 0 ? 2024 : 2025,
            reasoning: key.model.hasSuffix("reasoning") || place % 5 == 1,
            vendor: String(key.model.prefix { $0 != "-" }), openWeights: place % 3 == 0,
            datasetHash: hashes[key.dataset] ?? "")
        let failures = Int(random.unit() * 4)
        let succeeds = random.unit() > 0.12
        record.status = succeeds ? .succeeded : .roundLimit
        record.endReason = succeeds ? nil : "20 feedbacks are used up"
        let id = try store.beginRun(record).id ?? -1
        for round in 0...failures {
            try addRound(round, clean: succeeds && round == failures, run: id, key: key, &random)
        }
        guard succeeds else { return }
        try addCapture(run: id, key: key, number: number / datasets.count)
        guard random.unit() > 0.05 else { return }
        // Models, datasets and runs each have their share in how well it goes; later models are a little better.
        var model = Random(UInt64(place))
        let dataset = datasets.firstIndex { $0.name == key.dataset } ?? 0
        let quality =
            0.6 + 0.26 * model.unit() + (place % 2 == 0 ? 0 : 0.03) - 0.04 * Double(dataset)
            + 0.1 * (random.unit() - 0.5)
        for seed in 0..<seeds {
            // Models choose different lengths.
            try addTraining(
                run: id, key: key, seed: seed, epochs: epochs + 4 * (place % 3), quality: quality, &random)
        }
    }

    /// One round: its files on disk and its rows in the store.
    public func addRound(_ round: Int, clean: Bool, run: Int64, key: RunKey, seed: UInt64 = 7) throws {
        var random = Random(seed)
        try addRound(round, clean: clean, run: run, key: key, &random)
    }

    private func addRound(_ round: Int, clean: Bool, run: Int64, key: RunKey, _ random: inout Random) throws {
        let folder = workspace.directory(of: key).round(round)
        try FileManager.default.createDirectory(at: folder.files, withIntermediateDirectories: true)
        try FileManager.default.createDirectory(at: folder.check, withIntermediateDirectories: true)
        let failure = SampleProgram.failures[Int(random.unit() * Double(SampleProgram.failures.count))]
        var files: [RoundRecord.File] = []
        for (file, text) in SampleProgram.files(round: round, failure: clean ? nil : failure) {
            try Data(text.utf8).write(to: folder.files.appending(path: file))
            if clean {
                let final = workspace.directory(of: key).final
                try FileManager.default.createDirectory(at: final, withIntermediateDirectories: true)
                try Data(text.utf8).write(to: final.appending(path: file))
            }
            files.append(
                .init(
                    name: file, sha256: SHA256.hexadecimal(Data(text.utf8)), bytes: text.utf8.count,
                    changed: round == 0 || file == "model.py"))
        }
        let request = ["messages": [["role": "user", "content": SampleProgram.prompt]]]
        try JSONSerialization.data(withJSONObject: request).write(to: folder.request)
        try Data(SampleProgram.reply(round: round, failure: clean ? nil : failure).utf8).write(to: folder.reply)
        if key.model.hasSuffix("reasoning") { try Data(SampleProgram.reasoning.utf8).write(to: folder.reasoning) }
        try Data("epoch 1/2  loss 0.6931  val 0.7012\n".utf8).write(to: folder.standardOutput)
        if !clean { try Data(failure.traceback.utf8).write(to: folder.standardError) }
        var exchange = try store.insertExchange(
            ExchangeRecord(runId: run, round: round, ordinal: 0, requestHash: "r"))
        exchange.status = .complete
        (exchange.inputTokens, exchange.outputTokens) = (2100 + 900 * round, 1800 + Int(random.unit() * 900))
        exchange.totalSeconds = 20 + 30 * random.unit()
        try store.updateExchange(exchange)
        try store.finishRound(
            RoundRecord(
                runId: run, round: round, outcome: clean ? .clean : .error, files: files, codeLines: 118 + round,
                termination: clean ? "exit 0" : "exit 1", checkSeconds: 4 + 5 * random.unit(),
                checkPeakBytes: 412 << 20),
            error: clean
                ? nil
                : ErrorRecord(
                    runId: run, round: round, errorClass: failure.name, subcategory: failure.subcategory,
                    message: failure.message, file: "model.py", line: failure.line, signature: failure.name),
            interactions: clean
                ? [] : [InteractionRecord(runId: run, round: round, ordinal: 0, kind: .error, text: failure.traceback)])
    }

    private func addCapture(run: Int64, key: RunKey, number: Int) throws {
        let base = [16, 32, 64][number % 3]
        let folder = workspace.directory(of: key).capture
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Data(Self.graph.utf8).write(to: folder.appending(path: "eval-graph.json"))
        let optimizer = number % 2 == 0 ? "Adam" : "AdamW"
        _ = try store.storeCapture(
            CaptureRecord(
                runId: run, datasetHash: hashes[key.dataset] ?? "", epochs: nil, seed: 0, status: .captured,
                facts: """
                    {"trainable_parameters": \(base * base * 1890), "encoder_stages": 3, "decoder_stages": 3,
                     "encoder_channels": [\(base), \(base * 2), \(base * 4)],
                     "decoder_channels": [\(base * 4), \(base * 2), \(base)], "bottleneck_channels": \(base * 8),
                     "conv_block": "(Conv-BN-ReLU)x2", "normalization": "batch", "upsampling": "transposed",
                     "skip": "concatenate", "final_layer": "Conv 1x1", "output_activation": "sigmoid", "loss": "BCE + Dice",
                     "image_size": [96, 96], "channels": 1}
                    """,
                pipeline: """
                    {"optimizer": {"name": "\(optimizer)", "groups": [{"lr": 0.001, "weight_decay": 0.0001}]},
                     "scheduler": {"name": "ReduceLROnPlateau"}, "batch_size": 8, "epochs": 30}
                    """,
                stated: """
                    {"encoder_channels": [\(base), \(base * 2), \(base * 4)], "learning_rate": \(number % 4 == 0 ? 0.0003 : 0.001),
                     "optimizer": "\(optimizer)", "batch_size": 8, "loss": "BCE + Dice"}
                    """, seconds: 14))
    }

    /// Down three times and up again: what the drawing needs of a graph.
    private static let graph: String = {
        var values = [#"{"id": 0, "shape": [{"batch": 1}, 1, 96, 96], "dtype": "float32"}"#]
        var nodes: [String] = []
        func add(_ size: Int, _ operation: String, _ attributes: String) {
            values.append(
                #"{"id": \#(values.count), "shape": [{"batch": 1}, 1, \#(size), \#(size)], "dtype": "float32"}"#)
            nodes.append(
                #"{"op": "\#(operation)", "inputs": [\#(values.count - 2)], "outputs": [\#(values.count - 1)], "attributes": {\#(attributes)}}"#
            )
        }
        add(96, "relu", "")
        for size in [48, 24, 12] {
            add(
                size, "max_pool2d",
                #""kernel": [2, 2], "stride": [2, 2], "padding": [0, 0], "dilation": [1, 1], "ceil_mode": false"#)
        }
        for size in [24, 48, 96] { add(size, "upsample_nearest2d", #""output_size": [\#(size), \#(size)]"#) }
        add(96, "sigmoid", "")
        return """
            {"schema": 1, "kind": "eval", "batch": 2, "values": [\(values.joined(separator: ", "))],
             "inputs": [{"value": 0, "name": "image"}], "parameters": [], "buffers": [], "constants": [],
             "nodes": [\(nodes.joined(separator: ", "))], "outputs": {"probability": \(values.count - 1)},
             "threshold": {"value": 0.5, "comparison": "gt"}}
            """
    }()

    private func addTraining(
        run: Int64, key: RunKey, seed: Int, epochs: Int, quality runQuality: Double, _ random: inout Random
    ) throws {
        let quality = min(0.97, runQuality + 0.03 * (random.unit() - 0.5))
        let phase = 100 * (datasets.firstIndex { $0.name == key.dataset } ?? 0)
        let heldOut = datasets.first { $0.name == key.dataset }?.split.heldOut ?? []
        let folder = workspace.directory(of: key).training(engine: "swift", seed: seed)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let size = 48
        var probabilities: [Float] = []
        for sample in heldOut {
            let index = phase + (Int(sample.suffix(2)) ?? 0)
            let wobble = (1 - quality) * (random.unit() * 4 - 1)
            for pixel in 0..<size * size {
                let isInside = Self.inside(2 * (pixel % size), 2 * (pixel / size), index, 96, wobble: wobble)
                probabilities.append(isInside ? 0.9 : 0.1)
            }
        }
        try Predictions(
            ids: heldOut, probabilities: try Tensor(shape: [heldOut.count, 1, size, size], values: probabilities)
        ).write(to: folder.appending(path: "predictions.safetensors"))
        var training = try store.beginTraining(
            TrainingRecord(
                runId: run, engine: .swift, seed: seed, epochs: epochs, datasetHash: hashes[key.dataset] ?? ""))
        let id = training.id ?? -1
        for epoch in 1...epochs {
            let loss = 0.72 * exp(-Double(epoch) * quality / 5) + 0.05 + 0.02 * random.unit()
            try store.storeEpoch(
                EpochRecord(
                    trainingId: id, epoch: epoch, trainLoss: loss, validationLoss: loss * (1.05 + 0.1 * random.unit()),
                    commonBce: loss, commonSoftDice: quality * (1 - exp(-Double(epoch) / 4)), seconds: 1.2),
                validationDice: [])
        }
        try store.storeHeldOut(
            heldOut.map { sample in
                let dice = max(0, min(1, quality + 0.12 * (random.unit() - 0.5)))
                return HeldOutRecord(trainingId: id, sample: sample, dice: dice, modelGridDice: dice)
            }, batches: [quality], training: id)
        training.status = .evaluated
        training.seconds = 14.5
        try store.updateTraining(training)
    }

    /// Leaves nothing behind.
    public func remove() { try? FileManager.default.removeItem(at: workspace.root) }
}

/// SplitMix64 (Steele, Lea and Flood 2014).
struct Random {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    /// In [0, 1).
    mutating func unit() -> Double {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return Double((z ^ (z >> 31)) >> 11) * 0x1p-53
    }
}
