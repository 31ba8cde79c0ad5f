import Metrics
import TestSupport

/// Pairs of random masks of many kinds: blobs, noise, lines, frames filled to their edges, nothing.
struct RandomMasks {
    var generator: SeededGenerator

    struct Pair: Codable {
        var w: Int
        var h: Int
        var sx: Double
        var sy: Double
        var tolerance: Double
        var a: String
        var b: String

        func mask(_ text: String) throws -> Mask {
            let digits = Array(text.utf8)
            let values = stride(from: 0, to: digits.count, by: 2).map {
                digits[$0 + 1] == UInt8(ascii: "1") ? UInt8(1) : 0
            }
            return try Mask(width: w, height: h, values: values)
        }

        func spacing() throws -> PixelSpacing {
            sx == 1 && sy == 1 ? .pixels : try PixelSpacing(millimetresX: sx, y: sy)
        }
    }

    mutating func pair(largest: Int = 48) throws -> Pair {
        let (width, height) = (
            Int.random(in: 1...largest, using: &generator), Int.random(in: 1...largest, using: &generator)
        )
        let isPlain = Bool.random(using: &generator)
        // A spacing with few digits, so that both sides read the same number.
        let (sx, sy) = isPlain ? (1, 1) : (spacing(), spacing())
        let first = try mask(width, height)
        var second = Int.random(in: 0..<8, using: &generator) == 0 ? first : try mask(width, height)
        // Near misses are what segmentation is about.
        if Int.random(in: 0..<3, using: &generator) == 0 {
            second = first
            for _ in 0..<Int.random(in: 0...5, using: &generator) {
                let (x, y) = (
                    Int.random(in: 0..<width, using: &generator), Int.random(in: 0..<height, using: &generator)
                )
                second[x: x, y: y].toggle()
            }
        }
        let tolerance = Double(Int.random(in: 0...12, using: &generator)) / 4
        return Pair(w: width, h: height, sx: sx, sy: sy, tolerance: tolerance, a: hex(first), b: hex(second))
    }

    private mutating func spacing() -> Double { Double(Int.random(in: 1...40, using: &generator)) / 16 }

    private func hex(_ mask: Mask) -> String { mask.values.map { $0 == 0 ? "00" : "01" }.joined() }

    mutating func mask(_ width: Int, _ height: Int) throws -> Mask {
        var mask = try Mask(width: width, height: height)
        switch Int.random(in: 0..<12, using: &generator) {
        case 0: break
        case 1: mask = mask.complement
        case 2...4:
            let density = Double.random(in: 0...1, using: &generator)
            for y in 0..<height {
                for x in 0..<width { mask[x: x, y: y] = Double.random(in: 0..<1, using: &generator) < density }
            }
        case 5: for x in 0..<width { mask[x: x, y: x * height / width] = true }
        default: for _ in 0..<Int.random(in: 1...4, using: &generator) { addEllipse(&mask) }
        }
        return mask
    }

    private mutating func addEllipse(_ mask: inout Mask) {
        let (w, h) = (Double(mask.width), Double(mask.height))
        let (cx, cy) = (Double.random(in: 0...w, using: &generator), Double.random(in: 0...h, using: &generator))
        let (rx, ry) = (
            Double.random(in: 0.5...(w / 2 + 1), using: &generator),
            Double.random(in: 0.5...(h / 2 + 1), using: &generator)
        )
        for y in 0..<mask.height {
            for x in 0..<mask.width {
                let (dx, dy) = ((Double(x) + 0.5 - cx) / rx, (Double(y) + 0.5 - cy) / ry)
                if dx * dx + dy * dy <= 1 { mask[x: x, y: y] = true }
            }
        }
    }
}
