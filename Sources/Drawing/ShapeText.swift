import Foundation
import Metrics
import Polygons

/// A shape as the store keeps it: `{"polygons":[[[[x,y],…],hole,…],…]}`, `{"boxes":[[left,top,right,bottom],…]}`,
/// `{"points":[[x,y],…]}` or `{"nothing":true}`, in pixels of the original picture, to a thousandth.
public struct ShapeText: Sendable, Hashable, Codable {
    var polygons: [[[[Double]]]]?
    var boxes: [[Double]]?
    var points: [[Double]]?
    var nothing: Bool?

    public init(_ shape: DrawnShape) {
        func number(_ value: Double) -> Double { (value * 1000).rounded() / 1000 }
        func ring(_ points: [Point]) -> [[Double]] { points.map { [number($0.x), number($0.y)] } }
        switch shape {
        case .polygons(let all): polygons = all.map { ([$0.outline] + $0.holes).map(ring) }
        case .boxes(let all):
            boxes = all.map { [number($0.left), number($0.top), number($0.right), number($0.bottom)] }
        case .points(let all): points = ring(all)
        case .nothing: nothing = true
        }
    }

    /// The outlines of a mask: filled again they give it back exactly.
    public init(_ mask: Mask) {
        let rings = ContourTracing.rings(of: mask)
        // One polygon: the rings of a mask are told apart by the even-odd rule over all of them.
        self.init(rings.isEmpty ? .nothing : .polygons([Polygon(outline: rings[0], holes: Array(rings.dropFirst()))]))
    }

    /// - Throws: `DrawingError.damaged`.
    public init(json: String) throws(DrawingError) {
        do {
            self = try JSONDecoder().decode(ShapeText.self, from: Data(json.utf8))
        } catch {
            throw .damaged(what: "a stored shape", reason: "it is no JSON of a shape")
        }
    }

    /// The same bytes for the same shape.
    public var json: String {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys]
            return String(decoding: try encoder.encode(self), as: UTF8.self)
        }
    }

    /// - Throws: `DrawingError.damaged`.
    public var shape: DrawnShape {
        get throws(DrawingError) {
            func numbers(_ list: [Double], _ count: Int) throws(DrawingError) -> [Double] {
                guard list.count == count, list.allSatisfy(\.isFinite) else {
                    throw .damaged(what: "a stored shape", reason: "\(list.count) numbers stand where \(count) belong")
                }
                return list
            }
            func ring(_ list: [[Double]]) throws(DrawingError) -> [Point] {
                var points: [Point] = []
                for pair in list {
                    let pair = try numbers(pair, 2)
                    points.append(Point(pair[0], pair[1]))
                }
                return points
            }
            if let polygons {
                var all: [Polygon] = []
                for rings in polygons {
                    var parts: [[Point]] = []
                    for list in rings { parts.append(try ring(list)) }
                    guard let outline = parts.first else { continue }
                    all.append(Polygon(outline: outline, holes: Array(parts.dropFirst())))
                }
                return .polygons(all)
            }
            if let boxes {
                var all: [Box] = []
                for list in boxes {
                    let sides = try numbers(list, 4)
                    all.append(Box(left: sides[0], top: sides[1], right: sides[2], bottom: sides[3]))
                }
                return .boxes(all)
            }
            if let points { return .points(try ring(points)) }
            return .nothing
        }
    }
}
