import Foundation
import Testing

@testable import Generation

@Suite("A reply becomes files")
struct ReplyExtractorTests {
    /// The code without comment lines that name the file, and without blank lines at both ends.
    private func bare(_ code: String, _ name: String) -> String {
        var lines = code.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let isPreamble: (String) -> Bool = { line in
            let text = line.trimmingSpaces()
            return text.isEmpty || text.hasPrefix("#") || (text.hasPrefix("\"\"\"") && text.contains(name))
        }
        while let first = lines.first, isPreamble(first) { lines.removeFirst() }
        while let last = lines.last, last.trimmingSpaces().isEmpty { lines.removeLast() }
        return lines.joined(separator: "\n")
    }

    @Test("whatever dress the four files come in", arguments: Fixtures.names(in: "replies/whole", suffix: ".md"))
    func dresses(name: String) throws {
        let program = try Fixtures.program()
        let extraction = ReplyExtractor().extract(
            reply: try Fixtures.text("replies/whole/\(name).md"), isTruncated: false, current: [:])
        #expect(extraction.verdict == .complete)
        #expect(extraction.files.keys.sorted() == program.keys.sorted())
        for (file, code) in program {
            #expect(bare(extraction.files[file] ?? "", file) == bare(code, file), "\(file)")
        }
    }

    @Test("at least thirty dresses are tried")
    func fixturesAreThere() {
        #expect(Fixtures.names(in: "replies/whole", suffix: ".md").count >= 30)
    }

    @Test("a fence inside a documentation string belongs to the code")
    func nestedFence() throws {
        let code = "\"\"\"Reads pairs.\n\n```python\nds = Pairs()\n```\n\"\"\"\nimport os\n\n\nclass Pairs:\n    pass\n"
        let extraction = ReplyExtractor(expected: ["dataset.py"]).extract(
            reply: "```python dataset.py\n\(code)```\n", isTruncated: false, current: [:])
        #expect(extraction.files["dataset.py"] == code)
    }

    @Test("a documentation string that is never closed does not swallow the next block")
    func unclosedString() throws {
        let reply =
            "```python a.py\n\"\"\"Broken\nimport os\n```\n\n```python b.py\n\"\"\"Fine.\"\"\"\nimport sys\n```\n"
        let extraction = ReplyExtractor(expected: ["a.py", "b.py"]).extract(
            reply: reply, isTruncated: false, current: [:])
        #expect(extraction.files["b.py"] == "\"\"\"Fine.\"\"\"\nimport sys\n")
        #expect(extraction.files["a.py"] == "\"\"\"Broken\nimport os\n")
    }

    @Test(
        "names lose their folders and cannot leave the round",
        arguments: [
            ("../../etc/model.py", "model.py"), ("/code/model.py", "model.py"), ("src\\model.py", "model.py"),
            ("model.py", "model.py"),
        ])
    func sanitizing(path: String, name: String) {
        #expect(FileNaming.sanitized(path) == name)
    }

    @Test("what cannot be a module has no name", arguments: [".py", "-rf.py", "a b.py", "..", "é.py", "a;b.py"])
    func refusedNames(path: String) {
        #expect(FileNaming.sanitized(path) == nil)
    }

    @Test("a further module is taken where a heading names it, and left where running text mentions one")
    func extraModules() throws {
        let program = try Fixtures.program()
        let block = "```python\ndef helper():\n    return 1\n```\n"
        let named = ReplyExtractor().extract(reply: "### losses.py\n\n" + block, isTruncated: false, current: program)
        #expect(named.files["losses.py"] == "def helper():\n    return 1\n")
        let mentioned = ReplyExtractor().extract(
            reply: "You could also write a helper.py like this one:\n\n" + block, isTruncated: false, current: program)
        #expect(mentioned.files["helper.py"] == nil)
    }

    @Test("prose in place of code names the files that are missing")
    func prose() {
        let extraction = ReplyExtractor().extract(
            reply: "A U-Net has an encoder and a decoder.", isTruncated: false, current: [:])
        #expect(extraction.verdict == .missing(["dataset.py", "model.py", "train.py", "main.py"]))
    }

    @Test("a first reply with three files asks for the fourth, and keeps the three")
    func partOfTheFiles() throws {
        var program = try Fixtures.program()
        let main = program.removeValue(forKey: "main.py") ?? ""
        let text = program.map { "### \($0.key)\n```python\n\($0.value)```\n" }.joined(separator: "\n")
        let first = ReplyExtractor().extract(reply: text, isTruncated: false, current: [:])
        #expect(first.verdict == .missing(["main.py"]))
        let second = ReplyExtractor().extract(
            reply: "```python main.py\n\(main)```", isTruncated: false, current: first.files)
        #expect(second.verdict == .complete)
        #expect(second.changed == ["main.py"])
    }

    @Test("nothing of a truncated reply is used")
    func truncated() throws {
        let program = try Fixtures.program()
        let extraction = ReplyExtractor().extract(
            reply: "```python model.py\nimport torch\n", isTruncated: true, current: program)
        #expect(extraction.verdict == .truncated)
        #expect(extraction.files == program)
    }

    @Test("an endless line of letters costs no more than reading it", .timeLimit(.minutes(10)))
    func longLines() {
        let line = String(repeating: "a", count: 400_000)
        let reply = "\(line)\n```python\n# \(line)\nx = '\(line)'\n```\n**\(line)**\n```\(line)\n```"
        let extraction = ReplyExtractor().extract(reply: reply, isTruncated: false, current: [:])
        #expect(extraction.files.isEmpty)
    }

    @Test("interactive sessions, shell commands and other languages are no files")
    func otherBlocks() {
        let reply = """
            ```python
            >>> import model
            ```
            ```bash
            python main.py
            ```
            ```json
            {"a": 1}
            ```
            ```text
            Traceback (most recent call last):
              File "main.py", line 1
            import os
            ```
            """
        let extraction = ReplyExtractor().extract(reply: reply, isTruncated: false, current: [:])
        #expect(extraction.files.isEmpty)
    }
}
