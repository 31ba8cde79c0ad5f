import Foundation
import Metrics
import TestSupport
import Testing

@testable import Polygons

@Suite struct RasterTests {
    @Test func aPixelIsInsideWhenItsCentreIs() throws {
        let square = DrawnShape.polygons([Polygon(outline: [Point(1, 1), Point(3, 1), Point(3, 3), Point(1, 3)])])
        #expect(try square.mask(width: 4, height: 4).values == [0, 0, 0, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0])
        // Through the centres: left and upper edges belong to the shape, right and lower ones do not.
        let half = DrawnShape.boxes([Box(left: 0.5, top: 0.5, right: 2.5, bottom: 1.5)])
        #expect(try half.mask(width: 4, height: 3).values == [1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
        #expect(try DrawnShape.points([Point(2.9, 0), Point(9, 9)]).mask(width: 4, height: 1).values == [0, 0, 1, 0])
    }

    @Test func polygonsThatShareAnEdgeShareNoPixelAndLeaveNone() throws {
        var generator = SeededGenerator(seed: Trials.seed("polygonsThatShareAnEdgeShareNoPixelAndLeaveNone"))
        for _ in 0..<200 {
            let (a, b) = (
                Double(Int.random(in: 0...20, using: &generator)) / 2,
                Double(Int.random(in: 0...20, using: &generator)) / 2
            )
            let left = Polygon(outline: [Point(0, 0), Point(a, 0), Point(b, 10), Point(0, 10)])
            let right = Polygon(outline: [Point(a, 0), Point(10, 0), Point(10, 10), Point(b, 10)])
            let (one, other) = (
                try DrawnShape.polygons([left]).mask(width: 10, height: 10),
                try DrawnShape.polygons([right]).mask(width: 10, height: 10)
            )
            #expect(try one.intersection(other).isEmpty && one.union(other).area == 100)
        }
    }

    @Test func everyPixelFollowsTheEvenOddRule() throws {
        var generator = SeededGenerator(seed: Trials.seed("everyPixelFollowsTheEvenOddRule"))
        for _ in 0..<200 {
            let outline = (0..<Int.random(in: 3...12, using: &generator)).map { _ in
                Point(Double.random(in: -5...25, using: &generator), Double.random(in: -5...25, using: &generator))
            }
            let mask = try DrawnShape.polygons([Polygon(outline: outline)]).mask(width: 20, height: 20)
            for index in mask.values.indices {
                let (x, y) = (Double(index % 20) + 0.5, Double(index / 20) + 0.5)
                // A ray to the right.
                var isInside = false
                for (a, b) in zip(outline, outline.dropFirst() + outline.prefix(1)) where (a.y <= y) != (b.y <= y) {
                    if a.x + (y - a.y) / (b.y - a.y) * (b.x - a.x) > x { isInside.toggle() }
                }
                try #require((mask.values[index] == 1) == isInside, "\(outline) at \(x), \(y)")
            }
        }
    }

    /// A boundary pixel is one whose centre lies less than a pixel from the outline. Pillow draws the outline as well as the inside, and puts pixel centres at whole numbers; vertices here are whole numbers
    /// there, so that no rounding of positions comes between.
    @Test(.enabled(if: ReferencePython.interpreter != nil, "needs Python with Pillow"))
    func randomPolygonsDifferFromPillowsOnBoundaryPixelsOnly() throws {
        var generator = SeededGenerator(
            seed: Trials.seed("randomPolygonsDifferFromPillowsOnBoundaryPixelsOnly"))
        let polygons = (0..<(Trials.isVerifying ? 10_000 : 500)).map { _ in
            RandomOutline.draw(using: &generator, in: 64)
        }
        let input = try JSONEncoder().encode(polygons.map { $0.map { [Int($0.x), Int($0.y)] } })
        let output = try ReferencePython.run("polygons/pillow.py", input: input)
        let masks = output.split(separator: UInt8(ascii: "\n"))
        try #require(masks.count == polygons.count)
        var (differing, pixels, farthest) = (0, 0, 0.0)
        for (outline, line) in zip(polygons, masks) {
            let shifted = outline.map { Point($0.x + 0.5, $0.y + 0.5) }
            let ours = try DrawnShape.polygons([Polygon(outline: shifted)]).mask(width: 64, height: 64)
            for (index, theirs) in line.enumerated() where ours.values[index] != theirs - UInt8(ascii: "0") {
                let pixel = (x: index % 64, y: index / 64)
                differing += 1
                let distance = RandomOutline.distance(shifted, pixel)
                farthest = max(farthest, distance)
                try #require(distance < 1, "\(outline) at \(pixel)")
            }
            pixels += ours.area
        }
        #expect(pixels > 100 * polygons.count)
        print(
            "\(differing) of \(polygons.count * 64 * 64) pixels differ, at most \(farthest) from the outline; \(pixels) are inside"
        )
    }
}

enum RandomOutline {
    /// Star-shaped, arbitrary (mostly self-intersecting) or convex, with whole coordinates, partly outside the frame.
    static func draw(using generator: inout SeededGenerator, in size: Int) -> [Point] {
        let count = Int.random(in: 3...20, using: &generator)
        let reach = -8...(size + 8)
        if Bool.random(using: &generator) {
            return (0..<count).map { _ in
                Point(
                    Double(Int.random(in: reach, using: &generator)), Double(Int.random(in: reach, using: &generator)))
            }
        }
        let (cx, cy) = (
            Double.random(in: 8...Double(size - 8), using: &generator),
            Double.random(in: 8...Double(size - 8), using: &generator)
        )
        return (0..<count).map { index in
            let angle = 2 * Double.pi * (Double(index) + Double.random(in: 0...0.8, using: &generator)) / Double(count)
            let radius = Double.random(in: 2...Double(size / 2), using: &generator)
            return Point((cx + radius * cos(angle)).rounded(), (cy + radius * sin(angle)).rounded())
        }
    }

    /// The distance of a pixel's centre to the nearest edge, in pixels.
    static func distance(_ outline: [Point], _ pixel: (x: Int, y: Int)) -> Double {
        let (x, y) = (Double(pixel.x) + 0.5, Double(pixel.y) + 0.5)
        return zip(outline, outline.dropFirst() + outline.prefix(1)).map { a, b in
            let (dx, dy) = (b.x - a.x, b.y - a.y)
            let square = dx * dx + dy * dy
            let along = square == 0 ? 0 : min(1, max(0, ((x - a.x) * dx + (y - a.y) * dy) / square))
            let (ex, ey) = (x - a.x - along * dx, y - a.y - along * dy)
            return (ex * ex + ey * ey).squareRoot()
        }.min() ?? .infinity
    }
}
