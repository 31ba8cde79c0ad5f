import Endpoints
import Foundation
import TestSupport
import Testing

@Suite("A key") struct SecretTests {
    static let value = "sk-proj-4fQ9zRt2LmX8vWb1"

    private func key(_ value: String = value) throws -> APIKey {
        try APIKey(variable: "TEST_KEY", model: "tiny", environment: ["TEST_KEY": value])
    }

    @Test("is sent as a bearer token, and as nothing else")
    func sent() async throws {
        let server = try LoopbackServer { _, connection in
            connection.beginEventStream()
            connection.delta("x", finish: "stop")
        }
        defer { server.stop() }
        _ = try await ask(server, key: try key(" \(Self.value)\n"))
        let request = try #require(server.requests.first)
        #expect(request.headers["authorization"] == "Bearer \(Self.value)")
        #expect(!String(decoding: request.body, as: UTF8.self).contains(Self.value))
    }

    @Test("that is missing or broken is named by its variable, never shown")
    func missing() throws {
        #expect(throws: EndpointError.keyMissing(variable: "TEST_KEY", model: "tiny")) { try key(" ") }
        for broken in ["\(Self.value) \(Self.value)", "\(Self.value)\r\nX-Evil: 1", "\(Self.value)ü"] {
            #expect(throws: EndpointError.keyUnusable(variable: "TEST_KEY")) { try key(broken) }
        }
        #expect("\(EndpointError.keyMissing(variable: "TEST_KEY", model: "tiny"))".contains("TEST_KEY"))
    }

    @Test("does not show itself when it is printed")
    func printed() throws {
        let key = try key()
        var dumped = ""
        dump(key, to: &dumped)
        let endpoint = try OpenAIEndpoint(baseURL: "https://example.org/v1", key: key)
        dump(endpoint, to: &dumped)
        #expect(!(dumped + "\(key)\(String(reflecting: key))\(endpoint)").contains("4fQ9"))
    }

    @Test(
        "that a server repeats is taken out of the message, whole, in pieces, encoded or masked",
        arguments: [
            "Incorrect API key provided: \(value).", "you sent 'Bearer \(value)'",
            "key=\(value.prefix(14))***", "…\(value.suffix(8))", "c2stcHJvai00ZlE5elJ0MkxtWDh2V2Ix",
            "Incorrect API key provided: sk-pr********vWb1", "token \(value.dropFirst(5)) rejected\u{1b}[0m",
        ])
    func redacted(message: String) async throws {
        let server = try LoopbackServer { _, connection in
            let body = try? JSONSerialization.data(withJSONObject: ["error": ["message": message]])
            connection.respond(401, body: String(decoding: body ?? Data(), as: UTF8.self))
        }
        defer { server.stop() }
        let text = "\(try await failure { try await ask(server, key: try key()) })"
        #expect(text.contains("[redacted]"), "\(text)")
        for start in 0...(Self.value.count - 6) {
            let piece = String(Self.value.dropFirst(start).prefix(6))
            #expect(!text.contains(piece), "\(text)")
        }
        #expect(!text.contains("vWb1") && !text.contains("c2stcHJv") && !text.contains("\u{1b}"))
    }

    @Test("that a server repeats inside its reply is taken out, however it is cut")
    func echoed() async throws {
        for length in [1, 3, 7, 500] {
            let text = "your key sk-proj-4fQ is \(Self.value), thanks sk-proj"
            let server = try LoopbackServer { _, connection in
                connection.beginEventStream()
                var rest = Substring(text)
                while !rest.isEmpty {
                    connection.delta(String(rest.prefix(length)))
                    rest = rest.dropFirst(length)
                }
                connection.delta("", finish: "stop")
            }
            defer { server.stop() }
            let sink = CollectingSink()
            let reply = try await ask(server, sink: sink, key: try key())
            #expect(reply.content == "your key sk-proj-4fQ is [redacted], thanks sk-proj")
            #expect(sink.content == reply.content)
        }
    }

    @Test("does not travel unencrypted, but to this machine")
    func unencrypted() throws {
        let key = try key()
        #expect(throws: EndpointError.addressUnencrypted(address: "http://example.org/v1/chat/completions")) {
            _ = try OpenAIEndpoint(baseURL: "http://user:pw@example.org/v1?x=1", key: key)
        }
        #expect(throws: EndpointError.addressUnencrypted(address: "http://127.0.0.1.evil.org/v1/chat/completions")) {
            _ = try OpenAIEndpoint(baseURL: "http://127.0.0.1.evil.org/v1", key: key)
        }
        for address in [
            "http://127.0.0.1:1/v1", "http://localhost/v1", "http://[::1]:8080/v1", "https://example.org/v1",
        ] {
            _ = try OpenAIEndpoint(baseURL: address, key: key)
        }
    }
}
