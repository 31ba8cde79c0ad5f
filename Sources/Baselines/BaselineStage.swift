import Datasets
import Files
import Foundation
import Metrics
import ResultStore
import TensorRuntime
import Training

/// nnU-Net as the baseline of a study: trained on the same training part as the generated pipelines, scored on the same held-out images,
/// every result in the store.
///
/// ```swift
/// let stage = BaselineStage(workspace: workspace, store: store, study: "default", engine: .swift)
/// let record = try await stage.run("colin27-cerebellum", budget: BaselineBudget(.epochs(50)))
/// ```
///
/// What is finished is not done again; what was broken off goes on from its last checkpoint. One process at a time works on a baseline.
public struct BaselineStage: Sendable {
    public struct Options: Sendable, Hashable {
        public enum Device: String, Sendable, Hashable, CaseIterable {
            /// A GPU where PyTorch finds one.
            case auto
            case cpu, cuda
        }

        public var seed = 0
        public var device = Device.auto
        /// Processes that load and augment. nil: none on a CPU, where the seed then fixes everything that is drawn; nnU-Net's own
        /// number with a GPU.
        public var workers: Int?
        /// Of PyTorch on a CPU; all cores when nil.
        public var threads: Int?
        /// Bytes that training may take, in place of what the machine has free.
        public var memory: Int?
        /// Least seconds between two checkpoints.
        public var checkpointSeconds = 60.0
        /// Forgets an earlier result.
        public var again = false

        public init() {}

        /// What an engine cannot do of what is asked; nil where it can do all of it.
        public func refusal(of engine: BaselineRecord.Engine, budget: BaselineBudget) -> BaselineError? {
            guard engine == .swift else { return nil }
            if budget.epochs == nil { return .onlyEpochs }
            if device == .cuda { return .onlyCPU }
            return workers == nil ? nil : .noWorkers
        }
    }

    public struct Observer: Sendable {
        /// Hears, at most twice a second, how far it is.
        public var progress: @Sendable (BaselineProgress) -> Void
        public var epoch: @Sendable (BaselineEpochRecord) -> Void
        /// What a user should know.
        public var note: @Sendable (String) -> Void

        public init(
            progress: @escaping @Sendable (BaselineProgress) -> Void = { _ in },
            epoch: @escaping @Sendable (BaselineEpochRecord) -> Void = { _ in },
            note: @escaping @Sendable (String) -> Void = { _ in }
        ) {
            self.progress = progress
            self.epoch = epoch
            self.note = note
        }
    }

    /// Who trains.
    public enum Engine: Sendable {
        /// The published package, in a process of its own.
        case nnunetv2(NNUNetInstallation)
        /// `NNUNet` on this project's runtime, in this process.
        case swift

        var recorded: BaselineRecord.Engine {
            switch self {
            case .nnunetv2: .nnunetv2
            case .swift: .swift
            }
        }

        /// What it calls itself in the store.
        var version: String {
            switch self {
            case .nnunetv2(let installation): installation.version
            case .swift: "nnU-Net 2d after nnunetv2 \(NNUNetPython.version)"
            }
        }
    }

    public let workspace: Workspace
    public let store: ResultStore
    public let study: String
    public let engine: Engine

    public init(workspace: Workspace, store: ResultStore, study: String, engine: Engine) {
        self.workspace = workspace
        self.store = store
        self.study = study
        self.engine = engine
    }

    /// The folder of one baseline.
    public func folder(dataset: String, budget: BaselineBudget, seed: Int) -> URL {
        workspace.baseline(
            study: study, dataset: dataset, engine: engine.recorded.rawValue, budget: budget.key,
            seed: seed)
    }

    /// Plans, trains, predicts and scores, or returns what an earlier call came to.
    ///
    /// - Throws: `BaselineError`, `DatasetError`, `StoreError`; `CancellationError`, after which the same call goes on.
    public func run(
        _ name: String, budget: BaselineBudget, options: Options = Options(), observer: Observer = Observer()
    ) async throws -> BaselineRecord {
        if let refusal = options.refusal(of: engine.recorded, budget: budget) { throw refusal }
        let dataset = try DatasetCatalogue(root: workspace.datasets).load(name)
        let data = NNUNetData(dataset)
        try data.validate()
        let folder = folder(dataset: name, budget: budget, seed: options.seed)
        let lock = try lock(folder)
        defer { lock.release() }
        var record = try begin(dataset, budget, options, folder)
        if record.status == .evaluated { return record }
        sayForeignVariables(observer)
        record.version = engine.version
        record.status = .running
        record.failure = nil
        do {
            switch engine {
            case .nnunetv2(let installation):
                try prepare(folder, data, budget, options)
                try await trainByPackage(&record, folder, installation, options, observer)
            case .swift:
                try await trainHere(&record, data, folder, budget, options, observer)
            }
            try score(&record, data, folder)
            _ = try TrainingStage(workspace: workspace, store: store, helper: nil)
                .references(of: dataset, hash: record.datasetHash)
        } catch let error as BaselineError {
            try settle(error, &record, folder)
            throw error
        }
        Self.tidy(folder)
        return record
    }

    /// Beside the folder, which may be removed while it is held.
    static func lockFile(of folder: URL) -> URL {
        folder.deletingLastPathComponent().appending(
            path: "\(folder.lastPathComponent).lock", directoryHint: .notDirectory)
    }

    private func lock(_ folder: URL) throws -> FileLock {
        let file = Self.lockFile(of: folder)
        do {
            try FileManager.default.createDirectory(
                at: folder.deletingLastPathComponent(), withIntermediateDirectories: true)
            return try FileLock(trying: file)
        } catch FileLock.Failure.held {
            throw BaselineError.busy(path: folder.path(percentEncoded: false))
        } catch {
            throw BaselineError.file(path: file.path(percentEncoded: false), reason: "\(error)")
        }
    }

    private func begin(
        _ dataset: Dataset, _ budget: BaselineBudget, _ options: Options, _ folder: URL
    ) throws -> BaselineRecord {
        let new = BaselineRecord(
            engine: engine.recorded, dataset: dataset.name, budget: budget.key, seed: options.seed,
            datasetHash: try dataset.contentHash(), epochs: budget.epochs, iterations: budget.iterations,
            wallSeconds: budget.seconds)
        var known = try store.beginBaseline(new)
        if options.again || known.status == .failed {
            try store.deleteBaseline(known)
            try? FileManager.default.removeItem(at: folder)
            known = try store.beginBaseline(new)
        }
        guard known.datasetHash == new.datasetHash else {
            throw BaselineError.datasetChanged(dataset: dataset.name)
        }
        return known
    }

    private func sayForeignVariables(_ observer: Observer) {
        let foreign = NNUNetProcess.foreignVariables(ProcessInfo.processInfo.environment)
        guard !foreign.isEmpty else { return }
        observer.note(
            "\(foreign.joined(separator: ", ")) of your environment \(foreign.count == 1 ? "is" : "are") ignored: "
                + "a baseline has folders of its own below results/")
    }

    /// What the driver reads: the folders and `request.json`.
    private func prepare(
        _ folder: URL, _ data: NNUNetData, _ budget: BaselineBudget, _ options: Options
    ) throws {
        let raw = folder.appending(path: "raw", directoryHint: .isDirectory)
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        } catch {
            throw BaselineError.file(
                path: folder.path(percentEncoded: false), reason: SystemReason.of(error) ?? "\(error)")
        }
        if !FileManager.default.fileExists(atPath: raw.path(percentEncoded: false)) { try data.write(to: raw) }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        let request = Request(
            dataset: NNUNetData.name, channels: data.dataset.description.channels,
            folder: folder.path(percentEncoded: false), budget: budget, options: options)
        let file = folder.appending(path: "request.json")
        do {
            try AtomicFile.write([UInt8](try encoder.encode(request)), to: file)
        } catch {
            throw BaselineError.file(path: file.path(percentEncoded: false), reason: "\(error)")
        }
    }

    /// `request.json`; optional values are written as null, since the driver expects every key.
    private struct Request: Encodable {
        var dataset: String
        var channels: Int
        var folder: String
        var budget: BaselineBudget
        var options: Options

        enum CodingKeys: String, CodingKey {
            case dataset, channels, folder, epochs, iterations, validationIterations, wallSeconds, batchSize, seed,
                device, workers, checkpointSeconds
        }

        func encode(to encoder: any Encoder) throws {
            var values = encoder.container(keyedBy: CodingKeys.self)
            try values.encode(dataset, forKey: .dataset)
            try values.encode(channels, forKey: .channels)
            try values.encode(folder, forKey: .folder)
            try values.encode(budget.epochs, forKey: .epochs)
            try values.encode(budget.iterations, forKey: .iterations)
            try values.encode(budget.validationIterations, forKey: .validationIterations)
            try values.encode(budget.seconds, forKey: .wallSeconds)
            try values.encode(budget.batchSize, forKey: .batchSize)
            try values.encode(options.seed, forKey: .seed)
            try values.encode(options.device.rawValue, forKey: .device)
            try values.encode(options.workers, forKey: .workers)
            try values.encode(options.checkpointSeconds, forKey: .checkpointSeconds)
        }
    }

    /// A training's own failure is a result. What was refused before it began leaves nothing; everything else can be gone on with.
    private func settle(_ error: BaselineError, _ record: inout BaselineRecord, _ folder: URL) throws {
        if error.isTrainingsFault {
            record.status = .failed
            record.failure = error.description
            record.endedAt = Date()
            try store.updateBaseline(record)
            Self.tidy(folder)
        } else if error.isRefusal, try store.baselineEpochs(baseline: record.id ?? -1).isEmpty {
            try store.deleteBaseline(record)
            try? FileManager.default.removeItem(at: folder)
        }
    }

    /// Leaves predictions, the last checkpoint, the plan, the events and the log.
    private static func tidy(_ folder: URL) {
        let trained = "trained/\(NNUNetData.name)/LLMBenchTrainer__nnUNetPlans__2d/fold_0"
        for name in [
            "raw", "preprocessed", "scratch", "validation", "validation-largest", "progress.json", "plan.done",
            "preprocess.done", "\(trained)/checkpoint_best.pth", "\(trained)/checkpoint_latest.pth",
        ] {
            try? FileManager.default.removeItem(at: folder.appending(path: name))
        }
    }
}
