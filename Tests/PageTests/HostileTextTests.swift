import Foundation
import PageTestSupport
import Testing

@testable import Reporting

@Suite("Hostile text")
struct HostileTextTests {
    @Test func `is on the pages as text, without a byte that a browser or a terminal would act on`() throws {
        let report = try WrittenReport(runs: 1, isHostile: true)
        defer { report.remove() }
        var bearing = 0
        for page in report.pages {
            let data = try Data(contentsOf: report.folder.appending(path: page))
            let text = try #require(String(bytes: data, encoding: .utf8), "\(page) is no UTF-8")
            for scalar in text.unicodeScalars where StoredText.isControl(scalar) {
                Issue.record("\(page) holds U+\(String(scalar.value, radix: 16))")
                break
            }
            for markup in [
                "<script>window", "<img src=x", "<svg onload", "javascript:window.pwned=4\"", "<iframe", "<base",
                "</textarea>",
                "onfocus=\"", "<link rel=stylesheet href=http", "<meta http-equiv=refresh",
            ] {
                #expect(!text.contains(markup), "\(page): \(markup)")
            }
            // Two million characters stand in a dozen fields; none of them comes whole.
            #expect(data.count < 6 << 20, "\(page) has \(data.count) bytes")
            if text.contains("&lt;script&gt;window.pwned=1") { bearing += 1 }
        }
        // The run's own page, the runs' history, and the tables of errors and choices.
        #expect(bearing >= 4, "the hostile text is on \(bearing) pages")
        let run = try String(
            contentsOf: report.folder.appending(path: try #require(report.pages.first { $0.contains("hostile") })),
            encoding: .utf8)
        for shown in [
            "\\x0nul \\x1b[31mred", "\\x202etxt.exe", "{{main}}{{{main}}}", "&amp;lt;script&amp;gt;", "[cut: ",
            "more characters]",
        ] {
            #expect(run.contains(shown), "the run's page shows \(shown)")
        }
        #expect(!run.contains("root:x:0:0"), "a file name with separators is not followed")
    }

    @Test(arguments: ["<&>\"'", "plain", "\u{0}\u{7f}\u{9b}", "a\u{202e}b", "tab\tand\nline", "ünïcödé 漢字 👩‍👩‍👧"])
    func `markup holds a text that reads back as it was, its controls made visible`(text: String) {
        var markup = Markup()
        markup.element("p", ["title": text], text: text)
        let read = markup.html.replacingOccurrences(of: "&lt;", with: "<").replacingOccurrences(of: "&gt;", with: ">")
            .replacingOccurrences(of: "&quot;", with: "\"").replacingOccurrences(of: "&#39;", with: "'")
            .replacingOccurrences(of: "&amp;", with: "&")
        let shown = StoredText.escapingControls(text)
        #expect(read == "<p title=\"\(shown)\">\(shown)</p>")
        #expect(markup.html.count { $0 == "<" } == 2)
    }

    @Test func `lines that end as on Windows end plainly, and a return alone is shown`() {
        #expect(StoredText.escapingControls("a\r\nb\rc\r") == "a\nb\\xdc\\xd")
    }

    @Test func `a line for a table has no breaks and an end`() {
        #expect(StoredText.line("a\nb\r\nc") == "a b c")
        #expect(
            StoredText.line(String(repeating: "é", count: 500), limit: 10) == String(repeating: "é", count: 10) + "…")
    }
}
