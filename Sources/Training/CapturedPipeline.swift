import Foundation
import Hashing
import TensorRuntime

/// A pipeline as its capture describes it: graphs, first weights, loop and data. A value; reading it costs the data's memory.
public struct CapturedPipeline: Sendable {
    public let folder: URL
    public let loop: TrainingLoop
    public let train: Graph
    public let evaluation: Graph
    /// From images and masks to a metric of the batch, in the order of `loop.metrics`.
    public internal(set) var metrics: [Graph]
    /// Parameters, buffers and constants of both graphs before the first step.
    public internal(set) var weights: [String: Tensor]
    public let training: SampleTensors
    public let validation: SampleTensors?
    public let test: SampleTensors?
    public let heldOut: SampleTensors?
    /// SHA-256 over graphs, weights and loop: a checkpoint belongs to one capture.
    public let identity: String

    /// Reads a capture folder; every file in it is treated as hostile.
    ///
    /// - Throws: `TrainingError.missing` without a capture, `.notCapturable` for one that only `emitted` can train, `.badCapture`.
    public init(folder: URL) throws {
        guard FileManager.default.fileExists(atPath: folder.appending(path: "pipeline.json").path) else {
            throw TrainingError.missing(what: "the capture of this run", command: "llmbench capture RUN")
        }
        let loop = try TrainingLoop(contentsOf: folder.appending(path: "pipeline.json"))
        let reasons = loop.reasonsAgainstTraining
        guard reasons.isEmpty else { throw TrainingError.notCapturable(reasons: reasons) }
        self.folder = folder
        self.loop = loop
        train = try Self.graph("train-graph.json", in: folder)
        evaluation = try Self.graph("eval-graph.json", in: folder)
        metrics = try (loop.metrics ?? []).indices.map {
            try Self.graph(TrainingLoop.graphFile(ofMetric: $0), in: folder)
        }
        weights = try Self.reading("weights.safetensors") {
            try SafeTensors(contentsOf: folder.appending(path: "weights.safetensors")).tensors()
        }
        training = try SampleTensors(contentsOf: folder.appending(path: "data/train.safetensors"))
        validation = try Self.optional("validation", in: folder)
        test = try Self.optional("test", in: folder)
        heldOut = try Self.optional("heldout", in: folder)
        identity = try Self.identity(of: folder, metrics: metrics.count)
        guard training.count > 0 else {
            throw TrainingError.badCapture(file: "data/train.safetensors", reason: "it holds no samples")
        }
    }

    /// What the graph's inputs are called in the capture.
    static func inputs(of graph: Graph, images: Tensor, masks: Tensor?) throws -> [String: Tensor] {
        let shapes = Dictionary(uniqueKeysWithValues: graph.values.map { ($0.id, $0.shape) })
        var inputs: [String: Tensor] = [:]
        for binding in graph.inputs {
            guard let tensor = binding.name == "image" ? images : binding.name == "mask" ? masks : nil else {
                throw TrainingError.badCapture(
                    file: graph.kind == .train ? "train-graph.json" : "eval-graph.json",
                    reason: "its input '\(binding.name)' is no tensor of the data")
            }
            let shape = (shapes[binding.value] ?? []).map { $0.size(batch: images.shape[0]) }
            // A channel axis of one may stand in the data and not in the graph, or the other way round.
            inputs[binding.name] = tensor.shape == shape ? tensor : try tensor.reshaped(shape)
        }
        return inputs
    }

    private static func graph(_ name: String, in folder: URL) throws -> Graph {
        try reading(name) { try Graph(contentsOf: folder.appending(path: name)) }
    }

    private static func optional(_ part: String, in folder: URL) throws -> SampleTensors? {
        let url = folder.appending(path: "data/\(part).safetensors")
        guard FileManager.default.fileExists(atPath: url.path) else { return nil }
        return try SampleTensors(contentsOf: url)
    }

    private static func reading<T>(_ file: String, _ body: () throws -> T) throws -> T {
        do {
            return try body()
        } catch let error as RuntimeError {
            throw TrainingError(error, file: file)
        }
    }

    private static func identity(of folder: URL, metrics: Int) throws -> String {
        var hash = SHA256()
        let graphs = ["train-graph.json", "eval-graph.json"] + (0..<metrics).map(TrainingLoop.graphFile(ofMetric:))
        for name in graphs + ["weights.safetensors", "pipeline.json"] {
            hash.update(try DurableFile.read(folder.appending(path: name), limit: 8 << 30))
        }
        return hash.hexadecimal()
    }
}

extension TrainingError {
    /// What the runtime refuses, in the terms of a capture: an operation it lacks is no damage.
    init(_ error: RuntimeError, file: String) {
        switch error {
        case .unknownOperation, .invalidOperation, .invalidOptimizer, .tooLarge:
            self = .notCapturable(reasons: ["\(error)"])
        case .insufficientMemory(let needed, let available, let batch, let fitting):
            self = .memory(needed: needed, available: available, batch: batch, fitting: fitting)
        case .missingTensor: self = .badCapture(file: "weights.safetensors", reason: "\(error)")
        default: self = .badCapture(file: file, reason: "\(error)")
        }
    }
}
