import Foundation
import TestSupport

/// An endpoint that is paid for, on a loopback port: it answers with given replies, by how many a conversation holds already.
final class ScriptedServer: Sendable {
    /// Of each reply, as the endpoint counts.
    static let outputTokens = 1000

    private let server: LoopbackServer

    /// - Parameter replies: of the conversation that begins with a prompt.
    init(_ replies: @escaping @Sendable (_ prompt: String) -> [String]) throws {
        server = try LoopbackServer { request, connection in
            let messages = request.messages
            let index = messages.count { $0.role == "assistant" }
            let all = replies(messages.first { $0.role == "user" }?.content ?? "")
            guard all.indices.contains(index) else { return connection.respond(400, body: "no reply \(index)") }
            connection.beginEventStream()
            connection.delta(all[index])
            connection.delta("", finish: "stop")
            connection.usage(input: 0, output: Self.outputTokens)
            connection.done()
        }
    }

    deinit { server.stop() }

    /// How many requests came.
    var count: Int { server.requests.count }

    /// A model card that asks it: US$ 0.10 a reply.
    func card(_ id: String) -> String {
        "{id: \(id), name: \(id), vendor: Acme, provider: openai, base_url: \"\(server.baseURL)\", "
            + "price: {input_per_million: 0, output_per_million: 100, date: \"2025-01\", source: this test}}"
    }
}
