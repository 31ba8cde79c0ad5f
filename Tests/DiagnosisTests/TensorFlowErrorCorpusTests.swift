import Foundation
import Sandbox
import Testing

@testable import Diagnosis

/// Small programs of TensorFlow and Keras that are really broken, and what they really printed: `Tests/Fixtures/errors/tensorflow`. They
/// run as in a check run, started by the helper.
///
/// `LLMBENCH_REGENERATE_ERRORS=missing swift test --filter TensorFlowErrorCorpusTests/regenerate` runs those without a stored output in the sandbox and
/// stores it; `all` does so with all of them.
struct BrokenTensorFlowProgram: Sendable, CustomTestStringConvertible {
    let name: String

    static let root = BrokenProgram.root.appending(path: "tensorflow")

    static let all: [BrokenTensorFlowProgram] =
        ((try? FileManager.default.contentsOfDirectory(atPath: root.appending(path: "programs").path)) ?? [])
        .filter { !$0.hasPrefix(".") }.sorted().map(BrokenTensorFlowProgram.init)

    var testDescription: String { name }
    var files: URL { Self.root.appending(path: "programs/\(name)") }
    var output: URL { Self.root.appending(path: "outputs/\(name)") }

    func expected() throws -> BrokenProgram.Expected {
        try JSONDecoder().decode(
            BrokenProgram.Expected.self, from: Data(contentsOf: files.appending(path: "expected.json")))
    }

    /// What was stored: nothing is ever printed to standard output that a diagnosis reads.
    func stored() throws -> (errors: String, termination: SandboxOutcome.Termination) {
        let errors = try Data(contentsOf: output.appending(path: "stderr"))
        let ending = try Data(contentsOf: output.appending(path: "termination.json"))
        return (
            String(decoding: errors, as: UTF8.self),
            try JSONDecoder().decode(SandboxOutcome.Termination.self, from: ending)
        )
    }

    func report() throws -> ErrorReport? {
        let (errors, termination) = try stored()
        return PythonDiagnosis().diagnose(standardOutput: "", standardError: errors, termination: termination)
    }

    /// Runs it where check runs happen.
    func run(printingTo folder: URL) async throws -> SandboxOutcome {
        let project = BrokenProgram.root.appending(path: "../../..").standardizedFileURL
        let python = try PythonEnvironment.locate(.tensorflow, root: project)
        let sandbox = try BubblewrapSandbox(python: python)
        let out = FileManager.default.temporaryDirectory.appending(path: "broken-\(UUID().uuidString)")
        for url in [out, folder] { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }
        defer { try? FileManager.default.removeItem(at: out) }
        return try await sandbox.run(
            SandboxRequest(
                command: [
                    sandbox.interpreter, "/helper/run.py", "check", "--record", "/out/.llmbench", "--seed", "0", "--",
                    "/code/main.py",
                ],
                mounts: [
                    .init(host: files, inside: "/code"), .init(host: out, inside: "/out", writable: true),
                    .init(host: project.appending(path: "Sources/Capture/Helper"), inside: "/helper"),
                ],
                limits: SandboxLimits(wallSeconds: 240, cpuSeconds: 240, memoryBytes: 4 << 30),
                standardOutput: folder.appending(path: "stdout"), standardError: folder.appending(path: "stderr")))
    }
}

@Suite("The output of a broken TensorFlow program")
struct TensorFlowErrorCorpusTests {
    private static let regenerates = ProcessInfo.processInfo.environment["LLMBENCH_REGENERATE_ERRORS"]

    @Test("is diagnosed with the right class, subcategory and place", arguments: BrokenTensorFlowProgram.all)
    func diagnosis(_ program: BrokenTensorFlowProgram) throws {
        let expected = try program.expected()
        let report = try program.report()
        #expect(report?.errorClass == expected.class)
        #expect(report?.subcategory.rawValue == expected.subcategory)
        #expect(report?.frame?.file == expected.file)
        #expect(report?.frame?.line == expected.line)
        #expect(report?.signature == expected.signature)
    }

    @Test(
        "has a text to send back that begins with the traceback, before which TensorFlow says nothing of itself",
        arguments: BrokenTensorFlowProgram.all)
    func feedback(_ program: BrokenTensorFlowProgram) throws {
        let errors = try program.stored().errors
        let text = Feedback.verbatim(standardOutput: "", standardError: errors)
        #expect(text.hasPrefix(PythonTraceback.header) || text.hasPrefix("  File \""))
        #expect(text.utf8.count <= Feedback.maximumBytes)
        #expect(!errors.contains("oneDNN") && !errors.contains("/helper/"))
        let message = try #require(try program.report()).message.prefix { $0 != "\n" }
        #expect(text.contains(Feedback.escaped(String(message))))
    }

    @Test("is the same when the program runs again", arguments: ["concatenate-odd", "numpy-in-map"])
    func storedOutputIsReal(_ name: String) async throws {
        let program = BrokenTensorFlowProgram(name: name)
        let folder = FileManager.default.temporaryDirectory.appending(path: "again-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let outcome = try await program.run(printingTo: folder)
        let errors = try String(contentsOf: folder.appending(path: "stderr"), encoding: .utf8)
        let again = PythonDiagnosis().diagnose(
            standardOutput: "", standardError: errors, termination: outcome.termination)
        #expect(try again == program.report(), "\(errors)")
    }

    @Test(
        "regeneratesTensorFlow", .enabled(if: regenerates != nil, "a tool for whoever adds programs"),
        arguments: BrokenTensorFlowProgram.all)
    func regenerate(_ program: BrokenTensorFlowProgram) async throws {
        let stored = program.output.appending(path: "termination.json")
        if Self.regenerates == "missing", FileManager.default.fileExists(atPath: stored.path) { return }
        let outcome = try await program.run(printingTo: program.output)
        try JSONEncoder().encode(outcome.termination).write(to: stored)
    }
}
