import Datasets
import Foundation
import LabelBudget
import Metrics
import Polygons
import ResultStore

@testable import Drawing

/// A store with trained budgets of two small datasets, masks on disk, and drawings of a made-up model. Goes with the value.
final class LabelBudgetStudy {
    let workspace: Workspace
    let store: ResultStore
    let hostile = "<script>alert(1)</script>\u{1b}[31m&\"'"

    init() throws {
        workspace = Workspace(
            root: FileManager.default.temporaryDirectory.resolvingSymlinksInPath().appending(
                path: "llmbench-budget-\(UUID().uuidString)", directoryHint: .isDirectory))
        store = try ResultStore(path: workspace.database(study: "default"))
    }

    deinit { try? FileManager.default.removeItem(at: workspace.root) }

    /// Squares of 8 pixels in pictures of 24, ten to learn from and eight held out.
    func addSquares(_ name: String, title: String? = nil) throws -> Dataset {
        let source = workspace.root.appending(path: "source-\(name)")
        for part in ["images", "masks"] {
            try FileManager.default.createDirectory(
                at: source.appending(path: part), withIntermediateDirectories: true)
        }
        for index in 0..<18 {
            var image = try Image(width: 24, height: 24, channels: 1, fill: UInt8(40 + index))
            var mask = try Image(width: 24, height: 24, channels: 1)
            for y in 8..<16 {
                for x in (index % 9)..<(index % 9 + 8) {
                    image[x: x, y: y] = 200
                    mask[x: x, y: y] = 255
                }
            }
            try PNG.write(image, to: source.appending(path: "images/s\(100 + index).png"))
            try PNG.write(mask, to: source.appending(path: "masks/s\(100 + index).png"))
        }
        return try DatasetPreparer(
            .init(
                name: name, title: title, imageKind: "squares", foreground: "the square", heldOut: 8.0 / 18, seed: 1)
        ).prepare(source, into: DatasetCatalogue(root: workspace.datasets)).dataset
    }

    /// Stores a finished training whose masks are the truth, moved down by so many rows.
    func addTraining(_ dataset: Dataset, _ network: SweepNetwork, labels: Int, seed: Int, shift: Int) throws {
        var record = SweepTrainingRecord(
            dataset: dataset.name, datasetHash: try dataset.contentHash(), network: network.rawValue, labels: labels,
            seed: seed, size: 32, steps: 100, recipe: network.recipe, startedAt: Date(timeIntervalSince1970: 0))
        record = try store.beginSweepTraining(record)
        (record.status, record.endedAt, record.seconds) = (.finished, Date(timeIntervalSince1970: 60), 1.5)
        let folder = workspace.sweep(
            study: "default", dataset: dataset.name,
            training: "\(network.rawValue)-n\(labels)-seed\(seed)-s32-t100"
        ).appending(path: "masks", directoryHint: .isDirectory)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let scores = try dataset.split.heldOut.map { sample in
            let (mask, truth) = (try moved(dataset, sample, shift), try dataset.truth(sample))
            try PNG.write(
                Image(width: 24, height: 24, channels: 1, bytes: mask.values.map { $0 * 255 }),
                to: folder.appending(path: "\(sample).png"))
            let metrics = try SegmentationScores(
                predicted: mask, truth: Mask(width: 24, height: 24, values: truth.bytes))
            return SweepScoreRecord(
                trainingId: record.id ?? -1, sample: sample, dice: metrics.dice, iou: metrics.iou,
                hausdorff95: metrics.hausdorff95)
        }
        try store.storeSweepScores(scores, of: record)
    }

    func moved(_ dataset: Dataset, _ sample: String, _ rows: Int) throws -> Mask {
        let truth = try dataset.truth(sample)
        var mask = try Mask(width: 24, height: 24)
        for y in 0..<24 where y - rows >= 0 && y - rows < 24 {
            for x in 0..<24 where truth[x: x, y: y - rows] != 0 { mask[x: x, y: y] = true }
        }
        return mask
    }

    /// Stores what a model drew that looked several times: the truth, moved down by so many rows at each look.
    ///
    /// - Parameter isFinished: whether its session came to its end.
    func addLooks(_ dataset: Dataset, skill: String?, rows: [Int], isFinished: Bool = true) throws {
        var set = DrawingSetRecord(
            path: "default/\(dataset.name)/seer/polygon/\(skill ?? "plain")", study: "default", dataset: dataset.name,
            datasetHash: try dataset.contentHash(), drawer: "seer", kind: .model, shape: "polygon", draws: 1)
        set.skill = skill
        if isFinished { set.endedAt = Date(timeIntervalSince1970: 60) }
        set = try store.beginDrawingSet(set)
        for sample in dataset.split.heldOut {
            for (look, shift) in rows.enumerated() {
                var drawing = DrawingRecord(
                    setId: set.id ?? -1, part: .heldOut, sample: sample, draw: 0, turn: look, status: .drawn)
                drawing.shape = try ShapeText(moved(dataset, sample, shift)).json
                _ = try store.insertDrawing(drawing)
            }
        }
    }

    /// Two networks that learn from 10, 25 and 50 labels; the drawing is one row off, as good as the U-Net with 25.
    func fill(title: String? = nil) throws -> Dataset {
        let dataset = try addSquares("squares", title: title)
        for (labels, shift) in [(5, 4), (10, 2)] {
            for seed in 0..<2 {
                try addTraining(dataset, .unet, labels: labels, seed: seed, shift: shift)
                try addTraining(dataset, .resunet, labels: labels, seed: seed, shift: shift + 1)
            }
        }
        return dataset
    }

    func evidence(_ sources: [any DrawnLineSource]) throws -> LabelBudgetEvidence {
        try LabelBudgetEvidence(store, workspace: workspace, study: "default") { _ in sources }
    }
}

/// Drawings of a model that marks the truth, moved down by so many rows.
struct MovedDrawings: DrawnLineSource {
    var study: LabelBudgetStudy
    var name: String
    var rows: Int
    var kind = DrawnLine.Kind.model
    var isFixture = true
    var skill: String?
    /// Of a gate's measurement; none where empty.
    var cases: [GateTrust.Case] = []

    func lines(of dataset: Dataset, hash: String) throws -> [DrawnLine] {
        var scores: [String: DrawnLine.Score] = [:]
        for sample in dataset.split.heldOut {
            let truth = try dataset.truth(sample)
            let metrics = try SegmentationScores(
                predicted: study.moved(dataset, sample, rows), truth: Mask(width: 24, height: 24, values: truth.bytes))
            scores[sample] = .init(dice: metrics.dice, iou: metrics.iou, hausdorff95: metrics.hausdorff95)
        }
        return [DrawnLine(kind: kind, name: name, isFixture: isFixture, skill: skill, scores: scores)]
    }

    func skills(of dataset: Dataset, hash: String) throws -> [GateMeasurement] {
        guard !cases.isEmpty else { return [] }
        return [
            GateMeasurement(
                dataset: dataset.name, drawer: name, fixture: isFixture, skill: "CLAHE", gate: .selfConsistency,
                pictures: cases.count, resampledBy: .image, trust: try GateTrust(cases))
        ]
    }

    func mask(of line: DrawnLine, sample: String, in dataset: Dataset) throws -> Mask? {
        line.name == name ? try study.moved(dataset, sample, rows) : nil
    }
}

extension LabelBudgetStudy: @unchecked Sendable {}
