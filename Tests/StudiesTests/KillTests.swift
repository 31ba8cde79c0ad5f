import Foundation
import ResultStore
import Studies
import TestSupport
import Testing

@Suite("A whole study in a process of its own", .serialized)
struct KillTests {
    private func place() throws -> StudyPlace {
        let place = try StudyPlace()
        try place.write("small.yaml", StudyPlace.small)
        return place
    }

    private func database(_ place: StudyPlace) -> URL { place.workspace.database(study: "small") }

    @Test(
        "killed at random moments and run again, it ends in the same store as one that was left alone",
        .timeLimit(.minutes(40)))
    func kills() async throws {
        // Studies of several prompts and of versions have kills of their own.
        let wanted = Trials.isVerifying ? 50 : 2
        let seed = Trials.seed("study after \(wanted) kill -9")
        var random = SeededGenerator(seed: seed)

        let finished = try await Finished.small.value
        let (whole, expected) = (finished.ended, finished.dump)
        #expect(expected.tables["job"]?.count == 8 && expected.tables["held_out"]?.count == 8, "\(expected.tables)")
        #expect(expected.tables["epoch"]?.count == 2 && expected.tables["error"]?.count == 5)

        var kills = 0
        while kills < wanted {
            let place = try place()
            let child = try Child(in: place.root)
            while true {
                let limit = Int(whole.seconds * 700)
                let moment = kills < wanted ? Duration.milliseconds(Int(random.next() % UInt64(max(1, limit)))) : nil
                let ended = try await child.run(["study", "run", "small.yaml"], killAfter: moment)
                if ended.wasKilled {
                    kills += 1
                    if let status = try? StudyStatus("small", in: place.workspace) {
                        #expect(status.process == nil, "a dead process counts as one that runs")
                    }
                    continue
                }
                #expect(ended.status == 0, "seed \(seed): \(ended)")
                break
            }
            let differences = try StoreDump(database(place)).differences(from: expected)
            #expect(differences == [], "seed \(seed): \(differences.joined(separator: "\n"))")
        }
        print("study after kill -9: \(kills) kills; undisturbed it takes \(Int(whole.seconds)) s")
    }

    @Test(
        "ends at Ctrl-C with what was stored, refuses a second process, and tells its state to another terminal",
        .timeLimit(.minutes(40)))
    func interrupted() async throws {
        let place = try place()
        let child = try Child(in: place.root)
        let first = Task { try await child.run(["study", "run", "small.yaml"]) }
        // As soon as a job runs.
        var pid: Int32?
        while pid == nil {
            try await Task.sleep(for: .milliseconds(50))
            let status = try? StudyStatus("small", in: place.workspace)
            if let status, status.tally.running > 0 { pid = status.process?.pid }
        }
        let second = try await child.run(["study", "run", "small.yaml"])
        #expect(second.status == 2, "\(second)")
        #expect(
            second.errors.contains("llmbench: study 'small' is being run by process \(pid ?? 0): wait for it"),
            "\(second)")
        let seen = try await child.run(["study", "status", "small.yaml"])
        #expect(seen.status == 0 && seen.output.contains("run by process \(pid ?? 0) since "), "\(seen)")
        #expect(seen.output.contains("running: generate/small/disc/pytorch/1, "), "\(seen)")
        kill(try #require(pid), SIGINT)
        let stopped = try await first.value
        #expect(stopped.status == 3, "\(stopped)")
        #expect(stopped.errors.contains("stopping at the last stored points"), "\(stopped)")
        #expect(stopped.errors.hasSuffix("llmbench: stopped; the same command goes on from here\n"), "\(stopped)")
        let store = try place.store()
        #expect(try store.jobs().allSatisfy { $0.state != .running && $0.state != .failed })
        #expect(
            try store.runs().allSatisfy { run in
                try store.errors(run: run.id ?? -1).allSatisfy { $0.errorClass != "KeyboardInterrupt" }
            })
        let resumed = try await child.run(["study", "resume", "small.yaml"])
        #expect(resumed.status == 0, "\(resumed)")
        #expect(resumed.errors.contains("5 of 8 jobs done, 3 skipped"), "\(resumed)")
        let status = try await child.run(["study", "status", "--study", "small", "--json"])
        let object = try #require(try JSONSerialization.jsonObject(with: Data(status.output.utf8)) as? [String: Any])
        #expect(object["is_running"] as? Bool == false && object["ending"] as? String == "complete", "\(status)")
        #expect(object["counts"] as? [String: Int] == ["done": 5, "skipped": 3], "\(status)")
    }

    @Test("is planned without beginning, in words and as JSON, and a wrong file is refused line by line")
    func planned() async throws {
        let place = try place()
        let child = try Child(in: place.root)
        let plan = try await child.run(["study", "plan", "small.yaml"])
        #expect(plan.status == 0 && plan.output.contains("8 jobs, 0 need nothing more."), "\(plan)")
        #expect(
            plan.output.contains("2 from recordings: small, prose.")
                && plan.output.contains("Assumed where nothing was measured"))
        #expect(!FileManager.default.fileExists(atPath: database(place).path))
        let json = try await child.run(["study", "plan", "small.yaml", "--json"])
        let object = try #require(try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
        let jobs = try #require(object["jobs"] as? [[String: Any]])
        #expect(jobs.count == 8 && jobs[0]["state"] as? String == "planned" && jobs[0]["expected_s"] is Double)
        try place.write("wrong.yaml", "name: wrong\nmodels: [smal]\ndatasets: [disc]\nrnus: 3\n")
        let wrong = try await child.run(["study", "run", "wrong.yaml"])
        #expect(wrong.status == 2, "\(wrong)")
        #expect(
            wrong.errors == """
                llmbench: wrong.yaml:2: there is no model 'smal' in models.yaml; did you mean small?
                llmbench: wrong.yaml:4: there is no key 'rnus' in the study; did you mean runs?

                """, "\(wrong)")
        try place.write("unready.yaml", "name: unready\nmodels: [lost]\ndatasets: [disc]\n")
        let unready = try await child.run(["study", "run", "unready.yaml"])
        #expect(
            unready.status == 2 && unready.errors.contains("1 thing is not ready: see to it, or give"), "\(unready)")
        let missing = try await child.run(["study", "run", "smal.yaml"])
        #expect(missing.status == 2 && missing.errors.contains("there is no study file smal.yaml"), "\(missing)")
        let none = try await child.run(["study", "resume", "small.yaml"])
        #expect(none.status == 2 && none.errors.contains("study 'small' has not begun"), "\(none)")
        let nameless = try await child.run(["study", "status"])
        #expect(nameless.status == 2 && nameless.errors.contains("name a study"), "\(nameless)")
    }

    @Test("that was asked of a person without a terminal is told so, and the rest goes on")
    func byHand() async throws {
        let place = try place()
        try place.write(
            "hand.yaml", "name: hand\nmodels: [by-hand]\ndatasets: [disc]\nengines: [swift]\nparity: 0\n")
        let ended = try await Child(in: place.root).run(["study", "run", "hand.yaml"])
        #expect(ended.status == 1, "\(ended)")
        #expect(
            ended.errors.contains("again: llmbench study run hand.yaml --retry generate/by-hand/disc/pytorch/1"),
            "\(ended)")
        #expect(ended.errors.contains("the input ended before the line '<<<END>>>'"), "\(ended)")
    }

    @Test(
        "is what the demo runs: studies/demo.yaml, under another name and with other seeds where asked for",
        .timeLimit(.minutes(40)))
    func demo() async throws {
        let place = try place()
        let child = try Child(in: place.root)
        let missing = try await child.run(["demo"])
        #expect(missing.status == 2 && missing.errors.contains("studies/demo.yaml is missing in "), "\(missing)")
        try FileManager.default.createDirectory(
            at: place.root.appending(path: "studies"), withIntermediateDirectories: true)
        try place.write("studies/demo.yaml", StudyPlace.small.replacing("name: small", with: "name: demo"))
        let ended = try await child.run(["demo", "--study", "second", "--seeds", "2"])
        #expect(ended.status == 0, "\(ended)")
        #expect(ended.output.contains("Report: "), "\(ended)")
        let store = try place.store("second")
        #expect(try store.jobs().count { $0.kind == "train" && $0.state == .done } == 2)
        #expect(
            FileManager.default.fileExists(atPath: place.root.appending(path: "results/second/report/index.html").path))
    }
}
