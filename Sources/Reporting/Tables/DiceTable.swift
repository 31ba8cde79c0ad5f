import ResultStore
import Statistics

extension StudyEvidence {
    /// Held-out Dice, a row a training: mean and spread over images beside what no learning achieves.
    public func diceTable() -> ReportTable {
        var table = ReportTable(
            name: "dice", title: "Held-out Dice",
            columns: [
                .init("model", key: "model"), .init("dataset", key: "dataset"), .init("target", key: "target"),
                .init("engine", key: "engine"),
                .init("seed", key: "seed", numeric: true), .init("epochs", key: "epochs", numeric: true),
                .init("own choice", key: "own_epochs", numeric: true),
                .init("images", key: "images", numeric: true),
                .init("mean Dice", key: "mean_dice", numeric: true), .init("95 % interval", key: "interval"),
                .init("median", key: "median_dice", numeric: true), .init("IQR", key: "iqr", numeric: true),
                .init("own grid", key: "model_grid_dice", numeric: true),
                .init("threshold", key: "threshold_dice", numeric: true),
                .init("mean mask", key: "mean_mask_dice", numeric: true), .init("verdict", key: "verdict"),
                .init("train s", key: "train_seconds", numeric: true),
            ])
        for baseline in baselines { table.rows.append(baselineDiceRow(baseline)) }
        for run in runs {
            for training in run.trainings { table.rows.append(diceRow(run, training)) }
        }
        table.notes = [
            "Dice of each held-out image on its original grid; both masks empty = 1, one empty = 0, no smoothing. "
                + "Interval: percentile bootstrap over images (10 000 resamples); acquisitions of one slice are not independent, "
                + "so it is narrower than one over heads would be. Quartiles of type 7.",
            "threshold: the best single grey level, chosen on the training part. mean mask: the training masks' average, "
                + "cut where it does best on the training part. Neither learns from the image.",
            "epochs: as trained. own choice: the epochs that the model itself had chosen, which a study may replace by one number for all; "
                + "a baseline's budget stands in its name.",
        ]
        return table
    }

    private func diceRow(_ run: Run, _ training: Training) -> [ReportTable.Cell] {
        let dice = training.heldOut.map(\.dice)
        let own = training.heldOut.compactMap(\.modelGridDice)
        let reference = reference(for: run)
        let interval = Statistics.bootstrapMean(dice, seed: 1)
        func cell(_ value: Double?, _ digits: Int = 3) -> ReportTable.Cell {
            value.map { .number($0, digits: digits) } ?? .missing
        }
        return [
            .text(run.label), .text(run.record.dataset), .text(run.record.target),
            .text(training.record.engine.rawValue),
            .integer(training.record.seed), training.record.epochs.map { .integer($0) } ?? .missing,
            run.ownEpochs.map { .integer($0) } ?? .missing, .integer(dice.count), cell(training.meanDice),
            interval.map { .text("\(ReportTable.Cell.fixed($0.lower, 3)) – \(ReportTable.Cell.fixed($0.upper, 3))") }
                ?? .missing,
            cell(Statistics.median(dice)), cell(Statistics.interquartileRange(dice)), cell(Statistics.mean(own)),
            cell(reference?.bestThresholdDice), cell(reference?.meanMaskDice),
            .text(verdict(run, training)), cell(training.record.seconds, 1),
        ]
    }

    /// What a reader must not overlook about a training.
    public func verdict(_ run: Run, _ training: Training) -> String {
        switch training.record.status {
        case .failed: return "failed: \(training.record.failure ?? "no reason recorded")"
        case .running: return "unfinished"
        case .trained: return "not evaluated"
        case .evaluated: break
        }
        guard let mean = training.meanDice else { return "not evaluated" }
        if let still = training.standsStill { return "learns nothing: \(still)" }
        guard let reference = reference(for: run) else { return "no reference" }
        let best = max(reference.bestThresholdDice, reference.meanMaskDice)
        if mean <= best { return "no better than a reference that learns nothing" }
        return mean >= best + 0.10 ? "learns" : "hardly better than the references"
    }
}

extension StudyEvidence.Training {
    /// Why the curves say that nothing was learnt; nil where something was.
    ///
    /// A training loss whose best epoch lies less than 2 % below the first has not moved; epochs differ by that much from the
    /// order of the batches alone.
    public var standsStill: String? {
        let losses = epochs.compactMap(\.trainLoss)
        guard losses.count >= 3, let first = losses.first, let best = losses.dropFirst().min(), first.isFinite else {
            return nil
        }
        let fall = (first - best) / max(abs(first), 1e-12)
        guard fall < 0.02 else { return nil }
        return
            "its training loss never falls (\(ReportTable.Cell.fixed(first, 4)) in epoch 1, \(ReportTable.Cell.fixed(best, 4)) at best)"
    }
}

extension StudyEvidence {
    /// The engines side by side: mean held-out Dice of swift and emitted, and how far their losses part from PyTorch's.
    public func parityTable() -> ReportTable {
        var table = ReportTable(
            name: "engines", title: "Do the engines agree?",
            columns: [
                .init("model", key: "model"), .init("seeds", key: "seeds", numeric: true),
                .init("emitted Dice", key: "emitted_dice", numeric: true),
                .init("swift Dice", key: "swift_dice", numeric: true),
                .init("difference", key: "difference", numeric: true),
                .init("max |Δ loss|, swift to PyTorch", key: "largest_loss_difference", numeric: true),
                .init("steps", key: "steps", numeric: true), .init("captured", key: "captured"),
            ])
        for run in runs where run.capture != nil || !run.trainings.isEmpty {
            table.rows.append(parityRow(run))
        }
        table.notes = [
            "emitted runs the model's own main.py unmodified; swift trains the captured graph on this project's runtime. "
                + "Means over the seeds that both engines have. Difference: swift minus emitted.",
            "The loss difference is the largest over the first steps from the same weights on the same batches.",
        ]
        return table
    }

    private func parityRow(_ run: Run) -> [ReportTable.Cell] {
        let emitted = Dictionary(
            run.evaluated(.emitted).map { ($0.record.seed, $0.meanDice) }, uniquingKeysWith: { $1 })
        let swift = Dictionary(run.evaluated(.swift).map { ($0.record.seed, $0.meanDice) }, uniquingKeysWith: { $1 })
        let seeds = Set(emitted.keys).intersection(swift.keys).sorted()
        let a = Statistics.mean(seeds.compactMap { emitted[$0] ?? nil })
        let b = Statistics.mean(seeds.compactMap { swift[$0] ?? nil })
        let captured: ReportTable.Cell
        switch run.capture?.status {
        case .captured: captured = .text("yes")
        case .refused: captured = .text("no: \(run.capture?.refusals.joined(separator: "; ") ?? "")")
        case .failed: captured = .text("failed: \(run.capture?.failure ?? "")")
        case nil: captured = .missing
        }
        func cell(_ value: Double?) -> ReportTable.Cell { value.map { .number($0, digits: 3) } ?? .missing }
        let difference: Double? = if let a, let b { b - a } else { nil }
        let parity = run.parities.max { $0.largestLossDifference < $1.largestLossDifference }
        return [
            .text(run.label), .integer(seeds.count), cell(a), cell(b), cell(difference),
            parity.map { .number($0.largestLossDifference, digits: 6) } ?? .missing,
            parity.map { .integer($0.steps) } ?? .missing, captured,
        ]
    }

    /// Losses and the common validation scores, a row an epoch of each training.
    public func lossesTable() -> ReportTable {
        var table = ReportTable(
            name: "losses", title: "Losses by epoch",
            columns: [
                .init("model", key: "model"), .init("dataset", key: "dataset"), .init("engine", key: "engine"),
                .init("seed", key: "seed", numeric: true), .init("epoch", key: "epoch", numeric: true),
                .init("own choice", key: "own_epochs", numeric: true),
                .init("training loss", key: "train_loss", numeric: true),
                .init("validation loss", key: "validation_loss", numeric: true),
                .init("common BCE", key: "common_bce", numeric: true),
                .init("common soft Dice", key: "common_soft_dice", numeric: true),
                .init("validation Dice", key: "validation_dice", numeric: true),
                .init("seconds", key: "seconds", numeric: true),
            ])
        for run in runs {
            for training in run.trainings {
                let batches = Dictionary(grouping: training.validationBatches, by: \.epoch)
                for epoch in training.epochs {
                    func cell(_ value: Double?, _ digits: Int = 4) -> ReportTable.Cell {
                        value.map { .number($0, digits: digits) } ?? .missing
                    }
                    table.rows.append([
                        .text(run.label), .text(run.record.dataset), .text(training.record.engine.rawValue),
                        .integer(training.record.seed), .integer(epoch.epoch),
                        run.ownEpochs.map { .integer($0) } ?? .missing, cell(epoch.trainLoss),
                        cell(epoch.validationLoss), cell(epoch.commonBce),
                        cell(epoch.commonSoftDice), cell(Statistics.mean((batches[epoch.epoch] ?? []).map(\.dice))),
                        cell(epoch.seconds, 2),
                    ])
                }
            }
        }
        table.notes = [
            "Training and validation loss are the pipeline's own and not comparable between models; common BCE and soft Dice are "
                + "computed alike for every pipeline, on its own validation images. validation Dice is the mean over batches.",
            "own choice: the epochs that the model itself had chosen, which a study may replace by one number for all.",
        ]
        return table
    }
}
