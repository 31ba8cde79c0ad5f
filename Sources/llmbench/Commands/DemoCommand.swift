import ArgumentParser
import Audit
import Foundation
import Reporting
import ResultStore
import Studies
import Training

/// `llmbench demo`: the whole job on what the repository embeds.
struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "The whole job on the embedded dataset and the hand-written conversations, ending with a report.",
        discussion: """
            Needs no key and no model. What an earlier demo finished is kept; --study NAME begins another one. Exit status: 0 the \
            report is written, 1 a job failed that should not, 3 the harness or its environment is at fault.

            EXAMPLES
              llmbench demo
              llmbench demo --study second --seeds 3
            """)

    @Option(help: "The study that runs and results belong to.")
    var study: String = "demo"

    @Option(help: "Train from so many seeds.")
    var seeds: Int = 1

    @Option(help: "The folder that holds models.yaml; found from the current folder upwards when not given.")
    var workspace: String?

    func validate() throws {
        guard (1...100).contains(seeds) else { throw ValidationError("--seeds \(seeds): give a number from 1 to 100") }
    }

    func run() async throws {
        var place = StudyPlace()
        place.study = study
        place.folder = workspace
        try place.validate()
        let workspace = try place.workspace()
        let file = workspace.root.appending(path: Self.file)
        guard let text = try? String(contentsOf: file, encoding: .utf8) else {
            throw CommandFailure.usage("\(Self.file) is missing in \(workspace.root.path): the demo is what it says")
        }
        let start = ContinuousClock.now
        let plan = try place.study(text, file: Self.file, seeds: Array(0..<seeds), in: workspace)
        let driver = StudyDriver(
            study: plan, workspace: workspace, command: "llmbench study run \(Self.file) --study \(study)")
        try driver.requireSetting()
        let outcome = try await driver.run()
        let (written, results) = (Date(), try outcome.store.resultHash())
        let evidence = try StudyEvidence.reported(from: outcome.store, study: study, in: workspace)
        let folder = workspace.results(study: study).appending(path: "report", directoryHint: .isDirectory)
        let index = try ReportPage(evidence: evidence, workspace: workspace).write(to: folder)
        try ReportManifest.record(writtenSince: written, in: folder, results: results)
        show(evidence)
        print("\nReport: \(index.path)")
        Terminal.note("done in \(ProgressBar.format(ContinuousClock.now - start))")
        try driver.judge(outcome)
    }

    /// The demo is this study.
    private static let file = "studies/demo.yaml"

    private func show(_ evidence: StudyEvidence) {
        print(DemoTable(evidence).render())
        if let notice = evidence.fixtureNotice { print("\n" + notice) }
    }
}

/// The terminal's summary of a study: a row a run.
struct DemoTable {
    private let evidence: StudyEvidence

    init(_ evidence: StudyEvidence) {
        self.evidence = evidence
    }

    func render() -> String {
        var table = TextTable([
            ("model", .left), ("outcome", .left), ("history", .left), ("swift", .right), ("emitted", .right),
            ("threshold", .right), ("mean mask", .right), ("verdict", .left),
        ])
        for run in evidence.runs {
            let reference = evidence.reference(for: run)
            let training = run.evaluated(.swift).first ?? run.evaluated(.emitted).first
            table.add([
                run.label, run.outcome, run.summary, Self.dice(run.evaluated(.swift)),
                Self.dice(run.evaluated(.emitted)),
                Self.number(reference?.bestThresholdDice), Self.number(reference?.meanMaskDice),
                training.map { evidence.verdict(run, $0) } ?? "",
            ])
        }
        return "Held-out Dice, mean over images and seeds\n" + table.render()
    }

    private static func dice(_ trainings: [StudyEvidence.Training]) -> String {
        let means = trainings.compactMap(\.meanDice)
        return means.isEmpty ? "–" : number(means.reduce(0, +) / Double(means.count))
    }

    private static func number(_ value: Double?) -> String {
        value.map { ReportTable.Cell.number($0, digits: 3).shown } ?? "–"
    }
}
