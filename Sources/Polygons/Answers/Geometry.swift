/// What the numbers of an answer draw, before it is known what they mean.
enum Geometry: Sendable {
    case point(Point)
    /// A list of positions that may be an outline, or the corners of a box.
    case ring([Point])
    case polygons([Polygon])
    case boxes([Box])
    case nothing

    /// Positions, counted with repetitions.
    var count: Int {
        switch self {
        case .point: 1
        case .ring(let points): points.count
        case .polygons(let polygons): polygons.reduce(0) { $0 + $1.vertices.count }
        case .boxes(let boxes): boxes.count * 2
        case .nothing: 0
        }
    }

    /// Several of one kind as one; `nil` where kinds are mixed.
    static func merged(_ parts: [Geometry]) -> Geometry? {
        guard let first = parts.first else { return nil }
        if parts.count == 1 { return first }
        var (points, polygons, boxes): ([Point], [Polygon], [Box]) = ([], [], [])
        for part in parts {
            switch part {
            case .point(let point): points.append(point)
            case .ring(let ring): polygons.append(Polygon(outline: ring))
            case .polygons(let more): polygons += more
            case .boxes(let more): boxes += more
            case .nothing: break
            }
        }
        switch (points.isEmpty, polygons.isEmpty, boxes.isEmpty) {
        case (false, true, true): return .ring(points)
        case (true, false, true): return .polygons(polygons)
        case (true, true, false): return .boxes(boxes)
        case (true, true, true): return .nothing
        default: return nil
        }
    }
}
