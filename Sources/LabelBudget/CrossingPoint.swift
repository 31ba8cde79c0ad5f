import Datasets
import Foundation
import Statistics

/// How many labels a trained network needs to be as good as a drawing that needed none.
///
/// The trained line is made monotone by isotonic regression over the budgets (every one counting the same), and joined by lines over the
/// logarithm of N; the drawn line is constant. The crossing is where the first reaches the second. Its interval is of percentiles, from
/// resamples that draw the held-out images, the same for both lines, and the seeds of each budget (Efron 1979). Images of one subject are
/// drawn together where units say so (Davison and Hinkley 1997, section 3.8; Field and Welsh 2007).
public struct CrossingPoint: Sendable, Hashable {
    public enum Place: Sendable, Hashable {
        /// Already the smallest budget is as good: the drawing is never ahead at the budgets that were trained.
        case below(Int)
        /// As good from so many labels on.
        case at(Double)
        /// Not even the largest budget is as good.
        case never(upTo: Int)

        /// For tables: `below 10`, `37`, `never up to 100`.
        public var text: String {
            switch self {
            case .below(let least): "below \(least)"
            case .at(let labels): "\(Int(labels.rounded()))"
            case .never(let most): "never up to \(most)"
            }
        }

        /// As a number that sorts: minus infinity, N, infinity.
        var order: Double {
            switch self {
            case .below: -.infinity
            case .at(let labels): labels
            case .never: .infinity
            }
        }
    }

    public let place: Place
    /// Either end may be `below` or `never`.
    public let lower: Place
    public let upper: Place
    public let level: Double
    public let resamples: Int
    /// The share of resamples in which the drawing is ahead up to the largest budget.
    public let neverShare: Double
    /// The share in which it is behind from the smallest one on.
    public let belowShare: Double

    /// - Parameters:
    ///   - drawn: Dice of the drawing by held-out image; images that either line lacks are left out of both.
    ///   - units: which images are drawn together; nil: each by itself.
    ///   - resamples: at least 1.
    /// - Throws: `StatisticsError` where no image is in both, all are of one unit, or a score is no number.
    public init(
        trained: LabelCurve, drawn: [String: Double], units: ResamplingUnits? = nil, resamples: Int = 2000,
        seed: UInt64 = 1, level: Double = 0.95
    ) throws(StatisticsError) {
        let common = trained.samples.indices.filter { drawn[trained.samples[$0]] != nil }
        guard !common.isEmpty else {
            throw .tooFewValues(sample: "of images that are both drawn and predicted", count: 0, needed: 1)
        }
        let dice = trained.samples.map { drawn[$0] ?? .nan }
        func line(_ images: [Int]) -> Double { images.reduce(0) { $0 + dice[$1] } / Double(images.count) }
        place = try Self.place(trained.means(images: common) { Array(0..<$0) }, trained.budgets, line(common))
        let units = units ?? ResamplingUnits(images: trained.samples)
        let groups = try units.resampled(common.map { trained.samples[$0] }).map { $0.map { common[$0] } }
        var random = SplitMix64(seed: seed)
        var places: [Place] = []
        for _ in 0..<max(1, resamples) {
            let images = groups.flatMap { _ in groups[random.index(below: groups.count)] }
            places.append(try Self.place(trained.resampled(images, &random), trained.budgets, line(images)))
        }
        places.sort { $0.order < $1.order }
        func quantile(_ q: Double) -> Place {
            // Type 1, the inverse of the distribution: ends may be infinite and cannot be averaged.
            places[min(max(Int((q * Double(places.count)).rounded(.up)) - 1, 0), places.count - 1)]
        }
        (lower, upper) = (quantile((1 - level) / 2), quantile((1 + level) / 2))
        (self.level, self.resamples) = (level, places.count)
        neverShare = Double(places.count { $0.order == .infinity }) / Double(places.count)
        belowShare = Double(places.count { $0.order == -.infinity }) / Double(places.count)
    }

    /// Where the monotone line through `means` reaches `level`.
    static func place(_ means: [Double], _ budgets: [Int], _ level: Double) throws(StatisticsError) -> Place {
        let line = try Statistics.isotonicRegression(means)
        guard let first = line.first, let last = line.last else { throw .tooFewGroups(count: 0, needed: 1) }
        guard level.isFinite else { throw .notFinite(sample: "of the drawing", index: 0) }
        if first >= level { return .below(budgets[0]) }
        if last < level { return .never(upTo: budgets[budgets.count - 1]) }
        let next = line.firstIndex { $0 >= level } ?? line.count - 1
        let share = (level - line[next - 1]) / (line[next] - line[next - 1])
        let (low, high) = (log(Double(budgets[next - 1])), log(Double(budgets[next])))
        return .at(exp(low + share * (high - low)))
    }

    /// `37 [21, never up to 100]`.
    public var text: String { "\(place.text) [\(lower.text), \(upper.text)]" }
}
