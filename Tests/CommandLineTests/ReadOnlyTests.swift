import Foundation
import Testing

/// A study on a medium that is read-only, or of a colleague.
@Suite("A study that cannot be written")
struct ReadOnlyTests {
    /// Runs the program where the workspace is mounted read-only; root is bound by that, too.
    private static let script = #"exec bwrap --dev-bind / / --ro-bind "$PWD" "$PWD" "$0" "$@""#

    /// Without the time of the audit.
    private func masked(_ text: String) -> String {
        text.replacing(/[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z/, with: "TIME")
    }

    @Test("is read as another one is, and its copy is gone afterwards")
    func read() async throws {
        let workspace = try ScratchWorkspace()
        try """
        name: small
        models: [{card: fixture-prose}]
        datasets: [disc]
        rounds: {max: 0}

        """.write(to: workspace.root.appending(path: "small.yaml"), atomically: true, encoding: .utf8)
        let run = try await workspace.llmbench("study", "run", "small.yaml")
        #expect(run.status == 0, "\(run)")
        let drawn = try await workspace.llmbench(
            "polygon", "draw", "--model", "control-ellipse", "--dataset", "disc", "--study", "small")
        #expect(drawn.status == 0, "\(drawn)")
        let temporary = workspace.scratch.url.appending(path: "temporary", directoryHint: .isDirectory)
        try FileManager.default.createDirectory(at: temporary, withIntermediateDirectories: true)
        let before = workspace.files().map(\.path).sorted()
        for arguments in [
            ["report", "all", "--study", "small", "--format", "csv"], ["report", "errors", "--study", "small"],
            ["audit", "--study", "small"], ["polygon", "list", "--study", "small"], ["study", "status", "small"],
            ["study", "plan", "small.yaml"],
        ] {
            let written = try await workspace.program().run(arguments)
            let read = try await workspace.shell(
                Self.script, arguments, variables: ["TMPDIR": temporary.path(percentEncoded: false)])
            #expect(read.status == written.status && read.errors == written.errors, "\(arguments): \(read)")
            #expect(
                masked(read.output) == masked(written.output) && !(read.output + read.errors).isEmpty,
                "\(read)\n\(written)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: temporary.path).isEmpty, "\(arguments)")
        }
        #expect(workspace.files().map(\.path).sorted() == before)
    }

    @Test("is not added to, in one sentence")
    func written() async throws {
        let workspace = try ScratchWorkspace()
        #expect(try await workspace.makeStudy().status == 1)
        for (arguments, says) in [
            (
                ["generate", "--model", "fixture-prose", "--dataset", "disc", "--runs", "3", "--max-rounds", "0"],
                ["cannot lock ", ": Read-only file system; see to its folder"]
            ),
            (
                ["polygon", "draw", "--model", "control-ellipse", "--dataset", "disc"],
                ["bench.sqlite cannot be opened or made: Read-only file system", "--workspace"]
            ),
        ] {
            FailureTests.expect(
                try await workspace.shell(Self.script, arguments),
                FailureSpecification(
                    name: "", arguments: arguments, status: 3, says: says))
        }
    }
}
