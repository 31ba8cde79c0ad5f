import Foundation
import TestSupport
import Testing

@Suite("A key")
struct SecretTests {
    private static let key = "sk-scratch-5d1c0b7e9a"

    @Test(
        "reaches the server and nothing else: no file, no output, even where the server sends it back",
        arguments: [401, 400, 200])
    func staysSecret(status: Int) async throws {
        let server = try LoopbackServer { request, connection in
            let header = request.headers["authorization"] ?? ""
            guard status == 200 else {
                return connection.respond(
                    status, headers: ["Content-Type": "application/json"],
                    body: #"{"error":{"message":"this request with '\#(header)' is refused"}}"#)
            }
            connection.beginEventStream()
            connection.delta("Your header was \(header).", finish: "stop")
            connection.done()
        }
        defer { server.stop() }
        let workspace = try ScratchWorkspace(baseURL: server.baseURL)
        let outcome = try await workspace.llmbench(
            "generate", "--model", "remote", "--dataset", "disc", "--max-rounds", "0", "--record", "talk.jsonl",
            "--json", variables: ["SCRATCH_KEY": Self.key])
        #expect(outcome.status == (status == 200 ? 1 : 3), "\(outcome)")
        #expect(server.requests.count >= 1)
        #expect(server.requests.allSatisfy { $0.headers["authorization"] == "Bearer \(Self.key)" })
        #expect(!"\(outcome)".contains(Self.key), "\(outcome)")
        let report = try await workspace.llmbench("report", "--format", "html", variables: ["SCRATCH_KEY": Self.key])
        #expect(report.status == 0, "\(report)")
        let files = workspace.files()
        #expect(files.contains { $0.lastPathComponent == "bench.sqlite" })
        #expect(files.contains { $0.lastPathComponent == "request.json" })
        for file in files {
            let bytes = try Data(contentsOf: file)
            #expect(bytes.range(of: Data(Self.key.utf8)) == nil, "the key stands in \(file.path)")
        }
    }
}
