import Diagnosis
import Foundation
import Generation
import ResultStore
import Sandbox

/// Runs `main.py` with the system's Python and no sandbox: for tests of the loop with programs that the tests wrote.
public struct PlainPythonCheck: PipelineCheck {
    public init() {}

    public func run(files: URL, in round: RoundDirectory) async throws -> CheckVerdict {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["python3", "-B", "main.py", round.output.path(percentEncoded: false)]
        process.currentDirectoryURL = files
        let errors = Pipe()
        process.standardError = errors
        process.standardOutput = FileHandle.nullDevice
        let begin = ContinuousClock.now
        try process.run()
        // The folder has another name on each day; in the sandbox it is always this one.
        let printed = String(decoding: try errors.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
            .replacing(files.path(percentEncoded: false), with: "/code/")
        process.waitUntilExit()
        let seconds = (ContinuousClock.now - begin) / .seconds(1)
        let outcome = SandboxOutcome(
            termination: .exited(process.terminationStatus), wallSeconds: seconds, cpuSeconds: seconds,
            peakMemoryBytes: 0)
        return CheckVerdict(
            kind: outcome.succeeded ? .clean : .error, outcome: outcome,
            error: outcome.succeeded ? nil : Self.report(printed), detail: printed, wallLimit: 60, epochs: 2, samples: 8
        )
    }

    private static func report(_ printed: String) -> ErrorReport {
        let last = printed.split(separator: "\n").last.map(String.init) ?? ""
        let name = last.split(separator: ":").first.map(String.init) ?? "Exception"
        return ErrorReport(
            errorClass: name, subcategory: .other, message: last, frame: .init(file: "main.py", line: 1),
            signature: last)
    }
}
