import Datasets
import Foundation
import Metrics
import Statistics

/// The same ellipse in the middle of every picture: as wide and high as the targets of the training set are on average.
public struct CentredEllipse: Drawer {
    public let name = "centred ellipse"
    public let prior: ShapePrior

    public init(prior: ShapePrior) {
        self.prior = prior
    }

    public func draw(_ image: Image) throws(PolygonsError) -> Mask {
        let (width, height) = (Double(image.width), Double(image.height))
        let (radiusX, radiusY) = (max(prior.width * width, 1) / 2, max(prior.height * height, 1) / 2)
        var values = [UInt8](repeating: 0, count: image.pixels)
        for y in 0..<image.height {
            let dy = (Double(y) + 0.5 - height / 2) / radiusY
            for x in 0..<image.width {
                let dx = (Double(x) + 0.5 - width / 2) / radiusX
                if dx * dx + dy * dy <= 1 { values[y * image.width + x] = 1 }
            }
        }
        return try Mask.frame(of: image.width, image.height, values)
    }
}

/// A star-shaped polygon of the targets' mean area at a random place: chance.
public struct RandomPolygon: Drawer {
    public let name = "random polygon"
    public let prior: ShapePrior
    public let vertices: Int
    public let seed: UInt64

    /// - Parameter vertices: at least 3.
    public init(prior: ShapePrior, vertices: Int = 15, seed: UInt64) {
        (self.prior, self.vertices, self.seed) = (prior, max(3, vertices), seed)
    }

    /// The polygon follows from the seed and the picture's samples.
    public func draw(_ image: Image) throws(PolygonsError) -> Mask {
        let polygon = outline(on: image)
        do {
            return try DrawnShape.polygons([Polygon(outline: polygon)]).mask(width: image.width, height: image.height)
        } catch {
            throw .sizes("a picture and its frame")
        }
    }

    func outline(on image: Image) -> [Point] {
        var random = SplitMix64(seed: seed ^ Self.hash(image.bytes))
        let radii = (0..<vertices).map { _ in 0.5 + random.uniform() }
        let start = random.uniform()
        let (cx, cy) = (random.uniform() * Double(image.width), random.uniform() * Double(image.height))
        let unscaled = radii.enumerated().map { index, radius in
            let angle = 2 * Double.pi * (start + Double(index) / Double(vertices))
            return Point(radius * cos(angle), radius * sin(angle))
        }
        let area = abs(Polygon.signedArea(unscaled))
        let scale = (max(prior.area * Double(image.pixels), 1) / area).squareRoot()
        return unscaled.map { Point(cx + scale * $0.x, cy + scale * $0.y) }
    }

    /// FNV-1a of 64 bits (Fowler, Noll and Vo).
    private static func hash(_ bytes: [UInt8]) -> UInt64 {
        bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }
}
