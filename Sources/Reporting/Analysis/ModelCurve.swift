import ResultStore
import Statistics

/// The common validation curves of one model's runs on one dataset, or their mean over datasets, by epoch.
///
/// Of the BCE and soft Dice that every pipeline is scored with. A run that ended earlier is missing from later epochs.
struct ModelCurve {
    private(set) var bce: [Int: Double]
    private(set) var softDice: [Int: Double]

    /// The mean over runs, each by its mean over seeds: a run that was trained from more seeds weighs no more.
    init(_ runs: [StudyEvidence.Run]) {
        let curves = runs.map { run in Dictionary(grouping: run.curveTrainings.flatMap(\.epochs), by: \.epoch) }
        func mean(_ value: (EpochRecord) -> Double?) -> [Int: Double] {
            var runValues: [Int: [Double]] = [:]
            for curve in curves {
                for (epoch, seeds) in curve {
                    if let mean = Statistics.mean(seeds.compactMap(value)) {
                        runValues[epoch, default: []].append(mean)
                    }
                }
            }
            return runValues.compactMapValues { Statistics.mean($0) }
        }
        bce = mean(\.commonBce)
        softDice = mean(\.commonSoftDice)
    }

    /// The mean over datasets, each weighing the same, at the epochs that all of them have.
    init(meanOf datasets: [ModelCurve]) {
        func mean(_ series: KeyPath<ModelCurve, [Int: Double]>) -> [Int: Double] {
            let shared = datasets.dropFirst().reduce(Set(datasets.first?[keyPath: series].keys.map { $0 } ?? [])) {
                $0.intersection($1[keyPath: series].keys)
            }
            return Dictionary(
                uniqueKeysWithValues: shared.compactMap { epoch in
                    Statistics.mean(datasets.compactMap { $0[keyPath: series][epoch] }).map { (epoch, $0) }
                })
        }
        bce = mean(\.bce)
        softDice = mean(\.softDice)
    }
}
