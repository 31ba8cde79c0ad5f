import ResultStore

extension StudyEvidence {
    /// Every figure that the study has data for.
    public func figures() -> [any Figure] {
        var figures: [any Figure] = []
        if !runs.isEmpty { figures.append(errorsFigure()) }
        let shown = runs.compactMap { run in run.shownTraining.map { (run, $0) } }
        if !shown.isEmpty {
            figures.append(LossCurvesFigure(panels: shown.map(panel)))
            let curves = shown.map { run, training in
                CommonCurvesFigure.Curve(
                    label: run.label,
                    points: training.epochs.compactMap { epoch in epoch.commonSoftDice.map { (epoch.epoch, $0) } })
            }.filter { !$0.points.isEmpty }
            if !curves.isEmpty { figures.append(CommonCurvesFigure(curves: curves)) }
        }
        figures += diceFigures()
        // A figure is passed on without its page: what it must not be mistaken for is said inside it.
        guard fixtureRuns > 0 else { return figures }
        return figures.map {
            AnnotatedFigure($0, note: "Hand-written conversations (fixture-*): says nothing about any language model.")
        }
    }

    private func errorsFigure() -> ErrorsFigure {
        ErrorsFigure(
            bars: runs.map { run in
                .init(
                    label: run.label, outcome: run.outcome,
                    counts: Dictionary(run.errorRecords.map { ($0.errorClass, 1) }, uniquingKeysWith: +))
            })
    }

    private func panel(_ run: Run, _ training: Training) -> LossCurvesFigure.Panel {
        .init(
            title: run.label, remark: training.standsStill == nil ? nil : "learns nothing",
            training: training.epochs.compactMap { epoch in epoch.trainLoss.map { (epoch.epoch, $0) } },
            validation: training.epochs.compactMap { epoch in epoch.validationLoss.map { (epoch.epoch, $0) } })
    }

    /// A box plot a dataset: Dice of different datasets do not belong in one frame.
    private func diceFigures() -> [any Figure] {
        let datasets = Set(runs.map(\.record.dataset)).sorted()
        return datasets.compactMap { dataset in
            let here = runs.filter { $0.record.dataset == dataset }
            let boxes = here.flatMap { run in
                TrainingRecord.Engine.allCases.compactMap { engine -> DiceBoxPlotFigure.Box? in
                    let values = run.evaluated(engine).flatMap { $0.heldOut.map(\.dice) }
                    return values.isEmpty ? nil : .init(label: run.label, engine: engine.rawValue, values: values)
                }
            }
            guard !boxes.isEmpty, let any = here.first else { return nil }
            let lines = reference(for: any).map { reference in
                [
                    DiceBoxPlotFigure.ReferenceLine(label: "threshold", value: reference.bestThresholdDice),
                    .init(label: "mean mask", value: reference.meanMaskDice),
                ]
            }
            let figure = DiceBoxPlotFigure(boxes: boxes, references: lines ?? [])
            return datasets.count == 1 ? figure : NamedFigure(figure, suffix: dataset)
        }
    }
}

extension StudyEvidence.Run {
    /// The training whose curves are shown: engine swift before the others, the first seed.
    public var shownTraining: StudyEvidence.Training? {
        let preference: [TrainingRecord.Engine] = [.swift, .pytorch, .emitted]
        return preference.lazy.compactMap { engine in
            trainings.first { $0.record.engine == engine && !$0.epochs.isEmpty }
        }.first
    }
}

/// A figure under a name of its own, where a study has several of a kind.
struct NamedFigure: Figure {
    private let figure: any Figure
    let name: String
    let caption: String

    init(_ figure: any Figure, suffix: String) {
        self.figure = figure
        name = "\(figure.name)-\(suffix)"
        caption = "\(suffix): \(figure.caption)"
    }

    var size: (width: Double, height: Double) { figure.size }
    func draw(on canvas: Canvas) { figure.draw(on: canvas) }
}

/// A figure with a line of small print below it.
struct AnnotatedFigure: Figure {
    private let figure: any Figure
    private let note: String

    init(_ figure: any Figure, note: String) {
        self.figure = figure
        self.note = note
    }

    var name: String { figure.name }
    var caption: String { figure.caption }
    var size: (width: Double, height: Double) { (figure.size.width, figure.size.height + 14) }

    func draw(on canvas: Canvas) {
        figure.draw(on: canvas)
        // As large as the width allows, seven points at most.
        let fit = 7 * (size.width - 16) / max(1, canvas.width(of: note, size: 7))
        canvas.text(note, x: 8, y: size.height - 5, size: min(7, fit), colour: .grey)
    }
}
