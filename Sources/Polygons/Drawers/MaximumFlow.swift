/// The maximum flow through a network with a source and a sink, and with it the minimum cut, by the two growing trees of Boykov and
/// Kolmogorov (2004, *An Experimental Comparison of Min-Cut/Max-Flow Algorithms*).
///
/// ```swift
/// var network = MaximumFlow(nodes: 2, edges: 1)
/// network.addTerminal(0, source: 3, sink: 0)
/// network.addTerminal(1, source: 0, sink: 2)
/// network.addEdge(0, 1, capacity: 5, reverse: 0)
/// network.solve()             // 2
/// network.isSource(0)         // true: on the source's side of the cut
/// ```
///
/// Capacities are not negative. Nodes out of range are a programming error and trap.
struct MaximumFlow {
    private static let none: Int32 = -1
    private static let terminal: Int32 = -2
    private static let orphan: Int32 = -3

    /// Arcs lie in pairs: the opposite one of arc a is a ^ 1.
    private var heads: [Int32] = []
    private var nexts: [Int32] = []
    private var capacities: [Double] = []
    private var first: [Int32]
    /// What is left from the source, or with a minus sign to the sink.
    private var terminals: [Double]
    /// The arc to the parent in the node's tree.
    private var parents: [Int32]
    private var isSink: [Bool]
    private var stamps: [Int]
    private var distances: [Int]
    private var isActive: [Bool]
    private var active: [Int32] = []
    private var nextActive = 0
    private var orphans: [Int32] = []
    private var time = 0
    private var flow = 0.0

    init(nodes: Int, edges: Int) {
        first = [Int32](repeating: Self.none, count: nodes)
        parents = first
        terminals = [Double](repeating: 0, count: nodes)
        isSink = [Bool](repeating: false, count: nodes)
        isActive = isSink
        stamps = [Int](repeating: 0, count: nodes)
        distances = stamps
        heads.reserveCapacity(2 * edges)
        nexts.reserveCapacity(2 * edges)
        capacities.reserveCapacity(2 * edges)
    }

    /// Adds capacity from the source and to the sink; may be called several times a node.
    mutating func addTerminal(_ node: Int, source: Double, sink: Double) {
        var (source, sink) = (source, sink)
        if terminals[node] > 0 { source += terminals[node] } else { sink -= terminals[node] }
        flow += min(source, sink)
        terminals[node] = source - sink
    }

    mutating func addEdge(_ a: Int, _ b: Int, capacity: Double, reverse: Double) {
        for (from, to, capacity) in [(a, b, capacity), (b, a, reverse)] {
            nexts.append(first[from])
            first[from] = Int32(heads.count)
            heads.append(Int32(to))
            capacities.append(capacity)
        }
    }

    /// Whether a node is on the source's side of the minimum cut; after `solve`. Nodes that neither side reaches count as the
    /// sink's.
    func isSource(_ node: Int) -> Bool { parents[node] != Self.none && !isSink[node] }

    /// The maximum flow. Called once.
    ///
    /// - Complexity: in practice near linear for grids; no polynomial bound in the capacities is known.
    mutating func solve() -> Double {
        for node in terminals.indices where terminals[node] != 0 {
            isSink[node] = terminals[node] < 0
            parents[node] = Self.terminal
            distances[node] = 1
            activate(Int32(node))
        }
        var current = Self.none
        while true {
            if current == Self.none || parents[Int(current)] == Self.none {
                current = popActive()
                if current == Self.none { return flow }
            }
            let bridge = grow(Int(current))
            time += 1
            guard bridge != Self.none else {
                current = Self.none
                continue
            }
            augment(Int(bridge))
            while let orphan = orphans.popLast() { adopt(Int(orphan)) }
        }
    }

    private mutating func activate(_ node: Int32) {
        guard !isActive[Int(node)] else { return }
        isActive[Int(node)] = true
        active.append(node)
    }

    private mutating func popActive() -> Int32 {
        while nextActive < active.count {
            let node = active[nextActive]
            nextActive += 1
            isActive[Int(node)] = false
            if nextActive > 4096, nextActive * 2 > active.count {
                active.removeFirst(nextActive)
                nextActive = 0
            }
            if parents[Int(node)] != Self.none { return node }
        }
        return Self.none
    }

    /// The arc along which flow can pass from a parent to a child of its tree.
    private func residual(_ arc: Int, fromSource: Bool) -> Double { capacities[fromSource ? arc : arc ^ 1] }

    /// Adds the free neighbours of a node to its tree; the arc from the source's tree to the sink's, once they touch.
    private mutating func grow(_ node: Int) -> Int32 {
        let fromSource = !isSink[node]
        var arc = first[node]
        while arc != Self.none {
            let index = Int(arc)
            if residual(index, fromSource: fromSource) > 0 {
                let other = Int(heads[index])
                if parents[other] == Self.none {
                    isSink[other] = !fromSource
                    parents[other] = arc ^ 1
                    stamps[other] = stamps[node]
                    distances[other] = distances[node] + 1
                    activate(Int32(other))
                } else if isSink[other] == fromSource {
                    return fromSource ? arc : arc ^ 1
                } else if stamps[other] <= stamps[node], distances[other] > distances[node] {
                    // A shorter way to the root.
                    parents[other] = arc ^ 1
                    stamps[other] = stamps[node]
                    distances[other] = distances[node] + 1
                }
            }
            arc = nexts[index]
        }
        return Self.none
    }

    /// Sends what fits along the path through the bridge.
    private mutating func augment(_ bridge: Int) {
        var bottleneck = capacities[bridge]
        let (start, end) = (Int(heads[bridge ^ 1]), Int(heads[bridge]))
        forEachAncestor(of: start) { node, arc in
            bottleneck = min(bottleneck, arc.map { capacities[$0 ^ 1] } ?? terminals[node])
        }
        forEachAncestor(of: end) { node, arc in
            bottleneck = min(bottleneck, arc.map { capacities[$0] } ?? -terminals[node])
        }
        capacities[bridge] -= bottleneck
        capacities[bridge ^ 1] += bottleneck
        push(bottleneck, from: start, sign: 1)
        push(bottleneck, from: end, sign: -1)
        flow += bottleneck
    }

    /// Visits a node and its ancestors with the arc to the next one, `nil` at the root.
    private func forEachAncestor(of node: Int, _ body: (Int, Int?) -> Void) {
        var node = node
        while parents[node] != Self.terminal {
            let arc = Int(parents[node])
            body(node, arc)
            node = Int(heads[arc])
        }
        body(node, nil)
    }

    /// Takes flow from the arcs up to the root; those it fills leave their child an orphan.
    private mutating func push(_ amount: Double, from node: Int, sign: Double) {
        var node = node
        while parents[node] != Self.terminal {
            let arc = Int(parents[node])
            let used = sign > 0 ? arc ^ 1 : arc
            capacities[used] -= amount
            capacities[used ^ 1] += amount
            if capacities[used] <= 0 { orphan(node) }
            node = Int(heads[arc])
        }
        terminals[node] -= sign * amount
        if sign * terminals[node] <= 0 {
            terminals[node] = 0
            orphan(node)
        }
    }

    private mutating func orphan(_ node: Int) {
        parents[node] = Self.orphan
        orphans.append(Int32(node))
    }

    /// Finds an orphan another parent of its tree that still hangs on the root, the nearest one; else it becomes free.
    private mutating func adopt(_ node: Int) {
        let fromSource = !isSink[node]
        var (best, bestDistance) = (Self.none, Int.max)
        var arc = first[node]
        while arc != Self.none {
            let index = Int(arc)
            let other = Int(heads[index])
            if residual(index ^ 1, fromSource: fromSource) > 0, isSink[other] == isSink[node],
                parents[other] != Self.none, let distance = distanceToRoot(other)
            {
                if distance < bestDistance { (best, bestDistance) = (arc, distance) }
                stamp(other, distance)
            }
            arc = nexts[index]
        }
        if best != Self.none {
            parents[node] = best
            stamps[node] = time
            distances[node] = bestDistance + 1
        } else {
            free(node, fromSource)
        }
    }

    /// Steps to the root of the tree; `nil` where an orphan lies between.
    private func distanceToRoot(_ node: Int) -> Int? {
        var (node, distance) = (node, 0)
        while true {
            if stamps[node] == time { return distance + distances[node] }
            let arc = parents[node]
            distance += 1
            if arc == Self.terminal { return distance }
            if arc == Self.orphan { return nil }
            node = Int(heads[Int(arc)])
        }
    }

    /// Notes the distances along the way to the root, so that the next search ends early.
    private mutating func stamp(_ node: Int, _ distance: Int) {
        var (node, distance) = (node, distance)
        while stamps[node] != time {
            stamps[node] = time
            distances[node] = distance
            distance -= 1
            guard parents[node] >= 0 else { return }
            node = Int(heads[Int(parents[node])])
        }
    }

    private mutating func free(_ node: Int, _ fromSource: Bool) {
        var arc = first[node]
        while arc != Self.none {
            let index = Int(arc)
            let other = Int(heads[index])
            if isSink[other] == isSink[node], parents[other] != Self.none {
                if residual(index ^ 1, fromSource: fromSource) > 0 { activate(Int32(other)) }
                if parents[other] >= 0, Int(heads[Int(parents[other])]) == node { orphan(other) }
            }
            arc = nexts[index]
        }
        parents[node] = Self.none
    }
}
