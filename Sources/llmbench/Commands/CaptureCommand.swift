import ArgumentParser
import Capture
import Datasets
import Diagnosis
import Foundation
import ResultStore
import Sandbox
import Training

/// `llmbench capture`: from an emitted pipeline to a graph that every engine can train.
struct CaptureCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "capture",
        abstract: "Read training step, prediction, loop and data off the code that ran.",
        discussion: """
            The files run once more in the sandbox, on the full training data, until they have shown what is needed. What is \
            captured already is not captured again. Exit status: 0 captured, 1 a pipeline cannot be captured (the table says \
            why; the emitted engine still measures it), 2 usage, 3 the harness or its environment is at fault.

            EXAMPLES
              llmbench capture fixture-steady
              llmbench capture pytorch/3f2a90c1/run-02 --seed 1
            """)

    @OptionGroup var options: StageOptions
    @OptionGroup var jsonOption: JSONOption

    func run() async throws {
        let stage = try await options.stage(needsPrograms: true)
        var records: [(run: RunRecord, capture: CaptureRecord?, failure: String?)] = []
        for run in try options.records(in: stage.store) {
            let bar = ProgressBar(title: "capture \(options.short(run))", total: 0)
            do {
                let capture = try await StageOptions.ticking(bar) {
                    try await stage.capture(run, epochs: options.epochCount, seed: options.seed, again: options.again)
                }
                records.append((run, capture, nil))
            } catch let error as CaptureError {
                records.append((run, nil, "\(error)"))
            } catch TrainingError.notCapturable(let reasons) {
                records.append((run, nil, reasons.joined(separator: "; ")))
            } catch {
                throw StageOptions.failure(error)
            }
        }
        try show(records)
        if let failed = records.first(where: { $0.capture?.status != .captured }) {
            let reason = failed.failure ?? failed.capture?.refusals.joined(separator: "; ") ?? ""
            throw CommandFailure.failed("\(failed.run.path) cannot be trained from a capture: \(reason)")
        }
    }

    private struct Row: Encodable {
        var run: String
        var status: String
        var refusals: [String]
        var failure: String?
        var seconds: Double?
    }

    private func show(_ records: [(run: RunRecord, capture: CaptureRecord?, failure: String?)]) throws {
        let rows = records.map { run, capture, failure in
            Row(
                run: run.path, status: capture?.status.rawValue ?? "failed", refusals: capture?.refusals ?? [],
                failure: failure, seconds: capture?.seconds)
        }
        if jsonOption.json { return try JSONOption.print(rows) }
        var table = TextTable([("run", .left), ("capture", .left), ("seconds", .right), ("why not", .left)])
        for row in rows {
            table.add([
                row.run, row.status, row.seconds.map { "\(Int($0.rounded()))" } ?? "",
                row.failure ?? row.refusals.joined(separator: "; "),
            ])
        }
        print(table.render())
    }
}

/// What `capture`, `train` and `evaluate` share: which runs, which seed, where.
struct StageOptions: ParsableArguments {
    @Argument(help: "Runs: the path from the study on, or its end, or whole folders of it, that fit one run only.")
    var runs: [String]

    @Option(help: "'own' for the pipeline's choice, or a number.")
    var epochs: String = "own"

    @Option(help: "Of first weights, batch order and dropout.")
    var seed: Int = 0

    @Flag(help: "Do again what is finished, in place of the old result.")
    var again = false

    @OptionGroup var confinementOptions: ConfinementOptions

    @OptionGroup var workspaceOptions: WorkspaceOptions

    func validate() throws {
        guard !runs.isEmpty else { throw ValidationError("name at least one run; `llmbench report errors` lists them") }
        guard epochs == "own" || (epochCount ?? 0) > 0 else {
            throw ValidationError("--epochs \(epochs): give 'own' or a number from 1 on")
        }
        guard (0...Int(Int32.max)).contains(seed) else {
            throw ValidationError("--seed \(seed): give a number from 0 to \(Int32.max)")
        }
    }

    /// nil for the pipeline's own choice.
    var epochCount: Int? { epochs == "own" ? nil : Int(epochs) }

    /// - Parameter needsPrograms: false where nothing may have to run in the sandbox.
    func stage(needsPrograms: Bool) async throws -> TrainingStage {
        let workspace = try workspaceOptions.resolve()
        let database = workspace.database(study: workspaceOptions.study)
        guard FileManager.default.fileExists(atPath: database.path) else {
            throw CommandFailure.usage(
                "study '\(workspaceOptions.study)' has no runs yet: `llmbench generate` makes one")
        }
        do {
            let store = try ResultStore(path: database)
            let targets = needsPrograms ? Set(try records(in: store).map(\.target)) : []
            let isSwift = targets.contains(PipelineTarget.swift.rawValue)
            let isKeras = targets.contains(PipelineTarget.tensorflow.rawValue)
            let isOther = targets.contains { PipelineTarget(rawValue: $0)?.pythonStack ?? .pytorch == .pytorch }
            if needsPrograms { confinementOptions.warn() }
            return TrainingStage(
                workspace: workspace, store: store, helper: isOther ? try await helper(.pytorch, workspace) : nil,
                tensorflow: isKeras ? try await helper(.tensorflow, workspace) : nil,
                swift: isSwift ? try swift(workspace) : nil)
        } catch {
            throw Self.failure(error)
        }
    }

    private func helper(_ stack: PythonStack, _ workspace: Workspace) async throws -> HelperProgram {
        let python = try PythonEnvironment.locate(stack, root: workspace.root)
        guard let folder = HelperFiles.url else { throw CaptureError.helperMissing }
        let runner = try confinementOptions.confinement.runner(python: python)
        try await python.requirePython(in: runner)
        return HelperProgram(
            runner: runner, interpreter: python.interpreterInside,
            folder: folder, threads: min(2, ProcessInfo.processInfo.activeProcessorCount), stack: stack)
    }

    private func swift(_ workspace: Workspace) throws -> SwiftPrograms {
        SwiftPrograms(
            runner: try confinementOptions.confinement.runner(python: nil),
            swift: try SwiftEnvironment.locate(cache: workspace.cache))
    }

    /// The runs named, each once.
    func records(in store: ResultStore) throws -> [RunRecord] {
        do {
            var seen: Set<String> = []
            return try runs.map { try store.run(named: $0, study: workspaceOptions.study) }.filter {
                seen.insert($0.path).inserted
            }
        } catch {
            throw Self.failure(error)
        }
    }

    func short(_ run: RunRecord) -> String {
        "\(run.model) run \(run.runIndex)"
    }

    /// A run that cannot be named is usage; a pipeline's own failure is 1; everything else is the machine.
    static func failure(_ error: any Error) -> any Error {
        switch error {
        case let error as CommandFailure: error
        case let error as TrainingError where error.isPipelinesFault: CommandFailure.failed("\(error)")
        case TrainingError.missing, TrainingError.unfinished: CommandFailure.usage("\(error)")
        case StoreError.noSuchRun, StoreError.ambiguousRun, DatasetError.unknownDataset:
            CommandFailure.usage("\(error)")
        case let error as CaptureError where error != .helperMissing: CommandFailure.failed("\(error)")
        case is CancellationError: CommandFailure.environment("stopped; the same command goes on from here")
        default: CommandFailure.environment("\(error)")
        }
    }

    /// Shows that something without steps is at work.
    static func ticking<Value: Sendable>(
        _ bar: ProgressBar, _ body: () async throws -> Value
    ) async throws -> Value {
        let ticker = Task {
            while !Task.isCancelled {
                bar.update(0)
                try? await Task.sleep(for: .milliseconds(200))
            }
        }
        defer { ticker.cancel() }
        let value = try await body()
        bar.finish()
        return value
    }
}
