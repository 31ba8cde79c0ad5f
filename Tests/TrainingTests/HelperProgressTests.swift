import Foundation
import Testing

@testable import Training

@Suite("What a program says of its progress")
struct HelperProgressTests {
    private func progress(_ text: String) throws -> TrainingProgress? {
        let folder = try TemporaryFolder()
        let record = folder.url.appending(path: ".llmbench")
        try FileManager.default.createDirectory(at: record, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: record.appending(path: "progress.json"))
        return HelperRecord(out: folder.url).progress()
    }

    @Test("is read")
    func read() throws {
        #expect(
            try progress(#"{"epoch": 2, "epochs": 12, "batch": 3, "batches": 24, "loss": 0.5}"#)
                == TrainingProgress(epoch: 2, epochs: 12, batch: 3, batches: 24, loss: 0.5))
    }

    @Test(
        "keeps the count where the total is unknown or impossible",
        arguments: [
            #"{"epoch": 2, "epochs": null, "batch": 3, "batches": 24, "loss": null}"#,
            #"{"epoch": 2, "epochs": 1, "batch": 3, "batches": 24}"#,
            #"{"epoch": 2, "epochs": 9000000000000, "batch": 3, "batches": 24}"#,
            #"{"epoch": 2, "epochs": 12, "batch": 3, "batches": -1}"#,
        ])
    func unknownTotal(_ text: String) throws {
        #expect(try progress(text) == TrainingProgress(epoch: 2, epochs: 0, batch: 3, batches: 0, loss: nil))
    }

    @Test(
        "is nothing where it cannot be meant",
        arguments: [
            "", "{", "[]", #"{"epoch": "two", "batch": 1}"#, #"{"epoch": 0, "batch": 1}"#,
            #"{"epoch": 1e300, "batch": 1}"#,
            #"{"epoch": 1, "batch": -5}"#, String(repeating: " ", count: 5000) + #"{"epoch": 1, "batch": 1}"#,
        ])
    func hostile(_ text: String) throws {
        #expect(try progress(text) == nil)
    }

    @Test("is not followed through a link")
    func link() throws {
        let folder = try TemporaryFolder()
        let record = folder.url.appending(path: ".llmbench")
        try FileManager.default.createDirectory(at: record, withIntermediateDirectories: true)
        let elsewhere = folder.url.appending(path: "elsewhere.json")
        try Data(#"{"epoch": 1, "batch": 1}"#.utf8).write(to: elsewhere)
        try FileManager.default.createSymbolicLink(
            at: record.appending(path: "progress.json"), withDestinationURL: elsewhere)
        #expect(HelperRecord(out: folder.url).progress() == nil)
    }
}
