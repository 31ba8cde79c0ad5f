import Foundation
import GRDB
import Testing

/// A complete call of prepare, to which a wrong option is added.
private let prepare = ["datasets", "prepare", ".", "--name", "n", "--image-kind", "scans", "--foreground", "it"]

/// What a user sees who asked for something that cannot be: one line that says what, where and what to do, and the exit status.
@Suite("A failure on the command line")
struct FailureTests {
    @Test("without a study", arguments: FailureSpecification.withoutStudy)
    func withoutStudy(_ wanted: FailureSpecification) async throws {
        let workspace = try ScratchWorkspace()
        var program = try workspace.program(wanted.variables)
        if let folder = wanted.folder { program.folder = URL(filePath: folder, directoryHint: .isDirectory) }
        Self.expect(try await program.run(wanted.arguments), wanted)
    }

    @Test(
        "that the parser finds names the culprit first, shows the usage, and is exit 2",
        arguments: [
            (["conquer"], "Error: Unexpected argument 'conquer'"),
            (["models", "list", "--nosuch"], "Error: Unknown option '--nosuch'"),
            (["report", "moods"], "Error: The value 'moods' is invalid for '<subject>'"),
            (["report", "html", "--format", "csv"], "Error: `report html` writes pages and takes no --format csv"),
            (["view", "--port", "70000"], "Error: The value '70000' is invalid for '--port <port>'"),
            (
                ["generate", "--model", "m", "--unsafe-no-sandbox", "--gpu"],
                "Error: --unsafe-no-sandbox leaves no sandbox for --limits-by or --gpu to steer: drop one of them"
            ),
            (
                ["train", "r", "--unsafe-no-sandbox", "--limits-by", "watchdog"],
                "Error: --unsafe-no-sandbox leaves no sandbox for --limits-by or --gpu to steer: drop one of them"
            ),
            (["generate"], "Error: Missing expected argument '--model <model>'"),
            (["generate", "--model", "m", "--runs", "-1"], "Error: --runs -1: give a number from 1 to 99"),
            (["report", "--all", "-1"], "Error: Unknown option '--all"),
            (
                ["report", "errors", "--output", "there"],
                "Error: --output is where --format xlsx, latex, png, svg, pdf, figures and html write; text, CSV and JSON go to standard output: `llmbench report errors > FILE`"
            ),
            (
                ["report", "errors", "--json", "--format", "csv"],
                "Error: --json and --format csv ask for two things: give one of them"
            ),
            (["generate", "--model", "m", "--runs", "0"], "Error: --runs 0: give a number from 1 to 99"),
            (["train", "r", "--epochs", "none"], "Error: --epochs none: give 'own' or a number from 1 on"),
            (
                ["baseline", "nnunet", "--epochs", "2", "--minutes", "1"],
                "Error: --epochs and --minutes exclude each other: give one limit"
            ),
            (
                ["baseline", "nnunet", "--engine", "swift", "--minutes", "1"],
                "Error: --engine swift trains so many epochs: give --epochs in place of --minutes"
            ),
            (
                ["baseline", "nnunet", "--engine", "swift", "--device", "cuda"],
                "Error: --engine swift trains on the CPU: leave --device out"
            ),
            (
                ["baseline", "nnunet", "--engine", "swift", "--workers", "2"],
                "Error: --engine swift makes its patches itself: leave --workers out"
            ),
            (
                ["generate", "--model", "fixture-never", "--target", "jax"],
                "Error: there is no target 'jax': this version knows pytorch, tensorflow or swift"
            ),
            (
                ["polygon", "draw", "--model", "m", "--shape", "blob"],
                "Error: --shape blob: give polygon, box or point"
            ),
            (["polygon", "draw", "--model", "m", "--draws", "0"], "Error: --draws 0: give a number from 1 to 64"),
            (["polygon", "draw", "--model", "m", "--size", "8"], "Error: --size 8: give a number from 64 to 4096"),
            (
                ["polygon", "draw", "--model", "m", "--coordinates", "percent"],
                "Error: --coordinates percent: give pixels, unit or thousandths"
            ),
            (["polygon", "draw", "--model", "m", "--budget", "0"], "Error: --budget 0.0: give an amount above 0"),
            (["polygon", "draw", "--model", "m", "--turns", "0"], "Error: --turns 0: give a number from 1 to 8"),
            (["polygon", "draw", "--model", "m", "--gate", "x"], "Error: --gate x: give boundary-contrast or"),
            (["polygon", "draw", "--model", "m", "--limit", "0"], "Error: --limit 0: give a number from 1 on"),
            (
                ["polygon", "refine", "--model", "m", "--labels", "41"],
                "Error: --labels 41: give a number from 2 to 40"
            ),
            (["polygon", "gates", "--plain", "a"], "Error: --plain needs --skilled or --refine-with"),
            (["study", "plan", "demo", "--epochs", "0"], "Error: --epochs 0: give a number from 1 to 100000"),
            (["baseline", "nnunet", "--batch-size", "1"], "Error: --batch-size 1: give a number from 2 to 4096"),
            (["report", "--study", "../up"], "Error: the study's name '../up' has characters"),
            (["report", "--study", String(repeating: "a", count: 65)], "Error: the study's name has 65 characters"),
            (
                ["study", "plan", "demo", "--study", String(repeating: "a", count: 200)],
                "Error: the study's name has 200 characters: give one of at most 64"
            ),
            (["report", "--study", ""], "Error: the study's name is empty"),
            (["report", "--study", "a\u{1b}[31mb"], "Error: the study's name 'a[31mb' has characters"),
            (["polygon", "sweep", "--budget", "10,25,10"], "Error: --budget: 10 stands twice"),
            (["polygon", "demo", "--budget", "10,10"], "Error: --budget: 10 stands twice"),
            (["polygon", "sweep", "--seeds", "99999999999"], "Error: 99999999999 seeds are more than a sweep trains"),
            (["polygon", "sweep", "--size", "16000"], "Error: images of 16000×16000 pixels are outside of what"),
            (["bench", "metrics", "--rounds", "99999999999999"], "Error: --rounds 99999999999999: give a number from"),
            (["bench", "step", "--repeats", "0"], "Error: --repeats 0: give a number from 1 to 10000"),
            (["datasets", "check", ""], "Error: the target is empty"),
            (prepare + ["--title", ""], "Error: --title is empty: give a text, or leave it out"),
            (
                ["datasets", "prepare", ".", "--name", "n", "--image-kind", " ", "--foreground", "it"],
                "Error: --image-kind is empty: give a text"
            ),
            (prepare + ["--held-out", "2"], "Error: --held-out 2.0: give a fraction between 0 and 1"),
            (prepare + ["--group-by", "("], "Error: --group-by '(': give a regular expression"),
            (["bench", "step", "--size", "33"], "Error: the size 33 is no multiple of 16"),
            (["bench", "metrics", "--size", "8"], "Error: the size is 16 to 4096"),
        ])
    func parser(arguments: [String], sentence: String) async throws {
        let outcome = try await Program.llmbench(in: Scratch().url.deletingLastPathComponent()).run(arguments)
        #expect(outcome.status == 2, "\(outcome)")
        #expect(outcome.output.isEmpty, "\(outcome)")
        #expect(outcome.lines.first?.hasPrefix(sentence) == true, "\(outcome)")
        #expect(outcome.errors.contains("Usage: llmbench "), "\(outcome)")
        #expect(!outcome.errors.contains("\u{1b}"), "\(outcome)")
    }

    @Test("of the interpreter leaves no reply behind, and no capture or training begins")
    func interpreter() async throws {
        let workspace = try ScratchWorkspace()
        #expect(try await workspace.makeStudy().status == 1)
        for arguments in [
            ["generate", "--model", "fixture-steady", "--dataset", "disc"], ["capture", "run-01"], ["train", "run-01"],
        ] {
            Self.expect(
                try await workspace.program(["LLMBENCH_PYTHON": "/bin/false"]).run(arguments),
                FailureSpecification(
                    name: "", arguments: arguments, status: 3,
                    says: ["/bin/false does not run Python 3; check LLMBENCH_PYTHON"]))
        }
        #expect(!workspace.files().contains { $0.path.contains("generated/default/disc/fixture-steady/") })
    }

    @Test("of a run's name: unknown, ambiguous, without code, without training")
    func runs() async throws {
        let workspace = try ScratchWorkspace()
        #expect(try await workspace.makeStudy().status == 1)
        for wanted in [
            FailureSpecification(
                name: "unknown", arguments: ["train", "run-07"], status: 2,
                says: ["study 'default' has no run 'run-07'", "llmbench generate"]),
            FailureSpecification(
                name: "ambiguous", arguments: ["train", "fixture-prose"], status: 2,
                says: ["'fixture-prose' fits 2 runs", "name more of the path", "/run-01", "/run-02"]),
            FailureSpecification(
                name: "no code", arguments: ["capture", "run-02"], status: 2,
                says: ["fixture-prose/pytorch/", "/run-02 has no final files", "llmbench generate"]),
            FailureSpecification(
                name: "no code to train, and nothing done", arguments: ["train", "run-02"], status: 2,
                says: ["/run-02 has no final files"]),
            FailureSpecification(
                name: "no training", arguments: ["evaluate", "run-01"], status: 2,
                says: ["/run-01 has no such training", "run `llmbench train default/disc/fixture-prose/pytorch/"]),
        ] {
            Self.expect(try await workspace.program().run(wanted.arguments), wanted)
        }
    }

    @Test(
        "of a report that cannot be written names the place and the reason", arguments: ["html", "xlsx", "png", "svg"])
    func unwritable(format: String) async throws {
        let workspace = try ScratchWorkspace()
        #expect(try await workspace.makeStudy().status == 1)
        // A file where a folder is needed stops root too.
        let arguments = ["report", "all", "--format", format, "--output", "models.yaml/report"]
        Self.expect(
            try await workspace.program().run(arguments),
            FailureSpecification(
                name: "", arguments: arguments, status: 3, says: ["models.yaml/report", " could not be written: "]))
    }

    @Test("of the database: a newer version or no database at all is refused and left as it is")
    func database() async throws {
        let workspace = try ScratchWorkspace()
        #expect(try await workspace.makeStudy().status == 1)
        let database = workspace.root.appending(path: "results/default/bench.sqlite")
        let newer = try DatabaseQueue(path: database.path)
        try await newer.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA journal_mode = DELETE")
            try db.execute(sql: "INSERT INTO grdb_migrations VALUES ('v99')")
            try db.execute(sql: "PRAGMA user_version = 99")
        }
        try newer.close()
        for sentence in ["was written by a newer llmbench and was left untouched", "is not a SQLite database"] {
            let before = try Data(contentsOf: database)
            for arguments in [
                ["report", "all"], ["train", "run-01"], ["generate", "--model", "fixture-prose", "--dataset", "disc"],
            ] {
                Self.expect(
                    try await workspace.program().run(arguments),
                    FailureSpecification(
                        name: "", arguments: arguments, status: 3, says: [database.path, sentence, "--study"])
                )
            }
            #expect(try Data(contentsOf: database) == before)
            try Data("no database".utf8).write(to: database)
        }
    }

    /// One line, nothing else, and no other variable's value in it.
    static func expect(_ outcome: Program.Outcome, _ wanted: FailureSpecification) {
        #expect(outcome.status == wanted.status, "\(outcome)")
        #expect(outcome.output.isEmpty, "\(outcome)")
        #expect(outcome.lines.count == 1, "\(outcome)")
        #expect(outcome.errors.hasPrefix("llmbench: "), "\(outcome)")
        #expect(!outcome.errors.contains("\u{1b}"), "what steers a terminal: \(outcome)")
        #expect(!outcome.errors.contains("Domain="), "an error of the system, as it is: \(outcome)")
        for part in wanted.says { #expect(outcome.errors.contains(part), "\(outcome)") }
        for (name, value) in wanted.variables where name.hasSuffix("_KEY") {
            #expect(!outcome.errors.contains(value), "\(outcome)")
        }
    }
}
