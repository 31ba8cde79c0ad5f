import ResultStore
import Statistics

/// A model's result on one dataset: what comparisons between models are made of.
///
/// The unit of analysis is the model, never the image or the batch: images of one model share its weights and are no independent
/// evidence about a group of models.
struct ModelScore: Sendable {
    var model: String
    /// Nil for the mean over several datasets.
    var dataset: String?
    /// Mean held-out Dice of each run that has one.
    var runDice: [Double]
    /// Dice of each held-out image that all those runs were scored on, mean over the runs, by the image's name.
    var images: [String: Double]

    /// Mean over the runs.
    var dice: Double { Statistics.mean(runDice) ?? .nan }

    /// What a bootstrap resamples: the images, where their mean is the model's.
    var unit: UnitOfAnalysis {
        UnitOfAnalysis(name: model, items: images.isEmpty ? [dice] : images.sorted { $0.key < $1.key }.map(\.value))
    }

    /// Nil where no run has held-out Dice.
    init?(model: String, dataset: String, runs: [StudyEvidence.Run]) {
        let scored = runs.filter { $0.heldOutDice != nil }
        guard !scored.isEmpty else { return nil }
        self.model = model
        self.dataset = dataset
        runDice = scored.compactMap(\.heldOutDice)
        let perRun = scored.map(\.imageDice)
        let shared = perRun.dropFirst().reduce(Set(perRun[0].keys)) { $0.intersection($1.keys) }
        images = Dictionary(
            uniqueKeysWithValues: shared.map { image in
                (image, perRun.reduce(0) { $0 + ($1[image] ?? 0) } / Double(perRun.count))
            })
    }

    /// The mean of a model's results on several datasets, each weighing the same. Its images are of different datasets and are not
    /// resampled together.
    init(meanOf scores: [ModelScore]) {
        model = scores.first?.model ?? ""
        dataset = nil
        runDice = [Statistics.mean(scores.map(\.dice)) ?? .nan]
        images = [:]
    }
}

extension StudyEvidence.Run {
    /// The evaluated trainings that stand for the run: those of engine swift, else PyTorch, else emitted; every seed.
    var scoredTrainings: [StudyEvidence.Training] {
        let preference: [TrainingRecord.Engine] = [.swift, .pytorch, .emitted]
        return preference.lazy.map { evaluated($0) }.first { !$0.isEmpty } ?? []
    }

    /// Mean held-out Dice over the seeds of `scoredTrainings`; nil where the run was not evaluated.
    var heldOutDice: Double? { Statistics.mean(scoredTrainings.compactMap(\.meanDice)) }

    /// Dice by image, mean over the seeds.
    var imageDice: [String: Double] {
        let trainings = scoredTrainings
        var sums: [String: (sum: Double, count: Int)] = [:]
        for score in trainings.flatMap(\.heldOut) {
            let known = sums[score.sample] ?? (0, 0)
            sums[score.sample] = (known.sum + score.dice, known.count + 1)
        }
        return sums.filter { $0.value.count == trainings.count }.mapValues { $0.sum / Double($0.count) }
    }
}

extension StudyEvidence {
    /// Runs that statements about language models may rest on: without the hand-written conversations, unless there are no others;
    /// then the report says so (`fixtureNotice`).
    var comparableRuns: [Run] {
        let real = runs.filter { !$0.record.fixture }
        return real.isEmpty ? runs : real
    }

    /// A sentence on the hand-written conversations for tables that compare models.
    var fixtureNote: String? {
        guard fixtureRuns > 0 else { return nil }
        return fixtureRuns == runs.count
            ? "Every model here is a hand-written conversation (fixture-*): the table shows its form, and says nothing about any language model."
            : "\(fixtureRuns) hand-written conversations (fixture-*) are left out."
    }

    /// The models' results on one dataset.
    static func scores(_ runs: [Run], dataset: String) -> [ModelScore] {
        Dictionary(grouping: runs.filter { $0.record.dataset == dataset }, by: \.record.model)
            .compactMap { ModelScore(model: $0.key, dataset: dataset, runs: $0.value) }
            .sorted { $0.model < $1.model }
    }

    /// The models' means over these datasets, of the models that have a result on every one; empty with a single dataset.
    static func scoresOverAll(_ runs: [Run], datasets: Set<String>) -> [ModelScore] {
        guard datasets.count > 1 else { return [] }
        return Dictionary(grouping: datasets.flatMap { scores(runs, dataset: $0) }, by: \.model)
            .filter { $0.value.count == datasets.count }
            .map { ModelScore(meanOf: $0.value) }
            .sorted { $0.model < $1.model }
    }
}
