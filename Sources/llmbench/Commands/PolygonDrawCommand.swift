import ArgumentParser
import Drawing
import Foundation
import ResultStore

extension PolygonCommand {
    /// `llmbench polygon draw`: every held-out picture drawn, read, scored and stored.
    struct Draw: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "draw",
            abstract: "Draw the held-out pictures of a dataset and score what could be read.",
            discussion: """
                Broken off at any point, the same command goes on where it stopped; with more --draws it adds to what is there. \
                Ctrl-C awaits the replies on their way and scores what was drawn; a second one ends at once. \
                Exit status: 0 every picture was asked for, readable or not; 1 the budget is used up, 2 usage, 3 the harness, \
                the endpoint or the machine is at fault.

                EXAMPLES
                  llmbench polygon draw --model control-otsu --dataset mni152-white-matter
                  llmbench polygon draw --model fixture-tracer --draws 3 --json
                  llmbench polygon draw --model my-vision-model --skill mri+pyramid --parallel 8
                  llmbench polygon draw --model fixture-tracer --refine-with refinement.json
                """)

        @OptionGroup var drawing: DrawingOptions

        @Option(help: "So many pictures, evenly spaced over the held-out ones, instead of all.")
        var limit: Int?

        @Option(help: "A refinement that `llmbench polygon refine` wrote; its scores are stored beside the others.")
        var refineWith: String?

        @OptionGroup var workspaceOptions: WorkspaceOptions
        @OptionGroup var jsonOption: JSONOption

        func validate() throws {
            if let limit, limit < 1 { throw ValidationError("--limit \(limit): give a number from 1 on") }
        }

        func run() async throws {
            let workspace = try workspaceOptions.resolve()
            do {
                let refinement = try refineWith.map { try StoredRefinement(contentsOf: URL(filePath: $0)) }
                let session = try drawing.session(workspace, study: workspaceOptions.study)
                if let refinement { try Self.check(refinement, session) }
                let progress = DrawingProgress(
                    title: "\(drawing.model) on \(drawing.dataset)",
                    total: min(limit ?? .max, session.dataset.split.heldOut.count) * drawing.draws
                        * session.settings.drawingsPerDraw)
                defer { progress.close() }
                try await session.run(
                    limit: limit, budget: drawing.budget, parallel: drawing.parallel, refinement: refinement,
                    showing: progress)
                let samples = DrawingSession.spread(session.dataset.split.heldOut, limit)
                let set = try session.stored()
                let summaries = try ([""] + (refinement.map { [$0.name] } ?? [])).map {
                    try DrawingSummary(
                        of: set, in: session.store, samples: samples, refinement: $0, dataset: session.dataset)
                }
                progress.finish()
                try show(summaries)
            } catch {
                throw PolygonCommand.failure(error)
            }
        }

        /// The truth of a held-out picture must not have been learnt from.
        private static func check(_ refinement: StoredRefinement, _ session: DrawingSession) throws {
            guard refinement.dataset == session.dataset.name else {
                throw CommandFailure.usage(
                    "the refinement was fitted on \(refinement.dataset) and these drawings are of \(session.dataset.name): fit one there"
                )
            }
            guard refinement.datasetHash == session.set.datasetHash else {
                throw CommandFailure.usage(
                    "the dataset \(refinement.dataset) has changed since the refinement was fitted: fit it again")
            }
        }

        private func show(_ summaries: [DrawingSummary]) throws {
            if jsonOption.json { return try JSONOption.print(summaries) }
            guard let first = summaries.first else { return }
            print(DrawingText.table(summaries).render())
            for line in DrawingText.notes(first) { print(line) }
        }
    }
}
