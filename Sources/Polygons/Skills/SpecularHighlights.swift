import Datasets
import Metrics

/// Reflections of the lamp on wet tissue: found by their brightness and lack of colour, and filled from their rims.
public struct SpecularHighlights: Sendable, Hashable, Codable {
    /// The least value (the largest of the three samples) of a reflection.
    public var value: UInt8
    /// The largest saturation, of 255.
    public var saturation: UInt8
    /// By how many pixels the found regions are grown: rims of reflections are blurred.
    public var margin: Double

    public init(value: UInt8 = 235, saturation: UInt8 = 60, margin: Double = 2) {
        (self.value, self.saturation, self.margin) = (value, saturation, margin)
    }

    /// The pixels of reflections with their rims.
    ///
    /// - Throws: `PolygonsError`.
    public func find(in image: Image) throws(PolygonsError) -> Mask {
        guard image.channels == 3 else {
            return try Mask.frame(of: image.width, image.height, image.bytes.map { $0 >= value ? 1 : 0 })
        }
        let bytes = image.bytes
        let found = (0..<image.pixels).map { index -> UInt8 in
            let colour = ColourSpace.hsv(red: bytes[3 * index], green: bytes[3 * index + 1], blue: bytes[3 * index + 2])
            return colour.v >= value && colour.s <= saturation ? 1 : 0
        }
        let mask = try Mask.frame(of: image.width, image.height, found)
        guard margin > 0, !mask.isEmpty else { return mask }
        return try Mask.of(mask, DistanceTransform.distances(to: mask).map { $0 <= margin ? 1 : 0 })
    }

    /// The picture without its reflections: layer by layer from the rim, a pixel becomes the mean of its known neighbours. A picture that
    /// is nothing but reflection stays as it is.
    ///
    /// - Throws: `PolygonsError`.
    /// - Complexity: O(pixels).
    public func remove(from image: Image) throws(PolygonsError) -> Image {
        let mask = try find(in: image)
        guard !mask.isEmpty, !mask.complement.isEmpty else { return image }
        var (image, isKnown) = (image, mask.values.map { $0 == 0 })
        var layer = isKnown.indices.filter { !isKnown[$0] }
        while !layer.isEmpty {
            var (filled, waiting): ([(Int, [UInt8])], [Int]) = ([], [])
            for pixel in layer {
                if let colour = Self.mean(around: pixel, image, isKnown) {
                    filled.append((pixel, colour))
                } else {
                    waiting.append(pixel)
                }
            }
            for (pixel, colour) in filled {
                isKnown[pixel] = true
                for (channel, value) in colour.enumerated() {
                    image[x: pixel % image.width, y: pixel / image.width, channel: channel] = value
                }
            }
            layer = waiting
        }
        return image
    }

    private static func mean(around pixel: Int, _ image: Image, _ isKnown: [Bool]) -> [UInt8]? {
        let (x, y) = (pixel % image.width, pixel / image.width)
        var (sums, count) = ([Int](repeating: 0, count: image.channels), 0)
        for ny in max(0, y - 1)...min(image.height - 1, y + 1) {
            for nx in max(0, x - 1)...min(image.width - 1, x + 1) where isKnown[ny * image.width + nx] {
                count += 1
                for channel in sums.indices { sums[channel] += Int(image[x: nx, y: ny, channel: channel]) }
            }
        }
        return count == 0 ? nil : sums.map { UInt8(($0 + count / 2) / count) }
    }
}
