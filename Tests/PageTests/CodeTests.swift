import Foundation
import TestSupport
import Testing

@testable import Reporting

private let seed = Trials.seed("pages")
private let rounds = Trials.isVerifying ? 5000 : 300

@Suite("Highlighting")
struct HighlightingTests {
    private func kinds(_ text: String, _ language: SourceHighlighter.Language) -> [String] {
        SourceHighlighter.lines(of: text, language: language).flatMap { line in
            line.compactMap { token in token.kind.map { "\($0) \(token.text)" } }
        }
    }

    @Test func `Python's words, strings, numbers and comments are told apart`() {
        let text = """
            @torch.no_grad()
            def fit(x: int = 0x1F) -> str:  # all of it
                return rb"a\\"b" + f'{x}' if x >= 1.5e-3 else None
            """
        #expect(
            kinds(text, .python) == [
                "attribute @torch.no_grad", "keyword def", "name fit", "number 0x1F", "comment # all of it",
                "keyword return", #"string rb"a\"b""#, "string f'{x}'", "keyword if", "number 1.5e", "number 3",
                "keyword else", "keyword None",
            ])
    }

    @Test func `Swift's nested comments and raw strings end where they end`() {
        let text = "func f() { /* a /* b */ c */ let s = #\"x\"y\"# + \"\\\"\" } // end"
        #expect(
            kinds(text, .swift) == [
                "keyword func", "name f", "comment /* a /* b */ c */", "keyword let", "string #\"x\"y\"#",
                "string \"\\\"\"", "comment // end",
            ])
    }

    @Test func `a string over several lines colours each of them`() {
        let lines = SourceHighlighter.lines(of: "x = '''one\ntwo\n''' + y", language: .python)
        #expect(lines.map { $0.map(\.kind) } == [[nil, .string], [.string], [.string, nil]])
    }

    @Test func `an unclosed string ends with its line, an unclosed comment with the file`() {
        #expect(kinds("a = 'open\nif b:", .python) == ["string 'open", "keyword if"])
        #expect(kinds("/* open\nlet a", .swift) == ["comment /* open", "comment let a"])
    }

    @Test func `no text is lost, whatever it is`() {
        var random = SeededGenerator(seed: seed)
        let pieces = [
            "'", "\"", "'''", "\"\"\"", "\\", "#", "//", "/*", "*/", "\n", " ", "def", "x1", "0b1", "@", "@a.b", "rb",
            "f",
            "é", "👩‍👩‍👧", "\u{301}", "(", ".", "#\"", "\"#", "\t", "<b>",
        ]
        for _ in 0..<rounds {
            let text = (0..<Int.random(in: 0...40, using: &random)).map { _ in
                pieces.randomElement(using: &random) ?? ""
            }
            .joined()
            for language in [SourceHighlighter.Language.python, .swift, .plain] {
                let lines = SourceHighlighter.lines(of: text, language: language)
                let joined = lines.map { $0.map(\.text).joined() }.joined(separator: "\n")
                #expect(
                    Array(joined.unicodeScalars) == Array(text.unicodeScalars), "seed \(seed): \(text.debugDescription)"
                )
            }
        }
    }
}

@Suite("What changed between two texts")
struct LineDiffTests {
    @Test func `a changed line shows its changed words, and its neighbours`() {
        let old = ["a", "b", "c", "x = torch.cat([skip, x], dim=0)", "d", "e", "f", "g"]
        let new = ["a", "b", "c", "x = torch.cat([skip, x], dim=1)", "d", "e", "f", "g"]
        let diff = LineDiff(from: old, to: new, context: 2)
        #expect(
            diff.hunks == [
                [
                    .kept(old: 2, new: 2, "b"), .kept(old: 3, new: 3, "c"),
                    .removed(
                        old: 4,
                        [
                            .init(text: "x = torch.cat([skip, x], dim=", changed: false),
                            .init(text: "0", changed: true),
                            .init(text: ")", changed: false),
                        ]),
                    .added(
                        new: 4,
                        [
                            .init(text: "x = torch.cat([skip, x], dim=", changed: false),
                            .init(text: "1", changed: true),
                            .init(text: ")", changed: false),
                        ]),
                    .kept(old: 5, new: 5, "d"), .kept(old: 6, new: 6, "e"),
                ]
            ])
    }

    @Test func `lines with nothing in common are not compared by words`() {
        #expect(LineDiff.words("import numpy", "return x + y * z") == nil)
        #expect(LineDiff.words(String(repeating: "a ", count: 400), "a") == nil)
    }

    @Test func `changes far apart are two stretches, near ones are one`() {
        let old = (0..<40).map { "line \($0)" }
        var new = old
        new[5] = "else"
        new[30] = "other"
        #expect(LineDiff(from: old, to: new).hunks.count == 2)
        new[9] = "near"
        new[30] = old[30]
        #expect(LineDiff(from: old, to: new).hunks.count == 1)
    }

    @Test func `equal texts have no changes, and texts too large and different are not compared`() {
        #expect(LineDiff(from: ["a"], to: ["a"]).hunks.isEmpty)
        let many = (0..<LineDiff.largest).map { "a\($0)" }
        #expect(LineDiff(from: many, to: many.map { "b" + $0 }).isTooLarge)
        #expect(!LineDiff(from: many, to: many + ["one more"]).isTooLarge)
    }

    @Test func `both texts can be read out of a difference`() {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<rounds {
            func text() -> [String] {
                (0..<Int.random(in: 0...14, using: &random)).map { _ in
                    ["a", "b", "c d", "c e", "", "x = 1", "x = 2"].randomElement(using: &random) ?? ""
                }
            }
            let (old, new) = (text(), text())
            let lines = LineDiff(from: old, to: new, context: 100).hunks.flatMap(\.self)
            guard old != new else {
                #expect(lines.isEmpty)
                continue
            }
            var (before, after) = ([String](), [String]())
            for line in lines {
                switch line {
                case .kept(let oldNumber, let newNumber, let text):
                    before.append(text)
                    after.append(text)
                    #expect(oldNumber == before.count && newNumber == after.count, "seed \(seed)")
                case .removed(let number, let parts):
                    before.append(parts.map(\.text).joined())
                    #expect(number == before.count, "seed \(seed)")
                case .added(let number, let parts):
                    after.append(parts.map(\.text).joined())
                    #expect(number == after.count, "seed \(seed)")
                }
            }
            #expect(before == old && after == new, "seed \(seed): \(old) \(new)")
        }
    }
}

@Suite("A reply")
struct ReplyViewTests {
    @Test func `prose and fenced code are told apart`() {
        let html = ReplyView(text: "Hello.\n```python\nimport os\n```\nBye.\n~~~\nx\n", label: "Reply").markup.html
        #expect(html.contains("<p class=\"prose\">Hello.</p>"))
        #expect(html.contains("<span class=\"k\">import</span> os"))
        #expect(html.contains("<p class=\"prose\">Bye.</p>"))
        #expect(html.components(separatedBy: "<pre").count == 3, "a fence that is not closed ends with the reply")
    }

    @Test func `the error stands under its line, and only there`() {
        let view = CodeView(
            text: "a\nb\nc", language: .plain, label: "x", id: "f", mark: .init(line: 2, message: "KeyError: <b>"))
        let html = view.markup.html
        #expect(html.contains("<span class=\"l here\" id=\"f-L2\">b\n</span><span class=\"fault\">"))
        #expect(html.components(separatedBy: "fault").count == 2 && html.contains("KeyError: &lt;b&gt;"))
    }
}
