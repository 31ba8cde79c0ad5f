import ResultStore
import Statistics

extension StudyEvidence {
    /// Trained pipelines on images they have not seen: their own test part and the held-out images, in Dice.
    public func inferenceTable() -> ReportTable {
        var table = ReportTable(
            name: "inference", title: "Inference",
            columns: [
                .init("model", key: "model"), .init("dataset", key: "dataset"), .init("engine", key: "engine"),
                .init("seed", key: "seed", numeric: true),
                .init("own test batches", key: "test_batches", numeric: true),
                .init("own test Dice", key: "test_dice", numeric: true),
                .init("held-out images", key: "images", numeric: true),
                .init("held-out Dice", key: "held_out_dice", numeric: true),
                .init("held-out − test", key: "gap", numeric: true),
                .init("least", key: "min_dice", numeric: true),
                .init("images below 0.5", key: "failures", numeric: true),
                .init("empty or missed", key: "zeros", numeric: true),
                .init("network s an image", key: "seconds_per_image", numeric: true),
                .init("file to file s an image", key: "file_to_file_seconds_per_image", numeric: true),
            ])
        for baseline in baselines where !baseline.heldOut.isEmpty { table.rows.append(Self.inferenceRow(baseline)) }
        for run in runs {
            for training in run.trainings where !training.heldOut.isEmpty || !training.testBatches.isEmpty {
                table.rows.append(Self.inferenceRow(run, training))
            }
        }
        table.notes = [
            "own test Dice: mean over the batches of the pipeline's own test part, on its own grid, as pipelines report it. held-out Dice: mean "
                + "over images on their original grid, of masks that the pipeline never had. images below 0.5 and those with Dice 0 "
                + "(an empty prediction, or none of the truth found) are counted.",
            "Own test parts differ between models: the column describes, it does not compare.",
            "network s an image: wall clock from prepared images to scores by pixel, of all held-out images by their number; a baseline "
                + "predicts each image four times, mirrored, and in tiles where it is larger than the patch. file to file: a baseline's with "
                + "reading, normalising, resampling and writing. Nothing where it was not measured.",
        ]
        return table
    }

    private static func inferenceRow(_ run: Run, _ training: Training) -> [ReportTable.Cell] {
        func number(_ value: Double?) -> ReportTable.Cell { value.map { .number($0, digits: 3) } ?? .missing }
        let test = Statistics.mean(training.testBatches.map(\.dice))
        let dice = training.heldOut.map(\.dice)
        var gap: Double?
        if let test, let mean = training.meanDice { gap = mean - test }
        return [
            .text(run.label), .text(run.record.dataset), .text(training.record.engine.rawValue),
            .integer(training.record.seed), .integer(training.testBatches.count), number(test), .integer(dice.count),
            number(training.meanDice), number(gap), number(dice.min()), .integer(dice.count { $0 < 0.5 }),
            .integer(dice.count { $0 == 0 }), secondsAnImage(training.record.inferenceSeconds, dice.count), .missing,
        ]
    }

    private static func inferenceRow(_ baseline: Baseline) -> [ReportTable.Cell] {
        let dice = baseline.heldOut.map(\.dice)
        func number(_ value: Double?) -> ReportTable.Cell { value.map { .number($0, digits: 3) } ?? .missing }
        return [
            .text(baseline.label), .text(baseline.record.dataset), .text(baseline.record.engine.rawValue),
            .integer(baseline.record.seed), .missing, .missing, .integer(dice.count), number(baseline.meanDice),
            .missing,
            number(dice.min()), .integer(dice.count { $0 < 0.5 }), .integer(dice.count { $0 == 0 }),
            secondsAnImage(baseline.record.networkSeconds, dice.count),
            secondsAnImage(baseline.record.inferenceSeconds, dice.count),
        ]
    }

    private static func secondsAnImage(_ seconds: Double?, _ images: Int) -> ReportTable.Cell {
        guard let seconds, images > 0 else { return .missing }
        return .number(seconds / Double(images), digits: 4)
    }
}
