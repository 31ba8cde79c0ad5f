import Datasets
import Metrics

/// What can be said of a picture without understanding it.
public struct ImageStatistics: Sendable, Hashable, Codable {
    /// Mean and standard deviation of the grey values, of 255.
    public var mean: Double
    public var deviation: Double
    /// Colourfulness after Hasler and Süsstrunk (2003), their M; 0 for grey pictures.
    public var colourfulness: Double
    /// Mean redness, (R − (G + B) / 2) / 255.
    public var redness: Double
    /// The fraction of pixels that are reflections (`SpecularHighlights`).
    public var highlights: Double
    /// The fraction of pixels with grey values of at most 16.
    public var darkness: Double
    /// The fraction of the picture's border pixels with grey values of at most 16.
    public var darkBorder: Double

    /// - Throws: `PolygonsError`.
    /// - Complexity: O(samples).
    public init(of image: Image) throws(PolygonsError) {
        let grey = image.grey().bytes
        let count = Double(grey.count)
        var (sum, squares, dark, border, darkBorder) = (0.0, 0.0, 0.0, 0.0, 0.0)
        for (index, value) in grey.enumerated() {
            sum += Double(value)
            squares += Double(value) * Double(value)
            let isDark = value <= 16
            dark += isDark ? 1 : 0
            let (x, y) = (index % image.width, index / image.width)
            if x == 0 || y == 0 || x == image.width - 1 || y == image.height - 1 {
                border += 1
                darkBorder += isDark ? 1 : 0
            }
        }
        mean = sum / count
        deviation = max(squares / count - mean * mean, 0).squareRoot()
        (darkness, self.darkBorder) = (dark / count, darkBorder / border)
        highlights =
            image.channels == 3
            ? Double(try SpecularHighlights(margin: 0).find(in: image).area) / count : 0
        (colourfulness, redness) = image.channels == 3 ? Self.colour(image) : (0, 0)
    }

    private static func colour(_ image: Image) -> (colourfulness: Double, redness: Double) {
        let (bytes, count) = (image.bytes, Double(image.pixels))
        var (sums, squares, red) = (SIMD2<Double>(), SIMD2<Double>(), 0.0)
        for index in 0..<image.pixels {
            let (r, g, b) = (Double(bytes[3 * index]), Double(bytes[3 * index + 1]), Double(bytes[3 * index + 2]))
            let opponents = SIMD2(r - g, (r + g) / 2 - b)
            sums += opponents
            squares += opponents * opponents
            red += r - (g + b) / 2
        }
        let means = sums / count
        let variances = squares / count - means * means
        let deviation = max(variances.sum(), 0).squareRoot()
        return (deviation + 0.3 * (means * means).sum().squareRoot(), red / count / 255)
    }
}
