/// Fewer vertices.
public enum PolygonSimplification {
    private struct Vertex {
        var area: Double
        var ring: Int
        var index: Int
        var version: Int
    }

    /// Rings with so many vertices in all: the vertex whose triangle with its neighbours is smallest goes first (Visvalingam and Whyatt
    /// 1993), of all rings together. A ring of three goes as a whole, when its triangle is the smallest.
    ///
    /// - Parameter count: at least 3. Fewer are left only where a ring went last.
    /// - Complexity: O(n log n).
    public static func visvalingam(_ rings: [[Point]], vertices count: Int) -> [[Point]] {
        var simplifier = Simplifier(rings)
        return simplifier.reduced(to: max(3, count))
    }

    private struct Simplifier {
        let rings: [[Point]]
        private var next: [[Int]]
        private var previous: [[Int]]
        private var versions: [[Int]]
        private var sizes: [Int]
        private var total: Int
        private var heap = BinaryHeap<Vertex> { ($0.area, $0.ring, $0.index) < ($1.area, $1.ring, $1.index) }

        init(_ rings: [[Point]]) {
            self.rings = rings
            next = rings.map { ring in ring.indices.map { ($0 + 1) % ring.count } }
            previous = rings.map { ring in ring.indices.map { ($0 + ring.count - 1) % ring.count } }
            versions = rings.map { [Int](repeating: 0, count: $0.count) }
            sizes = rings.map(\.count)
            total = sizes.reduce(0, +)
            for ring in rings.indices { for index in rings[ring].indices { push(ring, index) } }
        }

        mutating func reduced(to count: Int) -> [[Point]] {
            while total > count, let vertex = heap.pop() {
                let (ring, index) = (vertex.ring, vertex.index)
                guard versions[ring][index] == vertex.version, sizes[ring] > 0 else { continue }
                if sizes[ring] <= 3 {
                    // The last ring stays.
                    guard total > sizes[ring] else { break }
                    total -= sizes[ring]
                    sizes[ring] = 0
                    continue
                }
                remove(ring, index)
            }
            return rings.indices.filter { sizes[$0] > 0 }.map { ring in
                rings[ring].indices.filter { versions[ring][$0] >= 0 }.map { rings[ring][$0] }
            }
        }

        private mutating func remove(_ ring: Int, _ index: Int) {
            let (before, after) = (previous[ring][index], next[ring][index])
            next[ring][before] = after
            previous[ring][after] = before
            versions[ring][index] = -1
            sizes[ring] -= 1
            total -= 1
            for neighbour in [before, after] {
                versions[ring][neighbour] += 1
                push(ring, neighbour)
            }
        }

        private mutating func push(_ ring: Int, _ index: Int) {
            let points = rings[ring]
            let triangle = [points[previous[ring][index]], points[index], points[next[ring][index]]]
            heap.push(
                Vertex(
                    area: abs(Polygon.signedArea(triangle)), ring: ring, index: index, version: versions[ring][index]))
        }
    }
}
