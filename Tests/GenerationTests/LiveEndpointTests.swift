import Endpoints
import Foundation
import GenerationTestSupport
import ResultStore
import TestSupport
import Testing

@testable import Generation

@Suite("The loop against a live server")
struct LiveEndpointTests {
    let bench: Workbench

    init() throws {
        bench = try Workbench()
    }

    private func endpoint(_ server: LoopbackServer) throws -> OpenAIEndpoint {
        try OpenAIEndpoint(
            baseURL: server.baseURL, key: nil, retry: RetryPolicy(maximumAttempts: 2, firstDelaySeconds: 0.01))
    }

    @Test("streamed replies with reasoning, fed back over HTTP until the code runs")
    func streamed() async throws {
        let replies = [TinyPrograms.reply(main: TinyPrograms.typeError), TinyPrograms.mainOnly(TinyPrograms.good)]
        let server = try LoopbackServer { request, connection in
            let index = request.messages.count { $0.role == "assistant" }
            connection.beginEventStream()
            connection.delta("I wonder.", field: "reasoning_content")
            for piece in replies[min(index, 1)].split(separator: "\n", omittingEmptySubsequences: false) {
                connection.delta(piece + "\n")
            }
            connection.delta("", finish: "stop")
            connection.usage(input: 10, output: 20)
            connection.done()
        }
        defer { server.stop() }
        let store = try bench.store()
        let run = try await bench.loop(try endpoint(server), store: store).run(bench.record())
        #expect(run.status == .succeeded)
        let exchanges = try store.exchanges(run: try #require(run.id))
        #expect(exchanges.map(\.status) == [.complete, .complete])
        #expect(exchanges.map(\.inputTokens) == [10, 10])
        let reasoning = try String(contentsOf: bench.directory.round(0).reasoning, encoding: .utf8)
        #expect(reasoning == "I wonder.")
        #expect(!server.requests[1].messages.contains { $0.content.contains("I wonder.") })
    }

    @Test("a stream that breaks off is a failed request, what came is kept, and the run goes on later")
    func brokenStream() async throws {
        let whole = TinyPrograms.reply(main: TinyPrograms.good)
        let server = try LoopbackServer { request, connection in
            connection.beginEventStream()
            if request.index < 2 {
                connection.delta(String(whole.prefix(60)))
                return
            }
            connection.delta(whole, finish: "stop")
            connection.done()
        }
        defer { server.stop() }
        let store = try bench.store()
        let loop = try bench.loop(try endpoint(server), store: store)
        await #expect(throws: EndpointError.self) { try await loop.run(bench.record()) }
        let id = try #require(try store.run(path: Workbench.key().path)?.id)
        #expect(try store.exchanges(run: id).map(\.status) == [.failed])
        #expect(try store.rounds(run: id).isEmpty)
        let folder = bench.directory.round(0).url
        let kept = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.contains("failed-0") }
        #expect(!kept.isEmpty)
        let run = try await loop.run(bench.record())
        #expect(run.status == .succeeded)
        #expect(try store.exchanges(run: id).map(\.status) == [.failed, .complete])
    }
}
