/// PyTorch's `pad`: constant over any axes; reflect, replicate and circular over the last one to three of N C … or C ….
extension OperationTable {
    static let padding: [String: Factory] = [
        "pad": { attributes in
            let padding = try attributes.integers("padding")
            let mode = try attributes.string("mode", default: "constant")
            guard mode != "constant" else {
                return Pad(padding: padding, value: Float(try attributes.number("value", default: 0)))
            }
            guard let border = BorderRule.Border(rawValue: mode) else {
                throw attributes.failure("the padding mode \(mode) is unknown")
            }
            guard [2, 4, 6].contains(padding.count), padding.allSatisfy({ abs($0) < 1 << 24 }) else {
                throw attributes.failure("a padding of \(padding) is not two sizes for each of up to three axes")
            }
            // Pairs are given from the last axis backwards.
            let pairs: [(before: Int, after: Int)] = (0..<padding.count / 2).reversed().map { pair in
                (before: padding[2 * pair], after: padding[2 * pair + 1])
            }
            return Resampling(axes: pairs.count, rule: BorderRule(border: border, pairs: pairs))
        }
    ]
}

/// Padding by elements of the operand itself; negative sizes crop.
struct BorderRule: AxisRule {
    enum Border: String {
        /// Mirrored at the first and last element, which are not repeated.
        case reflect
        /// The first and last element repeated.
        case replicate
        /// The opposite end (of what cropping leaves).
        case circular
    }

    var border: Border
    /// Before and after, per axis.
    var pairs: [(before: Int, after: Int)]

    func weights(_ size: Int, axis: Int) throws -> AxisWeights {
        let (before, after) = pairs[axis]
        let (count, kept) = (size + before + after, size + min(before, 0) + min(after, 0))
        let largest = max(before, after)
        let limit = border == .reflect ? size - 1 : border == .circular ? kept : AxisWeights.limit
        guard count > 0, kept > 0, count <= AxisWeights.limit, largest <= limit else {
            throw ShapeFault("\(border.rawValue) padding by \(before) and \(after) does not fit a size of \(size)")
        }
        return AxisWeights(
            taps: (0..<count).map { position in
                let place = position - before
                let index: Int
                switch border {
                case .reflect: index = place < 0 ? -place : place >= size ? 2 * (size - 1) - place : place
                case .replicate: index = min(max(place, 0), size - 1)
                case .circular:
                    let start = max(-before, 0)
                    index = start + (place - start + kept) % kept
                }
                return [AxisWeights.Tap(index: index, weight: 1)]
            })
    }
}
