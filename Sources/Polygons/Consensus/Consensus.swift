import Metrics

/// Several drawings of one picture as one mask.
///
/// ```swift
/// let mask = try Consensus.majority(draws)
/// let doubt = try Consensus.selfConsistency(draws)    // 1: all the same
/// ```
public enum Consensus {
    /// The fraction of drawings that have each pixel; layout H W.
    ///
    /// - Throws: `PolygonsError` when there is none, or they differ in size.
    public static func mean(_ masks: [Mask]) throws(PolygonsError) -> [Double] {
        let first = try check(masks)
        var votes = [Int32](repeating: 0, count: first.pixels)
        for values in masks.map(\.values) {
            for index in votes.indices { votes[index] &+= Int32(values[index]) }
        }
        return votes.map { Double($0) / Double(masks.count) }
    }

    /// Pixels that at least this fraction of the drawings have.
    ///
    /// - Parameter fraction: above 0, at most 1; at ½ a tie is foreground, which is what tells it from `majority`.
    /// - Throws: `PolygonsError`.
    public static func mean(_ masks: [Mask], atLeast fraction: Double) throws(PolygonsError) -> Mask {
        guard fraction > 0, fraction <= 1 else { throw .parameter("the fraction of drawings", fraction, 0...1) }
        return try threshold(masks) { $0 >= fraction }
    }

    /// Pixels that more than half of the drawings have.
    ///
    /// - Throws: `PolygonsError`.
    public static func majority(_ masks: [Mask]) throws(PolygonsError) -> Mask {
        try threshold(masks) { $0 > 0.5 }
    }

    /// The mean IoU of all pairs of drawings; `nil` for a single one. Two empty drawings agree (IoU 1).
    ///
    /// - Throws: `PolygonsError`.
    /// - Complexity: O(K² pixels).
    public static func selfConsistency(_ masks: [Mask]) throws(PolygonsError) -> Double? {
        _ = try check(masks)
        guard masks.count > 1 else { return nil }
        var sum = 0.0
        for first in masks.indices {
            for second in masks.indices[(first + 1)...] {
                guard
                    let counts = try? ConfusionCounts(
                        predicted: masks[first].values, truth: masks[second].values)
                else { throw .sizes("drawings") }
                sum += counts.iou
            }
        }
        return sum / Double(masks.count * (masks.count - 1) / 2)
    }

    private static func threshold(
        _ masks: [Mask], _ isForeground: (Double) -> Bool
    ) throws(PolygonsError) -> Mask {
        let mean = try mean(masks)
        return try Mask.of(masks[0], mean.map { isForeground($0) ? 1 : 0 })
    }

    static func check(_ masks: [Mask]) throws(PolygonsError) -> Mask {
        guard let first = masks.first else { throw .drawings(0) }
        guard masks.allSatisfy({ $0.width == first.width && $0.height == first.height }) else {
            throw .sizes("drawings of one picture")
        }
        return first
    }
}

extension Mask {
    /// Other values in the frame of a mask.
    static func of(_ frame: Mask, _ values: [UInt8]) throws(PolygonsError) -> Mask {
        try Mask.frame(of: frame.width, frame.height, values)
    }

    static func frame(of width: Int, _ height: Int, _ values: [UInt8]) throws(PolygonsError) -> Mask {
        do {
            return try Mask(width: width, height: height, values: values)
        } catch {
            throw .sizes("a mask of \(width)×\(height) pixels and its \(values.count) values")
        }
    }
}
