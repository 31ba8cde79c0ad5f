import Foundation
import Sandbox
import Testing

@testable import Capture

@Suite("The helper in a check run")
struct HelperTests {
    /// What a program prints to standard error, and how it ends, with or without the helper in front.
    private func run(_ kind: String, helper: Bool) async throws -> (errors: String, end: SandboxOutcome.Termination) {
        let fixture = try CaptureFixture()
        let out = fixture.folder.appending(path: "out")
        try FileManager.default.createDirectory(at: out, withIntermediateDirectories: true)
        let front = helper ? ["/helper/run.py", "check", "--record", "/out/.llmbench", "--"] : []
        let errors = fixture.folder.appending(path: "stderr")
        let outcome = try await fixture.runner.run(
            SandboxRequest(
                command: [fixture.runner.interpreter, "-B"] + front + ["main.py", kind],
                mounts: [
                    .init(host: CaptureFixture.fixtures.appending(path: "tracebacks"), inside: "/code"),
                    .init(host: fixture.helper, inside: "/helper"),
                    .init(host: out, inside: "/out", writable: true),
                ], standardOutput: fixture.folder.appending(path: "stdout"), standardError: errors))
        return (try String(contentsOf: errors, encoding: .utf8), outcome.termination)
    }

    @Test(
        "leaves traceback and exit code as they are without it",
        arguments: ["worker", "chain", "exit3", "import", "recursion", "loaderargs", "group"])
    func keepsTracebacks(kind: String) async throws {
        let plain = try await run(kind, helper: false)
        let helped = try await run(kind, helper: true)
        #expect(helped.errors == plain.errors)
        #expect(helped.end == plain.end)
        #expect(plain.end != .exited(0))
    }
}
