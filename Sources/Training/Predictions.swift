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
    /// n C H W, as the pipeline made them of the files: for the check of the geometry.
    public let images: Tensor

    /// - Throws: `TrainingError.pipelineFailed` where the tensors do not go together or a value is no probability.
    public init(ids: [String], probabilities: Tensor, images: Tensor) throws {
        let (p, i) = (probabilities.shape, images.shape)
        guard i.count == 4, i[0] == ids.count, p == [i[0], 1, i[2], i[3]] else {
            throw TrainingError.pipelineFailed(
                reason: "\(ids.count) held-out images of shape \(i) have predictions of shape \(p)")
        }
        // Not a number is kept: it is background when scored.
        if let value = probabilities.values.first(where: { $0 < -1e-3 || $0 > 1.001 }) {
            throw TrainingError.pipelineFailed(reason: "a predicted probability is \(value), outside [0, 1]")
        }
        self.ids = ids
        self.probabilities = probabilities
        self.images = images
    }

    /// Reads a file that a sandboxed program may have written.
    ///
    /// - Parameter images: by id, where the file does not hold them.
    /// - Throws: `TrainingError.missing`, `.pipelineFailed`.
    public init(contentsOf url: URL, images known: SampleTensors? = nil) throws {
        guard FileManager.default.fileExists(atPath: url.path) else {
            throw TrainingError.missing(what: "a trained model", command: "llmbench train RUN")
        }
        do {
            let file = try SafeTensors(contentsOf: url, maximumBytes: SampleTensors.maximumBytes)
            let ids = try JSONDecoder().decode([String].self, from: Data((file.metadata["ids"] ?? "[]").utf8))
            let images = try file.entries["images"] == nil ? known?.images : file.tensor("images")
            guard let images else { throw TrainingError.pipelineFailed(reason: "the predictions come without images") }
            try self.init(ids: ids, probabilities: try file.tensor("probabilities"), images: images)
        } catch let error as TrainingError {
            throw error
        } catch {
            throw TrainingError.pipelineFailed(reason: "\(url.lastPathComponent) cannot be read: \(error)")
        }
    }

    /// - Throws: `TrainingError.diskFull`, `.file`.
    public func write(to url: URL) throws {
        let names = String(decoding: try JSONEncoder().encode(ids), as: UTF8.self)
        let data = try SafeTensors.encode(
            ["probabilities": probabilities, "images": images], metadata: ["ids": names])
        try DurableFile.write(data, to: url)
    }
}
