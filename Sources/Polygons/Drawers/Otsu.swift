import Datasets
import Metrics

/// Otsu's threshold (1979) of the grey picture, and the largest component of what lies beyond it.
public struct OtsuDrawer: Drawer {
    public let name = "Otsu"
    public let brightness: Brightness

    public init(brightness: Brightness) {
        self.brightness = brightness
    }

    public func draw(_ image: Image) throws(PolygonsError) -> Mask {
        ConnectedComponents(of: try Self.thresholded(image, brightness)).largest
    }

    /// All that lies beyond the threshold.
    static func thresholded(_ image: Image, _ brightness: Brightness) throws(PolygonsError) -> Mask {
        let grey = image.grey().bytes
        let threshold = threshold(of: grey)
        return try Mask.frame(
            of: image.width, image.height,
            grey.map { ($0 > threshold) == (brightness == .bright) ? 1 : 0 })
    }

    /// The grey value up to which pixels are dark: the one that leaves the largest variance between the two sides, the first of
    /// several, as OpenCV's `THRESH_OTSU`.
    ///
    /// - Complexity: O(samples).
    public static func threshold(of grey: [UInt8]) -> UInt8 {
        var histogram = [Int](repeating: 0, count: 256)
        for value in grey { histogram[Int(value)] += 1 }
        let total = Double(grey.count)
        let mean = histogram.enumerated().reduce(0.0) { $0 + Double($1.offset) * Double($1.element) } / total
        var (best, threshold) = (0.0, 0)
        var (below, sum) = (0, 0.0)
        for value in 0..<256 {
            below += histogram[value]
            sum += Double(value) * Double(histogram[value])
            guard below > 0, below < grey.count else { continue }
            let weight = Double(below) / total
            let dark = sum / Double(below)
            let bright = (mean * total - sum) / (total - Double(below))
            let variance = weight * (1 - weight) * (dark - bright) * (dark - bright)
            // Empty bins leave the variance as it was, but for rounding.
            if variance > best * (1 + 1e-12) { (best, threshold) = (variance, value) }
        }
        return UInt8(threshold)
    }
}
