import Foundation
import TensorRuntime

/// The loop around the training step as the pipeline runs it: what `pipeline.json` says and a trainer needs.
public struct TrainingLoop: Sendable, Equatable, Decodable {
    /// An optimizer by PyTorch's class name, its settings by PyTorch's argument names.
    public struct OptimizerDescription: Sendable, Equatable, Decodable {
        public var name: String
        public var groups: [[String: AttributeValue]]
    }

    public struct GradientClip: Sendable, Equatable, Decodable {
        public var kind: String
        public var max: AttributeValue
        public var normType: AttributeValue?

        enum CodingKeys: String, CodingKey {
            case kind, max
            case normType = "norm_type"
        }
    }

    public struct EarlyStopping: Sendable, Equatable, Decodable {
        public var monitor: String
        public var mode: Monitor.Mode
        public var patience: Int
        public var minDelta: Double?

        enum CodingKeys: String, CodingKey {
            case monitor, mode, patience
            case minDelta = "min_delta"
        }
    }

    public struct EvaluatedWeights: Sendable, Equatable, Decodable {
        public var kind: String
        public var monitor: String?
        public var mode: Monitor.Mode?
        /// By how much a value must be better to count.
        public var minDelta: Double?

        enum CodingKeys: String, CodingKey {
            case kind, monitor, mode
            case minDelta = "min_delta"
        }
    }

    /// A mean over the validation data that the loop watches beside the loss: one graph a metric.
    public struct Metric: Sendable, Equatable, Decodable {
        /// `validation_metric_N`; its graph is `metric-graph-N.json`.
        public var monitor: String
        /// What the pipeline calls it.
        public var name: String
        public var mean: Mean
    }

    /// What every value of a batch counts as in a mean over an epoch: once, or as often as the batch has items.
    public enum Mean: String, Sendable, Equatable, Decodable {
        case batches, samples

        func weight(_ batch: [Int]) -> Double { self == .samples ? Double(batch.count) : 1 }
    }

    public var schema: Int
    public var capturable: Bool
    public var refusals: [String]
    public var stochasticData: Bool
    public var optimizer: OptimizerDescription?
    /// PyTorch's class name as `name`, when it steps as `when`, and its arguments.
    public var scheduler: [String: AttributeValue]?
    public var gradientClip: GradientClip?
    public var accumulation: Int?
    public var mixedPrecision: Bool?
    public var earlyStopping: EarlyStopping?
    public var evaluatedWeights: EvaluatedWeights?
    public var batchSize: Int?
    public var validationBatchSize: Int?
    public var testBatchSize: Int?
    public var dropLast: Bool?
    public var shuffle: Bool?
    public var epochs: Int?
    public var seed: Int?
    /// How the losses of batches become that of an epoch; by batches where it does not say.
    public var lossMean: Mean?
    public var metrics: [Metric]?

    enum CodingKeys: String, CodingKey {
        case schema, capturable, refusals, optimizer, scheduler, accumulation, shuffle, epochs, seed, metrics
        case lossMean = "loss_mean"
        case stochasticData = "stochastic_data"
        case gradientClip = "gradient_clip"
        case mixedPrecision = "mixed_precision"
        case earlyStopping = "early_stopping"
        case evaluatedWeights = "evaluated_weights"
        case batchSize = "batch_size"
        case validationBatchSize = "validation_batch_size"
        case testBatchSize = "test_batch_size"
        case dropLast = "drop_last"
    }

    static let maximumBytes = 64 << 20
    static let maximumMetrics = 4

    /// Reads `pipeline.json`, which was written beside generated code.
    ///
    /// - Throws: `TrainingError.badCapture`.
    public init(contentsOf url: URL) throws {
        let data: Data
        do {
            data = try DurableFile.read(url, limit: Self.maximumBytes)
        } catch {
            throw TrainingError.badCapture(file: "pipeline.json", reason: "\(error)")
        }
        try self.init(json: data)
    }

    public init(json: Data) throws {
        do {
            self = try JSONDecoder().decode(Self.self, from: json)
        } catch {
            throw TrainingError.badCapture(file: "pipeline.json", reason: "it is no JSON of the expected form")
        }
        guard schema == 1 else {
            throw TrainingError.badCapture(file: "pipeline.json", reason: "schema \(schema) is not known")
        }
        try checkNumbers()
        try checkMetrics()
    }

    /// The graph file of a metric, by its place in `metrics`.
    static func graphFile(ofMetric index: Int) -> String { "metric-graph-\(index + 1).json" }

    private func checkMetrics() throws {
        let names = (metrics ?? []).map(\.monitor)
        guard names.count <= Self.maximumMetrics,
            names == names.indices.map({ "validation_metric_\($0 + 1)" })
        else {
            throw TrainingError.badCapture(
                file: "pipeline.json",
                reason: "its metrics are not validation_metric_1 to \(Self.maximumMetrics) in their order")
        }
    }

    private func checkNumbers() throws {
        for (name, value, range) in [
            ("batch_size", batchSize, 1...65_536), ("validation_batch_size", validationBatchSize, 1...65_536),
            ("test_batch_size", testBatchSize, 1...65_536), ("accumulation", accumulation, 1...65_536),
            ("epochs", epochs, 0...1_000_000), ("patience", earlyStopping?.patience, 0...1_000_000),
        ] {
            if let value, !range.contains(value) {
                throw TrainingError.badCapture(
                    file: "pipeline.json",
                    reason: "\(name) is \(value), outside \(range.lowerBound) to \(range.upperBound)")
            }
        }
    }

    /// Why only the pipeline's own program trains what it trains; empty where its capture does too.
    public var reasonsAgainstTraining: [String] {
        var reasons = refusals
        if stochasticData { reasons.append("its dataset yields another tensor each time an item is read") }
        if mixedPrecision == true { reasons.append("it trains in mixed precision") }
        if optimizer == nil { reasons.append("no optimizer was seen") }
        if !capturable, reasons.isEmpty { reasons.append("its capture is incomplete") }
        return reasons
    }

    /// How the best weights are told, where the pipeline evaluates those and not the last.
    func bestWeights() throws -> Monitor? {
        guard let weights = evaluatedWeights, weights.kind != "last" else { return nil }
        guard weights.kind == "best", let monitor = weights.monitor, let mode = weights.mode,
            measures(monitor)
        else { throw TrainingError.notCapturable(reasons: ["it evaluates weights that its capture does not explain"]) }
        return Monitor(monitor: monitor, mode: mode, minDelta: weights.minDelta ?? 0)
    }

    func stopping() throws -> (monitor: Monitor, patience: Int)? {
        guard let rule = earlyStopping else { return nil }
        guard measures(rule.monitor) else {
            throw TrainingError.notCapturable(reasons: ["it stops early by '\(rule.monitor)', which is not measured"])
        }
        return (Monitor(monitor: rule.monitor, mode: rule.mode, minDelta: rule.minDelta ?? 0), rule.patience)
    }

    /// Whether an epoch of ours has a value of that name.
    func measures(_ monitor: String) -> Bool {
        ["train_loss", "validation_loss", "validation_dice"].contains(monitor)
            || (metrics ?? []).contains { $0.monitor == monitor }
    }
}
