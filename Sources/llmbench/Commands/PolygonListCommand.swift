import ArgumentParser
import Datasets
import Drawing
import Foundation
import ResultStore

extension PolygonCommand {
    /// `llmbench polygon list`: the drawings of a study.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "The sets of drawings of a study with their scores.",
            discussion: """
                EXAMPLES
                  llmbench polygon list
                  llmbench polygon list --study shapes --json
                """)

        @OptionGroup var workspaceOptions: WorkspaceOptions
        @OptionGroup var jsonOption: JSONOption

        func run() async throws {
            let workspace = try workspaceOptions.resolve()
            let database = workspace.database(study: workspaceOptions.study)
            guard FileManager.default.fileExists(atPath: database.path) else {
                throw CommandFailure.usage(
                    "study '\(workspaceOptions.study)' has no drawings yet: `llmbench polygon draw` makes them")
            }
            let store = try ResultStore(reading: database)
            let catalogue = DatasetCatalogue(root: workspace.datasets)
            let summaries = try store.drawingSets().flatMap { set in
                let (rows, scores) = (
                    try store.drawings(set: set.id ?? 0), try store.drawingScores(set: set.id ?? 0)
                )
                let samples = Array(Set(rows.filter { $0.part == .heldOut }.map(\.sample))).sorted()
                // Where the dataset is gone nobody knows whose pictures they are.
                let dataset = try? catalogue.load(set.dataset)
                return try Array(Set(scores.map(\.refinement) + [""])).sorted().map {
                    try DrawingSummary(of: set, in: store, samples: samples, refinement: $0, dataset: dataset)
                }
            }
            if jsonOption.json { return try JSONOption.print(summaries) }
            print(DrawingText.table(summaries).render())
            for line in DrawingText.unfinished(summaries) { print(line) }
        }
    }
}
