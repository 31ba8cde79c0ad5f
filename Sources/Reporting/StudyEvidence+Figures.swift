import ResultStore

extension StudyEvidence {
    /// Every figure that the study has data for, each with the notes it must not be seen without.
    public func figures() -> [any Figure] { ReportSubject.allCases.flatMap(figures(about:)) }

    /// The figures of one subject.
    public func figures(about subject: ReportSubject) -> [any Figure] {
        let found: [any Figure] =
            switch subject {
            case .errors: runs.isEmpty ? [] : [errorsFigure()] + [roundsToSuccessFigure()].compactMap { $0 }
            case .losses: lossFigures()
            case .dice: diceFigures()
            case .variability: stripFigures()
            case .cohorts: cohortFigures()
            case .architectures, .hyperparameters, .pipelines, .inference, .engines, .prompts, .cost: []
            }
        return found.map(annotated)
    }

    /// A figure is passed on without its page: what it must not be mistaken for is said inside it.
    func annotated(_ figure: any Figure) -> any Figure {
        let notes = figureNotes
        return notes.isEmpty ? figure : AnnotatedFigure(figure, notes: notes)
    }

    /// Hand-written conversations, and an audit that found something or was not made. No note stands for a clean audit.
    var figureNotes: [String] {
        var notes: [String] = []
        if fixtureRuns > 0 {
            notes.append(
                fixtureRuns == runs.count
                    ? "Hand-written conversations (fixture-*): says nothing about any language model."
                    : "Rows named fixture-* are hand-written conversations, not language models.")
        }
        if let mark = auditMark { notes.append(mark) }
        return notes
    }

    /// "Not audited.", "Audit: 2 findings."; nil for a clean audit.
    public var auditMark: String? {
        guard let audit else { return "Not audited." }
        guard !audit.isClean else { return nil }
        let count = audit.findings.count { $0.severity != .note }
        return "Audit: \(count) finding\(count == 1 ? "" : "s")."
    }

    /// Figures of each dataset's runs: losses and Dice of different datasets do not belong in one frame. With several, each figure
    /// says in its name and in its small print which it is.
    ///
    /// - Parameter others: datasets that need no run to have a figure.
    func byDataset(
        _ runs: [Run], also others: [String] = [], _ figures: (_ runs: [Run], _ dataset: String) -> [any Figure]
    ) -> [any Figure] {
        let datasets = Set(runs.map(\.record.dataset) + others).sorted()
        return datasets.flatMap { dataset in
            let found = figures(runs.filter { $0.record.dataset == dataset }, dataset)
            guard datasets.count > 1 else { return found }
            return found.map {
                NamedFigure(AnnotatedFigure($0, notes: ["Dataset: \(dataset)."]), suffix: dataset) as any Figure
            }
        }
    }

    private func lossFigures() -> [any Figure] {
        byDataset(runs) { runs, _ in
            let shown = runs.compactMap { run in run.shownTraining.map { (run, $0) } }
            guard !shown.isEmpty else { return [] }
            let curves = shown.map { run, training in
                CommonCurvesFigure.Curve(
                    label: run.label,
                    points: training.epochs.compactMap { epoch in epoch.commonSoftDice.map { (epoch.epoch, $0) } },
                    ownEpochs: run.replacedEpochs(training))
            }.filter { !$0.points.isEmpty }
            return Self.lossPages(shown.map(panel)) + Self.commonCurves(curves, runs)
        }
    }

    private func panel(_ run: Run, _ training: Training) -> LossCurvesFigure.Panel {
        .init(
            title: run.label, remark: training.standsStill == nil ? nil : "learns nothing",
            training: training.epochs.compactMap { epoch in epoch.trainLoss.map { (epoch.epoch, $0) } },
            validation: training.epochs.compactMap { epoch in epoch.validationLoss.map { (epoch.epoch, $0) } },
            ownEpochs: run.replacedEpochs(training))
    }

    private func diceFigures() -> [any Figure] {
        let baselines = BaselineScore.all(self)
        return byDataset(runs, also: baselines.map(\.dataset)) { here, dataset in
            let baselineBoxes = baselines.filter { $0.dataset == dataset }.map { score in
                DiceBoxPlotFigure.Box(
                    label: score.label, engine: score.engine.rawValue, values: score.values, isBaseline: true)
            }
            let boxes = baselineBoxes + diceBoxes(here)
            guard !boxes.isEmpty else { return [] }
            let known = here.first.flatMap(reference(for:)) ?? references.last { $0.dataset == dataset }
            let lines = known.map { reference in
                [
                    DiceBoxPlotFigure.ReferenceLine(label: "threshold", value: reference.bestThresholdDice),
                    .init(label: "mean mask", value: reference.meanMaskDice),
                ]
            }
            return [DiceBoxPlotFigure(boxes: boxes, references: lines ?? [])]
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
    var isContinuation: Bool { figure.isContinuation }
    func draw(on canvas: Canvas) { figure.draw(on: canvas) }
}

/// A figure with lines of small print below it.
struct AnnotatedFigure: Figure {
    private let figure: any Figure
    private let notes: [String]

    init(_ figure: any Figure, notes: [String]) {
        self.figure = figure
        self.notes = notes
    }

    private static let lineHeight = 9.0

    var name: String { figure.name }
    var caption: String { figure.caption }
    var isContinuation: Bool { figure.isContinuation }
    var size: (width: Double, height: Double) {
        (figure.size.width, figure.size.height + 5 + Self.lineHeight * Double(notes.count))
    }

    func draw(on canvas: Canvas) {
        figure.draw(on: canvas)
        // As large as the width allows, six points and a half at most, and all lines alike.
        let widest = notes.map { canvas.width(of: $0, size: 6.5) }.max() ?? 1
        let fit = 6.5 * (size.width - 16) / max(1, widest)
        for (line, note) in notes.enumerated() {
            canvas.text(
                note, x: 8, y: figure.size.height + Self.lineHeight * Double(line + 1) - 2, size: min(6.5, fit),
                colour: Canvas.Colour(0x555555))
        }
    }
}
