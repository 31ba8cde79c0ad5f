import Foundation
import GRDB
import TensorRuntime
import Testing

/// `llmbench polygon sweep`, `report` and `demo` as a user types them.
@Suite("The label budgets on the command line")
struct PolygonSweepTests {
    private let workspace: ScratchWorkspace

    init() throws {
        workspace = try ScratchWorkspace()
    }

    @Test(
        "What cannot be is refused in one line",
        arguments: [
            .init(
                name: "more labels than there are",
                arguments: ["polygon", "sweep", "--dataset", "disc", "--budget", "5,1000", "--size", "32"], status: 2,
                says: ["a budget of 1000 labels cannot be drawn from the ", "training images of disc"]),
            .init(
                name: "a size that does not halve", arguments: ["polygon", "sweep", "--size", "100"], status: 2,
                says: ["100×100 pixels do not go through 4 poolings", "a multiple of 16"]),
            .init(
                name: "steps that do not divide", arguments: ["polygon", "sweep", "--steps", "33"], status: 2,
                says: ["33 steps cannot be cut in 10 equal parts"]),
            .init(
                name: "one seed", arguments: ["polygon", "demo", "--seeds", "1"], status: 2,
                says: ["1 seeds show no spread"]),
            .init(
                name: "an unknown network", arguments: ["polygon", "sweep", "--network", "vgg"], status: 2,
                says: ["vgg", "unet", "resunet", "nnunet"]),
            .init(
                name: "budgets that are no numbers", arguments: ["polygon", "sweep", "--budget", "10,many"], status: 2,
                says: ["10,many"]),
            .init(
                name: "an unknown dataset", arguments: ["polygon", "sweep", "--dataset", "generated-skn"], status: 2,
                says: ["there is no dataset 'generated-skn'", "did you mean generated-skin"]),
            .init(
                name: "a report of nothing", arguments: ["polygon", "report", "--study", "empty"], status: 2,
                says: ["study 'empty' has no trained budgets to report", "llmbench polygon sweep"]),
            .init(
                name: "a size without steps", arguments: ["polygon", "report", "--size", "64"], status: 2,
                says: ["--size and --steps name trainings together"]),
            .init(
                name: "volumes for a generated dataset",
                arguments: ["datasets", "build", "generated-ct", "--source", "datasets"], status: 2,
                says: ["generated-ct is drawn and not made of volumes", "leave --source out"]),
            .init(
                name: "no volumes for an embedded one", arguments: ["datasets", "build", "colin27-cerebellum"],
                status: 2, says: ["made of published volumes", "--source"]),
            .init(
                name: "a dataset that nobody builds", arguments: ["datasets", "build", "generated-pollyp"], status: 2,
                says: ["there is no dataset 'generated-pollyp'", "did you mean generated-polyp"]),
        ] as [FailureSpecification])
    func refusals(failure: FailureSpecification) async throws {
        let outcome = try await workspace.program().run(failure.arguments)
        #expect(outcome.status == failure.status, "\(outcome)")
        #expect(outcome.output.isEmpty, "\(outcome)")
        for part in failure.says { #expect(outcome.errors.contains(part), "\(outcome)") }
        #expect(!outcome.errors.contains("Fatal error"))
    }

    @Test("A generated dataset is drawn, and says that it is simulated")
    func generated() async throws {
        let built = try await workspace.llmbench("datasets", "build", "generated-lung", "--json")
        #expect(built.status == 0, "\(built)")
        let summary = try built.object()
        #expect(summary["training"] as? Int == 110 && summary["held_out"] as? Int == 30)
        #expect((summary["title"] as? String)?.contains("simulated") == true)
        let again = try await workspace.llmbench("datasets", "build", "generated-lung")
        #expect(again.status == 1 && again.errors.contains("exists and holds other files"), "\(again)")
    }

    @Test("demo trains, reports and writes one page; run again it trains nothing; report says the same")
    func demo() async throws {
        let arguments = [
            "polygon", "demo", "--dataset", "disc", "--budget", "5,8", "--size", "32", "--steps", "20",
        ]
        let first = try await workspace.program().run(arguments)
        #expect(first.status == 0, "\(first)")
        #expect(first.output.contains("Dice by number of labels") && first.output.contains("Crossing points"))
        let page = workspace.root.appending(path: "results/default/polygon/label-budget.html")
        #expect(first.output.contains(page.path))
        let html = try String(contentsOf: page, encoding: .utf8)
        #expect(
            html.contains("What a drawing is worth in labels") && !html.contains("http:") && !html.contains("https:"))
        for file in [
            "label-budget.xlsx", "tables/label-budget.csv", "figures/label-budget.png", "figures/label-budget.svg",
        ] {
            #expect(FileManager.default.fileExists(atPath: page.deletingLastPathComponent().appending(path: file).path))
        }
        let second = try await workspace.program().run(arguments)
        #expect(second.status == 0 && second.output == first.output, "\(second)")
        let sweep = try await workspace.program().run([
            "polygon", "sweep", "--dataset", "disc", "--budget", "5,8", "--size", "32", "--steps", "20", "--network",
            "unet", "--json",
        ])
        let rows = try sweep.objects()
        #expect(rows.count == 4 && rows.allSatisfy { $0["status"] as? String == "finished" }, "\(sweep)")
        #expect(rows.allSatisfy { $0["dice"] is Double && $0["hausdorff95"] is Double && $0["seconds"] is Double })
        let report = try await workspace.llmbench("polygon", "report", "--json")
        let names = try report.objects().compactMap { $0["name"] as? String }
        #expect(names.contains("crossing-points") && names.contains("faults"), "\(report)")
        let csv = try await workspace.llmbench("polygon", "report", "--format", "csv")
        #expect(csv.status == 0 && csv.output.contains("dataset,line,kind,dice_5,dice_8,crossing"), "\(csv)")
    }

    @Test(
        "Ctrl-C keeps what was trained, says how to go on, and nothing else than that something was done",
        .timeLimit(.minutes(40)),
        arguments: [["sweep", "--dataset", "disc"], ["demo", "--dataset", "disc"]])
    func interrupted(command: [String]) async throws {
        let workspace = try ScratchWorkspace()
        let arguments =
            ["polygon"] + command + ["--budget", "5", "--size", "32", "--steps", "100000", "--network", "unet"]
        let folder = workspace.root.appending(path: "results/default/sweep/disc/unet-n5-seed0-s32-t100000")
        var steps: [Int] = []
        for round in 0..<2 {
            let child = try RunningProgram(workspace.program(), arguments)
            defer { child.kill() }
            // Trained for a while: the line comes after some seconds.
            try await child.says("loss ")
            child.interrupt()
            #expect(await child.end() == 3)
            let errors = try child.errors
            #expect(errors.contains("stopping: what is trained so far is kept; Ctrl-C again ends at once"), "\(errors)")
            #expect(errors.hasSuffix("llmbench: stopped; the same command goes on from here\n"), "\(errors)")
            #expect(!errors.contains("Sweep  done"), "\(errors)")
            let checkpoint = try SafeTensors(contentsOf: folder.appending(path: "checkpoint.safetensors"))
            steps.append(try #require(checkpoint.metadata["sweep.step"].flatMap { Int($0) }, "round \(round)"))
        }
        // Without the wish to stop there is a checkpoint after each tenth, and none between.
        #expect(steps[0] > 0 && steps[1] > steps[0] && steps.allSatisfy { $0 % 10_000 != 0 }, "\(steps)")
    }

    @Test(
        "killed in the middle of the sweep, the same demo keeps what is finished and ends as if it had not been",
        .timeLimit(.minutes(40)))
    func killed() async throws {
        let arguments = [
            "polygon", "demo", "--dataset", "disc", "--budget", "5,8", "--size", "32", "--steps", "300",
        ]
        let undisturbed = try ScratchWorkspace()
        let whole = try await undisturbed.program().run(arguments)
        #expect(whole.status == 0, "\(whole)")
        let child = try RunningProgram(workspace.program(), arguments)
        defer { child.kill() }
        let file = workspace.root.appending(path: "results/default/bench.sqlite").path
        func finished(_ file: String) async throws -> [String] {
            guard FileManager.default.fileExists(atPath: file) else { return [] }
            return try await DatabaseQueue(path: file).read { db in
                try Row.fetchAll(
                    db, sql: "SELECT id, ended_at FROM sweep_training WHERE status = 'finished' ORDER BY id"
                )
                .map { "\($0)" }
            }
        }
        // The tables are made with the store; until then there is none to read.
        while (try? await finished(file))?.isEmpty ?? true {
            try await Task.sleep(for: .milliseconds(20))
        }
        child.kill()
        #expect(await child.end() == -SIGKILL)
        let before = try await finished(file)
        #expect((1..<4).contains(before.count), "\(before)")
        let rest = try await workspace.program().run(arguments)
        #expect(rest.status == 0, "\(rest)")
        #expect(try await finished(file).prefix(before.count) == before[...])
        func tables(_ outcome: Program.Outcome) -> [Substring] { outcome.output.split(separator: "\n").dropLast() }
        #expect(tables(rest) == tables(whole), "\(rest)\n\(whole)")
    }
}
