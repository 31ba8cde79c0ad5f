import Foundation
import TensorRuntime

/// What trained weights say about the held-out images: `predictions.safetensors` of a training.
///
/// Every engine leaves the same file, so that all are scored by the same code.
public struct Predictions: Sendable {
    /// File names without suffix.
    public let ids: [String]
    /// n 1 H W, in [0, 1]
    public let probabilities: Tensor

    /// - Throws: `TrainingError.pipelineFailed` where the tensor does not fit or a value is no probability.
    public init(ids: [String], probabilities: Tensor) throws {
        let shape = probabilities.shape
        guard shape.count == 4, shape[0] == ids.count, shape[1] == 1 else {
            throw TrainingError.pipelineFailed(
                reason: "\(ids.count) held-out images have predictions of shape \(shape)")
        }
        // Not a number is kept: it is background when scored.
        if let value = probabilities.values.first(where: { $0 < -1e-3 || $0 > 1.001 }) {
            throw TrainingError.pipelineFailed(reason: "a predicted probability is \(value), outside [0, 1]")
        }
        self.ids = ids
        self.probabilities = probabilities
    }

    /// Reads the file of a finished training.
    ///
    /// - Throws: `TrainingError.missing`, `.pipelineFailed`.
    public init(contentsOf url: URL) throws {
        guard FileManager.default.fileExists(atPath: url.path) else {
            throw TrainingError.missing(what: "a trained model", command: "llmbench train RUN")
        }
        try self.init(data: try DurableFile.read(url, limit: SampleTensors.maximumBytes))
    }

    /// Takes what a sandboxed program wrote.
    ///
    /// - Throws: `TrainingError.pipelineFailed`.
    init(data: Data) throws {
        do {
            let file = try SafeTensors(data: data, name: "predictions.safetensors")
            let ids = try JSONDecoder().decode([String].self, from: Data((file.metadata["ids"] ?? "[]").utf8))
            try self.init(ids: ids, probabilities: try file.tensor("probability"))
        } catch let error as TrainingError {
            throw error
        } catch {
            throw TrainingError.pipelineFailed(reason: "its predictions cannot be read: \(error)")
        }
    }

    /// - Throws: `TrainingError.diskFull`, `.file`.
    public func write(to url: URL) throws {
        let names = String(decoding: try JSONEncoder().encode(ids), as: UTF8.self)
        try DurableFile.write(
            try SafeTensors.encode(["probability": probabilities], metadata: ["ids": names]), to: url)
    }
}
