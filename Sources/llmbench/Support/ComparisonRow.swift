import Diagnosis
import Foundation
import Statistics

/// One test of two groups as `stats compare` prints it, with everything that belongs beside a p.
struct ComparisonRow: Encodable {
    /// Quartiles of type 7.
    struct Description: Encodable {
        var group: String
        var n: Int
        var median: Double
        var quartiles: [Double]

        init(_ group: String, _ values: [Double]) {
            self.group = group
            n = values.count
            median = Statistics.median(values) ?? .nan
            quartiles = [0.25, 0.75].map { Statistics.quantile(values, $0) ?? .nan }
        }
    }

    var dataset: String
    var a: Description
    var b: Description
    var result: TestResult
    var shift: ShiftEstimate

    /// All tests of one table, corrected together.
    ///
    /// - Throws: `CommandFailure.failed` with the dataset and what its values lack.
    static func compare(
        _ samples: [TwoGroups], alternative: Alternative, method: RankTestMethod, correction: MultipleTesting,
        level: Double
    ) throws -> [ComparisonRow] {
        var rows: [ComparisonRow] = []
        for sample in samples {
            do {
                rows.append(
                    ComparisonRow(
                        dataset: sample.dataset, a: Description(sample.groups.0, sample.a),
                        b: Description(sample.groups.1, sample.b),
                        result: try Statistics.mannWhitney(
                            sample.a, sample.b, alternative: alternative, method: method, level: level),
                        shift: try Statistics.hodgesLehmann(sample.a, sample.b, level: level)))
            } catch {
                throw CommandFailure.failed("\(Feedback.escaped(sample.dataset)): \(error)")
            }
        }
        let corrected = try Statistics.corrected(rows.map(\.result), by: correction)
        for index in rows.indices { rows[index].result = corrected[index] }
        return rows
    }

    enum CodingKeys: String, CodingKey {
        case dataset, test, u, p, method, alternative, effect, interval, level, shift
        case groupA = "group_a"
        case groupB = "group_b"
        case sizeA = "n_a"
        case sizeB = "n_b"
        case medianA = "median_a"
        case medianB = "median_b"
        case quartilesA = "quartiles_a"
        case quartilesB = "quartiles_b"
        case effectName = "effect_name"
        case intervalMethod = "interval_method"
        case shiftInterval = "shift_interval"
        case correction
        case adjustedP = "p_adjusted"
        case familySize = "family_size"
    }

    /// All fields are always there; what does not exist is null.
    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        func bounds(_ interval: ConfidenceInterval?) -> [Double]? { interval.map { [$0.lower, $0.upper] } }
        try container.encode(dataset, forKey: .dataset)
        try container.encode(result.test, forKey: .test)
        try container.encode(a.group, forKey: .groupA)
        try container.encode(b.group, forKey: .groupB)
        try container.encode(a.n, forKey: .sizeA)
        try container.encode(b.n, forKey: .sizeB)
        try container.encode(a.median, forKey: .medianA)
        try container.encode(b.median, forKey: .medianB)
        try container.encode(a.quartiles, forKey: .quartilesA)
        try container.encode(b.quartiles, forKey: .quartilesB)
        try container.encode(result.statistic, forKey: .u)
        try container.encode(result.p, forKey: .p)
        try container.encode("\(result.method)", forKey: .method)
        try container.encode(result.alternative?.rawValue, forKey: .alternative)
        try container.encode(result.effect.value, forKey: .effect)
        try container.encode(result.effect.measure.rawValue, forKey: .effectName)
        try container.encode(bounds(result.effect.interval), forKey: .interval)
        try container.encode(result.effect.intervalMethod, forKey: .intervalMethod)
        try container.encode(result.effect.interval?.level, forKey: .level)
        try container.encode(shift.shift, forKey: .shift)
        try container.encode(bounds(shift.interval), forKey: .shiftInterval)
        try container.encode(result.correction?.method.rawValue, forKey: .correction)
        try container.encode(result.correction?.adjustedP, forKey: .adjustedP)
        try container.encode(result.correction?.familySize, forKey: .familySize)
    }

    /// The rows as a table, and what its columns mean.
    static func text(_ rows: [ComparisonRow]) -> String {
        guard let head = rows.first else { return "no rows" }
        var table = TextTable([
            ("dataset", .left), ("n", .right), ("median [IQR] \(Feedback.escaped(head.a.group))", .right),
            ("median [IQR] \(Feedback.escaped(head.b.group))", .right), ("U", .right), ("p", .right),
            ("corrected", .right), ("delta [interval]", .right), ("shift [interval]", .right), ("method", .left),
        ])
        for row in rows {
            let result = row.result
            table.add([
                Feedback.escaped(row.dataset), "\(row.a.n), \(row.b.n)", summary(row.a), summary(row.b),
                number(result.statistic, 1), pText(result.p),
                result.correction.map { pText($0.adjustedP) } ?? "",
                bounded(result.effect.value, result.effect.interval, 2),
                bounded(row.shift.shift, row.shift.interval, 4), "\(result.method)",
            ])
        }
        return table.render() + "\n\n" + legend(head, tests: rows.count)
    }

    private static func legend(_ head: ComparisonRow, tests: Int) -> String {
        let side: String
        switch head.result.alternative {
        case .greater: side = "one-sided: \(head.a.group) greater"
        case .less: side = "one-sided: \(head.a.group) smaller"
        default: side = "two-sided"
        }
        let level = Int(((head.result.effect.interval?.level ?? 0.95) * 100).rounded())
        let correction = head.result.correction?.method.title ?? "uncorrected"
        return """
            Mann-Whitney U of \(Feedback.escaped(head.a.group)) against \(Feedback.escaped(head.b.group)), \
            \(Feedback.escaped(side)); corrected: \(correction) over \(tests) test\(tests == 1 ? "" : "s").
            delta: Cliff's, from -1 to 1 (rank-biserial); shift: Hodges-Lehmann; intervals at \(level) %; IQR of type 7.
            """
    }

    private static func summary(_ side: Description) -> String {
        "\(number(side.median, 4)) [\(number(side.quartiles[0], 4)), \(number(side.quartiles[1], 4))]"
    }

    private static func bounded(_ value: Double, _ interval: ConfidenceInterval?, _ digits: Int) -> String {
        guard let interval else { return "\(number(value, digits)) [none]" }
        return "\(number(value, digits)) [\(number(interval.lower, digits)), \(number(interval.upper, digits))]"
    }

    static func number(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }

    static func pText(_ p: Double) -> String { p < 0.0001 ? String(format: "%.1e", p) : number(p, 4) }
}
