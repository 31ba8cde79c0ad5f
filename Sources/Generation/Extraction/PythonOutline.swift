/// The top level of a Python file: which lines are imports, definitions, the main guard, anything else.
///
/// A line scanner, not a parser: it knows strings, comments, brackets and continuation lines, which is what it takes to
/// tell where a top-level statement begins and ends. Code that Python itself would reject gives some outline too.
struct PythonOutline {
    enum Kind: Hashable {
        case importing
        /// A function or a class, decorators included.
        case definition(String)
        /// `if __name__ == "__main__":` and its body.
        case mainGuard
        /// A string that stands alone: the module's documentation.
        case documentation
        case comment
        case statement
    }

    struct Chunk: Hashable {
        var kind: Kind
        /// Line numbers from 0; trailing blank lines belong to no chunk.
        var lines: Range<Int>
    }

    let lines: [String]
    private(set) var chunks: [Chunk] = []

    init(_ source: String) {
        lines = source.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        scan()
    }

    var definitions: [String] {
        chunks.compactMap { if case .definition(let name) = $0.kind { name } else { nil } }
    }

    var hasMainGuard: Bool { chunks.contains { $0.kind == .mainGuard } }

    var imports: [Chunk] { chunks.filter { $0.kind == .importing } }

    /// The names that import lines at the top level bind: `np` for `import numpy as np`, `nn` for `from torch import nn`.
    var importedNames: Set<String> {
        var names: Set<String> = []
        for chunk in imports {
            let text = lines[chunk.lines].map { $0.split(separator: "#").first.map(String.init) ?? "" }
                .joined(separator: " ")
            let list = text.hasPrefix("from ") ? text.components(after: " import") : text.components(after: "import ")
            for item in list.split(separator: ",") {
                let words = item.split(whereSeparator: { " \t()\\".contains($0) })
                if let name = words.last { names.insert(String(name.prefix { $0 != "." })) }
            }
        }
        return names
    }

    /// Code that runs when the module is imported, beyond imports and documentation.
    var hasStatements: Bool { chunks.contains { $0.kind == .statement } }

    /// Whether the first code line is indented: the inside of something.
    var startsIndented: Bool {
        let first = lines.first { line in
            let text = line.drop { $0 == " " || $0 == "\t" }
            return !text.isEmpty && text.first != "#"
        }
        return first.map { $0.first == " " || $0.first == "\t" } ?? false
    }

    func text(_ chunk: Chunk) -> [String] { Array(lines[chunk.lines]) }

    /// All identifiers outside comments. Those inside strings count as well: too many names is the safe side.
    var identifiers: Set<String> {
        var found: Set<String> = []
        for line in lines {
            if line.drop(while: { $0 == " " || $0 == "\t" }).first == "#" { continue }
            for word in line.split(whereSeparator: { !($0.isLetter || $0.isNumber || $0 == "_") }) {
                found.insert(String(word))
            }
        }
        return found
    }

    private mutating func scan() {
        var scanner = PythonLineScanner()
        var pendingDecorator: Int?
        for (number, line) in lines.enumerated() {
            let continues = scanner.isInside
            scanner.consume(line)
            if line.allSatisfy({ $0 == " " || $0 == "\t" || $0 == "\r" }) { continue }
            let indented = line.first == " " || line.first == "\t"
            if continues || indented {
                // A comment at the top level ends nothing: indented lines may follow it.
                if let last = chunks.indices.last { chunks[last].lines = chunks[last].lines.lowerBound..<(number + 1) }
                continue
            }
            if line.first == "@" {
                pendingDecorator = pendingDecorator ?? number
                continue
            }
            let kind = Self.kind(of: line)
            if case .statement = kind, continuesBlock(line), let last = chunks.indices.last {
                chunks[last].lines = chunks[last].lines.lowerBound..<(number + 1)
                continue
            }
            chunks.append(Chunk(kind: kind, lines: (pendingDecorator ?? number)..<(number + 1)))
            pendingDecorator = nil
        }
        if let pendingDecorator { chunks.append(Chunk(kind: .statement, lines: pendingDecorator..<lines.count)) }
    }

    /// `else:`, `except ...:` and so on, and a closing bracket at the margin, belong to what stands above.
    private func continuesBlock(_ line: String) -> Bool {
        let word = line.prefix { $0.isLetter }
        return ["else", "elif", "except", "finally"].contains(String(word)) || ")]}".contains(line.first ?? " ")
    }

    private static func kind(of line: String) -> Kind {
        if line.first == "#" { return .comment }
        if let name = definedName(line) { return .definition(name) }
        if line.hasPrefix("import ") || (line.hasPrefix("from ") && line.contains(" import")) { return .importing }
        if line.hasPrefix("if "), line.contains("__name__"), line.contains("__main__") { return .mainGuard }
        if line.hasPrefix("\"\"\"") || line.hasPrefix("'''") || line.hasPrefix("r\"\"\"") { return .documentation }
        return .statement
    }

    private static func definedName(_ line: String) -> String? {
        for keyword in ["def ", "class ", "async def "] where line.hasPrefix(keyword) {
            let name = line.dropFirst(keyword.count).drop { $0 == " " }
                .prefix { $0.isLetter || $0.isNumber || $0 == "_" }
            return name.isEmpty ? nil : String(name)
        }
        return nil
    }
}

extension String {
    /// What follows the first occurrence of a word; empty where it does not occur.
    fileprivate func components(after word: String) -> Substring {
        firstRange(of: word).map { self[$0.upperBound...] } ?? ""
    }
}

/// Follows Python source line by line: inside a triple-quoted string, inside brackets, after a backslash.
struct PythonLineScanner {
    /// The quotes that would end the string we are in.
    private(set) var openString: Character?
    private var depth = 0
    private var continued = false

    /// Whether the next line goes on with a statement that began above.
    var isInside: Bool { openString != nil || depth > 0 || continued }

    mutating func consume(_ line: String) {
        let text = Array(line)
        var i = 0
        continued = false
        while i < text.count {
            let c = text[i]
            if let quote = openString {
                if c == "\\" {
                    i += 2
                } else if Self.triple(text, at: i, quote) {
                    openString = nil
                    i += 3
                } else {
                    i += 1
                }
                continue
            }
            switch c {
            case "#": return
            case "\"", "'":
                if Self.triple(text, at: i, c) {
                    openString = c
                    i += 3
                } else {
                    i = Self.endOfString(text, from: i + 1, c)
                }
                continue
            case "(", "[", "{": depth += 1
            case ")", "]", "}": depth = max(0, depth - 1)
            case "\\" where i == text.count - 1: continued = true
            default: break
            }
            i += 1
        }
    }

    private static func triple(_ text: [Character], at i: Int, _ quote: Character) -> Bool {
        i + 2 < text.count && text[i] == quote && text[i + 1] == quote && text[i + 2] == quote
    }

    /// The place after a string on one line; the line's end where it is not closed.
    private static func endOfString(_ text: [Character], from start: Int, _ quote: Character) -> Int {
        var i = start
        while i < text.count {
            if text[i] == "\\" {
                i += 2
            } else if text[i] == quote {
                return i + 1
            } else {
                i += 1
            }
        }
        return text.count
    }
}
