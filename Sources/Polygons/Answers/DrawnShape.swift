/// A position in a picture, in pixels: (0, 0) is the top left corner of the first pixel, whose centre lies at (½, ½).
public struct Point: Sendable, Hashable, Codable {
    public var x: Double
    public var y: Double

    public init(_ x: Double, _ y: Double) {
        (self.x, self.y) = (x, y)
    }
}

/// A closed outline with holes; the edge from the last vertex to the first is implied.
public struct Polygon: Sendable, Hashable, Codable {
    public var outline: [Point]
    public var holes: [[Point]]

    public init(outline: [Point], holes: [[Point]] = []) {
        (self.outline, self.holes) = (outline, holes)
    }

    /// All vertices, those of the holes last.
    public var vertices: [Point] { outline + holes.joined() }

    /// The area by the shoelace formula without the holes, in square pixels; of a self-intersecting outline the parts count with
    /// their sign.
    public var area: Double { abs(Self.signedArea(outline)) - holes.reduce(0) { $0 + abs(Self.signedArea($1)) } }

    static func signedArea(_ ring: [Point]) -> Double {
        guard var last = ring.last else { return 0 }
        var sum = 0.0
        for point in ring {
            sum += last.x * point.y - point.x * last.y
            last = point
        }
        return sum / 2
    }
}

/// An upright rectangle.
public struct Box: Sendable, Hashable, Codable {
    public var left: Double
    public var top: Double
    public var right: Double
    public var bottom: Double

    public init(left: Double, top: Double, right: Double, bottom: Double) {
        (self.left, self.top, self.right, self.bottom) = (left, top, right, bottom)
    }

    var corners: [Point] { [Point(left, top), Point(right, top), Point(right, bottom), Point(left, bottom)] }
}

/// What a drawer drew.
public enum DrawnShape: Sendable, Hashable, Codable {
    /// The union of polygons, each without its holes.
    case polygons([Polygon])
    /// The union of boxes.
    case boxes([Box])
    case points([Point])
    /// The drawer said that the target is not in the picture.
    case nothing

    /// Of which kind it is; `nil` for nothing.
    public var kind: ShapeKind? {
        switch self {
        case .polygons: .polygon
        case .boxes: .box
        case .points: .point
        case .nothing: nil
        }
    }

    /// All positions that it is made of.
    public var positions: [Point] {
        switch self {
        case .polygons(let polygons): polygons.flatMap(\.vertices)
        case .boxes(let boxes): boxes.flatMap { [Point($0.left, $0.top), Point($0.right, $0.bottom)] }
        case .points(let points): points
        case .nothing: []
        }
    }

    /// The same shape with every position replaced.
    func mapped(_ transform: (Point) -> Point) -> DrawnShape {
        switch self {
        case .polygons(let polygons):
            .polygons(
                polygons.map { polygon in
                    Polygon(outline: polygon.outline.map(transform), holes: polygon.holes.map { $0.map(transform) })
                })
        case .boxes(let boxes):
            .boxes(
                boxes.map { box in
                    let (a, b) = (transform(Point(box.left, box.top)), transform(Point(box.right, box.bottom)))
                    return Box(left: a.x, top: a.y, right: b.x, bottom: b.y)
                })
        case .points(let points): .points(points.map(transform))
        case .nothing: .nothing
        }
    }
}

/// What a drawer is asked for.
public enum ShapeKind: String, Sendable, Hashable, Codable, CaseIterable {
    case polygon, box, point
}
