import Foundation

/// Values in a row that two lists share, more than chance explains.
struct SharedValues {
    var first: NamedList
    var second: NamedList
    var count: Int
    /// Where they begin, from 0.
    var starts: (Int, Int)
    /// At most.
    var chance: Double

    var isWhole: Bool { count == first.values.count && count == second.values.count }

    /// Comparisons of values that are affordable; beyond it only whole lists are compared.
    static let budget = 2e8

    /// The longest stretch that each two lists share, where it is no coincidence.
    ///
    /// - Complexity: O(Σ n₁n₂) over the pairs, up to the budget.
    static func all(in lists: [NamedList]) -> [SharedValues] {
        let usable = lists.filter { !$0.values.isEmpty && $0.values.allSatisfy(\.isFinite) }
        let total = Double(usable.reduce(0) { $0 + $1.values.count })
        let pairs = Double(usable.count * (usable.count - 1)) / 2
        guard total * total / 2 <= budget else {
            return Dictionary(grouping: usable, by: \.values).values.flatMap { group in
                group.dropFirst().compactMap { judge(group[0], $0, (group[0].values.count, 0, 0), pairs) }
            }
        }
        return usable.indices.flatMap { i in
            usable[(i + 1)...].compactMap { other in
                judge(usable[i], other, longest(usable[i].values, other.values), pairs)
            }
        }
    }

    private static func judge(
        _ a: NamedList, _ b: NamedList, _ stretch: (count: Int, i: Int, j: Int), _ pairs: Double
    ) -> SharedValues? {
        guard stretch.count > 1 else { return nil }
        let part = a.values[stretch.i..<(stretch.i + stretch.count)]
        let places = Double(a.values.count) * Double(b.values.count) * max(1, pairs)
        let chance = Coincidence(a.values, b.values)
            .chance(of: stretch.count, isSorted: Coincidence.isSorted(part), places: places)
        guard chance < Coincidence.level else { return nil }
        return SharedValues(
            first: a, second: b, count: stretch.count, starts: (stretch.i, stretch.j), chance: chance)
    }

    /// The longest common stretch by dynamic programming over a row (Gusfield 1997, section 7.4, names the problem).
    private static func longest(_ a: [Double], _ b: [Double]) -> (count: Int, i: Int, j: Int) {
        var row = [Int](repeating: 0, count: b.count + 1)
        var best = (count: 0, i: 0, j: 0)
        for i in a.indices {
            for j in stride(from: b.count, to: 0, by: -1) {
                row[j] = a[i] == b[j - 1] ? row[j - 1] + 1 : 0
                if row[j] > best.count { best = (row[j], i - row[j] + 1, j - row[j]) }
            }
        }
        return best
    }
}
