import ArgumentParser
import Foundation
import ResultStore
import Training

/// `llmbench evaluate`: Dice on images that no pipeline was shown with their masks.
struct EvaluateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate",
        abstract: "Score trained pipelines on the held-out images.",
        discussion: """
            Probabilities are resized to the original grid and decided there by the pipeline's own threshold: that Dice is the \
            headline. Beside it stand Dice on the model's grid, and what the best grey level and the mean training mask reach \
            on the same images. Every training of a run is scored unless --engine or --only-seed names one.

            EXAMPLES
              llmbench evaluate fixture-steady
              llmbench evaluate fixture-steady --engine swift --json
            """)

    @Option(help: "Only this engine: swift, pytorch or emitted.")
    var engine: TrainingRecord.Engine?

    @Flag(help: "Only the training from --seed.")
    var onlySeed = false

    @OptionGroup var options: StageOptions
    @OptionGroup var jsonOption: JSONOption

    func run() async throws {
        let stage = try await options.stage(needsPrograms: false)
        var rows: [Row] = []
        do {
            for run in try options.records(in: stage.store) { rows += try evaluate(run, stage) }
        } catch {
            throw StageOptions.failure(error)
        }
        try show(rows, try stage.store.references())
        if let failed = rows.first(where: { $0.failure != nil }) {
            throw CommandFailure.failed("\(failed.run): \(failed.failure ?? "")")
        }
    }

    private func evaluate(_ run: RunRecord, _ stage: TrainingStage) throws -> [Row] {
        let trainings = try stage.store.trainings(run: run.id ?? -1).filter {
            (engine == nil || $0.engine == engine) && (!onlySeed || $0.seed == options.seed)
        }
        guard !trainings.isEmpty else {
            throw CommandFailure.usage("\(run.path) has no such training: run `llmbench train \(run.path)` first")
        }
        return try trainings.compactMap { training in
            var row = Row(run: run.path, dataset: run.dataset, engine: training.engine.rawValue, seed: training.seed)
            do {
                let evaluation = try stage.evaluate(
                    run, engine: training.engine, seed: training.seed, again: options.again)
                row.images = evaluation.images.count
                row.meanDice = evaluation.meanDice
                row.meanModelGridDice = evaluation.meanModelGridDice
            } catch let error as TrainingError where error.isPipelinesFault {
                row.failure = "\(error)"
            } catch let error as TrainingError where trainings.count > 1 {
                // Others of the run are finished; this one is under way or was interrupted.
                guard case .unfinished = error else { throw error }
                Terminal.note("llmbench: \(error)")
                return nil
            }
            return row
        }
    }

    private struct Row: Encodable {
        var run: String
        var dataset: String
        var engine: String
        var seed: Int
        var images: Int?
        var meanDice: Double?
        var meanModelGridDice: Double?
        var failure: String?

        /// Named as in the report.
        enum CodingKeys: String, CodingKey {
            case run, dataset, engine, seed, images, failure
            case meanDice = "mean_dice"
            case meanModelGridDice = "model_grid_dice"
        }
    }

    private struct Report: Encodable {
        var trainings: [Row]
        var references: [Reference]

        struct Reference: Encodable {
            var dataset: String
            var bestThresholdDice: Double
            var meanMaskDice: Double

            enum CodingKeys: String, CodingKey {
                case dataset
                case bestThresholdDice = "threshold_dice"
                case meanMaskDice = "mean_mask_dice"
            }
        }
    }

    private func show(_ rows: [Row], _ references: [DatasetReferenceRecord]) throws {
        let wanted = references.filter { reference in rows.contains { $0.dataset == reference.dataset } }
        if jsonOption.json {
            return try JSONOption.print(
                Report(
                    trainings: rows,
                    references: wanted.map {
                        .init(
                            dataset: $0.dataset, bestThresholdDice: $0.bestThresholdDice, meanMaskDice: $0.meanMaskDice)
                    }))
        }
        var table = TextTable([
            ("run", .left), ("engine", .left), ("seed", .right), ("images", .right), ("Dice", .right),
            ("model grid", .right),
        ])
        for row in rows {
            table.add([
                row.run, row.engine, "\(row.seed)", row.images.map(String.init) ?? "failed", Self.dice(row.meanDice),
                Self.dice(row.meanModelGridDice),
            ])
        }
        print(table.render())
        for reference in wanted {
            print(
                "\(reference.dataset): best grey level \(Self.dice(reference.bestThresholdDice)), "
                    + "mean training mask \(Self.dice(reference.meanMaskDice))")
        }
    }

    private static func dice(_ value: Double?) -> String { value.map { String(format: "%.3f", $0) } ?? "" }
}
