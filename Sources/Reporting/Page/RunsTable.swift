import ResultStore

/// Every run of a study as a row that leads to its page.
struct RunsTable {
    var table: ReportTable
    var links: [String: String]

    init(_ evidence: StudyEvidence, pages: [String]) {
        let titles = Self.titles(evidence)
        table = ReportTable(
            name: "runs", title: "Runs",
            columns: [
                .init("run", key: "run"), .init("model", key: "model"), .init("dataset", key: "dataset"),
                .init("target", key: "target"), .init("prompt", key: "prompt"), .init("outcome", key: "outcome"),
                .init("replies", key: "replies", numeric: true), .init("fed back", key: "fed_back", numeric: true),
                .init("history", key: "history"), .init("held-out Dice", key: "dice", numeric: true),
                .init("engine", key: "engine"), .init("verdict", key: "verdict"),
            ])
        table.rows = zip(evidence.runs, titles).map { run, title in
            let training = run.headline
            return [
                .text(title), .text(run.record.model), .text(run.record.dataset), .text(run.record.target),
                .text(run.record.promptLabel), .text(run.outcome), .integer(run.errors.replies),
                .integer(run.errors.feedbacks), .text(run.summary),
                training?.meanDice.map { .number($0, digits: 3) } ?? .missing,
                training.map { .text($0.record.engine.rawValue) } ?? .missing,
                training.map { .text(evidence.verdict(run, $0)) } ?? .missing,
            ]
        }
        links = Dictionary(
            zip(titles, pages).map { ($0, "runs/\($1)") }, uniquingKeysWith: { first, _ in first })
    }

    /// A name a run that no other run of the study has: its label, with what else tells it apart where labels repeat.
    static func titles(_ evidence: StudyEvidence) -> [String] {
        let counts = Dictionary(evidence.runs.map { ($0.label, 1) }, uniquingKeysWith: +)
        return evidence.runs.map { run in
            guard counts[run.label, default: 0] > 1 else { return run.label }
            return "\(run.label) · \(run.record.dataset) · \(run.record.target) · \(run.record.promptHash)"
        }
    }
}

extension StudyEvidence.Run {
    /// "NameError → RuntimeError → ContractViolation".
    public var summary: String {
        guard !errorRecords.isEmpty else {
            return record.status == .running && rounds.isEmpty ? "no reply yet" : "ran at once"
        }
        return errorRecords.map(\.errorClass).joined(separator: " → ")
    }
}

/// The curves of one run: its own losses, and the scores that all pipelines share.
struct RunCurves: Sendable {
    let figures: [any Figure]

    init(_ run: StudyEvidence.Run) {
        let trainings = run.trainings.filter { !$0.epochs.isEmpty }
        guard !trainings.isEmpty else {
            figures = []
            return
        }
        func name(_ training: StudyEvidence.Training) -> String {
            "\(training.record.engine.rawValue), seed \(training.record.seed)"
        }
        let losses = LossCurvesFigure(
            panels: trainings.map { training in
                .init(
                    title: name(training), remark: training.standsStill == nil ? nil : "learns nothing",
                    training: training.epochs.compactMap { epoch in epoch.trainLoss.map { (epoch.epoch, $0) } },
                    validation: training.epochs.compactMap { epoch in
                        epoch.validationLoss.map { (epoch.epoch, $0) }
                    }, ownEpochs: run.replacedEpochs(training))
            })
        var figures: [any Figure] = [
            CaptionedFigure(
                losses,
                "The pipeline's own loss by epoch: training (solid) and validation (dashed), a panel a training.")
        ]
        let common = trainings.map { training in
            CommonCurvesFigure.Curve(
                label: name(training),
                points: training.epochs.compactMap { epoch in epoch.commonSoftDice.map { (epoch.epoch, $0) } },
                ownEpochs: run.replacedEpochs(training))
        }.filter { !$0.points.isEmpty }
        if !common.isEmpty {
            figures.append(
                CaptionedFigure(
                    CommonCurvesFigure(curves: common),
                    "Soft Dice on the pipeline's validation images by epoch, computed alike for every pipeline."))
        }
        self.figures = figures
    }
}

/// A figure with a caption for its place.
struct CaptionedFigure: Figure {
    private let figure: any Figure
    let caption: String

    init(_ figure: any Figure, _ caption: String) {
        self.figure = figure
        self.caption = caption
    }

    var name: String { figure.name }
    var size: (width: Double, height: Double) { figure.size }
    func draw(on canvas: Canvas) { figure.draw(on: canvas) }
}
