import Foundation
import ResultStore

/// A number of a run whose spread from run to run is reported.
struct RunQuantity: Sendable {
    var title: String
    var key: String
    /// Shown behind the point.
    var digits: Int
    var isLogarithmic = false
    var value: @Sendable (StudyEvidence.Run) -> Double?

    static let all: [RunQuantity] = [
        RunQuantity(title: "held-out Dice", key: "dice", digits: 3) { $0.heldOutDice },
        RunQuantity(title: "replies fed back", key: "feedbacks", digits: 2) { Double($0.errors.feedbacks) },
        RunQuantity(title: "errors", key: "errors", digits: 2) { Double($0.errorRecords.count) },
        RunQuantity(title: "parameters", key: "trainable_parameters", digits: 0, isLogarithmic: true) {
            $0.facts?.number("trainable_parameters")
        },
        RunQuantity(title: "encoder stages", key: "encoder_stages", digits: 2) {
            $0.facts?.number("encoder_stages")
        },
        RunQuantity(title: "learning rate", key: "learning_rate", digits: 6, isLogarithmic: true) {
            $0.pipeline?.object("optimizer")?.firstObject("groups")?.number("lr")
        },
        RunQuantity(title: "batch size", key: "batch_size", digits: 2) { $0.pipeline?.number("batch_size") },
        RunQuantity(title: "epochs", key: "epochs", digits: 2) { $0.ownEpochs.map(Double.init) },
    ]

    static var dice: RunQuantity { all[0] }
}

extension StudyEvidence.Run {
    var facts: JSONFacts? { capture?.facts.flatMap(JSONFacts.init) }

    /// The loop as the pipeline's author chose it: its own number of epochs stands in it also where a study fixed another.
    var pipeline: JSONFacts? {
        guard let capture, let captured = capture.pipeline.flatMap(JSONFacts.init) else { return nil }
        return capture.epochs == nil ? captured : captured.replacing("epochs", with: captured["own_epochs"])
    }

    /// The number of epochs that the pipeline chose itself; nil where it was not seen.
    public var ownEpochs: Int? {
        pipeline?.number("epochs").flatMap { $0 >= 1 && $0 < 1e9 ? Int($0) : nil }
    }

    /// The same where it was trained for another number, which the study fixed: what figures mark.
    func replacedEpochs(_ training: StudyEvidence.Training) -> Int? {
        capture?.epochs == nil || training.record.epochs == ownEpochs ? nil : ownEpochs
    }
}

/// The runs that differ in nothing but chance: one model, dataset, target and prompt.
struct RepeatedRuns: Sendable {
    var model: String
    var dataset: String
    var target: String
    var prompt: String
    var runs: [StudyEvidence.Run]

    func values(_ quantity: RunQuantity) -> [Double] { runs.compactMap(quantity.value).filter(\.isFinite) }
}

extension StudyEvidence {
    /// Every model's runs by dataset, target and prompt; hand-written conversations too, since their spread is their own.
    var repeatedRuns: [RepeatedRuns] {
        Dictionary(grouping: runs) { [$0.record.dataset, $0.record.model, $0.record.target, $0.record.promptHash] }
            .sorted { $0.key.lexicographicallyPrecedes($1.key) }
            .map { key, runs in
                RepeatedRuns(
                    model: key[1], dataset: key[0], target: key[2], prompt: runs[0].record.promptLabel, runs: runs)
            }
    }
}
