/// What the foreground of one channel looks like over a data set, as nnU-Net's `foreground_intensity_properties_per_channel`.
public struct ChannelIntensities: Sendable, Equatable, Codable {
    /// Mean of the sampled intensities.
    public var mean: Double
    /// Their 50th percentile.
    public var median: Double
    /// Their standard deviation, divided by the count.
    public var standardDeviation: Double
    /// The smallest.
    public var minimum: Double
    /// The largest.
    public var maximum: Double
    /// The 99.5th percentile; CT images are clipped there.
    public var percentile995: Double
    /// The 0.5th percentile.
    public var percentile005: Double

    enum CodingKeys: String, CodingKey {
        case mean, median
        case standardDeviation = "std"
        case minimum = "min"
        case maximum = "max"
        case percentile995 = "percentile_99_5"
        case percentile005 = "percentile_00_5"
    }
}

/// Values with the number of times each was drawn: all that statistics of a sample with replacement need, in the memory of the
/// distinct values.
struct CountedValues {
    private var entries: [(value: Float, count: Int)] = []
    private var compacted = 0

    mutating func add(_ value: Float, count: Int) {
        entries.append((value, count))
        if entries.count > 2 * compacted + 65_536 { compact() }
    }

    private mutating func compact() {
        entries.sort { $0.value < $1.value }
        var kept: [(value: Float, count: Int)] = []
        for entry in entries {
            if let last = kept.last, last.value == entry.value {
                kept[kept.count - 1].count += entry.count
            } else {
                kept.append(entry)
            }
        }
        entries = kept
        compacted = kept.count
    }

    /// Nil when nothing was added.
    mutating func statistics() -> ChannelIntensities? {
        compact()
        guard let first = entries.first, let last = entries.last else { return nil }
        let total = entries.reduce(0) { $0 + $1.count }
        let mean = entries.reduce(0) { $0 + Double($1.value) * Double($1.count) } / Double(total)
        let squares = entries.reduce(0) { sum, entry in
            let distance = Double(entry.value) - mean
            return sum + distance * distance * Double(entry.count)
        }
        return ChannelIntensities(
            mean: mean, median: percentile(50, total), standardDeviation: (squares / Double(total)).squareRoot(),
            minimum: Double(first.value), maximum: Double(last.value), percentile995: percentile(99.5, total),
            percentile005: percentile(0.5, total))
    }

    /// Linear between the two neighbours in the sorted sample, as numpy's default.
    private func percentile(_ percent: Double, _ total: Int) -> Double {
        let position = percent / 100 * Double(total - 1)
        let lower = Int(position)
        let (a, b) = (value(at: lower), value(at: min(lower + 1, total - 1)))
        return a + (b - a) * (position - Double(lower))
    }

    private func value(at rank: Int) -> Double {
        var passed = 0
        for entry in entries {
            passed += entry.count
            if rank < passed { return Double(entry.value) }
        }
        return .nan
    }
}
