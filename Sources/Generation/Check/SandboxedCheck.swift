import Diagnosis
import Foundation
import ResultStore
import Sandbox

/// The check run of the targets in Python, `pytorch` and `tensorflow`: two epochs on a small fixed part of the training data, in the sandbox, then the
/// contract.
///
/// ```swift
/// let check = SandboxedCheck(
///     runner: sandbox, python: python, helper: helper,
///     subset: try CheckSubset.stage(dataset, in: workspace))
/// let verdict = try await check.run(files: round.files, in: round)
/// ```
///
/// Inside: the files at `/code` and the data at `/data`, both read-only, `/out` writable, the helper at `/helper`, which seeds
/// random, NumPy and the framework and then starts `main.py` unmodified.
public struct SandboxedCheck: PipelineCheck, SubsetCheck {
    public let runner: any SandboxRunner
    public let python: PythonEnvironment
    /// Folder that holds `run.py`.
    public let helper: URL
    public let subset: CheckSubset
    public var limits: SandboxLimits
    public var epochs: Int
    public var seed: Int

    public init(
        runner: any SandboxRunner, python: PythonEnvironment, helper: URL, subset: CheckSubset,
        limits: SandboxLimits = SandboxLimits(), epochs: Int = 2, seed: Int = 0
    ) {
        self.runner = runner
        self.python = python
        self.helper = helper
        self.subset = subset
        self.limits = limits
        self.epochs = epochs
        self.seed = seed
    }

    /// - Throws: `SandboxError`; `CancellationError` where the caller ended it.
    public func run(files: URL, in round: RoundDirectory) async throws -> CheckVerdict {
        let outcome = try await runner.run(request(files: files, round: round))
        let output = Printed(round)
        switch outcome.termination {
        case .stopped: throw CancellationError()
        case .exited(0): return contractVerdict(outcome, in: round)
        case .exited, .signalled, .limit: break
        }
        let diagnosis = PythonDiagnosis(
            codeRoot: runner is UnconfinedRunner ? files.path(percentEncoded: false) : "/code")
        let error = diagnosis.diagnose(
            standardOutput: output.standardOutput, standardError: output.standardError,
            termination: outcome.termination)
        // What one of our limits ended is the program's own failure, whatever it still printed.
        if case .limit = outcome.termination {} else { try await requireOwnFault(error, output) }
        switch outcome.termination {
        case .limit(.wallTime): return verdict(.timeout, outcome, error, "")
        case .limit(let limit): return verdict(.killed, outcome, error, CheckSentences.reason(limit, limits))
        default:
            let said = Feedback.verbatim(standardOutput: output.standardOutput, standardError: output.standardError)
            if said.contains(where: { !$0.isWhitespace }) { return verdict(.error, outcome, error, said) }
            return verdict(.silent, outcome, error, CheckSentences.ending(outcome.termination))
        }
    }

    private func request(files: URL, round: RoundDirectory) -> SandboxRequest {
        SandboxRequest(
            command: [
                python.interpreterInside, "/helper/run.py", "check", "--record", "/out/.llmbench", "--seed", "\(seed)",
                "--", "/code/main.py", "--data", "/data", "--out", "/out", "--epochs", "\(epochs)",
            ],
            mounts: [
                .init(host: files, inside: "/code"), .init(host: subset.folder, inside: "/data"),
                .init(host: helper, inside: "/helper"), .init(host: round.output, inside: "/out", writable: true),
            ],
            environment: ["PYTHONHASHSEED": "\(seed)"], limits: limits, standardOutput: round.standardOutput,
            standardError: round.standardError)
    }

    private func contractVerdict(_ outcome: SandboxOutcome, in round: RoundDirectory) -> CheckVerdict {
        let expectation = ContractExpectation(
            epochs: epochs, pairs: subset.samples.count, observation: ContractObservation.read(in: round.output),
            target: PipelineTarget(python.stack))
        return contractVerdict(ContractCheck(expectation).breaches(in: round.output), outcome)
    }

    /// A failure of the environment or of the helper is never the model's.
    private func requireOwnFault(_ error: ErrorReport?, _ output: Printed) async throws {
        // Without any error in its output, it may be that no Python ran at all.
        guard let error else { return try await python.requirePython(in: runner) }
        guard error.frame == nil || error.errorClass == "ImportError" else { return }
        let isImport = error.errorClass == "ImportError" || error.errorClass == "OSError"
        if isImport, python.stack.modules.contains(where: { error.message.contains($0) }) {
            _ = try await python.verify(in: AnyRunner(runner))
        }
        if error.frame == nil, output.standardError.contains("File \"/helper/") {
            throw SandboxError.broken(reason: "the helper failed in the check run: \(error.message.prefix(200))")
        }
    }
}

/// What a program printed, as far as a diagnosis looks at it.
struct Printed {
    let standardOutput: String
    let standardError: String

    init(_ round: RoundDirectory) {
        standardOutput = Self.end(of: round.standardOutput)
        standardError = Self.end(of: round.standardError)
    }

    /// The host wrote these files, within the limit on output.
    private static func end(of url: URL) -> String {
        String(decoding: (try? Data(contentsOf: url)) ?? Data(), as: UTF8.self)
    }
}

/// `PythonEnvironment.verify` asks for a concrete type.
private struct AnyRunner: SandboxRunner {
    let wrapped: any SandboxRunner

    init(_ wrapped: any SandboxRunner) {
        self.wrapped = wrapped
    }

    func run(_ request: SandboxRequest) async throws -> SandboxOutcome { try await wrapped.run(request) }
}

/// The reasons that complete "The program was ended from outside because it …".
enum CheckSentences {
    static func reason(_ limit: SandboxOutcome.Limit, _ limits: SandboxLimits) -> String {
        switch limit {
        case .wallTime: "ran for more than \(Int(limits.wallSeconds)) seconds"
        case .cpuTime: "used more than \(Int(limits.cpuSeconds)) seconds of processor time"
        case .memory: "used more than \(bytes(limits.memoryBytes)) of memory"
        case .processes: "had more than \(limits.processes) processes and threads"
        case .writtenBytes: "wrote more than \(bytes(limits.writtenBytes)) to files"
        case .writtenFiles: "wrote more than \(limits.writtenFiles) files"
        case .outputBytes: "printed more than \(bytes(limits.outputBytes))"
        }
    }

    /// "exit status 1", "signal 11".
    static func ending(_ termination: SandboxOutcome.Termination) -> String {
        switch termination {
        case .exited(let status): "exit status \(status)"
        case .signalled(let signal): "signal \(signal)"
        case .limit, .stopped: "no exit status"
        }
    }

    private static func bytes(_ count: Int) -> String {
        if count >= 1 << 30 { return "\(Double(count) / Double(1 << 30)) GiB".replacing(".0 ", with: " ") }
        return "\(Double(count) / Double(1 << 20)) MiB".replacing(".0 ", with: " ")
    }
}
