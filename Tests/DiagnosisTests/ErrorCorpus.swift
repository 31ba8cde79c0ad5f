import Foundation
import Sandbox
import Testing

/// Small programs that are really broken, and what Python really printed: `Tests/Fixtures/errors`.
///
/// `LLMBENCH_REGENERATE_ERRORS=missing swift test --filter regenerates` runs those without a stored output in the sandbox and stores it;
/// `LLMBENCH_REGENERATE_ERRORS=all` runs all of them anew.
struct BrokenProgram: Sendable, CustomTestStringConvertible {
    struct Expected: Codable {
        /// Nil where the program ends well.
        var `class`: String?
        var subcategory: String?
        var file: String?
        var line: Int?
        /// By `signatures.py`, or by hand.
        var signature: String?
    }

    let name: String

    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fixtures/errors")

    static let all: [BrokenProgram] =
        ((try? FileManager.default.contentsOfDirectory(atPath: root.appending(path: "programs").path)) ?? [])
        .filter { !$0.hasPrefix(".") }.sorted().map(BrokenProgram.init)

    var testDescription: String { name }
    var files: URL { Self.root.appending(path: "programs/\(name)") }
    var output: URL { Self.root.appending(path: "outputs/\(name)") }

    func expected() throws -> Expected {
        try JSONDecoder().decode(Expected.self, from: Data(contentsOf: files.appending(path: "expected.json")))
    }

    func stored() throws -> (standardOutput: String, standardError: String, outcome: SandboxOutcome.Termination) {
        func text(_ name: String) throws -> String {
            String(decoding: try Data(contentsOf: output.appending(path: name)), as: UTF8.self)
        }
        let ending = try JSONDecoder().decode(
            SandboxOutcome.Termination.self, from: Data(contentsOf: output.appending(path: "termination.json")))
        return (try text("stdout"), try text("stderr"), ending)
    }

    /// Runs it where check runs happen: the files at `/code`, a writable `/out`.
    func run(in sandbox: BubblewrapSandbox, printingTo folder: URL) async throws -> SandboxOutcome {
        let out = FileManager.default.temporaryDirectory.appending(path: "broken-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: out, withIntermediateDirectories: true)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: out) }
        return try await sandbox.run(
            SandboxRequest(
                command: [sandbox.interpreter, "main.py"],
                mounts: [.init(host: files, inside: "/code"), .init(host: out, inside: "/out", writable: true)],
                limits: SandboxLimits(wallSeconds: 240, cpuSeconds: 240, memoryBytes: 4 << 30),
                standardOutput: folder.appending(path: "stdout"), standardError: folder.appending(path: "stderr")))
    }
}
