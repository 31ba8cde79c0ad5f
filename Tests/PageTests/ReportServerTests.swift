import Foundation
import GRDB
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
        #expect(try await Self.news(live, after: first) != first)
        #expect(try await live.contents(of: "runs.html") != before)
        #expect(try await live.contents(of: "nothing.html") == nil)
    }

    /// A reading is left alone for four times its own length.
    private static func news(_ live: LiveReport, after known: String) async throws -> String {
        for _ in 0..<600 {
            let version = try await live.version()
            if version != known { return version }
            try await Task.sleep(for: .milliseconds(100))
        }
        return known
    }

    @Test func `what is no result of the study is no news`() async throws {
        let report = try WrittenReport(runs: 1)
        defer { report.remove() }
        let study = report.study
        let live = try LiveReport(workspace: study.workspace, study: study.name)
        let first = try await live.version()
        // As a study's process does while it works.
        var job = JobRecord(id: "generate/x", position: 0, kind: "generate", needs: [], state: .planned)
        for _ in 0..<3 {
            job.state = job.state == .planned ? .running : .planned
            try study.store.storeJobs([job])
            try await Task.sleep(for: .milliseconds(100))
            #expect(try await live.version() == first)
        }
    }

    @Test func `of a study that has changed, the runs are read that have`() throws {
        let study = try WrittenReport(runs: 3).study
        defer { study.remove() }
        let runs = try study.store.runs()
        var reader = StudyReader(study: study.name)
        let whole = try reader.evidence(from: study.store)
        #expect(try reader.news(from: study.store) == nil)
        let trained = try #require(whole.runs.last { !$0.trainings.isEmpty }?.trainings.first?.record)
        let last = try #require(try study.store.epochs(training: trained.id ?? -1).last)
        try study.store.storeEpoch(
            EpochRecord(
                trainingId: last.trainingId, epoch: last.epoch + 1, trainLoss: 0.0625, validationLoss: nil),
            validationDice: [])
        let other = try #require(runs.first { $0.id != trained.runId })
        // A change that is not counted is not seen: what was read of this run before is what is given.
        let queue = try DatabaseQueue(path: study.store.path.path)
        try queue.write { db in
            try db.execute(sql: "DROP TRIGGER run_change_run_update")
            try db.execute(sql: "UPDATE run SET end_reason = 'unseen' WHERE id = ?", arguments: [other.id])
        }
        try queue.close()
        let news = try #require(try reader.news(from: study.store))
        #expect(news.runs.count == runs.count)
        let changed = try #require(news.runs.first { $0.record.id == trained.runId })
        #expect(changed.trainings.contains { $0.epochs.last?.trainLoss == 0.0625 })
        #expect(news.runs.first { $0.record.id == other.id }?.record.endReason != "unseen")
        let anew = try StudyEvidence(store: study.store, study: study.name)
        #expect(anew.runs.first { $0.record.id == other.id }?.record.endReason == "unseen")
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
