import Capture
import Datasets
import Diagnosis
import Foundation
import ResultStore
import Sandbox
import TensorRuntime

/// Capture, training, evaluation and comparison of the runs of a study: what the commands do, with every result in the store.
///
/// ```swift
/// let stage = TrainingStage(workspace: workspace, store: store, helper: helper)
/// _ = try await stage.capture(run)
/// _ = try await stage.train(run, engine: .swift)
/// let evaluation = try await stage.evaluate(run, engine: .swift)
/// ```
///
/// What is finished is not done again unless asked for; what was interrupted goes on where it stopped. One process at a time
/// works on one training.
public struct TrainingStage: Sendable {
    public let workspace: Workspace
    public let store: ResultStore
    /// By the environment it runs in; what has none here is not captured, nor run by its own program.
    public let helpers: [PythonStack: HelperProgram]
    /// nil: nothing of the target `swift` is trained.
    public let swift: SwiftPrograms?
    /// Threads of the runtime; nil: as `LLMBENCH_THREADS` or the machine says.
    public var threads: Int?

    /// - Parameters:
    ///   - helper: of either environment; nil: only what needs no Python.
    ///   - tensorflow: where runs of both frameworks are at hand.
    public init(
        workspace: Workspace, store: ResultStore, helper: HelperProgram?, tensorflow: HelperProgram? = nil,
        swift: SwiftPrograms? = nil,
        threads: Int? = nil
    ) {
        self.swift = swift
        self.workspace = workspace
        self.store = store
        helpers = Dictionary([helper, tensorflow].compactMap { $0 }.map { ($0.stack, $0) }) { first, _ in first }
        self.threads = threads
    }

    func directory(of run: RunRecord) -> RunDirectory { workspace.directory(of: run.key) }

    /// What trains captured graphs in PyTorch.
    public var helper: HelperProgram? { helpers[.pytorch] }

    func requireHelper(_ stack: PythonStack = .pytorch) throws -> HelperProgram {
        guard let helper = helpers[stack] else {
            throw TrainingError.harness(
                reason:
                    "the Python environment of \(stack.rawValue) and the sandbox are needed here and were not set up")
        }
        return helper
    }

    /// What runs beside the programs of a run.
    func requireHelper(of run: RunRecord) throws -> HelperProgram {
        try requireHelper(PipelineTarget(rawValue: run.target)?.pythonStack ?? .pytorch)
    }

    func dataset(of run: RunRecord) throws -> (dataset: Dataset, hash: String) {
        let dataset = try DatasetCatalogue(root: workspace.datasets).load(run.dataset)
        return (dataset, try dataset.contentHash())
    }

    /// Captures the files that ran, or returns what an earlier call captured.
    ///
    /// - Parameters:
    ///   - epochs: nil leaves the choice to the pipeline.
    ///   - again: captures anew.
    /// - Throws: `TrainingError`, `CaptureError` (also stored), `SandboxError`, `DatasetError`, `StoreError`.
    public func capture(
        _ run: RunRecord, epochs: Int? = nil, seed: Int = 0, again: Bool = false
    ) async throws -> CaptureRecord {
        try requireCapturable(run)
        let directory = directory(of: run)
        let folder = directory.capture(seed: seed, epochs: epochs)
        let (dataset, hash) = try dataset(of: run)
        if !again, let known = try finishedCapture(of: run, hash: hash, epochs: epochs, seed: seed, folder: folder) {
            return known
        }
        guard FileManager.default.fileExists(atPath: directory.final.path) else {
            throw TrainingError.missing(
                what: "code that ran (\(run.path) has no final files)", command: "llmbench generate")
        }
        let helper = try requireHelper(of: run)
        let stage = try CaptureStage(
            runner: helper.runner, interpreter: helper.interpreter, helper: helper.folder, cache: workspace.cache)
        var record = CaptureRecord(
            runId: try run.storedID, datasetHash: hash, epochs: epochs, seed: seed, status: .captured)
        record.stated = stated(by: run)
        do {
            var result = try await stage.capture(
                run: directory, dataset: dataset, epochs: epochs, seed: seed, into: folder)
            if result.description.capturable, let objection = try Self.objection(to: folder) {
                try stage.refuse(objection, in: folder)
                result.description = try CaptureStage.description(in: folder)
            }
            record.status = result.description.capturable ? .captured : .refused
            record.refusals = result.description.refusals
            record.seconds = result.seconds
            (record.pipeline, record.facts) = try Self.texts(of: folder)
            return try store.storeCapture(record)
        } catch let error as CaptureError {
            record.status = .failed
            record.failure = error.description
            _ = try store.storeCapture(record)
            throw error
        }
    }

    /// Why a capture whose graphs were not computed beside the pipeline is not believed.
    private static func objection(to folder: URL) throws -> String? {
        guard CaptureVerification.isPossible(in: folder) else { return nil }
        do {
            return try CaptureVerification(CapturedPipeline(folder: folder))?.objection()
        } catch TrainingError.notCapturable(let reasons) {
            return reasons.joined(separator: "; ")
        } catch let error as RuntimeError {
            return "the captured graph cannot be computed: \(error)"
        }
    }

    /// What a program in another language does is not recorded: it is measured by running it.
    ///
    /// - Throws: `TrainingError.notCapturable`.
    func requireCapturable(_ run: RunRecord) throws {
        guard PipelineTarget(rawValue: run.target)?.isCaptured == false else { return }
        throw TrainingError.notCapturable(
            reasons: ["a pipeline of the target \(run.target) is measured by running it"])
    }

    private func finishedCapture(
        of run: RunRecord, hash: String, epochs: Int?, seed: Int, folder: URL
    ) throws -> CaptureRecord? {
        guard FileManager.default.fileExists(atPath: folder.appending(path: "pipeline.json").path) else { return nil }
        return try store.captures(run: run.storedID).last {
            $0.datasetHash == hash && $0.epochs == epochs && $0.seed == seed && $0.status != .failed
        }
    }

    /// `config.json` of the check run that was clean, as the model wrote it.
    func stated(by run: RunRecord) -> String? {
        let directory = directory(of: run)
        for round in stride(from: run.maxRounds, through: 0, by: -1) {
            let check = directory.round(round).check
            for place in ["out/config.json", "config.json"] {
                if let data = try? DurableFile.read(check.appending(path: place), limit: 1 << 20),
                    (try? JSONSerialization.jsonObject(with: data)) is [String: Any]
                {
                    return String(decoding: data, as: UTF8.self)
                }
            }
        }
        return nil
    }

    private static func texts(of folder: URL) throws -> (pipeline: String, facts: String?) {
        let data = try DurableFile.read(folder.appending(path: "pipeline.json"), limit: TrainingLoop.maximumBytes)
        let object = try? JSONSerialization.jsonObject(with: data) as? [String: Any]
        let facts = (object?["facts"] as? [String: Any]).flatMap {
            try? JSONSerialization.data(withJSONObject: $0, options: .sortedKeys)
        }
        return (String(decoding: data, as: UTF8.self), facts.map { String(decoding: $0, as: UTF8.self) })
    }
}
