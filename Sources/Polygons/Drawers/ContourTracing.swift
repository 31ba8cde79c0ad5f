import Metrics

/// Outlines of a mask along the edges of its pixels.
///
/// Filled by the even-odd rule, all rings together give the mask back exactly. Each ring keeps the foreground on its right hand
/// (outlines run clockwise on the screen, holes the other way round); where two foreground pixels touch at a corner only, the outline
/// passes between them, so that rings do not cross themselves and components are those of the 4-neighbourhood.
public enum ContourTracing {
    /// Closed rings of vertices at pixel corners, only where the direction changes, in the order in which they are met row by row.
    ///
    /// - Complexity: O(pixels + length of the outlines).
    public static func rings(of mask: Mask) -> [[Point]] {
        var tracer = Tracer(mask)
        return tracer.rings()
    }

    private struct Tracer {
        private let width: Int
        private let height: Int
        private let values: [UInt8]
        /// Whether the upper edge of a pixel, with foreground below it, was walked.
        private var isWalked: [Bool]

        init(_ mask: Mask) {
            (width, height, values) = (mask.width, mask.height, mask.values)
            isWalked = [Bool](repeating: false, count: mask.pixels)
        }

        mutating func rings() -> [[Point]] {
            var rings: [[Point]] = []
            for y in 0..<height {
                for x in 0..<width where isInside(x, y) && !isInside(x, y - 1) && !isWalked[y * width + x] {
                    rings.append(ring(x, y))
                }
            }
            return rings
        }

        private func isInside(_ x: Int, _ y: Int) -> Bool {
            x >= 0 && y >= 0 && x < width && y < height && values[y * width + x] != 0
        }

        /// Walks from the upper left corner of a pixel to the right, foreground on the right hand.
        private mutating func ring(_ startX: Int, _ startY: Int) -> [Point] {
            var (x, y) = (startX, startY)
            var (dx, dy) = (1, 0)
            var points = [Point(Double(x), Double(y))]
            while true {
                if dx == 1 { isWalked[y * width + x] = true }
                (x, y) = (x + dx, y + dy)
                // The pixels ahead, on the right and on the left of the walker.
                let (right, left) = (
                    isInside(x + (dx - dy - 1) / 2, y + (dx + dy - 1) / 2),
                    isInside(x + (dx + dy - 1) / 2, y + (dy - dx - 1) / 2)
                )
                let (oldX, oldY) = (dx, dy)
                if !right {
                    (dx, dy) = (-dy, dx)
                } else if left {
                    (dx, dy) = (dy, -dx)
                }
                if x == startX, y == startY, dx == 1, dy == 0 { return points }
                if (dx, dy) != (oldX, oldY) { points.append(Point(Double(x), Double(y))) }
            }
        }
    }
}
