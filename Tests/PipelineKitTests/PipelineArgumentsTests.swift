import Foundation
import Testing

@testable import PipelineKit

@Suite("The command line of a pipeline")
struct PipelineArgumentsTests {
    let folder = FileManager.default.temporaryDirectory.appending(path: "arguments-\(UUID().uuidString)")

    private func arguments(_ words: [String], epochs: Int = 40, record: Bool = false) throws -> PipelineArguments {
        let environment = record ? ["LLMBENCH_RECORD": folder.appending(path: "record").path] : [:]
        return try PipelineArguments(
            defaultEpochs: epochs, words: ["--out", folder.appending(path: "out").path] + words,
            environment: environment)
    }

    @Test("the default of epochs holds until --epochs says otherwise, and is noted down for the harness")
    func epochs() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        #expect(try arguments([]).epochs == 40)
        let given = try arguments(["--data", "/pictures", "--epochs", "2"], record: true)
        #expect(given.epochs == 2 && given.data == "/pictures")
        var isFolder: ObjCBool = false
        #expect(FileManager.default.fileExists(atPath: given.out, isDirectory: &isFolder) && isFolder.boolValue)
        let seen = try Data(contentsOf: folder.appending(path: "record/observation.json"))
        #expect(try JSONDecoder().decode([String: Int].self, from: seen) == ["default_epochs": 40])
    }

    @Test(
        "anything else is refused in one sentence",
        arguments: [
            (["--epoch", "2"], "there is no option '--epoch': known are --data, --out and --epochs"),
            (["--epochs"], "--epochs needs a value"), (["--epochs", "0"], "--epochs 0: it must be a positive integer"),
            (["--epochs", "many"], "--epochs many: it must be a positive integer"),
        ])
    func refusals(_ words: [String], _ sentence: String) {
        defer { try? FileManager.default.removeItem(at: folder) }
        #expect(throws: PipelineError.arguments(sentence)) { try arguments(words) }
        #expect("\(PipelineError.arguments(sentence))" == sentence)
    }

    @Test("no number of epochs is no default")
    func badDefault() {
        #expect(throws: PipelineError.arguments("a default of 0 epochs: it must be a positive number")) {
            try arguments([], epochs: 0)
        }
    }

    @Test("a folder that cannot be made is named")
    func unwritable() throws {
        try Data().write(to: folder)
        defer { try? FileManager.default.removeItem(at: folder) }
        #expect(
            throws: PipelineError.file(path: folder.appending(path: "out").path, reason: "the folder cannot be made")
        ) { try arguments([]) }
    }
}
