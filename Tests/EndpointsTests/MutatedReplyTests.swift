import Endpoints
import Foundation
import TestSupport
import Testing

private let reply = """
    Here it is.

    ```python
    # model.py
    import os
    import torch
    import torch.nn as nn


    class UNet(nn.Module):
        def __init__(self, base):
            super().__init__()
            self.first = nn.Conv2d(1, base, 3, padding=1)
            self.last = nn.Conv2d(base, 1, kernel_size=1)

        def forward(self, x):
            hidden = torch.relu(self.first(x))
            return self.last(hidden)
    ```
    """

@Suite("A loopback model that errs") struct MutatedReplyTests {
    @Test("puts one fault into working code, the same for the same seed", arguments: CodeMutation.allCases)
    func mutation(kind: CodeMutation) throws {
        for seed in 0..<10 as Range<UInt64> {
            var one = SeededGenerator(seed: seed)
            var two = SeededGenerator(seed: seed)
            let text = try #require(kind.applied(to: reply, using: &one))
            #expect(text == kind.applied(to: reply, using: &two))
            #expect(text != reply)
            switch kind {
            case .dropImport: #expect(!text.contains("import torch\n") || !text.contains("as nn"))
            case .renameVariable: #expect(text.contains("hidden_renamed = ") && text.contains("(hidden)"))
            case .breakShape: #expect(text.contains(" + 1,"))
            case .cutReply: #expect(reply.hasPrefix(text))
            }
        }
    }

    @Test("offers no fault where the code has no place for it")
    func noPlace() {
        var generator = SeededGenerator(seed: 1)
        for kind in [CodeMutation.dropImport, .renameVariable, .breakShape] {
            #expect(kind.applied(to: "no code here", using: &generator) == nil)
        }
    }

    @Test("gets it right after its faulty rounds, over a real connection")
    func rounds() async throws {
        let mutations: [CodeMutation] = [.dropImport, .cutReply]
        let server = try MutatedReplyServer(reply: reply, mutations: mutations, seed: 5)
        defer { server.stop() }
        let endpoint = try OpenAIEndpoint(baseURL: server.baseURL)
        var request = question
        for round in 0..<3 {
            let answer = try await endpoint.complete(request, sink: CollectingSink())
            #expect(
                answer.content == MutatedReplyServer.reply(reply, round: round, mutations: mutations, seed: 5))
            #expect(answer.finishReason == (round == 1 ? .length : .stop))
            #expect((answer.content == reply) == (round == 2))
            request.messages.append(ChatMessage(role: .assistant, content: answer.content))
            request.messages.append(ChatMessage(role: .user, content: "an error"))
        }
    }
}
