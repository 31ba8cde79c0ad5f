import Datasets
import Foundation
import Metrics
import TensorRuntime

/// The pairs of PNG image and mask in a folder with `images/` and `masks/`.
///
/// ```swift
/// let pairs = try ImagePairs(folder: arguments.data)
/// let samples = try pairs.load(height: 128, width: 128, channels: 1)
/// ```
public struct ImagePairs: Sendable {
    /// File names of the images without `.png`, sorted.
    public let names: [String]
    private let folder: URL
    private let suffix: String

    /// Lists the pairs; the mask of `images/NAME.png` is `masks/NAME` + `maskSuffix` + `.png`.
    ///
    /// Throws `PipelineError.data` where there is no image, or an image without a mask.
    public init(folder: String, maskSuffix: String = "") throws {
        try self.init(URL(filePath: folder, directoryHint: .isDirectory), suffix: maskSuffix)
        let files = Set(try Self.pictures(in: self.folder.appending(path: "masks")))
        if let bare = names.first(where: { !files.contains($0 + maskSuffix) }) {
            throw PipelineError.data(
                "masks/\(bare + maskSuffix).png is missing: the mask of images/\(bare).png (mask suffix '\(maskSuffix)')"
            )
        }
    }

    /// Images of which the masks do not matter.
    init(_ folder: URL, suffix: String) throws {
        self.folder = folder
        self.suffix = suffix
        names = try Self.pictures(in: folder.appending(path: "images")).sorted()
        guard !names.isEmpty else { throw PipelineError.data("there is no PNG file in \(folder.path)/images") }
    }

    /// How many pairs there are.
    public var count: Int { names.count }

    /// Reads pairs, all of them or those at `indices`, in this order. Images are resized to height × width (bilinear) and scaled to
    /// [0, 1], with 1 channel (grey) or 3 (RGB); masks are resized by nearest neighbour and are 0 or 1.
    ///
    /// Throws `PipelineError.data` for a picture that cannot be read or a mask of another size than its image.
    public func load(_ indices: [Int]? = nil, height: Int, width: Int, channels: Int = 1) throws -> Samples {
        let indices = indices ?? Array(names.indices)
        let chosen = try names(at: indices)
        var images: [Float] = []
        var masks: [Float] = []
        for name in chosen {
            let picture = try picture("images/\(name).png")
            let mask = try mask("masks/\(name + suffix).png", of: picture)
            images += try planes(of: picture, height: height, width: width, channels: channels)
            masks += try Resize.nearest(
                mask.bytes, width: mask.width, height: mask.height, toWidth: width, toHeight: height
            ).map { $0 >= 128 ? 1 : 0 }
        }
        return try Samples(
            names: chosen, images: Tensor(shape: [chosen.count, channels, height, width], values: images),
            masks: Tensor(shape: [chosen.count, 1, height, width], values: masks))
    }

    /// The images alone.
    func images(height: Int, width: Int, channels: Int) throws -> Tensor {
        var images: [Float] = []
        for name in names {
            images += try planes(
                of: picture("images/\(name).png"), height: height, width: width, channels: channels)
        }
        return try Tensor(shape: [count, channels, height, width], values: images)
    }

    private func names(at indices: [Int]) throws -> [String] {
        guard let wrong = indices.first(where: { !names.indices.contains($0) }) else {
            return indices.map { names[$0] }
        }
        throw PipelineError.invalid("index \(wrong) is outside the \(count) pairs, which are counted from 0")
    }

    /// One plane after the other, resized.
    private func planes(of picture: Image, height: Int, width: Int, channels: Int) throws -> [Float] {
        guard height > 0, width > 0, channels == 1 || channels == 3 else {
            throw PipelineError.invalid(
                "images of \(height)×\(width) pixels with \(channels) channels: sides are positive, channels 1 or 3")
        }
        let picture = channels == 1 ? picture.grey() : picture.rgb()
        return try (0..<channels).flatMap { channel in
            let plane = (0..<picture.pixels).map { Float(picture.bytes[$0 * channels + channel]) / 255 }
            return try Resize.bilinear(
                plane, width: picture.width, height: picture.height, toWidth: width, toHeight: height)
        }
    }

    private func picture(_ path: String) throws -> Image {
        do {
            return try PNG.read(folder.appending(path: path))
        } catch {
            throw PipelineError.data("\(error)")
        }
    }

    private func mask(_ path: String, of image: Image) throws -> Image {
        let mask = try picture(path).grey()
        guard mask.width == image.width, mask.height == image.height else {
            throw PipelineError.data(
                "\(path) has \(mask.width)×\(mask.height) pixels and its image \(image.width)×\(image.height)")
        }
        return mask
    }

    private static func pictures(in folder: URL) throws -> [String] {
        guard let files = try? FileManager.default.contentsOfDirectory(atPath: folder.path) else {
            throw PipelineError.data("there is no folder \(folder.path)")
        }
        return files.filter { $0.hasSuffix(".png") && !$0.hasPrefix(".") }.map { String($0.dropLast(4)) }
    }
}
