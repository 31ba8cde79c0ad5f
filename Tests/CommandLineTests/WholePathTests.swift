import Foundation
import Testing

@Suite("From scans to a report", .serialized)
struct WholePathTests {
    @Test("A folder is prepared, a model asked, its code run twice, a report written; the same call again does nothing")
    func wholePath() async throws {
        let workspace = try ScratchWorkspace(hasDataset: false)
        let prepared = try await workspace.llmbench(
            "datasets", "prepare", try workspace.makeScans().path, "--name", "rings", "--image-kind", "drawn discs",
            "--foreground", "the disc", "--held-out", "0.25")
        #expect(prepared.status == 0, "\(prepared)")

        let ask = [
            "generate", "--model", "fixture-never", "--dataset", "rings", "--max-rounds", "1", "--json",
        ]
        let asked = try await workspace.program().run(ask)
        #expect(asked.status == 1, "\(asked)")
        #expect(
            asked.lines.last
                == "llmbench: fixture-never did not succeed in 1 of 1 run: it did not run after 1 rounds of feedback")
        let run = try #require(try asked.objects().first)
        // The hand-written conversation: a folder that does not exist first, an argument that does not exist then.
        #expect(run["errors"] as? [String: Int] == ["FileNotFoundError": 1, "TypeError": 1], "\(asked)")
        #expect(run["replies"] as? Int == 2 && run["feedbacks"] as? Int == 1)
        #expect(
            run["first_error"] as? String
                == "FileNotFoundError: [Errno 2] No such file or directory: '/data/training/images'")
        let folder = workspace.root.appending(path: "generated/\(try #require(run["run"] as? String))")
        for file in ["round-00/files/main.py", "round-00/check/stderr", "round-01/reply.md"] {
            #expect(FileManager.default.fileExists(atPath: folder.appending(path: file).path), "\(file)")
        }

        let before = snapshot(folder)
        let again = try await workspace.program().run(ask)
        #expect(again.status == 1 && again.output == asked.output, "\(again)")
        #expect(again.lines.first == "fixture-never  ended before: round limit", "\(again)")
        #expect(again.lines.count == 2, "nothing is asked, nothing is run: \(again)")
        #expect(snapshot(folder) == before)

        let diagnosed = try await workspace.llmbench(
            "diagnose", folder.appending(path: "round-00/check/stderr").path, "--json")
        #expect(try diagnosed.object()["class"] as? String == "FileNotFoundError")
        try await report(workspace)
    }

    @Test("Code that runs is captured, trained and scored; every step says so in JSON, and is not done twice")
    func training() async throws {
        let workspace = try ScratchWorkspace(hasDataset: false)
        let prepared = try await workspace.llmbench(
            "datasets", "prepare", try workspace.makeScans(count: 40).path, "--name", "rings", "--image-kind",
            "drawn discs", "--foreground", "the disc", "--held-out", "0.4", "--json")
        #expect(try prepared.object()["name"] as? String == "rings", "\(prepared)")
        let asked = try await workspace.llmbench(
            "generate", "--model", "fixture-steady", "--dataset", "rings", "--json")
        #expect(asked.status == 0, "\(asked)")
        let run = try #require(try asked.objects().first)
        #expect(run["status"] as? String == "succeeded" && run["feedbacks"] as? Int == 0, "\(asked)")
        let path = try #require(run["run"] as? String)

        let captured = try await workspace.llmbench("capture", "fixture-steady", "--epochs", "1", "--json")
        let capture = try #require(try captured.objects().first, "\(captured)")
        #expect(capture["status"] as? String == "captured" && capture["run"] as? String == path, "\(captured)")
        let trained = try await workspace.llmbench("train", "run-01", "--epochs", "1", "--json")
        let training = try #require(try trained.objects().first, "\(trained)")
        #expect(training["status"] as? String == "trained" && training["engine"] as? String == "swift", "\(trained)")
        #expect(training["epochs"] as? Int == 1 && training["seconds"] as? Double ?? 0 > 0, "\(trained)")
        let again = try await workspace.llmbench("train", path, "--epochs", "1", "--json")
        #expect(again.status == 0 && again.output == trained.output, "\(again)")

        let evaluated = try await workspace.llmbench("evaluate", "run-01", "--json")
        #expect(evaluated.status == 0, "\(evaluated)")
        let score = try #require((try evaluated.object()["trainings"] as? [[String: Any]])?.first)
        let reference = try #require((try evaluated.object()["references"] as? [[String: Any]])?.first)
        #expect(score["images"] as? Int == 16)
        let dice = try #require(score["mean_dice"] as? Double)
        #expect((0...1).contains(dice))
        // Bright discs on dark ground: one grey level separates them.
        #expect(reference["threshold_dice"] as? Double == 1)

        let report = try await workspace.llmbench("report", "dice", "--json")
        let rows = try #require(try report.objects().first?["rows"] as? [[String: Any]])
        #expect(rows.count == 1 && rows[0]["engine"] as? String == "swift" && rows[0]["images"] as? Int == 16)
        #expect(abs((rows[0]["mean_dice"] as? Double ?? 0) - dice) < 1e-9, "\(report)")
    }

    private func report(_ workspace: ScratchWorkspace) async throws {
        let text = try await workspace.llmbench("report", "errors")
        #expect(text.status == 0 && text.output.contains("FileNotFoundError"), "\(text)")
        let csv = try await workspace.llmbench("report", "errors", "--format", "csv")
        // Tables are set apart by an empty line; the first has a row a run.
        let tables = csv.output.components(separatedBy: "\r\n\r\n")
        #expect(tables.count == 5 && tables[1].hasPrefix("model,target,datasets,runs,succeeded,"), "\(csv)")
        let rows = tables[0].components(separatedBy: "\r\n").filter { !$0.isEmpty }
        #expect(rows.count == 2 && rows[0].hasPrefix("model,dataset,target,outcome,"), "\(csv)")
        #expect(rows.last?.contains("fixture-never") == true && rows.last?.contains("round limit") == true, "\(csv)")
        // By format, what the file that is printed begins with.
        for (format, magic) in [("html", "<!doctype html>"), ("xlsx", "PK"), ("svg", "<?xml"), ("png", "\u{89}PNG")] {
            let outcome = try await workspace.llmbench("report", "all", "--format", format)
            #expect(outcome.status == 0, "\(outcome)")
            for line in outcome.output.split(separator: "\n") {
                let data = try Data(contentsOf: URL(filePath: String(line)))
                let start = String(String.UnicodeScalarView(data.prefix(32).map { Unicode.Scalar($0) }))
                #expect(start.lowercased().hasPrefix(magic.lowercased()), "\(line): \(start)")
            }
            #expect(!outcome.output.isEmpty, "\(outcome)")
        }
        let elsewhere = workspace.scratch.url.appending(path: "elsewhere")
        let page = try await workspace.llmbench("report", "--format", "html", "--output", elsewhere.path)
        #expect(page.status == 0, "\(page)")
        let index = try String(contentsOf: elsewhere.appending(path: "index.html"), encoding: .utf8)
        #expect(index.contains("fixture-never"))
        #expect(!index.contains("http://") && !index.contains("https://"), "the page needs nothing from elsewhere")
    }

    /// Every file with its bytes and time.
    private func snapshot(_ folder: URL) -> [String: String] {
        let paths = FileManager.default.enumerator(atPath: folder.path)?.allObjects as? [String] ?? []
        return Dictionary(
            uniqueKeysWithValues: paths.filter { !$0.hasSuffix(".lock") }.map { path in
                let url = folder.appending(path: path)
                let date = (try? url.resourceValues(forKeys: [.contentModificationDateKey]))?.contentModificationDate
                return (path, "\(date as Any) \((try? Data(contentsOf: url))?.hashValue ?? 0)")
            })
    }
}
