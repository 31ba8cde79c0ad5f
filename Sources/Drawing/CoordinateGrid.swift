import Datasets
import Polygons

/// Lines across a picture at every eighth of its side, each labelled with its coordinate.
struct CoordinateGrid {
    static let divisions = 8
    private static let colour: [UInt8] = [255, 220, 0]
    /// How much of a line's colour is taken.
    private static let opacity = 0.5

    let size: Int
    let convention: CoordinateConvention

    /// The label of a line, in the numbers that the prompt asks for.
    func label(_ index: Int) -> String {
        switch convention {
        case .pixels: "\(position(index))"
        case .unit: index == 0 ? "0" : index == Self.divisions ? "1" : ".\(index * 1000 / Self.divisions)"
        case .percent: "\(index * 100 / Self.divisions)"
        case .thousandths: "\(index * 1000 / Self.divisions)"
        }
    }

    /// The pixel of a line.
    func position(_ index: Int) -> Int { index * size / Self.divisions }

    private func isLine(_ pixel: Int) -> Bool { (1..<Self.divisions).contains { position($0) == pixel } }

    func drawn(on image: Image) throws -> Image {
        var canvas = Canvas(image.rgb())
        for index in 1..<Self.divisions {
            let place = position(index)
            for other in 0..<size {
                canvas.blend(place, other, Self.colour, Self.opacity)
                // A crossing is blended once.
                if !isLine(other) { canvas.blend(other, place, Self.colour, Self.opacity) }
            }
        }
        let scale = max(1, size / 256)
        for index in 1..<Self.divisions {
            canvas.write(label(index), x: position(index) + scale, y: scale, scale: scale, Self.colour)
            canvas.write(label(index), x: scale, y: position(index) + scale, scale: scale, Self.colour)
        }
        return try Image(width: image.width, height: image.height, channels: 3, bytes: canvas.bytes)
    }
}

/// Samples that are drawn on.
private struct Canvas {
    let width: Int
    let height: Int
    private(set) var bytes: [UInt8]

    init(_ image: Image) {
        (width, height, bytes) = (image.width, image.height, image.bytes)
    }

    mutating func blend(_ x: Int, _ y: Int, _ colour: [UInt8], _ opacity: Double) {
        guard x >= 0, y >= 0, x < width, y < height else { return }
        for channel in 0..<3 {
            let index = (y * width + x) * 3 + channel
            let value = Double(bytes[index]) * (1 - opacity) + Double(colour[channel]) * opacity
            bytes[index] = UInt8(value.rounded())
        }
    }

    mutating func write(_ text: String, x: Int, y: Int, scale: Int, _ colour: [UInt8]) {
        var left = x
        for character in text {
            guard let rows = Self.glyphs[character] else { continue }
            for (row, bits) in rows.enumerated() {
                for column in 0..<3 where bits >> (2 - column) & 1 == 1 {
                    for dy in 0..<scale {
                        for dx in 0..<scale {
                            blend(left + column * scale + dx, y + row * scale + dy, colour, 1)
                        }
                    }
                }
            }
            left += 4 * scale
        }
    }

    /// Three columns by five rows, the left column in the highest bit.
    private static let glyphs: [Character: [UInt8]] = [
        "0": [0b111, 0b101, 0b101, 0b101, 0b111], "1": [0b010, 0b110, 0b010, 0b010, 0b111],
        "2": [0b111, 0b001, 0b111, 0b100, 0b111], "3": [0b111, 0b001, 0b111, 0b001, 0b111],
        "4": [0b101, 0b101, 0b111, 0b001, 0b001], "5": [0b111, 0b100, 0b111, 0b001, 0b111],
        "6": [0b111, 0b100, 0b111, 0b101, 0b111], "7": [0b111, 0b001, 0b010, 0b010, 0b010],
        "8": [0b111, 0b101, 0b111, 0b101, 0b111], "9": [0b111, 0b101, 0b111, 0b001, 0b111],
        ".": [0b000, 0b000, 0b000, 0b000, 0b010],
    ]
}
