import Foundation
import ResultStore
import Studies
import TestSupport
import Testing
import Training

@Suite("Versions of a program that ran", .serialized)
struct ProgramRefinementTests {
    private static let arguments = [
        "generate", "--model", "versions", "--dataset", "disc", "--max-rounds", "1", "--refine", "2", "--json",
    ]

    /// A conversation that runs in its second round, and what the model then says to each request for a better version.
    private static func replies(_ later: (_ main: String) throws -> [String]) throws -> [String] {
        let small = try StudyPlace.smallConversation()
        let blocks = small[1].components(separatedBy: "```")
        let main = try #require(blocks.first { $0.contains("SPLIT_SEED = ") && $0.contains("def main") })
        return small + (try later("`main.py`:\n\n```\(main)```\n"))
    }

    /// Version 1 trains twice as long and sends one file; version 2 fails once, and validates on other images.
    private static func improving() throws -> [String] {
        try replies { main in
            let longer = main.replacing("default=2", with: "default=4")
            let other = longer.replacing("SPLIT_SEED = ", with: "SPLIT_SEED = 1 + ")
            let broken = other.replacing("SPLIT_SEED = 1", with: "SPLIT_SEED = undefined_name + 1")
            try #require(longer != main && other != longer && broken != other)
            return ["Longer.\n\n" + longer, "Another split.\n\n" + broken, "Mended.\n\n" + other]
        }
    }

    private static func place(_ replies: [String]) throws -> StudyPlace {
        let place = try StudyPlace()
        try place.write("recordings/versions.jsonl", StudyPlace.recording(replies))
        try place.add(
            card: "{id: versions, name: Versions, vendor: llmbench, provider: replay, "
                + "recording: recordings/versions.jsonl, fixture: true}")
        return place
    }

    /// Asked for by `generate`, with a recording of the conversation.
    private static let asked = Task {
        try await Finished(place(improving()), arguments + ["--record", "run.jsonl"], study: "default")
    }

    /// A study whose model is paid for, with so many dollars to spend.
    private static func write(budget: String, into place: StudyPlace) throws {
        try place.write(
            "refined.yaml",
            """
            name: refined
            models: [versions]
            datasets: [disc]
            rounds: {max: 1, loop_after: 3}
            engines: [swift]
            parity: 0
            refine: 2
            budget: {money: \(budget)}
            parallel: {cpu_jobs: 1, threads: 1}

            """)
    }

    private static func paidPlace() throws -> (StudyPlace, ScriptedServer) {
        let replies = try improving()
        let (place, server) = (try StudyPlace(), try ScriptedServer { _ in replies })
        try place.add(card: server.card("versions"))
        return (place, server)
    }

    /// Three calls: the money ends before version 2, then within it, then it is enough.
    private struct Paid: Sendable {
        struct Call: Sendable {
            var ended: Child.Ended
            /// Sent so far.
            var requests: Int
            var dump: StoreDump
            var versions: [RefinedVersion]
        }
        var place: StudyPlace
        var server: ScriptedServer
        var calls: [Call] = []
    }

    private static let paid = Task {
        let (place, server) = try paidPlace()
        Leftovers.removeAtExit(place.root)
        var paid = Paid(place: place, server: server)
        // A reply costs 0.10 and is expected to cost 0.40.
        for money in ["0.65", "0.75", "5"] {
            try write(budget: money, into: place)
            let ended = try await Child(in: place.root).run(["study", "run", "refined.yaml"])
            let store = try place.store("refined")
            let base = try #require(try store.runs().first { $0.study == "refined" }, "\(ended)")
            paid.calls.append(
                Paid.Call(
                    ended: ended, requests: server.count,
                    dump: try StoreDump(place.workspace.database(study: "refined")),
                    versions: try RefinedVersion.all(of: base, in: store)))
        }
        return paid
    }

    private struct Report: Decodable {
        struct Version: Decodable, Equatable {
            var version: Int
            var run: String
            var status: String
            var epochs: Int?
            var validationDice: Double?
            var heldOutDice: Double?
            var kept: Bool
            var obstacle: String?
        }
        var run: String
        var versions: [Version]
    }

    private func report(_ ended: Child.Ended) throws -> Report {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let reports = try decoder.decode([Report].self, from: Data(ended.output.utf8))
        return try #require(reports.first)
    }

    @Test(
        "are asked for with the curve of the one before, trained, and kept by validation; one that validates on others is not"
    )
    func versions() async throws {
        let finished = try await Self.asked.value
        let (place, ended) = (finished.place, finished.ended)
        let report = try report(ended)
        try #require(report.versions.map(\.version) == [0, 1, 2], "\(ended)")
        #expect(report.versions.map(\.epochs) == [2, 4, 4])
        #expect(report.versions[2].obstacle == "it validates on other images than version 0")
        let dice = try report.versions.map { try #require($0.validationDice) }
        #expect(report.versions.map(\.kept) == [dice[0] >= dice[1], dice[1] > dice[0], false])
        #expect(report.versions.allSatisfy { $0.heldOutDice != nil })

        let store = try place.store("default")
        let runs = try store.runs()
        #expect(runs.filter { $0.study == "default" }.map(\.path) == [report.run])
        let later = runs.filter { $0.study == "default.refined" }.sorted { ($0.refinement ?? 0) < ($1.refinement ?? 0) }
        #expect(later.map(\.refinement) == [1, 2] && later.allSatisfy { $0.refines == report.run })
        #expect(try later.map { try store.errors(run: $0.id ?? 0).map(\.errorClass) } == [[], ["NameError"]])

        // What was asked: the conversation so far, then the curve of the version before, and no more than that.
        let request = try requested(later[1], in: place)
        #expect(request.map(\.role) == ["user", "assistant", "user", "assistant", "user", "assistant", "user"])
        let asked = try #require(request.last?.content)
        let first = try #require(try store.trainings(run: later[0].id ?? 0).first)
        let summary = try #require(try store.validation(of: first))
        #expect(summary.epochs.count == 4 && summary.dice == dice[1])
        for epoch in summary.epochs {
            let shown = String(format: "%.4f", try #require(epoch.dice))
            #expect(asked.contains("epoch \(epoch.epoch): ") && asked.contains("validation Dice \(shown)"), "\(asked)")
        }
        #expect(asked.contains("Versions still to come, this one included: 1.") && !asked.lowercased().contains("held"))

        // Its own runs are untouched by it.
        let errors = try await Child(in: place.root).run(["report", "errors", "--format", "csv"])
        #expect(errors.output.contains("versions") && !errors.output.contains("refined"), "\(errors)")
        let again = try await Child(in: place.root).run(Self.arguments)
        let versionsAgain = try self.report(again).versions
        #expect(again.status == 0 && versionsAgain == report.versions, "\(again)")
    }

    private struct Message: Decodable {
        var role: String
        var content: String
    }

    private func requested(_ run: RunRecord, in place: StudyPlace) throws -> [Message] {
        struct Request: Decodable {
            var messages: [Message]
        }
        let file = place.root.appending(path: "generated/\(run.path)/round-00/request.json")
        return try JSONDecoder().decode(Request.self, from: Data(contentsOf: file)).messages
    }

    @Test("end in the same store when the process is killed meanwhile", .timeLimit(.minutes(40)))
    func killed() async throws {
        let wanted = Trials.isVerifying ? 10 : 1
        let seed = Trials.seed("versions after \(wanted) kill -9")
        var random = SeededGenerator(seed: seed)
        let finished = try await Self.asked.value
        let (whole, expected) = (finished.ended, finished.dump)
        let place = try Self.place(Self.improving())
        let child = try Child(in: place.root)
        for kill in 0...wanted {
            let limit = max(1, Int(whole.seconds * 500))
            let moment = kill < wanted ? Duration.milliseconds(Int(random.next() % UInt64(limit))) : nil
            let ended = try await child.run(Self.arguments, killAfter: moment)
            #expect(ended.wasKilled || ended.status == 0, "seed \(seed): \(ended)")
        }
        let differences = try StoreDump(place.workspace.database(study: "default")).differences(from: expected)
        #expect(differences == [], "seed \(seed): \(differences.joined(separator: "\n"))")
    }

    @Test("are appended to the recording of their run, and replayed from it they are the same")
    func recorded() async throws {
        let finished = try await Self.asked.value
        let (place, first) = (finished.place, finished.ended)
        let child = try Child(in: place.root)
        func replies(_ file: String) throws -> [String] {
            struct Line: Decodable { var reply: String }
            return try String(contentsOf: place.root.appending(path: file), encoding: .utf8).split(separator: "\n").map
            {
                try JSONDecoder().decode(Line.self, from: Data($0.utf8)).reply
            }
        }
        // Two of the run, one of version 1, two of version 2.
        let recorded = try replies("run.jsonl")
        #expect(recorded.count == 5)
        #expect(try recorded == replies("recordings/versions.jsonl"))

        let again = try await child.run(Self.arguments + ["--study", "again", "--replay", "run.jsonl"])
        #expect(again.status == 0, "\(again)")
        let (one, two) = (try report(first), try report(again))
        #expect(two.run.hasPrefix("again/") && two.versions.map(\.version) == [0, 1, 2], "\(again)")
        #expect(one.versions.map(\.validationDice) == two.versions.map(\.validationDice))
        #expect(one.versions.map(\.heldOutDice) == two.versions.map(\.heldOutDice))
        #expect(one.versions.map(\.kept) == two.versions.map(\.kept))
        // A request that differed from the recorded one, by a digit of a curve, would be answered with a warning.
        let store = try place.store("again")
        let exchanges = try store.runs().flatMap { try store.exchanges(run: $0.id ?? -1) }
        #expect(exchanges.count == 5 && exchanges.allSatisfy { $0.warnings.isEmpty }, "\(exchanges)")
    }

    @Test("of a study are a job of its plan, are made once, and stand in its report")
    func study() async throws {
        let paid = try await Self.paid.value
        let (place, child) = (paid.place, try Child(in: paid.place.root))
        let ended = try #require(paid.calls.last).ended
        #expect(ended.status == 0, "\(ended)")
        let store = try place.store("refined")
        let base = try #require(try store.runs().first { $0.study == "refined" })
        let versions = try RefinedVersion.all(of: base, in: store)
        #expect(versions.map(\.version) == [0, 1, 2] && versions.allSatisfy { $0.heldOutDice != nil }, "\(ended)")
        let kept = try #require(versions.first(where: \.isKept)?.version)
        let job = try #require(try store.jobs().first { $0.kind == "refine" })
        #expect(job.id == "refine/versions/disc/pytorch/1/swift-0" && job.state == .done)
        #expect(job.reason == "2 versions, version \(kept) is kept")

        let again = try await child.run(["study", "resume", "refined.yaml"])
        #expect(again.status == 0 && again.errors.contains("5 of 5 jobs done"), "\(again)")
        #expect(try store.runs().flatMap { try store.exchanges(run: $0.id ?? -1) }.count == 5)
        #expect(paid.server.count == 5)
        let status = try await child.run(["study", "status", "refined.yaml"])
        #expect(status.output.contains("versions: \(job.id): 2 versions, version \(kept) is kept"), "\(status)")

        let csv = try await child.run(["report", "dice", "--study", "refined", "--json"])
        let tables = try #require(try JSONSerialization.jsonObject(with: Data(csv.output.utf8)) as? [[String: Any]])
        let rows = try #require(tables.first { $0["name"] as? String == "versions" }?["rows"] as? [[String: Any]])
        #expect(rows.map { $0["version"] as? Int } == [0, 1, 2] && rows[kept]["choice"] as? String == "kept", "\(csv)")
        #expect(rows[2]["choice"] as? String == "it validates on other images than version 0")
        // The run's own rows are those of version 0.
        let dice = try #require(tables.first { $0["name"] as? String == "dice" }?["rows"] as? [[String: Any]])
        #expect(dice.count == 1 && dice[0]["mean_dice"] as? Double == versions[0].heldOutDice, "\(dice)")
        let html = try await child.run(["report", "html", "--study", "refined"])
        #expect(html.status == 0, "\(html)")
        let page = try String(
            contentsOf: place.root.appending(path: "results/refined/report/runs/1-versions.html"), encoding: .utf8)
        #expect(page.contains(#"id="versions""#))
        #expect(page.contains("it validates on other images than version 0") && page.contains("refined.refined/disc/"))
    }

    @Test("ask the budget before each request: what is done is kept and scored, and the same command goes on with more")
    func budget() async throws {
        let paid = try await Self.paid.value
        let (first, second, third) = (paid.calls[0], paid.calls[1], paid.calls[2])
        #expect(paid.calls.map(\.ended.status) == [1, 1, 0], "\(first.ended)\n\(second.ended)\n\(third.ended)")
        // Two of the run and one of version 1; the first of version 2; its second.
        #expect(paid.calls.map(\.requests) == [3, 4, 5])
        func held(_ call: Paid.Call, _ sentence: String) {
            #expect(
                call.ended.errors.contains("refine versions, disc, swift, seed 0: held: \(sentence)"), "\(call.ended)")
        }
        held(
            first,
            "the budget of $0.65 would be exceeded: $0.30 are spent, $0.00 expected of requests on their way, $0.40 of the next one"
        )
        held(second, "the budget of $0.75 would be exceeded: $0.40 are spent")
        // Version 2 was begun, and nothing sent.
        #expect(first.versions.map(\.run.status) == [.succeeded, .succeeded, .running])
        #expect(first.versions.map { $0.heldOutDice != nil } == [true, true, false])
        #expect(second.versions.map(\.run.status) == [.succeeded, .succeeded, .running])
        #expect(third.versions.prefix(2).map(\.heldOutDice) == first.versions.prefix(2).map(\.heldOutDice))
        // What was not sent is not written down either.
        for call in paid.calls {
            let rows = try #require(call.dump.tables["exchange"])
            #expect(rows.count == call.requests && rows.allSatisfy { $0.contains("complete") }, "\(rows)")
        }
    }

    @Test(
        "of a study end in the same store when it is killed meanwhile, and nothing paid for is asked twice",
        .timeLimit(.minutes(40)))
    func killedStudy() async throws {
        let wanted = Trials.isVerifying ? 20 : 2
        let seed = Trials.seed("study with versions after \(wanted) kill -9")
        var random = SeededGenerator(seed: seed)
        let paid = try await Self.paid.value
        let expected = try #require(paid.calls.last).dump
        let job = try #require(try paid.place.store("refined").jobs().first { $0.kind == "refine" })
        let limit = max(1, Int((job.seconds ?? 0) * 700))

        let (place, server) = try Self.paidPlace()
        try Self.write(budget: "5", into: place)
        let (child, workspace) = (try Child(in: place.root), place.workspace)
        var kills = 0
        for kill in 0...wanted {
            let moment = kill < wanted ? Duration.milliseconds(Int(random.next() % UInt64(limit))) : nil
            let ended = try await child.run(["study", "run", "refined.yaml"], killAfter: moment) {
                let jobs = (try? StudyStatus("refined", in: workspace))?.jobs ?? []
                return jobs.contains { $0.kind == "refine" && $0.state == .running }
            }
            #expect(ended.wasKilled || ended.status == 0, "seed \(seed): \(ended)")
            kills += ended.wasKilled ? 1 : 0
        }
        let differences = try StoreDump(workspace.database(study: "refined")).differences(from: expected)
        #expect(differences == [], "seed \(seed): \(differences.joined(separator: "\n"))")
        let store = try place.store("refined")
        let exchanges = try store.runs().flatMap { try store.exchanges(run: $0.id ?? -1) }
        let lost = exchanges.count { $0.status == .lost }
        #expect(exchanges.count { $0.status == .complete } == 5 && exchanges.count == 5 + lost)
        // A request may be lost before it leaves; none leaves without a row.
        #expect(
            lost <= kills && (5...5 + lost).contains(server.count),
            "seed \(seed): \(server.count) requests, \(lost) lost")
        #expect(kills > 0, "seed \(seed)")
    }

    @Test(
        "whose evaluation failed are done: the status and the report say so, and nothing is tried again until it is asked for"
    )
    func unscored() async throws {
        let paid = try await Self.paid.value
        let before = try #require(paid.calls.last).versions
        let place = try StudyPlace(copyOf: paid.place)
        let (child, store) = (try Child(in: place.root), try place.store("refined"))
        let run = try #require(try store.runs().first { $0.refinement == 1 })
        var training = try #require(try store.trainings(run: run.id ?? -1).first)
        let failure = "the held-out Dice would be wrong: the images were cropped"
        (training.status, training.failure) = (.failed, failure)
        try store.updateTraining(training)
        try store.storeHeldOut([], batches: [], training: training.id ?? -1)

        let id = "refine/versions/disc/pytorch/1/swift-0"
        let requests = paid.server.count
        for _ in 0..<2 {
            let ended = try await child.run(["study", "run", "refined.yaml"])
            #expect(ended.status == 1 && ended.errors.contains("version 1 could not be scored: \(failure)"), "\(ended)")
            #expect(!ended.errors.contains("begun"), "\(ended)")
        }
        let status = try await child.run(["study", "status", "refined.yaml"])
        #expect(status.output.contains("failed: \(id): 2 versions, ") && status.output.contains(failure), "\(status)")
        #expect(status.output.contains("--retry \(id)"), "\(status)")
        let report = try await child.run(["report", "dice", "--study", "refined", "--format", "csv"])
        #expect(report.output.contains("it could not be scored: \(failure)"), "\(report)")
        let base = try #require(try store.runs().first { $0.study == "refined" })
        let unscored = try RefinedVersion.all(of: base, in: store)
        #expect(unscored.map(\.isKept) == before.map(\.isKept), "held-out images have no part in the choice")
        #expect(unscored.map { $0.heldOutDice == nil } == [false, true, false])

        let retried = try await child.run(["study", "run", "refined.yaml", "--retry", id])
        #expect(retried.status == 0, "\(retried)")
        #expect(try RefinedVersion.all(of: base, in: store).map(\.heldOutDice) == before.map(\.heldOutDice))
        #expect(paid.server.count == requests)
    }

    @Test("end with one that does not run: it is stored, and the one before is kept")
    func ending() async throws {
        let place = try Self.place(Self.replies { _ in ["I would train for longer.", "Much longer."] })
        let ended = try await Child(in: place.root).run(Self.arguments)
        #expect(ended.status == 0 && ended.errors.contains("no further version: version 1 did not run"), "\(ended)")
        let versions = try report(ended).versions
        #expect(versions.map(\.kept) == [true, false] && versions[1].obstacle == "its code did not run: round limit")
    }

    @Test("are refused in one sentence where they cannot be made")
    func refusals() async throws {
        let place = try StudyPlace()
        let child = try Child(in: place.root)
        for (options, sentence) in [
            (["--refine", "21"], "--refine 21: give a number from 0 to 20"),
            (["--refine-engine", "emitted"], "--refine-engine trains versions: give --refine K too"),
            (["--refine", "1", "--refine-engine", "pytorch"], "The value 'pytorch' is invalid for '--refine-engine"),
            (
                ["--refine", "1", "--refine-engine", "swift", "--target", "swift"],
                "measured by running it; use emitted"
            ),
        ] {
            let ended = try await child.run(["generate", "--model", "small", "--dataset", "disc"] + options)
            #expect(ended.status == 2 || ended.status == 64, "\(ended)")
            #expect(ended.errors.contains(sentence), "\(ended)")
        }
    }
}
