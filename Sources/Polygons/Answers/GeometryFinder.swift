/// Finds a shape in a JSON-like value by its structure and by the names that annotation formats use (GeoJSON, COCO, labelme, Pascal VOC,
/// and what models make up).
struct GeometryFinder {
    let asked: ShapeKind
    /// Whether the value is the end of a text that was cut: then an incomplete last position is left out.
    let isTruncated: Bool
    /// What was found to be odd on the way.
    private(set) var failure: AnswerFailure?
    private(set) var hasRowsFirst = false
    private(set) var isBoxAsSize = false
    private(set) var convention: CoordinateConvention?

    init(asked: ShapeKind, isTruncated: Bool) {
        (self.asked, self.isTruncated) = (asked, isTruncated)
    }

    private static let polygonKeys: Set<String> = [
        "polygon", "polygons", "points", "vertices", "coordinates", "coords", "contour", "contours", "outline",
        "outlines", "exterior", "outer", "boundary", "segmentation", "segments", "mask", "shape", "shapes", "regions",
        "path", "polyline",
    ]
    private static let outlineKeys = polygonKeys.subtracting(["polygons", "contours", "outlines", "shapes", "regions"])
    private static let holeKeys: Set<String> = ["holes", "hole", "interior", "interiors", "inner", "cutouts"]
    private static let boxKeys: Set<String> = [
        "box", "boxes", "bbox", "bboxes", "boundingbox", "boundingboxes", "rect", "rectangle", "bbox2d", "box2d",
    ]
    private static let pointKeys: Set<String> = [
        "point", "point2d", "center", "centre", "click", "position", "location",
    ]

    mutating func geometry(of value: AnswerValue, key: String? = nil) -> Geometry? {
        switch value {
        case .list(let values): list(values, key)
        case .object(let members): object(members, key)
        case .text(let text): text.utf8.count <= 4096 ? position(inText: text).map(Geometry.point) : nil
        case .number, .word, .elision: nil
        }
    }

    // A list is a position, a flat list of numbers, a box, an outline, or several of these.
    private mutating func list(_ values: [AnswerValue], _ key: String?) -> Geometry? {
        if values.isEmpty {
            return key.map { Self.polygonKeys.contains($0) || Self.boxKeys.contains($0) } ?? true ? .nothing : nil
        }
        if values.contains(where: { if case .elision = $0 { true } else { false } }) {
            failure = .elided
            return nil
        }
        let numbers = values.compactMap(\.number)
        if numbers.count == values.count { return flat(numbers, key) }
        var points: [Point] = []
        for (index, value) in values.enumerated() {
            if let point = position(value) {
                points.append(point)
            } else if isTruncated, index == values.count - 1, isIncompletePosition(value), !points.isEmpty {
                continue
            } else {
                break
            }
            if index == values.count - 1 { break }
        }
        let isLastLeftOut =
            isTruncated && points.count == values.count - 1 && values.last.map(isIncompletePosition) == true
        if points.count == values.count || (isLastLeftOut && !points.isEmpty) {
            return .ring(points)
        }
        // An outline with a vertex that is none is not an outline.
        if points.count >= 2 {
            failure = .malformed
            return nil
        }
        var parts: [Geometry] = []
        for value in values {
            if let part = geometry(of: value, key: key) { parts.append(part) }
            if failure != nil { return nil }
        }
        guard !parts.isEmpty else { return nil }
        return merge(parts)
    }

    private mutating func merge(_ parts: [Geometry]) -> Geometry? {
        guard let merged = Geometry.merged(parts) else {
            // Polygons with their boxes or centres beside them: what was asked for, else the most telling.
            for kind in [asked, .polygon, .box, .point] {
                let same = parts.filter { Self.kind($0) == kind }
                if !same.isEmpty { return Geometry.merged(same) }
            }
            return nil
        }
        return merged
    }

    private static func kind(_ geometry: Geometry) -> ShapeKind? {
        switch geometry {
        case .point: .point
        case .ring, .polygons: .polygon
        case .boxes: .box
        case .nothing: nil
        }
    }

    private mutating func flat(_ numbers: [Double], _ key: String?) -> Geometry? {
        if key == "box2d" { setGemini() }
        // A flat list under a name that says nothing, such as confidences, is no outline.
        let isNamed = key.map { !$0.hasSuffix("?") } ?? true
        let isBox = key.map(Self.boxKeys.contains) ?? (asked == .box)
        switch numbers.count {
        case 2: return .point(Point(numbers[0], numbers[1]))
        case 4 where isBox:
            return .boxes([corners(numbers)])
        case 4... where isNamed:
            if numbers.count % 2 == 1 {
                guard isTruncated else {
                    failure = .malformed
                    return nil
                }
            }
            return .ring(
                stride(from: 0, to: numbers.count - 1, by: 2).map { Point(numbers[$0], numbers[$0 + 1]) })
        case 3 where !isTruncated && key.map(Self.polygonKeys.contains) == true:
            failure = .malformed
            return nil
        default: return nil
        }
    }

    /// Gemini documents `box_2d` as [ymin, xmin, ymax, xmax] of 0 to 1000.
    private mutating func setGemini() {
        hasRowsFirst = true
        convention = .thousandths
    }

    /// Corners; position and size where they cannot be corners.
    private mutating func corners(_ numbers: [Double]) -> Box {
        if numbers[2] <= numbers[0] || numbers[3] <= numbers[1], numbers[2] > 0, numbers[3] > 0, !hasRowsFirst {
            isBoxAsSize = true
            return Box(
                left: numbers[0], top: numbers[1], right: numbers[0] + numbers[2], bottom: numbers[1] + numbers[3])
        }
        return Box(left: numbers[0], top: numbers[1], right: numbers[2], bottom: numbers[3])
    }

    private mutating func object(_ members: [(key: String, value: AnswerValue)], _ key: String?) -> Geometry? {
        var named: [String: AnswerValue] = [:]
        for member in members { named[member.key] = member.value }
        if let box = box(named) { return .boxes([box]) }
        if let point = point(named) { return .point(point) }
        if case .text(let type)? = named["type"], let coordinates = named["coordinates"] {
            if let geometry = geoJSON(type, coordinates) { return geometry }
            if failure != nil { return nil }
        }
        if let polygon = polygonWithHoles(members) { return .polygons([polygon]) }
        if failure != nil { return nil }
        var (known, other): ([Geometry], [Geometry]) = ([], [])
        for member in members {
            let isKnown =
                Self.polygonKeys.contains(member.key) || Self.boxKeys.contains(member.key)
                || Self.pointKeys.contains(member.key)
            // Text under a name that is none of ours is a remark, not a position.
            if !isKnown, case .text = member.value { continue }
            guard let part = geometry(of: member.value, key: isKnown ? member.key : member.key + "?") else {
                if failure != nil { return nil }
                continue
            }
            if case .nothing = part, !isKnown { continue }
            if isKnown { known.append(part) } else { other.append(part) }
        }
        let drawn = known.filter { if case .nothing = $0 { false } else { true } }
        if !drawn.isEmpty { return merge(drawn) }
        // A pair of numbers under an unknown name, such as an image's size, is no position.
        let shapes = other.filter { if case .point = $0 { false } else { true } }
        if !shapes.isEmpty { return merge(shapes) }
        return known.isEmpty ? nil : .nothing
    }

    private func box(_ named: [String: AnswerValue]) -> Box? {
        func numbers(_ keys: String...) -> [Double]? {
            let values = keys.compactMap { named[$0]?.number }
            return values.count == keys.count ? values : nil
        }
        if named["x3"] == nil,
            let corners = numbers("x1", "y1", "x2", "y2") ?? numbers("xmin", "ymin", "xmax", "ymax")
                ?? numbers("left", "top", "right", "bottom") ?? numbers("x0", "y0", "x1", "y1")
        {
            return Box(left: corners[0], top: corners[1], right: corners[2], bottom: corners[3])
        }
        guard
            let size = numbers("x", "y", "width", "height") ?? numbers("x", "y", "w", "h")
                ?? numbers("left", "top", "width", "height")
        else { return nil }
        return Box(left: size[0], top: size[1], right: size[0] + size[2], bottom: size[1] + size[3])
    }

    private func point(_ named: [String: AnswerValue]) -> Point? {
        if let x = named["x"]?.number, let y = named["y"]?.number { return Point(x, y) }
        if let row = named["row"]?.number, let column = (named["col"] ?? named["column"])?.number {
            return Point(column, row)
        }
        return nil
    }

    private mutating func geoJSON(_ type: String, _ coordinates: AnswerValue) -> Geometry? {
        guard case .list(let values) = coordinates else { return nil }
        switch type.lowercased() {
        case "polygon": return geoPolygon(values).map { .polygons([$0]) }
        case "multipolygon":
            var polygons: [Polygon] = []
            for value in values {
                guard case .list(let rings) = value, let polygon = geoPolygon(rings) else { return nil }
                polygons.append(polygon)
            }
            return polygons.isEmpty ? .nothing : .polygons(polygons)
        default: return nil
        }
    }

    /// The first ring is the outline, the others are holes (RFC 7946).
    private mutating func geoPolygon(_ rings: [AnswerValue]) -> Polygon? {
        var outlines: [[Point]] = []
        for ring in rings {
            guard case .list(let values) = ring, case .ring(let points)? = list(values, nil) else { return nil }
            outlines.append(points)
        }
        return outlines.first.map { Polygon(outline: $0, holes: Array(outlines.dropFirst())) }
    }

    /// An object that names an outline and holes.
    private mutating func polygonWithHoles(_ members: [(key: String, value: AnswerValue)]) -> Polygon? {
        guard let holes = members.first(where: { Self.holeKeys.contains($0.key) }),
            let outline = members.first(where: { Self.outlineKeys.contains($0.key) }),
            case .ring(let ring)? = geometry(of: outline.value, key: outline.key)
        else { return nil }
        switch geometry(of: holes.value, key: "polygons") {
        case .ring(let hole)?: return Polygon(outline: ring, holes: [hole])
        case .polygons(let holes)?: return Polygon(outline: ring, holes: holes.map(\.outline))
        default: return failure == nil ? Polygon(outline: ring) : nil
        }
    }

    private func position(_ value: AnswerValue) -> Point? {
        switch value {
        case .list(let values):
            let numbers = values.compactMap(\.number)
            return numbers.count == 2 && values.count == 2 ? Point(numbers[0], numbers[1]) : nil
        case .object(let members):
            var named: [String: AnswerValue] = [:]
            for member in members { named[member.key] = member.value }
            guard named["width"] == nil, named["w"] == nil else { return nil }
            return point(named)
        case .text(let text): return position(inText: text)
        default: return nil
        }
    }

    /// "12, 34" or "(12, 34)".
    private func position(inText text: String) -> Point? {
        let parts = text.utf8.prefix(65).split(whereSeparator: { " ,;()[]".utf8.contains($0) })
        guard text.utf8.count <= 64, parts.count == 2,
            let x = Double(String(decoding: Array(parts[0]), as: UTF8.self)),
            let y = Double(String(decoding: Array(parts[1]), as: UTF8.self))
        else { return nil }
        return Point(x, y)
    }

    /// What the end of a text may leave of a position.
    private func isIncompletePosition(_ value: AnswerValue) -> Bool {
        switch value {
        case .list(let values): values.count < 2 && values.allSatisfy { $0.number != nil }
        case .object(let members): members.count < 2
        case .number: true
        default: false
        }
    }
}
