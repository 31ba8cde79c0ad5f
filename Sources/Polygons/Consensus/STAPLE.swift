import Metrics

/// Simultaneous truth and performance level estimation (Warfield, Zou and Wells 2004): which pixels are foreground, and how good each
/// drawing is, each estimated from the other by expectation maximization.
///
/// ```swift
/// let staple = try STAPLE(draws)
/// staple.mask               // probability at least ½
/// staple.sensitivity[0]     // of the first drawing
/// ```
///
/// The prior is the same for all pixels, the mean of all drawings; the first weights are the mean of the drawings, as in ITK's
/// `STAPLEImageFilter`, with which the result agrees. Pixels with the same votes share their weight, so that the work of an iteration
/// does not depend on the size of the picture.
public struct STAPLE: Sendable, Hashable {
    /// A pixel's votes are one word.
    public static let mostDrawings = 64

    /// The probability of foreground at each pixel; layout H W.
    public let probability: [Double]
    /// Of each drawing: the fraction of true foreground that it has.
    public let sensitivity: [Double]
    /// Of each drawing: the fraction of true background that it leaves out.
    public let specificity: [Double]
    public let iterations: Int
    /// Whether it ended before the limit.
    public let hasConverged: Bool
    private let frame: Mask

    /// - Parameters:
    ///   - tolerance: ends when no sensitivity or specificity moves by more.
    ///   - iterations: at most so many.
    /// - Throws: `PolygonsError` when there are none or more than 64, or they differ in size.
    /// - Complexity: O(K pixels + K patterns of votes × iterations).
    public init(_ masks: [Mask], tolerance: Double = 1e-12, iterations: Int = 10_000) throws(PolygonsError) {
        frame = try Consensus.check(masks)
        guard masks.count <= Self.mostDrawings else { throw .drawings(masks.count) }
        let votes = VotePatterns(masks)
        let prior = votes.prior(of: masks.count)
        var weights = votes.patterns.map { Double($0.nonzeroBitCount) / Double(masks.count) }
        var rates = Rates(votes, weights, drawings: masks.count)
        var count = 0
        var isDone = prior == 0 || prior == 1
        while !isDone, count < iterations {
            count += 1
            weights = votes.patterns.map { rates.weight(of: $0, prior: prior) }
            let next = Rates(votes, weights, drawings: masks.count)
            isDone = next.change(from: rates) <= tolerance
            rates = next
        }
        probability = votes.pattern.map { weights[$0] }
        (sensitivity, specificity) = (rates.sensitivity, rates.specificity)
        self.iterations = count
        hasConverged = isDone
    }

    /// Pixels whose probability is at least ½.
    public var mask: Mask {
        get throws(PolygonsError) { try Mask.of(frame, probability.map { $0 >= 0.5 ? 1 : 0 }) }
    }
}

/// Which drawings have a pixel, as bits; each pattern once.
private struct VotePatterns {
    var patterns: [UInt64] = []
    /// How many pixels have it.
    var counts: [Double] = []
    /// The pattern of each pixel.
    var pattern: [Int] = []

    init(_ masks: [Mask]) {
        var words = [UInt64](repeating: 0, count: masks[0].pixels)
        for (bit, values) in masks.map(\.values).enumerated() {
            for index in words.indices { words[index] |= UInt64(values[index]) << UInt64(bit) }
        }
        var numbers: [UInt64: Int] = [:]
        pattern.reserveCapacity(words.count)
        for word in words {
            let number: Int
            if let known = numbers[word] {
                number = known
            } else {
                number = patterns.count
                numbers[word] = number
                patterns.append(word)
                counts.append(0)
            }
            counts[number] += 1
            pattern.append(number)
        }
    }

    func prior(of drawings: Int) -> Double {
        var votes = 0.0
        for (word, count) in zip(patterns, counts) { votes += Double(word.nonzeroBitCount) * count }
        return votes / (Double(pattern.count) * Double(drawings))
    }
}

/// How good each drawing is, given the weights of the patterns.
private struct Rates {
    var sensitivity: [Double]
    var specificity: [Double]

    init(_ votes: VotePatterns, _ weights: [Double], drawings: Int) {
        var (foreground, background) = (0.0, 0.0)
        var (hits, rejections) = ([Double](repeating: 0, count: drawings), [Double](repeating: 0, count: drawings))
        for (index, word) in votes.patterns.enumerated() {
            let (inside, outside) = (weights[index] * votes.counts[index], (1 - weights[index]) * votes.counts[index])
            foreground += inside
            background += outside
            for drawing in 0..<drawings {
                if word >> UInt64(drawing) & 1 == 1 { hits[drawing] += inside } else { rejections[drawing] += outside }
            }
        }
        // Nothing to find, or nothing to leave out, was done without error.
        sensitivity = hits.map { foreground > 0 ? $0 / foreground : 1 }
        specificity = rejections.map { background > 0 ? $0 / background : 1 }
    }

    func weight(of word: UInt64, prior: Double) -> Double {
        var (inside, outside) = (prior, 1 - prior)
        for drawing in sensitivity.indices {
            let hasIt = word >> UInt64(drawing) & 1 == 1
            inside *= hasIt ? sensitivity[drawing] : 1 - sensitivity[drawing]
            outside *= hasIt ? 1 - specificity[drawing] : specificity[drawing]
        }
        return inside + outside > 0 ? inside / (inside + outside) : prior
    }

    func change(from other: Rates) -> Double {
        zip(sensitivity + specificity, other.sensitivity + other.specificity).map { abs($0 - $1) }.max() ?? 0
    }
}
