import ResultStore
import Statistics

/// Mean of the common validation curves of a group on one dataset or over all, epoch by epoch, with its spread between models.
struct CohortCurve: Sendable {
    struct Point: Sendable {
        var epoch: Int
        /// Models that have this epoch; over all: on every dataset.
        var models: Int
        var bce: Spread?
        var softDice: Spread?
    }

    struct Spread: Sendable {
        var mean: Double
        /// Sample standard deviation between models; nil for one model.
        var deviation: Double?

        init?(_ values: [Double]) {
            guard let mean = Statistics.mean(values) else { return nil }
            self.mean = mean
            deviation = Statistics.standardDeviation(values)
        }
    }

    var question: CohortQuestion?
    var name: String
    /// Nil: the mean over all datasets.
    var dataset: String?
    var points: [Point]

    /// Later epochs are of ever fewer models.
    static let epochs = 20
}

extension StudyEvidence {
    /// The mean curves of all models, then of each group of each question that has two groups or more: on each dataset, and with
    /// several over all.
    ///
    /// Only the BCE and soft Dice that every pipeline is scored with: a pipeline's own loss means something else in every model. The
    /// unit is the model. Its curve on a dataset is the mean over its runs, each by its mean over seeds; over all it is the mean over
    /// the datasets, of models that have the epoch on every one. The mean over models weighs each the same.
    func cohortCurves(_ questions: [CohortQuestion] = [.year, .reasoning, .weights]) -> [CohortCurve] {
        var curves = curves(nil, "all models", comparableRuns)
        for question in questions {
            let cohorts = cohorts(question)
            guard cohorts.count > 1 else { continue }
            curves += cohorts.flatMap { self.curves(question, $0.name, $0.runs) }
        }
        return curves.filter { !$0.points.isEmpty }
    }

    /// One a dataset of the study, then the one over all.
    private func curves(_ question: CohortQuestion?, _ name: String, _ runs: [Run]) -> [CohortCurve] {
        let datasets = Set(comparableRuns.map(\.record.dataset)).sorted()
        // In the order of their names: sums of the same numbers in another order differ in the last bits.
        let models = Dictionary(grouping: runs, by: \.record.model).sorted { $0.key < $1.key }.map { _, runs in
            Dictionary(grouping: runs, by: \.record.dataset).mapValues(ModelCurve.init)
        }
        func curve(_ dataset: String?, _ curves: [ModelCurve]) -> CohortCurve {
            CohortCurve(question: question, name: name, dataset: dataset, points: Self.points(curves))
        }
        let apart = datasets.map { dataset in curve(dataset, models.compactMap { $0[dataset] }) }
        guard datasets.count > 1 else { return apart }
        let whole = models.filter { $0.count == datasets.count }
            .map { model in ModelCurve(meanOf: datasets.compactMap { model[$0] }) }
        return apart + [curve(nil, whole)]
    }

    private static func points(_ models: [ModelCurve]) -> [CohortCurve.Point] {
        (1...CohortCurve.epochs).compactMap { epoch in
            let (bce, dice) = (models.compactMap { $0.bce[epoch] }, models.compactMap { $0.softDice[epoch] })
            let count = max(bce.count, dice.count)
            guard count > 0 else { return nil }
            return CohortCurve.Point(
                epoch: epoch, models: count, bce: CohortCurve.Spread(bce), softDice: CohortCurve.Spread(dice))
        }
    }
}

extension StudyEvidence.Run {
    /// The trainings with common curves: those of one engine, all seeds.
    var curveTrainings: [StudyEvidence.Training] {
        let preference: [TrainingRecord.Engine] = [.swift, .pytorch, .emitted]
        return preference.lazy.map { engine in
            trainings.filter { training in
                training.record.engine == engine
                    && training.epochs.contains { $0.commonBce != nil || $0.commonSoftDice != nil }
            }
        }.first { !$0.isEmpty } ?? []
    }
}
