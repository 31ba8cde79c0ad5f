import Foundation
import PageTestSupport
import ResultStore
import Testing

@testable import Reporting

@Suite("The pages in a real browser", .serialized, .enabled(if: Chromium.isWanted, Chromium.whySkipped))
struct BrowserTests {
    /// A study of twelve runs and its report, made once for all of these tests and removed when the process ends.
    private static let shared = Result { try WrittenReport(runs: 12) }

    @Test func `every page opens from disk without a complaint or a request beyond the report`() async throws {
        let report = try Self.shared.get()
        try await Chromium.run("every_page", [report.address] + report.pages)
    }

    @Test func `tables sort and filter, and the address keeps how`() async throws {
        try await Chromium.run("tables", [try Self.shared.get().address])
    }

    @Test func `a long table shows its rows as they are scrolled to, in columns and with roles`() async throws {
        try await Chromium.run("long_table", [try Self.shared.get().address])
    }

    @Test func `without script the same is there to read`() async throws {
        let report = try Self.shared.get()
        try await Chromium.run("without_script", [report.address, report.conversation])
    }

    @Test func `a conversation shows what changed and where it failed, and every line has an address`() async throws {
        let report = try Self.shared.get()
        // model.py is the second file of each round.
        try await Chromium.run("conversation", [report.address, report.conversation, "round-0-file-2-L12"])
    }

    @Test func `a slider lays the masks over the held-out images`() async throws {
        let report = try Self.shared.get()
        try await Chromium.run("overlay", [report.address, report.conversation])
    }

    @Test func `figures tell their values to pointer and keyboard`() async throws {
        try await Chromium.run("figures", [try Self.shared.get().address])
    }

    @Test func `the keyboard reaches everything and shows where it is`() async throws {
        try await Chromium.run("keyboard", [try Self.shared.get().address])
    }

    @Test func `what a model writes stays text in every field`() async throws {
        let report = try WrittenReport(runs: 1, isHostile: true)
        defer { report.remove() }
        try await Chromium.run("hostile", [report.address] + report.pages)
    }

    @Test func `a page follows the study and keeps filters, place and focus`() async throws {
        let report = try WrittenReport(runs: 6)
        defer { report.remove() }
        let study = report.study
        let server = try ReportServer(
            report: try LiveReport(workspace: study.workspace, study: study.name), port: 0)
        let serving = Task { try await server.run() }
        let address = try await server.address().absoluteString
        let flag = study.workspace.root.appending(path: "looking").path
        let done = study.workspace.root.appending(path: "seen").path
        let writing = Task {
            try await Self.wait(for: flag)
            // One model more, and one round more for each run whose name fits the filter.
            try study.addRun(25, of: 12, epochs: 2)
            for run in try study.store.runs() where run.model.hasPrefix("aspen") && run.runIndex == 1 {
                let id = try #require(run.id)
                let next = try study.store.rounds(run: id).count
                try study.addRound(next, clean: false, run: id, key: run.key)
            }
            try await Self.wait(for: done)
            serving.cancel()
        }
        defer {
            writing.cancel()
            serving.cancel()
        }
        // Where the browser saw nothing, the writer would wait for it for ever.
        if try await Chromium.run("live", [address, flag, done]) { try await writing.value }
    }

    private static func wait(for path: String) async throws {
        while !FileManager.default.fileExists(atPath: path) { try await Task.sleep(for: .milliseconds(50)) }
    }
}

/// A made-up study with its report on disk.
struct WrittenReport: Sendable {
    let study: SyntheticStudy
    let folder: URL
    let pages: [String]
    /// The page of a run that failed at first and runs, trained and evaluated.
    let conversation: String

    init(runs: Int, isHostile: Bool = false) throws {
        let root = FileManager.default.temporaryDirectory.appending(path: "llmbench-page-\(UUID().uuidString)")
        study = try SyntheticStudy(root: root)
        try study.addRuns(runs, epochs: 6)
        if isHostile { try HostileStudy.add(to: study) }
        let evidence = try StudyEvidence(store: study.store, study: study.name)
        folder = study.workspace.results(study: study.name).appending(path: "report")
        let page = try ReportPage(evidence: evidence, workspace: study.workspace)
        _ = try page.write(to: folder)
        pages = try page.paths().filter { $0.hasSuffix(".html") }
        let shown = evidence.runs.firstIndex { $0.headline != nil && $0.rounds.count > 1 } ?? 0
        conversation = "runs/" + ReportPage.pages(evidence)[shown]
        Self.removals.add(root)
    }

    /// With a slash at its end.
    var address: String { "file://" + folder.path + "/" }

    func remove() { study.remove() }

    /// What a process leaves behind when it ends is removed then, too.
    private static let removals = Removals()

    private final class Removals: @unchecked Sendable {
        private let lock = NSLock()
        private var folders: [URL] = []

        init() { atexit { WrittenReport.removals.removeAll() } }

        func add(_ folder: URL) { lock.withLock { folders.append(folder) } }

        func removeAll() {
            for folder in lock.withLock({ folders }) { try? FileManager.default.removeItem(at: folder) }
        }
    }
}
