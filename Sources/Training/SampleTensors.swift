import Foundation
import TensorRuntime

/// The tensors that a pipeline's dataset yielded for one part of the data: `data/*.safetensors` of a capture.
public struct SampleTensors: Sendable {
    /// File names without suffix, in the order of the dataset; nil where the helper could not tell.
    public let ids: [String?]
    /// n C H W
    public let images: Tensor
    /// n C H W or n H W; nil for held-out images.
    public let masks: Tensor?

    public var count: Int { ids.count }

    /// At most this many bytes are read, 8 GiB.
    static let maximumBytes = 8 << 30

    public init(ids: [String?], images: Tensor, masks: Tensor?) throws {
        guard images.shape.count == 4, images.shape[0] == ids.count else {
            throw TrainingError.badCapture(
                file: "data", reason: "\(ids.count) samples have images of shape \(images.shape)")
        }
        if let masks {
            guard masks.shape.count == 3 || masks.shape.count == 4, masks.shape[0] == ids.count,
                Array(masks.shape.suffix(2)) == Array(images.shape.suffix(2))
            else {
                throw TrainingError.badCapture(
                    file: "data", reason: "images of shape \(images.shape) have masks of shape \(masks.shape)")
            }
        }
        self.ids = ids
        self.images = images
        self.masks = masks
    }

    /// Reads a file that was written beside generated code: sizes, scales and values are checked.
    ///
    /// - Throws: `TrainingError.badCapture`.
    public init(contentsOf url: URL) throws {
        let name = "data/\(url.lastPathComponent)"
        do {
            let file = try SafeTensors(contentsOf: url, maximumBytes: Self.maximumBytes)
            let ids = try JSONDecoder().decode([String?].self, from: Data((file.metadata["ids"] ?? "[]").utf8))
            let images = try Self.read("images", from: file)
            let masks = file.entries["masks"] == nil ? nil : try Self.read("masks", from: file)
            try self.init(ids: ids, images: images, masks: masks)
        } catch let error as TrainingError {
            if case .badCapture(_, let reason) = error { throw TrainingError.badCapture(file: name, reason: reason) }
            throw error
        } catch is DecodingError {
            throw TrainingError.badCapture(file: name, reason: "its list of sample ids is no JSON array of names")
        } catch {
            throw TrainingError.badCapture(file: name, reason: "\(error)")
        }
    }

    private static func read(_ key: String, from file: SafeTensors) throws -> Tensor {
        var tensor = try file.tensor(key)
        if let text = file.metadata["\(key).scale"] {
            guard let scale = Double(text), scale.isFinite, scale > 0 else {
                throw TrainingError.badCapture(file: "", reason: "the scale of its \(key) is no positive number")
            }
            // In double precision, as the helper checked that bytes lose nothing.
            tensor = try Tensor(shape: tensor.shape, values: tensor.values.map { Float(Double($0) * scale) })
        }
        guard tensor.values.allSatisfy(\.isFinite) else {
            throw TrainingError.badCapture(file: "", reason: "its \(key) hold values that are not finite")
        }
        return tensor
    }

    /// The samples at some positions, in that order.
    func batch(_ indices: [Int]) throws -> (images: Tensor, masks: Tensor?) {
        (try images.rows(indices), try masks?.rows(indices))
    }
}
