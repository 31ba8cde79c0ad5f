/// The connected components of a mask's foreground.
///
/// ```swift
/// let components = ConnectedComponents(of: mask, connectivity: .eight)
/// components.largest        // a mask
/// ```
///
/// Components are numbered from 1 in the order in which their first pixel is met, row by row, as `scipy.ndimage.label`.
/// Runs of each row are joined by union and find (Rosenfeld and Pfaltz 1966; path halving after van Leeuwen and van der Weide
/// 1977).
public struct ConnectedComponents: Sendable, Hashable {
    /// Which pixels are neighbours.
    public enum Connectivity: Int, Sendable, Hashable, Codable {
        /// Those that share an edge.
        case four = 4
        /// Those that share an edge or a corner.
        case eight = 8
    }

    public let width: Int
    public let height: Int
    /// The number of each pixel's component, 0 in the background; `height * width`.
    public let labels: [Int32]
    /// Pixels of component 1, 2, …
    public let areas: [Int]

    /// - Complexity: O(pixels), near enough.
    public init(of mask: Mask, connectivity: Connectivity = .eight) {
        (width, height) = (mask.width, mask.height)
        let reach = connectivity == .eight ? 1 : 0
        var runs = Runs()
        var above = 0..<0
        for y in 0..<height {
            let first = runs.items.count
            runs.append(rowOf: mask, y)
            runs.join(above, with: first..<runs.items.count, reach: reach)
            above = first..<runs.items.count
        }
        var labels = [Int32](repeating: 0, count: mask.pixels)
        var areas: [Int] = []
        var numbers = [Int32](repeating: 0, count: runs.items.count)
        for index in runs.items.indices {
            let root = runs.root(index)
            if numbers[root] == 0 {
                areas.append(0)
                numbers[root] = Int32(areas.count)
            }
            let run = runs.items[index]
            areas[Int(numbers[root]) - 1] += run.end - run.start
            for pixel in run.start..<run.end { labels[run.row * mask.width + pixel] = numbers[root] }
        }
        (self.labels, self.areas) = (labels, areas)
    }

    /// How many there are.
    public var count: Int { areas.count }

    /// One component alone, by its number from 1.
    public func mask(of component: Int) -> Mask {
        Mask(unchecked: width, height, labels.map { $0 == Int32(component) ? 1 : 0 })
    }

    /// The largest component, the first of several; an empty mask when there is none.
    public var largest: Mask { keeping(1) }

    /// The so many largest components, of equal ones those met first.
    public func keeping(_ count: Int) -> Mask {
        let order = areas.indices.sorted { (areas[$1], $0) < (areas[$0], $1) }
        var isKept = [Bool](repeating: false, count: areas.count + 1)
        for index in order.prefix(max(0, count)) { isKept[index + 1] = true }
        return Mask(unchecked: width, height, labels.map { isKept[Int($0)] ? 1 : 0 })
    }

    /// Components of at least so many pixels.
    public func keeping(atLeast area: Int) -> Mask {
        Mask(unchecked: width, height, labels.map { $0 > 0 && areas[Int($0) - 1] >= area ? 1 : 0 })
    }
}

/// Horizontal runs of foreground, each with a parent in the forest of union and find.
private struct Runs {
    struct Run {
        var row: Int
        var start: Int
        var end: Int
    }

    private(set) var items: [Run] = []
    private var parents: [Int] = []

    mutating func append(rowOf mask: Mask, _ y: Int) {
        var x = 0
        let offset = y * mask.width
        while x < mask.width {
            guard mask.values[offset + x] != 0 else {
                x += 1
                continue
            }
            let start = x
            while x < mask.width, mask.values[offset + x] != 0 { x += 1 }
            parents.append(items.count)
            items.append(Run(row: y, start: start, end: x))
        }
    }

    /// Joins the runs of neighbouring rows that touch; `reach` is how far beyond its ends a run still touches.
    mutating func join(_ above: Range<Int>, with below: Range<Int>, reach: Int) {
        var (i, j) = (above.lowerBound, below.lowerBound)
        while i < above.upperBound, j < below.upperBound {
            if items[i].start < items[j].end + reach, items[j].start < items[i].end + reach {
                let (a, b) = (root(i), root(j))
                parents[max(a, b)] = min(a, b)
            }
            if items[i].end < items[j].end { i += 1 } else { j += 1 }
        }
    }

    mutating func root(_ index: Int) -> Int {
        var index = index
        while parents[index] != index {
            parents[index] = parents[parents[index]]
            index = parents[index]
        }
        return index
    }
}
