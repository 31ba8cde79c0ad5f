import Datasets
import Files
import Foundation
import ResultStore
import Sandbox
import TensorRuntime

/// Turns the files that ran into a trainable graph: runs them once more under observation, in the sandbox, on the full training
/// data, then once on the held-out images, and keeps what the observation left after checking it.
///
/// ```swift
/// let stage = try CaptureStage(runner: sandbox, interpreter: sandbox.interpreter, cache: workspace.cache)
/// let result = try await stage.capture(run: workspace.directory(of: key), dataset: dataset, seed: 0)
/// if !result.description.capturable { print(result.description.refusals) }
/// ```
///
/// The folder `capture/` of the run appears when it is complete, and replaces an older one in one step.
public struct CaptureStage: Sendable {
    public var runner: any SandboxRunner
    /// Path of the Python interpreter inside the sandbox.
    public var interpreter: String
    /// The folder with the helper's `run.py`.
    public var helper: URL
    public var cache: TensorCache
    public var limits: SandboxLimits

    /// What a capture gave.
    public struct Result: Sendable {
        /// `capture/` of the run.
        public var folder: URL
        public var description: PipelineDescription
        /// Wall seconds of both sandboxed runs.
        public var seconds: Double
    }

    /// - Parameters:
    ///   - helper: `HelperFiles.url` unless given.
    ///   - cache: the folder of the shared tensor cache.
    ///   - limits: of each of the two sandboxed runs.
    /// - Throws: `CaptureError.helperMissing`.
    public init(
        runner: any SandboxRunner, interpreter: String, helper: URL? = nil, cache: URL,
        limits: SandboxLimits = SandboxLimits(wallSeconds: 1800, cpuSeconds: 7200, memoryBytes: 16 << 30)
    ) throws(CaptureError) {
        guard let helper = helper ?? HelperFiles.url else { throw .helperMissing }
        self.runner = runner
        self.interpreter = interpreter
        self.helper = helper
        self.cache = TensorCache(folder: cache)
        self.limits = limits
    }

    /// Captures the final files of a run.
    ///
    /// - Parameters:
    ///   - run: its `final/` holds the files; its `capture/` receives the result.
    ///   - epochs: passed as `--epochs`; nil leaves the choice to the pipeline.
    ///   - folder: receives the result in place of `capture/`: another seed or number of epochs is another capture.
    /// - Throws: `SandboxError` for failures that are ours, `CaptureError` when nothing believable was left, `DatasetError`;
    ///   `CancellationError` where the caller ended it.
    public func capture(
        run: RunDirectory, dataset: Dataset, epochs: Int? = nil, seed: Int = 0, into folder: URL? = nil
    ) async throws -> Result {
        let scratch = run.url.appending(path: ".capture-\(UUID().uuidString.prefix(8))", directoryHint: .isDirectory)
        defer { try? FileManager.default.removeItem(at: scratch) }
        let partial = scratch.appending(path: "capture", directoryHint: .isDirectory)
        try HostFile.makeFolder(partial)
        let lock = try? FileLock(trying: scratch.appending(path: Self.scratchLock))
        defer { lock?.release() }
        Self.removeAbandoned(in: run.url)

        let training = try dataset.stageTraining(to: scratch.appending(path: "data", directoryHint: .isDirectory))
        let first = try await observe(
            ["capture"], code: run.final, data: training.folder, epochs: epochs, seed: seed,
            out: scratch.appending(path: "out", directoryHint: .isDirectory), mounts: [])
        var description = try keepRecord(of: first, in: partial, known: Set(dataset.split.training))

        var seconds = first.outcome.wallSeconds
        if description.inputs?.first(where: { $0.name == "image" })?.item != nil {
            let heldOut = try dataset.stageHeldOut(to: scratch.appending(path: "heldout", directoryHint: .isDirectory))
            let second = try await observe(
                ["heldout", "--capture", "/capture"], code: run.final, data: heldOut.folder, epochs: epochs, seed: seed,
                out: scratch.appending(path: "heldout-out", directoryHint: .isDirectory),
                mounts: [.init(host: partial, inside: "/capture")])
            seconds += second.outcome.wallSeconds
            if let refusal = try keepHeldOut(of: second, in: partial, wanted: Set(dataset.split.heldOut)) {
                try refuse(refusal, in: partial)
                description = try Self.description(in: partial)
            }
        }
        let target = folder ?? run.capture
        try commit(partial, to: target)
        return Result(folder: target, description: description, seconds: seconds)
    }

    /// Reads the description of a finished capture.
    ///
    /// - Throws: `CaptureError.badRecord`.
    public static func description(in folder: URL) throws(CaptureError) -> PipelineDescription {
        guard let json = try? Data(contentsOf: folder.appending(path: "pipeline.json")) else {
            throw .badRecord(file: "pipeline.json", reason: "it is missing")
        }
        return try PipelineDescription(json: json)
    }

    private static let scratchLock = "lock"
    /// What the pipeline computed of two recorded batches, where the helper cannot compute the graph itself.
    public static let reference = "reference.safetensors"

    /// Removes what killed processes left: scratch folders whose lock nobody holds.
    private static func removeAbandoned(in run: URL) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: run.path(percentEncoded: false))) ?? []
        for name in names where name.hasPrefix(".capture-") {
            let file = run.appending(path: "\(name)/\(scratchLock)")
            guard FileManager.default.fileExists(atPath: file.path(percentEncoded: false)),
                let lock = try? FileLock(trying: file)
            else { continue }
            try? FileManager.default.removeItem(at: run.appending(path: name))
            lock.release()
        }
    }

    private struct Observation {
        var outcome: SandboxOutcome
        var out: URL
        var errors: URL
    }

    private func observe(
        _ mode: [String], code: URL, data: URL, epochs: Int?, seed: Int, out: URL, mounts: [SandboxRequest.Mount]
    ) async throws -> Observation {
        try HostFile.makeFolder(out)
        let errors = out.deletingLastPathComponent().appending(path: "\(out.lastPathComponent).stderr")
        let program = ["main.py", "--data", "/data", "--out", "/out"] + (epochs.map { ["--epochs", "\($0)"] } ?? [])
        let request = SandboxRequest(
            command: [interpreter, "-B", "/helper/run.py"] + mode + ["--record", "/out/.llmbench", "--seed", "\(seed)"]
                + ["--"] + program,
            mounts: [
                .init(host: code, inside: "/code"), .init(host: data, inside: "/data"),
                .init(host: helper, inside: "/helper"), .init(host: out, inside: "/out", writable: true),
            ] + mounts,
            environment: ["PYTHONHASHSEED": "\(UInt32(truncatingIfNeeded: seed))"], limits: limits,
            standardOutput: out.deletingLastPathComponent().appending(path: "\(out.lastPathComponent).stdout"),
            standardError: errors)
        let outcome = try await runner.run(request)
        // What the caller ended says nothing about the pipeline.
        if outcome.termination == .stopped { throw CancellationError() }
        return Observation(outcome: outcome, out: out, errors: errors)
    }

    /// Copies what mode `capture` wrote into `folder`, each part read as its format demands.
    private func keepRecord(
        of observation: Observation, in folder: URL, known: Set<String>
    ) throws(CaptureError) -> PipelineDescription {
        let record = RecordFolder(out: observation.out)
        guard let json = try record.read("pipeline.json", maximumBytes: 16 << 20) else {
            throw .noRecord(reason: Self.reason(observation))
        }
        let description = try PipelineDescription(json: json)
        for (part, ids) in [
            ("train", description.split?.train), ("validation", description.split?.validation),
            ("test", description.split?.test),
        ] {
            if let stranger = ids?.compactMap({ $0 }).first(where: { !known.contains($0) }) {
                throw .badRecord(
                    file: "pipeline.json",
                    reason: "its \(part) part names a sample '\(stranger.prefix(80))' that was not given to it")
            }
        }
        try HostFile.write(json, to: folder.appending(path: "pipeline.json"))
        for name in ["train-graph.json", "eval-graph.json"] + Self.metricGraphs(description) {
            guard let json = try record.read(name, maximumBytes: 64 << 20) else { continue }
            do {
                _ = try Graph(json: json)
            } catch {
                throw .badRecord(file: name, reason: "\(error)")
            }
            try HostFile.write(json, to: folder.appending(path: name))
        }
        if let weights = try tensors("weights.safetensors", from: record) {
            try HostFile.write(weights, to: folder.appending(path: "weights.safetensors"))
        }
        if let reference = try tensors(Self.reference, from: record) {
            try HostFile.write(reference, to: folder.appending(path: Self.reference))
        }
        for part in ["train", "validation", "test"] {
            let name = "data/\(part).safetensors"
            guard let content = try tensors(name, from: record) else { continue }
            try cache.place(content, at: folder.appending(path: name))
        }
        try requireComplete(folder, description)
        return description
    }

    /// The graphs of the metrics that the loop watches.
    private static func metricGraphs(_ description: PipelineDescription) -> [String] {
        (description.metrics ?? []).prefix(4).indices.map { "metric-graph-\($0 + 1).json" }
    }

    /// A description that promises a graph must come with all of it.
    private func requireComplete(_ folder: URL, _ description: PipelineDescription) throws(CaptureError) {
        guard description.capturable else { return }
        let parts = ["train", "validation", "test"].map { "data/\($0).safetensors" }
        let graphs = ["train-graph.json", "eval-graph.json"] + Self.metricGraphs(description)
        for name in graphs + ["weights.safetensors"] + parts
        where !FileManager.default.fileExists(atPath: folder.appending(path: name).path(percentEncoded: false)) {
            throw .badRecord(file: name, reason: "it is missing although the pipeline says it was captured")
        }
    }

    /// The bytes of a tensor file whose header was checked.
    private func tensors(_ name: String, from record: RecordFolder) throws(CaptureError) -> Data? {
        guard let content = try record.read(name, maximumBytes: 4 << 30) else { return nil }
        do {
            _ = try SafeTensors(data: content, name: name)
        } catch {
            throw .badRecord(file: name, reason: "\(error)")
        }
        return content
    }

    private struct HeldOutRecord: Decodable {
        var ids: [String]
        var missing: [String]
        var stochastic: Bool?
        var error: String?
    }

    /// Keeps the held-out tensors. Returns one line where they are incomplete.
    private func keepHeldOut(
        of observation: Observation, in folder: URL, wanted: Set<String>
    ) throws(CaptureError) -> String? {
        let record = RecordFolder(out: observation.out)
        guard let json = try record.read("heldout.json", maximumBytes: 4 << 20),
            let report = try? JSONDecoder().decode(HeldOutRecord.self, from: json)
        else { return "the held-out images could not be read: \(Self.reason(observation))" }
        if let content = try tensors("data/heldout.safetensors", from: record) {
            try cache.place(content, at: folder.appending(path: "data/heldout.safetensors"))
        }
        guard Set(report.ids) == wanted else {
            let cause = report.error.map { " (\(String($0.prefix(300))))" } ?? ""
            return "\(wanted.subtracting(report.ids).count) of \(wanted.count) held-out images did not come through "
                + "the pipeline's datasets\(cause)"
        }
        return nil
    }

    /// Adds a refusal to `pipeline.json`, keeping everything else that stands there.
    ///
    /// - Throws: `CaptureError.badRecord`, `.unwritable`.
    public func refuse(_ line: String, in folder: URL) throws(CaptureError) {
        let url = folder.appending(path: "pipeline.json")
        guard let json = try? Data(contentsOf: url),
            var object = try? JSONSerialization.jsonObject(with: json) as? [String: Any]
        else { throw .badRecord(file: "pipeline.json", reason: "it is no JSON object") }
        object["refusals"] = (object["refusals"] as? [String] ?? []) + [line]
        object["capturable"] = false
        guard let changed = try? JSONSerialization.data(withJSONObject: object, options: [.prettyPrinted, .sortedKeys])
        else { throw .badRecord(file: "pipeline.json", reason: "it cannot be written again") }
        try HostFile.write(changed, to: url)
    }

    /// Puts the finished folder in place; an older capture goes only when the new one stands.
    private func commit(_ partial: URL, to target: URL) throws(CaptureError) {
        let files = FileManager.default
        let old = partial.deletingLastPathComponent().appending(path: "old", directoryHint: .isDirectory)
        do {
            if files.fileExists(atPath: target.path(percentEncoded: false)) {
                try files.moveItem(at: target, to: old)
            }
            try files.moveItem(at: partial, to: target)
        } catch {
            throw .unwritable(WriteFailure(target, error))
        }
    }

    /// Why there is no record: how the program ended, and the last line it printed.
    private static func reason(_ observation: Observation) -> String {
        let end =
            switch observation.outcome.termination {
            case .exited(let code): "the run ended with exit code \(code)"
            case .signalled(let signal): "the run ended with signal \(signal)"
            case .limit(let limit): "the run passed its limit of \(limit.rawValue)"
            case .stopped: "the run was stopped"
            }
        guard let line = lastLine(of: observation.errors) else { return end }
        return "\(end): \(line)"
    }

    private static func lastLine(of log: URL) -> String? {
        guard let handle = try? FileHandle(forReadingFrom: log) else { return nil }
        defer { try? handle.close() }
        let size = (try? handle.seekToEnd()) ?? 0
        try? handle.seek(toOffset: size > 8192 ? size - 8192 : 0)
        let tail = String(decoding: (try? handle.readToEnd()) ?? Data(), as: UTF8.self)
        guard let line = tail.split(whereSeparator: \.isNewline).last else { return nil }
        return printable(String(line.prefix(300)))
    }
}
