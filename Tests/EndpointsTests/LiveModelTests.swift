import Endpoints
import Foundation
import Prompts
import TestSupport
import Testing

private let isWanted = ProcessInfo.processInfo.environment["LLMBENCH_LIVE"] == "1"

/// Against a real language model: `scripts/local-llm start && LLMBENCH_LIVE=1 swift test --filter LiveModelTests`.
@Suite("A real language model", .enabled(if: isWanted, "LLMBENCH_LIVE=1 and scripts/local-llm start"))
struct LiveModelTests {
    private let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    @Test("answers the real prompt, with its tokens counted and its time measured")
    func answers() async throws {
        let card = try ModelRegistry.load(repository.appending(path: "models.yaml")).card("smollm2-135m")
        let template = try PromptTemplate.load(
            repository.appending(path: "prompts/pytorch.md"), known: PipelinePromptValues.slots)
        let values = PipelinePromptValues(
            imageKind: "axial slices of a T1-weighted MRI of the head", foreground: "the cerebellum",
            foregroundHint: "small: 2 to 9 percent of an image", channels: 1, samples: 216)
        let prompt = try template.render(values.values)
        let endpoint = try card.endpoint(workspace: repository)
        let sink = CollectingSink()
        var request = card.chatRequest([ChatMessage(role: .user, content: prompt.text)], temperature: 0.2, seed: 1)
        request.maxOutputTokens = 200
        let reply = try await endpoint.complete(request, sink: sink)
        print(
            "usage \(String(describing: reply.usage)), first token \(reply.firstTokenSeconds ?? -1) s, ",
            "total \(reply.totalSeconds) s, finish \(reply.finishReason), warnings \(reply.warnings)")
        print(reply.content.prefix(600))
        #expect(!reply.content.isEmpty && reply.content == sink.content)
        let usage = try #require(reply.usage)
        #expect(usage.input > 500 && usage.output > 0)
        let first = try #require(reply.firstTokenSeconds)
        #expect(first > 0 && first <= reply.totalSeconds)
    }

    @Test("refuses a conversation that its context cannot hold, and we say so")
    func tooLong() async throws {
        let card = try ModelRegistry.load(repository.appending(path: "models.yaml")).card("smollm2-135m")
        let request = card.chatRequest([
            ChatMessage(role: .user, content: String(repeating: "segmentation of the head ", count: 4000))
        ])
        let error = try await failure {
            try await card.endpoint(workspace: repository).complete(request, sink: CollectingSink())
        }
        print(error)
        guard case .contextExceeded = error else { throw error }
    }
}
