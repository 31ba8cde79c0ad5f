import Foundation
import Sandbox
import Testing

@testable import Diagnosis

/// Small Swift programs that are really broken, and what compiler and runtime really printed: `Tests/Fixtures/errors/swift`. Their
/// files end in `.txt`, since tools that read Swift would stumble over them.
///
/// `LLMBENCH_REGENERATE_ERRORS=missing swift test --filter SwiftErrorCorpusTests/regenerate` compiles and runs those without a stored output in the
/// sandbox and stores it; `all` does so with all of them.
struct BrokenSwiftProgram: Sendable, CustomTestStringConvertible {
    let name: String

    static let root = BrokenProgram.root.appending(path: "swift")

    static let all: [BrokenSwiftProgram] =
        ((try? FileManager.default.contentsOfDirectory(atPath: root.appending(path: "programs").path)) ?? [])
        .filter { !$0.hasPrefix(".") }.sorted().map(BrokenSwiftProgram.init)

    /// What was stored of one run.
    struct Ending: Codable {
        /// False where the compiler refused the files.
        var isCompiled: Bool
        var termination: SandboxOutcome.Termination
    }

    var testDescription: String { name }
    var files: URL { Self.root.appending(path: "programs/\(name)") }
    var output: URL { Self.root.appending(path: "outputs/\(name)") }

    func expected() throws -> BrokenProgram.Expected {
        try JSONDecoder().decode(
            BrokenProgram.Expected.self, from: Data(contentsOf: files.appending(path: "expected.json")))
    }

    func stored() throws -> (standardOutput: String, standardError: String, ending: Ending) {
        func text(_ name: String) throws -> String {
            String(decoding: try Data(contentsOf: output.appending(path: name)), as: UTF8.self)
        }
        let ending = try JSONDecoder().decode(
            Ending.self, from: Data(contentsOf: output.appending(path: "ending.json")))
        return (try text("stdout"), try text("stderr"), ending)
    }

    func report() throws -> ErrorReport? {
        let (output, errors, ending) = try stored()
        return ending.isCompiled
            ? SwiftDiagnosis().diagnose(
                standardOutput: output, standardError: errors, termination: ending.termination)
            : SwiftDiagnosis().diagnose(compiler: errors + "\n" + output, termination: ending.termination)
    }

    /// Compiles and runs it as a check run does.
    func run(printingTo folder: URL) async throws -> Ending {
        let scratch = FileManager.default.temporaryDirectory.appending(path: "broken-\(UUID().uuidString)")
        let build = scratch.appending(path: "build")
        let code = scratch.appending(path: "code")
        for url in [folder, build, code] {
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        }
        for name in try FileManager.default.contentsOfDirectory(atPath: files.path) where name.hasSuffix(".txt") {
            try FileManager.default.copyItem(
                at: files.appending(path: name), to: code.appending(path: String(name.dropLast(4))))
        }
        defer { try? FileManager.default.removeItem(at: scratch) }
        let cache = BrokenProgram.root.appending(path: "../../../cache").standardizedFileURL
        let programs = SwiftPrograms(
            runner: try BubblewrapSandbox(), swift: try SwiftEnvironment.locate(cache: cache))
        let (output, errors) = (folder.appending(path: "stdout"), folder.appending(path: "stderr"))
        let compiled = try await programs.compile(code, into: build, standardOutput: output, standardError: errors)
        guard compiled.succeeded else { return Ending(isCompiled: false, termination: compiled.termination) }
        let ran = try await programs.runner.run(
            programs.swift.execution(
                arguments: [], code: code, build: build, mounts: [],
                limits: SandboxLimits(wallSeconds: 120, memoryBytes: 4 << 30), standardOutput: output,
                standardError: errors))
        return Ending(isCompiled: true, termination: ran.termination)
    }
}

@Suite("The output of a broken Swift program")
struct SwiftErrorCorpusTests {
    private static let regenerates = ProcessInfo.processInfo.environment["LLMBENCH_REGENERATE_ERRORS"]

    @Test("is diagnosed with the right class, subcategory, place and signature", arguments: BrokenSwiftProgram.all)
    func diagnosis(_ program: BrokenSwiftProgram) throws {
        let expected = try program.expected()
        let report = try program.report()
        #expect(report?.errorClass == expected.class)
        #expect(report?.subcategory.rawValue == expected.subcategory)
        #expect(report?.frame?.file == expected.file)
        #expect(report?.frame?.line == expected.line)
        #expect(report?.signature == expected.signature)
    }

    @Test(
        "has a text to send back that holds the message and no path of this machine", arguments: BrokenSwiftProgram.all)
    func feedback(_ program: BrokenSwiftProgram) throws {
        let (output, errors, _) = try program.stored()
        let report = try #require(try program.report())
        let text = SwiftDiagnosis.verbatim(standardOutput: output, standardError: errors)
        #expect(text.utf8.count <= Feedback.maximumBytes)
        #expect(text.contains(Feedback.escaped(String(report.message.prefix { $0 != "\n" }))))
        #expect(!text.contains("/home/") && !text.contains("/root/") && !text.contains("Sources/"))
    }

    @Test("is told apart without knowing how it ended, as `diagnose` does", arguments: BrokenSwiftProgram.all)
    func fromText(_ program: BrokenSwiftProgram) throws {
        let report = try #require(try program.report())
        guard report.errorClass != "ExitStatus" else { return }
        let (output, errors, _) = try program.stored()
        #expect(SwiftDiagnosis().diagnose(text: errors + "\n" + output) == report)
        #expect(PythonDiagnosis().diagnose(text: errors + "\n" + output) == nil)
    }

    @Test(
        "is the same when the program is compiled and runs again", arguments: ["unknown-class", "index-out-of-range"])
    func storedOutputIsReal(_ name: String) async throws {
        let program = BrokenSwiftProgram(name: name)
        let folder = FileManager.default.temporaryDirectory.appending(path: "again-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let ending = try await program.run(printingTo: folder)
        let errors = try String(contentsOf: folder.appending(path: "stderr"), encoding: .utf8)
        let again =
            ending.isCompiled
            ? SwiftDiagnosis().diagnose(standardOutput: "", standardError: errors, termination: ending.termination)
            : SwiftDiagnosis().diagnose(compiler: errors, termination: ending.termination)
        #expect(try again == program.report(), "\(errors)")
    }

    @Test(
        "regeneratesSwift", .enabled(if: regenerates != nil, "a tool for whoever adds programs"),
        arguments: BrokenSwiftProgram.all)
    func regenerate(_ program: BrokenSwiftProgram) async throws {
        let stored = program.output.appending(path: "ending.json")
        if Self.regenerates == "missing", FileManager.default.fileExists(atPath: stored.path) { return }
        let ending = try await program.run(printingTo: program.output)
        try JSONEncoder().encode(ending).write(to: stored)
    }
}
