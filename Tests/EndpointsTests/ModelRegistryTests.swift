import Endpoints
import Foundation
import TestSupport
import Testing

private let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

@Suite("Model cards") struct ModelRegistryTests {
    @Test("of the project are valid and hold the fixtures, the local model and the published ones")
    func shipped() throws {
        let registry = try ModelRegistry.load(repository.appending(path: "models.yaml"))
        #expect(registry.cards.count(where: \.fixture) == 8)
        #expect(try registry.card("fixture-tracer").imagesSupported)
        #expect(try !registry.card("fixture-steady").imagesSupported)
        #expect(registry.cards.count { $0.cohort == 2024 } == 8)
        #expect(registry.cards.count { $0.cohort == 2025 } == 11)
        let mini = try registry.card("gpt-o4-mini-high")
        #expect(mini.request == ["reasoning_effort": .text("high")])
        #expect(mini.maximumTokensField == "max_completion_tokens" && !mini.temperatureSupported)
        for card in registry.cards { #expect(ModelCard.isSlug(card.slug)) }
    }

    private func registry(_ entry: String) throws -> ModelRegistry {
        try ModelRegistry(yaml: "schema: 1\nmodels:\n" + entry)
    }

    private static let base = "  - id: m\n    name: M\n    vendor: V\n    provider: "

    @Test(
        "of another schema are refused with its number",
        arguments: [
            ("models: []\n", 1, "'schema: 1' is missing"), ("models: []\nschema: 9\n", 2, "its schema is 9"),
            ("schema: new\nmodels: []\n", 1, "its schema is new"),
        ])
    func schema(yaml: String, line: Int, reason: String) throws {
        do {
            _ = try ModelRegistry(yaml: yaml)
            Issue.record("no error for \(yaml)")
        } catch ModelRegistryError.invalid(_, let found, let sentence) {
            #expect(found == line && sentence.contains(reason), "\(found) \(sentence)")
        }
    }

    @Test(
        "with a mistake are refused with its line",
        arguments: [
            (base + "openai\n", 3, "m has provider openai and no base_url"),
            (base + "openai\n    base_url: ftp://x/v1\n", 7, "'ftp://x/v1' is no address of an endpoint"),
            (base + "openai\n    base_url: http://x.org/v1\n    api_key_env: K\n", 7, "would travel unencrypted"),
            (base + "telepathy\n", 6, "a provider is one of openai, manual, replay"),
            (base + "replay\n", 3, "m has provider replay and no recording"),
            (base + "replay\n    recording: ../../etc/passwd\n", 7, "lies inside the workspace"),
            (base + "manual\n    cohort: soon\n", 7, "'cohort' is a whole number"),
            (base + "manual\n    reasoning: maybe\n", 7, "'reasoning' is true or false"),
            (base + "manual\n    resoning: true\n", 7, "there is no key 'resoning'; did you mean reasoning?"),
            (base + "manual\n    api_key_env: sk-abc123\n", 7, "the key itself never stands here"),
            (
                base + "manual\n    price: {input_per_million: 1}\n", 7,
                "a price needs input_per_million and output_per_million"
            ),
            (base + "manual\n    price: {input_per_million: 1, output_per_million: 2}\n", 7, "the date it is of"),
            (base + "manual\n    request: {model: x}\n", 7, "'model' is set by llmbench itself"),
            (base + "manual\n    max_tokens_field: tokens\n", 7, "max_tokens or max_completion_tokens"),
            (base + "manual\n    name: again\n", 4, "a key stands twice: name"),
            (base + "manual\n" + base + "manual\n", 7, "'m' is taken by the model in line 3"),
            ("  - id: a/../b\n    name: M\n    vendor: V\n    provider: manual\n", 3, "'a-.-b' could"),
            ("  - id: m\n    vendor: V\n    provider: manual\n", 3, "an entry has no 'name'"),
            ("  - just text\n", 3, "an entry is no list of keys and values"),
            ("  - id: [1\n", 4, ""),
        ])
    func mistakes(entry: String, line: Int, reason: String) throws {
        do {
            _ = try registry(entry)
            Issue.record("no error for \(entry)")
        } catch let error as ModelRegistryError {
            guard case .invalid("models.yaml", let found, let sentence) = error else { throw error }
            #expect(found == line, "\(error)")
            #expect(reason.isEmpty || sentence.contains(reason), "\(error)")
            #expect(!sentence.contains("sk-abc123"))
        }
    }

    @Test(
        "without a list of models, or of another schema, are refused",
        arguments: ["", "[]", "schema: 1", "schema: 9\nmodels: []"])
    func noCards(yaml: String) {
        #expect(throws: ModelRegistryError.self) { _ = try ModelRegistry(yaml: yaml) }
    }

    @Test("suggest the nearest names for one that is not there")
    func unknown() throws {
        let registry = try ModelRegistry.load(repository.appending(path: "models.yaml"))
        func suggestions(_ name: String) -> [String] {
            do {
                _ = try registry.card(name)
                return ["found"]
            } catch {
                guard case .unknownModel(_, let suggestions, _) = error else { return ["\(error)"] }
                return suggestions
            }
        }
        #expect(suggestions("gpt4o").first == "gpt-4o")
        #expect(suggestions("smollm2").contains("smollm2-135m"))
        #expect(suggestions("Fixture-Steady").first == "fixture-steady")
        #expect(suggestions("zzzzzzzzzzzzzzzzzzzzzz").isEmpty)
        #expect(suggestions("gpt-4o") == ["found"])
    }

    @Test("measure the distance of names in edits")
    func distance() {
        #expect(NearestNames.distance("kitten", "sitting") == 3)
        #expect(NearestNames.distance("", "abc") == 3)
        #expect(NearestNames.distance("abc", "") == 3)
        #expect(NearestNames.distance("same", "same") == 0)
    }

    @Test("make slugs that are safe as folders")
    func slugs() {
        #expect(ModelCard.slug(of: "meta-llama/Llama 3.1 (405B)") == "meta-llama-llama-3.1-405b")
        #expect(ModelCard.slug(of: "../../etc") == "etc")
        for bad in ["", ".", "..", "a/b", "A", "a b", "-a", "a..b", "a.", "ü", String(repeating: "a", count: 65)] {
            #expect(!ModelCard.isSlug(bad), "\(bad)")
        }
        for good in ["gpt-4", "claude-3.5-sonnet", "a_b"] { #expect(ModelCard.isSlug(good)) }
    }

    @Test("tell what an exchange cost, counted or estimated, where the price is known")
    func cost() throws {
        let registry = try ModelRegistry.load(repository.appending(path: "models.yaml"))
        let card = try registry.card("gpt-4o")
        #expect(card.cost(of: TokenUsage(input: 1_000_000, output: 100_000)) == 3.5)
        let request = ChatRequest(
            model: "m", messages: [ChatMessage(role: .user, content: String(repeating: "a", count: 400))])
        #expect(ModelCard.estimatedUsage(of: request, receivedCharacters: 41) == TokenUsage(input: 104, output: 11))
        #expect(try #require(card.estimatedCost(of: request, receivedCharacters: 40)) > 0)
        #expect(try registry.card("smollm2-135m").cost(of: TokenUsage(input: 1, output: 1)) == nil)
    }

    @Test("become the endpoint that they describe")
    func endpoints() async throws {
        let folder = try temporaryFolder()
        try FileManager.default.createDirectory(
            at: folder.appending(path: "recordings"), withIntermediateDirectories: true)
        try Data(#"{"schema":1,"reply":"recorded"}"#.utf8).write(to: folder.appending(path: "recordings/r.jsonl"))
        var card = ModelCard(id: "m", name: "M", vendor: "V", provider: .replay)
        card.recording = "recordings/r.jsonl"
        let replayed = try await card.endpoint(workspace: folder).complete(question, sink: CollectingSink())
        #expect(replayed.content == "recorded")

        let server = try LoopbackServer { _, connection in
            connection.beginEventStream()
            connection.delta("live", finish: "stop")
        }
        defer { server.stop() }
        let elsewhere = try await card.endpoint(workspace: folder, baseURL: server.baseURL)
            .complete(card.chatRequest(question.messages, temperature: 1), sink: CollectingSink())
        #expect(elsewhere.content == "live")

        card.provider = .openai
        card.baseURL = server.baseURL
        card.apiKeyVariable = "NO_SUCH_KEY"
        #expect(throws: EndpointError.keyMissing(variable: "NO_SUCH_KEY", model: "m")) {
            _ = try card.endpoint(workspace: folder, environment: [:])
        }
    }
}
