import Foundation
import Testing

/// What commands print when all is well, and the field names that Documentation/CommandLine.md promises to scripts.
@Suite("A result on the command line")
struct ResultTests {
    private static let model = Checkout.fixture("pipelines/transposed-logits/model.py").path
    private static let traceback = Checkout.fixture("errors/outputs/bce-range/stderr")

    @Test(
        "Help is no failure",
        arguments: [
            [], ["--help"], ["help", "generate"], ["generate", "--help"], ["datasets", "prepare", "--help"],
            ["bench", "conv", "-h"],
        ])
    func help(arguments: [String]) async throws {
        let outcome = try await Program.llmbench(in: Scratch().url.deletingLastPathComponent()).run(arguments)
        #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome)")
        #expect(outcome.output.contains("USAGE: llmbench "), "\(outcome)")
    }

    @Test("Every command's help shows an example that begins with its name")
    func examples() async throws {
        let program = try Program.llmbench(in: Scratch().url.deletingLastPathComponent())
        for command in [
            "doctor", "demo", "models", "datasets", "generate", "capture", "train", "evaluate", "baseline", "polygon",
            "report",
            "view",
            "diagnose", "unet", "bench", "stats", "audit",
        ] {
            let help = try await program.run([command, "--help"]).output
            let before = help.components(separatedBy: "USAGE:")[0]
            #expect(before.contains("llmbench \(command)"), "\(help)")
        }
    }

    @Test("bench roofline --json has products a second, and bytes a second for three sizes")
    func roofline() async throws {
        let program = try Program.llmbench(in: Scratch().url.deletingLastPathComponent())
        let roofs = try await program.run(["bench", "roofline", "--threads", "1", "--json"]).object()
        #expect(Set(roofs.keys) == ["threads", "gigaflops", "traffic"])
        #expect(roofs["threads"] as? Int == 1)
        #expect(try #require(roofs["gigaflops"] as? Double) > 0)
        let traffic = try #require(roofs["traffic"] as? [[String: Any]])
        #expect(traffic.map { $0["mebibytes"] as? Int } == [1, 8, 128])
        for row in traffic {
            #expect(Set(row.keys) == ["mebibytes", "read_gigabytes", "copy_gigabytes"])
            #expect(try #require(row["read_gigabytes"] as? Double) > 0)
            #expect(try #require(row["copy_gigabytes"] as? Double) > 0)
        }
    }

    @Test("diagnose names the error of a file and of standard input alike")
    func diagnose() async throws {
        let program = try Program.llmbench(in: Scratch().url.deletingLastPathComponent())
        let text = try String(contentsOf: Self.traceback, encoding: .utf8)
        let fromFile = try await program.run(["diagnose", Self.traceback.path, "--json"])
        let fromInput = try await program.run(["diagnose", "-", "--json"], input: text)
        #expect(fromFile.status == 0 && fromFile.output == fromInput.output, "\(fromFile)\n\(fromInput)")
        let answer = try fromFile.object()
        #expect(Set(answer.keys) == ["class", "subcategory", "message", "frame", "signature"])
        #expect(answer["class"] as? String == "RuntimeError")
        #expect(answer["message"] as? String == "all elements of input should be between 0 and 1")
        let frame = try #require(answer["frame"] as? [String: Any])
        #expect(frame["file"] as? String == "main.py" && frame["line"] as? Int == 2)
        let shown = try await program.run(["diagnose", "-"], input: text)
        #expect(shown.output.hasPrefix("class        RuntimeError\n"), "\(shown)")
        let nothing = try await program.run(["diagnose", "-"], input: "epoch 1: loss 0.3\n")
        #expect(
            nothing.status == 1 && nothing.lines == ["llmbench: the input shows no Python or Swift error"], "\(nothing)"
        )
    }

    @Test(
        "models list and datasets list --json name what the workspace holds, and whether a key is there, never the key")
    func lists() async throws {
        let workspace = try ScratchWorkspace()
        let models = try await workspace.llmbench(
            "models", "list", "--json", variables: ["SCRATCH_KEY": "secret-31415"])
        let cards = try models.objects()
        #expect(
            cards.compactMap { $0["id"] as? String }
                == [
                    "fixture-steady", "fixture-never", "fixture-swift", "fixture-prose", "fixture-lost", "remote",
                    "keyless", "fixture-tracer", "seer",
                ])
        #expect(cards[5]["key"] as? String == "set")
        #expect(cards[6]["key"] == nil)
        #expect(!models.output.contains("secret-31415"))
        let shown = try await workspace.llmbench("models", "show", "remote", "--json").object()
        #expect(shown["key"] as? String == "missing" && shown["vendor"] as? String == "nobody")

        let sets = try await workspace.llmbench("datasets", "list", "--json").objects()
        #expect(sets.count == 1)
        #expect(Set(sets[0].keys) == ["name", "title", "training", "held_out"])
        #expect(sets[0]["training"] as? Int == 9 && sets[0]["held_out"] as? Int == 3)
        let disc = try await workspace.llmbench("datasets", "show", "disc", "--json")
        #expect(disc.status == 0)
        #expect(try !disc.object().isEmpty)
    }

    @Test("generate and report --json tell the same story of a study")
    func study() async throws {
        let workspace = try ScratchWorkspace()
        let generated = try await workspace.llmbench(
            "generate", "--model", "fixture-prose", "--dataset", "disc", "--max-rounds", "0", "--json")
        #expect(generated.status == 1, "\(generated)")
        let run = try #require(try generated.objects().first)
        #expect(run["status"] as? String == "round limit")
        #expect(run["errors"] as? [String: Int] == ["ExtractionError": 1])
        #expect(run["replies"] as? Int == 1 && run["feedbacks"] as? Int == 0)
        #expect(run["fixture"] as? Bool == true)
        let path = try #require(run["run"] as? String)
        #expect(path.hasPrefix("default/disc/fixture-prose/pytorch/") && path.hasSuffix("/run-01"))
        #expect(
            FileManager.default.fileExists(
                atPath: workspace.root.appending(path: "generated/\(path)/round-00/reply.md").path))

        for arguments in [["report", "all", "--json"], ["report", "all", "--format", "json"]] {
            let report = try await workspace.program().run(arguments)
            #expect(report.status == 0, "\(report)")
            let tables = try report.objects()
            let names = tables.compactMap { $0["name"] as? String }
            #expect(Set(["errors", "architectures", "dice", "engines"]).isSubset(of: names), "\(names)")
            let errors = try #require(tables.first { $0["name"] as? String == "errors" }?["rows"] as? [[String: Any]])
            #expect(errors.count == 1)
            #expect(errors[0]["extraction_errors"] as? Int == 1 && errors[0]["outcome"] as? String == "round limit")
        }
        let one = try await workspace.llmbench("report", "errors", "--json").objects()
        #expect(one.compactMap { $0["name"] as? String }.first == "errors")
        let none = try await workspace.llmbench("evaluate", "run-01", "--json")
        #expect(none.status == 2 && none.output.isEmpty, "\(none)")
    }

    @Test("doctor --json names each check, and exits with 3 where one fails")
    func doctor() async throws {
        let workspace = try ScratchWorkspace()
        let broken = try await workspace.llmbench(
            "doctor", "--json", variables: ["LLMBENCH_PYTHON": "/nowhere/python", "SCRATCH_KEY": "secret-31415"])
        #expect(broken.status == 3 && broken.lines.last == "llmbench: not ready: Python", "\(broken)")
        let checks = try broken.objects()
        let python = try #require(checks.first { $0["name"] as? String == "Python" })
        #expect(python["status"] as? String == "missing" && python["remedy"] as? String == "scripts/setup")
        let keys = try #require(checks.first { $0["name"] as? String == "keys" })
        #expect(keys["detail"] as? String == "set: SCRATCH_KEY; not set: none")
        #expect(!broken.output.contains("secret-31415") && !broken.errors.contains("secret-31415"))
    }

    @Test("bench metrics --json has the promised fields, and our distances are scipy's")
    func benchMetrics() async throws {
        let outcome = try await Program.llmbench(in: Checkout.root).run(
            ["bench", "metrics", "--size", "64", "--rounds", "1", "--json"])
        #expect(outcome.status == 0, "\(outcome)")
        let rows = try outcome.objects()
        #expect(rows.count == 4)
        for row in rows {
            let (ours, theirs) = (row["ours_s"] as? Double ?? 0, row["theirs_s"] as? Double ?? 0)
            let ratio = try #require(row["ratio"] as? Double)
            #expect(ours > 0 && theirs > 0 && abs(ratio / (theirs / ours) - 1) < 1e-9, "\(row)")
            #expect(try #require(row["max_difference"] as? Double) <= 1e-6)
            #expect(try #require(row["hd95"] as? Double) > 0)
        }
    }

    @Test("unet describe --json has the promised fields, with the numbers counted by hand")
    func describe() async throws {
        let outcome = try await Program.llmbench(in: Checkout.root).run(["unet", "describe", Self.model, "--json"])
        #expect(outcome.status == 0, "\(outcome)")
        let found = try outcome.object()
        let promised: Set = [
            "trainable_parameters", "encoder_stages", "decoder_stages", "encoder_channels", "decoder_channels",
            "bottleneck_channels", "conv_block", "normalization", "upsampling", "skip", "final_layer",
            "output_activation",
        ]
        #expect(promised.subtracting(found.keys).isEmpty, "\(outcome)")
        #expect(found["trainable_parameters"] as? Int == 121_033)
        #expect(found["encoder_channels"] as? [Int] == [8, 16, 32])
        #expect(found["upsampling"] as? String == "transposed")
    }

    @Test("unet verify --json has the promised fields and exits with 0 because both errors are small")
    func verify() async throws {
        let outcome = try await Program.llmbench(in: Checkout.root).run(["unet", "verify", Self.model, "--json"])
        #expect(outcome.status == 0, "\(outcome)")
        let found = try outcome.object()
        let errors = ["forward_error", "gradient_error"].compactMap { found[$0] as? Double }
        #expect(errors.count == 2 && errors.allSatisfy { $0 > 0 && $0 < 1e-3 }, "\(outcome)")
        #expect(found["agrees"] as? Bool == true)
    }

    @Test(
        "bench --json has the promised fields; those of the comparison only where there is one",
        arguments: [["step"], ["infer"], ["conv"], ["step", "--against", "pytorch"]])
    func bench(arguments: [String]) async throws {
        let outcome = try await Program.llmbench(in: Checkout.root).run(
            ["bench"] + arguments
                + ["--base", "4", "--size", "32", "--batch", "1", "--rounds", "1", "--repeats", "1", "--json"])
        #expect(outcome.status == 0, "\(outcome)")
        let found = try outcome.object()
        #expect(try #require(found["ours_s"] as? Double) > 0)
        let comparison = ["theirs_s", "ratio", "max_difference"].compactMap { found[$0] as? Double }
        #expect(comparison.count == (arguments.count > 1 ? 3 : 0), "\(outcome)")
        if let difference = comparison.last { #expect(difference < 1e-3) }
    }

    @Test("On a terminal there is colour, and none with NO_COLOR")
    func colour() async throws {
        let workspace = try ScratchWorkspace()
        // `script` gives the program a terminal of its own.
        let llmbench = try workspace.program()
        var terminal = Program(executable: URL(filePath: "/usr/bin/script"), folder: workspace.root)
        let arguments = ["-qec", "'\(llmbench.executable.path)' models list", "/dev/null"]
        terminal.variables = ["TERM": "xterm"]
        #expect(try await terminal.run(arguments).output.contains("\u{1b}[1mmodel"))
        for plain in [["TERM": "xterm", "NO_COLOR": "1"], ["TERM": "dumb"]] {
            terminal.variables = plain
            let outcome = try await terminal.run(arguments)
            #expect(outcome.output.contains("fixture-never") && !outcome.output.contains("\u{1b}["), "\(outcome)")
        }
        // Nor is a bar moved about on a terminal that cannot.
        for (kind, moves) in [("xterm", true), ("dumb", false)] {
            terminal.variables = ["TERM": kind]
            let drawn = try await terminal.run([
                "-qec",
                "'\(llmbench.executable.path)' polygon draw --model control-ellipse --dataset disc --study \(kind)",
                "/dev/null",
            ])
            #expect(drawn.status == 0 && drawn.output.contains("\u{1b}[K") == moves, "\(drawn)")
        }
        #expect(try await !llmbench.run(["models", "list"]).output.contains("\u{1b}["))
    }

    @Test("The version is the changelog's")
    func version() async throws {
        let outcome = try await ScratchWorkspace().llmbench("--version")
        #expect(outcome.status == 0 && outcome.output == "llmbench 0.1.0-dev\n", "\(outcome)")
        let changes = try String(contentsOf: Checkout.root.appending(path: "CHANGELOG.md"), encoding: .utf8)
        #expect(changes.contains("## Unreleased (0.1.0-dev)"))
    }

    @Test("A study that is named has its file's path before what is wrong with it")
    func namedStudy() async throws {
        let workspace = try ScratchWorkspace()
        let studies = workspace.root.appending(path: "studies", directoryHint: .isDirectory)
        try FileManager.default.createDirectory(at: studies, withIntermediateDirectories: true)
        try "name: wrong\nmodels: [{card: fixture-prosa}]\ndatasets: [disc]\n".write(
            to: studies.appending(path: "wrong.yaml"), atomically: true, encoding: .utf8)
        for command in ["plan", "run"] {
            let outcome = try await workspace.llmbench("study", command, "wrong")
            #expect(outcome.status == 2 && outcome.errors.contains("llmbench: studies/wrong.yaml:2: "), "\(outcome)")
        }
    }
}
