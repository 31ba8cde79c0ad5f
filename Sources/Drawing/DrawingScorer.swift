import Datasets
import Metrics
import Polygons
import ResultStore

/// Scores held-out pictures against the truth on the original grid: what each draw began and ended with, and the consensus of what several
/// ended with.
///
/// It is not ended by the task's cancellation: what was drawn is scored whatever ended the drawing.
struct DrawingScorer {
    let store: ResultStore
    let dataset: Dataset
    let set: DrawingSetRecord
    /// Which drawing of a conversation is kept.
    let gate: GateScore

    /// - Parameter refinement: what masks go through before they are scored; nil for the drawings as they are.
    /// - Throws: `StoreError`, `DatasetError`, `PolygonsError`, `MetricsError`, `DrawingError`.
    func score(_ samples: [String], refinement: StoredRefinement? = nil) throws {
        guard let id = set.id else { throw DrawingError.unknownSet(name: set.path, study: set.study) }
        let rows = Dictionary(
            grouping: try store.drawings(set: id).filter { $0.part == .heldOut }, by: \.sample)
        for sample in samples {
            try store.storeDrawingScores(
                try scores(of: sample, rows[sample] ?? [], refinement), set: id, sample: sample,
                refinement: refinement?.name ?? "")
        }
    }

    /// What a picture scores, without storing it.
    func scores(
        of sample: String, _ rows: [DrawingRecord], _ refinement: StoredRefinement? = nil
    ) throws -> [DrawingScoreRecord] {
        let image = try dataset.image(sample)
        let first = try DrawnMasks(rows, width: image.width, height: image.height, turn: 0)
        let ends = try DrawnMasks.ends(rows, width: image.width, height: image.height)
        guard !ends.draws.isEmpty else { return [] }
        let truth = try Mask(try dataset.truth(sample))
        let consistency = try Consensus.selfConsistency(ends.masks)
        func score(
            _ mask: Mask, _ combination: DrawingScoreRecord.Combination, draw: Int, draws: Int
        ) throws -> DrawingScoreRecord {
            let mask = try refinement?.fit.refiner.refine(mask, on: image) ?? mask
            let scores = try SegmentationScores(predicted: mask, truth: truth)
            return DrawingScoreRecord(
                setId: set.id ?? 0, sample: sample, combination: combination, draw: draw,
                refinement: refinement?.name ?? "",
                draws: draws, dice: scores.dice, iou: scores.iou, precision: scores.precision, recall: scores.recall,
                specificity: scores.specificity, hausdorff95: scores.hausdorff95,
                averageSurfaceDistance: scores.averageSurfaceDistance, boundaryF1: scores.boundaryF1,
                unit: scores.unit.rawValue, emptiness: scores.emptiness.rawValue,
                selfConsistency: draws > 1 ? consistency : nil)
        }
        var all = try first.draws.map { try score($0.mask, .single, draw: $0.draw, draws: 1) }
        // Also where a picture ended with its first look: `last` and `kept` are means over all pictures.
        if set.goesOn || rows.contains(where: { $0.turn > 0 }) {
            all += try DrawnMasks.kept(rows, of: image, by: gate).draws.map {
                try score($0.mask, .kept, draw: $0.draw, draws: 1)
            }
            all += try ends.draws.map { try score($0.mask, .last, draw: $0.draw, draws: 1) }
        }
        // A consensus is of the draws that were asked for, even where one alone could be read.
        guard rows.count(where: { $0.status.isSettled && $0.turn == 0 }) > 1 else { return all }
        for combination in [DrawingScoreRecord.Combination.mean, .majority, .staple] {
            guard let mask = try ends.combined(combination) else { continue }
            all.append(try score(mask, combination, draw: 0, draws: ends.draws.count))
        }
        return all
    }
}
