import ArgumentParser
import Baselines
import Datasets
import Foundation
import ResultStore

/// `llmbench baseline`: networks that no language model wrote, trained and scored on the same data.
struct BaselineCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "baseline",
        abstract: "What the generated pipelines are measured against, on the same data.",
        discussion: """
              llmbench baseline nnunet --dataset colin27-cerebellum --epochs 50
            """,
        subcommands: [NNUNet.self])

    /// `llmbench baseline nnunet`: nnU-Net v2, configuration 2d, from plan to score.
    struct NNUNet: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "nnunet",
            abstract: "Train nnU-Net v2 on the training part of a dataset and score it on the held-out images.",
            discussion: """
                The published package, or the same method on our own runtime (--engine swift, which needs no Python), plans, \
                preprocesses, trains and predicts (configuration 2d), within the budget given, and is scored like every generated pipeline. Broken off, the same command goes on from the last checkpoint. \
                Documentation/Baseline.md says what is nnU-Net's and what is ours. Exit status: 0 done, 1 the training failed, \
                2 usage, 3 the harness or its environment.

                EXAMPLES
                  llmbench baseline nnunet --dataset colin27-cerebellum --epochs 50
                  llmbench baseline nnunet --engine swift --epochs 10 --seeds 3
                  llmbench baseline nnunet --dataset colin27-cerebellum --dataset mni152-white-matter --minutes 60 --seeds 3
                """)

        @Option(help: "The dataset, as `llmbench datasets list` shows it; several are trained one after the other.")
        var dataset: [String] = ["colin27-cerebellum"]

        @Option(help: "nnunetv2 is the published package, swift the same method on our own runtime.")
        var engine: BaselineRecord.Engine = .nnunetv2

        @Option(help: "Train so many epochs; 50 unless --minutes is given. nnU-Net's own number is 1000.")
        var epochs: Int?

        @Option(help: "Training steps an epoch.")
        var iterations: Int = 250

        @Option(help: "Train for so many minutes in place of --epochs; the learning rate falls over that time.")
        var minutes: Int?

        @Option(help: "Of first weights and everything that is drawn.")
        var seed: Int = 0

        @Option(help: "Train from so many seeds, counted from --seed.")
        var seeds: Int = 1

        @Option(help: "auto, cpu or cuda.")
        var device: BaselineStage.Options.Device = .auto

        @Option(
            help:
                "Processes that load and augment; without any, which is the default on a CPU, a seed repeats its draws."
        )
        var workers: Int?

        @Option(name: .customLong("batch-size"), help: "In place of the planned batch size, and stated as such.")
        var batchSize: Int?

        @Flag(help: "Do again what is finished, in place of the old result.")
        var again = false

        @OptionGroup var workspaceOptions: WorkspaceOptions
        @OptionGroup var jsonOption: JSONOption

        func validate() throws {
            func require(_ value: Int?, _ range: ClosedRange<Int>, _ option: String) throws {
                guard let value, !range.contains(value) else { return }
                throw ValidationError(
                    "\(option) \(value): give a number from \(range.lowerBound) to \(range.upperBound)")
            }
            guard epochs == nil || minutes == nil else {
                throw ValidationError("--epochs and --minutes exclude each other: give one limit")
            }
            try require(epochs, 1...100_000, "--epochs")
            try require(iterations, 1...100_000, "--iterations")
            try require(minutes, 1...100_000, "--minutes")
            try require(seed, 0...Int(Int32.max), "--seed")
            try require(seeds, 1...100, "--seeds")
            try require(workers, 0...256, "--workers")
            try require(batchSize, 2...4096, "--batch-size")
            if let refusal = options(seed: seed).refusal(of: engine, budget: budget) {
                throw ValidationError("\(refusal)")
            }
        }

        private func options(seed: Int) -> BaselineStage.Options {
            var options = BaselineStage.Options()
            (options.seed, options.device, options.workers, options.again) = (seed, device, workers, again)
            return options
        }

        private var budget: BaselineBudget {
            BaselineBudget(
                minutes.map { .seconds(Double($0) * 60) } ?? .epochs(epochs ?? 50), iterations: iterations,
                batchSize: batchSize)
        }

        func run() async throws {
            let workspace = try workspaceOptions.resolve()
            var rows: [Row] = []
            do {
                let engine = try await engine(workspace)
                // A name that is wrong ends the command before the first training.
                let catalogue = DatasetCatalogue(root: workspace.datasets)
                for name in dataset { _ = try catalogue.load(name) }
                let store = try ResultStore(path: workspace.database(study: workspaceOptions.study))
                let stage = BaselineStage(
                    workspace: workspace, store: store, study: workspaceOptions.study, engine: engine)
                for name in dataset {
                    for seed in seed..<seed + seeds { rows.append(try await train(name, seed: seed, stage)) }
                }
            } catch {
                throw Self.failure(error)
            }
            try show(rows)
            if let failed = rows.first(where: { $0.failure != nil }) {
                throw CommandFailure.failed("\(failed.dataset): \(failed.failure ?? "")")
            }
        }

        private func engine(_ workspace: Workspace) async throws -> BaselineStage.Engine {
            guard engine == .nnunetv2 else { return .swift }
            return .nnunetv2(try await NNUNetPython.locate(root: workspace.root).verify())
        }

        private func train(_ name: String, seed: Int, _ stage: BaselineStage) async throws -> Row {
            let bar = BaselineBar(title: "nnU-Net \(name) seed \(seed)")
            defer { bar.abandon() }
            do {
                let record = try await stage.run(
                    name, budget: budget, options: options(seed: seed), observer: bar.observer)
                bar.finish()
                return Row(record, dice: try stage.store.baselineHeldOut(baseline: record.id ?? -1).map(\.dice))
            } catch let error as BaselineError where error.isTrainingsFault {
                return Row(dataset: name, engine: engine, budget: budget.key, seed: seed, failure: "\(error)")
            }
        }

        /// What the data or the request rule out is usage; everything else is the machine.
        private static func failure(_ error: any Error) -> any Error {
            switch error {
            case BaselineError.tooFewImages, BaselineError.noHeldOut, BaselineError.noForeground,
                BaselineError.imageTooSmall, BaselineError.patchTooSmall, BaselineError.datasetChanged,
                DatasetError.unknownDataset:
                CommandFailure.usage("\(error)")
            default: StageOptions.failure(error)
            }
        }

        private struct Row: Encodable {
            var dataset: String
            var engine: String
            var budget: String
            var seed: Int
            var status = BaselineRecord.Status.failed.rawValue
            var batchSize: Int?
            var device: String?
            var images: Int?
            var meanDice: Double?
            var postprocessing: Bool?
            var seconds: Double?
            var inferenceSeconds: Double?
            var networkSeconds: Double?
            var failure: String?

            init(dataset: String, engine: BaselineRecord.Engine, budget: String, seed: Int, failure: String?) {
                self.dataset = dataset
                self.engine = engine.rawValue
                self.budget = budget
                self.seed = seed
                self.failure = failure
            }

            init(_ record: BaselineRecord, dice: [Double]) {
                self.init(
                    dataset: record.dataset, engine: record.engine, budget: record.budget, seed: record.seed,
                    failure: record.failure)
                status = record.status.rawValue
                (batchSize, device, postprocessing) = (record.batchSize, record.device, record.postprocessing)
                (seconds, inferenceSeconds) = (record.seconds, record.inferenceSeconds)
                networkSeconds = record.networkSeconds
                images = dice.count
                meanDice = dice.isEmpty ? nil : dice.reduce(0, +) / Double(dice.count)
            }
        }

        private func show(_ rows: [Row]) throws {
            if jsonOption.json { return try JSONOption.print(rows) }
            var table = TextTable([
                ("dataset", .left), ("engine", .left), ("budget", .left), ("seed", .right), ("status", .left),
                ("images", .right), ("Dice", .right), ("seconds", .right), ("s an image", .right),
            ])
            for row in rows {
                let anImage: Double? =
                    if let images = row.images, images > 0 { row.inferenceSeconds.map { $0 / Double(images) } } else {
                        nil
                    }
                table.add([
                    row.dataset, row.engine, row.budget, "\(row.seed)", row.status, row.images.map(String.init) ?? "",
                    row.meanDice.map { String(format: "%.3f", $0) } ?? "",
                    row.seconds.map { "\(Int($0.rounded()))" } ?? "",
                    anImage.map { String(format: "%.2f", $0) } ?? "",
                ])
            }
            print(table.render())
        }
    }
}

extension BaselineRecord.Engine: ExpressibleByArgument {}
extension BaselineStage.Options.Device: ExpressibleByArgument {}
