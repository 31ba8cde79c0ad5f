import ResultStore
import Training

extension StudyEvidence {
    /// What became of the programs whose models were asked for better versions; nil where none was.
    public func versionsTable() -> ReportTable? {
        let refined = runs.filter { !$0.versions.isEmpty }
        guard !refined.isEmpty else { return nil }
        var table = Self.versionsTable(of: refined)
        if fixtureRuns > 0, let fixtureNotice { table.notes.append(fixtureNotice) }
        return table
    }

    /// A row a version, the program of the run itself first.
    static func versionsTable(of runs: [Run]) -> ReportTable {
        var table = ReportTable(
            name: "versions", title: "Versions of programs",
            columns: [
                .init("model", key: "model"), .init("dataset", key: "dataset"), .init("target", key: "target"),
                .init("version", key: "version", numeric: true), .init("result", key: "status"),
                .init("engine", key: "engine"), .init("seed", key: "seed", numeric: true),
                .init("epochs", key: "epochs", numeric: true), .init("kept epoch", key: "kept_epoch", numeric: true),
                .init("validation Dice", key: "validation_dice", numeric: true),
                .init("held-out Dice", key: "held_out_dice", numeric: true), .init("choice", key: "choice"),
                .init("files", key: "files"),
            ])
        table.rows = runs.flatMap { run in run.versions.map { row(run, $0) } }
        table.notes = [
            "Version 0 is the program of the run. For each further one the model was told how the training of the one before went on its own validation "
                + "part. validation Dice: mean over the validation batches with the weights of the kept epoch.",
            "choice: kept is the version with the highest validation Dice, of equals the first, among those that validate on the images of version 0 and train "
                + "on none of them; otherwise why it cannot be, and why there is no held-out Dice. That takes no part in it and was never fed back.",
            "Versions enter no other table or figure: version 0 alone stands for the run there.",
        ]
        return table
    }

    private static func row(_ run: Run, _ version: RefinedVersion) -> [ReportTable.Cell] {
        let summary = version.validation
        return [
            .text(run.label), .text(run.record.dataset), .text(run.record.target), .integer(version.version),
            .text(version.run.status.rawValue),
            version.training.map { .text($0.engine.rawValue) } ?? .missing,
            version.training.map { .integer($0.seed) } ?? .missing,
            summary.map { .integer($0.epochs.count) } ?? .missing,
            summary.map { .integer($0.keptEpoch) } ?? .missing,
            summary.map { .number($0.dice, digits: 4) } ?? .missing,
            version.heldOutDice.map { .number($0, digits: 4) } ?? .missing,
            version.choice.map { .text($0) } ?? .missing,
            .text("generated/\(version.run.path)"),
        ]
    }
}
