import Foundation
import Testing

@Suite("The recordings of the fixtures")
struct RecordingsTests {
    @Test("equal their sources: scripts/make-recordings --check")
    func check() async throws {
        let script = Program(
            executable: Checkout.root.appending(path: "scripts/make-recordings"), folder: Checkout.root)
        let outcome = try await script.run(["--check"])
        #expect(outcome.status == 0, "\(outcome)")
    }

    @Test("differ from a source that was changed: the check names the file and the remedy")
    func stale() async throws {
        let scratch = try Scratch()
        for name in ["scripts/make-recordings", "recordings"] {
            let copy = scratch.url.appending(path: name)
            try FileManager.default.createDirectory(
                at: copy.deletingLastPathComponent(), withIntermediateDirectories: true)
            try FileManager.default.copyItem(at: Checkout.root.appending(path: name), to: copy)
        }
        try "Another reply.\n".write(
            to: scratch.url.appending(path: "recordings/sources/fixture-steady/reply-00.md"), atomically: true,
            encoding: .utf8)
        let outcome = try await Program(
            executable: scratch.url.appending(path: "scripts/make-recordings"), folder: scratch.url
        ).run(["--check"])
        #expect(outcome.status == 1)
        #expect(
            outcome.lines == [
                "differs from its source: fixture-steady.jsonl; run scripts/make-recordings"
            ], "\(outcome)")
    }
}
