/// Why a sweep cannot do what it was asked.
public enum SweepError: Error, Sendable, Hashable, CustomStringConvertible {
    case labels(Int, dataset: String, available: Int)
    case size(Int)
    case steps(Int)
    case seeds(Int)
    /// The pictures or masks of a dataset are not those that stored trainings learnt from.
    case datasetChanged(String, trainings: Int)
    case emptyPlan(String)
    case alreadyRunning(study: String)
    case noTrainings(study: String)
    case file(path: String, reason: String)

    public var description: String {
        switch self {
        case .labels(let labels, let dataset, let available):
            "a budget of \(labels) labels cannot be drawn from the \(available) training images of \(dataset): "
                + "give a number from \(LabelSubset.fewest) to \(available)"
        case .size(let size) where size % SweepNetwork.divisor == 0:
            "images of \(size)×\(size) pixels are outside of what a sweep trains on: give a multiple of \(SweepNetwork.divisor) from "
                + "\(SweepPlan.sizes.lowerBound) to \(SweepPlan.sizes.upperBound)"
        case .size(let size):
            "images of \(size)×\(size) pixels do not go through \(SweepNetwork.depth) poolings: give a multiple of "
                + "\(SweepNetwork.divisor) from \(SweepPlan.sizes.lowerBound) to \(SweepPlan.sizes.upperBound)"
        case .steps(let steps):
            "\(steps) steps cannot be cut in \(SweepNetwork.looks) equal parts: give a multiple of \(SweepNetwork.looks) "
                + "from \(SweepNetwork.looks) to \(SweepPlan.mostSteps)"
        case .seeds(let seeds) where seeds > SweepPlan.mostSeeds:
            "\(seeds) seeds are more than a sweep trains from: give 2 to \(SweepPlan.mostSeeds)"
        case .seeds(let seeds): "\(seeds) seeds show no spread: give 2 to \(SweepPlan.mostSeeds)"
        case .datasetChanged(let dataset, let trainings):
            "\(dataset) has changed since \(trainings) trainings of this study learnt from it: use another --study, or --again "
                + "to forget them"
        case .emptyPlan(let what): "there is nothing to sweep: give at least one \(what)"
        case .alreadyRunning(let study):
            "another process sweeps the study '\(study)': wait for it, or use another --study"
        case .noTrainings(let study):
            "study '\(study)' has no trained budgets to report: `llmbench polygon sweep` makes them"
        case .file(let path, let reason): "\(path): \(reason)"
        }
    }
}
