import Datasets
import Foundation
import TensorRuntime
import Testing

@testable import PipelineKit

/// A folder of pairs that a test draws.
struct PairFolder {
    let url = FileManager.default.temporaryDirectory.appending(path: "pairs-\(UUID().uuidString)")

    init(names: [String], width: Int = 8, height: Int = 6, suffix: String = "") throws {
        for folder in ["images", "masks"] {
            try FileManager.default.createDirectory(
                at: url.appending(path: folder), withIntermediateDirectories: true)
        }
        for (index, name) in names.enumerated() {
            var image = try Image(width: width, height: height, channels: 3, fill: UInt8(10 * index))
            image[x: 0, y: 0, channel: 0] = 255
            var mask = try Image(width: width, height: height, channels: 1)
            for y in 0..<3 { for x in 0..<4 { mask[x: x, y: y] = 255 } }
            try PNG.write(image, to: url.appending(path: "images/\(name).png"))
            try PNG.write(mask, to: url.appending(path: "masks/\(name + suffix).png"))
        }
    }

    func remove() { try? FileManager.default.removeItem(at: url) }
}

@Suite("Pairs of image and mask")
struct ImagePairsTests {
    @Test("are listed by name, scaled to [0, 1], with masks of 0 and 1")
    func values() throws {
        let folder = try PairFolder(names: ["b", "a"], suffix: "_mask")
        defer { folder.remove() }
        let pairs = try ImagePairs(folder: folder.url.path, maskSuffix: "_mask")
        #expect(pairs.names == ["a", "b"] && pairs.count == 2)
        let colour = try pairs.load(height: 6, width: 8, channels: 3)
        #expect(colour.images.shape == [2, 3, 6, 8] && colour.masks.shape == [2, 1, 6, 8])
        // "a" was drawn second: 10 of 255 everywhere, red full in the corner; planes follow one another.
        #expect(colour.images.values[0] == 1 && colour.images.values[1] == Float(10) / 255)
        #expect(colour.images.values[48] == Float(10) / 255)
        #expect(Array(colour.masks.values[0..<8]) == [1, 1, 1, 1, 0, 0, 0, 0])
        #expect(colour.masks.values.reduce(0, +) == 24)
        let grey = try pairs.load([1], height: 3, width: 4)
        #expect(grey.names == ["b"] && grey.images.shape == [1, 1, 3, 4])
        #expect(grey.masks.values.allSatisfy { $0 == 0 || $0 == 1 } && grey.masks.values.reduce(0, +) == 4)
        #expect(grey.images.values.allSatisfy { (0...1).contains($0) })
    }

    @Test("what is missing or does not fit is named")
    func refusals() throws {
        let folder = try PairFolder(names: ["a", "b"])
        defer { folder.remove() }
        let path = folder.url.path
        #expect(throws: PipelineError.data("there is no folder \(path)/none/images")) {
            try ImagePairs(folder: path + "/none")
        }
        #expect(
            throws: PipelineError.data("masks/a_seg.png is missing: the mask of images/a.png (mask suffix '_seg')")
        ) { try ImagePairs(folder: path, maskSuffix: "_seg") }
        let pairs = try ImagePairs(folder: path)
        #expect(throws: PipelineError.invalid("index 2 is outside the 2 pairs, which are counted from 0")) {
            try pairs.load([2], height: 4, width: 4)
        }
        #expect(throws: PipelineError.self) { try pairs.load(height: 4, width: 4, channels: 2) }
        try PNG.write(Image(width: 3, height: 3, channels: 1), to: folder.url.appending(path: "masks/b.png"))
        #expect(throws: PipelineError.data("masks/b.png has 3×3 pixels and its image 8×6")) {
            try pairs.load(height: 4, width: 4)
        }
        try Data("no picture".utf8).write(to: folder.url.appending(path: "images/a.png"))
        #expect(throws: PipelineError.self) { try pairs.load(height: 4, width: 4) }
        for name in ["a", "b"] {
            try FileManager.default.removeItem(at: folder.url.appending(path: "images/\(name).png"))
        }
        #expect(throws: PipelineError.data("there is no PNG file in \(path)/images")) { try ImagePairs(folder: path) }
    }

    @Test("batches hold each sample once, the last ones too, in a new order for each pass")
    func batches() throws {
        let names = (0..<7).map { "s\($0)" }
        let images = try Tensor(shape: [7, 1, 1, 1], values: (0..<7).map(Float.init))
        let samples = try Samples(names: names, images: images, masks: Tensor(shape: [7, 1, 1, 1], repeating: 0))
        #expect(try samples.batches(size: 3).map(\.names) == [["s0", "s1", "s2"], ["s3", "s4", "s5"], ["s6"]])
        let generator = RandomGenerator(seed: 3)
        let passes = try (0..<2).map { _ in try samples.batches(size: 3, shuffledBy: generator).flatMap(\.names) }
        #expect(passes[0].sorted() == names && passes[1].sorted() == names && passes[0] != passes[1])
        let batch = try samples.batches(size: 4, shuffledBy: generator)[0]
        #expect(batch.images.values.map { "s\(Int($0))" } == batch.names)
        #expect(throws: PipelineError.invalid("a batch of 0 samples: it must be a positive number")) {
            try samples.batches(size: 0)
        }
        #expect(throws: PipelineError.invalid("index 9 is outside the 7 samples, which are counted from 0")) {
            try samples.subset([0, 9])
        }
        #expect(throws: PipelineError.self) { try Samples(names: ["a"], images: images, masks: images) }
    }

    @Test("Dice is the mean over the batch's samples, 1 where both masks are empty")
    func dice() throws {
        let truth = try Tensor(shape: [3, 1, 1, 4], values: [1, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1])
        let said = try Tensor(shape: [3, 1, 1, 4], values: [0.9, 0.2, 0.6, 0, 0.5, 0, 0, 0, 0, 0, 0, 0])
        // 2·1/(2+2), both empty since 0.5 is not above 0.5, and nothing of four.
        #expect(try meanDice(said, truth) == (0.5 + 1 + 0) / 3)
        #expect(try meanDice(said, truth, threshold: 0.1) == (2.0 * 2 / 5 * 0 + 2.0 * 2 / 5 + 0 + 0) / 3)
        #expect(throws: PipelineError.self) { try meanDice(said, truth.reshaped([3, 4])) }
    }
}
