import Statistics

extension StudyEvidence {
    /// The models by their mean rank over the datasets, each with what Nemenyi's test says of it and the best: the numbers of the
    /// critical-difference diagram.
    public func cohortRanksTable() -> ReportTable {
        var table = ReportTable(
            name: "cohort-ranks", title: "Models by rank over datasets",
            columns: [
                .init("model", key: "model"), .init("datasets", key: "datasets", numeric: true),
                .init("mean rank", key: "mean_rank", numeric: true),
                .init("behind the best", key: "rank_difference", numeric: true),
                .init("critical difference", key: "critical_difference", numeric: true),
                .init("p (Nemenyi)", key: "p", numeric: true),
            ])
        guard let ranks = rankComparison() else {
            table.notes = [
                "Ranks need \(RankComparison.fewestDatasets) datasets, and three models with held-out Dice on every one."
            ]
            return table
        }
        let comparison = ranks.comparison
        let order = ranks.models.indices.sorted { comparison.meanRanks[$0] < comparison.meanRanks[$1] }
        for model in order {
            let difference = comparison.meanRanks[model] - comparison.meanRanks[order[0]]
            table.rows.append([
                .text(ranks.models[model]), .integer(comparison.blocks),
                .number(comparison.meanRanks[model], digits: 2), .number(difference, digits: 2),
                .number(comparison.criticalDifference, digits: 2),
                model == order[0] ? .missing : Self.probability(comparison.p[order[0]][model]),
            ])
        }
        table.notes = [
            "Ranks of mean held-out Dice on each dataset, 1 is the best; of the models that have every dataset. Two models whose mean ranks "
                + "differ by less than the critical difference (α = \(comparison.significance)) are not parted. p: of the model and the best "
                + "one, corrected for all pairs by the studentized range (Nemenyi 1963).",
            ranks.friedman.map { Self.sentence($0, models: ranks.models.count, datasets: comparison.blocks) },
            fixtureNote,
        ].compactMap { $0 }
        return table
    }

    /// "Friedman: χ² = 8.40, df 4, p = 0.078, of 5 models on 3 datasets; Kendall's W = 0.70 (95 % interval 0.41 – 1.00)."
    static func sentence(_ friedman: TestResult, models: Int, datasets: Int) -> String {
        func fixed(_ value: Double, _ digits: Int = 2) -> String { ReportTable.Cell.fixed(value, digits) }
        let interval = friedman.effect.interval.map { " (95 % interval \(fixed($0.lower)) – \(fixed($0.upper)))" } ?? ""
        let degrees = friedman.degreesOfFreedom.map { fixed($0, 0) }.joined(separator: ", ")
        return
            "Friedman: χ² = \(fixed(friedman.statistic)), df \(degrees), p = \(probability(friedman.p).shown), of \(models) models on "
            + "\(datasets) datasets; \(friedman.effect.measure.rawValue) = \(fixed(friedman.effect.value))\(interval)."
    }
}
