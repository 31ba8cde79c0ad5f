/// Why a test, an interval or an effect size cannot be had from the numbers given.
///
/// Descriptions of a sample (`mean`, `median`, ...) answer `nil` for a sample they cannot describe: a table leaves its cell empty.
/// A test that cannot be done is another matter, because a missing p looks like an oversight: tests, intervals and effect sizes
/// throw this, and its description is the sentence to show. No function ever returns a NaN.
public enum StatisticsError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A sample holds fewer values than the method needs.
    case tooFewValues(sample: String, count: Int, needed: Int)
    /// A sample holds a NaN or an infinity, at this index from 0.
    case notFinite(sample: String, index: Int)
    /// Paired samples, or blocks of a design, differ in length.
    case unequalLengths(Int, Int)
    /// Fewer groups than the test compares.
    case tooFewGroups(count: Int, needed: Int)
    /// All values are alike, so that the statistic is 0/0.
    case noVariation(String)
    /// Ties, or differences of zero, have no place in the exact distribution that was asked for.
    case tiesForbidExact(test: String)
    /// An exact distribution of this size costs more than the library spends.
    case tooLargeForExact(test: String, sizes: [Int])
    /// A parameter outside its range.
    case parameter(name: String, value: Double, allowed: String)
    /// A statistic given by the caller was not finite on a resample.
    case statisticNotFinite
    /// The bootstrap distribution lies on one side of the estimate, or does not vary: BCa's correction does not exist.
    case degenerateBootstrap(String)

    public var description: String {
        switch self {
        case .tooFewValues(let sample, let count, let needed):
            "sample \(sample) has \(count) value\(count == 1 ? "" : "s") where at least \(needed) are needed: add measurements"
        case .notFinite(let sample, let index):
            "sample \(sample) holds a value that is no finite number at index \(index): leave that row out, or mend it"
        case .unequalLengths(let first, let second):
            "paired samples have \(first) and \(second) values: give one value of each for every pair"
        case .tooFewGroups(let count, let needed):
            "\(count) group\(count == 1 ? "" : "s") given where the test compares at least \(needed)"
        case .noVariation(let what):
            "\(what) do not vary, so that the statistic is not defined: there is nothing to test"
        case .tiesForbidExact(let test):
            "the exact distribution of \(test) holds without ties and zero differences only: use the asymptotic or the "
                + "permutation method"
        case .tooLargeForExact(let test, let sizes):
            "the exact distribution of \(test) for sizes \(sizes.map(String.init).joined(separator: " and ")) costs too much: "
                + "use the asymptotic or the Monte Carlo method"
        case .parameter(let name, let value, let allowed):
            "\(name) is \(value): give \(allowed)"
        case .statisticNotFinite:
            "the statistic is not defined on some resample (a denominator of 0, perhaps): choose one that is, or another interval"
        case .degenerateBootstrap(let why):
            "no BCa interval: \(why); ask for the percentile interval, or collect more values"
        }
    }
}

extension Statistics {
    /// Every value is finite and there are at least `needed`.
    static func check(_ values: [Double], _ name: String, atLeast needed: Int = 1) throws(StatisticsError) {
        guard values.count >= needed else {
            throw .tooFewValues(sample: name, count: values.count, needed: needed)
        }
        if let index = values.firstIndex(where: { !$0.isFinite }) { throw .notFinite(sample: name, index: index) }
    }

    static func check(level: Double) throws(StatisticsError) {
        guard level > 0, level < 1 else {
            throw .parameter(
                name: "the confidence level", value: level, allowed: "a number between 0 and 1, such as 0.95")
        }
    }

    /// Groups of a test: `needed` of them, each with a value, each finite; named from 1.
    static func check(groups: [[Double]], atLeast needed: Int, values: Int = 1) throws(StatisticsError) {
        guard groups.count >= needed else { throw .tooFewGroups(count: groups.count, needed: needed) }
        for (index, group) in groups.enumerated() { try check(group, "\(index + 1)", atLeast: values) }
    }
}
