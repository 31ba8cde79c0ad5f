import Foundation
import Sandbox
import Testing

@testable import Diagnosis

@Suite("The output of a broken program")
struct ErrorCorpusTests {
    private static let regenerates = ProcessInfo.processInfo.environment["LLMBENCH_REGENERATE_ERRORS"]

    @Test("is diagnosed with the right class, subcategory, place and signature", arguments: BrokenProgram.all)
    func diagnosis(_ program: BrokenProgram) throws {
        let expected = try program.expected()
        let (output, errors, termination) = try program.stored()
        let report = PythonDiagnosis().diagnose(
            standardOutput: output, standardError: errors, termination: termination)
        #expect(report?.errorClass == expected.class)
        #expect(report?.subcategory.rawValue == expected.subcategory)
        #expect(report?.frame?.file == expected.file)
        #expect(report?.frame?.line == expected.line)
        #expect(report?.signature == expected.signature)
    }

    /// The expected signatures of all three corpora, by a second implementation.
    @Test("has the signature that signatures.py makes of it")
    func signatures() throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/python3")
        process.arguments = [BrokenProgram.root.appending(path: "signatures.py").path, "--check"]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let said = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(said)")
    }

    @Test(
        "has a text to send back that begins with the error and holds no control character",
        arguments: BrokenProgram.all)
    func feedback(_ program: BrokenProgram) throws {
        let (output, errors, termination) = try program.stored()
        guard
            let report = PythonDiagnosis().diagnose(
                standardOutput: output, standardError: errors, termination: termination)
        else { return }
        let text = Feedback.verbatim(standardOutput: output, standardError: errors)
        #expect(text.utf8.count <= Feedback.maximumBytes)
        #expect(
            text.unicodeScalars.allSatisfy { $0 == "\n" || $0 == "\t" || $0.properties.generalCategory != .control })
        let firstLine = Feedback.escaped(report.message.split(separator: "\n").first.map(String.init) ?? "")
        #expect(
            firstLine.isEmpty || report.errorClass == "Killed" || report.errorClass == "SystemExit"
                || text.contains(firstLine))
        if errors.contains(PythonTraceback.header), report.errorClass != "Killed" {
            #expect(text.hasPrefix(PythonTraceback.header) || text.hasPrefix("  + Exception Group"))
        }
    }

    @Test("is the same when the program runs again", arguments: ["syntax-in-main", "chained-during", "argparse"])
    func storedOutputIsReal(_ name: String) async throws {
        let program = BrokenProgram(name: name)
        let folder = FileManager.default.temporaryDirectory.appending(path: "again-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let outcome = try await program.run(in: try BubblewrapSandbox(), printingTo: folder)
        let stored = try program.stored()
        #expect(outcome.termination == stored.outcome)
        #expect(try String(contentsOf: folder.appending(path: "stderr"), encoding: .utf8) == stored.standardError)
    }

    @Test(
        "regenerates", .enabled(if: regenerates != nil, "a tool for whoever adds programs"),
        arguments: BrokenProgram.all)
    func regenerate(_ program: BrokenProgram) async throws {
        let stored = program.output.appending(path: "termination.json")
        if Self.regenerates == "missing", FileManager.default.fileExists(atPath: stored.path) { return }
        let requirements = BrokenProgram.root.appending(path: "../../../requirements.txt").standardizedFileURL
        let python = try PythonEnvironment.locate(requirements: requirements)
        let sandbox = try BubblewrapSandbox(python: python)
        let outcome = try await program.run(in: sandbox, printingTo: program.output)
        try JSONEncoder().encode(outcome.termination).write(to: program.output.appending(path: "termination.json"))
    }
}
