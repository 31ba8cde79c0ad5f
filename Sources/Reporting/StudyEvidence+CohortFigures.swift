import PublishedFigures
import ResultStore
import Statistics

extension StudyEvidence {
    /// Losses and mean curves of groups, ranks over datasets, and the published numbers beside those measured here.
    func cohortFigures() -> [any Figure] {
        var figures: [any Figure] = []
        figures += byDataset(comparableRuns) { _, dataset in cohortLossFigure(dataset).map { [$0] } ?? [] }
        figures += meanCurvesFigures()
        if let diagram = criticalDifferenceFigure() { figures.append(diagram) }
        if let published = publishedFigure() { figures.append(published) }
        return figures
    }

    /// Divided by the first question that has two groups; one frame for all where none has.
    private func cohortLossFigure(_ dataset: String) -> CohortLossFigure? {
        let questions: [CohortQuestion] = [.year, .reasoning, .weights]
        let divided = questions.lazy.map { self.chronological($0) }.first { $0.count > 1 }
        let groups = divided?.map { ($0.name, $0.runs) } ?? [("all models", comparableRuns)]
        let panels = groups.map { name, runs in
            CohortLossFigure.Panel(title: name, curves: Self.lossCurves(runs.filter { $0.record.dataset == dataset }))
        }.filter { !$0.curves.isEmpty }
        return panels.isEmpty ? nil : CohortLossFigure(panels: panels)
    }

    /// Groups from left to right: years as time goes.
    private func chronological(_ question: CohortQuestion) -> [Cohort] {
        let groups = cohorts(question)
        return question == .year ? groups.reversed() : groups
    }

    /// A curve a model, epoch by epoch.
    private static func lossCurves(_ runs: [Run]) -> [CohortLossFigure.Curve] {
        Dictionary(grouping: runs, by: \.record.model).sorted { $0.key < $1.key }.compactMap { model, runs in
            let points = ModelCurve(runs).bce.sorted { $0.key < $1.key }.map { (epoch: $0.key, loss: $0.value) }
            return points.isEmpty ? nil : CohortLossFigure.Curve(label: model, points: points)
        }
    }

    /// A figure a question; all models in one where no question has two groups.
    private func meanCurvesFigures() -> [any Figure] {
        let curves = cohortCurves()
        let divided = curves.contains { $0.question != nil }
        let questions: [CohortQuestion?] = divided ? CohortQuestion.allCases : [nil]
        return questions.flatMap { question in
            let here = curves.filter { $0.question == question }
            return here.isEmpty ? [] : meanCurvesFigures(question == .year ? here.reversed() : here, question)
        }
    }

    /// A panel a dataset and one over all; the two measures beside one another with a single dataset, else in rows, and where they
    /// would fill more than a page in figures of their own.
    private func meanCurvesFigures(_ curves: [CohortCurve], _ question: CohortQuestion?) -> [any Figure] {
        let places =
            Set(curves.compactMap(\.dataset)).sorted().map(Optional.some)
            + (curves.contains { $0.dataset == nil } ? [nil] : [])
        let panels = places.map { place in
            MeanCurvesFigure.Panel(
                title: place ?? "over all",
                curves: curves.filter { $0.dataset == place }.map { curve in
                    MeanCurvesFigure.Curve(
                        label: curve.name, bce: Self.points(curve, \.bce), softDice: Self.points(curve, \.softDice))
                })
        }
        let suffix = question?.rawValue ?? "all"
        guard panels.count > MeanCurvesFigure.mostTogether else {
            return [MeanCurvesFigure(panels: panels, suffix: suffix)]
        }
        return MeanCurvesFigure.Measure.allCases.map {
            MeanCurvesFigure(panels: panels, measures: [$0], suffix: "\(suffix)-\($0.rawValue)")
        }
    }

    private static func points(
        _ curve: CohortCurve, _ series: KeyPath<CohortCurve.Point, CohortCurve.Spread?>
    ) -> [MeanCurvesFigure.Point] {
        curve.points.compactMap { point in
            point[keyPath: series].map {
                MeanCurvesFigure.Point(
                    epoch: point.epoch, models: point.models, mean: $0.mean, deviation: $0.deviation)
            }
        }
    }

    private func criticalDifferenceFigure() -> CriticalDifferenceFigure? {
        rankComparison().map {
            CriticalDifferenceFigure(models: $0.models, comparison: $0.comparison, friedman: $0.friedman)
        }
    }

    private func publishedFigure() -> PublishedFigure? {
        guard let published = try? PublishedFigures.testDice() else { return nil }
        let datasets = Set(comparableRuns.map(\.record.dataset)).sorted()
        let measured = datasets.compactMap { dataset -> PublishedFigure.Strip? in
            let here = comparableRuns.filter { $0.record.dataset == dataset }
            let cohorts = cohorts(.year).map { ($0.name, $0.runs.filter { $0.record.dataset == dataset }) }
            let rest = here.filter { $0.record.cohortYear == nil }
            let groups = (cohorts + [(fixtureRuns == runs.count ? "fixtures" : "no year", rest)]).map { name, runs in
                PublishedFigure.Group(name: name, values: Self.scores(runs, dataset: dataset).map(\.dice))
            }.filter { !$0.values.isEmpty }
            return groups.isEmpty ? nil : PublishedFigure.Strip(label: dataset, groups: groups)
        }
        guard !measured.isEmpty else { return nil }
        let others = Dictionary(grouping: published, by: \.dataset).sorted { $0.key < $1.key }.map { dataset, rows in
            PublishedFigure.Strip(
                label: dataset,
                groups: Dictionary(grouping: rows, by: \.cohort).sorted { $0.key > $1.key }.map { year, rows in
                    PublishedFigure.Group(name: "\(year)", values: rows.map(\.dice))
                })
        }
        return PublishedFigure(
            published: others, measured: measured,
            measuredTitle: fixtureRuns == runs.count
                ? "hand-written conversations: mean held-out Dice"
                : "mean held-out Dice of each model")
    }

    /// A strip a model, of the models that were run twice or more; a figure a dataset.
    func stripFigures() -> [any Figure] {
        let repeated = repeatedRuns.filter { $0.runs.count > 1 }
        let keys = ["dice", "feedbacks", "trainable_parameters", "learning_rate", "epochs"]
        let quantities = RunQuantity.all.filter { keys.contains($0.key) }
        return byDataset(repeated.flatMap(\.runs)) { _, dataset in
            let here = repeated.filter { $0.dataset == dataset }.sorted {
                (Statistics.median($0.values(.dice)) ?? -1, $1.model) > (
                    Statistics.median($1.values(.dice)) ?? -1, $0.model
                )
            }
            // Targets and prompts are named where they tell rows apart.
            let several = Set(here.map { [$0.target, $0.prompt] }).count > 1
            let models = here.map { group in
                RunStripsFigure.Strip(
                    label: several ? "\(group.model) \(group.target) \(group.prompt)" : group.model,
                    values: quantities.map(group.values))
            }
            let figure = RunStripsFigure(
                quantities: quantities.map {
                    .init(title: $0.title, digits: $0.digits, isLogarithmic: $0.isLogarithmic)
                }, strips: baselineStrips(dataset, quantities) + models)
            return [figure]
        }
    }
    /// A dot a seed, of the quantity that a baseline shares with the models.
    private func baselineStrips(_ dataset: String, _ quantities: [RunQuantity]) -> [RunStripsFigure.Strip] {
        BaselineScore.all(self).filter { $0.dataset == dataset }.map { score in
            .init(
                label: score.label,
                values: quantities.map { $0.key == RunQuantity.dice.key ? score.seedMeans : [] }, isBaseline: true)
        }
    }
}
