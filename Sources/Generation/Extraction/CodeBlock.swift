/// A fenced block of a reply, with the prose around it.
struct CodeBlock: Hashable {
    /// What follows the opening fence: `python title="model.py"`.
    var info: String
    var lines: [String]
    /// The prose between the block before (or the beginning) and this one.
    var before: [String]
    /// Whether another block stands above.
    var isFirst = true
    /// The prose between this block and the next, or the end.
    var after: [String] = []
    /// False where the reply ended, or the next block began, before a closing fence.
    var isClosed: Bool

    var code: String { lines.joined(separator: "\n") + "\n" }

    /// The first word of the info string, in lower case.
    var language: String {
        let word = info.split(whereSeparator: { " \t{:,".contains($0) }).first.map(String.init) ?? ""
        return word.lowercased().trimmingPrefix(while: { $0 == "." }).description
    }
}

/// Finds the fenced blocks of a reply.
///
/// After CommonMark 0.31 §4.5 (backticks or tildes, three or more, closed by at least as many), with what models do beyond it:
/// fences at any indentation, a whole answer wrapped in a block of Markdown, a fence inside a documentation string, a block
/// that is opened before the last one was closed.
struct CodeBlockParser {
    private struct Fence {
        var mark: Character
        var length: Int
        var indent: Int
        var info: String
    }

    static func blocks(in reply: String) -> [CodeBlock] {
        // Grapheme-wise, CR LF is one Character: it has to go before lines are told apart.
        let text = String(String.UnicodeScalarView(reply.unicodeScalars.filter { $0 != "\r" }))
        return blocks(in: text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init), depth: 0)
    }

    private static func blocks(in lines: [String], depth: Int) -> [CodeBlock] {
        var found: [CodeBlock] = []
        var prose: [String] = []
        var i = 0
        while i < lines.count {
            guard let opening = fence(lines[i]) else {
                prose.append(lines[i])
                i += 1
                continue
            }
            let end = endOfBlock(opening, in: lines, from: i + 1)
            let inside = lines[(i + 1)..<end.line].map { unindent($0, opening.indent) }
            if !found.isEmpty { found[found.count - 1].after = prose }
            let isContainer = ["markdown", "md"].contains(opening.info.lowercased())
            if isContainer, depth < 2 {
                var inner = blocks(in: Array(inside), depth: depth + 1)
                if !inner.isEmpty { inner[0].before = prose + inner[0].before }
                if !inner.isEmpty { inner[0].isFirst = found.isEmpty }
                found += inner
            } else {
                found.append(
                    CodeBlock(
                        info: opening.info, lines: Array(inside), before: prose, isFirst: found.isEmpty,
                        isClosed: end.isClosed))
            }
            prose = []
            i = end.isClosed ? end.line + 1 : end.line
        }
        if !found.isEmpty { found[found.count - 1].after = prose }
        return found
    }

    /// The line that closes a block, or the one that opens the next, or the end.
    private static func endOfBlock(_ opening: Fence, in lines: [String], from start: Int) -> (line: Int, isClosed: Bool)
    {
        var scanner = PythonLineScanner()
        let isMarkdown = ["markdown", "md"].contains(opening.info.lowercased())
        var nested = 0
        var stringStart = start
        for i in start..<max(start, lines.count) {
            guard let inner = fence(lines[i]), inner.mark == opening.mark, inner.length >= opening.length else {
                let wasOpen = scanner.openString != nil
                scanner.consume(lines[i])
                if !wasOpen, scanner.openString != nil { stringStart = i + 1 }
                continue
            }
            if isMarkdown {
                // Inside Markdown, a fence with a language opens and a bare one closes what is open.
                if !inner.info.isEmpty {
                    nested += 1
                } else if nested > 0 {
                    nested -= 1
                } else {
                    return (i, true)
                }
                continue
            }
            if let quote = scanner.openString, fencesBelongToString(quote, in: lines, from: stringStart) { continue }
            if inner.info.isEmpty { return (i, true) }
            if inner.info.contains(where: { $0 == "`" }) { continue }
            return (i, false)
        }
        return (lines.count, false)
    }

    /// Whether the fences between here and the end of a documentation string are part of it: they come in pairs and do not
    /// read "close this block, open the next".
    private static func fencesBelongToString(_ quote: Character, in lines: [String], from start: Int) -> Bool {
        let terminator = String(repeating: quote, count: 3)
        guard let end = lines[start...].firstIndex(where: { $0.contains(terminator) }) else { return false }
        let fences = lines[start..<end].compactMap { fence($0) }
        guard fences.count >= 2, fences.count.isMultiple(of: 2) else { return false }
        return !(fences[0].info.isEmpty && !fences[1].info.isEmpty)
    }

    private static func fence(_ line: String) -> Fence? {
        let indent = line.prefix { $0 == " " || $0 == "\t" }.count
        let rest = line.dropFirst(indent)
        guard let mark = rest.first, mark == "`" || mark == "~" else { return nil }
        let length = rest.prefix { $0 == mark }.count
        guard length >= 3 else { return nil }
        let info = rest.dropFirst(length).trimmingSpaces()
        // "```code```" on one line is a code span.
        guard mark == "~" || !info.contains("`") else { return nil }
        return Fence(mark: mark, length: length, indent: indent, info: info)
    }

    private static func unindent(_ line: String, _ count: Int) -> String {
        var line = Substring(line)
        var left = count
        while left > 0, let first = line.first, first == " " || first == "\t" {
            line.removeFirst()
            left -= 1
        }
        return String(line)
    }
}

extension StringProtocol {
    /// Without spaces and tabs at both ends.
    func trimmingSpaces() -> String {
        var text = Substring(self)
        while let first = text.first, first == " " || first == "\t" { text.removeFirst() }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return String(text)
    }
}
