/// Mends what is odd about a shape in pixels without moving it.
struct ShapeCleaner {
    let width: Double
    let height: Double
    private(set) var repairs: [Repair] = []
    /// Positions outside the frame.
    private(set) var outside = 0
    private var repeated = 0
    private var dropped = 0
    private var hasCrossing = false
    private var isReordered = false

    init(width: Double, height: Double) {
        (self.width, self.height) = (width, height)
    }

    mutating func clean(_ shape: DrawnShape) -> DrawnShape {
        let result: DrawnShape
        switch shape {
        case .polygons(let polygons):
            result = .polygons(polygons.compactMap { self.polygon($0) })
        case .boxes(let boxes):
            result = .boxes(boxes.compactMap { self.box($0) })
        case .points, .nothing: result = shape
        }
        outside = result.positions.count { $0.x < 0 || $0.y < 0 || $0.x > width || $0.y > height }
        if repeated > 0 { repairs.append(.repeatedVertices(repeated)) }
        if isReordered { repairs.append(.boxReordered) }
        if dropped > 0 { repairs.append(.ringsDropped(dropped)) }
        if outside > 0 { repairs.append(.outOfFrame(outside)) }
        if hasCrossing { repairs.append(.selfIntersecting) }
        return result
    }

    private mutating func polygon(_ polygon: Polygon) -> Polygon? {
        guard let outline = ring(polygon.outline) else { return nil }
        return Polygon(outline: outline, holes: polygon.holes.compactMap { ring($0) })
    }

    private mutating func ring(_ points: [Point]) -> [Point]? {
        var ring: [Point] = []
        for point in points where ring.last != point { ring.append(point) }
        repeated += points.count - ring.count
        // A ring that is closed by its first vertex is written as many formats want it.
        if ring.count > 1, ring.first == ring.last { ring.removeLast() }
        guard Set(ring).count >= 3 else {
            dropped += 1
            return nil
        }
        if SelfIntersection.exists(in: ring) {
            hasCrossing = true
        } else if Polygon.signedArea(ring) == 0 {
            dropped += 1
            return nil
        }
        return ring
    }

    private mutating func box(_ box: Box) -> Box? {
        let ordered = Box(
            left: min(box.left, box.right), top: min(box.top, box.bottom), right: max(box.left, box.right),
            bottom: max(box.top, box.bottom))
        if ordered != box { isReordered = true }
        guard ordered.left < ordered.right, ordered.top < ordered.bottom else {
            dropped += 1
            return nil
        }
        return ordered
    }
}
