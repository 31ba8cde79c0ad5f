import Datasets
import Foundation
import LabelBudget
import Metrics
import PublishedFigures
import Statistics

extension LabelBudgetReport {
    /// All figures, in the order of the page.
    ///
    /// - Throws: `DatasetError`, `MetricsError` for pictures or masks that cannot be read.
    public func figures() throws -> [any Figure] {
        var figures: [any Figure] = [curvesFigure]
        figures += try evidence.panels.compactMap(casesFigure)
        if !faults.isEmpty { figures.append(faultsFigure) }
        if let published = publishedFigure { figures.append(published) }
        return figures
    }

    var curvesFigure: LabelBudgetFigure {
        LabelBudgetFigure(
            name: "label-budget",
            caption:
                "Dice on the held-out images over the number of labels N that networks learn from, mean over images and seeds with 95 % bootstrap "
                + "intervals as bands. Drawings train nothing: flat lines, of models without labels solid with their interval, of controls, which know no more than "
                + "the mean size or brightness of the training masks, dotted; a drawing that labels helped is a square at its N. The dashed ceilings are "
                + "the truth redrawn with few vertices, the lowest of them named."
                + (notice.map { " \($0)" } ?? ""),
            panels: evidence.panels.map(panel))
    }

    private func panel(_ panel: LabelBudgetEvidence.Panel) -> LabelBudgetFigure.Panel {
        let trained = panel.networks.compactMap { network -> LabelBudgetFigure.Trained? in
            guard let curve = panel.curve(network) else { return nil }
            let intervals = try? curve.intervals(units: panel.units, resamples: Self.resamples)
            return LabelBudgetFigure.Trained(
                name: network.title,
                points: curve.budgets.indices.map { place in
                    LabelBudgetFigure.Point(
                        labels: curve.budgets[place], dice: curve.means[place],
                        interval: intervals.map { $0[place].lower...$0[place].upper })
                })
        }
        let drawn = panel.drawn.filter { $0.skill == nil || $0.labels > 0 }.map { line in
            LabelBudgetFigure.Drawn(
                name: Self.title(line), kind: line.kind, dice: line.meanDice,
                interval: Self.interval(line, panel).map { $0.lower...$0.upper }, isFixture: line.isFixture,
                labels: line.labels)
        }
        let only = panel.networks.count == 1 ? panel.networks.first : nil
        let notes = crossing(panel, only).map {
            ["\($0.trained) is as good as \(Self.title($0.drawn))", "labels needed: \($0.point.text)"]
        }
        return LabelBudgetFigure.Panel(title: Self.title(panel), trained: trained, drawn: drawn, notes: notes ?? [])
    }

    var faultsFigure: FaultsFigure {
        FaultsFigure(
            panels: evidence.panels.map { panel in
                FaultsFigure.Panel(
                    title: Self.title(panel),
                    bars: faults.filter { $0.dataset == panel.dataset.name }.map { row in
                        FaultsFigure.Bar(
                            line: row.line, place: row.mean(\.placeShare) ?? 0, size: row.mean(\.sizeShare) ?? 0,
                            shape: row.mean(\.shapeShare) ?? 0,
                            missing: row.mean { $0.alignedDice == nil ? 1 - $0.dice : 0 } ?? 0)
                    })
            })
    }

    /// Three best and three worst held-out images of the reference drawing: image, truth, drawing, each network at the largest budget.
    func casesFigure(_ panel: LabelBudgetEvidence.Panel) throws -> LabelBudgetCasesFigure? {
        guard let reference = panel.reference else { return nil }
        let ordered = reference.scores.sorted { ($0.value.dice, $0.key) < ($1.value.dice, $1.key) }.map(\.key)
        let count = min(3, ordered.count / 2)
        guard count > 0 else { return nil }
        let largest = panel.trainings.map(\.record.labels).max() ?? 0
        let trainings = Self.shown(panel).filter { $0.record.labels == largest }
        let roles = ordered.prefix(count).map { ("worst", $0) } + ordered.suffix(count).reversed().map { ("best", $0) }
        let rows = try roles.map { role, sample in
            let image = try panel.dataset.image(sample)
            var predictions: [ImagePanelsFigure.Prediction] = []
            if let mask = try panel.mask(of: reference, sample: sample) {
                predictions.append(
                    .init(
                        model: Self.title(reference), mask: mask.values.map { $0 != 0 },
                        dice: reference.scores[sample]?.dice ?? 0, isBaseline: reference.kind != .model))
            }
            for training in trainings {
                guard let mask = try evidence.mask(of: training, sample: sample, in: panel, workspace: workspace),
                    let score = training.scores.first(where: { $0.sample == sample })
                else { continue }
                predictions.append(
                    .init(model: Self.title(training), mask: mask.values.map { $0 != 0 }, dice: score.dice))
            }
            return ImagePanelsFigure.Row(
                role: role, sample: sample,
                image: Canvas.Pixels(
                    width: image.width, height: image.height, channels: image.channels, bytes: image.bytes),
                truth: try panel.truth(sample).values.map { $0 != 0 }, predictions: predictions)
        }
        return LabelBudgetCasesFigure(
            dataset: panel.dataset.name, title: Self.title(panel), reference: Self.title(reference), rows: rows)
    }

    /// The label budgets that others published, as they published them.
    var publishedFigure: LabelBudgetFigure? {
        guard let rows = try? PublishedFigures.labelBudget(), !rows.isEmpty else { return nil }
        let datasets = rows.map(\.dataset).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
        let panels = datasets.map { dataset in
            let here = rows.filter { $0.dataset == dataset }
            let trained = Dictionary(grouping: here.filter { $0.labels > 0 }) { "\($0.method) (\($0.report))" }
            return LabelBudgetFigure.Panel(
                title: "\(dataset), \(here.first?.modality ?? "")",
                trained: trained.sorted { $0.key < $1.key }.map { name, rows in
                    .init(
                        name: name,
                        points: rows.sorted { $0.labels < $1.labels }.map { .init(labels: $0.labels, dice: $0.dice) })
                },
                drawn: here.filter { $0.labels == 0 }.map {
                    .init(name: "\($0.method) (\($0.report))", kind: .model, dice: $0.dice)
                })
        }
        return LabelBudgetFigure(
            name: "published-label-budget",
            caption:
                "Others' measurements: the label budgets of the two published reports, on their data and with their networks. No intervals were published.",
            panels: panels)
    }
}

/// Held-out images of one dataset, the drawing's worst and best, with what was drawn and what networks made of them.
public struct LabelBudgetCasesFigure: Figure {
    private let panels: ImagePanelsFigure
    public let name: String
    public let caption: String

    init(dataset: String, title: String, reference: String, rows: [ImagePanelsFigure.Row]) {
        panels = ImagePanelsFigure(rows: rows, suffix: dataset)
        name = "label-budget-cases-\(dataset)"
        caption =
            "\(title): the held-out images on which \(reference) has the lowest and the highest Dice: image, truth, drawing, and the networks at the "
            + "largest budget, their first seed. Blue: found; orange: marked though not there; yellow: missed."
    }

    public var size: (width: Double, height: Double) { panels.size }

    public func draw(on canvas: Canvas) { panels.draw(on: canvas) }
}
