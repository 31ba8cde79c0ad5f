import ArgumentParser
import Datasets
import Drawing
import Endpoints
import Foundation
import LabelBudget
import Polygons
import Reporting
import ResultStore

extension PolygonCommand {
    /// `llmbench polygon demo`: the whole study at a small size, without a key and without a network connection.
    struct Demo: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "The whole study at a small size: data, drawings, networks, report.",
            discussion: """
                Real anatomy in simulated acquisitions and four generated datasets, the drawers that know nothing and a recorded fixture, a plain U-Net on 10 and \
                50 labels from two seeds at 64×64 pixels for 300 steps, and the report. Broken off, the same command goes on. It shows that \
                everything runs; figures worth reading need a vision model and the full sweep.

                EXAMPLES
                  llmbench polygon demo
                  llmbench polygon demo --study polygon-demo --budget 10,25,50,100
                """)

        @Option(help: "A dataset in place of the five; may be repeated.")
        var dataset: [String] = []

        @Option(help: "Numbers of labels N, separated by commas.")
        var budget = LabelBudgets([10, 50])

        @Option(help: "unet, resunet or nnunet; may be repeated.")
        var network: [SweepNetwork] = [.unet]

        @Option(help: "Seeds of labels and weights; at least 2.")
        var seeds = 2

        @Option(help: "Pixels a side of the images that networks learn from, a multiple of 16.")
        var size = 64

        @Option(help: "Training steps of each network, a multiple of 10.")
        var steps = 300

        @OptionGroup var workspaceOptions: WorkspaceOptions

        func validate() throws {
            try budget.requireDistinct()
            do {
                _ = try plan()
            } catch {
                throw ValidationError("\(error)")
            }
        }

        private func plan() throws(SweepError) -> SweepPlan {
            try SweepPlan(networks: network, budgets: budget.values, seeds: seeds, size: size, steps: steps)
        }

        func run() async throws {
            let workspace = try workspaceOptions.resolve()
            let study = workspaceOptions.study
            let plan = try plan()
            let names = dataset.isEmpty ? LabelBudgetWorkspace.demoDatasets : dataset
            let datasets = try LabelBudgetWorkspace.datasets(names, in: workspace)
            let drawings = DemoDrawings(workspace: workspace, study: study)
            let runner = SweepRunner(workspace: workspace, study: study)
            let records = try await Interruption.cancelling(saying: SweepRunner.stopping) {
                try await drawings.draw(datasets)
                return try await runner.run(plan, on: datasets, again: false)
            }
            let report = try LabelBudgetReport.read(
                study: study, in: workspace, setting: .init(size: plan.size, steps: plan.steps))
            let folder = workspace.results(study: study).appending(path: "polygon", directoryHint: .isDirectory)
            let files = try report.write(to: folder)
            if let notice = report.notice { print(notice + "\n") }
            for table in report.tables where ["label-budget", "crossing-points"].contains(table.name) {
                print(table.text() + "\n")
            }
            if let page = files.first { print(page.path(percentEncoded: false)) }
            let failed = records.count { $0.status == .failed }
            guard failed == 0 else {
                throw CommandFailure.failed(
                    "\(failed) of \(records.count) trainings failed: `llmbench polygon sweep` with the same options says why"
                )
            }
        }
    }
}

/// What the demo draws: every control and ceiling, and the recorded fixture on the datasets that its recording has.
struct DemoDrawings {
    var workspace: Workspace
    var study: String

    /// The fixture's card, and what it was recorded for.
    private static let fixture = "fixture-tracer"
    private static func recorded(_ dataset: String) -> [DrawingSettings] {
        if ["colin27-cerebellum", "mni152-white-matter"].contains(dataset) {
            return [DrawingSettings(draws: 3), DrawingSettings(draws: 3, skill: .modality(.mri))]
        }
        return GeneratedDataset.all.contains { $0.name == dataset } ? [DrawingSettings()] : []
    }

    /// Goes on where it was broken off.
    ///
    /// - Throws: `CommandFailure`.
    func draw(_ datasets: [Dataset]) async throws {
        do {
            let registry = try ModelRegistry.load(workspace.models)
            let hasFixture = registry.cards.contains { $0.id == Self.fixture }
            for dataset in datasets {
                var drawers = Control.all.map { (name: $0.name, settings: DrawingSettings()) }
                if hasFixture {
                    drawers += Self.recorded(dataset.name).map { (name: Self.fixture, settings: $0) }
                }
                let bar = ProgressBar(title: "Drawing on \(dataset.name)", total: drawers.count)
                for (place, drawer) in drawers.enumerated() {
                    try Task.checkCancellation()
                    bar.update(place, note: drawer.name)
                    let session = try DrawingSession(
                        workspace: workspace, study: study, drawer: drawer.name, dataset: dataset.name,
                        settings: drawer.settings)
                    // A set that is whole is not scored again.
                    if try !session.isWhole { _ = try await session.run() }
                }
                bar.finish()
            }
        } catch {
            throw PolygonCommand.failure(error)
        }
    }
}
