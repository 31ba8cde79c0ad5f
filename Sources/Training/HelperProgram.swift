import Datasets
import Files
import Foundation
import Sandbox

/// The Python helper, and where it runs.
public struct HelperProgram: Sendable {
    public var runner: any SandboxRunner
    /// Path of the interpreter inside the sandbox.
    public var interpreter: String
    /// The folder with `run.py` on the host.
    public var folder: URL
    /// Threads of numerical libraries.
    public var threads: Int
    /// The environment it runs in, which decides whose pipelines it watches.
    public var stack: PythonStack

    public init(
        runner: any SandboxRunner, interpreter: String, folder: URL, threads: Int = 2, stack: PythonStack = .pytorch
    ) {
        self.stack = stack
        self.runner = runner
        self.interpreter = interpreter
        self.folder = folder
        self.threads = threads
    }

    /// Runs one mode. What it prints lands beside `out`.
    ///
    /// - Parameters:
    ///   - mode: with its options.
    ///   - out: the writable folder; the record lies in `.llmbench` below it.
    ///   - progress: hears, at most twice a second, how far a training says it is.
    /// - Throws: `SandboxError` for failures that are ours; `CancellationError` where the caller ended it.
    func run(
        mode: [String], program: [String] = [], mounts: [SandboxRequest.Mount], out: URL, seed: Int,
        limits: SandboxLimits, progress: (@Sendable (TrainingProgress) -> Void)? = nil
    ) async throws -> SandboxOutcome {
        try DurableFile.makeFolder(out)
        let logs = out.deletingLastPathComponent()
        let command =
            [interpreter, "/helper/run.py"] + mode + ["--record", "/out/.llmbench", "--seed", "\(seed)"]
            + (program.isEmpty ? [] : ["--"] + program)
        let request = SandboxRequest(
            command: command,
            mounts: mounts + [
                .init(host: folder, inside: "/helper"), .init(host: out, inside: "/out", writable: true),
            ],
            workingDirectory: program.isEmpty ? "/out" : "/code",
            environment: ["PYTHONHASHSEED": "\(UInt32(truncatingIfNeeded: seed))", "OMP_NUM_THREADS": "\(threads)"],
            limits: limits, standardOutput: logs.appending(path: "stdout"),
            standardError: logs.appending(path: "stderr"))
        let watch = progress.map { progress in Task { await HelperRecord(out: out).watch(progress) } }
        defer { watch?.cancel() }
        let outcome = try await runner.run(request)
        // What the caller ended says nothing about the pipeline.
        if outcome.termination == .stopped { throw CancellationError() }
        return outcome
    }

    /// The last line of a log that says anything, at most 500 characters, what cannot be printed made visible.
    static func lastLine(of log: URL) -> String? {
        guard let data = try? DurableFile.read(log, limit: 64 << 20) else { return nil }
        let tail = String(decoding: data.suffix(16 << 10), as: UTF8.self)
        let lines = tail.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
        return lines.last { !$0.isEmpty }.map { printable(String($0.prefix(500))) }
    }
}

/// What the helper left in `.llmbench` below the writable folder, where the generated program may have put something else: no
/// component of a path may be a link, sizes are bounded.
struct HelperRecord {
    let out: URL

    /// - Throws: `UntrustedFileError`.
    func data(_ name: String, limit: Int) throws -> Data {
        Data(try UntrustedFile.read(".llmbench/\(name)", below: out, maximumBytes: limit))
    }

    func has(_ name: String) -> Bool {
        FileManager.default.fileExists(atPath: out.appending(path: ".llmbench/\(name)").path)
    }
}

extension HelperRecord {
    /// `progress.json`. The generated program may have written it: nothing but numbers within bounds is taken from it.
    private struct Progress: Decodable {
        var epoch: Int
        var epochs: Int?
        var batch: Int
        var batches: Int?
        var loss: Double?
    }

    /// What the helper last said of its progress; nil where there is nothing, or nothing that can be meant.
    func progress() -> TrainingProgress? {
        guard let data = try? data("progress.json", limit: 4096),
            let found = try? JSONDecoder().decode(Progress.self, from: data)
        else { return nil }
        let (epochs, batches) = (found.epochs ?? 0, found.batches ?? 0)
        let countable = 1...EmittedReport.maximumEpochs
        guard countable.contains(found.epoch), (1...10_000_000).contains(found.batch) else { return nil }
        let isKnown =
            countable.contains(epochs) && (1...10_000_000).contains(batches) && found.epoch <= epochs
            && found.batch <= batches
        return TrainingProgress(
            epoch: found.epoch, epochs: isKnown ? epochs : 0, batch: found.batch, batches: isKnown ? batches : 0,
            loss: found.loss)
    }

    /// Tells of each change until the task is cancelled.
    func watch(_ tell: @Sendable (TrainingProgress) -> Void) async {
        var last = progress()
        while !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(500))
            guard !Task.isCancelled, let now = progress(), now != last else { continue }
            last = now
            tell(now)
        }
    }
}

extension SandboxOutcome {
    /// Why a program did not end well, as half a sentence; nil where it did.
    var failure: String? {
        switch termination {
        case .exited(0): nil
        case .exited(let code): "it ended with exit code \(code)"
        case .signalled(let signal): "signal \(signal) ended it"
        case .limit(let limit): "it passed its limit of \(limit.rawValue) and was ended"
        case .stopped: "it was stopped"
        }
    }
}
