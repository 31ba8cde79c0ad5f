import Datasets
import Foundation
import Statistics
import TestSupport
import Testing

@testable import LabelBudget

@Suite("Where a trained line overtakes a drawn one")
struct CrossingPointTests {
    private let samples = (0..<20).map { "image-\($0)" }

    /// A curve of the given means, images and seeds spread about them.
    private func curve(_ means: [Int: Double], spread: Double = 0.02) throws -> LabelCurve {
        var scores: [Int: [Int: [String: Double]]] = [:]
        for (labels, mean) in means {
            for seed in 0..<2 {
                for (place, sample) in samples.enumerated() {
                    // Adds up to nothing over images and over seeds.
                    let shift = spread * (place % 2 == 0 ? 1 : -1) * (seed == 0 ? 1 : 0.5)
                    scores[labels, default: [:]][seed, default: [:]][sample] = mean + shift
                }
            }
        }
        return try #require(LabelCurve(scores))
    }

    private func drawn(_ dice: Double) -> [String: Double] {
        Dictionary(uniqueKeysWithValues: samples.map { ($0, dice) })
    }

    @Test("Between two budgets the line is straight over log N")
    func between() throws {
        let trained = try curve([10: 0.4, 100: 0.8], spread: 0)
        let point = try CrossingPoint(trained: trained, drawn: drawn(0.6), resamples: 50)
        guard case .at(let labels) = point.place else { throw Unexpected(point: point) }
        #expect(abs(labels - 10 * 10.0.squareRoot()) < 1e-9)
        #expect(point.lower == point.place && point.upper == point.place, "nothing varies")
        #expect(point.text == "32 [32, 32]" && point.neverShare == 0 && point.belowShare == 0)
    }

    private struct Unexpected: Error { var point: CrossingPoint }

    @Test("Never and below are said as such, in the estimate and at the ends of the interval")
    func ends() throws {
        let trained = try curve([10: 0.4, 50: 0.7])
        let never = try CrossingPoint(trained: trained, drawn: drawn(0.95), resamples: 200)
        #expect(never.place == .never(upTo: 50) && never.lower == .never(upTo: 50) && never.neverShare == 1)
        #expect(never.text == "never up to 50 [never up to 50, never up to 50]")
        let below = try CrossingPoint(trained: trained, drawn: drawn(0.2), resamples: 200)
        #expect(below.place == .below(10) && below.upper == .below(10) && below.belowShare == 1)
        #expect(below.text == "below 10 [below 10, below 10]")
        // A drawing as good as the last budget is ahead in some resamples.
        let close = try CrossingPoint(
            trained: curve([10: 0.4, 50: 0.7], spread: 0.1), drawn: drawn(0.7), resamples: 500)
        #expect(close.upper == .never(upTo: 50) && close.neverShare > 0.2 && close.neverShare < 0.8)
        guard case .at = close.lower else { throw Unexpected(point: close) }
    }

    @Test("A line that falls is made monotone before it is crossed")
    func falls() throws {
        // 0.6 at 25 is pulled up to the mean of 0.7 and 0.6.
        let trained = try curve([10: 0.7, 25: 0.6, 100: 0.9], spread: 0)
        #expect(try CrossingPoint(trained: trained, drawn: drawn(0.64), resamples: 10).place == .below(10))
        guard case .at(let labels) = try CrossingPoint(trained: trained, drawn: drawn(0.775), resamples: 10).place
        else { throw Unexpected(point: try CrossingPoint(trained: trained, drawn: drawn(0.775), resamples: 10)) }
        #expect(abs(labels - 50) < 1e-9, "half way from 25 to 100")
    }

    @Test("scipy's isotonic regression, and a search on a fine grid, say the same")
    func reference() throws {
        var random = SplitMix64(seed: Trials.seed("crossing reference"))
        let count = Trials.isVerifying ? 2000 : 100
        var cases: [[String: Any]] = []
        for index in 0..<count {
            let length = 1 + random.index(below: 7)
            // Ties are frequent.
            let values = (0..<length).map { _ in
                Double(random.index(below: 12)) / 12 + (index % 2 == 0 ? random.uniform() : 0)
            }
            if index % 2 == 0 {
                cases.append(["values": values, "weights": (0..<length).map { _ in 0.1 + random.uniform() }])
            } else {
                let budgets = Set((0..<length).map { _ in 5 + random.index(below: 200) }).sorted()
                cases.append([
                    "budgets": budgets, "means": Array(values.prefix(budgets.count)), "level": random.uniform(),
                ])
            }
        }
        let output = try ReferencePython.run(
            "label-budget/reference.py", input: JSONSerialization.data(withJSONObject: cases))
        let answers = try #require(try JSONSerialization.jsonObject(with: output) as? [[String: Any]])
        #expect(answers.count == count)
        for (question, answer) in zip(cases, answers) {
            if let values = question["values"] as? [Double] {
                let line = try Statistics.isotonicRegression(values, weights: question["weights"] as? [Double])
                let expected = try #require(answer["line"] as? [Double])
                #expect(
                    line.count == expected.count && zip(line, expected).allSatisfy { abs($0 - $1) < 1e-12 },
                    "\(question)")
                continue
            }
            let budgets = try #require(question["budgets"] as? [Int])
            let place = try CrossingPoint.place(
                question["means"] as? [Double] ?? [], budgets, question["level"] as? Double ?? 0)
            switch place {
            case .below: #expect(answer["crossing"] as? String == "below", "\(question)")
            case .never: #expect(answer["crossing"] as? String == "never", "\(question)")
            case .at(let labels):
                let expected = try #require(answer["crossing"] as? Double, "\(question)")
                #expect(abs(labels - expected) < 1e-3 * expected, "\(question)")
            }
        }
    }

    @Test("The interval covers the crossing of the population it was drawn from about as often as it says")
    func coverage() throws {
        // Dice of an image: the mean of its budget, the image's own difficulty, a seed's luck. The drawing shares the difficulty.
        var random = SplitMix64(seed: Trials.seed("crossing coverage"))
        let (budgets, means, level) = ([10, 25, 50, 100], [0.45, 0.58, 0.66, 0.74], 0.62)
        let truth = try CrossingPoint.place(means, budgets, level)
        let trials = Trials.isVerifying ? 1000 : 120
        var hits = 0
        for trial in 0..<trials {
            let difficulty = samples.map { _ in 0.08 * random.normal() }
            var scores: [Int: [Int: [String: Double]]] = [:]
            for (budget, mean) in zip(budgets, means) {
                for seed in 0..<5 {
                    let luck = 0.01 * random.normal()
                    for (place, sample) in samples.enumerated() {
                        scores[budget, default: [:]][seed, default: [:]][sample] =
                            mean + luck + difficulty[place] + 0.05 * random.normal()
                    }
                }
            }
            let drawn = Dictionary(
                uniqueKeysWithValues: samples.enumerated().map { ($1, level + difficulty[$0] + 0.05 * random.normal()) }
            )
            let point = try CrossingPoint(
                trained: #require(LabelCurve(scores)), drawn: drawn, resamples: 300, seed: UInt64(trial))
            if point.lower.order <= truth.order, truth.order <= point.upper.order { hits += 1 }
        }
        // 95 % nominally; a percentile bootstrap of 20 images and 5 seeds is a little narrow.
        let share = Double(hits) / Double(trials)
        print("coverage of the 95 % interval: \(share) of \(trials)")
        #expect(share > 0.85)
    }

    @Test("Images of one subject are drawn together: an interval by subject is wider where its images are alike")
    func subjects() throws {
        // Five subjects of four images that share their difficulty; the drawing does not have it.
        var scores: [Int: [Int: [String: Double]]] = [:]
        for (labels, mean) in [10: 0.4, 100: 0.8] {
            for (place, sample) in samples.enumerated() {
                scores[labels, default: [:]][0, default: [:]][sample] = mean + 0.06 * Double(place / 4 - 2)
            }
        }
        let trained = try #require(LabelCurve(scores))
        let place = FileManager.default.temporaryDirectory.appending(path: "llmbench-units-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: place) }
        let units = try Self.subjects(samples, in: place) { "s\($0 / 4)" }
        #expect(units.kind == .subject && units.count == 5)
        func width(_ point: CrossingPoint) -> Double { point.upper.order - point.lower.order }
        let byImage = try CrossingPoint(trained: trained, drawn: drawn(0.6), resamples: 2000)
        let bySubject = try CrossingPoint(trained: trained, drawn: drawn(0.6), units: units, resamples: 2000)
        #expect(bySubject.place == byImage.place && width(bySubject) > 1.5 * width(byImage), "\(bySubject) \(byImage)")
        let (a, b) = (
            try trained.intervals(resamples: 2000)[0], try trained.intervals(units: units, resamples: 2000)[0]
        )
        #expect(b.upper - b.lower > 1.5 * (a.upper - a.lower))
        // Every image by itself is what it was without units.
        let alone = try CrossingPoint(
            trained: trained, drawn: drawn(0.6), units: ResamplingUnits(images: samples), resamples: 2000)
        #expect(alone == byImage)
    }

    /// Units as a prepared dataset gives them.
    private static func subjects(
        _ samples: [String], in folder: URL, _ subject: (Int) -> String
    ) throws -> ResamplingUnits {
        var description = DatasetDescription(
            name: "d", title: "d", imageKind: "k", foreground: "f", foregroundHint: "h", channels: 1, maskSuffix: "",
            samples: samples.count, provenance: .init(sources: [], licence: "none", notes: []), acquisitions: [:])
        description.subjects = Dictionary(
            uniqueKeysWithValues: samples.enumerated().map { ($1, .init(name: subject($0))) })
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try JSONEncoder().encode(description).write(to: folder.appending(path: "dataset.json"))
        try JSONEncoder().encode(DatasetSplit(training: [], heldOut: samples, method: "m"))
            .write(to: folder.appending(path: "split.json"))
        return try Dataset.load(folder).resamplingUnits(of: samples)
    }

    @Test("The best of several networks is the higher mean at each budget, on the images that all have")
    func envelope() throws {
        let (a, b) = (try curve([10: 0.3, 25: 0.5, 100: 0.9]), try curve([10: 0.5, 100: 0.7]))
        let best = try #require(LabelCurve(bestOf: [a, b]))
        #expect(best.budgets == [10, 100] && zip(best.means, [0.5, 0.9]).allSatisfy { abs($0 - $1) < 1e-9 })
        #expect(best.seeds == 2)
        #expect(LabelCurve(bestOf: []) == nil)
    }

    @Test("Samples that one training lacks count nowhere, and a curve of nothing is none")
    func common() throws {
        let trained = try #require(
            LabelCurve([10: [0: ["a": 0.2, "b": 0.4], 1: ["b": 0.6]], 50: [0: ["a": 1, "b": 0.8]]]))
        #expect(trained.samples == ["b"] && trained.means == [0.5, 0.8] && trained.seeds == 1)
        #expect(LabelCurve([:]) == nil && LabelCurve([10: [:]]) == nil)
        #expect(LabelCurve([10: [0: ["a": 1], 1: ["b": 1]]]) == nil)
        #expect(throws: StatisticsError.self) { try CrossingPoint(trained: trained, drawn: ["z": 0.5]) }
        #expect(throws: StatisticsError.self) { try CrossingPoint(trained: trained, drawn: ["b": .nan]) }
        // Of a single image there is a mean, and nothing to draw anew.
        #expect(throws: StatisticsError.tooFewGroups(count: 1, needed: 2)) { try trained.intervals(resamples: 100) }
        #expect(throws: StatisticsError.tooFewGroups(count: 1, needed: 2)) {
            try CrossingPoint(trained: trained, drawn: ["b": 0.7])
        }
    }

    @Test("Weights and values that do not go are refused")
    func refusals() {
        #expect(throws: StatisticsError.self) { try Statistics.isotonicRegression([]) }
        #expect(throws: StatisticsError.self) { try Statistics.isotonicRegression([1, .nan]) }
        #expect(throws: StatisticsError.unequalLengths(2, 1)) {
            try Statistics.isotonicRegression([1, 2], weights: [1])
        }
        for weight in [0, -1, Double.nan, .infinity] {
            #expect(throws: StatisticsError.self) { try Statistics.isotonicRegression([1, 2], weights: [1, weight]) }
        }
    }
}
