import Statistics

/// The N images whose labels a network may learn from.
///
/// ```swift
/// let few = try LabelSubset(of: dataset.split.training, labels: 10, seed: 0)
/// let more = try LabelSubset(of: dataset.split.training, labels: 25, seed: 0)   // holds the ten
/// ```
///
/// A seed puts the training part in an order; the budget takes its beginning, so that budgets are nested, and every network gets the same.
/// Every fifth of that order chooses the weights (validation), the others are learnt from: both parts are nested, too.
public struct LabelSubset: Sendable, Hashable {
    /// Gradients come from these; in the order of the seed.
    public let training: [String]
    /// These choose the weights.
    public let validation: [String]

    /// The fewest labels of which one can be spared for validation.
    public static let fewest = 5

    /// - Parameter samples: in any order.
    /// - Throws: `SweepError.labels` for fewer than five, or more than there are.
    public init(of samples: [String], labels: Int, seed: Int, dataset: String = "the dataset") throws(SweepError) {
        guard labels >= Self.fewest, labels <= samples.count else {
            throw .labels(labels, dataset: dataset, available: samples.count)
        }
        var order = samples.sorted()
        var random = SplitMix64(seed: UInt64(bitPattern: Int64(seed)) &* 0x9e37_79b9 &+ 0x5eed)
        for place in stride(from: order.count - 1, to: 0, by: -1) {
            order.swapAt(place, random.index(below: place + 1))
        }
        var (training, validation): ([String], [String]) = ([], [])
        for (place, sample) in order.prefix(labels).enumerated() {
            if place % 5 == 4 { validation.append(sample) } else { training.append(sample) }
        }
        (self.training, self.validation) = (training, validation)
    }
}
