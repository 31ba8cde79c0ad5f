/// Ranks of a sample, ties at their mean rank.
public struct Ranks: Sendable, Hashable {
    /// From 1, in the order of the sample; equal values share the mean of their ranks (mid-ranks).
    public var values: [Double]
    /// Sizes of the groups of equal values, two or more each, ascending by value.
    public var ties: [Int]

    /// Ranks finite values, as scipy's `rankdata(method="average")`.
    ///
    /// - Complexity: O(n log n).
    public init(_ sample: [Double]) throws(StatisticsError) {
        try Statistics.check(sample, "to rank", atLeast: 0)
        self.init(finite: sample)
    }

    /// The sample is known to be finite.
    init(finite sample: [Double]) {
        values = Array(repeating: 0, count: sample.count)
        ties = []
        let order = sample.indices.sorted { sample[$0] < sample[$1] }
        var start = 0
        while start < order.count {
            var end = start + 1
            while end < order.count, sample[order[end]] == sample[order[start]] { end += 1 }
            let rank = Double(start + end + 1) / 2
            for position in start..<end { values[order[position]] = rank }
            if end - start > 1 { ties.append(end - start) }
            start = end
        }
    }

    /// Σ (t³ − t) over the ties: what the variances of the rank tests are corrected by.
    public var tieTerm: Double { ties.reduce(0) { $0 + Double($1) * (Double($1) * Double($1) - 1) } }
}
