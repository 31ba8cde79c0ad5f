import Datasets
import Statistics

/// Dice of one network, or of the best of several, by the number of labels.
///
/// Held-out images are the same at every budget and for every seed, so that a resample draws images for the whole curve at once.
public struct LabelCurve: Sendable, Hashable {
    /// Ascending.
    public let budgets: [Int]
    /// Names of the held-out images, in the order of the scores.
    public let samples: [String]
    /// Dice by network, budget, seed and image: several networks are an envelope, whose value at a budget is the highest mean.
    let scores: [[[[Double]]]]

    /// One network.
    ///
    /// - Parameter scores: Dice by budget, seed and sample. Samples that a training lacks are left out everywhere; budgets without a training
    ///   are left out.
    public init?(_ scores: [Int: [Int: [String: Double]]]) {
        let present = scores.filter { !$0.value.isEmpty }
        let all = present.values.flatMap(\.values)
        guard var common = all.first.map({ Set($0.keys) }) else { return nil }
        for seed in all { common.formIntersection(seed.keys) }
        guard !common.isEmpty else { return nil }
        budgets = present.keys.sorted()
        let samples = common.sorted()
        self.samples = samples
        self.scores = [
            budgets.map { budget in
                let seeds = present[budget, default: [:]]
                return seeds.keys.sorted().map { seed in samples.map { seeds[seed, default: [:]][$0] ?? .nan } }
            }
        ]
    }

    private init(budgets: [Int], samples: [String], scores: [[[[Double]]]]) {
        (self.budgets, self.samples, self.scores) = (budgets, samples, scores)
    }

    /// The best network at each budget: what someone who may choose gets. The choice is made on the images that are reported, which flatters
    /// it a little.
    public init?(bestOf curves: [LabelCurve]) {
        guard let first = curves.first else { return nil }
        let budgets = curves.dropFirst().reduce(Set(first.budgets)) { $0.intersection($1.budgets) }.sorted()
        let samples = curves.dropFirst().reduce(Set(first.samples)) { $0.intersection($1.samples) }.sorted()
        guard !budgets.isEmpty, !samples.isEmpty else { return nil }
        let scores = curves.flatMap { curve in
            let places = samples.map { curve.samples.firstIndex(of: $0) ?? 0 }
            return curve.scores.map { network in
                budgets.map { budget in
                    network[curve.budgets.firstIndex(of: budget) ?? 0].map { seed in places.map { seed[$0] } }
                }
            }
        }
        self.init(budgets: budgets, samples: samples, scores: scores)
    }

    /// Seeds at the budget that has the fewest.
    public var seeds: Int { scores.flatMap { $0.map(\.count) }.min() ?? 0 }

    /// Mean Dice over seeds and images, by budget.
    public var means: [Double] { means(images: Array(samples.indices)) { Array(0..<$0) } }

    /// The same over some images, and over some of so many seeds of each network and budget.
    func means(images: [Int], seeds: (Int) -> [Int]) -> [Double] {
        budgets.indices.map { budget in
            scores.map { network in
                let all = network[budget]
                let drawn = seeds(all.count)
                var sum = 0.0
                for seed in drawn { for image in images { sum += all[seed][image] } }
                return sum / Double(drawn.count * images.count)
            }.max() ?? .nan
        }
    }

    /// Percentile intervals of the means, from images and seeds drawn with replacement (Efron 1979).
    ///
    /// - Parameter units: which images are drawn together (Davison and Hinkley 1997, section 3.8; Field and Welsh 2007); nil: each by itself.
    /// - Throws: `StatisticsError` where all images are of one unit.
    public func intervals(
        units: ResamplingUnits? = nil, resamples: Int = 2000, seed: UInt64 = 1, level: Double = 0.95
    ) throws(StatisticsError) -> [ConfidenceInterval] {
        let groups = try (units ?? ResamplingUnits(images: samples)).resampled(samples)
        var random = SplitMix64(seed: seed)
        var means: [[Double]] = budgets.map { _ in [] }
        for _ in 0..<max(1, resamples) {
            for (budget, value) in resampled(groups, &random).enumerated() { means[budget].append(value) }
        }
        return means.map { values in
            ConfidenceInterval(
                lower: Statistics.quantile(values, (1 - level) / 2) ?? .nan,
                upper: Statistics.quantile(values, (1 + level) / 2) ?? .nan, level: level)
        }
    }

    private func resampled(_ groups: [[Int]], _ random: inout SplitMix64) -> [Double] {
        let images = groups.flatMap { _ in groups[random.index(below: groups.count)] }
        return resampled(images, &random)
    }

    /// The means over images that were drawn, and seeds that are drawn now.
    func resampled(_ images: [Int], _ random: inout SplitMix64) -> [Double] {
        means(images: images) { count in (0..<count).map { _ in random.index(below: count) } }
    }
}

extension ResamplingUnits {
    /// The groups of images that are drawn together, as statistics throw.
    func resampled(_ samples: [String]) throws(StatisticsError) -> [[Int]] {
        do throws(OneUnit) {
            return try groups(samples)
        } catch {
            throw .tooFewGroups(count: 1, needed: 2)
        }
    }
}
