import PublishedFigures
import Statistics

/// The source's table 3 beside what follows from the source's own per-model means.
struct PublishedTable3 {
    var method: RankTestMethod
    var correction: MultipleTesting
    var level: Double

    /// A row of ours with the numbers that the source printed.
    private struct Row: Encodable {
        var ours: ComparisonRow
        var published: PublishedComparison

        enum CodingKeys: String, CodingKey {
            case u = "published_u"
            case p = "published_p"
            case medianA = "published_median_a"
            case medianB = "published_median_b"
            case agrees
        }

        /// To the digits that are printed.
        var agrees: Bool {
            ours.result.statistic == published.u
                && ComparisonRow.number(ours.result.p, 4) == ComparisonRow.number(published.p, 4)
        }

        func encode(to encoder: any Encoder) throws {
            try ours.encode(to: encoder)
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(published.u, forKey: .u)
            try container.encode(published.p, forKey: .p)
            try container.encode(published.median2025, forKey: .medianA)
            try container.encode(published.median2024, forKey: .medianB)
            try container.encode(agrees, forKey: .agrees)
        }
    }

    func print(json: Bool) throws {
        let rows = try rows()
        if json { return try JSONOption.print(rows) }
        var beside = TextTable([
            ("dataset", .left), ("U published", .right), ("U here", .right), ("p published", .right),
            ("p here", .right),
            ("", .left),
        ])
        for row in rows {
            beside.add([
                row.published.dataset, ComparisonRow.number(row.published.u, 1),
                ComparisonRow.number(row.ours.result.statistic, 1), ComparisonRow.number(row.published.p, 4),
                ComparisonRow.number(row.ours.result.p, 4), row.agrees ? "agree" : "differ",
            ])
        }
        llmbench.print(ComparisonRow.text(rows.map(\.ours)))
        llmbench.print()
        llmbench.print(beside.render())
        llmbench.print(
            """

            Published: MELBA 2026, doi 10.59275/j.melba.2026-9369, table 3; p there are not corrected. Here: from the per-model mean \
            test Dice that the study published (test_dice.csv). Its medians and quartiles are of another unit and do not follow from \
            these means.
            """)
    }

    private func rows() throws -> [Row] {
        let (published, dice) = (try PublishedFigures.table3(), try PublishedFigures.testDice())
        func values(_ dataset: String, _ cohort: Int) -> [Double] {
            dice.filter { $0.dataset == dataset && $0.cohort == cohort }.map(\.dice)
        }
        let samples = published.map {
            TwoGroups(
                dataset: $0.dataset, groups: ("2025", "2024"), a: values($0.dataset, 2025), b: values($0.dataset, 2024))
        }
        let rows = try ComparisonRow.compare(
            samples, alternative: .greater, method: method, correction: correction, level: level)
        return zip(rows, published).map { Row(ours: $0, published: $1) }
    }
}
