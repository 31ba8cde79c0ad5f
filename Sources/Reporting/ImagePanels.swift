import Datasets
import Foundation
import Metrics
import ResultStore
import TensorRuntime
import Training

/// The figures of held-out images, read from the predictions that trainings left in `generated/`.
///
/// Images and masks are read by the host when the report is written; they never enter a sandbox.
public struct ImagePanels {
    private let evidence: StudyEvidence
    private let workspace: Workspace
    /// More columns would be too small to see anything in.
    static let models = 6

    public init(evidence: StudyEvidence, workspace: Workspace) {
        self.evidence = evidence
        self.workspace = workspace
    }

    /// One figure a dataset that has predictions.
    ///
    /// - Parameter samples: images by name; none for the worst, the median and the best by mean Dice over the models shown.
    /// - Returns: the figures, marked as those of `StudyEvidence.figures`, and a sentence for each dataset or model that cannot be shown.
    /// - Throws: `ReportError.unknownSample` for a name that no dataset of the study holds out.
    public func figures(samples: [String] = []) throws -> (figures: [any Figure], absent: [String]) {
        var figures: [any Figure] = []
        var absent: [String] = []
        var unknown = Set(samples)
        for name in Set(evidence.runs.map(\.record.dataset)).sorted() {
            do {
                let dataset = try DatasetCatalogue(root: workspace.datasets).load(name)
                let hash = try dataset.contentHash()
                let columns = columns(dataset, hash, &absent)
                let baselines = BaselineMasks.all(evidence, workspace, dataset, hash, &absent)
                let chosen = try rows(columns, samples)
                unknown.subtract(chosen.map(\.sample))
                guard !columns.isEmpty, !chosen.isEmpty else { continue }
                let shown = readable(baselines, of: chosen.map(\.sample), dataset, &absent)
                let rows = try chosen.map { try row($0.role, $0.sample, dataset, shown, columns) }
                figures.append(evidence.annotated(ImagePanelsFigure(rows: rows, suffix: name)))
            } catch {
                absent.append("\(name): \(error)")
            }
        }
        if let name = unknown.min(), absent.isEmpty {
            throw ReportError.unknownSample(name: name, study: evidence.study)
        }
        return (figures, absent)
    }

    private struct Column {
        var label: String
        var training: StudyEvidence.Training
        var predictions: Predictions
        var threshold: Threshold
        var dice: [String: Double]
    }

    /// The first run of each model that was evaluated on the dataset as it is now, the best models first.
    private func columns(_ dataset: Dataset, _ hash: String, _ absent: inout [String]) -> [Column] {
        let runs = Dictionary(
            evidence.runs.filter { $0.record.dataset == dataset.name && !$0.scoredTrainings.isEmpty }
                .map { ($0.record.model, $0) }, uniquingKeysWith: { first, _ in first })
        let best = runs.values.sorted {
            ($0.heldOutDice ?? -1, $1.record.model) > ($1.heldOutDice ?? -1, $0.record.model)
        }
        return best.prefix(Self.models).compactMap { run in
            guard let training = run.scoredTrainings.first else { return nil }
            guard training.record.datasetHash == hash else {
                absent.append("\(run.label): the dataset \(dataset.name) has changed since it was evaluated")
                return nil
            }
            let directory = workspace.directory(of: run.record.key)
            let file = directory.training(engine: training.record.engine.rawValue, seed: training.record.seed)
                .appending(path: "predictions.safetensors")
            do {
                return Column(
                    label: run.record.model, training: training, predictions: try Predictions(contentsOf: file),
                    threshold: training.record.decisionThreshold(in: directory),
                    dice: Dictionary(training.heldOut.map { ($0.sample, $0.dice) }, uniquingKeysWith: { $1 }))
            } catch {
                absent.append("\(run.label): its predictions are not in generated/ (\(error))")
                return nil
            }
        }
    }

    private func rows(_ columns: [Column], _ samples: [String]) throws -> [(role: String, sample: String)] {
        guard let first = columns.first else { return [] }
        let shared = first.dice.keys.filter { name in columns.allSatisfy { $0.dice[name] != nil } }
        guard samples.isEmpty else { return samples.filter(shared.contains).map { ("chosen", $0) } }
        func mean(_ name: String) -> Double { columns.reduce(0) { $0 + ($1.dice[name] ?? 0) } / Double(columns.count) }
        let sorted = shared.map { (mean($0), $0) }.sorted { $0 < $1 }.map(\.1)
        guard sorted.count > 2 else { return sorted.map { ("image", $0) } }
        return [("worst", sorted[0]), ("median", sorted[sorted.count / 2]), ("best", sorted[sorted.count - 1])]
    }

    /// The baselines whose masks of these images can be read; why the others cannot is added to `absent`.
    private func readable(
        _ baselines: [BaselineMasks], of samples: [String], _ dataset: Dataset, _ absent: inout [String]
    ) -> [(label: String, predictions: [String: ImagePanelsFigure.Prediction])] {
        baselines.compactMap { baseline in
            do {
                let predictions = try samples.map { sample in
                    let image = try dataset.image(sample)
                    let mask = try baseline.mask(of: sample, width: image.width, height: image.height)
                    return (
                        sample,
                        ImagePanelsFigure.Prediction(
                            model: baseline.label, mask: mask, dice: baseline.dice[sample] ?? .nan, isBaseline: true)
                    )
                }
                return (baseline.label, Dictionary(predictions, uniquingKeysWith: { $1 }))
            } catch {
                absent.append("\(baseline.label): its predictions cannot be shown (\(error))")
                return nil
            }
        }
    }

    private func row(
        _ role: String, _ sample: String, _ dataset: Dataset,
        _ baselines: [(label: String, predictions: [String: ImagePanelsFigure.Prediction])], _ columns: [Column]
    ) throws -> ImagePanelsFigure.Row {
        let image = try dataset.image(sample)
        let truth = try dataset.truth(sample)
        let predictions = try columns.map { column -> ImagePanelsFigure.Prediction in
            guard let index = column.predictions.ids.firstIndex(of: sample) else {
                throw ReportError.drawing(
                    path: sample, reason: "the predictions of \(column.label) do not hold this image")
            }
            let probability = column.predictions.probabilities
            let map = try Resize.bilinear(
                try probability.rows([index]).values, width: probability.shape[3], height: probability.shape[2],
                toWidth: image.width, toHeight: image.height)
            return .init(
                model: column.label, mask: map.map(column.threshold.admits), dice: column.dice[sample] ?? .nan)
        }
        let channels = image.channels == 3 ? 3 : 1
        let bytes =
            image.channels == channels
            ? image.bytes
            : (0..<(image.width * image.height)).map { image.bytes[$0 * image.channels] }
        return ImagePanelsFigure.Row(
            role: role, sample: sample,
            image: Canvas.Pixels(width: image.width, height: image.height, channels: channels, bytes: bytes),
            truth: truth.bytes.map { $0 != 0 },
            predictions: baselines.compactMap { $0.predictions[sample] } + predictions)
    }
}
