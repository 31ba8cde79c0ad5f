import Foundation
import TensorRuntime

@testable import Training

/// A capture as the helper would write it, made without Python: a small U-Net and noisy discs of 16×16 pixels.
struct SyntheticCapture {
    var folder: URL
    var samples = 24
    var batchNorm = true
    /// Fields of `pipeline.json` in place of the usual ones.
    var pipeline: [String: any Sendable] = [:]
    var learningRate = 0.01
    /// Data in place of the noisy discs, by part.
    var parts: [String: SampleTensors] = [:]

    static let size = 16
    static let unet = UNetGraph(baseChannels: 4, depth: 2, size: size)

    init(in folder: URL) {
        self.folder = folder
    }

    /// Noisy images n 1 16 16 and the masks of their discs; every sixth image has none.
    static func discs(_ count: Int, seed: UInt64) throws -> (images: Tensor, masks: Tensor) {
        var generator = SplitMix64(seed: seed)
        var images: [Float] = []
        var masks: [Float] = []
        for index in 0..<count {
            let (cx, cy) = (4 + generator.next(upTo: 8), 4 + generator.next(upTo: 8))
            let radius = index % 6 == 5 ? -1 : 2 + generator.next(upTo: 3)
            for y in 0..<size {
                for x in 0..<size {
                    let inside = radius > 0 && (x - cx) * (x - cx) + (y - cy) * (y - cy) <= radius * radius
                    let noise = Float(generator.next(upTo: 1000)) / 1000
                    images.append((inside ? 0.55 : 0.25) + 0.3 * noise)
                    masks.append(inside ? 1 : 0)
                }
            }
        }
        let shape = [count, 1, size, size]
        return (try Tensor(shape: shape, values: images), try Tensor(shape: shape, values: masks))
    }

    func write() throws {
        let data = folder.appending(path: "data")
        try FileManager.default.createDirectory(at: data, withIntermediateDirectories: true)
        var unet = Self.unet
        unet.batchNorm = batchNorm
        try unet.train.encodedWithSchema().write(to: folder.appending(path: "train-graph.json"))
        try unet.evaluation.encodedWithSchema().write(to: folder.appending(path: "eval-graph.json"))
        let weights = unet.initialTensors(seed: 3)
        try SafeTensors.write(weights, to: folder.appending(path: "weights.safetensors"))
        for (name, count, seed) in [("train", samples, 1), ("validation", 7, 2), ("test", 5, 3), ("heldout", 6, 4)] {
            let (images, masks) = try Self.discs(count, seed: UInt64(seed))
            let part =
                try parts[name]
                ?? SampleTensors(
                    ids: (0..<count).map { "\(name)-\($0)" }, images: images, masks: name == "heldout" ? nil : masks)
            var tensors = ["images": part.images]
            tensors["masks"] = part.masks
            let ids = part.ids
            try SafeTensors.write(
                tensors, metadata: ["ids": String(decoding: try JSONEncoder().encode(ids), as: UTF8.self)],
                to: data.appending(path: "\(name).safetensors"))
        }
        try JSONSerialization.data(withJSONObject: description(unet), options: .sortedKeys)
            .write(to: folder.appending(path: "pipeline.json"))
    }

    private func description(_ unet: UNetGraph) -> [String: Any] {
        let group: [String: any Sendable] = [
            "lr": learningRate, "weight_decay": 0, "betas": [0.9, 0.999], "eps": 1e-8, "amsgrad": false,
            "parameters": unet.train.parameters.map(\.name),
        ]
        let usual: [String: any Sendable] = [
            "schema": 1, "capturable": true, "refusals": [String](), "stochastic_data": false,
            "optimizer": ["name": "Adam", "groups": [group]] as [String: any Sendable], "batch_size": 5,
            "validation_batch_size": 4, "test_batch_size": 2, "drop_last": false, "shuffle": true, "epochs": 8,
            "seed": 42,
            "accumulation": 1,
        ]
        return usual.merging(pipeline) { $1 }
    }

    func read() throws -> CapturedPipeline {
        try write()
        return try CapturedPipeline(folder: folder)
    }
}

extension Graph {
    /// The file form; the encoder may leave out the schema's number, the format does not.
    func encodedWithSchema() throws -> Data {
        var object = try JSONSerialization.jsonObject(with: encoded()) as? [String: Any] ?? [:]
        object["schema"] = 1
        return try JSONSerialization.data(withJSONObject: object, options: .sortedKeys)
    }
}

extension SwiftTrainer.Options {
    /// One thread: tests share the machine.
    static func test(epochs: Int? = nil, seed: Int = 0) -> SwiftTrainer.Options {
        SwiftTrainer.Options(epochs: epochs, seed: seed, threads: 1)
    }
}
