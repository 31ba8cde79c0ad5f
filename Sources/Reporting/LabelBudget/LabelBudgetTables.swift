import Drawing
import LabelBudget
import Polygons
import PublishedFigures
import ResultStore
import Statistics

extension LabelBudgetReport {
    /// All tables, in the order of the page.
    public var tables: [ReportTable] {
        [budgetTable, crossingTable, drawingTable, skillTable, faultTable, curveTable, trainingTable, publishedTable]
            .compactMap { $0 }
    }

    private func cell(_ value: Double?, digits: Int = 3) -> ReportTable.Cell {
        value.map { .number($0, digits: digits) } ?? .missing
    }

    private func cell(_ interval: ConfidenceInterval?) -> ReportTable.Cell {
        interval.map {
            .text("\(ReportTable.Cell.fixed($0.lower, 3)) – \(ReportTable.Cell.fixed($0.upper, 3))")
        } ?? .missing
    }

    private var budgets: [Int] {
        Set(evidence.panels.flatMap { $0.trainings.map(\.record.labels) }).sorted()
    }

    /// What drew a line; a recording that no model made is not called one.
    static func kind(_ line: DrawnLine) -> String { line.isFixture ? "fixture" : line.kind.rawValue }

    /// Dice × budget: one row a line, cells marked where the drawing is ahead.
    var budgetTable: ReportTable {
        var table = ReportTable(
            name: "label-budget", title: "Dice by number of labels",
            columns: [.init("dataset", key: "dataset"), .init("line", key: "line"), .init("kind", key: "kind")]
                + budgets.map { .init("N = \($0)", key: "dice_\($0)") }
                + [.init("as good as the reference at N", key: "crossing")])
        for panel in evidence.panels {
            let reference = panel.reference
            for line in panel.drawn {
                let isReference = line.name == reference?.name
                table.rows.append(
                    [
                        .text(Self.title(panel)), .text(Self.title(line)),
                        .text(Self.kind(line) + (isReference ? ", reference" : "")),
                    ]
                        + budgets.map {
                            // What took labels is not to be had for fewer.
                            $0 < line.labels ? .missing : .text(ReportTable.Cell.fixed(line.meanDice, 3))
                        } + [.missing])
            }
            let curves = panel.networks.map { (title: $0.title, network: Optional($0), curve: panel.curve($0)) }
            for (title, network, curve) in curves + (panel.best.map { [("best network", nil, $0)] } ?? []) {
                let cells = budgets.map { budget -> ReportTable.Cell in
                    guard let curve, let place = curve.budgets.firstIndex(of: budget) else { return .missing }
                    let dice = curve.means[place]
                    let isBehind = reference.map { $0.meanDice > dice } ?? false
                    return .text(ReportTable.Cell.fixed(dice, 3) + (isBehind ? " ◂ drawing" : ""))
                }
                table.rows.append(
                    [.text(Self.title(panel)), .text(title), .text("trained")] + cells
                        + [crossing(panel, network).map { .text($0.point.text) } ?? .missing])
            }
        }
        table.notes = [
            "Mean Dice over the held-out images on their original grid, of networks also over the seeds. ◂ drawing: the reference drawing of the "
                + "dataset has the higher mean. Reference: the best model on pictures as they are, a control where no model drew. "
                + "(N labels): drawn with the help of so many labelled pictures, and not to be had for fewer.",
            "as good as the reference at N: the labels from which on the trained line reaches the reference, with its 95 % "
                + "interval; see the crossing points.",
            "Networks learn from \(evidence.setting.size)×\(evidence.setting.size) pixels for \(evidence.setting.steps) steps; one label in five "
                + "is kept for validation.",
        ]
        return table
    }

    var crossingTable: ReportTable {
        var table = ReportTable(
            name: "crossing-points", title: "Crossing points",
            columns: [
                .init("dataset", key: "dataset"), .init("trained", key: "trained"), .init("drawing", key: "drawing"),
                .init("kind", key: "kind"), .init("crossing N", key: "crossing"), .init("from", key: "lower"),
                .init("to", key: "upper"), .init("drawing ahead throughout", key: "share_never", numeric: true),
                .init("drawing behind throughout", key: "share_below", numeric: true),
                .init("labels of the drawing", key: "drawing_labels", numeric: true),
            ])
        for crossing in crossings {
            let title = evidence.panels.first { $0.dataset.name == crossing.dataset }.map(Self.title)
            table.rows.append([
                .text(title ?? crossing.dataset), .text(crossing.trained), .text(Self.title(crossing.drawn)),
                .text(Self.kind(crossing.drawn)), .text(crossing.point.place.text),
                .text(crossing.point.lower.text), .text(crossing.point.upper.text),
                .number(crossing.point.neverShare, digits: 2), .number(crossing.point.belowShare, digits: 2),
                .integer(crossing.drawn.labels),
            ])
        }
        table.notes =
            [
                "Labels from which on the trained line, made monotone by isotonic regression and joined over log N, is as good as the drawing. "
                    + "below: at the smallest budget already; never: not even at the largest.",
                "from, to: 95 % percentile interval of \(Self.resamples) resamples of held-out images, the same for both lines, and of seeds. Shares "
                    + "of the resamples without a crossing on either side. best network: the highest mean at each budget, chosen on the images that are reported.",
                "labels of the drawing: a crossing at fewer labels than the drawing itself was made with says that the network needs fewer than it.",
                resamplingNote,
            ] + uncrossed.map { "\($0)." }
        return table
    }

    var drawingTable: ReportTable {
        var table = ReportTable(
            name: "drawings", title: "Drawings",
            columns: [
                .init("dataset", key: "dataset"), .init("drawing", key: "drawing"), .init("kind", key: "kind"),
                .init("images", key: "images", numeric: true), .init("Dice", key: "dice", numeric: true),
                .init("95 % interval", key: "interval"), .init("IoU", key: "iou", numeric: true),
                .init("HD95 (pixels)", key: "hausdorff95", numeric: true),
                .init("labels", key: "labels", numeric: true), .init("finished", key: "finished"),
            ])
        for panel in evidence.panels {
            for line in panel.drawn {
                let scores = line.scores.sorted { $0.key < $1.key }.map(\.value)
                table.rows.append([
                    .text(Self.title(panel)), .text(Self.title(line)), .text(Self.kind(line)),
                    .integer(scores.count), cell(Statistics.mean(scores.map(\.dice))), cell(Self.interval(line, panel)),
                    cell(Statistics.mean(scores.map(\.iou))),
                    cell(Statistics.mean(scores.map(\.hausdorff95)), digits: 1),
                    .integer(line.labels), .text(line.isFinished ? "yes" : "no"),
                ])
            }
        }
        table.notes = [
            "Means over the held-out images on their original grid. control: drawn without a model and without the picture's truth; ceiling: the "
                + "truth itself, redrawn with few vertices.",
            "Interval: 95 % percentile bootstrap over images. \(resamplingNote)",
            "labels: labelled training pictures that the drawings were made with; what controls know of the training part is not counted. finished: "
                + "whether all that was asked for was drawn; a mean of some images is not to be compared with one of all.",
        ]
        return table
    }

    /// Pictures as they are, after a skill, and by a gate's choice of the two: for all images, those that were bad and those that were good.
    var skillTable: ReportTable? {
        var table = ReportTable(
            name: "skills", title: "Skills",
            columns: [
                .init("dataset", key: "dataset"), .init("drawing", key: "drawing"), .init("skill", key: "skill"),
                .init("gate", key: "gate"), .init("trusted", key: "trusted"), .init("cases", key: "cases"),
                .init("images", key: "images", numeric: true), .init("raw Dice", key: "raw_dice", numeric: true),
                .init("enhanced Dice", key: "enhanced_dice", numeric: true),
                .init("gated Dice", key: "gated_dice", numeric: true),
                .init("oracle Dice", key: "oracle_dice", numeric: true),
            ])
        for panel in evidence.panels {
            for skill in panel.skills {
                let bad = skill.trust.cases.filter { $0.plainDice < FaultSummary.threshold }
                let good = skill.trust.cases.filter { $0.plainDice >= FaultSummary.threshold }
                for (name, cases) in [("all", skill.trust.cases), ("bad", bad), ("good", good)] {
                    // The interval of the correlation is not asked of a part.
                    guard let part = try? GateTrust(cases, resamples: 1) else { continue }
                    table.rows.append([
                        .text(Self.title(panel)), .text(skill.drawer + (skill.fixture ? " (fixture)" : "")),
                        .text(skill.title), .text(skill.gate.name), .text(skill.verdict),
                        .text(name), .integer(cases.count), cell(part.dice(.never)), cell(part.dice(.always)),
                        cell(part.dice(.gated)), cell(part.dice(.oracle)),
                    ])
                }
            }
        }
        guard !table.rows.isEmpty else { return nil }
        table.notes = [
            "raw: pictures as they are; enhanced: after the skill; gated: whichever of the two has the higher score of the gate, which sees no truth; "
                + "oracle: whichever has the higher Dice. Bad cases have a raw Dice below \(FaultSummary.threshold). Of drawings that could be read.",
            "trusted: the 95 % interval of the correlation of score and Dice lies above 0 (`llmbench polygon gates`), of at least \(GateTrust.leastUnits) "
                + "subjects, slices or images that are drawn with replacement; a gate that is not trusted is not deployable, whatever its Dice here.",
        ]
        return table
    }

    var faultTable: ReportTable {
        var table = ReportTable(
            name: "faults", title: "Failures by kind",
            columns: [
                .init("dataset", key: "dataset"), .init("line", key: "line"),
                .init("images", key: "images", numeric: true), .init("failures", key: "failures", numeric: true),
            ] + SegmentationFault.Kind.allCases.map { .init($0.title, key: $0.rawValue, numeric: true) } + [
                .init("location error", key: "location_error", numeric: true),
                .init("size ratio", key: "size_ratio", numeric: true), .init("Dice", key: "dice", numeric: true),
                .init("Dice after aligning", key: "aligned_dice", numeric: true),
                .init("lost to place", key: "place_share", numeric: true),
                .init("to size", key: "size_share", numeric: true),
                .init("to shape", key: "shape_share", numeric: true),
            ])
        for row in faults {
            let title = evidence.panels.first { $0.dataset.name == row.dataset }.map(Self.title)
            table.rows.append(
                [
                    .text(title ?? row.dataset), .text(row.line), .integer(row.faults.count),
                    .integer(row.failures.count),
                ] + SegmentationFault.Kind.allCases.map { .integer(row.count($0)) } + [
                    cell(row.median(\.locationError), digits: 2), cell(row.median(\.sizeRatio), digits: 2),
                    cell(row.mean(\.dice)), cell(row.mean(\.alignedDice)), cell(row.mean(\.placeShare)),
                    cell(row.mean(\.sizeShare)), cell(row.mean(\.shapeShare)),
                ])
        }
        table.notes = [
            "A failure has a Dice below \(FaultSummary.threshold); its kind is the largest part of the Dice it lacks. Of networks the first seed at the "
                + "smallest and the largest budget.",
            "location error: distance of the centroids in radii of a disc of the truth's area; size ratio: area over the truth's area; medians. After "
                + "aligning: moved to the truth's centroid and scaled to its area, not turned.",
            "lost to place, size, shape: means of parts that add up to 1 − Dice; place and size are what moving and scaling gain, the mean of both orders "
                + "(Shapley 1953), shape what is missing after both.",
        ]
        return table
    }

    /// Every point of the curves with its interval, in long form.
    var curveTable: ReportTable {
        var table = ReportTable(
            name: "trained-curves", title: "Trained curves",
            columns: [
                .init("dataset", key: "dataset"), .init("network", key: "network"),
                .init("labels", key: "labels", numeric: true), .init("seeds", key: "seeds", numeric: true),
                .init("Dice", key: "dice", numeric: true), .init("from", key: "lower", numeric: true),
                .init("to", key: "upper", numeric: true), .init("reference drawing", key: "reference"),
                .init("its Dice", key: "reference_dice", numeric: true), .init("drawing ahead", key: "drawing_ahead"),
            ])
        for panel in evidence.panels {
            let curves =
                panel.networks.map { ($0.title, panel.curve($0)) } + (panel.best.map { [("best network", $0)] } ?? [])
            for case (let title, let curve?) in curves {
                let intervals = try? curve.intervals(units: panel.units, resamples: Self.resamples)
                for (place, budget) in curve.budgets.enumerated() {
                    table.rows.append([
                        .text(Self.title(panel)), .text(title), .integer(budget), .integer(curve.seeds),
                        .number(curve.means[place], digits: 3), cell(intervals?[place].lower),
                        cell(intervals?[place].upper),
                        panel.reference.map { .text(Self.title($0)) } ?? .missing, cell(panel.reference?.meanDice),
                        panel.reference.map { .text($0.meanDice > curve.means[place] ? "yes" : "no") } ?? .missing,
                    ])
                }
            }
        }
        table.notes = [
            "from, to: 95 % percentile bootstrap over held-out images and seeds, \(Self.resamples) resamples. \(resamplingNote)"
        ]
        return table
    }

    var trainingTable: ReportTable {
        var table = ReportTable(
            name: "sweep-trainings", title: "Trainings of the sweep",
            columns: [
                .init("dataset", key: "dataset"), .init("network", key: "network"),
                .init("labels", key: "labels", numeric: true), .init("seed", key: "seed", numeric: true),
                .init("learnt from", key: "training_images", numeric: true),
                .init("validated on", key: "validation_images", numeric: true),
                .init("size", key: "size", numeric: true), .init("steps", key: "steps", numeric: true),
                .init("parameters", key: "parameters", numeric: true),
                .init("best step", key: "best_step", numeric: true),
                .init("validation Dice", key: "validation_dice", numeric: true),
                .init("held-out Dice", key: "dice", numeric: true), .init("IoU", key: "iou", numeric: true),
                .init("HD95 (pixels)", key: "hausdorff95", numeric: true),
                .init("seconds", key: "seconds", numeric: true), .init("threads", key: "threads", numeric: true),
                .init("recipe", key: "recipe"),
            ])
        for panel in evidence.panels {
            for training in panel.trainings {
                let record = training.record
                func integer(_ value: Int?) -> ReportTable.Cell { value.map { .integer($0) } ?? .missing }
                table.rows.append([
                    .text(Self.title(panel)), .text(training.network.title), .integer(record.labels),
                    .integer(record.seed), integer(record.trainingImages), integer(record.validationImages),
                    .integer(record.size), .integer(record.steps), integer(record.parameters),
                    integer(record.bestStep), cell(record.validationDice), cell(training.meanDice),
                    cell(Statistics.mean(training.scores.map(\.iou))),
                    cell(Statistics.mean(training.scores.map(\.hausdorff95)), digits: 1),
                    cell(record.seconds, digits: 1),
                    integer(record.threads), .text(record.recipe),
                ])
            }
        }
        table.notes =
            [
                "Each label budget is the beginning of one order of the training part by seed, the same for every network; every fifth of it is validated "
                    + "on. Seconds of training, resumed parts added up."
            ] + evidence.absent.map { "Left out: \($0)." }
        return table
    }

    /// What others measured.
    var publishedTable: ReportTable? {
        guard let rows = try? PublishedFigures.labelBudget(), !rows.isEmpty else { return nil }
        let budgets = Set(rows.map(\.labels)).filter { $0 > 0 }.sorted()
        var table = ReportTable(
            name: "published-label-budget", title: "Published label budgets",
            columns: [
                .init("report", key: "report"), .init("dataset", key: "dataset"), .init("modality", key: "modality"),
                .init("method", key: "method"), .init("no labels", key: "dice_0", numeric: true),
            ] + budgets.map { .init("N = \($0)", key: "dice_\($0)", numeric: true) })
        var seen: Set<[String]> = []
        for row in rows where seen.insert([row.report, row.dataset, row.method]).inserted {
            func dice(_ labels: Int) -> ReportTable.Cell {
                cell(
                    rows.first {
                        $0.report == row.report && $0.dataset == row.dataset && $0.method == row.method
                            && $0.labels == labels
                    }?.dice)
            }
            table.rows.append(
                [.text(row.report), .text(row.dataset), .text(row.modality), .text(row.method), dice(0)]
                    + budgets.map(dice))
        }
        table.notes = [
            "Others' measurements, on other data and with other networks: not to be compared cell by cell with what was measured here. Sources: "
                + "Sources/PublishedFigures/README.md."
        ]
        return table
    }
}
