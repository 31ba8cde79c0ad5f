import Diagnosis
import Files
import Foundation
import Sandbox
import TensorRuntime

/// The engine `emitted` for the target `swift`: the model's own program, compiled and run unmodified in the sandbox on the full
/// training data, with its own epochs.
///
/// The program hands its prediction to `PipelineKit`, which applies it to the held-out images once training is over. Those lie at
/// `/heldout` with placeholders for masks; the truth is read by the host alone.
public struct SwiftProgramEngine: Sendable {
    public var programs: SwiftPrograms
    public var limits: SandboxLimits

    public init(programs: SwiftPrograms, limits: SandboxLimits = EmittedEngine.limits) {
        self.programs = programs
        self.limits = limits
    }

    /// - Parameters:
    ///   - code: the files that ran.
    ///   - data: the staged training data.
    ///   - heldOut: the staged held-out images.
    ///   - folder: receives logs, what the program writes in `out`, and `heldout.safetensors`: what the program saw of the held-out
    ///     images and how it decides. What an earlier attempt left there is replaced.
    /// - Throws: `TrainingError.pipelineFailed` for what the program did, `SandboxError` for what is ours.
    public func train(
        code: URL, data: URL, heldOut: URL, epochs: Int?, seed: Int, folder: URL,
        progress: @escaping @Sendable (TrainingProgress) -> Void = { _ in }
    ) async throws -> EmittedEngine.Result {
        let (out, build) = (folder.appending(path: "out"), folder.appending(path: "build"))
        for url in [out, build] {
            try? FileManager.default.removeItem(at: url)
            try DurableFile.makeFolder(url)
        }
        defer { try? FileManager.default.removeItem(at: build) }
        let (output, errors) = (folder.appending(path: "stdout"), folder.appending(path: "stderr"))
        let compiled = try await programs.compile(code, into: build, standardOutput: output, standardError: errors)
        try Self.require(compiled, "its files could not be compiled again", folder)
        let request = programs.swift.execution(
            arguments: ["--data", "/data", "--out", "/out"] + (epochs.map { ["--epochs", "\($0)"] } ?? []), code: code,
            build: build,
            mounts: [
                .init(host: data, inside: "/data"), .init(host: heldOut, inside: "/heldout"),
                .init(host: out, inside: "/out", writable: true),
            ],
            environment: [
                "LLMBENCH_RECORD": "/out/.llmbench", "LLMBENCH_HELDOUT": "/heldout", "LLMBENCH_SEED": "\(max(0, seed))",
            ], limits: limits, standardOutput: output, standardError: errors)
        let watch = Task { await HelperRecord(out: out).watch(progress) }
        defer { watch.cancel() }
        let outcome = try await programs.runner.run(request)
        try Self.require(outcome, nil, folder)
        return try Self.result(in: out, folder: folder, outcome)
    }

    private static func require(_ outcome: SandboxOutcome, _ what: String?, _ folder: URL) throws {
        if outcome.termination == .stopped { throw CancellationError() }
        guard let failure = outcome.failure else { return }
        let said = (try? DurableFile.read(folder.appending(path: "stderr"), limit: 64 << 20)).map {
            String(decoding: $0, as: UTF8.self)
        }
        let report = said.flatMap { SwiftDiagnosis().diagnose(text: $0) }
        let line = report.map { printable(String($0.message.prefix(300))) }
        throw TrainingError.pipelineFailed(
            reason: (what ?? failure)
                + ((line ?? HelperProgram.lastLine(of: folder.appending(path: "stderr"))).map { ": \($0)" } ?? ""))
    }

    static func result(in out: URL, folder: URL, _ outcome: SandboxOutcome) throws -> EmittedEngine.Result {
        let record = HelperRecord(out: out)
        let images = try tensors("heldout.safetensors", record, limit: SampleTensors.maximumBytes)
        let answer = try tensors(
            "predictions.safetensors", record, limit: (images.tensors["images"]?.count ?? 0) * 4 + 1 << 20)
        let rule = try HeldOutRule(metadata: answer.metadata)
        guard let seen = images.tensors["images"], let probabilities = answer.tensors["probability"] else {
            throw TrainingError.pipelineFailed(reason: "the record of its held-out predictions is incomplete")
        }
        let predictions = try Predictions(ids: answer.ids, probabilities: probabilities)
        try DurableFile.write(
            SafeTensors.encode(["images": seen], metadata: rule.metadata(ids: images.ids)),
            to: folder.appending(path: HeldOutRule.file))
        let sheets = EmittedSheets(out)
        return EmittedEngine.Result(
            history: EmittedEngine.history([], sheets: sheets), testDice: sheets.testDice, predictions: predictions,
            seconds: outcome.wallSeconds, inferenceSeconds: rule.seconds)
    }

    /// What a stranger wrote: bounded, and a list of names that is one.
    private static func tensors(
        _ name: String, _ record: HelperRecord, limit: Int
    ) throws -> (tensors: [String: Tensor], metadata: [String: String], ids: [String]) {
        do {
            let file = try SafeTensors(data: try record.data(name, limit: limit), name: name)
            let ids = try JSONDecoder().decode([String].self, from: Data((file.metadata["ids"] ?? "[]").utf8))
            let tensors = try Dictionary(uniqueKeysWithValues: file.entries.keys.map { ($0, try file.tensor($0)) })
            return (tensors, file.metadata, ids)
        } catch {
            throw TrainingError.pipelineFailed(
                reason: "it did not hand over its prediction of the held-out images (\(name): \(error))")
        }
    }
}

/// How a program decides what is foreground, as it said itself beside its predictions.
struct HeldOutRule {
    /// Below a training's folder.
    static let file = "heldout.safetensors"

    var threshold: Double
    var batchSize: Int
    /// As `PipelineKit` decides.
    var decision: Threshold { Threshold(value: threshold, comparison: .greater) }
    /// Of the prediction of all held-out images.
    var seconds: Double?

    /// - Throws: `TrainingError.pipelineFailed` where a number is missing or can not be meant.
    init(metadata: [String: String]) throws {
        // Programs compare in single precision: 0.4 is the float next to it, which must not count as above.
        guard let threshold = metadata["threshold"].flatMap(Float.init).map(Double.init), (0...1).contains(threshold),
            let batchSize = metadata["batch_size"].flatMap({ Int($0) }), (1...65_536).contains(batchSize)
        else { throw TrainingError.pipelineFailed(reason: "it did not say at which probability foreground begins") }
        self.threshold = threshold
        self.batchSize = batchSize
        seconds = metadata["prediction_seconds"].flatMap(Double.init).flatMap { $0.isFinite && $0 >= 0 ? $0 : nil }
    }

    /// - Throws: `TrainingError.missing`, `.badCapture`.
    init(contentsOf url: URL) throws {
        guard FileManager.default.fileExists(atPath: url.path) else {
            throw TrainingError.missing(what: "a trained model", command: "llmbench train RUN")
        }
        let file = try SafeTensors(contentsOf: url, maximumBytes: SampleTensors.maximumBytes)
        try self.init(metadata: file.metadata)
    }

    func metadata(ids: [String]) throws -> [String: String] {
        [
            "ids": String(decoding: try JSONEncoder().encode(ids), as: UTF8.self), "threshold": "\(threshold)",
            "batch_size": "\(batchSize)",
        ]
    }
}
