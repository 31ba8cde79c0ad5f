import Foundation
import GRDB
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
        try Data([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]).write(to: URL(filePath: path(file)))
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
        #expect(try Data(contentsOf: URL(filePath: path(file))).count > 8)
        // A picture is replaced, anything else is not.
        let notes = Data("my notes".utf8)
        try notes.write(to: URL(filePath: path("notes.txt")))
        FailureTests.expect(
            try await workspace.program().run(["datasets", "preview", "disc", "--out", "notes.txt"]),
            FailureSpecification(
                name: "", arguments: ["datasets", "preview", "disc", "--out", "notes.txt"], status: 2,
                says: ["notes.txt exists, is no PNG and was left as it is"]))
        #expect(try Data(contentsOf: URL(filePath: path("notes.txt"))) == notes)
        let again = try await workspace.llmbench("datasets", "preview", "disc", "--out", file)
        #expect(again.status == 0, "\(again)")
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

    @Test("on a full standard output is not lost without a word")
    func fullStandardOutput() async throws {
        let workspace = try ScratchWorkspace()
        #expect(try await workspace.makeStudy().status == 1)
        for arguments in [
            ["report", "all"], ["report", "all", "--format", "csv"], ["report", "all", "--json"], ["models", "list"],
            ["models", "list", "--json"], ["datasets", "list"], ["help"], ["report", "--help"],
        ] {
            let outcome = try await workspace.shell(#"exec "$0" "$@" > /dev/full"#, arguments)
            FailureTests.expect(
                outcome,
                FailureSpecification(
                    name: "", arguments: arguments, status: 3,
                    says: ["standard output could not be written (No space left on device)"]))
        }
        let closed = try await workspace.shell(#"exec "$0" "$@" >&-"#, ["models", "list"])
        #expect(closed.status == 3 && closed.errors.contains("Bad file descriptor"), "\(closed)")
        // What is shorter than a pipe arrives whole.
        let whole = try await workspace.llmbench("report", "all", "--format", "csv")
        let piped = try await workspace.shell(#""$0" "$@" | cat"#, ["report", "all", "--format", "csv"])
        #expect(whole.output == piped.output && !whole.output.isEmpty)
    }

    @Test("is a database of its own: another program's, a folder, a broken link are refused and left", arguments: 0..<3)
    func strangeDatabase(kind: Int) async throws {
        let workspace = try ScratchWorkspace()
        let database = workspace.root.appending(path: "results/S/bench.sqlite")
        try FileManager.default.createDirectory(
            at: database.deletingLastPathComponent(), withIntermediateDirectories: true)
        switch kind {
        case 0:
            let queue = try DatabaseQueue(path: database.path)
            try await queue.write { try $0.execute(sql: "CREATE TABLE foo (a); PRAGMA user_version = 3") }
            try queue.close()
        case 1: try FileManager.default.createDirectory(at: database, withIntermediateDirectories: false)
        default:
            try FileManager.default.createSymbolicLink(atPath: database.path, withDestinationPath: "/nowhere/at/all")
        }
        let before = try? Data(contentsOf: database)
        let said = ["is a database of something else than llmbench", "is a folder", "is a symbolic link to nothing"]
        let generate = ["generate", "--model", "fixture-prose", "--dataset", "disc"]
        // Where a link leads nowhere there is no study to read.
        for arguments in kind == 2 ? [generate] : [["polygon", "list"], ["report", "all"], ["audit"], generate] {
            FailureTests.expect(
                try await workspace.program().run(arguments + ["--study", "S"]),
                FailureSpecification(
                    name: "", arguments: arguments, status: 3,
                    says: [database.path, said[kind], "was left untouched", "--study"]))
        }
        #expect((try? Data(contentsOf: database)) == before)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: database.deletingLastPathComponent().path).allSatisfy {
                !$0.hasSuffix("-wal") && !$0.hasSuffix(".lock")
            })
    }

    @Test("as a database that was cut short or overwritten is called damaged")
    func damagedDatabase() async throws {
        let workspace = try ScratchWorkspace()
        #expect(try await workspace.makeStudy().status == 1)
        let database = workspace.root.appending(path: "results/default/bench.sqlite")
        let whole = try Data(contentsOf: database)
        var overwritten = whole
        overwritten.replaceSubrange(4096..<whole.count, with: Data(repeating: 0x41, count: whole.count - 4096))
        for damaged in [Data(whole.prefix(4096 * 3)), overwritten] {
            try damaged.write(to: database)
            FailureTests.expect(
                try await workspace.llmbench("report", "all"),
                FailureSpecification(
                    name: "", arguments: [], status: 3,
                    says: [database.path, "is damaged or was cut short", "put back a copy"]))
        }
    }

    @Test("and has no folder for is said in words, as the harness's fault")
    func noFolder() async throws {
        let workspace = try ScratchWorkspace()
        // A file where a folder is needed stops root too.
        try Data().write(to: workspace.root.appending(path: "results"))
        try """
        name: small
        models: [{card: fixture-prose}]
        datasets: [disc]

        """.write(to: workspace.root.appending(path: "small.yaml"), atomically: true, encoding: .utf8)
        for arguments in [
            ["generate", "--model", "fixture-prose", "--dataset", "disc"],
            ["polygon", "draw", "--model", "control-ellipse", "--dataset", "disc", "--study", "newone"],
            ["study", "run", "small.yaml"],
        ] {
            let outcome = try await workspace.program().run(arguments)
            FailureTests.expect(
                outcome,
                FailureSpecification(
                    name: "", arguments: arguments, status: 3, says: ["/results/", "see to", "use another --study"]))
            #expect(!outcome.errors.contains("NSCocoaErrorDomain"), "\(outcome)")
        }
    }

    @Test("as a workbook replaces an older one whole, or not at all where there is no room")
    func fullWorkbook() async throws {
        let workspace = try ScratchWorkspace()
        #expect(try await workspace.makeStudy().status == 1)
        let script = """
            exec bwrap --dev-bind / / --size 8388608 --tmpfs /mnt -- sh -c '
              "$0" report all --format "$1" --output /mnt > /dev/null || exit 70
              rm -f /mnt/manifest.json
              find /mnt -type f -exec sha256sum {} + | sort > "$2/before"
              head -c 9000000 /dev/zero > /mnt/filler 2> /dev/null
              "$0" report all --format "$1" --output /mnt; status=$?
              rm -f /mnt/filler /mnt/manifest.json
              find /mnt -type f -exec sha256sum {} + | sort > "$2/after"
              cmp "$2/before" "$2/after" || exit 71
              test -s "$2/before" || exit 72
              exit $status' "$0" "$@"
            """
        for format in ["xlsx", "png", "html"] {
            let outcome = try await workspace.shell(script, [format, workspace.scratch.url.path])
            FailureTests.expect(
                outcome,
                FailureSpecification(
                    name: format, arguments: [], status: 3,
                    says: ["/mnt/", " could not be written: No space left on device"]))
        }
    }

    @Test("as a page never replaces one that no report wrote")
    func foreignPage() async throws {
        let workspace = try ScratchWorkspace()
        #expect(try await workspace.makeStudy().status == 1)
        let index = workspace.root.appending(path: "site/index.html")
        try FileManager.default.createDirectory(
            at: index.deletingLastPathComponent(), withIntermediateDirectories: true)
        let mine = Data("<!doctype html><title>Mine</title>".utf8)
        try mine.write(to: index)
        FailureTests.expect(
            try await workspace.llmbench("report", "html", "--output", "site"),
            FailureSpecification(
                name: "", arguments: [], status: 2,
                says: ["site/index.html is no page of a report and was left as it is", "--output"]))
        #expect(try Data(contentsOf: index) == mine)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: index.deletingLastPathComponent().path) == [
                "index.html"
            ])
        // Its own it replaces.
        for _ in 0..<2 {
            let written = try await workspace.llmbench("report", "html", "--output", "own")
            #expect(written.status == 0, "\(written)")
        }
    }
}
