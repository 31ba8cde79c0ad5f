import ArgumentParser
import Capture
import Diagnosis
import Foundation
import ResultStore
import Sandbox
import Training

/// `llmbench train`: a run's pipeline, trained by one of three engines.
struct TrainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Train the pipeline of a run: on our runtime, in PyTorch, or by its own program.",
        discussion: """
            Engines: swift trains the captured graph on the tensor runtime, pytorch trains the same graph in PyTorch, emitted \
            runs the model's own program. A run that is not captured yet is captured first. Broken off, swift goes on after \
            the last whole epoch. Exit status: 0 trained, 1 the pipeline failed, 2 usage, 3 the harness or its environment.

            EXAMPLES
              llmbench train fixture-steady
              llmbench train fixture-steady --engine emitted --seeds 3
              llmbench train run-01 --epochs 5 --parity
            """)

    @Option(help: "swift, pytorch or emitted; swift when not given, and emitted for pipelines of the target swift.")
    var engine: TrainingRecord.Engine?

    @Option(help: "Train from so many seeds, counted from --seed.")
    var seeds: Int = 1

    @Flag(help: "Also compare the first 20 steps of our runtime with PyTorch's.")
    var parity = false

    @OptionGroup var options: StageOptions
    @OptionGroup var jsonOption: JSONOption

    func validate() throws {
        guard (1...100).contains(seeds) else { throw ValidationError("--seeds \(seeds): give a number from 1 to 100") }
    }

    func run() async throws {
        let stage = try await options.stage(needsPrograms: true)
        var rows: [Row] = []
        for run in try options.records(in: stage.store) {
            for seed in options.seed..<options.seed + seeds {
                do {
                    var row = Row(run, try await train(run, seed: seed, stage))
                    if parity {
                        row.largestLossDifference = try await stage.parity(
                            run, epochs: options.epochCount, seed: seed, again: options.again
                        ).largestLossDifference
                    }
                    rows.append(row)
                } catch let error as TrainingError where error.isPipelinesFault {
                    rows.append(Row(run, engine: engine(of: run), seed: seed, failure: "\(error)"))
                } catch let error as CaptureError where error != .helperMissing {
                    rows.append(Row(run, engine: engine(of: run), seed: seed, failure: "\(error)"))
                } catch {
                    throw StageOptions.failure(error)
                }
            }
        }
        try show(rows)
        if let failed = rows.first(where: { $0.failure != nil }) {
            throw CommandFailure.failed("\(failed.run): \(failed.failure ?? "")")
        }
    }

    private func engine(of run: RunRecord) -> TrainingRecord.Engine {
        engine ?? (PipelineTarget(rawValue: run.target)?.isCaptured == false ? .emitted : .swift)
    }

    private func train(_ run: RunRecord, seed: Int, _ stage: TrainingStage) async throws -> TrainingRecord {
        let engine = engine(of: run)
        let bar = TrainingBar(title: "\(engine.rawValue) \(options.short(run)) seed \(seed)")
        defer { bar.abandon() }
        let record = try await stage.train(
            run, engine: engine, epochs: options.epochCount, seed: seed, again: options.again, observer: bar.observer)
        if record.status != .failed { bar.finish() }
        return record
    }

    private struct Row: Encodable {
        var run: String
        var engine: String
        var seed: Int
        var status: String
        var epochs: Int?
        var stoppedAtEpoch: Int?
        var bestEpoch: Int?
        var seconds: Double?
        var failure: String?
        var largestLossDifference: Double?

        enum CodingKeys: String, CodingKey {
            case run, engine, seed, status, epochs, seconds, failure
            case stoppedAtEpoch = "stopped_at_epoch"
            case bestEpoch = "best_epoch"
            case largestLossDifference = "largest_loss_difference"
        }

        init(_ run: RunRecord, _ record: TrainingRecord) {
            self.init(run, engine: record.engine, seed: record.seed, failure: record.failure)
            status = record.status.rawValue
            (epochs, stoppedAtEpoch, bestEpoch) = (record.epochs, record.stoppedAtEpoch, record.bestEpoch)
            seconds = record.seconds
        }

        init(_ run: RunRecord, engine: TrainingRecord.Engine, seed: Int, failure: String?) {
            self.run = run.path
            self.engine = engine.rawValue
            self.seed = seed
            self.failure = failure
            status = TrainingRecord.Status.failed.rawValue
        }
    }

    private func show(_ rows: [Row]) throws {
        if jsonOption.json { return try JSONOption.print(rows) }
        var table = TextTable([
            ("run", .left), ("engine", .left), ("seed", .right), ("status", .left), ("epochs", .right),
            ("seconds", .right),
            ("parity", .right),
        ])
        for row in rows {
            table.add([
                row.run, row.engine, "\(row.seed)", row.status, "\(row.stoppedAtEpoch ?? row.epochs ?? 0)",
                row.seconds.map { "\(Int($0.rounded()))" } ?? "",
                row.largestLossDifference.map { String(format: "%.1e", $0) } ?? "",
            ])
        }
        print(table.render())
    }
}

extension TrainingRecord.Engine: ExpressibleByArgument {}
