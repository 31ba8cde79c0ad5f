import Foundation
import PageTestSupport
import Reporting
import ResultStore
import Testing

@Suite("The server of a report")
struct ReportServerTests {
    /// A study with one run, served while `body` runs.
    private func serving(_ body: (_ port: Int, _ study: SyntheticStudy) async throws -> Void) async throws {
        let report = try WrittenReport(runs: 1)
        defer { report.remove() }
        let server = try ReportServer(
            report: try LiveReport(workspace: report.study.workspace, study: report.study.name), port: 0)
        let task = Task { try await server.run() }
        defer { task.cancel() }
        try await body(try #require(try await server.address().port), report.study)
    }

    private func ask(_ port: Int, _ request: String, host: String? = "127.0.0.1") async throws -> String {
        let host = host.map { "Host: \($0)\r\n" } ?? ""
        return try await Python.run(
            ["ask.py", "\(port)"], input: Data("\(request)\r\n\(host)Connection: close\r\n\r\n".utf8)
        ).said
    }

    @Test func `only loopback names are answered`() async throws {
        try await serving { port, _ in
            for host in ["localhost", "127.0.0.1", "LOCALHOST:\(port)", "127.0.0.1:\(port)", "[::1]:\(port)"] {
                #expect(try await ask(port, "GET / HTTP/1.1", host: host).hasPrefix("HTTP/1.1 200 "), "\(host)")
            }
            for host in [
                nil, "", "example.com", "localhost.example.com", "127.0.0.1.example.com", "example.com:\(port)",
                "localhost:x", "[::1", "[::2]", "0.0.0.0", "localhost:99999999",
            ] {
                let answer = try await ask(port, "GET / HTTP/1.1", host: host)
                #expect(answer.hasPrefix("HTTP/1.1 403 "), "\(host ?? "none"): \(answer.prefix(200))")
                #expect(!answer.contains("Study synthetic"))
            }
        }
    }

    @Test func `only GET is answered`() async throws {
        try await serving { port, _ in
            for method in ["POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"] {
                let answer = try await ask(port, "\(method) /index.html HTTP/1.1")
                #expect(answer.hasPrefix("HTTP/1.1 405 ") && answer.contains("Allow: GET"), "\(method): \(answer)")
            }
        }
    }

    @Test func `no path leads out of the report`() async throws {
        try await serving { port, study in
            let secret = study.workspace.root.appending(path: "models.yaml")
            #expect(FileManager.default.fileExists(atPath: secret.path))
            for path in [
                "/../../../models.yaml", "/..%2f..%2f..%2fmodels.yaml", "/%2e%2e/%2e%2e/%2e%2e/models.yaml",
                "/..\\..\\models.yaml", "//etc/passwd", "/runs/../../../../models.yaml", "/bench.sqlite",
                "/../bench.sqlite",
                "/index.html%00.png", "/etc/passwd", secret.path, "/./models.yaml", "/runs/", "/?x",
            ] {
                let answer = try await ask(port, "GET \(path) HTTP/1.1")
                let isIndex = path == "/?x"
                #expect(answer.hasPrefix(isIndex ? "HTTP/1.1 200 " : "HTTP/1.1 404 "), "\(path): \(answer.prefix(120))")
                #expect(
                    !answer.contains("models: []") && !answer.contains("root:x") && !answer.contains("SQLite format"))
            }
        }
    }

    @Test func `every answer carries the headers that keep others out`() async throws {
        try await serving { port, _ in
            for path in ["/", "/style.css", "/report.js", "/figures/errors.svg", "/none", "/live?after="] {
                let answer = try await ask(port, "GET \(path) HTTP/1.1")
                let head = answer.components(separatedBy: "\r\n\r\n")[0]
                for header in [
                    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; ",
                    "frame-ancestors 'none'", "X-Content-Type-Options: nosniff", "X-Frame-Options: DENY",
                    "Referrer-Policy: no-referrer", "Cache-Control: no-store",
                    "Cross-Origin-Resource-Policy: same-origin",
                ] {
                    #expect(head.contains(header), "\(path) lacks \(header):\n\(head)")
                }
                #expect(!head.contains("unsafe") && !head.contains("Access-Control"), "\(head)")
            }
        }
    }

    @Test func `a version changes with the store and not otherwise`() async throws {
        let report = try WrittenReport(runs: 1)
        defer { report.remove() }
        let live = try LiveReport(workspace: report.study.workspace, study: report.study.name)
        let first = try await live.version()
        #expect(try await live.version() == first)
        let before = try #require(try await live.contents(of: "runs.html"))
        try report.study.addRun(1, of: 2, epochs: 2)
        // A reading is left alone for four times its own length.
        var second = try await live.version()
        for _ in 0..<600 where second == first {
            try await Task.sleep(for: .milliseconds(100))
            second = try await live.version()
        }
        #expect(second != first)
        #expect(try await live.contents(of: "runs.html") != before)
        #expect(try await live.contents(of: "nothing.html") == nil)
    }

    @Test func `a port that is taken is named`() async throws {
        try await serving { port, study in
            let second = try ReportServer(
                report: try LiveReport(workspace: study.workspace, study: study.name), port: UInt16(port))
            await #expect(throws: ReportServerError.port(UInt16(port), reason: "another program has it")) {
                try await second.run()
            }
        }
    }
}
