import Datasets
import Metrics

/// A picture as a model sees it, and where it lies in the original: cut out and enlarged.
public struct FramedPicture: Sendable, Hashable {
    public var image: Image
    /// The window of the original that is shown, in its pixels.
    public var window: Box

    /// The whole picture.
    public init(_ image: Image) {
        self.image = image
        window = Box(left: 0, top: 0, right: Double(image.width), bottom: Double(image.height))
    }

    /// A shape drawn on this picture, in pixels of the original.
    public func original(_ shape: DrawnShape) -> DrawnShape {
        let (sx, sy) = (
            (window.right - window.left) / Double(image.width), (window.bottom - window.top) / Double(image.height)
        )
        return shape.mapped { Point(window.left + $0.x * sx, window.top + $0.y * sy) }
    }

    /// A part of this picture, by whole pixels.
    ///
    /// - Throws: `PolygonsError.sizes` when nothing of it lies in the picture.
    public func cropped(to box: Box) throws(PolygonsError) -> FramedPicture {
        func range(_ low: Double, _ high: Double, _ count: Int) -> Range<Int> {
            let low = Int(min(max(low.rounded(.down), 0), Double(count)))
            let high = Int(min(max(high.rounded(.up), 0), Double(count)))
            return low..<max(low, high)
        }
        let (columns, rows) = (range(box.left, box.right, image.width), range(box.top, box.bottom, image.height))
        guard !columns.isEmpty, !rows.isEmpty else { throw .sizes("a picture and a window outside of it") }
        let bytes = image.bytes
        var cut: [UInt8] = []
        cut.reserveCapacity(columns.count * rows.count * image.channels)
        for y in rows {
            let line = y * image.width
            cut +=
                bytes[((line + columns.lowerBound) * image.channels)..<((line + columns.upperBound) * image.channels)]
        }
        var result = self
        result.image = try Self.image(columns.count, rows.count, image.channels, cut)
        guard
            case .boxes(let boxes) = original(
                .boxes([
                    Box(
                        left: Double(columns.lowerBound), top: Double(rows.lowerBound),
                        right: Double(columns.upperBound), bottom: Double(rows.upperBound))
                ])), let window = boxes.first
        else { return self }
        result.window = window
        return result
    }

    /// The same part of the original at another size, bilinearly.
    ///
    /// - Throws: `PolygonsError.sizes` when a side is not positive.
    public func resized(width: Int, height: Int) throws(PolygonsError) -> FramedPicture {
        var channels: [[Float]] = []
        for channel in 0..<image.channels {
            let plane = stride(from: channel, to: image.bytes.count, by: image.channels).map { Float(image.bytes[$0]) }
            do {
                channels.append(
                    try Resize.bilinear(
                        plane, width: image.width, height: image.height, toWidth: width, toHeight: height))
            } catch {
                throw .sizes("a picture and a size of \(width)×\(height)")
            }
        }
        var bytes = [UInt8](repeating: 0, count: width * height * image.channels)
        for (channel, plane) in channels.enumerated() {
            for (index, value) in plane.enumerated() {
                bytes[index * image.channels + channel] = ColourSpace.byte(Double(value))
            }
        }
        var result = self
        result.image = try Self.image(width, height, image.channels, bytes)
        return result
    }

    static func image(_ width: Int, _ height: Int, _ channels: Int, _ bytes: [UInt8]) throws(PolygonsError) -> Image {
        do {
            return try Image(width: width, height: height, channels: channels, bytes: bytes)
        } catch {
            throw .sizes("a picture of \(width)×\(height) pixels and its samples")
        }
    }
}
