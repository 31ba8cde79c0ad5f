import Endpoints
import Foundation
import TestSupport
import Testing

@Suite("A request that fails") struct FailureTests {
    @Test("is sent again after 429 and 5xx, as late as the server asks", arguments: [408, 429, 500, 502, 503, 529])
    func retried(status: Int) async throws {
        let server = try LoopbackServer { request, connection in
            guard request.index == 2 else {
                return connection.respond(status, headers: ["Retry-After": "7"], body: #"{"error":{"message":"busy"}}"#)
            }
            connection.beginEventStream()
            connection.delta("at last", finish: "stop")
            connection.usage(input: 1, output: 1)
        }
        defer { server.stop() }
        let pauses = Pauses()
        let sink = CollectingSink()
        let reply = try await ask(server, sink: sink, pauses: pauses)
        #expect(reply.content == "at last")
        #expect(reply.attempts == 3)
        #expect(sink.attempts.count == 3)
        #expect(pauses.seconds == [7, 7])
        #expect(reply.warnings.count == 2)
        #expect(reply.warnings[0].hasPrefix("attempt 1 failed: "))
        #expect(reply.warnings[0].contains("busy"))
    }

    @Test("waits longer each time, with jitter, and never beyond the caps")
    func backoff() {
        let policy = RetryPolicy(firstDelaySeconds: 1, maximumDelaySeconds: 10, maximumRetryAfterSeconds: 30)
        #expect((1...6).map { policy.delay(afterAttempt: $0, retryAfter: nil, jitter: 0) } == [1, 2, 4, 8, 10, 10])
        #expect(policy.delay(afterAttempt: 2, retryAfter: nil, jitter: 1) == 1)
        #expect(policy.delay(afterAttempt: 1, retryAfter: 3600, jitter: 0) == 30)
        #expect(policy.delay(afterAttempt: 1, retryAfter: 0, jitter: 0) == 0)
    }

    @Test("understands a Retry-After that is a date")
    func retryDate() async throws {
        let format = DateFormatter()
        format.locale = Locale(identifier: "en_US_POSIX")
        format.timeZone = TimeZone(identifier: "GMT")
        format.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
        let date = format.string(from: Date().addingTimeInterval(290))
        let server = try LoopbackServer { request, connection in
            if request.index == 0 { return connection.respond(503, headers: ["Retry-After": date]) }
            if request.index == 1 { return connection.respond(503, headers: ["Retry-After": "soon"]) }
            connection.beginEventStream()
            connection.delta("x", finish: "stop")
        }
        defer { server.stop() }
        let pauses = Pauses()
        _ = try await ask(server, pauses: pauses)
        #expect(pauses.seconds[0] > 100 && pauses.seconds[0] <= 290)
        #expect(pauses.seconds[1] >= 1 && pauses.seconds[1] <= 2)
    }

    @Test(
        "is not repeated where that cannot help, and says what to do",
        arguments: [
            (400, "rejected the request with status 400"), (401, "refused the key with status 401"),
            (403, "refused the key with status 403"), (404, "knows no model 'tiny'"), (402, "no credit left"),
            (422, "rejected the request with status 422"),
        ])
    func final(status: Int, sentence: String) async throws {
        let server = try LoopbackServer { _, connection in
            connection.respond(status, body: #"{"error":{"message":"no such thing","code":"x"}}"#)
        }
        defer { server.stop() }
        let key = try APIKey(variable: "TEST_KEY", model: "tiny", environment: ["TEST_KEY": "sk-abcdefghijkl"])
        let error = try await failure { try await ask(server, key: key) }
        #expect(server.requests.count == 1)
        #expect("\(error)".contains(sentence), "\(error)")
        #expect("\(error)".contains("no such thing"))
        #expect(!"\(error)".contains("\n"))
    }

    @Test("without a key where one is wanted says so")
    func keyWanted() async throws {
        let server = try LoopbackServer { _, connection in connection.respond(401) }
        defer { server.stop() }
        let error = try await failure { try await ask(server) }
        #expect("\(error)".contains("asks for a key"))
    }

    @Test("for want of credit is not repeated, though its status is 429")
    func noCredit() async throws {
        let server = try LoopbackServer { _, connection in
            connection.respond(
                429, body: #"{"error":{"message":"You exceeded your quota","code":"insufficient_quota"}}"#)
        }
        defer { server.stop() }
        let error = try await failure { try await ask(server) }
        guard case .creditExhausted = error else { throw error }
        #expect(server.requests.count == 1)
    }

    @Test(
        "because the conversation is too long is told apart from other refusals",
        arguments: [
            #"{"error":{"message":"too long","code":"context_length_exceeded"}}"#,
            #"{"error":{"code":400,"message":"request (9000 tokens) exceeds the available context size (8192 tokens)","type":"exceed_context_size_error"}}"#,
            #"{"detail":"This model's maximum context length is 4096 tokens."}"#,
        ])
    func tooLong(body: String) async throws {
        let server = try LoopbackServer { _, connection in connection.respond(400, body: body) }
        defer { server.stop() }
        guard case .contextExceeded(model: "tiny", _) = try await failure({ try await ask(server) }) else {
            throw UnexpectedReply(content: body)
        }
    }

    @Test("with every attempt names how many there were")
    func exhausted() async throws {
        let server = try LoopbackServer { _, connection in connection.respond(500, body: "boom\u{1b}[31m\r\nnext") }
        defer { server.stop() }
        let error = try await failure { try await ask(server) }
        #expect(server.requests.count == 3)
        #expect(
            error
                == .serverFailed(
                    address: server.baseURL + "/chat/completions", status: 500, attempts: 3, message: "boom [31m next"))
        #expect("\(error)".contains("after 3 attempts"))
    }

    @Test("because nothing listens there is tried again, then reported")
    func refused() async throws {
        let server = try LoopbackServer { _, _ in }
        server.stop()
        let pauses = Pauses()
        let error = try await failure { try await ask(server, pauses: pauses) }
        guard case .unreachable(_, _, attempts: 3) = error else { throw error }
        #expect(pauses.seconds.count == 2)
        #expect("\(error)".contains("check the address and that the server runs"))
    }

    @Test(
        "at an address that is none is refused before anything is sent",
        arguments: ["", "tiny", "ftp://host/v1", "file:///etc/passwd", "https:///v1"])
    func badAddress(address: String) throws {
        #expect(throws: EndpointError.addressInvalid(address: address)) { _ = try OpenAIEndpoint(baseURL: address) }
    }

    @Test("does not follow a redirect")
    func redirect() async throws {
        let other = try LoopbackServer { _, connection in connection.respond(200) }
        let server = try LoopbackServer { _, connection in
            connection.respond(308, headers: ["Location": "\(other.baseURL)?token=s3cr3t"])
        }
        defer {
            server.stop()
            other.stop()
        }
        let error = try await failure { try await ask(server) }
        #expect(error == .redirected(address: server.baseURL + "/chat/completions", location: other.baseURL))
        #expect(other.requests.isEmpty)
    }
}

@Suite("A reply that breaks") struct BrokenReplyTests {
    @Test("off without a finish reason is never a reply: it is asked for again and reported")
    func cut() async throws {
        let server = try LoopbackServer { request, connection in
            connection.beginEventStream()
            connection.delta("half of ")
            if request.index == 1 {
                connection.delta("it", finish: "stop")
                connection.usage(input: 1, output: 1)
            }
        }
        defer { server.stop() }
        let sink = CollectingSink()
        let reply = try await ask(server, sink: sink)
        #expect(reply.content == "half of it")
        #expect(sink.attempts.map(\.content) == ["half of ", "half of it"])
        #expect(reply.warnings.count == 1 && reply.warnings[0].contains("broke off after 8 bytes"))
    }

    @Test("off each time is an error, with [DONE] or without", arguments: [true, false])
    func cutAlways(done: Bool) async throws {
        let server = try LoopbackServer { _, connection in
            connection.beginEventStream()
            connection.delta("half")
            if done { connection.done() }
        }
        defer { server.stop() }
        let error = try await failure { try await ask(server) }
        #expect(error == .streamCut(address: server.baseURL + "/chat/completions", receivedBytes: 4, attempts: 3))
    }

    @Test("off inside a chunked body, or in the middle of an event, is a cut too")
    func cutInside() async throws {
        let server = try LoopbackServer { request, connection in
            connection.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
            if request.index == 0 { return connection.send("40\r\ndata: {\"choices\":[{\"del") }
            connection.send("2b\r\ndata: {\"choices\":[{\"delta\":{\"content\":\"ab\r\n")
        }
        defer { server.stop() }
        guard case .streamCut(_, _, attempts: 2) = try await failure({ try await ask(server, attempts: 2) }) else {
            throw UnexpectedReply(content: "")
        }
    }

    @Test("the silence limit counts from the last byte, and the limit on the first byte is its own")
    func silence() async throws {
        let limits = TransferLimits(connectSeconds: 5, firstByteSeconds: 10, idleSeconds: 1, totalSeconds: 60)
        let slow = try LoopbackServer { _, connection in
            connection.pause(1.3)
            connection.beginEventStream()
            connection.delta("thought long", finish: "stop")
        }
        let stuck = try LoopbackServer { _, connection in
            connection.beginEventStream()
            connection.delta("and then")
            while connection.isOpen { connection.pause(0.02) }
        }
        let chatty = try LoopbackServer { _, connection in
            connection.beginEventStream()
            for _ in 0..<7 {
                connection.send(": still thinking\n\n")
                connection.pause(0.2)
            }
            connection.delta("done", finish: "stop")
        }
        defer { for server in [slow, stuck, chatty] { server.stop() } }
        #expect(try await ask(slow, limits: limits, attempts: 1).content == "thought long")
        #expect(try await ask(chatty, limits: limits, attempts: 1).content == "done")
        let error = try await failure { try await ask(stuck, limits: limits, attempts: 2) }
        #expect(
            error
                == .timedOut(
                    address: stuck.baseURL + "/chat/completions", phase: .idle, seconds: 1, attempts: 2))
    }

    @Test("the limits on the first byte and on the whole reply are errors of their own")
    func timeouts() async throws {
        let server = try LoopbackServer { request, connection in
            if request.index == 0 {
                while connection.isOpen { connection.pause(0.02) }
            }
            connection.beginEventStream()
            while connection.isOpen {
                connection.delta("x")
                connection.pause(0.02)
            }
        }
        defer { server.stop() }
        let limits = TransferLimits(firstByteSeconds: 0.3, idleSeconds: 5, totalSeconds: 0.6)
        guard
            case .timedOut(_, phase: .waitingForFirstByte, _, _) = try await failure({
                try await ask(server, limits: limits, attempts: 1)
            })
        else { throw UnexpectedReply(content: "") }
        // A reply that never ends was paid for once: it is not asked for again.
        guard
            case .timedOut(_, phase: .total, _, attempts: 1) = try await failure({
                try await ask(server, limits: limits, attempts: 3)
            })
        else { throw UnexpectedReply(content: "") }
    }

    @Test(
        "and is no completion at all is said to be what it is, and not asked for again",
        arguments: [
            ("text/html", "<!DOCTYPE html><html><body>Sign in</body></html>", "a web page"),
            ("application/json", "{\"hello\": 1}", "neither an event stream nor the JSON of a completion"),
            ("application/json", "{\"choices\": [", "neither an event stream nor the JSON of a completion"),
            ("text/plain", "\u{0}\u{1}\u{2}garbage", "neither an event stream nor the JSON of a completion"),
            ("text/event-stream", "data: {broken\n\n", "an event that is no JSON of a completion"),
            ("text/event-stream", "data: [1,2]\n\n", "an event that is no JSON of a completion"),
        ])
    func garbage(type: String, body: String, detail: String) async throws {
        let server = try LoopbackServer { _, connection in
            connection.respond(200, headers: ["Content-Type": type], body: body)
        }
        defer { server.stop() }
        let error = try await failure { try await ask(server) }
        #expect(error == .unreadable(address: server.baseURL + "/chat/completions", detail: detail))
        #expect(server.requests.count == 1)
    }

    @Test(
        "and is whole but holds no choice did not break off, and is not asked for again",
        arguments: [
            ("application/json", #"{"choices":[]}"#),
            ("application/json", #"{"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":0}}"#),
            ("text/event-stream", "data: {\"choices\":[]}\n\ndata: [DONE]\n\n"),
        ])
    func noChoice(type: String, body: String) async throws {
        let server = try LoopbackServer { _, connection in
            connection.respond(200, headers: ["Content-Type": type], body: body)
        }
        defer { server.stop() }
        let error = try await failure { try await ask(server) }
        #expect(error == .noChoice(address: server.baseURL + "/chat/completions", model: "tiny"))
        #expect("\(error)".contains("holds no choice") && !"\(error)".contains("broke off"))
        #expect(server.requests.count == 1)
    }

    @Test("whose stream ends before any choice and before its end broke off")
    func cutBeforeChoice() async throws {
        let server = try LoopbackServer { _, connection in
            connection.beginEventStream()
            connection.event(#"{"choices":[]}"#)
        }
        defer { server.stop() }
        let error = try await failure { try await ask(server, attempts: 2) }
        #expect(error == .streamCut(address: server.baseURL + "/chat/completions", receivedBytes: 0, attempts: 2))
    }

    @Test("with an error inside the stream repeats what may pass and reports what will not")
    func errorInside() async throws {
        let server = try LoopbackServer { request, connection in
            connection.beginEventStream()
            connection.delta("so far")
            connection.event(
                request.index < 3
                    ? #"{"error":{"message":"overloaded","code":503}}"# : #"{"error":"the model was unloaded"}"#)
        }
        defer { server.stop() }
        let address = server.baseURL + "/chat/completions"
        let transient = try await failure { try await ask(server) }
        #expect(transient == .errorInStream(address: address, message: "overloaded", attempts: 3))
        let final = try await failure { try await ask(server) }
        #expect(final == .errorInStream(address: address, message: "the model was unloaded", attempts: 1))
    }

    @Test("by a line without end, or by gigabytes, is given up early")
    func endless() async throws {
        let line = try LoopbackServer { _, connection in
            connection.beginEventStream()
            connection.send("data: ")
            let piece = Data(repeating: 0x61, count: 1 << 20)
            for _ in 0..<40 where connection.isOpen { connection.send(piece) }
        }
        let flood = try LoopbackServer { _, connection in
            connection.beginEventStream()
            for _ in 0..<100_000 where connection.isOpen { connection.delta(String(repeating: "a", count: 1 << 16)) }
        }
        defer { for server in [line, flood] { server.stop() } }
        #expect(
            try await failure { try await ask(line) }
                == .unreadable(
                    address: line.baseURL + "/chat/completions", detail: "a line of more than 8 MiB"))
        let limits = TransferLimits(maximumBytes: 4 << 20)
        #expect(
            try await failure { try await ask(flood, limits: limits) }
                == .tooLarge(
                    address: flood.baseURL + "/chat/completions", limitBytes: 4 << 20))
        #expect(flood.requests.count == 1)
    }

    @Test("after its finish reason loses nothing")
    func brokenAfterwards() async throws {
        let server = try LoopbackServer { _, connection in
            connection.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 9999\r\n\r\n")
            connection.delta("whole", finish: "stop")
        }
        defer { server.stop() }
        let reply = try await ask(server)
        #expect(reply.content == "whole")
        #expect(reply.attempts == 1)
    }
}
