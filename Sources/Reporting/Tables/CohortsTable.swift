import Foundation
import ResultStore
import Statistics

extension StudyEvidence {
    /// Groups of models compared by mean held-out Dice: every p with n, effect, interval, correction and method.
    public func cohortsTable() -> ReportTable {
        var table = ReportTable(
            name: "cohorts", title: "Cohorts compared",
            columns: [
                .init("question", key: "question"), .init("set out", key: "planned"),
                .init("dataset", key: "dataset"), .init("group A", key: "group_a"),
                .init("group B", key: "group_b"), .init("n A", key: "n_a", numeric: true),
                .init("n B", key: "n_b", numeric: true), .init("median A", key: "median_a", numeric: true),
                .init("median B", key: "median_b", numeric: true), .init("A − B", key: "difference", numeric: true),
                .init("95 % interval", key: "difference_interval"), .init("test", key: "test"),
                .init("statistic", key: "statistic", numeric: true), .init("alternative", key: "alternative"),
                .init("p", key: "p", numeric: true), .init("p, corrected", key: "p_corrected", numeric: true),
                .init("by", key: "correction"), .init("tests in family", key: "family", numeric: true),
                .init("effect", key: "effect"), .init("size", key: "effect_size", numeric: true),
                .init("its 95 % interval", key: "effect_interval"),
                .init("A above B", key: "superiority", numeric: true),
                .init("remark", key: "remark"),
            ])
        var without: [String] = []
        for question in plan.order {
            let rows = comparisons(question).map { Self.row($0, plan) }
            if rows.isEmpty, plan.isPlanned(question) { without.append(question.title) }
            table.rows += rows
        }
        table.notes = [
            "Unit of analysis: a model's mean held-out Dice over its runs (and seeds); over all: its mean over the datasets, of models "
                + "that have every one. n counts models, or, where models are compared with each other, their runs. Mann-Whitney U "
                + "for groups of different models, Wilcoxon's signed ranks where the same models are in both (target, prompt), "
                + "Kruskal-Wallis for vendors.",
            "Set out: \"planned\" is what the study's file names under `statistics`, before there were results; all else is "
                + "exploratory. Alternative: of A against B. An interval is two-sided at 95 % whatever the alternative, and may include "
                + "no difference where a one-sided p is below 0.05.",
            "A − B: difference of the medians, percentile bootstrap over models and the images inside them (over all, and for pairs: "
                + "models only), 2000 resamples, seed \(plan.seed). Effect of two groups: Cliff's delta (Feng and Cliff 2004). A above B: Vargha and "
                + "Delaney's A, the chance that a model of A has the higher Dice. p, corrected: over the tests of the question.",
            "No test where no outcome could give a p of 0.05 or less, or where a χ² would have groups of fewer than "
                + "\(CohortComparison.fewestForManyGroups).",
        ]
        if !without.isEmpty {
            table.notes.append(
                "Planned, but without two groups that have held-out Dice: \(without.joined(separator: ", ")).")
        }
        table.notes += [currentCardsNote, fixtureNote].compactMap { $0 }
        return table
    }

    private static func row(_ comparison: CohortComparison, _ plan: ComparisonPlan) -> [ReportTable.Cell] {
        func number(_ value: Double?, _ digits: Int = 3) -> ReportTable.Cell {
            value.map { .number($0, digits: digits) } ?? .missing
        }
        let (a, b) = (comparison.first.values, comparison.second?.values)
        let result = comparison.result
        let isDelta = result?.effect.measure == .cliffsDelta
        return [
            .text(comparison.question.title), .text(plan.isPlanned(comparison.question) ? "planned" : "exploratory"),
            .text(comparison.dataset ?? "over all"), .text(comparison.first.name),
            (comparison.second?.name).map { .text($0) } ?? .missing, .integer(a.count),
            b.map { .integer($0.count) } ?? .missing, number(Statistics.median(a)),
            number(b.flatMap(Statistics.median)), number(comparison.difference), interval(comparison.interval),
            result.map { .text("\($0.test), \($0.method)") } ?? .missing,
            number(result?.statistic, 2), (result?.alternative).map { .text($0.rawValue) } ?? .missing,
            probability(result?.p), probability(result?.correction?.adjustedP),
            (result?.correction?.method).map { .text($0.title) } ?? .missing,
            (result?.correction?.familySize).map { .integer($0) } ?? .missing,
            result.map { .text($0.effect.measure.rawValue) } ?? .missing, number(result?.effect.value, 2),
            interval(result?.effect.interval, digits: 2),
            number(isDelta ? result.map { ($0.effect.value + 1) / 2 } : nil, 2),
            comparison.remark.map { .text($0) } ?? .missing,
        ]
    }

    /// "0.712 – 0.844".
    static func interval(_ interval: ConfidenceInterval?, digits: Int = 3) -> ReportTable.Cell {
        interval.map {
            .text("\(ReportTable.Cell.fixed($0.lower, digits)) – \(ReportTable.Cell.fixed($0.upper, digits))")
        } ?? .missing
    }

    /// Four digits, and more where four would be zeros.
    static func probability(_ p: Double?) -> ReportTable.Cell {
        p.map { .number($0, digits: $0 > 0 && $0 < 0.0005 ? min(12, Int(ceil(-log10($0))) + 1) : 4) } ?? .missing
    }

    /// What each group is made of and how it did: also the groups that are too small for a test.
    public func cohortGroupsTable() -> ReportTable {
        var table = ReportTable(
            name: "cohort-groups", title: "Groups of models",
            columns: [
                .init("question", key: "question"), .init("group", key: "group"), .init("dataset", key: "dataset"),
                .init("models", key: "models", numeric: true), .init("runs", key: "runs", numeric: true),
                .init("that ran", key: "succeeded", numeric: true),
                .init("median fed back", key: "median_feedbacks", numeric: true),
                .init("models with Dice", key: "scored_models", numeric: true),
                .init("mean Dice", key: "mean_dice", numeric: true), .init("sd", key: "sd_dice", numeric: true),
                .init("median", key: "median_dice", numeric: true), .init("IQR", key: "iqr_dice", numeric: true),
                .init("least", key: "min_dice", numeric: true), .init("most", key: "max_dice", numeric: true),
            ])
        let datasets = Set(comparableRuns.map(\.record.dataset))
        for question in plan.order {
            for cohort in cohorts(question) {
                for dataset in datasets.sorted().map(Optional.some) + (datasets.count > 1 ? [nil] : []) {
                    table.rows.append(groupRow(cohort, dataset, datasets))
                }
            }
        }
        table.notes = [
            "Dice: over models, each by its mean over runs; spread between models, not between images. IQR by quartiles of type 7. "
                + "that ran: runs whose check run was clean. Runs of which the answer to a question is not recorded are in no group of it."
        ]
        table.notes += [currentCardsNote, fixtureNote].compactMap { $0 }
        return table
    }

    private func groupRow(_ cohort: Cohort, _ dataset: String?, _ datasets: Set<String>) -> [ReportTable.Cell] {
        let runs = cohort.runs.filter { dataset == nil || $0.record.dataset == dataset }
        let scores =
            dataset.map { Self.scores(runs, dataset: $0) } ?? Self.scoresOverAll(runs, datasets: datasets)
        let dice = scores.map(\.dice)
        func number(_ value: Double?, _ digits: Int = 3) -> ReportTable.Cell {
            value.map { .number($0, digits: digits) } ?? .missing
        }
        return [
            .text(cohort.question.title), .text(cohort.name), .text(dataset ?? "over all"),
            .integer(Set(runs.map(\.record.model)).count), .integer(runs.count),
            .integer(runs.count { $0.record.status == .succeeded }),
            number(Statistics.median(runs.map { Double($0.errors.feedbacks) }), 1), .integer(dice.count),
            number(Statistics.mean(dice)), number(Statistics.standardDeviation(dice)), number(Statistics.median(dice)),
            number(Statistics.interquartileRange(dice)), number(dice.min()), number(dice.max()),
        ]
    }

    /// Mean curves of the groups over the first epochs, with their spread and n.
    public func cohortCurvesTable() -> ReportTable {
        var table = ReportTable(
            name: "cohort-curves", title: "Mean curves",
            columns: [
                .init("question", key: "question"), .init("group", key: "group"), .init("dataset", key: "dataset"),
                .init("epoch", key: "epoch", numeric: true), .init("models", key: "models", numeric: true),
                .init("mean BCE", key: "mean_bce", numeric: true), .init("sd", key: "sd_bce", numeric: true),
                .init("mean soft Dice", key: "mean_soft_dice", numeric: true),
                .init("sd", key: "sd_soft_dice", numeric: true),
            ])
        for curve in cohortCurves() {
            for point in curve.points {
                func number(_ value: Double?) -> ReportTable.Cell { value.map { .number($0, digits: 4) } ?? .missing }
                table.rows.append([
                    .text(curve.question?.title ?? "all"), .text(curve.name), .text(curve.dataset ?? "over all"),
                    .integer(point.epoch),
                    .integer(point.models), number(point.bce?.mean), number(point.bce?.deviation),
                    number(point.softDice?.mean), number(point.softDice?.deviation),
                ])
            }
        }
        table.notes = [
            "Common validation BCE and soft Dice, computed alike for every pipeline on its own validation images. A model's value on a "
                + "dataset: mean over its runs, each by its mean over seeds; over all: its mean over the datasets, of models that have "
                + "the epoch on every one. Mean and standard deviation (n − 1) are between models.",
            "The first \(CohortCurve.epochs) epochs; models counts those that trained so long, so later epochs may be of fewer.",
        ]
        if let fixtureNote { table.notes.append(fixtureNote) }
        return table
    }
}
