import Statistics

extension StudyEvidence {
    /// The trainings of one run.
    func trainingsTable(of run: Run) -> ReportTable {
        var table = ReportTable(
            name: "trainings", title: "Trainings of this run",
            columns: [
                .init("engine", key: "engine"), .init("seed", key: "seed", numeric: true),
                .init("epochs", key: "epochs", numeric: true),
                .init("own choice", key: "own_epochs", numeric: true), .init("images", key: "images", numeric: true),
                .init("mean Dice", key: "mean_dice", numeric: true), .init("median", key: "median", numeric: true),
                .init("IQR", key: "iqr", numeric: true), .init("verdict", key: "verdict"),
                .init("train s", key: "train_seconds", numeric: true),
            ])
        table.rows = run.trainings.map { training in
            let dice = training.heldOut.map(\.dice)
            func cell(_ value: Double?, _ digits: Int = 3) -> ReportTable.Cell {
                value.map { .number($0, digits: digits) } ?? .missing
            }
            return [
                .text(training.record.engine.rawValue), .integer(training.record.seed),
                training.record.epochs.map { .integer($0) } ?? .missing,
                run.ownEpochs.map { .integer($0) } ?? .missing, .integer(dice.count),
                cell(training.meanDice), cell(Statistics.median(dice)), cell(Statistics.interquartileRange(dice)),
                .text(verdict(run, training)), cell(training.record.seconds, 1),
            ]
        }
        return table
    }
}
