import ResultStore
import Statistics

extension StudyEvidence {
    /// Each model's held-out Dice less the baseline's on the same images; nil where there is no baseline.
    public func baselineTable() -> ReportTable? {
        let baselines = BaselineScore.all(self)
        guard !baselines.isEmpty else { return nil }
        var table = ReportTable(
            name: "baseline-differences", title: "Difference to the baseline",
            columns: [
                .init("model", key: "model"), .init("dataset", key: "dataset"), .init("baseline", key: "baseline"),
                .init("baseline seeds", key: "baseline_seeds", numeric: true),
                .init("images", key: "images", numeric: true), .init("Dice", key: "dice", numeric: true),
                .init("baseline Dice", key: "baseline_dice", numeric: true),
                .init("difference", key: "difference", numeric: true), .init("95 % interval", key: "interval"),
            ])
        for baseline in baselines {
            for score in modelScores(on: baseline.dataset) { table.rows.append(Self.differenceRow(score, baseline)) }
        }
        table.notes = [
            "Difference: mean over the held-out images of the model's Dice less the baseline's, each first averaged over its runs and "
                + "seeds; above 0 the model is better. Interval: BCa bootstrap (Efron 1987) over images in pairs, 10 000 resamples. "
                + "Acquisitions of one slice are not independent, so it is narrower than one over heads would be.",
            "The baseline's budget is fixed beforehand and stated in its name; each model chose its own training, but for the number of "
                + "epochs where the study fixes one.",
        ]
        return table
    }

    private func modelScores(on dataset: String) -> [ModelScore] {
        let here = Dictionary(grouping: runs.filter { $0.record.dataset == dataset }, by: \.record.model)
        return here.sorted { $0.key < $1.key }.compactMap {
            ModelScore(model: $0.key, dataset: dataset, runs: $0.value)
        }
    }

    private static func differenceRow(_ score: ModelScore, _ baseline: BaselineScore) -> [ReportTable.Cell] {
        let names = Set(score.images.keys).intersection(baseline.images.keys).sorted()
        let (a, b) = (names.compactMap { score.images[$0] }, names.compactMap { baseline.images[$0] })
        func cell(_ value: Double?) -> ReportTable.Cell { value.map { .number($0, digits: 3) } ?? .missing }
        var difference: Double?
        if let x = Statistics.mean(a), let y = Statistics.mean(b) { difference = x - y }
        // Fewer than two images, or differences all alike, have no interval.
        let estimate = try? Statistics.bootstrap(zip(a, b).map { $0 - $1 }, resampling: Resampling(seed: 1)) {
            Statistics.mean($0) ?? .nan
        }
        let interval = estimate.map(\.interval).map { interval in
            ReportTable.Cell.text(
                "\(ReportTable.Cell.fixed(interval.lower, 3)) – \(ReportTable.Cell.fixed(interval.upper, 3))")
        }
        return [
            .text(score.model), .text(baseline.dataset), .text(baseline.label), .integer(baseline.seeds),
            .integer(names.count), cell(Statistics.mean(a)), cell(Statistics.mean(b)), cell(difference),
            interval ?? .missing,
        ]
    }

    /// The baselines as rows of the table of Dice.
    func baselineDiceRow(_ baseline: Baseline) -> [ReportTable.Cell] {
        let record = baseline.record
        let dice = baseline.heldOut.map(\.dice)
        func cell(_ value: Double?, _ digits: Int = 3) -> ReportTable.Cell {
            value.map { .number($0, digits: digits) } ?? .missing
        }
        let reference =
            references.first { $0.dataset == record.dataset && $0.datasetHash == record.datasetHash }
            ?? references.last { $0.dataset == record.dataset }
        let interval = Statistics.bootstrapMean(dice, seed: 1).map {
            ReportTable.Cell.text("\(ReportTable.Cell.fixed($0.lower, 3)) – \(ReportTable.Cell.fixed($0.upper, 3))")
        }
        let verdict =
            switch record.status {
            case .evaluated: "baseline"
            case .running: "unfinished"
            case .failed: "failed: \(record.failure ?? "no reason recorded")"
            }
        return [
            .text(baseline.label), .text(record.dataset), .missing, .text(record.engine.rawValue),
            .integer(record.seed),
            record.epochs.map { .integer($0) } ?? .missing, .missing, .integer(dice.count), cell(baseline.meanDice),
            interval ?? .missing, cell(Statistics.median(dice)), cell(Statistics.interquartileRange(dice)), .missing,
            cell(reference?.bestThresholdDice), cell(reference?.meanMaskDice), .text(verdict),
            cell(record.seconds, 1),
        ]
    }
}
