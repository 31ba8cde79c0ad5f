import Foundation
import Testing

@testable import Sandbox

/// A folder for one test with `code`, `out` and the printed streams, and a sandbox to run Python's standard library in.
final class SandboxFixture {
    let folder: URL
    let runner: any SandboxRunner

    var code: URL { folder.appending(path: "code", directoryHint: .isDirectory) }
    var out: URL { folder.appending(path: "out", directoryHint: .isDirectory) }
    var standardOutput: String { text("stdout") }
    var standardError: String { text("stderr") }

    /// Fails, and does not skip, where bubblewrap is missing: `scripts/test` installs it.
    init(runner: (any SandboxRunner)? = nil) throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "sandbox-test-\(UUID().uuidString)")
        self.runner = try runner ?? BubblewrapSandbox()
        for directory in [code, out] {
            try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        }
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    func request(_ program: String, limits: SandboxLimits) throws -> SandboxRequest {
        try program.write(to: code.appending(path: "main.py"), atomically: true, encoding: .utf8)
        return SandboxRequest(
            command: ["/usr/bin/python3", "main.py"],
            mounts: [.init(host: code, inside: "/code"), .init(host: out, inside: "/out", writable: true)],
            limits: limits, standardOutput: folder.appending(path: "stdout"),
            standardError: folder.appending(path: "stderr"))
    }

    /// Small limits, so that a hostile program meets one within seconds.
    static let smallLimits = SandboxLimits(
        wallSeconds: 20, cpuSeconds: 20, memoryBytes: 256 << 20, processes: 40, openFiles: 256, writtenBytes: 16 << 20,
        writtenFiles: 500, outputBytes: 64 << 10)

    @discardableResult
    func run(
        _ program: String, limits: SandboxLimits = smallLimits, change: (inout SandboxRequest) -> Void = { _ in }
    ) async throws -> SandboxOutcome {
        var request = try request(program, limits: limits)
        change(&request)
        return try await runner.run(request)
    }

    /// The next program, with a folder of its own, runs as if nothing had happened.
    func expectStillWorks() async throws {
        let next = try SandboxFixture(runner: runner)
        let outcome = try await next.run("print('well')")
        #expect(outcome.termination == .exited(0))
        #expect(next.standardOutput == "well\n")
    }

    private func text(_ name: String) -> String {
        (try? String(contentsOf: folder.appending(path: name), encoding: .utf8)) ?? ""
    }
}

/// Whether a process of the host has this text in its command line.
func processExists(withArgument text: String) -> Bool {
    let folders = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return folders.contains { name in
        guard Int(name) != nil, let line = smallFile("/proc/\(name)/cmdline") else { return false }
        return line.contains(text)
    }
}
