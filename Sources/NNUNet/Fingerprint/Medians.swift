import Foundation

extension [Double] {
    /// As numpy's `median`: the mean of the two middle ones where their number is even.
    var median: Double {
        let sorted = self.sorted()
        guard !isEmpty else { return .nan }
        return count % 2 == 1 ? sorted[count / 2] : (sorted[count / 2 - 1] + sorted[count / 2]) / 2
    }

    /// As numpy's `percentile`, the last bits of its interpolation included.
    func percentile(_ percent: Double) -> Double {
        let sorted = self.sorted()
        guard !isEmpty else { return .nan }
        let position = percent / 100 * Double(count - 1)
        let lower = Int(position)
        let (a, b) = (sorted[lower], sorted[Swift.min(lower + 1, count - 1)])
        let t = position - Double(lower)
        return t < 0.5 ? a + (b - a) * t : b - (b - a) * (1 - t)
    }
}

/// The median of each axis.
func medians(_ rows: [[Double]]) -> [Double] {
    (rows.first ?? []).indices.map { axis in rows.map { $0[axis] }.median }
}

/// A percentile of each axis.
func percentiles(_ rows: [[Double]], _ percent: Double) -> [Double] {
    (rows.first ?? []).indices.map { axis in rows.map { $0[axis] }.percentile(percent) }
}

/// Half to even, as Python's `round`.
func rounded(_ value: Double) -> Int { Int(value.rounded(.toNearestOrEven)) }
