import ResultStore
import Statistics

/// Figures of studies with many runs: what has a row, a curve or a panel a run fits no page then, and two curves of one colour tell
/// nothing. From there on a model is a row.
extension StudyEvidence {
    /// Rows of a figure that fit a page.
    private static let rowsOnPage = 40
    /// Panels of own losses that fit a page: five rows of three.
    private static let panelsOnPage = 15

    /// A bar a run; with more runs than fit a page a bar a model, of errors a run.
    func errorsFigure() -> ErrorsFigure {
        guard runs.count > Self.rowsOnPage else {
            return ErrorsFigure(
                bars: runs.map { run in
                    .init(
                        label: run.label, outcome: run.outcome,
                        counts: Dictionary(run.errorRecords.map { ($0.errorClass, 1) }, uniquingKeysWith: +))
                })
        }
        let models = Dictionary(grouping: runs, by: \.record.model).sorted { $0.key < $1.key }
        return ErrorsFigure(
            bars: models.map { model, runs in
                let all = Dictionary(
                    runs.flatMap(\.errorRecords).map { ($0.errorClass, 1.0) }, uniquingKeysWith: +)
                return .init(
                    label: model, outcome: "\(runs.count { $0.record.status == .succeeded })/\(runs.count) run",
                    counts: all.mapValues { $0 / Double(runs.count) })
            }, areMeans: true)
    }

    /// The panels in figures of a page each.
    static func lossPages(_ panels: [LossCurvesFigure.Panel]) -> [any Figure] {
        guard panels.count > panelsOnPage else { return [LossCurvesFigure(panels: panels)] }
        return stride(from: 0, to: panels.count, by: panelsOnPage).enumerated().map { page, start in
            NumberedFigure(
                LossCurvesFigure(panels: Array(panels[start..<min(start + panelsOnPage, panels.count)])),
                number: page + 1)
        }
    }

    /// A curve a run, or where these are more than there are styles, a curve a model: the mean over its runs.
    static func commonCurves(_ curves: [CommonCurvesFigure.Curve], _ runs: [Run]) -> [any Figure] {
        guard !curves.isEmpty else { return [] }
        let styles = CohortLossFigure.styles
        guard curves.count > styles else { return [CommonCurvesFigure(curves: curves)] }
        let models = Dictionary(grouping: runs, by: \.record.model).compactMap { model, runs in
            let points = ModelCurve(runs).softDice.sorted { $0.key < $1.key }.map { (epoch: $0.key, value: $0.value) }
            return points.isEmpty ? nil : CommonCurvesFigure.Curve(label: model, points: points)
        }
        func last(_ curve: CommonCurvesFigure.Curve) -> Double { curve.points.last?.value ?? 0 }
        let best = models.sorted { (last($0), $1.label) > (last($1), $0.label) }.prefix(styles)
        let which = best.count < models.count ? ", the \(best.count) best of \(models.count) models" : ""
        return [
            CaptionedFigure(
                CommonCurvesFigure(curves: best.sorted { $0.label < $1.label }),
                "Soft Dice on each pipeline's own validation images by epoch, computed alike for every pipeline whatever its loss: the mean over each model's runs\(which)."
            )
        ]
    }

    /// A box a run and engine; with more than fit a page a box a model and engine, each image by its mean over the model's runs.
    func diceBoxes(_ runs: [Run]) -> [DiceBoxPlotFigure.Box] {
        let apart = runs.flatMap { run in
            TrainingRecord.Engine.allCases.compactMap { engine -> DiceBoxPlotFigure.Box? in
                let values = run.evaluated(engine).flatMap { $0.heldOut.map(\.dice) }
                return values.isEmpty ? nil : .init(label: run.label, engine: engine.rawValue, values: values)
            }
        }
        guard apart.count > Self.rowsOnPage else { return apart }
        let models = Dictionary(grouping: runs, by: \.record.model)
        return models.flatMap { model, runs in
            TrainingRecord.Engine.allCases.compactMap { engine -> DiceBoxPlotFigure.Box? in
                let images = Dictionary(
                    grouping: runs.flatMap { $0.evaluated(engine).flatMap(\.heldOut) }, by: \.sample)
                let values = images.sorted { $0.key < $1.key }.compactMap { Statistics.mean($0.value.map(\.dice)) }
                return values.isEmpty ? nil : .init(label: model, engine: engine.rawValue, values: values)
            }
        }
    }
}

/// One of several figures that were one too long for a page.
private struct NumberedFigure: Figure {
    private let figure: any Figure
    private let number: Int

    init(_ figure: any Figure, number: Int) {
        (self.figure, self.number) = (figure, number)
    }

    var name: String { "\(figure.name)-\(number)" }
    var caption: String { "\(figure.caption) Part \(number)." }
    var size: (width: Double, height: Double) { figure.size }
    var isContinuation: Bool { number > 1 }
    func draw(on canvas: Canvas) { figure.draw(on: canvas) }
}
