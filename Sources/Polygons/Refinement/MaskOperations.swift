import Metrics

extension Mask {
    /// The distance of every pixel from the boundary, in pixels: negative inside, positive outside, measured from pixel centre to
    /// pixel centre and moved by half a pixel, so that 0 lies on the pixels' edges.
    ///
    /// Infinite throughout when the mask is empty or full.
    func signedDistance() -> [Double] {
        let outside = DistanceTransform.distances(to: self)
        let inside = DistanceTransform.distances(to: complement)
        return zip(outside, inside).map { outer, inner in outer > 0 ? outer - 0.5 : 0.5 - inner }
    }

    /// The mask with those holes filled that have at most so many pixels; holes are components of the background (4-neighbourhood)
    /// that do not touch the frame.
    func fillingHoles(upTo area: Double) throws(PolygonsError) -> Mask {
        guard area >= 1 else { return self }
        let holes = ConnectedComponents(of: complement, connectivity: .four)
        var touches = [Bool](repeating: false, count: holes.count + 1)
        for x in 0..<width {
            touches[Int(holes.labels[x])] = true
            touches[Int(holes.labels[(height - 1) * width + x])] = true
        }
        for y in 0..<height {
            touches[Int(holes.labels[y * width])] = true
            touches[Int(holes.labels[y * width + width - 1])] = true
        }
        let isFilled = holes.areas.indices.map { !touches[$0 + 1] && Double(holes.areas[$0]) <= area }
        var values = values
        for (index, label) in holes.labels.enumerated() where label > 0 && isFilled[Int(label) - 1] {
            values[index] = 1
        }
        return try Mask.of(self, values)
    }

    /// The pixels whose centres lie in the convex hull of the foreground's centres.
    func convexHull() throws(PolygonsError) -> Mask {
        var points: [Point] = []
        let values = values
        for y in 0..<height {
            let row = values[(y * width)..<((y + 1) * width)]
            guard let first = row.firstIndex(of: 1), let last = row.lastIndex(of: 1) else { continue }
            points.append(Point(Double(first - y * width), Double(y)))
            points.append(Point(Double(last - y * width), Double(y)))
        }
        guard let first = points.first, let end = points.last else { return self }
        let hull = ConvexHull.vertices(of: points)
        var result = [UInt8](repeating: 0, count: pixels)
        for y in Int(first.y)...Int(end.y) {
            // The hull's extent in the row.
            var (left, right) = (Double.infinity, -Double.infinity)
            var last = hull[hull.count - 1]
            for point in hull {
                if min(last.y, point.y) <= Double(y), max(last.y, point.y) >= Double(y) {
                    let xs =
                        last.y == point.y
                        ? [last.x, point.x] : [last.x + (Double(y) - last.y) / (point.y - last.y) * (point.x - last.x)]
                    for x in xs { (left, right) = (min(left, x), max(right, x)) }
                }
                last = point
            }
            // Rounding must not lose the foreground's own pixels; between the hull's edges there may be no centre at all.
            let (start, end) = ((left - 1e-9).rounded(.up), (right + 1e-9).rounded(.down))
            guard start <= end else { continue }
            for x in Int(start)...Int(end) { result[y * width + x] = 1 }
        }
        return try Mask.of(self, result)
    }
}

enum ConvexHull {
    /// The hull's vertices in order, by monotone chains (Andrew 1979); of points on a line its ends. O(n log n).
    static func vertices(of points: [Point]) -> [Point] {
        let sorted = Set(points).sorted { ($0.x, $0.y) < ($1.x, $1.y) }
        guard sorted.count > 2 else { return sorted }
        func chain(_ points: [Point]) -> [Point] {
            var chain: [Point] = []
            for point in points {
                while chain.count >= 2, turn(chain[chain.count - 2], chain[chain.count - 1], point) <= 0 {
                    chain.removeLast()
                }
                chain.append(point)
            }
            return Array(chain.dropLast())
        }
        return chain(sorted) + chain(sorted.reversed())
    }

    private static func turn(_ a: Point, _ b: Point, _ c: Point) -> Double {
        (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x)
    }
}
