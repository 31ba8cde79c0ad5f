import Datasets
import Endpoints
import Foundation
import Hashing
import Polygons

/// A picture as a model is shown it: after its skills, scaled to fit a square, black bars at the shorter sides, a grid where asked.
public struct SentPicture: Sendable, Hashable {
    /// The square picture, and where it lies in the original; its bars lie outside.
    public let framed: FramedPicture
    /// The chain that a router chose and why; nil where nobody chose.
    public let route: String?

    /// - Parameters:
    ///   - size: pixels a side.
    ///   - window: what is shown of it, in its pixels; nil for all. It is cut out before the skill's chain.
    ///   - grid: the convention that the grid's labels are written in; nil for no grid.
    /// - Throws: `PolygonsError`, `ImageError`.
    /// - Complexity: O(samples of both pictures).
    public init(
        _ original: Image, skill: DrawingSkill?, size: Int, grid: CoordinateConvention?, window: Box? = nil
    ) throws {
        var picture = FramedPicture(original)
        if let window { picture = try picture.cropped(to: window) }
        switch skill?.preparation {
        case nil: route = nil
        case .modality(let modality):
            picture = try modality.prepare(picture)
            route = nil
        case .routed:
            let choice = try SkillRouter().route(original)
            picture = try choice.modality.prepare(picture)
            route = "\(choice.modality.rawValue): \(choice.reason)"
        }
        let scale = Double(size) / Double(max(picture.image.width, picture.image.height))
        func side(_ length: Int) -> Int { min(size, max(1, Int((Double(length) * scale).rounded()))) }
        picture = try picture.resized(width: side(picture.image.width), height: side(picture.image.height))
        picture = try Self.letterboxed(picture, size: size)
        if let grid { picture.image = try CoordinateGrid(size: size, convention: grid).drawn(on: picture.image) }
        framed = picture
    }

    /// The picture in the middle of a black square.
    private static func letterboxed(_ picture: FramedPicture, size: Int) throws -> FramedPicture {
        let (image, window) = (picture.image, picture.window)
        guard image.width != size || image.height != size else { return picture }
        let (left, top) = ((size - image.width) / 2, (size - image.height) / 2)
        var bytes = [UInt8](repeating: 0, count: size * size * image.channels)
        let (source, length) = (image.bytes, image.width * image.channels)
        for row in 0..<image.height {
            let start = ((top + row) * size + left) * image.channels
            bytes.replaceSubrange(start..<(start + length), with: source[(row * length)..<((row + 1) * length)])
        }
        var result = picture
        result.image = try Image(width: size, height: size, channels: image.channels, bytes: bytes)
        let (sx, sy) = (
            (window.right - window.left) / Double(image.width), (window.bottom - window.top) / Double(image.height)
        )
        let (x, y) = (window.left - Double(left) * sx, window.top - Double(top) * sy)
        result.window = Box(left: x, top: y, right: x + Double(size) * sx, bottom: y + Double(size) * sy)
        return result
    }

    /// The picture as a part of a message.
    ///
    /// - Throws: `PNGError`.
    public func message() throws -> ChatImage {
        ChatImage(
            png: Data(try PNG.encode(framed.image)), width: framed.image.width, height: framed.image.height,
            pixelsSHA256: SHA256.hexadecimal(Data(framed.image.bytes)))
    }
}
