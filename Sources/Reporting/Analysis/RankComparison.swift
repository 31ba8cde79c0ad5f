import Statistics

/// Models ranked on each dataset, and compared over the datasets: Friedman's test with Nemenyi's of all pairs (Demšar 2006).
struct RankComparison: Sendable {
    /// Those with a result on every dataset, by name.
    var models: [String]
    /// Rank 1 is the best.
    var comparison: NemenyiComparison
    var friedman: TestResult?

    /// Datasets are the blocks; fewer than three part nothing.
    static let fewestDatasets = 3
}

extension StudyEvidence {
    /// Nil with fewer than three datasets, or three models that have every one.
    func rankComparison() -> RankComparison? {
        let datasets = Set(comparableRuns.map(\.record.dataset)).sorted()
        guard datasets.count >= RankComparison.fewestDatasets else { return nil }
        let scores = datasets.map { dataset in
            Dictionary(
                Self.scores(comparableRuns, dataset: dataset).map { ($0.model, $0.dice) },
                uniquingKeysWith: { first, _ in first })
        }
        let models = Set(comparableRuns.map(\.record.model))
            .filter { model in scores.allSatisfy { $0[model] != nil } }.sorted()
        // Rank 1 is the smallest value, and is to be the best.
        let blocks = scores.map { block in models.compactMap { block[$0].map { -$0 } } }
        guard models.count > 2, let comparison = try? Statistics.nemenyi(blocks) else { return nil }
        return RankComparison(models: models, comparison: comparison, friedman: try? Statistics.friedman(blocks))
    }
}
