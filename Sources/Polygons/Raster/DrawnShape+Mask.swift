import Metrics

extension DrawnShape {
    /// The pixels whose centres lie inside, by the even-odd rule for each polygon and its holes.
    ///
    /// A centre exactly on an edge belongs to the side that lies right of it or below it, so that polygons that share an edge share
    /// no pixel. A point fills the pixel that it lies in.
    ///
    /// - Throws: `MetricsError.shape` when a side is not positive.
    /// - Complexity: O(pixels + vertices × height).
    public func mask(width: Int, height: Int) throws(MetricsError) -> Mask {
        // Also checks the sides.
        let empty = try Mask(width: width, height: height)
        var canvas = RasterCanvas(width: width, height: height)
        switch self {
        case .polygons(let polygons):
            for polygon in polygons { canvas.fill([polygon.outline] + polygon.holes) }
        case .boxes(let boxes):
            for box in boxes { canvas.fill([box.corners]) }
        case .points(let points):
            for point in points { canvas.mark(point) }
        case .nothing: return empty
        }
        return try Mask(width: width, height: height, values: canvas.values)
    }
}

/// Pixels that shapes are filled into, one on top of the other.
struct RasterCanvas {
    let width: Int
    let height: Int
    private(set) var values: [UInt8]

    init(width: Int, height: Int) {
        (self.width, self.height) = (width, height)
        values = [UInt8](repeating: 0, count: width * height)
    }

    mutating func mark(_ point: Point) {
        guard point.x >= 0, point.y >= 0, point.x < Double(width), point.y < Double(height) else { return }
        values[Int(point.y) * width + Int(point.x)] = 1
    }

    /// Fills what an odd number of rings' edges separates from infinity.
    mutating func fill(_ rings: [[Point]]) {
        var crossings = [[Double]](repeating: [], count: height)
        for ring in rings {
            guard var last = ring.last else { continue }
            for point in ring {
                add(last, point, to: &crossings)
                last = point
            }
        }
        for y in 0..<height where !crossings[y].isEmpty {
            let row = crossings[y].sorted()
            for pair in stride(from: 0, to: row.count - 1, by: 2) {
                let (start, end) = (column(row[pair]), column(row[pair + 1]))
                for x in start..<max(start, end) { values[y * width + x] = 1 }
            }
        }
    }

    /// The first pixel whose centre is not left of a position, at most the width.
    private func column(_ x: Double) -> Int {
        Int(min(max((x - 0.5).rounded(.up), 0), Double(width)))
    }

    /// Where an edge crosses the rows' middles; its upper end counts and its lower one does not.
    private func add(_ a: Point, _ b: Point, to crossings: inout [[Double]]) {
        let (top, bottom) = a.y < b.y ? (a, b) : (b, a)
        guard top.y.isFinite, bottom.y.isFinite, a.x.isFinite, b.x.isFinite, top.y < bottom.y else { return }
        let first = Int(min(max((top.y - 0.5).rounded(.up), 0), Double(height)))
        let end = Int(min(max((bottom.y - 0.5).rounded(.up), 0), Double(height)))
        guard first < end else { return }
        let slope = (bottom.x - top.x) / (bottom.y - top.y)
        for y in first..<end {
            crossings[y].append(top.x + (Double(y) + 0.5 - top.y) * slope)
        }
    }
}
