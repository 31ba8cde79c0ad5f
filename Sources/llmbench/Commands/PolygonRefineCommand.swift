import ArgumentParser
import Drawing
import Foundation
import Polygons
import ResultStore

extension PolygonCommand {
    /// `llmbench polygon refine`: a handful of numbers fitted on a few labels.
    struct Refine: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "refine",
            abstract: "Draw a few labelled training pictures and fit a refinement on them.",
            discussion: """
                The labels are training pictures, evenly spaced; no held-out truth is looked at. What cross-validation says \
                stands beside the fit in the file, which `polygon draw --refine-with` applies.

                EXAMPLES
                  llmbench polygon refine --model fixture-tracer --labels 10 --output refinement.json
                  llmbench polygon refine --model control-otsu --labels 25
                """)

        @OptionGroup var drawing: DrawingOptions

        @Option(help: "Labelled training pictures, from 2 to 40.")
        var labels: Int = 10

        @Option(help: "Of the search by CMA-ES.")
        var generations: Int = 30

        @Option(help: "Of the search.")
        var seed: Int = 1

        @Option(help: "Where the refinement goes, instead of results/<study>/refinements/.")
        var output: String?

        @OptionGroup var workspaceOptions: WorkspaceOptions
        @OptionGroup var jsonOption: JSONOption

        func validate() throws {
            guard (2...RefinementFit.mostLabels).contains(labels) else {
                throw ValidationError("--labels \(labels): give a number from 2 to \(RefinementFit.mostLabels)")
            }
            guard (1...1000).contains(generations) else {
                throw ValidationError("--generations \(generations): give a number from 1 to 1000")
            }
            guard seed >= 0 else { throw ValidationError("--seed \(seed): give a whole number from 0 on") }
        }

        func run() async throws {
            let workspace = try workspaceOptions.resolve()
            // Before any drawing is paid for.
            let output = try output.map { try OutputFile.url($0) }
            do {
                let session = try drawing.session(workspace, study: workspaceOptions.study)
                let samples = DrawingSession.spread(session.dataset.split.training, labels)
                let progress = DrawingProgress(
                    title: "\(drawing.model) on \(drawing.dataset), labels",
                    total: samples.count * drawing.draws * session.settings.drawingsPerDraw)
                defer { progress.close() }
                try await session.run(
                    part: .training, limit: labels, budget: drawing.budget, parallel: drawing.parallel,
                    showing: progress)
                progress.finish()
                let refinement = try StoredRefinement(
                    fittedOn: session.set, in: session.store, dataset: session.dataset, samples: samples,
                    generations: generations, seed: UInt64(seed))
                let file = try output ?? place(refinement, workspace)
                try refinement.write(to: file)
                try show(refinement, file)
            } catch {
                throw PolygonCommand.failure(error)
            }
        }

        private func place(_ refinement: StoredRefinement, _ workspace: Workspace) throws -> URL {
            let folder = workspace.results(study: workspaceOptions.study).appending(
                path: "refinements", directoryHint: .isDirectory)
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            return folder.appending(
                path: "\(refinement.dataset)-\(drawing.model)-\(refinement.name).json")
        }

        private func show(_ refinement: StoredRefinement, _ file: URL) throws {
            if jsonOption.json { return try JSONOption.print(refinement) }
            let fit = refinement.fit
            let all = refinement.labels > fit.labels ? " (\(refinement.labels) with those of the static box)" : ""
            print(
                "on \(fit.labels) labels\(all): mean Dice \(DrawingText.digits(fit.drawnDice)) as drawn, "
                    + "\(DrawingText.digits(fit.crossValidatedDice)) refined by a fit that had not seen the picture "
                    + "(\(fit.folds) folds), \(DrawingText.digits(fit.fittedDice)) by one that had")
            print(file.path)
        }
    }
}
