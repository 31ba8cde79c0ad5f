import Foundation
import Prompts
import ResultStore
import Studies
import Testing

@Suite("Asking with a system message, a temperature and a seed")
struct VariationTests {
    let place: StudyPlace

    init() throws {
        place = try StudyPlace()
        try place.write("system.txt", "You write programs for radiologists.\n")
    }

    @Test("is another prompt, and the same one again for the same settings; without settings it is the prompt itself")
    func hashes() throws {
        let prompt = try PromptTemplate(text: "Write it.", file: "p.md").render()
        #expect(prompt.asked(with: PromptVariation()) == prompt)
        let system = try PromptVariation.system(place.root.appending(path: "system.txt"))
        let variations = [
            PromptVariation(system: system), PromptVariation(temperature: 0), PromptVariation(temperature: 0.5),
            PromptVariation(seed: 0), PromptVariation(temperature: 0, seed: 0),
        ]
        let asked = variations.map { prompt.asked(with: $0) }
        #expect(Set(asked.map(\.sha256) + [prompt.sha256]).count == 6)
        #expect(asked.allSatisfy { $0.text == "Write it." && $0.templateSHA256 == prompt.templateSHA256 })
        #expect(prompt.asked(with: variations[4]) == asked[4])
    }

    @Test("reaches the request and the store; the second run takes the next seed")
    func generate() async throws {
        let child = try Child(in: place.root)
        let arguments = ["generate", "--model", "prose", "--dataset", "disc", "--max-rounds", "0", "--runs", "2"]
        let plain = try await child.run(arguments)
        #expect(plain.status == 1, "\(plain)")
        let varied = try await child.run(
            arguments + ["--system", "system.txt", "--temperature", "0.5", "--sampling-seed", "7"])
        #expect(varied.status == 1, "\(varied)")
        let runs = try place.store("default").runs().sorted { $0.id ?? 0 < $1.id ?? 0 }
        #expect(runs.map(\.temperature) == [nil, nil, 0.5, 0.5] && runs.map(\.samplingSeed) == [nil, nil, 7, 8])
        #expect(Set(runs.map(\.promptHash)).count == 2 && Set(runs.map(\.templateHash)).count == 1)
        #expect(runs.map { $0.systemHash == nil } == [true, true, false, false])
        let request = try String(
            contentsOf: place.root.appending(path: "generated/\(runs[3].path)/round-00/request.json"), encoding: .utf8)
        #expect(request.contains(#""role" : "system""#) && request.contains("radiologists"), "\(request)")
        #expect(request.contains(#""seed" : 8"#) && request.contains(#""temperature" : 0.5"#))
    }

    @Test("and with another template, whose slots are checked before anything is asked")
    func template() async throws {
        let child = try Child(in: place.root)
        try place.write("short.md", "Segment {{foreground}} in {{image_kind}}.\n")
        try place.write("wrong.md", "Segment {{foregruond}}.\n")
        let arguments = ["generate", "--model", "prose", "--dataset", "disc", "--max-rounds", "0", "--prompt"]
        let short = try await child.run(arguments + ["short.md"])
        #expect(short.status == 1, "\(short)")
        let run = try #require(try place.store("default").runs().first)
        let request = try String(
            contentsOf: place.root.appending(path: "generated/\(run.path)/round-00/request.json"), encoding: .utf8)
        #expect(request.contains("Segment the disc in discs."), "\(request)")
        let wrong = try await child.run(arguments + ["wrong.md"])
        #expect(wrong.status == 2 && wrong.errors.contains("there is no slot 'foregruond'"), "\(wrong)")
        let missing = try await child.run(arguments + ["none.md"])
        #expect(missing.status == 2 && missing.errors.contains("none.md cannot be read"), "\(missing)")
    }

    @Test("is refused in one sentence where it cannot be asked")
    func refusals() async throws {
        try place.write("empty.txt", " \n")
        let cards = try String(contentsOf: place.root.appending(path: "models.yaml"), encoding: .utf8)
        try place.write(
            "models.yaml",
            cards + "  - {id: cold, name: Cold, vendor: Acme, provider: manual, temperature: false, seed: false}\n")
        let child = try Child(in: place.root)
        func refused(_ model: String, _ arguments: [String]) async throws -> String {
            let ended = try await child.run(["generate", "--model", model, "--dataset", "disc"] + arguments)
            #expect(ended.status == 2 || ended.status == 64, "\(ended)")
            return ended.errors
        }
        #expect(try await refused("cold", ["--temperature", "0"]).contains("cold takes no temperature, as its card"))
        #expect(try await refused("cold", ["--sampling-seed", "1"]).contains("cold takes no seed, as its card"))
        #expect(try await refused("prose", ["--temperature", "3"]).contains("give a number from 0 to 2"))
        #expect(try await refused("prose", ["--sampling-seed=-1"]).contains("give a whole number from 0"))
        #expect(
            try await refused("prose", ["--system", "empty.txt"]).contains("empty.txt cannot be read: it is empty"))
        #expect(try await refused("prose", ["--system", "none.txt"]).contains("none.txt cannot be read"))
    }

    @Test("of a study is one for all models whose endpoint takes it, and may not change once it has begun")
    func study() throws {
        let cards = try String(contentsOf: place.root.appending(path: "models.yaml"), encoding: .utf8)
        try place.write(
            "models.yaml", cards + "  - {id: cold, name: Cold, vendor: Acme, provider: manual, temperature: false}\n")
        let yaml = """
            name: varied
            models: [small, cold]
            datasets: [disc]
            system: system.txt
            temperature: 0.5

            """
        let study = try place.study(yaml)
        let jobs = StudyPlan(study, estimates: try StudyEstimates(study, store: nil)).jobs.map(\.job)
        let asked = jobs.filter { $0.kind == .generate }.compactMap { study.prompt(of: $0) }
        let plain = try #require(study.dataset("disc")?.prompts[nil]?["pytorch"])
        #expect(asked.count == 2 && Set(asked.map(\.sha256) + [plain.sha256]).count == 3)
        let key = try #require(study.runKey(of: jobs[0]))
        #expect(key.promptHash == asked[0].shortHash)

        let store = try ResultStore(path: place.workspace.database(study: "varied"))
        _ = try store.beginRun(
            RunRecord(
                key: key, provider: "replay", templateHash: plain.templateSHA256,
                systemHash: study.prompts[0].variation.system?.sha256, temperature: 0.5))
        _ = try place.study(yaml)
        #expect(throws: StudyFileError.self) { try place.study(yaml.replacing("0.5", with: "0.6")) }
        for wrong in ["system: none.txt", "temperature: 3", "temperature: warm", "sampling_seed: -1"] {
            let error = #expect(throws: StudyFileError.self) {
                try place.study("name: wrong\nmodels: [small]\ndatasets: [disc]\n\(wrong)\n")
            }
            #expect(error.map { "\($0)".contains(":4: ") } == true, "\(wrong): \(error.map { "\($0)" } ?? "")")
        }
    }
}
