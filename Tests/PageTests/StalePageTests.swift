import Foundation
import Testing

@testable import Reporting

@Suite("A report written over an earlier one")
struct StalePageTests {
    @Test func `takes away the pages of what it no longer has, and nothing of anybody else's`() throws {
        let report = try WrittenReport(runs: 1)
        defer { report.remove() }
        let files = FileManager.default
        func path(_ name: String) -> URL { report.folder.appending(path: name) }
        let page = try Data(contentsOf: path(report.conversation))
        #expect(String(decoding: page.prefix(1024), as: UTF8.self).contains(ReportPage.mark))
        try page.write(to: path("runs/of-another-time.html"))
        try page.write(to: path("tables/of-another-time.html"))
        try Data("<html>mine</html>".utf8).write(to: path("runs/notes.html"))
        try Data("mine".utf8).write(to: path("tables/notes.txt"))
        let evidence = try StudyEvidence(store: report.study.store, study: report.study.name)
        _ = try ReportPage(evidence: evidence, workspace: report.study.workspace).write(to: report.folder)
        for gone in ["runs/of-another-time.html", "tables/of-another-time.html"] {
            #expect(!files.fileExists(atPath: path(gone).path), "\(gone)")
        }
        for kept in report.pages + ["runs/notes.html", "tables/notes.txt"] {
            #expect(files.fileExists(atPath: path(kept).path), "\(kept)")
        }
    }
}
