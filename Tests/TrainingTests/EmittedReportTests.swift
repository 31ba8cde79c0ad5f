import Foundation
import Testing

@testable import Training

@Suite("What an emitted pipeline leaves")
struct EmittedReportTests {
    private func report(_ text: String) throws -> EmittedReport {
        let folder = try TemporaryFolder()
        let record = folder.url.appending(path: ".llmbench")
        try FileManager.default.createDirectory(at: record, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: record.appending(path: "emitted.json"))
        return try EmittedReport(HelperRecord(out: folder.url))
    }

    @Test("is read although Python writes numbers that JSON does not have")
    func notANumber() throws {
        let report = try report(
            #"{"exit_code": 0, "method": "graph", "error": "it said \"NaN\" and Infinity", "seconds": 2.5, "epochs": "#
                + #"[{"epoch": 1, "train_loss": NaN, "seconds": 1}, {"epoch": 2, "train_loss": -Infinity}]}"#)
        #expect(report.epochs?.map(\.trainLoss) == [nil, nil])
        #expect(report.error == #"it said "NaN" and Infinity"#)
        #expect(report.seconds == 2.5)
    }

    @Test("that is missing or something else is the pipeline's failure", arguments: ["", "[1]", "{", "\u{0}\u{1}"])
    func hostile(text: String) throws {
        do {
            _ = try report(text)
            Issue.record("read '\(text)'")
        } catch let error as TrainingError {
            #expect(error.isPipelinesFault)
        }
    }

    @Test("behind a link is not read")
    func link() throws {
        let (folder, elsewhere) = (try TemporaryFolder(), try TemporaryFolder())
        try Data(#"{"method": "graph"}"#.utf8).write(to: elsewhere.url.appending(path: "emitted.json"))
        try FileManager.default.createSymbolicLink(
            at: folder.url.appending(path: ".llmbench"), withDestinationURL: elsewhere.url)
        #expect(throws: TrainingError.self) { try EmittedReport(HelperRecord(out: folder.url)) }
    }

    @Test("fills in what the sheets do not tell")
    func history() throws {
        let folder = try TemporaryFolder()
        let report = try report(
            #"{"epochs": [{"epoch": 1, "train_loss": 0.5, "seconds": 2}, {"epoch": 2, "train_loss": 0.4}]}"#)
        let history = EmittedEngine.history(report.epochs ?? [], sheets: EmittedSheets(folder.url))
        #expect(history.map(\.trainLoss) == [0.5, 0.4])
        #expect(history.map(\.seconds) == [2, 0])
        #expect(history.allSatisfy { $0.validationLoss == nil && $0.validationDice.isEmpty })
    }

    @Test("shows its last line without control characters")
    func lastLine() throws {
        let folder = try TemporaryFolder()
        let url = folder.url.appending(path: "stderr")
        try Data("first\nRuntimeError: \u{1b}[31mred\u{7}\n\n".utf8).write(to: url)
        let line = try #require(HelperProgram.lastLine(of: url))
        #expect(line.hasPrefix("RuntimeError: ") && line.contains("red"))
        #expect(!line.unicodeScalars.contains { $0.properties.generalCategory == .control })
        #expect(HelperProgram.lastLine(of: folder.url.appending(path: "none")) == nil)
    }
}
