import Foundation
import Testing

/// Where results, recordings and reports go, and what stands there already.
@Suite("What a command writes")
struct OutputTests {
    @Test("never replaces what is no regular file, and goes through a link to one")
    func kinds() async throws {
        let workspace = try ScratchWorkspace()
        let (pipe, file, link) = ("pipe", "sheet.png", "link.png")
        func path(_ name: String) -> String { workspace.root.appending(path: name).path }
        #expect(mkfifo(path(pipe), 0o600) == 0)
        try Data([1]).write(to: URL(filePath: path(file)))
        try FileManager.default.createSymbolicLink(atPath: path(link), withDestinationPath: file)
        for arguments in [
            ["datasets", "preview", "disc", "--out", pipe],
            [
                "polygon", "refine", "--model", "control-ellipse", "--dataset", "disc", "--labels", "4", "--output",
                pipe,
            ],
        ] {
            FailureTests.expect(
                try await workspace.program().run(arguments),
                FailureSpecification(
                    name: "", arguments: arguments, status: 2, says: ["cannot write ", pipe, "no regular file"]))
            #expect(
                try FileManager.default.attributesOfItem(atPath: path(pipe))[.type] as? FileAttributeType
                    != .typeRegular)
        }
        // Refused before anything was drawn.
        #expect(!FileManager.default.fileExists(atPath: path("results/default/bench.sqlite")))
        let drawn = try await workspace.llmbench("datasets", "preview", "disc", "--out", link)
        #expect(drawn.status == 0, "\(drawn)")
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: path(link)) == file)
        #expect(try Data(contentsOf: URL(filePath: path(file))).count > 1)
    }

    @Test("as a recording is never appended to another file")
    func foreignRecording() async throws {
        let workspace = try ScratchWorkspace()
        let models = workspace.root.appending(path: "models.yaml")
        let before = try Data(contentsOf: models)
        for arguments in [
            ["generate", "--model", "fixture-prose", "--dataset", "disc", "--record", "models.yaml"],
            ["polygon", "draw", "--model", "fixture-tracer", "--dataset", "disc", "--record", "models.yaml"],
        ] {
            FailureTests.expect(
                try await workspace.program().run(arguments),
                FailureSpecification(
                    name: "", arguments: arguments, status: 2,
                    says: ["models.yaml exists and is no recording (line 1: ", "name another file with --record"]))
            #expect(try Data(contentsOf: models) == before)
        }
        // The second run's file is looked at before the first run is asked.
        try Data("a table\n".utf8).write(to: workspace.root.appending(path: "r-02.jsonl"))
        let second = try await workspace.llmbench(
            "generate", "--model", "fixture-prose", "--dataset", "disc", "--runs", "2", "--record", "r.jsonl")
        #expect(second.status == 2 && second.errors.contains("r-02.jsonl exists"), "\(second)")
        #expect(!FileManager.default.fileExists(atPath: workspace.root.appending(path: "r.jsonl").path))
    }

    @Test("as a recording for which there is no room is said, and the replies are kept")
    func fullRecording() async throws {
        let workspace = try ScratchWorkspace(hasDataset: false)
        try FileManager.default.copyItem(
            at: Checkout.root.appending(path: "datasets/colin27-cerebellum"),
            to: workspace.root.appending(path: "datasets/colin27-cerebellum"))
        for arguments in [
            ["generate", "--model", "fixture-prose", "--dataset", "colin27-cerebellum", "--max-rounds", "0"],
            ["polygon", "draw", "--model", "fixture-tracer", "--limit", "1"],
        ] {
            let outcome = try await workspace.program().run(arguments + ["--record", "/dev/full"])
            #expect(outcome.status == 3, "\(outcome)")
            #expect(
                outcome.lines.last?.hasPrefix(
                    "llmbench: the recording /dev/full could not be written (No space left on device)") == true,
                "\(outcome)")
        }
        let listed = try await workspace.llmbench("polygon", "list", "--json").objects()
        #expect(listed.count == 1, "\(listed)")
        let reported = try await workspace.llmbench("report", "all", "--json")
        #expect(reported.status == 0, "\(reported)")
    }
}
