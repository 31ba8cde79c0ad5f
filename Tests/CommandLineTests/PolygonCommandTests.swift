import Foundation
import GRDB
import Synchronization
import TestSupport
import Testing

@Suite("Polygons on the command line")
struct PolygonCommandTests {
    private static let square = #"{"polygons": [[[100, 160], [300, 160], [300, 350], [100, 350]]]}"#

    /// A workspace with the embedded dataset beside the discs.
    private func embedded() throws -> ScratchWorkspace {
        let workspace = try ScratchWorkspace(hasDataset: false)
        try FileManager.default.copyItem(
            at: Checkout.root.appending(path: "datasets/colin27-cerebellum"),
            to: workspace.root.appending(path: "datasets/colin27-cerebellum"))
        return workspace
    }

    @Test("the fixture draws the embedded slices, is read, refined on labels and gated, without a network")
    func fixture() async throws {
        let workspace = try embedded()
        let drawn = try await workspace.llmbench(
            "polygon", "draw", "--model", "fixture-tracer", "--draws", "3", "--limit", "10", "--json")
        #expect(drawn.status == 0, "\(drawn)")
        let summary = try #require(try drawn.objects().first)
        let totals = try #require(summary["totals"] as? [String: Any])
        #expect(summary["pictures"] as? Int == 10 && totals["requests"] as? Int == 30)
        let (read, failed) = (try #require(totals["drawn"] as? Int), try #require(totals["failed"] as? Int))
        #expect(read + failed == 30 && read > 15 && failed > 1)
        #expect((summary["failures"] as? [String: Int])?.values.reduce(0, +) == failed)
        #expect((summary["repairs"] as? [String: Int])?.isEmpty == false)
        let scores = try #require(summary["scores"] as? [[String: Any]])
        #expect(scores.compactMap { $0["combination"] as? String } == ["single", "mean", "majority", "staple"])
        let dice = try #require(scores.first?["dice"] as? Double)
        #expect(dice > 0.4 && dice < 0.95)

        let skilled = try await workspace.llmbench(
            "polygon", "draw", "--model", "fixture-tracer", "--draws", "3", "--limit", "10", "--skill", "mri")
        #expect(skilled.status == 0 && skilled.output.contains("say nothing about any model"), "\(skilled)")
        let gates = try await workspace.llmbench("polygon", "gates", "--json")
        let rows = try #require(try gates.objects().first?["rows"] as? [[String: Any]])
        #expect(
            Set(rows.compactMap { $0["gate"] as? String }) == [
                "self-consistency", "region darkness", "boundary contrast", "tissue window",
            ])
        for row in rows {
            let policies = ["dice_never", "dice_always", "dice_gated", "dice_oracle"].compactMap { row[$0] as? Double }
            #expect(policies.count == 4 && policies.allSatisfy { $0 <= policies[3] && $0 >= 0 })
        }

        let loop = try await workspace.llmbench(
            "polygon", "draw", "--model", "fixture-tracer", "--turns", "2", "--limit", "6", "--json")
        let turns = try #require(try loop.objects().first?["scores"] as? [[String: Any]], "\(loop)")
        #expect(turns.compactMap { $0["combination"] as? String } == ["single", "kept", "last"])
        let both = try await workspace.llmbench("polygon", "gates", "--format", "csv")
        #expect(both.output.contains(",loop,") && both.output.contains(",mri,"), "\(both)")

        let refined = try await workspace.llmbench(
            "polygon", "refine", "--model", "fixture-tracer", "--labels", "6", "--generations", "4", "--output",
            "r.json")
        #expect(refined.status == 0 && refined.output.contains("on "), "\(refined)")
        let again = try await workspace.llmbench(
            "polygon", "draw", "--model", "fixture-tracer", "--draws", "3", "--limit", "10", "--refine-with", "r.json",
            "--json")
        #expect(try again.objects().count == 2, "\(again)")
        let same = try #require(try again.objects()[0]["scores"] as? [[String: Any]])
        #expect(same.map { $0["dice"] as? Double } == scores.map { $0["dice"] as? Double })
        let list = try await workspace.llmbench("polygon", "list")
        #expect(list.status == 0 && list.output.contains("refined n"), "\(list)")
        let gated = try await workspace.llmbench(
            "polygon", "gates", "--plain", "fixture-tracer/polygon", "--refine-with", "r.json", "--format", "csv")
        #expect(gated.status == 2 && gated.errors.contains("fits 3 sets of drawings"), "\(gated)")
        let path = try #require(summary["set"] as? String)
        let named = try await workspace.llmbench(
            "polygon", "gates", "--plain", path, "--refine-with", "r.json", "--format", "csv")
        #expect(named.output.split(separator: "\r\n").count == 5, "\(named)")
    }

    @Test("a control needs no key; its refinement is of another dataset's no use")
    func control() async throws {
        let workspace = try ScratchWorkspace()
        let drawn = try await workspace.llmbench("polygon", "draw", "--model", "control-otsu", "--dataset", "disc")
        #expect(drawn.status == 0 && drawn.output.contains("disc/control-otsu/polygon/"), "\(drawn)")
        #expect(drawn.output.contains("1.000"), "\(drawn)")
        let ceiling = try await workspace.llmbench("polygon", "draw", "--model", "truth-30", "--dataset", "disc")
        #expect(ceiling.output.contains("drawn from the truth"), "\(ceiling)")
        let refined = try await workspace.llmbench(
            "polygon", "refine", "--model", "control-ellipse", "--dataset", "disc", "--labels", "4", "--generations",
            "2", "--output", "r.json")
        #expect(refined.status == 0, "\(refined)")
        _ = try await Self.prepare(workspace, "other")
        let other = try await workspace.llmbench(
            "polygon", "draw", "--model", "control-ellipse", "--dataset", "other", "--refine-with", "r.json")
        #expect(other.status == 2 && other.errors.contains("the refinement was fitted on disc"), "\(other)")
    }

    private static func prepare(_ workspace: ScratchWorkspace, _ name: String) async throws -> Program.Outcome {
        try await workspace.llmbench(
            "datasets", "prepare", try workspace.makeScans(name).path, "--name", name, "--image-kind", "scans",
            "--foreground", "it")
    }

    @Test("audit reads every drawing again, and says where a mask is not what its reply says")
    func audit() async throws {
        let server = try LoopbackServer { _, connection in
            connection.beginEventStream()
            connection.delta(Self.square, finish: "stop")
            connection.done()
        }
        defer { server.stop() }
        let workspace = try ScratchWorkspace(baseURL: server.baseURL)
        let drawn = try await workspace.llmbench(
            "polygon", "draw", "--model", "seer", "--dataset", "disc", "--skill", "pyramid", "--json")
        #expect(drawn.status == 0, "\(drawn)")
        let clean = try await workspace.llmbench("audit")
        #expect(clean.status == 0 && clean.output.hasPrefix("Audit of study default: clean"), "\(clean)")
        let queue = try DatabaseQueue(path: workspace.root.appending(path: "results/default/bench.sqlite").path)
        try await queue.write { db in
            try db.execute(
                sql: """
                    UPDATE drawing SET shape = '{"boxes":[[1,1,3,3]]}' WHERE id = (SELECT min(id) FROM drawing WHERE turn = 1)
                    """)
        }
        let found = try await workspace.llmbench("audit", "--json")
        #expect(
            found.status == 1 && found.output.contains("its stored shape is not the one that its reply gives"),
            "\(found)")
        #expect(found.output.contains("/turn-01") && found.output.contains(#""check" : "drawings""#), "\(found)")
    }

    @Test("--parallel that cannot be is a usage error")
    func parallelRange() async throws {
        let workspace = try ScratchWorkspace()
        for command in ["draw", "refine"] {
            let outcome = try await workspace.llmbench(
                "polygon", command, "--model", "control-otsu", "--dataset", "disc", "--parallel", "0")
            #expect(outcome.status == 2 && outcome.errors.contains("give a number from 1 to 64"), "\(outcome)")
        }
    }

    @Test(
        "a budget that is used up is exit 1 and one sentence; what was drawn is listed as unfinished, and is not wrong")
    func budget() async throws {
        let server = try LoopbackServer { _, connection in
            connection.beginEventStream()
            connection.delta(Self.square, finish: "stop")
            connection.usage(input: 400, output: 100)
            connection.done()
        }
        defer { server.stop() }
        let workspace = try ScratchWorkspace(baseURL: server.baseURL)
        let outcome = try await workspace.llmbench(
            "polygon", "draw", "--model", "seer", "--dataset", "disc", "--budget", "0.027")
        #expect(outcome.status == 1 && outcome.errors.contains("the budget of $0.0270 is reached"), "\(outcome)")
        #expect(server.requests.count == 1)
        let list = try await workspace.llmbench("polygon", "list", "--json")
        let set = try #require(try list.objects().first, "\(list)")
        #expect(set["finished"] as? Bool == false && set["unscored"] as? Int == 0 && set["pictures"] as? Int == 1)
        #expect((set["scores"] as? [[String: Any]])?.count == 1, "\(list)")
        let shown = try await workspace.llmbench("polygon", "list")
        #expect(
            shown.output.contains(" (unfinished) ")
                && shown.output.contains("the same `llmbench polygon draw` goes on"), "\(shown)")
        let audit = try await workspace.llmbench("audit")
        #expect(
            audit.status == 0 && audit.output.contains("its session is under way or was broken off: 1 drawings"),
            "\(audit)")
    }

    @Test("control characters of an answer never reach the terminal")
    func hostileText() async throws {
        let server = try LoopbackServer { _, connection in
            connection.beginEventStream()
            connection.delta("\u{1b}[31m\u{7}no shape\u{9b}2J", finish: "stop")
            connection.done()
        }
        defer { server.stop() }
        let workspace = try ScratchWorkspace(baseURL: server.baseURL)
        for arguments in [["--json"], []] {
            let outcome = try await workspace.program().run(
                ["polygon", "draw", "--model", "seer", "--dataset", "disc"] + arguments)
            #expect(outcome.status == 0, "\(outcome)")
            let text = outcome.output + outcome.errors
            #expect(!text.unicodeScalars.contains { $0.value < 32 && $0 != "\n" || (0x7F...0x9F).contains($0.value) })
        }
    }

    @Test("killed at random moments it pays for nothing twice and ends as if it had not been", arguments: [1, 3])
    func kills(parallel: Int) async throws {
        let server = try LoopbackServer { request, connection in
            connection.beginEventStream()
            var rest = Substring(Self.square)
            while !rest.isEmpty {
                let isLast = rest.count <= 16
                connection.delta(String(rest.prefix(16)), finish: isLast ? "stop" : nil)
                rest = rest.dropFirst(16)
                connection.pause(0.01)
            }
            connection.usage(input: 400, output: 100)
            connection.done()
        }
        defer { server.stop() }
        let arguments = [
            "polygon", "draw", "--model", "seer", "--dataset", "disc", "--draws", "4", "--parallel", "\(parallel)",
        ]
        let undisturbed = try ScratchWorkspace(baseURL: server.baseURL)
        #expect(try await undisturbed.program().run(arguments).status == 0)
        let planned = server.requests.count
        let workspace = try ScratchWorkspace(baseURL: server.baseURL)
        var random = SeededGenerator(seed: Trials.seed("killed drawings \(parallel)"))
        let kills = Trials.isVerifying ? 60 : 6
        for _ in 0..<kills {
            try await Self.kill(
                try workspace.program(), arguments, after: .milliseconds(Int.random(in: 50...700, using: &random)))
        }
        #expect(try await workspace.program().run(arguments).status == 0)
        let asked = server.requests.count - planned
        let queue = try DatabaseQueue(path: workspace.root.appending(path: "results/default/bench.sqlite").path)
        let counts = try await queue.read { db in
            try Dictionary(
                uniqueKeysWithValues: Row.fetchAll(db, sql: "SELECT status, COUNT(*) FROM drawing GROUP BY status").map
                {
                    ($0[0] as String, $0[1] as Int)
                })
        }
        let lost = counts["lost", default: 0]
        #expect(counts["drawn"] == planned && counts["asked"] == nil && counts["refused"] == nil, "\(counts)")
        #expect(
            lost <= kills * parallel && asked <= planned + lost, "\(counts), \(asked) requests for \(planned) drawings")
        func scores(_ place: ScratchWorkspace) async throws -> [String] {
            let queue = try DatabaseQueue(path: place.root.appending(path: "results/default/bench.sqlite").path)
            return try await queue.read { db in
                try Row.fetchAll(db, sql: "SELECT * FROM drawing_score ORDER BY sample, combination, draw").map {
                    "\($0)"
                }
            }
        }
        #expect(try await scores(workspace) == scores(undisturbed))
    }

    @Test(
        "Ctrl-C awaits the replies on their way, scores what was drawn and says how to go on; nothing is paid for twice",
        .timeLimit(.minutes(40)),
        arguments: [
            ["draw", "--draws", "4"],
            ["refine", "--labels", "4", "--draws", "3", "--generations", "2", "--output", "r.json"],
        ])
    func interrupted(command: [String]) async throws {
        let arrived = Mutex(0)
        let isHeld = Mutex(true)
        let server = try LoopbackServer { request, connection in
            if request.index > 0 {
                arrived.withLock { $0 += 1 }
                while isHeld.withLock({ $0 }), connection.isOpen { connection.pause(0.02) }
            }
            connection.beginEventStream()
            connection.delta(Self.square, finish: "stop")
            connection.usage(input: 400, output: 100)
            connection.done()
        }
        defer { server.stop() }
        let workspace = try ScratchWorkspace(baseURL: server.baseURL)
        let arguments = ["polygon"] + command + ["--model", "seer", "--dataset", "disc", "--parallel", "3"]
        let child = try RunningProgram(workspace.program(), arguments)
        defer { child.kill() }
        while arrived.withLock({ $0 }) < 3 { try await Task.sleep(for: .milliseconds(20)) }
        child.interrupt()
        try await child.says("stopping: replies on their way are awaited")
        isHeld.withLock { $0 = false }
        #expect(await child.end() == 3)
        let errors = try child.errors
        #expect(errors.hasSuffix("llmbench: stopped; the same command goes on from here\n"), "\(errors)")
        #expect(server.requests.count == 4)
        let queue = try DatabaseQueue(path: workspace.root.appending(path: "results/default/bench.sqlite").path)
        let (statuses, scores) = try await queue.read { db in
            (
                try String.fetchAll(db, sql: "SELECT status FROM drawing"),
                try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM drawing_score WHERE combination = 'single'")
            )
        }
        #expect(statuses == Array(repeating: "drawn", count: 4) && scores == (command[0] == "draw" ? 4 : 0))
        let list = try await workspace.llmbench("polygon", "list")
        #expect(list.output.contains("(unfinished)") == (command[0] == "draw"), "\(list)")
        let rest = try await workspace.program().run(arguments)
        #expect(rest.status == 0, "\(rest)")
        #expect(server.requests.count == 12)
        #expect(try await !workspace.llmbench("polygon", "list").output.contains("(unfinished)"))
    }

    @Test("a second Ctrl-C ends at once, and what was on its way is asked again", .timeLimit(.minutes(40)))
    func interruptedTwice() async throws {
        let isHeld = Mutex(true)
        let server = try LoopbackServer { request, connection in
            while request.index > 0, isHeld.withLock({ $0 }), connection.isOpen { connection.pause(0.02) }
            connection.beginEventStream()
            connection.delta(Self.square, finish: "stop")
            connection.done()
        }
        defer { server.stop() }
        let workspace = try ScratchWorkspace(baseURL: server.baseURL)
        let arguments = ["polygon", "draw", "--model", "seer", "--dataset", "disc"]
        let child = try RunningProgram(workspace.program(), arguments)
        defer { child.kill() }
        while server.requests.count < 3 { try await Task.sleep(for: .milliseconds(20)) }
        child.interrupt()
        try await child.says("Ctrl-C again ends at once")
        child.interrupt()
        #expect(await child.end() == -SIGINT)
        isHeld.withLock { $0 = false }
        let rest = try await workspace.llmbench("polygon", "draw", "--model", "seer", "--dataset", "disc", "--json")
        let totals = try #require(try rest.objects().first?["totals"] as? [String: Any], "\(rest)")
        #expect(totals["drawn"] as? Int == 3 && totals["lost"] as? Int == 2, "\(rest)")
    }

    private static func kill(_ program: Program, _ arguments: [String], after pause: Duration) async throws {
        let process = Process()
        process.executableURL = program.executable
        process.arguments = arguments
        process.currentDirectoryURL = program.folder
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        let ended = AsyncStream<Void>.makeStream()
        process.terminationHandler = { _ in ended.continuation.finish() }
        try process.run()
        let pid = process.processIdentifier
        try await Task.sleep(for: pause)
        if process.isRunning { Foundation.kill(pid, SIGKILL) }
        for await _ in ended.stream {}
        process.waitUntilExit()
    }

    @Test("the fixture's recording is what scripts/make-drawings makes")
    func recording() async throws {
        let script = Program(executable: Checkout.root.appending(path: "scripts/make-drawings"), folder: Checkout.root)
        let outcome = try await script.run(["--check"])
        #expect(outcome.status == 0, "\(outcome)")
        let workspace = try ScratchWorkspace(hasDataset: false)
        let names = ["generated-skin", "generated-polyp", "generated-lung", "generated-ct"]
        for name in names {
            let built = try await workspace.llmbench("datasets", "build", name)
            #expect(built.status == 0, "\(built)")
        }
        let folders = names.map { workspace.root.appending(path: "datasets/\($0)").path }
        let generated = try await script.run(["--check"] + folders)
        #expect(generated.status == 0, "\(generated)")
        // And it is played: one draw of each held-out picture.
        let drawn = try await workspace.llmbench(
            "polygon", "draw", "--model", "fixture-tracer", "--dataset", "generated-ct", "--json")
        let summary = try #require(try drawn.objects().first, "\(drawn)")
        #expect(summary["pictures"] as? Int == 30 && (summary["totals"] as? [String: Any])?["requests"] as? Int == 30)
        #expect(summary["resampledBy"] as? String == "subject" || summary["resampled_by"] as? String == "subject")
    }
}
