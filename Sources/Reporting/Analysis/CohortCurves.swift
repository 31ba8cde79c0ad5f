import ResultStore
import Statistics

/// Mean of the common validation curves of a group, epoch by epoch, with its spread between models.
struct CohortCurve: Sendable {
    struct Point: Sendable {
        var epoch: Int
        /// Models that have this epoch.
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
    var points: [Point]

    /// Later epochs are of ever fewer models.
    static let epochs = 20
}

extension StudyEvidence {
    /// The mean curve of all models, then one a group of each question that has two groups or more.
    ///
    /// Only the BCE and soft Dice that every pipeline is scored with: a pipeline's own loss means something else in every model. A model's
    /// curve is the mean over its runs and seeds; the mean over models then weighs each the same.
    func cohortCurves(_ questions: [CohortQuestion] = [.year, .reasoning, .weights]) -> [CohortCurve] {
        var curves = [curve(nil, "all models", comparableRuns)]
        for question in questions {
            let cohorts = cohorts(question)
            guard cohorts.count > 1 else { continue }
            curves += cohorts.map { curve(question, $0.name, $0.runs) }
        }
        return curves.filter { !$0.points.isEmpty }
    }

    private func curve(_ question: CohortQuestion?, _ name: String, _ runs: [Run]) -> CohortCurve {
        let models = Dictionary(grouping: runs, by: \.record.model).mapValues { runs in
            runs.flatMap { run in run.curveTrainings.flatMap(\.epochs) }
        }
        let points = (1...CohortCurve.epochs).compactMap { epoch -> CohortCurve.Point? in
            let here = models.values.map { $0.filter { $0.epoch == epoch } }
            let bce = here.compactMap { Statistics.mean($0.compactMap(\.commonBce)) }
            let dice = here.compactMap { Statistics.mean($0.compactMap(\.commonSoftDice)) }
            let count = max(bce.count, dice.count)
            guard count > 0 else { return nil }
            return CohortCurve.Point(
                epoch: epoch, models: count, bce: CohortCurve.Spread(bce), softDice: CohortCurve.Spread(dice))
        }
        return CohortCurve(question: question, name: name, points: points)
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
