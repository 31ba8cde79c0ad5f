/// A picture of 8-bit samples: a value, as it lies in a PNG.
///
/// ```swift
/// var mask = try Image(width: 64, height: 48, channels: 1)
/// mask[x: 10, y: 20] = 255
/// try PNG.write(mask, to: url)
/// ```
///
/// Rows run from the top, channels are interleaved (layout H W C). It offers no arithmetic: pictures that are computed with
/// live in the tensor runtime.
public struct Image: Sendable, Hashable {
    /// Pixels.
    public let width: Int
    /// Pixels.
    public let height: Int
    /// 1 for grey, 3 for RGB.
    public let channels: Int
    /// `height * width * channels` samples.
    public private(set) var bytes: [UInt8]

    /// An image of one value.
    ///
    /// - Throws: `ImageError` when a side is not positive, the area does not fit, or channels are neither 1 nor 3.
    public init(width: Int, height: Int, channels: Int, fill: UInt8 = 0) throws(ImageError) {
        let count = try Self.sampleCount(width: width, height: height, channels: channels)
        self.init(checked: width, height, channels, [UInt8](repeating: fill, count: count))
    }

    /// An image over existing samples.
    ///
    /// - Throws: `ImageError` as above, or when the number of bytes is not that of the shape.
    public init(width: Int, height: Int, channels: Int, bytes: [UInt8]) throws(ImageError) {
        let count = try Self.sampleCount(width: width, height: height, channels: channels)
        guard bytes.count == count else {
            throw .sampleCount(width: width, height: height, channels: channels, got: bytes.count)
        }
        self.init(checked: width, height, channels, bytes)
    }

    /// For callers inside the module that have just made the samples to measure.
    init(checked width: Int, _ height: Int, _ channels: Int, _ bytes: [UInt8]) {
        self.width = width
        self.height = height
        self.channels = channels
        self.bytes = bytes
    }

    /// The sample of one pixel; `channel` 0 unless colour. Indices out of range are a programming error and trap.
    public subscript(x x: Int, y y: Int, channel channel: Int = 0) -> UInt8 {
        get { bytes[(y * width + x) * channels + channel] }
        set { bytes[(y * width + x) * channels + channel] = newValue }
    }

    /// The number of pixels.
    public var pixels: Int { width * height }

    /// One channel: luma of ITU-R BT.601, `0.299 R + 0.587 G + 0.114 B` rounded to nearest, which is what common image
    /// libraries mean by "grey". A grey image is returned as it is.
    public func grey() -> Image {
        guard channels == 3 else { return self }
        var grey = [UInt8](repeating: 0, count: pixels)
        for index in grey.indices {
            let red = Int(bytes[index * 3]) * 299
            let green = Int(bytes[index * 3 + 1]) * 587
            let blue = Int(bytes[index * 3 + 2]) * 114
            grey[index] = UInt8((red + green + blue + 500) / 1000)
        }
        return Image(checked: width, height, 1, grey)
    }

    /// Three channels; a grey image is repeated.
    public func rgb() -> Image {
        guard channels == 1 else { return self }
        var colour: [UInt8] = []
        colour.reserveCapacity(bytes.count * 3)
        for value in bytes {
            colour.append(value)
            colour.append(value)
            colour.append(value)
        }
        return Image(checked: width, height, 3, colour)
    }

    private static func sampleCount(width: Int, height: Int, channels: Int) throws(ImageError) -> Int {
        let (area, tooWide) = width.multipliedReportingOverflow(by: height)
        guard width > 0, height > 0, channels == 1 || channels == 3, !tooWide, area <= Int.max / 4 else {
            throw .shape(width: width, height: height, channels: channels)
        }
        return area * channels
    }
}

/// An image that cannot be.
public enum ImageError: Error, Sendable, Hashable, CustomStringConvertible {
    case shape(width: Int, height: Int, channels: Int)
    case sampleCount(width: Int, height: Int, channels: Int, got: Int)

    public var description: String {
        switch self {
        case .shape(let width, let height, let channels):
            "an image of \(width)×\(height) pixels with \(channels) channels cannot be: "
                + "sides are positive, channels are 1 or 3"
        case .sampleCount(let width, let height, let channels, let got):
            "an image of \(width)×\(height)×\(channels) holds \(width * height * channels) samples, not \(got)"
        }
    }
}
