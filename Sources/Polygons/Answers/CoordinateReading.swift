/// Decides what the numbers of an answer mean, by rule.
///
/// In this order: percent signs; the names of known formats; what was asked for, where all positions fit it; 0 to 1 where all
/// lie there and pixels would make a dot; pixels; rows first where only so all positions lie in the frame; 0 to 1000; pixels
/// with a part outside the frame. Where several readings fit, what was asked for wins, and so a stated convention is never
/// overruled by chance.
struct CoordinateReading {
    /// Pixels of the picture that was asked about.
    let width: Double
    let height: Double
    let asked: CoordinateConvention

    /// How far beyond a side a position may lie and still count as meant to be inside: 5 % of the side.
    static let overhang = 0.05

    struct Verdict {
        var convention: CoordinateConvention
        var isSwapped: Bool
    }

    /// - Parameters:
    ///   - stated: what the answer's format says, if it does.
    ///   - rowsFirst: whether the answer says that rows come first.
    /// - Throws: `AnswerFailure.malformed` for numbers that are none, `.unknownConvention`, `.outOfFrame`.
    func verdict(
        of points: [Point], stated: CoordinateConvention?, rowsFirst: Bool
    ) throws(AnswerFailure) -> Verdict {
        guard points.allSatisfy({ abs($0.x) <= 1e6 && abs($0.y) <= 1e6 }) else { throw .malformed }
        let points = rowsFirst ? points.map { Point($0.y, $0.x) } : points
        if let stated {
            guard fits(points, stated) else { throw .unknownConvention }
            return Verdict(convention: stated, isSwapped: rowsFirst)
        }
        func plain(_ convention: CoordinateConvention) -> Verdict {
            Verdict(convention: convention, isSwapped: rowsFirst)
        }
        if asked != .pixels, fits(points, asked), !(asked != .unit && isUnit(points)) { return plain(asked) }
        if isUnit(points) { return plain(.unit) }
        if fits(points, .pixels) { return plain(.pixels) }
        if !rowsFirst, asked == .pixels, fitsSwapped(points) { return Verdict(convention: .pixels, isSwapped: true) }
        if fits(points, .thousandths) { return plain(.thousandths) }
        let inside = points.count { isInside($0, width, height, overhang: 0) }
        guard inside * 2 >= points.count, inside > 0 else { throw asked == .pixels ? .outOfFrame : .unknownConvention }
        return plain(.pixels)
    }

    /// Whether every position lies on the scale of a convention.
    private func fits(_ points: [Point], _ convention: CoordinateConvention) -> Bool {
        let (right, bottom) = extent(convention)
        let overhang = convention == .pixels || convention == .unit ? Self.overhang : 0
        return points.allSatisfy { isInside($0, right, bottom, overhang: overhang) }
    }

    /// All in 0...1, where a pixel would hold the whole shape.
    private func isUnit(_ points: [Point]) -> Bool {
        max(width, height) > 2 && fits(points, .unit)
            && points.contains { $0.x != 0 || $0.y != 0 }
    }

    private func fitsSwapped(_ points: [Point]) -> Bool {
        points.allSatisfy { isInside($0, height, width, overhang: 0) }
    }

    private func isInside(_ point: Point, _ right: Double, _ bottom: Double, overhang: Double) -> Bool {
        point.x >= -overhang * right && point.x <= (1 + overhang) * right && point.y >= -overhang * bottom
            && point.y <= (1 + overhang) * bottom
    }

    /// The sides of the picture in the unit of a convention.
    private func extent(_ convention: CoordinateConvention) -> (Double, Double) {
        switch convention {
        case .pixels: (width, height)
        case .unit: (1, 1)
        case .percent: (100, 100)
        case .thousandths: (1000, 1000)
        }
    }

    /// A position in pixels.
    func pixels(_ point: Point, _ verdict: Verdict) -> Point {
        let point = verdict.isSwapped ? Point(point.y, point.x) : point
        guard verdict.convention != .pixels else { return point }
        let (right, bottom) = extent(verdict.convention)
        return Point(point.x / right * width, point.y / bottom * height)
    }
}
