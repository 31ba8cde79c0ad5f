import Foundation
import Testing

/// Scans as they come: a broken picture, a mask of another size, a mask that is missing, folders that hold nothing.
@Suite("Bad scans")
struct DatasetFailureTests {
    private let workspace: ScratchWorkspace
    private let scans: URL

    init() throws {
        workspace = try ScratchWorkspace(hasDataset: false)
        scans = try workspace.makeScans()
        try Data("no picture".utf8).write(to: scans.appending(path: "images/p03.png"))
        try ScratchWorkspace.disc(5, from: 0, to: 255, size: 32).write(to: scans.appending(path: "masks/p05.png"))
        try FileManager.default.removeItem(at: scans.appending(path: "masks/p07.png"))
    }

    private func prepare(_ folder: URL, _ more: String...) async throws -> Program.Outcome {
        try await workspace.program().run(
            ["datasets", "prepare", folder.path, "--name", "discs", "--image-kind", "discs", "--foreground", "it"]
                + more)
    }

    @Test("are all listed by check, with their names")
    func check() async throws {
        let outcome = try await workspace.llmbench("datasets", "check", scans.path)
        #expect(outcome.status == 1)
        #expect(
            outcome.output.split(separator: "\n") == [
                "images/p03.png: it is not a readable PNG: not a PNG signature",
                "masks/p05.png: has 32×32 pixels, its image 64×64",
                "images/p07.png: there is no masks/p07.png for it",
                "9 sound pairs, 3 problems",
            ])
        #expect(outcome.lines == ["llmbench: \(scans.path) has 3 problems"])

        let json = try await workspace.llmbench("datasets", "check", scans.path, "--json")
        let problems = try #require(try json.object()["problems"] as? [[String: Any]])
        #expect(problems.compactMap { $0["file"] as? String } == ["images/p03.png", "masks/p05.png", "images/p07.png"])
        #expect(problems.compactMap { $0["kind"] as? String } == ["unreadable", "otherSize", "imageWithoutMask"])
        #expect(try json.object()["pairs"] as? Int == 9)
        #expect(json.status == 1)
    }

    @Test("are refused by prepare, which leaves nothing, and left out with --skip-bad, which says what")
    func prepare() async throws {
        let refused = try await prepare(scans)
        #expect(refused.status == 1)
        #expect(refused.lines.count == 1, "\(refused)")
        #expect(refused.errors.contains("3 files have problems, the first: images/p03.png"), "\(refused)")
        #expect(refused.errors.contains("--skip-bad"), "\(refused)")
        #expect(
            try FileManager.default.contentsOfDirectory(
                atPath: workspace.root.appending(path: "datasets").path
            ).isEmpty)

        let prepared = try await prepare(scans, "--skip-bad", "--json")
        #expect(prepared.status == 0, "\(prepared)")
        let left = prepared.lines.filter { $0.hasPrefix("left out: ") }
        #expect(left.count == 3 && left[1].contains("masks/p05.png"), "\(prepared)")
        let listed = try await workspace.llmbench("datasets", "list", "--json").objects()
        #expect(listed.count == 1 && listed[0]["name"] as? String == "discs")
        #expect((listed[0]["training"] as? Int ?? 0) + (listed[0]["held_out"] as? Int ?? 0) == 9)
        #expect(try await workspace.llmbench("datasets", "check", "discs").status == 0)

        let again = try await prepare(scans, "--skip-bad")
        #expect(again.status == 1)
        #expect(again.errors.contains("discs/ exists"), "\(again)")
    }

    @Test("that are empty folders are told by both")
    func empty() async throws {
        let hollow = workspace.scratch.url.appending(path: "hollow")
        for part in ["images", "masks"] {
            try FileManager.default.createDirectory(
                at: hollow.appending(path: part), withIntermediateDirectories: true)
        }
        let checked = try await workspace.llmbench("datasets", "check", hollow.path)
        #expect(checked.status == 1)
        #expect(checked.output.contains("images: the folder holds no usable PNG"), "\(checked)")
        #expect(checked.output.contains("masks: the folder holds no usable PNG"), "\(checked)")
        for outcome in [try await prepare(hollow), try await prepare(hollow, "--skip-bad")] {
            #expect(outcome.status == 1)
            #expect(outcome.lines.count == 1 && outcome.errors.contains("holds no usable PNG"), "\(outcome)")
            #expect(!outcome.errors.contains("--skip-bad"), "\(outcome)")
        }
    }
}
