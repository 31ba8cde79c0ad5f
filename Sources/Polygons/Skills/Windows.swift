import Metrics

/// Windows to look into, for targets that are small in the picture.
public enum Windows {
    /// How many times as large as what was found the windows of a pyramid are.
    public static let pyramidFactors: [Double] = [3, 1.6]

    /// The windows of a crop–zoom pyramid: around what a first look found, each so many times as large as the box around it, the widest
    /// first, at least `least` pixels a side and inside the picture.
    public static func pyramid(
        around mask: Mask, factors: [Double] = pyramidFactors, least: Double = 32
    ) -> [Box] {
        guard let bounds = mask.bounds else { return [] }
        let found = Box(
            left: Double(bounds.columns.lowerBound), top: Double(bounds.rows.lowerBound),
            right: Double(bounds.columns.upperBound), bottom: Double(bounds.rows.upperBound))
        return factors.sorted(by: >).map { enlarged(found, $0, least: least, width: mask.width, height: mask.height) }
    }

    /// The window that holds the targets of a few labelled pictures, each side at the given quantile of theirs and moved out by a
    /// margin; for targets that always lie in the same place.
    ///
    /// - Parameters:
    ///   - trimmed: the fraction of labels that may reach beyond each side.
    ///   - margin: of the picture's sides.
    /// - Throws: `PolygonsError.noLabels` when no mask has foreground.
    public static func staticBox(
        of masks: [Mask], trimmed: Double = 0.05, margin: Double = 0.05, width: Int, height: Int
    ) throws(PolygonsError) -> Box {
        var sides: [[Double]] = [[], [], [], []]
        for mask in masks {
            guard let bounds = mask.bounds else { continue }
            sides[0].append(Double(bounds.columns.lowerBound) / Double(mask.width))
            sides[1].append(Double(bounds.rows.lowerBound) / Double(mask.height))
            sides[2].append(Double(bounds.columns.upperBound) / Double(mask.width))
            sides[3].append(Double(bounds.rows.upperBound) / Double(mask.height))
        }
        guard !sides[0].isEmpty else { throw .noLabels }
        func side(_ index: Int, fromTop: Bool) -> Double {
            let sorted = sides[index].sorted()
            // So many labels, rounded down, lie outside.
            let skipped = Int(trimmed * Double(sorted.count))
            let value = fromTop ? sorted[sorted.count - 1 - skipped] : sorted[skipped]
            return min(max(value + (fromTop ? margin : -margin), 0), 1)
        }
        return Box(
            left: side(0, fromTop: false) * Double(width), top: side(1, fromTop: false) * Double(height),
            right: side(2, fromTop: true) * Double(width), bottom: side(3, fromTop: true) * Double(height))
    }

    /// A box around the same middle, moved into the picture where it reaches out.
    static func enlarged(_ box: Box, _ factor: Double, least: Double, width: Int, height: Int) -> Box {
        func side(_ low: Double, _ high: Double, _ count: Int) -> (Double, Double) {
            let length = min(max((high - low) * factor, least), Double(count))
            let start = min(max((low + high - length) / 2, 0), Double(count) - length)
            return (start, start + length)
        }
        let (x, y) = (side(box.left, box.right, width), side(box.top, box.bottom, height))
        return Box(left: x.0, top: y.0, right: x.1, bottom: y.1)
    }
}
