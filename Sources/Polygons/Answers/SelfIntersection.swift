/// Whether an outline crosses itself.
enum SelfIntersection {
    /// True when two edges that are no neighbours cross properly, or one ends on the inside of the other.
    ///
    /// - Complexity: O(n²) at worst; edges are sorted by their left end, so that those far apart are not compared.
    static func exists(in ring: [Point]) -> Bool {
        guard ring.count > 3 else { return false }
        let edges = ring.indices.map { index -> (index: Int, a: Point, b: Point, left: Double, right: Double) in
            let (a, b) = (ring[index], ring[(index + 1) % ring.count])
            return (index, a, b, min(a.x, b.x), max(a.x, b.x))
        }.sorted { $0.left < $1.left }
        for first in edges.indices {
            for second in edges[(first + 1)...] {
                if second.left > edges[first].right { break }
                let distance = abs(edges[first].index - second.index)
                guard distance > 1, distance < ring.count - 1 else { continue }
                if cross(edges[first].a, edges[first].b, second.a, second.b) { return true }
            }
        }
        return false
    }

    private static func cross(_ a: Point, _ b: Point, _ c: Point, _ d: Point) -> Bool {
        let (s1, s2) = (side(a, b, c), side(a, b, d))
        let (s3, s4) = (side(c, d, a), side(c, d, b))
        if s1 == 0 && s2 == 0 { return false }
        return s1 * s2 <= 0 && s3 * s4 <= 0 && (s1 * s2 < 0 || s3 * s4 < 0)
    }

    /// 1 left of the line, −1 right, 0 on it.
    private static func side(_ a: Point, _ b: Point, _ c: Point) -> Int {
        let value = (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x)
        return value > 0 ? 1 : value < 0 ? -1 : 0
    }
}
