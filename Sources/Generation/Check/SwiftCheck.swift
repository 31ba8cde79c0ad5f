import Diagnosis
import Exchanges
import Foundation
import ResultStore
import Sandbox

/// The check run of the target `swift`: the files are compiled against the prebuilt libraries in the sandbox, what comes of it is
/// run there for two epochs on a small fixed part of the training data, then the contract.
///
/// Inside: the files at `/code`, compiler and libraries, the data at `/data`, all read-only. What the compiler writes lies at `/build`,
/// which the program sees read-only; `/out` is its own. `PipelineKit` notes down what artefacts alone cannot tell.
public struct SwiftCheck: PipelineCheck, SubsetCheck {
    public let runner: any SandboxRunner
    public let swift: SwiftEnvironment
    public let subset: CheckSubset
    public var limits: SandboxLimits
    public var compilerLimits: SandboxLimits
    public var epochs: Int
    public var seed: Int

    public init(
        runner: any SandboxRunner, swift: SwiftEnvironment, subset: CheckSubset,
        limits: SandboxLimits = SandboxLimits(), compilerLimits: SandboxLimits = SwiftPrograms.compilerLimits,
        epochs: Int = 2, seed: Int = 0
    ) {
        self.runner = runner
        self.swift = swift
        self.subset = subset
        self.limits = limits
        self.compilerLimits = compilerLimits
        self.epochs = epochs
        self.seed = seed
    }

    /// - Throws: `SandboxError`; `CancellationError` where the caller ended it.
    public func run(files: URL, in round: RoundDirectory) async throws -> CheckVerdict {
        let build = round.check.appending(path: "build", directoryHint: .isDirectory)
        try ExchangeFiles.makeFolder(build)
        defer { try? FileManager.default.removeItem(at: build) }
        let programs = SwiftPrograms(runner: runner, swift: swift)
        let compiled = try await programs.compile(
            files, into: build, limits: compilerLimits, standardOutput: round.standardOutput,
            standardError: round.standardError)
        if compiled.termination == .stopped { throw CancellationError() }
        guard compiled.succeeded else { return try await refused(compiled, files: files, in: round) }
        var outcome = try await runner.run(
            swift.execution(
                arguments: ["--data", "/data", "--out", "/out", "--epochs", "\(epochs)"], code: files, build: build,
                mounts: [
                    .init(host: subset.folder, inside: "/data"),
                    .init(host: round.output, inside: "/out", writable: true),
                ],
                environment: ["LLMBENCH_RECORD": "/out/.llmbench", "LLMBENCH_SEED": "\(seed)"], limits: limits,
                standardOutput: round.standardOutput, standardError: round.standardError))
        outcome.wallSeconds += compiled.wallSeconds
        outcome.cpuSeconds += compiled.cpuSeconds
        switch outcome.termination {
        case .stopped: throw CancellationError()
        case .exited(0): return contractVerdict(outcome, in: round)
        case .exited, .signalled, .limit: return try await failed(outcome, files: files, in: round)
        }
    }

    /// What the compiler did not take.
    private func refused(_ outcome: SandboxOutcome, files: URL, in round: RoundDirectory) async throws -> CheckVerdict {
        let output = Printed(round)
        let error = diagnosis(files).diagnose(
            compiler: output.standardError + "\n" + output.standardOutput, termination: outcome.termination)
        if case .limit(let limit) = outcome.termination {
            let reason = CheckSentences.reason(limit, compilerLimits)
            return verdict(.killed, outcome, error, "could not be compiled: the compiler \(reason)")
        }
        // What the compiler says of no line of the files may be said of the toolchain.
        let isSuspect = ["no such module", "missing required module", "module compiled with", "compiled module"]
            .contains {
                error?.message.contains($0) == true
            }
        if error?.frame == nil || isSuspect { try await swift.verify(in: runner, again: true) }
        let said = SwiftDiagnosis.verbatim(standardOutput: output.standardOutput, standardError: output.standardError)
        return verdict(.error, outcome, error, said)
    }

    private func failed(_ outcome: SandboxOutcome, files: URL, in round: RoundDirectory) async throws -> CheckVerdict {
        let output = Printed(round)
        let error = diagnosis(files).diagnose(
            standardOutput: output.standardOutput, standardError: output.standardError,
            termination: outcome.termination)
        switch outcome.termination {
        case .limit(.wallTime): return verdict(.timeout, outcome, error, "")
        case .limit(let limit): return verdict(.killed, outcome, error, CheckSentences.reason(limit, limits))
        default: break
        }
        // The loader's complaint is about the libraries, not about the program.
        if output.standardError.contains("error while loading shared libraries") {
            try await swift.verify(in: runner, again: true)
        }
        let said = SwiftDiagnosis.verbatim(standardOutput: output.standardOutput, standardError: output.standardError)
        guard said.contains(where: { !$0.isWhitespace }) else {
            return verdict(.silent, outcome, error, CheckSentences.ending(outcome.termination))
        }
        return verdict(.error, outcome, error, said)
    }

    private func diagnosis(_ files: URL) -> SwiftDiagnosis {
        SwiftDiagnosis(codeRoot: runner is UnconfinedRunner ? files.path(percentEncoded: false) : "/code")
    }

    private func contractVerdict(_ outcome: SandboxOutcome, in round: RoundDirectory) -> CheckVerdict {
        let breaches = ContractCheck(
            ContractExpectation(
                epochs: epochs, pairs: subset.samples.count,
                observation: ContractObservation.read(in: round.output) ?? ContractObservation(), target: .swift)
        ).breaches(in: round.output)
        return contractVerdict(breaches, outcome)
    }
}
