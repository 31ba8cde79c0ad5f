import Datasets
import Foundation
import Metrics

/// Foreground extraction by iterated graph cuts (Rother, Kolmogorov and Blake 2004), seeded with a box.
///
/// What lies outside the box is background for good. Inside, two mixtures of five colour distributions and the minimum cut take turns.
/// γ = 50 and the scale of the contrast are the paper's; borders are not matted. Pictures are worked on at `side` pixels at most, by
/// means of the pixels that fall together, and the mask is set back by nearest neighbour.
public struct GrabCut: Sendable, Hashable {
    /// Components of each mixture.
    public static let components = 5
    /// The weight of the boundary against the colours.
    public static let gamma = 50.0

    public var iterations: Int
    public var side: Int
    public var seed: UInt64

    public init(iterations: Int = 5, side: Int = 160, seed: UInt64 = 1) {
        (self.iterations, self.side, self.seed) = (iterations, max(8, side), seed)
    }

    /// The foreground inside a box, in pixels; empty where the box lies outside the picture.
    ///
    /// - Throws: `PolygonsError`.
    public func segment(_ image: Image, inside box: Box) throws(PolygonsError) -> Mask {
        let scale = max(1, Double(max(image.width, image.height)) / Double(side))
        let work = WorkingColours(image, scale: scale)
        let mayBe = (0..<(work.width * work.height)).map { index in
            let (x, y) = (Double(index % work.width) + 0.5, Double(index / work.width) + 0.5)
            return x * scale >= box.left && x * scale < box.right && y * scale >= box.top && y * scale < box.bottom
        }
        let result = cut(work, mayBe: mayBe)
        var values = [UInt8](repeating: 0, count: image.pixels)
        for y in 0..<image.height {
            let row = min(Int((Double(y) + 0.5) / scale), work.height - 1) * work.width
            for x in 0..<image.width {
                let column = min(Int((Double(x) + 0.5) / scale), work.width - 1)
                values[y * image.width + x] = result[row + column] ? 1 : 0
            }
        }
        return try Mask.frame(of: image.width, image.height, values)
    }

    private func cut(_ work: WorkingColours, mayBe: [Bool]) -> [Bool] {
        var isForeground = mayBe
        guard mayBe.contains(true), mayBe.contains(false) else { return isForeground }
        let edges = work.edges(gamma: Self.gamma)
        var mixtures = work.mixtures(isForeground) { colours in
            ColourMixture.clusters(colours, count: Self.components, seed: seed)
        }
        for iteration in 0..<iterations {
            if iteration > 0 {
                let before = mixtures
                mixtures = work.mixtures(isForeground, assigned: before)
            }
            var network = MaximumFlow(nodes: mayBe.count, edges: edges.count)
            for (index, colour) in work.colours.enumerated() {
                if mayBe[index] {
                    // Both costs may be negative, as densities may exceed one; only their difference matters.
                    let (toForeground, toBackground) = (
                        mixtures.background.cost(of: colour), mixtures.foreground.cost(of: colour)
                    )
                    let least = min(toForeground, toBackground)
                    network.addTerminal(index, source: toForeground - least, sink: toBackground - least)
                } else {
                    network.addTerminal(index, source: 0, sink: 9 * Self.gamma)
                }
            }
            for edge in edges { network.addEdge(edge.a, edge.b, capacity: edge.weight, reverse: edge.weight) }
            _ = network.solve()
            let next = mayBe.indices.map { mayBe[$0] && network.isSource($0) }
            guard next.contains(true), next != isForeground else { return next }
            isForeground = next
        }
        return isForeground
    }
}

/// GrabCut as a control that knows the targets' mean size: seeded with the window of the centred ellipse, a quarter larger.
public struct GrabCutDrawer: Drawer {
    public let name = "GrabCut"
    public let prior: ShapePrior
    public let grabCut: GrabCut

    public init(prior: ShapePrior, grabCut: GrabCut = GrabCut()) {
        (self.prior, self.grabCut) = (prior, grabCut)
    }

    public func draw(_ image: Image) throws(PolygonsError) -> Mask {
        func range(_ fraction: Double, _ side: Int) -> (Double, Double) {
            // Something has to be left outside to learn the background from.
            let half = min(fraction * 1.25, 0.95) * Double(side) / 2
            return (Double(side) / 2 - half, Double(side) / 2 + half)
        }
        let (columns, rows) = (range(prior.width, image.width), range(prior.height, image.height))
        let mask = try grabCut.segment(
            image, inside: Box(left: columns.0, top: rows.0, right: columns.1, bottom: rows.1))
        return ConnectedComponents(of: mask).largest
    }
}

/// A picture as colours on a coarser grid.
private struct WorkingColours {
    struct Edge {
        var a: Int
        var b: Int
        var weight: Double
    }

    let width: Int
    let height: Int
    private(set) var colours: [Colour]

    init(_ image: Image, scale: Double) {
        let (width, height) = (
            max(1, Int((Double(image.width) / scale).rounded())), max(1, Int((Double(image.height) / scale).rounded()))
        )
        (self.width, self.height) = (width, height)
        var sums = [Colour](repeating: .zero, count: width * height)
        var counts = [Double](repeating: 0, count: width * height)
        for y in 0..<image.height {
            let row = min(Int((Double(y) + 0.5) / scale), height - 1) * width
            for x in 0..<image.width {
                let index = row + min(Int((Double(x) + 0.5) / scale), width - 1)
                let colour =
                    image.channels == 1
                    ? Colour(repeating: Double(image[x: x, y: y]))
                    : Colour(
                        Double(image[x: x, y: y]), Double(image[x: x, y: y, channel: 1]),
                        Double(image[x: x, y: y, channel: 2]))
                sums[index] += colour
                counts[index] += 1
            }
        }
        colours = zip(sums, counts).map { $1 > 0 ? $0 / $1 : $0 }
    }

    /// The edges of the 8-neighbourhood: γ exp(−β |Δ|²) over the distance, β = 1 / (2 mean |Δ|²).
    func edges(gamma: Double) -> [Edge] {
        var edges: [Edge] = []
        edges.reserveCapacity(4 * colours.count)
        var (sum, count) = (0.0, 0.0)
        for y in 0..<height {
            for x in 0..<width {
                for (dx, dy) in [(1, 0), (-1, 1), (0, 1), (1, 1)] where (0..<width).contains(x + dx) && y + dy < height
                {
                    let (a, b) = (y * width + x, (y + dy) * width + x + dx)
                    let difference = colours[a] - colours[b]
                    let square = (difference * difference).sum()
                    sum += square
                    count += 1
                    edges.append(Edge(a: a, b: b, weight: square))
                }
            }
        }
        let beta = sum > 0 ? count / (2 * sum) : 0
        for index in edges.indices {
            let isDiagonal = edges[index].b - edges[index].a != 1 && edges[index].b - edges[index].a != width
            edges[index].weight = gamma * exp(-beta * edges[index].weight) / (isDiagonal ? 2.0.squareRoot() : 1)
        }
        return edges
    }

    typealias Mixtures = (foreground: ColourMixture, background: ColourMixture)

    func mixtures(_ isForeground: [Bool], clusters: ([Colour]) -> [Int]) -> Mixtures {
        func fit(_ side: Bool) -> ColourMixture {
            let mine = colours.indices.filter { isForeground[$0] == side }.map { colours[$0] }
            return ColourMixture(mine, labels: clusters(mine), count: GrabCut.components)
        }
        return (fit(true), fit(false))
    }

    /// Each colour goes to the component that most likely made it, and the components are fitted anew.
    func mixtures(_ isForeground: [Bool], assigned: Mixtures) -> Mixtures {
        func fit(_ side: Bool, _ mixture: ColourMixture) -> ColourMixture {
            let mine = colours.indices.filter { isForeground[$0] == side }.map { colours[$0] }
            return ColourMixture(mine, labels: mine.map(mixture.component), count: GrabCut.components)
        }
        return (fit(true, assigned.foreground), fit(false, assigned.background))
    }
}
