import Foundation
import Prompts
import ResultStore
import TestSupport
import Testing

@testable import Studies

/// A change to a study of several prompts, and what is said about it.
struct BadPrompts: Sendable, CustomTestStringConvertible {
    var name: String
    var old: String
    var new: String
    /// The line that is named.
    var line: Int
    var says: [String]

    var testDescription: String { name }

    /// Lines are counted from 1.
    static let good = """
        name: asked
        models: [small, {card: prose, replay: {plain: recordings/prose.jsonl, brief: recordings/small.jsonl, told: recordings/prose.jsonl}}]
        datasets: [disc]
        prompts:
          - name: plain
          - {name: brief, template: prompts/brief.md}
          - name: told
            system: system.txt
            temperature: 0.5
            sampling_seed: 7

        """

    static let all: [BadPrompts] = [
        .init(
            name: "one prompt beside several", old: "datasets:", new: "prompt: current\ndatasets:", line: 3,
            says: ["'prompt' and 'prompts' exclude each other"]),
        .init(
            name: "a system message beside several", old: "datasets:", new: "system: system.txt\ndatasets:", line: 3,
            says: ["'system' and 'prompts' exclude each other: give 'system' to the entries"]),
        .init(
            name: "a temperature beside several", old: "datasets:", new: "temperature: 0\ndatasets:", line: 3,
            says: ["'temperature' and 'prompts' exclude each other"]),
        .init(
            name: "a seed beside several", old: "datasets:", new: "sampling_seed: 0\ndatasets:", line: 3,
            says: ["'sampling_seed' and 'prompts' exclude each other"]),
        .init(
            name: "a name twice", old: "name: brief", new: "name: plain", line: 6,
            says: ["the prompt 'plain' stands twice, here and in line 5"]),
        .init(
            name: "equal content", old: "template: prompts/brief.md", new: "template: prompts/pytorch.md", line: 6,
            says: ["the prompt 'brief' asks the same as 'plain' in line 5", "another template, system"]),
        .init(
            name: "templates that differ in nothing that is sent", old: "template: prompts/brief.md",
            new: "template: prompts/longer.md", line: 6, says: ["'brief' asks the same as 'plain' in line 5"]),
        .init(
            name: "a template that is not there", old: "prompts/brief.md", new: "prompts/breif.md", line: 6,
            says: ["prompts/breif.md cannot be read: there is no readable file"]),
        .init(
            name: "a template without a slot", old: "prompts/brief.md", new: "prompts/bare.md", line: 6,
            says: ["bare.md has no slot", "{{colour}}"]),
        .init(
            name: "a template with an unknown slot", old: "prompts/brief.md", new: "prompts/wrong.md", line: 6,
            says: ["wrong.md, line 1: there is no slot 'foregruond'"]),
        .init(
            name: "a system message that is not there", old: "system: system.txt", new: "system: none.txt", line: 8,
            says: ["none.txt cannot be read"]),
        .init(
            name: "a template that is not the one that is stated", old: "template: prompts/brief.md",
            new: "template: prompts/brief.md, sha256: \"0123456789abcdef\"", line: 6,
            says: [
                "the template prompts/brief.md of the prompt 'brief' has changed: the study was made for 01234567",
                "put it back, or write the new digits and give the study another name",
            ]),
        .init(
            name: "a target's own template that is not the one that is stated", old: "name: plain",
            new: "{name: plain, sha256: {pytorch: 01234567}}", line: 5,
            says: ["the template prompts/pytorch.md of the prompt 'plain' has changed"]),
        .init(
            name: "a hash that is none", old: "template: prompts/brief.md",
            new: "template: prompts/brief.md, sha256: newest",
            line: 6, says: ["'sha256' is the first 8 to 64 digits of a template's SHA-256, not 'newest'"]),
        .init(
            name: "an entry without a name", old: "name: brief, ", new: "", line: 6,
            says: ["an entry of 'prompts' has no 'name'"]),
        .init(
            name: "a name that no job can have", old: "name: brief", new: "name: a/b", line: 6,
            says: ["the prompt's name 'a/b' cannot stand in the names of jobs"]),
        .init(
            name: "an entry that is a word", old: "- name: plain", new: "- plain", line: 5,
            says: ["an entry of 'prompts' has keys, such as {name: brief"]),
        .init(
            name: "an unknown key", old: "temperature: 0.5", new: "temprature: 0.5", line: 9,
            says: ["no key 'temprature' in an entry of 'prompts'", "did you mean temperature"]),
        .init(
            name: "a temperature out of range", old: "0.5", new: "3", line: 9,
            says: ["'temperature' is a number from 0 to 2"]),
        .init(
            name: "a seed that is none", old: "sampling_seed: 7", new: "sampling_seed: -1", line: 10,
            says: ["'sampling_seed' is a whole number from 0"]),
        .init(
            name: "one template for two targets", old: "datasets:", new: "targets: [pytorch, swift]\ndatasets:",
            line: 7,
            says: ["targets pytorch, swift, and a template asks for one", "template: {pytorch: prompts/brief.md}"]),
        .init(
            name: "a template for another target", old: "template: prompts/brief.md",
            new: "template: {swift: prompts/brief.md}", line: 6,
            says: ["no key 'swift' in 'template' of the prompt 'brief'", "known are pytorch"]),
        .init(
            name: "a recording of no prompt", old: "brief: recordings", new: "breif: recordings", line: 2,
            says: ["'replay' names a prompt 'breif'", "did you mean brief?"]),
        .init(
            name: "a prompt without a recording", old: "brief: recordings/small.jsonl, ", new: "", line: 2,
            says: ["'replay' of 'prose' has no recording for the prompt 'brief'"]),
        .init(
            name: "no prompts", old: "prompts:\n", new: "prompts: []\nothers:\n", line: 4,
            says: ["the list 'prompts' is empty"]),
    ]
}

@Suite("Several prompts in one study")
struct PromptComparisonTests {
    let place: StudyPlace

    init() throws {
        place = try StudyPlace()
        let template = try String(contentsOf: place.root.appending(path: "prompts/pytorch.md"), encoding: .utf8)
        try place.write("prompts/brief.md", "Be brief.\n\n" + template)
        // Line breaks at the end are dropped when it is sent.
        try place.write("prompts/longer.md", template + "\n\n")
        try place.write("prompts/bare.md", "Just ask nicely.\n")
        try place.write("prompts/wrong.md", "Segment {{foregruond}}.\n")
        try place.write("system.txt", "You write programs for radiologists.\n")
        let cards = try String(contentsOf: place.root.appending(path: "models.yaml"), encoding: .utf8)
        try place.write(
            "models.yaml",
            cards + "  - {id: cold, name: Cold, vendor: Acme, provider: manual, temperature: false, seed: false}\n")
    }

    private func jobs(_ study: Study) throws -> [StudyJob] {
        StudyPlan(study, estimates: try StudyEstimates(study, store: nil)).jobs.map(\.job)
    }

    @Test("is a plan of models, targets, prompts and runs; a prompt has its own jobs, folders and recordings")
    func plan() throws {
        let study = try place.study(BadPrompts.good + "runs: 2\nengines: [swift]\nparity: 0\n")
        #expect(study.file.prompts.map(\.name) == ["plain", "brief", "told"])
        let conversations = try jobs(study).filter { $0.kind == .generate }
        let first = ["small", "prose"].flatMap { model in
            ["plain", "brief", "told"].map { "generate/\(model)/disc/pytorch/\($0)/1" }
        }
        #expect(conversations.map(\.id) == first + first.map { $0.dropLast() + "2" })
        #expect(try jobs(study).count == 2 * 2 * 3 * 4 && Set(try jobs(study).map(\.id)).count == 48)
        #expect(Set(conversations.compactMap { study.runKey(of: $0)?.path }).count == 12)
        #expect(Set(conversations.compactMap { study.prompt(of: $0)?.shortHash }).count == 3)
        let training = try #require(try jobs(study).first { $0.kind == .train && $0.prompt == "brief" })
        #expect(training.id == "train/small/disc/pytorch/brief/1/swift-0")
        #expect(study.prompt(of: training)?.text.hasPrefix("Be brief.") == true)
        #expect(conversations[8].description == "generate small, prompt told run 2, disc")
        let prose = try #require(study.participant("prose"))
        #expect(prose.recording(prompt: "brief", run: 2) == "recordings/small-02.jsonl" && prose.source == .recording)
    }

    @Test("asks a model once where two prompts come to the same for it")
    func shared() throws {
        let yaml = """
            name: shared
            models: [cold, small]
            datasets: [disc]
            targets: [pytorch, swift]
            prompts:
              - name: plain
              - {name: warm, temperature: 0.5}
              - {name: brief, template: {pytorch: prompts/brief.md}}

            """
        let study = try place.study(yaml)
        let asked = try jobs(study).filter { $0.kind == .generate }.map {
            "\($0.model) \($0.target) \($0.prompt ?? "")"
        }
        #expect(
            asked == [
                "cold pytorch plain", "cold pytorch brief", "small pytorch plain", "small pytorch warm",
                "small pytorch brief", "cold swift plain", "small swift plain", "small swift warm",
            ])
        let shared = study.sharedPrompts.map { "\($0.model) \($0.target) \($0.prompt) as \($0.askedAs)" }
        #expect(
            shared == [
                "cold pytorch warm as plain", "cold swift warm as plain", "cold swift brief as plain",
                "small swift brief as plain",
            ])
    }

    @Test("with a mistake names the line and what is wrong", arguments: BadPrompts.all)
    func bad(_ wanted: BadPrompts) throws {
        _ = try place.study(BadPrompts.good)
        let text = BadPrompts.good.replacing(wanted.old, with: wanted.new)
        try #require(text != BadPrompts.good)
        let error = #expect(throws: StudyFileError.self) { try place.study(text) }
        let fitting = error?.problems.first { problem in wanted.says.allSatisfy(problem.reason.contains) }
        #expect(fitting?.line == wanted.line, "\(error.map { "\($0)" } ?? "")")
        #expect(fitting?.description.hasPrefix("small.yaml:\(wanted.line): ") == true && fitting?.kind == .file)
    }

    /// The first digits of a template's hash.
    private static func digits(_ text: String) throws -> String {
        String(try PromptTemplate(text: text, file: "brief.md").sha256.prefix(8))
    }

    private func run(_ yaml: String) async throws {
        let session = try StudySession(
            try place.study(yaml), workspace: place.workspace,
            executor: { [workspace = place.workspace] in ScriptedExecutor($0, workspace, $1) })
        #expect(try await session.run().failed.isEmpty)
    }

    @Test("keeps to what each prompt asked when the study began; prompts may come and go")
    func begun() async throws {
        let yaml = BadPrompts.good + "engines: [swift]\nparity: 0\n"
        try await run(yaml)
        let runs = try place.store("asked").runs()
        #expect(
            runs.map(\.promptName).compactMap { $0 }.sorted() == ["brief", "brief", "plain", "plain", "told", "told"])
        #expect(
            try StudyStatus("asked", in: place.workspace).prompts
                == ["brief", "plain", "told"].map {
                    PromptTally(prompt: $0, begun: 2, ended: 2, succeeded: 2)
                })
        func refusal(_ yaml: String) -> String {
            #expect(throws: StudyFileError.self) { try place.study(yaml) }.map { "\($0)" } ?? ""
        }
        func without(_ words: String) -> String { yaml.replacing(words, with: "") }

        #expect(
            refusal(yaml.replacing("temperature: 0.5", with: "temperature: 0.6")).contains(
                ":7: the prompt 'told' has changed since this study began"))
        let renamed = refusal(
            yaml.replacing("brief: recordings", with: "short: recordings").replacing("name: brief", with: "name: short")
        )
        #expect(renamed.contains(":6: the prompt 'short' was called 'brief' when this study began"), "\(renamed)")
        let single = refusal("name: asked\nmodels: [small]\ndatasets: [disc]\n")
        #expect(single.contains("the study began with several 'prompts'"), "\(single)")
        // One less, and another order.
        let fewer = without("  - {name: brief, template: prompts/brief.md}\n").replacing(
            "brief: recordings/small.jsonl, ", with: "")
        #expect(try jobs(try place.study(fewer)).count == 2 * 2 * 4)
        let template = try String(contentsOf: place.root.appending(path: "prompts/brief.md"), encoding: .utf8)
        try place.write("prompts/brief.md", "Be very brief.\n\n" + template)
        let changed = refusal(yaml)
        #expect(changed.contains(":6: the prompt 'brief' has changed since this study began"), "\(changed)")
        let (was, now) = (try Self.digits(template), try Self.digits("Be very brief.\n\n" + template))
        #expect(
            changed.contains(
                "was asked with prompts/brief.md of \(was), which is \(now) now): put it back, or give it another name"),
            "\(changed)")
        #expect(!changed.contains("what is asked for the dataset"), "\(changed)")
        try place.write("prompts/brief.md", template)
        // The template may be stated; the other words that are sent are the dataset's.
        let stated = yaml.replacing("template: prompts/brief.md", with: "template: prompts/brief.md, sha256: \(was)")
        #expect(try jobs(try place.study(stated)).count == 2 * 3 * 4)
        let description = try String(
            contentsOf: place.root.appending(path: "datasets/disc/dataset.json"), encoding: .utf8)
        let other = description.replacing("the disc", with: "the bright disc")
        try #require(other != description)
        try place.write("datasets/disc/dataset.json", other)
        let reworded = refusal(yaml)
        #expect(
            reworded.contains(":3: what is asked for the dataset 'disc' has changed since this study began"),
            "\(reworded)")
        #expect(
            reworded.contains("put its description in datasets/disc/dataset.json and its split back"), "\(reworded)")
        try place.write("datasets/disc/dataset.json", description)

        try await run(StudyPlace.small)
        let named = refusal(
            StudyPlace.small + "prompts: [{name: plain}, {name: told, system: system.txt}]\n")
        #expect(named.contains(":10: the study began without 'prompts'"), "\(named)")
    }

    @Test("asks all its runs with what it read when it began; what changed meanwhile is noticed by the next call")
    func changedMeanwhile() async throws {
        let yaml = """
            name: meanwhile
            models: [prose, {card: small, replay: recordings/prose.jsonl}]
            datasets: [disc]
            rounds: {max: 1}
            parallel: {requests: 1}
            prompts: [{name: brief, template: prompts/brief.md}]

            """
        let study = try place.study(yaml)
        let template = try #require(study.prompts.first?.templates["pytorch"])
        let file = place.root.appending(path: "prompts/brief.md")
        let session = try StudySession(
            study, workspace: place.workspace,
            observe: { event in
                guard case .finished = event else { return }
                try? Data("Be very brief. {{foreground}}\n".utf8).write(to: file)
            })
        #expect(try await session.run().failed.isEmpty)
        let runs = try place.store("meanwhile").runs()
        #expect(runs.map(\.templateHash) == [template.sha256, template.sha256])
        #expect(try String(contentsOf: file, encoding: .utf8) != template.text)
        let error = #expect(throws: StudyFileError.self) { try place.study(yaml) }
        #expect(error.map { "\($0)".contains("the prompt 'brief' has changed since this study began") } == true)
    }

    /// A study of two prompts whose model is paid for.
    private static func paidPlace() throws -> (StudyPlace, ScriptedServer) {
        let (place, small) = (try StudyPlace(), try StudyPlace.smallConversation())
        let template = try String(contentsOf: place.root.appending(path: "prompts/pytorch.md"), encoding: .utf8)
        try place.write("prompts/brief.md", "Be brief.\n\n" + template)
        let prose = [String](repeating: "I would use a U-Net.", count: 4)
        let server = try ScriptedServer { $0.hasPrefix("Be brief.") ? small : prose }
        try place.add(card: server.card("asked"))
        try place.write(
            "asked.yaml",
            """
            name: asked
            models: [asked]
            datasets: [disc]
            rounds: {max: 3, loop_after: 3}
            engines: [swift]
            parity: 0
            parallel: {cpu_jobs: 1, threads: 1}
            prompts:
              - name: plain
              - {name: brief, template: prompts/brief.md, sampling_seed: 3}

            """)
        return (place, server)
    }

    private static let finished = Task {
        let (place, server) = try paidPlace()
        return (try await Finished(place, ["study", "run", "asked.yaml"], study: "asked"), server)
    }

    @Test(
        "ends in the same store when it is killed meanwhile, and nothing paid for is asked twice",
        .timeLimit(.minutes(40)))
    func killed() async throws {
        let wanted = Trials.isVerifying ? 20 : 2
        let seed = Trials.seed("study of two prompts after \(wanted) kill -9")
        var random = SeededGenerator(seed: seed)
        let (finished, undisturbed) = try await Self.finished.value
        #expect(undisturbed.count == 6)
        let (place, server) = try Self.paidPlace()
        let child = try Child(in: place.root)
        let limit = max(1, Int(finished.ended.seconds * 700))
        var kills = 0
        for kill in 0...wanted {
            let moment = kill < wanted ? Duration.milliseconds(Int(random.next() % UInt64(limit))) : nil
            let ended = try await child.run(["study", "run", "asked.yaml"], killAfter: moment)
            #expect(ended.wasKilled || ended.status == 0, "seed \(seed): \(ended)")
            kills += ended.wasKilled ? 1 : 0
        }
        let differences = try StoreDump(place.workspace.database(study: "asked")).differences(from: finished.dump)
        #expect(differences == [], "seed \(seed): \(differences.joined(separator: "\n"))")
        let store = try place.store("asked")
        let exchanges = try store.runs().flatMap { try store.exchanges(run: $0.id ?? -1) }
        let lost = exchanges.count { $0.status == .lost }
        // Two conversations at a time: a kill can cost a request of each.
        #expect(exchanges.count == 6 + lost && lost <= 2 * kills)
        #expect((6...6 + lost).contains(server.count), "seed \(seed): \(server.count) requests, \(lost) lost")
    }

    @Test("runs, stops, goes on and is reported prompt by prompt, from the command line", .timeLimit(.minutes(40)))
    func wholePath() async throws {
        let place = try await Self.finished.value.0.place
        let child = try Child(in: place.root)
        let plan = try await child.run(["study", "plan", "asked.yaml"])
        #expect(plan.status == 0 && plan.output.contains("Prompt brief: prompts/brief.md ("), "\(plan)")
        #expect(plan.output.contains("), sampling seed 3."), "\(plan)")
        let resumed = try await child.run(["study", "resume", "asked.yaml"])
        #expect(resumed.status == 0 && resumed.errors.contains("5 of 8 jobs done, 3 skipped"), "\(resumed)")
        let status = try await child.run(["study", "status", "asked.yaml"])
        #expect(
            status.output.contains("prompt brief: 1 conversation begun, 1 ended, 1 with code that runs")
                && status.output.contains("prompt plain: 1 conversation begun, 1 ended, 0 with code that runs"),
            "\(status)")

        let runs = try place.store("asked").runs()
        #expect(Set(runs.map(\.promptName)) == ["plain", "brief"] && Set(runs.map(\.promptHash)).count == 2)
        let brief = try #require(runs.first { $0.promptName == "brief" })
        #expect(brief.samplingSeed == 3)
        let request = try String(
            contentsOf: place.root.appending(path: "generated/\(brief.path)/round-00/request.json"), encoding: .utf8)
        #expect(request.contains("Be brief."), "\(request.prefix(300))")

        let report = try await child.run(["report", "prompts", "--study", "asked", "--json"])
        let tables = try #require(try JSONSerialization.jsonObject(with: Data(report.output.utf8)) as? [[String: Any]])
        let rows = try #require(tables.first?["rows"] as? [[String: Any]])
        #expect(rows.map { $0["prompt"] as? String } == ["brief", "plain"], "\(report)")
        #expect(rows.map { $0["succeeded"] as? Int } == [1, 0])
        #expect(rows[0]["mean_dice"] is Double && rows[1]["mean_dice"] is NSNull)
        #expect((rows[0]["mean_dice_interval"] as? String)?.contains(" – ") == true, "\(report)")
        #expect(rows[1]["mean_dice_interval"] is NSNull && !report.output.contains("all 1 models"), "\(report)")
        #expect(rows[0]["asked_with"] as? String == "seed 3" && rows[0]["within_1"] as? Double == 1, "\(report)")
    }
}
