import Foundation
import ResultStore

@testable import Reporting

/// A made-up study of ten models of two years on three datasets, two runs each, in a real store: its numbers are drawn from a seed and stand
/// for nothing.
struct CohortStudy {
    let workspace: Workspace
    let store: ResultStore
    private var generator: Draw

    static let datasets = ["alpha", "beta", "gamma"]
    static let images = 16
    /// The held-out Dice of a run, known to the tests: `dice["beta"]?["m3"]?[1]`.
    private(set) var dice: [String: [String: [Double]]] = [:]

    init(models: Int = 10, runs: Int = 2, datasets: [String] = CohortStudy.datasets) throws {
        let root = FileManager.default.temporaryDirectory.appending(path: "llmbench-cohorts-\(UUID().uuidString)")
        workspace = Workspace(root: root)
        store = try ResultStore(path: workspace.database(study: "c"))
        generator = Draw(state: 42)
        for dataset in datasets {
            try store.storeReference(
                DatasetReferenceRecord(
                    dataset: dataset, datasetHash: "h", samples: Self.images, bestThreshold: 0.4,
                    bestThresholdDice: 0.31,
                    meanMaskDice: 0.42))
            for model in 0..<models {
                for run in 1...runs { try add(model, run: run, dataset: dataset) }
            }
        }
    }

    func remove() { try? FileManager.default.removeItem(at: workspace.root) }

    func evidence() throws -> StudyEvidence { try StudyEvidence(store: store, study: "c") }

    private mutating func add(_ model: Int, run: Int, dataset: String) throws {
        let name = "m\(model)"
        let key = RunKey(
            study: "c", dataset: dataset, model: name, target: "pytorch", promptHash: "abcd1234", index: run)
        // Even models are of 2024, and a little worse. Odd ones are open; vendors A and B take turns by pairs.
        var record = RunRecord(
            key: key, provider: "openai", cohortYear: model % 2 == 0 ? 2024 : 2025, reasoning: model % 3 == 0,
            vendor: model % 4 < 2 ? "A" : "B", openWeights: model % 2 == 1, datasetHash: "h")
        record.status = .succeeded
        let stored = try store.beginRun(record)
        let id = stored.id ?? -1
        try addConversation(id, errors: Int(generator.uniform() * 4))
        let stages = 3 + model % 3
        let rate = model % 2 == 0 ? 0.001 : 0.0001
        _ = try store.storeCapture(
            CaptureRecord(
                runId: id, datasetHash: "h", epochs: nil, seed: 0, status: .captured,
                facts:
                    #"{"trainable_parameters": \#(1_000_000 * (stages - 2) + run), "encoder_stages": \#(stages), "loss": "BCE", "colour": "colour to grey", "pin_memory": false, "main_features": ["seeded", "scheduler"], "seeds": [], "split_seed": 42, "loader_workers": \#(model == 0 ? 2 : 0)}"#,
                pipeline:
                    #"{"optimizer": {"name": "Adam", "groups": [{"lr": \#(rate), "weight_decay": 0}]}, "scheduler": null, "batch_size": 8, "epochs": \#(15 + 5 * (model % 3)), "shuffle": true, "split": {"train": ["a", "b"], "validation": ["c"], "test": []}}"#,
                seconds: 4))
        let quality = 0.6 + 0.02 * Double(model) + 0.04 * generator.normal() / 2
        try addTraining(id, quality: min(0.95, max(0.2, quality)), model, name, dataset)
    }

    private func addConversation(_ id: Int64, errors: Int) throws {
        let classes = ["ValueError", "RuntimeError", "TypeError", "ImportError"]
        for round in 0...errors {
            var exchange = try store.insertExchange(
                ExchangeRecord(runId: id, round: round, ordinal: 0, requestHash: "r"))
            exchange.status = .complete
            (exchange.inputTokens, exchange.outputTokens, exchange.reasoningTokens) = (1000, 2000, 500)
            exchange.cost = 0.05
            exchange.totalSeconds = 12
            try store.updateExchange(exchange)
            let failed = round < errors
            let name = classes[round % classes.count]
            try store.finishRound(
                RoundRecord(
                    runId: id, round: round, outcome: failed ? .error : .clean, files: [], codeLines: 200,
                    checkSeconds: 5),
                error: failed
                    ? ErrorRecord(
                        runId: id, round: round, errorClass: name, subcategory: "other", message: "no", signature: name)
                    : nil,
                interactions: failed
                    ? [InteractionRecord(runId: id, round: round, ordinal: 0, kind: .error, text: "no")] : [])
        }
    }

    private mutating func addTraining(
        _ run: Int64, quality: Double, _ model: Int, _ name: String, _ dataset: String
    ) throws {
        let epochs = 15 + 5 * (model % 3)
        var training = try store.beginTraining(
            TrainingRecord(runId: run, engine: .swift, seed: 0, epochs: epochs, datasetHash: "h", threads: 2))
        let id = training.id ?? -1
        for epoch in 1...epochs {
            let progress = 1 - exp(-Double(epoch) / (3 + Double(model % 4)))
            let noise = 0.01 * generator.normal()
            try store.storeEpoch(
                EpochRecord(
                    trainingId: id, epoch: epoch, trainLoss: 0.7 - 0.6 * progress,
                    validationLoss: 0.72 - 0.55 * progress,
                    commonBce: max(0.02, 0.7 * (1 - 0.95 * progress * quality) + noise),
                    commonSoftDice: min(1, max(0, quality * progress + noise)), seconds: 1),
                validationDice: [quality * progress])
        }
        let scores = (0..<Self.images).map { _ in min(1, max(0, quality + 0.08 * generator.normal())) }
        try store.storeHeldOut(
            scores.enumerated().map { HeldOutRecord(trainingId: id, sample: "s\($0)", dice: $1, modelGridDice: $1) },
            batches: scores, training: id)
        try store.storeTestBatches([quality, quality - 0.02], training: id)
        dice[dataset, default: [:]][name, default: []].append(scores.reduce(0, +) / Double(scores.count))
        training.status = .evaluated
        training.seconds = 30
        try store.updateTraining(training)
    }

    /// SplitMix64 (Steele, Lea and Flood 2014) with Box and Muller's normal numbers: the same study on every machine.
    private struct Draw {
        var state: UInt64

        mutating func uniform() -> Double {
            state &+= 0x9e37_79b9_7f4a_7c15
            var z = state
            z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
            z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
            return Double((z ^ (z >> 31)) >> 11) / 9_007_199_254_740_992
        }

        mutating func normal() -> Double {
            (-2 * log(max(uniform(), 1e-300))).squareRoot() * cos(2 * .pi * uniform())
        }
    }
}
