import Datasets
import Endpoints
import Foundation
import Hashing
import Metrics
import Polygons
import Prompts

/// What a model is shown of its own drawing: the border on the picture with a grid, and a map of doubt. No truth is looked at.
struct LoopFeedback {
    /// The file in `prompts/polygon/`.
    static let file = "feedback.md"

    let text: String
    private let original: Image
    private let sent: SentPicture
    private let convention: CoordinateConvention

    init(text: String, original: Image, sent: SentPicture, convention: CoordinateConvention) {
        (self.text, self.original, self.sent, self.convention) = (text, original, sent, convention)
    }

    /// The message that follows a drawing.
    ///
    /// - Parameter mask: the drawing on the original grid.
    func message(about mask: Mask) throws -> ChatMessage {
        ChatMessage(
            role: .user, content: text, images: [try Self.part(border(of: mask)), try Self.part(doubt(about: mask))])
    }

    static func part(_ image: Image) throws -> ChatImage {
        ChatImage(
            png: Data(try PNG.encode(image)), width: image.width, height: image.height,
            pixelsSHA256: SHA256.hexadecimal(Data(image.bytes)))
    }

    /// The picture as it was sent, the mask's border in cyan, and the grid.
    func border(of mask: Mask) throws -> Image {
        let shown = sent.framed.image
        let inside = (0..<shown.pixels).map { pixel in place(pixel).map { mask.values[$0] == 1 } ?? false }
        var bytes = try CoordinateGrid(size: shown.width, convention: convention).drawn(on: shown).bytes
        for pixel in inside.indices where inside[pixel] {
            let (x, y) = (pixel % shown.width, pixel / shown.width)
            let isBorder =
                x == 0 || y == 0 || x == shown.width - 1 || y == shown.height - 1 || !inside[pixel - 1]
                || !inside[pixel + 1] || !inside[pixel - shown.width] || !inside[pixel + shown.width]
            guard isBorder else { continue }
            (bytes[3 * pixel], bytes[3 * pixel + 1], bytes[3 * pixel + 2]) = (0, 255, 255)
        }
        return try Image(width: shown.width, height: shown.height, channels: 3, bytes: bytes)
    }

    /// Red where pixels near the border could belong to either side, the picture at half its brightness elsewhere.
    func doubt(about mask: Mask) throws -> Image {
        let (shown, doubt) = (sent.framed.image, Self.doubt(about: mask, on: original))
        let grey = shown.grey().bytes
        var bytes: [UInt8] = []
        bytes.reserveCapacity(3 * shown.pixels)
        for pixel in 0..<shown.pixels {
            let red = place(pixel).map { doubt[$0] } ?? 0
            bytes += [
                UInt8((Double(grey[pixel] / 2) * (1 - red) + 255 * red).rounded()), grey[pixel] / 2, grey[pixel] / 2,
            ]
        }
        return try Image(width: shown.width, height: shown.height, channels: 3, bytes: bytes)
    }

    /// The pixel of the original that a pixel of the sent picture shows; nil in the bars.
    private func place(_ pixel: Int) -> Int? {
        let (image, window) = (sent.framed.image, sent.framed.window)
        let x = window.left + (Double(pixel % image.width) + 0.5) / Double(image.width) * (window.right - window.left)
        let y = window.top + (Double(pixel / image.width) + 0.5) / Double(image.height) * (window.bottom - window.top)
        guard x >= 0, y >= 0, x < Double(original.width), y < Double(original.height) else { return nil }
        return Int(y) * original.width + Int(x)
    }

    /// How little the grey value of a pixel near the border says of its side, 0 to 1: 4 p (1 − p), p the posterior of two normal
    /// distributions of equal weight fitted to the grey values on either side within half the radius of a disc of the mask's area.
    static func doubt(about mask: Mask, on image: Image) -> [Double] {
        let (grey, values) = (image.grey().bytes.map(Double.init), mask.values)
        let (away, deep) = (DistanceTransform.distances(to: mask), DistanceTransform.distances(to: mask.complement))
        let distance = grey.indices.map { values[$0] == 1 ? -deep[$0] : away[$0] }
        let reach = max(2, (Double(mask.area) / Double.pi).squareRoot() / 2)
        func moments(_ isInside: Bool) -> (mean: Double, variance: Double)? {
            let values = grey.indices.filter { abs(distance[$0]) <= reach && (distance[$0] < 0) == isInside }
                .map { grey[$0] }
            guard !values.isEmpty else { return nil }
            let mean = values.reduce(0, +) / Double(values.count)
            // At least a grey value wide.
            return (mean, max(1, values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)))
        }
        guard let inside = moments(true), let outside = moments(false) else {
            return [Double](repeating: 0, count: grey.count)
        }
        func logDensity(_ value: Double, _ side: (mean: Double, variance: Double)) -> Double {
            -(value - side.mean) * (value - side.mean) / (2 * side.variance) - log(side.variance) / 2
        }
        return grey.indices.map { index in
            guard abs(distance[index]) <= reach else { return 0 }
            let p = 1 / (1 + exp(logDensity(grey[index], outside) - logDensity(grey[index], inside)))
            return 4 * p * (1 - p)
        }
    }
}
