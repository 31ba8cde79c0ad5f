import Endpoints
import Foundation
import TestSupport
import Testing

@Suite("A streamed reply") struct StreamingTests {
    @Test("is put together, with its usage, finish reason and times")
    func whole() async throws {
        let server = try LoopbackServer { _, connection in
            connection.beginEventStream()
            connection.pause(0.05)
            connection.delta("Hello, ")
            connection.pause(0.05)
            connection.delta("world")
            connection.delta("", finish: "stop")
            connection.usage(input: 12, output: 3)
            connection.done()
        }
        defer { server.stop() }
        let sink = CollectingSink()
        let reply = try await ask(server, sink: sink)
        #expect(reply.content == "Hello, world")
        #expect(sink.content == "Hello, world")
        #expect(reply.reasoning == nil)
        #expect(reply.finishReason == .stop)
        #expect(reply.usage == TokenUsage(input: 12, output: 3))
        #expect(reply.attempts == 1)
        #expect(reply.warnings.isEmpty)
        let first = try #require(reply.firstTokenSeconds)
        #expect(first >= 0.05 && first < reply.totalSeconds)
        #expect(reply.totalSeconds >= 0.1)
    }

    @Test("asks for a stream with usage, and sends what the card allows only")
    func request() async throws {
        let server = try LoopbackServer { _, connection in
            connection.beginEventStream()
            connection.delta("x", finish: "stop")
        }
        defer { server.stop() }
        var request = question
        request.temperature = 0.5
        request.maxOutputTokens = 100
        request.seed = 7
        _ = try await ask(server, request)
        _ = try await ask(
            server, request,
            dialect: .init(
                maximumTokensField: "max_completion_tokens", asksForUsage: false, takesTemperature: false,
                extra: ["reasoning_effort": .text("high")]))
        let bodies = try server.requests.map {
            try #require(JSONSerialization.jsonObject(with: $0.body) as? [String: Any])
        }
        #expect(server.requests[0].path == "/v1/chat/completions")
        #expect(server.requests[0].headers["authorization"] == nil)
        #expect(bodies[0]["stream"] as? Bool == true)
        #expect((bodies[0]["stream_options"] as? [String: Bool]) == ["include_usage": true])
        #expect(bodies[0]["temperature"] as? Double == 0.5)
        #expect(bodies[0]["max_tokens"] as? Int == 100)
        #expect(bodies[0]["seed"] as? Int == 7)
        #expect(bodies[1]["max_completion_tokens"] as? Int == 100)
        #expect(bodies[1]["max_tokens"] == nil && bodies[1]["temperature"] == nil && bodies[1]["stream_options"] == nil)
        #expect(bodies[1]["reasoning_effort"] as? String == "high")
    }

    @Test("survives any cut of its bytes, inside UTF-8, JSON and line ends", arguments: 0..<20)
    func cuts(seed: UInt64) async throws {
        let text = "U-Net für Köpfe 🧠\r\n  \"quoted\" \\ {{braces}} – ende"
        let json = try JSONSerialization.data(withJSONObject: [
            "choices": [["delta": ["content": text], "finish_reason": "stop"]]
        ])
        let end = seed % 2 == 0 ? "\n" : "\r\n"
        var stream = Data(": a comment\(end)\(end)event: message\(end)data: ".utf8) + json + Data("\(end)\(end)".utf8)
        stream += Data("data:[DONE]\(end)\(end)".utf8)
        let bytes = stream
        let server = try LoopbackServer { _, connection in
            var generator = SeededGenerator(seed: seed)
            connection.beginEventStream()
            var rest = bytes
            while !rest.isEmpty {
                let piece = rest.prefix(Int.random(in: 1...7, using: &generator))
                connection.send(Data(piece))
                rest = Data(rest.dropFirst(piece.count))
                if Int.random(in: 0..<8, using: &generator) == 0 { connection.pause(0.002) }
            }
        }
        defer { server.stop() }
        let reply = try await ask(server, attempts: 1)
        #expect(reply.content == text, "seed \(seed)")
    }

    @Test("without usage is a reply with a warning")
    func noUsage() async throws {
        let server = try LoopbackServer { _, connection in
            connection.beginEventStream()
            connection.delta("x", finish: "length")
            connection.done()
        }
        defer { server.stop() }
        let reply = try await ask(server)
        #expect(reply.usage == nil)
        #expect(reply.finishReason == .length)
        #expect(reply.warnings == ["the endpoint reported no token usage"])
    }

    @Test("is whole once its finish reason came, whether or not [DONE] follows and the connection closes")
    func lingering() async throws {
        let server = try LoopbackServer { _, connection in
            connection.beginEventStream()
            connection.delta("all of it", finish: "stop")
            connection.usage(input: 1, output: 2)
            connection.done()
            connection.pause(3)
        }
        defer { server.stop() }
        let reply = try await ask(server)
        #expect(reply.content == "all of it")
        #expect(reply.totalSeconds < 2)
    }

    @Test("may be no stream at all: a server that sends the whole completion as JSON is understood")
    func notStreamed() async throws {
        let server = try LoopbackServer { _, connection in
            connection.respond(
                200, headers: ["Content-Type": "application/json"],
                body: #"""
                    {"choices":[{"message":{"role":"assistant","content":"<think>hm</think>hi"},"finish_reason":"stop"}],
                     "usage":{"prompt_tokens":4,"completion_tokens":5,"completion_tokens_details":{"reasoning_tokens":2}}}
                    """#)
        }
        defer { server.stop() }
        let reply = try await ask(server)
        #expect(reply.content == "hi")
        #expect(reply.reasoning == "hm")
        #expect(reply.usage == TokenUsage(input: 4, output: 5, reasoning: 2))
    }

    @Test("ends with the task that waits for it, though the server goes on", .timeLimit(.minutes(10)))
    func cancellation() async throws {
        let server = try LoopbackServer { _, connection in
            connection.beginEventStream()
            connection.delta("slowly")
            while connection.isOpen { connection.pause(0.02) }
        }
        defer { server.stop() }
        let sink = CollectingSink()
        let task = Task { try await ask(server, sink: sink) }
        while sink.content.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    @Test("that cannot be stored ends the transfer with the storage's own error")
    func sinkFails() async throws {
        struct Full: Error {}
        struct FullSink: ReplySink {
            func begin(attempt: Int) {}
            func append(content: String) throws { throw Full() }
            func append(reasoning: String) {}
        }
        let server = try LoopbackServer { _, connection in
            connection.beginEventStream()
            connection.delta("x", finish: "stop")
        }
        defer { server.stop() }
        await #expect(throws: Full.self) { try await ask(server, sink: FullSink()) }
        #expect(server.requests.count == 1)
    }
}

@Suite("Reasoning") struct ReasoningTests {
    @Test("is taken from either field and from thinking blocks", arguments: ["reasoning_content", "reasoning"])
    func fields(field: String) async throws {
        let server = try LoopbackServer { _, connection in
            connection.beginEventStream()
            connection.delta("let me ", field: field)
            connection.event(
                #"{"choices":[{"delta":{"content":[{"type":"thinking","thinking":[{"type":"text","text":"see"}]}]}}]}"#)
            connection.event(
                #"{"choices":[{"delta":{"content":[{"type":"text","text":"answer"}]},"finish_reason":"stop"}]}"#)
            connection.done()
        }
        defer { server.stop() }
        let sink = CollectingSink()
        let reply = try await ask(server, sink: sink)
        #expect(reply.content == "answer")
        #expect(reply.reasoning == "let me see")
        #expect(sink.reasoning == "let me see")
    }

    @Test(
        "in <think> is cut out wherever the stream is cut",
        arguments: [
            ("<think>a < b</thi</think>\n\nreply", "reply", "a < b</thi"),
            ("  \n<think>one</think> <think>two</think>reply", "reply", "onetwo"),
            ("reply with <think> inside", "reply with <think> inside", ""),
            ("<thin air", "<thin air", ""), ("   indented", "   indented", ""),
            ("<think>never closed", "", "never closed"),
            ("<think></think>", "", ""), ("", "", ""), ("<", "<", ""),
        ])
    func think(text: String, content: String, reasoning: String) async throws {
        for length in [1, 2, 3, 5, 100] {
            let server = try LoopbackServer { _, connection in
                connection.beginEventStream()
                var rest = Substring(text)
                while !rest.isEmpty {
                    connection.delta(String(rest.prefix(length)))
                    rest = rest.dropFirst(length)
                }
                connection.delta("", finish: "stop")
                connection.usage(input: 1, output: 1)
            }
            defer { server.stop() }
            let sink = CollectingSink()
            let reply = try await ask(server, sink: sink)
            #expect(reply.content == content, "pieces of \(length)")
            #expect(reply.reasoning ?? "" == reasoning, "pieces of \(length)")
            #expect(sink.content == content && sink.reasoning == reasoning)
            let isUnclosed = text.contains("<think>never")
            #expect(reply.warnings == (isUnclosed ? ["the reply's <think> block was never closed"] : []))
        }
    }
}
