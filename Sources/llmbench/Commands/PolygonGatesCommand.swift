import ArgumentParser
import Datasets
import Drawing
import Foundation
import Reporting
import ResultStore

extension PolygonCommand {
    /// `llmbench polygon gates`: does a score that needs no truth follow the Dice?
    struct Gates: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "gates",
            abstract: "Measure whether the scores that gates decide by deserve trust, dataset by dataset.",
            discussion: """
                Two sets of drawings of the same held-out pictures are compared: --plain without a skill and --skilled with \
                it; or --plain before and after --refine-with. A set is named by its path, as `polygon list` shows it, or by any \
                unique part of it. Without names, every set with a skill is held against that of the same drawer, dataset and \
                shape without one, and of every set with --turns, or with a skill that looks several times, the first drawings against the last.

                EXAMPLES
                  llmbench polygon gates
                  llmbench polygon gates --plain control-otsu --refine-with refinement.json --format csv
                """)

        enum Format: String, ExpressibleByArgument, CaseIterable {
            case text, csv, json
        }

        @Option(help: "The set without the skill.")
        var plain: String?

        @Option(help: "The set with the skill.")
        var skilled: String?

        @Option(help: "A refinement in place of a second set.")
        var refineWith: String?

        @Option(help: "text, csv or json.")
        var format: Format = .text

        @OptionGroup var workspaceOptions: WorkspaceOptions
        @OptionGroup var jsonOption: JSONOption

        func validate() throws {
            guard skilled == nil || refineWith == nil else {
                throw ValidationError("--skilled and --refine-with exclude each other: name one second side")
            }
            guard (plain == nil) == (skilled == nil && refineWith == nil) else {
                throw ValidationError("--plain needs --skilled or --refine-with, and they need --plain")
            }
        }

        func run() async throws {
            let workspace = try workspaceOptions.resolve()
            let database = workspace.database(study: workspaceOptions.study)
            guard FileManager.default.fileExists(atPath: database.path) else {
                throw CommandFailure.usage(
                    "study '\(workspaceOptions.study)' has no drawings yet: `llmbench polygon draw` makes them")
            }
            do {
                let table = GateTable.table(try measure(ResultStore(reading: database), workspace))
                switch jsonOption.json ? .json : format {
                case .text: print(table.text())
                case .csv: print(table.csv, terminator: "")
                case .json: try JSONOption.print([table])
                }
            } catch {
                throw PolygonCommand.failure(error)
            }
        }

        private func measure(_ store: ResultStore, _ workspace: Workspace) throws -> [GateMeasurement] {
            let catalogue = DatasetCatalogue(root: workspace.datasets)
            let study = workspaceOptions.study
            if let plain {
                let set = try store.drawingSet(named: plain, study: study)
                let dataset = try catalogue.load(set.dataset)
                if let refineWith {
                    return try GateMeasurement.measure(
                        plain: set, refinement: StoredRefinement(contentsOf: URL(filePath: refineWith)), in: store,
                        dataset: dataset)
                }
                return try GateMeasurement.measure(
                    plain: set, skilled: store.drawingSet(named: skilled ?? "", study: study), in: store,
                    dataset: dataset)
            }
            let sets = try store.drawingSets()
            let pairs = sets.filter { $0.skill != nil && !$0.goesOn }.flatMap { skilled in
                sets.filter { $0.isPlainPartner(of: skilled) }.map { ($0, skilled) }
            }
            let loops = sets.filter(\.goesOn)
            guard !pairs.isEmpty || !loops.isEmpty else {
                throw CommandFailure.usage(
                    "study '\(study)' has no drawings with and without a skill: draw the same pictures with --skill, or give --plain and --refine-with"
                )
            }
            return try pairs.flatMap { plain, skilled in
                try GateMeasurement.measure(
                    plain: plain, skilled: skilled, in: store, dataset: catalogue.load(plain.dataset))
            }
                + loops.flatMap {
                    try GateMeasurement.measure(loop: $0, in: store, dataset: catalogue.load($0.dataset))
                }
        }
    }
}
