import Foundation
import Studies
import Testing

/// A change to a good study file, and what is said about it.
struct BadStudy: Sendable, CustomTestStringConvertible {
    var name: String
    /// Replaced by `new`; with nothing to replace, `new` is added at the end.
    var old = ""
    var new: String
    /// The line that is named.
    var line: Int
    var says: [String]

    var testDescription: String { name }

    /// Lines are counted from 1.
    static let good = """
        name: good
        title: A good study
        models:
          - card: small
          - cohort: 2024
        datasets: [disc]
        targets: [pytorch]
        runs: 2
        prompt: current
        rounds: {max: 6, loop_after: 2}
        epochs: 12
        engines: [swift, emitted]
        seeds: [0, 1]
        parity: 20
        statistics: {compare: [cohort], alternative: less, correction: holm, seed: 3}
        budget: {money: 5, hours: 2}
        parallel: {requests: 2, requests_per_minute: 30, cpu_jobs: 1, threads: 2}

        """

    static let all: [BadStudy] = [
        .init(
            name: "an unknown key", old: "epochs:", new: "epoch:", line: 11,
            says: ["no key 'epoch' in the study", "did you mean epochs"]),
        .init(
            name: "an unknown key below another", old: "{max: 6, loop_after: 2}", new: "{maximum: 6}", line: 10,
            says: ["no key 'maximum' in 'rounds'", "known are max, loop_after"]),
        .init(
            name: "a key twice", new: "runs: 3", line: 18,
            says: ["the key 'runs' stands twice, here and in line 8: keep one of the two"]),
        .init(name: "no name", old: "name: good\n", new: "", line: 1, says: ["the study has no 'name'"]),
        .init(
            name: "a name that is no folder", old: "name: good", new: "name: a/b", line: 1,
            says: ["'a/b' cannot name a folder"]),
        .init(
            name: "no models", old: "models:", new: "model:", line: 3, says: ["no key 'model'", "did you mean models"]),
        .init(
            name: "an unknown model", old: "card: small", new: "card: smal", line: 4,
            says: ["no model 'smal'", "did you mean small?"]),
        .init(
            name: "an unknown cohort", old: "2024", new: "2023", line: 5,
            says: ["no cohort '2023'", "did you mean 2024 or 2025"]),
        .init(
            name: "an unknown tag", old: "cohort: 2024", new: "tag: script", line: 5,
            says: ["no tag 'script'", "scripted"]),
        .init(
            name: "an unknown vendor", old: "cohort: 2024", new: "vendor: Acne", line: 5,
            says: ["no vendor 'Acne'", "Acme"]),
        .init(
            name: "criteria that no card meets", old: "cohort: 2024", new: "{cohort: 2024, reasoning: true}", line: 5,
            says: ["no model card fits all that this entry names"]),
        .init(
            name: "a model twice", old: "cohort: 2024", new: "card: small", line: 5,
            says: ["'small' stands twice, here and in line 4"]),
        .init(
            name: "an entry that names nothing", old: "cohort: 2024", new: "provider: manual", line: 5,
            says: ["names at least one of card, cohort"]),
        .init(
            name: "a replay for a group", old: "- cohort: 2024", new: "- {cohort: 2024, replay: x.jsonl}", line: 5,
            says: ["'replay' belongs to one model"]),
        .init(
            name: "an unknown provider", old: "- card: small", new: "- {card: small, provider: opena}", line: 4,
            says: ["no provider 'opena'", "did you mean openai"]),
        .init(
            name: "the provider replay", old: "- card: small", new: "- {card: small, provider: replay}", line: 4,
            says: ["name it with 'replay: FILE'"]),
        .init(
            name: "a model without an endpoint", old: "- card: small", new: "- {card: by-hand, provider: openai}",
            line: 4,
            says: ["'by-hand' has no endpoint", "'provider: manual' or 'replay: FILE'"]),
        .init(name: "an empty list", old: "[disc]", new: "[]", line: 6, says: ["the list 'datasets' is empty"]),
        .init(
            name: "no list", old: "[disc]", new: "disc", line: 6,
            says: ["'datasets' is a list, such as [first, second]"]),
        .init(
            name: "a dataset twice", old: "[disc]", new: "[disc, disc]", line: 6,
            says: ["'disc' stands twice in 'datasets'"]),
        .init(
            name: "an unknown target", old: "[pytorch]", new: "[pytorhc]", line: 7,
            says: ["no target 'pytorhc'", "did you mean pytorch?"]),
        .init(
            name: "no runs", old: "runs: 2", new: "runs: 0", line: 8, says: ["'runs' is a whole number from 1 to 99"]),
        .init(name: "runs in words", old: "runs: 2", new: "runs: two", line: 8, says: ["'runs' is a whole number"]),
        .init(
            name: "a prompt that is no hash", old: "current", new: "newest", line: 9,
            says: ["'prompt' is 'current' or the first 8 to 64 digits"]),
        .init(
            name: "a prompt that has changed", old: "current", new: "\"0123456789abcdef\"", line: 9,
            says: ["prompts/pytorch.md has changed", "made for 01234567", "put it back"]),
        .init(
            name: "rounds below zero", old: "max: 6", new: "max: -1", line: 10,
            says: ["'max' is a whole number from 0 to 1000"]),
        .init(
            name: "rounds without keys", old: "{max: 6, loop_after: 2}", new: "6", line: 10,
            says: ["'rounds' has keys and values below it"]),
        .init(
            name: "too many versions", new: "refine: 21", line: 18, says: ["'refine' is a whole number from 0 to 20"]),
        .init(
            name: "versions by PyTorch", new: "refine: 1\nrefine_engine: pytorch", line: 19,
            says: ["'refine_engine' cannot be 'pytorch': versions are trained by swift or emitted"]),
        .init(
            name: "an engine for no versions", new: "refine_engine: swift", line: 18,
            says: ["'refine_engine' trains versions: give 'refine' too"]),
        .init(
            name: "no epochs", old: "epochs: 12", new: "epochs: 0", line: 11,
            says: ["'epochs' is 'own' or a whole number from 1"]),
        .init(
            name: "an unknown engine", old: "emitted]", new: "emited]", line: 12,
            says: ["no engine 'emited'", "did you mean emitted?"]),
        .init(name: "a seed that is none", old: "[0, 1]", new: "[0, x]", line: 13, says: ["a seed is a whole number"]),
        .init(name: "a seed twice", old: "[0, 1]", new: "[1, 1]", line: 13, says: ["a seed stands twice"]),
        .init(
            name: "parity in words", old: "parity: 20", new: "parity: yes", line: 14,
            says: ["'parity' is a whole number from 0"]),
        .init(
            name: "a comparison by the moon", old: "[cohort]", new: "[cohrt]", line: 15,
            says: ["nothing can be compared by 'cohrt'", "did you mean cohort?"]),
        .init(
            name: "an unknown alternative", old: "less", new: "lesser", line: 15,
            says: ["'alternative' cannot be 'lesser'", "less"]),
        .init(
            name: "an unknown correction", old: "holm", new: "helm", line: 15,
            says: ["'correction' cannot be 'helm'", "did you mean holm?"]),
        .init(
            name: "a budget below zero", old: "money: 5", new: "money: -5", line: 16,
            says: ["'money' is a number from 0 on"]),
        .init(name: "a budget in words", old: "hours: 2", new: "hours: long", line: 16, says: ["'hours' is a number"]),
        .init(
            name: "no requests", old: "requests: 2", new: "requests: 0", line: 17,
            says: ["'requests' is a whole number from 1 to 64"]),
        .init(
            name: "a baseline of another engine", new: "baseline: {engine: swif}", line: 18,
            says: ["'engine' cannot be 'swif'", "did you mean swift?"]),
        .init(
            name: "a baseline of ours by the clock", new: "baseline: {engine: swift, minutes: 5}", line: 18,
            says: ["a baseline of the engine swift counts 'epochs': 'minutes' is for nnunetv2"]),
        .init(
            name: "a baseline with two limits", new: "baseline: {epochs: 5, minutes: 5}", line: 18,
            says: ["'epochs' and 'minutes' of a baseline exclude each other: give one limit"]),
        .init(name: "another schema", new: "schema: 2", line: 18, says: ["reads study files of schema 1"]),
        .init(name: "no YAML", new: "title: \"open", line: 19, says: ["this is no YAML"]),
    ]
}

@Suite("A study file")
struct StudyFileTests {
    let place: StudyPlace

    init() throws { place = try StudyPlace() }

    private func problems(_ yaml: String, environment: [String: String] = [:]) throws -> [StudyProblem] {
        do {
            return try place.study(yaml, environment: environment).settings
        } catch let error as StudyFileError {
            return error.problems
        }
    }

    @Test("says all that can be said in it")
    func good() throws {
        let study = try place.study(BadStudy.good)
        #expect(study.settings.isEmpty)
        #expect(study.participants.map(\.card.id) == ["small", "by-hand"])
        #expect(study.participants.map(\.source) == [.recording, .manual])
        let file = study.file
        #expect(file.title == "A good study" && file.runs == 2 && file.epochs == 12 && file.seeds == [0, 1])
        #expect(file.maxRounds == 6 && file.loopAfter == 2 && file.engines == [.swift, .emitted])
        #expect(file.statistics.compare == [.cohort] && file.statistics.alternative == .less)
        #expect(file.budget == StudyFile.Budget(money: 5, hours: 2))
        #expect(file.parallel.requests == 2 && file.parallel.requestsPerMinute == 30 && file.parallel.threads == 2)
    }

    @Test("may ask for a baseline, which is planned last, a job a dataset and seed")
    func baseline() throws {
        let study = try place.study(BadStudy.good + "baseline: {epochs: 4, iterations: 10, seeds: [0, 3]}\n")
        #expect(study.file.baselineBudget?.key == "4x10" && study.file.baseline?.seeds == [0, 3])
        let plan = StudyPlan(study, estimates: try StudyEstimates(study, store: nil))
        let ids = plan.jobs.filter { $0.job.kind == .baseline }.map(\.job.id)
        let dataset = try #require(study.datasets.first?.name)
        #expect(ids == [0, 3].map { "baseline/nnunet/\(dataset)/nnunetv2/1/seed-\($0)" })
        #expect(plan.jobs.suffix(2).map(\.job.id) == ids && plan.jobs.suffix(2).allSatisfy { $0.needs.isEmpty })
        #expect(plan.jobs.last?.estimate.seconds == 40)
        let timed = try place.study(BadStudy.good + "baseline: {minutes: 2}\n")
        #expect(timed.file.baselineBudget?.key == "120s" && timed.file.baseline?.seeds == [0])
        #expect(try place.study(BadStudy.good).file.baseline == nil)
        // The pipelines' number of epochs is the baseline's too, from the file (12 here) or from the command.
        let shared = try place.study(BadStudy.good + "baseline: {engine: swift}\n")
        #expect(shared.file.epochs == 12 && shared.file.baselineBudget?.key == "12x250")
        let asked = try StudyLoader(workspace: place.workspace).study(
            yaml: BadStudy.good + "baseline: {engine: swift}\n", file: "study.yaml", epochs: 120)
        #expect(asked.file.epochs == 120 && asked.file.baselineBudget?.key == "120x250")
        let fixed = try StudyFile(
            yaml: String(contentsOf: StudyPlace.checkout.appending(path: "studies/fixed-epochs.yaml"), encoding: .utf8),
            file: "fixed-epochs.yaml")
        #expect(fixed.epochs == 120 && fixed.baselineBudget?.key == "120x250")
    }

    @Test("with a mistake names the line, what is wrong, and the nearest name", arguments: BadStudy.all)
    func bad(_ wanted: BadStudy) throws {
        let text =
            wanted.old.isEmpty
            ? BadStudy.good + wanted.new + "\n" : BadStudy.good.replacing(wanted.old, with: wanted.new)
        try #require(text != BadStudy.good)
        let found = try problems(text)
        let fitting = found.first { problem in wanted.says.allSatisfy(problem.reason.contains) }
        #expect(fitting?.line == wanted.line, "\(found)")
        #expect(fitting?.description.hasPrefix("small.yaml:\(wanted.line): ") == true, "\(found)")
        #expect(fitting?.kind == .file)
    }

    @Test("with many mistakes names all of them at once, in order")
    func many() throws {
        let found = try problems(
            """
            name: many
            models:
              - card: smal
                card: prose
              - vendr: Acme
            datasets: []
            runs: 0
            engines: [swfit]
            runs: 2
            epochs: none
            baseline: nnunet
            """)
        #expect(found.map(\.line) == [3, 4, 5, 5, 6, 7, 8, 9, 10, 11], "\(found)")
    }

    @Test(
        "that is empty, too large or no mapping says so", arguments: [("", "empty"), ("- a\n- b\n", "keys and values")])
    func shapeless(_ text: String, _ word: String) throws {
        let found = try problems(text)
        #expect(found.contains { $0.line == 1 && $0.reason.contains(word) }, "\(found)")
        let large = try problems("# " + String(repeating: "x", count: 1 << 20))
        #expect(large.contains { $0.reason.contains("larger than 1 MiB") })
    }

    @Test("whose keys, recordings and datasets are not there can be planned, and says what is missing")
    func settings() throws {
        let yaml = """
            name: settings
            models: [keyed, lost, {card: prose, replay: recordings/gone.jsonl}]
            datasets: [disc, bagls, disk]
            """
        let found = try problems(yaml, environment: ["OTHER": "secret-2718"])
        #expect(found.allSatisfy { $0.kind == .setting })
        let all = found.map(\.description).joined(separator: "\n")
        #expect(
            all.contains("small.yaml:2: the environment variable STUDY_TEST_KEY is not set: it holds the key for keyed")
        )
        #expect(all.contains("the recording recordings/lost.jsonl of lost is missing"))
        #expect(all.contains("the recording recordings/gone.jsonl of prose is missing"))
        #expect(all.contains("small.yaml:3: the dataset 'bagls' is not prepared: put its images and masks"))
        #expect(all.contains("llmbench datasets prepare FOLDER --name bagls"))
        #expect(all.contains("'disk' is not prepared (did you mean disc?)"))
        #expect(!all.contains("secret"))
        let key = "sk-never-shown-3141"
        let withKey = try problems(yaml, environment: ["STUDY_TEST_KEY": key]).map(\.description).joined()
        #expect(!withKey.contains("STUDY_TEST_KEY") && !withKey.contains(key))
    }

    @Test("of several runs takes one recording each")
    func recordings() throws {
        #expect(Participant.recording("recordings/a.jsonl", run: 1) == "recordings/a.jsonl")
        #expect(Participant.recording("recordings/a.jsonl", run: 2) == "recordings/a-02.jsonl")
        #expect(Participant.recording("a", run: 12) == "a-12")
        let yaml = """
            name: several
            runs: 3
            models: [{card: keyed, replay: recordings/small.jsonl}]
            datasets: [disc]
            """
        let found = try problems(yaml)
        #expect(
            found.map(\.reason) == ["the recording recordings/small-03.jsonl of keyed is missing or cannot be replayed"]
        )
        let study = try place.study(yaml.replacing("runs: 3", with: "runs: 2"))
        #expect(study.participants[0].source == .recording && study.settings.isEmpty)
    }

    @Test("keeps to the template that its runs began with")
    func changedTemplate() async throws {
        let yaml = StudyPlace.small
        let study = try place.study(yaml)
        let store = try place.store()
        let session = try StudySession(
            study, workspace: place.workspace,
            executor: { [workspace = place.workspace] in ScriptedExecutor($0, workspace, $1) })
        _ = try await session.run()
        #expect(try store.runs().count == 2)
        #expect(try problems(yaml).isEmpty)
        let hash = try #require(study.datasets[0].prompts[nil]?["pytorch"]?.templateSHA256)
        #expect(try problems(yaml + "prompt: \"\(hash.prefix(12))\"\n").isEmpty)
        let template = place.workspace.prompts.appending(path: "pytorch.md")
        try (String(contentsOf: template, encoding: .utf8) + "\nOne more word.\n")
            .write(to: template, atomically: true, encoding: .utf8)
        let found = try problems(yaml)
        #expect(found.count == 1)
        #expect(found.first?.reason.contains("has changed since this study began") == true, "\(found)")
        #expect(found.first?.reason.contains("give the study another name") == true)
    }
}
