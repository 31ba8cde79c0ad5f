import Datasets
import Foundation
import Metrics
import ResultStore
import TensorRuntime
import Training

/// Held-out images of one training with the truth and the prediction, worst to best.
///
/// The masks are read by the host when the report is written. They are in the report's folder then, never in a sandbox.
struct HeldOutGallery: Sendable {
    struct Case: Sendable {
        var record: HeldOutRecord
        /// Position among the held-out images of the dataset: the name of its files.
        var position: Int
        /// "worst", "median", "best" or nothing.
        var role: String?
    }

    let dataset: Dataset
    let training: StudyEvidence.Training
    let cases: [Case]
    private let predictions: URL
    private let threshold: Threshold

    /// Why there is nothing to see.
    enum Absence: Error, Sendable {
        case notEvaluated
        case reason(String)
    }

    /// - Parameter count: at most so many images, spread evenly from the worst to the best.
    init(
        run: StudyEvidence.Run, directory: RunDirectory, dataset: Result<DatasetOnDisk, Absence>, count: Int
    ) throws(Absence) {
        let engines: [TrainingRecord.Engine] = [.swift, .pytorch, .emitted]
        guard let training = engines.lazy.compactMap({ run.evaluated($0).first }).first else { throw .notEvaluated }
        let found = try dataset.get()
        guard found.hash == training.record.datasetHash else {
            throw .reason("the dataset \(found.dataset.name) has changed since this was evaluated")
        }
        let folder = directory.training(engine: training.record.engine.rawValue, seed: training.record.seed)
        predictions = folder.appending(path: "predictions.safetensors")
        guard FileManager.default.fileExists(atPath: predictions.path(percentEncoded: false)) else {
            throw .reason("its predictions are no longer in generated/")
        }
        self.dataset = found.dataset
        self.training = training
        threshold = training.record.decisionThreshold(in: directory)
        let positions = Dictionary(
            uniqueKeysWithValues: found.dataset.split.heldOut.enumerated().map { ($1, $0) })
        let sorted = training.heldOut.filter { positions[$0.sample] != nil }
            .sorted { ($0.dice, $0.sample) < ($1.dice, $1.sample) }
        cases = Self.spread(sorted.count, count).map { index in
            let role =
                index == 0
                ? "worst" : index == sorted.count - 1 ? "best" : index == sorted.count / 2 ? "median" : nil
            return Case(record: sorted[index], position: positions[sorted[index].sample] ?? 0, role: role)
        }
    }

    /// Indices from the first to the last, evenly; one gives way to the middle.
    private static func spread(_ total: Int, _ count: Int) -> [Int] {
        guard total > count else { return Array(0..<total) }
        let steps = (0..<count).map { Int((Double($0) * Double(total - 1) / Double(max(1, count - 1))).rounded()) }
        var chosen = Set(steps)
        if !chosen.contains(total / 2),
            let nearest = steps.dropFirst().dropLast().min(by: { abs($0 - total / 2) < abs($1 - total / 2) })
        {
            chosen.remove(nearest)
            chosen.insert(total / 2)
        }
        return chosen.sorted()
    }

    func sample(_ item: Case) -> HeldOutSample { HeldOutSample(dataset: dataset, position: item.position) }

    /// The prediction as it was scored: the probability resized to the grid of the image, then decided.
    ///
    /// - Throws: `TrainingError`, `MetricsError`, `DatasetError`, `ReportError`.
    func prediction(_ item: Case) throws -> Data {
        let all = try Predictions(contentsOf: predictions)
        guard let index = all.ids.firstIndex(of: item.record.sample) else {
            throw ReportError.drawing(path: item.record.sample, reason: "the predictions do not hold this image")
        }
        let size = try dataset.image(item.record.sample)
        let map = try Resize.bilinear(
            try all.probabilities.rows([index]).values, width: all.probabilities.shape[3],
            height: all.probabilities.shape[2], toWidth: size.width, toHeight: size.height)
        return try HeldOutSample.picture(
            map.map(threshold.admits), size.width, size.height, colour: 0xE69F00, item.record.sample)
    }
}
