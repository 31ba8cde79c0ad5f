import Foundation
import Testing

@Suite("The target swift, from prompt to score", .serialized)
struct SwiftPathTests {
    @Test(
        "a compiler's error, a trap, then a program that is compiled again, run on all data and scored on held-out images"
    )
    func wholePath() async throws {
        let workspace = try ScratchWorkspace(hasDataset: false)
        let prepared = try await workspace.llmbench(
            "datasets", "prepare", try workspace.makeScans(count: 40).path, "--name", "rings", "--image-kind",
            "drawn discs", "--foreground", "the disc", "--held-out", "0.4", "--json")
        #expect(prepared.status == 0, "\(prepared)")
        let asked = try await workspace.llmbench(
            "generate", "--model", "fixture-swift", "--target", "swift", "--dataset", "rings", "--json")
        #expect(asked.status == 0, "\(asked)")
        let run = try #require(try asked.objects().first)
        #expect(run["errors"] as? [String: Int] == ["CompileError": 1, "RuntimeTrap": 1], "\(asked)")
        #expect(run["first_error"] as? String == "CompileError: cannot find 'Conv2D' in scope")
        let path = try #require(run["run"] as? String)
        let folder = workspace.root.appending(path: "generated/\(path)")
        let told = try String(contentsOf: folder.appending(path: "round-02/request.json"), encoding: .utf8)
        #expect(told.contains("/code/Model.swift:7:9: error: cannot find 'Conv2D' in scope"))
        #expect(told.contains("Fatal error: Index out of range") && told.contains("UNet.forward(_:)"))
        #expect(!told.contains(FileManager.default.temporaryDirectory.path + "/"))
        #expect(!told.contains("Sources/TensorRuntime"), "a backtrace names no sources of this machine")

        let captured = try await workspace.llmbench("capture", path)
        #expect(captured.status == 1 && captured.errors.contains("measured by running it"), "\(captured)")
        let other = try await workspace.llmbench("train", path, "--engine", "pytorch")
        #expect(other.status == 1 && other.errors.contains("use --engine emitted"), "\(other)")
        let trained = try await workspace.llmbench("train", path, "--epochs", "3", "--json")
        let training = try #require(try trained.objects().first, "\(trained)")
        #expect(training["engine"] as? String == "emitted" && training["epochs"] as? Int == 3, "\(trained)")
        let evaluated = try await workspace.llmbench("evaluate", path, "--json")
        let score = try #require((try evaluated.object()["trainings"] as? [[String: Any]])?.first, "\(evaluated)")
        #expect(score["images"] as? Int == 16 && score["engine"] as? String == "emitted", "\(evaluated)")
        #expect((score["mean_dice"] as? Double).map((0...1).contains) == true, "\(evaluated)")

        let errors = try await workspace.llmbench("report", "errors")
        #expect(errors.status == 0 && errors.output.contains("CompileError"), "\(errors)")
        let dice = try await workspace.llmbench("report", "dice", "--json")
        let rows = try #require(try dice.objects().first?["rows"] as? [[String: Any]])
        #expect(rows.count == 1 && rows[0]["target"] as? String == "swift", "\(dice)")
    }
}
