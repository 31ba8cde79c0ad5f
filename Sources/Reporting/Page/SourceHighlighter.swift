/// Source text as coloured tokens, by lexical rules only: nothing is parsed, so a program that does not parse is shown too.
///
/// Covers what a reader looks for: keywords, strings (with those over several lines), comments, numbers, decorators and attributes, and
/// the name after `def`, `class`, `func`, `struct`, `enum`, `protocol` and `extension`. It does not tell types from variables.
/// - Complexity: linear in the text.
struct SourceHighlighter {
    enum Language: Sendable {
        case python, swift, plain

        init(fileName: String) {
            self = fileName.hasSuffix(".py") ? .python : fileName.hasSuffix(".swift") ? .swift : .plain
        }

        /// By the word after the fence of a Markdown code block.
        init(fence: String) {
            switch fence.lowercased() {
            case "python", "py", "python3": self = .python
            case "swift": self = .swift
            default: self = .plain
            }
        }
    }

    enum Kind: Sendable {
        case keyword, string, comment, number, name, attribute
    }

    struct Token: Sendable, Hashable {
        var kind: Kind?
        var text: String
    }

    private let language: Language
    private let source: [Unicode.Scalar]
    private var position = 0
    private var lines: [[Token]] = [[]]
    private var nameFollows = false

    private init(_ text: String, _ language: Language) {
        source = Array(text.unicodeScalars)
        self.language = language
    }

    /// The tokens of each line, without line feeds.
    static func lines(of text: String, language: Language) -> [[Token]] {
        var highlighter = SourceHighlighter(text, language)
        highlighter.run()
        return highlighter.lines
    }

    private mutating func run() {
        guard language != .plain else { return emit(nil, to: source.count) }
        while position < source.count {
            let scalar = source[position]
            if startsComment(scalar) {
                emit(.comment, to: commentEnd())
            } else if let end = stringEnd() {
                emit(.string, to: end)
            } else if Self.startsWord(scalar) {
                word()
            } else if isDigit(position) {
                emit(.number, to: end { Self.startsWord($0) || ("0"..."9").contains($0) || $0 == "." })
            } else if scalar == "@", position + 1 < source.count, Self.startsWord(source[position + 1]) {
                emit(.attribute, to: end(from: position + 1) { Self.isWord($0) || $0 == "." })
            } else {
                emit(nil, to: plainEnd())
            }
        }
    }

    private mutating func word() {
        let stop = end { Self.isWord($0) }
        var text = String.UnicodeScalarView()
        text.append(contentsOf: source[position..<stop])
        let word = String(text)
        if nameFollows {
            nameFollows = false
            return emit(.name, to: stop)
        }
        let keywords = language == .python ? Self.pythonKeywords : Self.swiftKeywords
        let isKeyword = keywords.contains(word)
        nameFollows = isKeyword && Self.introducers.contains(word)
        emit(isKeyword ? .keyword : nil, to: stop)
    }

    /// White space, operators and brackets up to the next thing of interest.
    private func plainEnd() -> Int {
        var stop = position + 1
        while stop < source.count {
            let scalar = source[stop]
            if Self.isWord(scalar) || scalar == "\"" || scalar == "'" || scalar == "#" || scalar == "/" || scalar == "@"
            {
                break
            }
            stop += 1
        }
        return stop
    }

    private func startsComment(_ scalar: Unicode.Scalar) -> Bool {
        language == .python ? scalar == "#" : scalar == "/" && (at(1) == "/" || at(1) == "*")
    }

    private func commentEnd() -> Int {
        if language == .python || at(1) == "/" { return end { $0 != "\n" } }
        var depth = 0
        var index = position
        while index < source.count {
            if source[index] == "/", index + 1 < source.count, source[index + 1] == "*" {
                depth += 1
                index += 2
            } else if source[index] == "*", index + 1 < source.count, source[index + 1] == "/" {
                depth -= 1
                index += 2
                if depth == 0 { return index }
            } else {
                index += 1
            }
        }
        return source.count
    }

    /// The end of a string literal that begins here with its prefix; nil where none begins.
    private func stringEnd() -> Int? {
        var index = position
        var hashes = 0
        var raw = false
        if language == .swift {
            while index < source.count, source[index] == "#" { (index, hashes) = (index + 1, hashes + 1) }
        } else {
            while index < source.count, index - position < 2, "rRbBuUfF".unicodeScalars.contains(source[index]) {
                if source[index] == "r" || source[index] == "R" { raw = true }
                index += 1
            }
        }
        guard index < source.count, source[index] == "\"" || (source[index] == "'" && language == .python) else {
            return nil
        }
        let quote = source[index]
        let isLong = index + 2 < source.count && source[index + 1] == quote && source[index + 2] == quote
        return closing(
            from: index + (isLong ? 3 : 1), quote: quote, count: isLong ? 3 : 1, hashes: hashes,
            escapes: hashes == 0 && !raw)
    }

    private func closing(from start: Int, quote: Unicode.Scalar, count: Int, hashes: Int, escapes: Bool) -> Int {
        var index = start
        while index < source.count {
            let scalar = source[index]
            // A raw string of Python still lets a backslash shield its quote.
            if scalar == "\\", escapes || language == .python {
                index += 2
                continue
            }
            // A literal of one line that is not closed ends with the line.
            if scalar == "\n", count == 1 { return index }
            if scalar == quote, matches(quote, count, at: index), matches("#", hashes, at: index + count) {
                return index + count + hashes
            }
            index += 1
        }
        return source.count
    }

    private func matches(_ scalar: Unicode.Scalar, _ count: Int, at index: Int) -> Bool {
        guard index + count <= source.count else { return false }
        return source[index..<index + count].allSatisfy { $0 == scalar }
    }

    private func at(_ offset: Int) -> Unicode.Scalar? {
        position + offset < source.count ? source[position + offset] : nil
    }

    private func isDigit(_ index: Int) -> Bool { ("0"..."9").contains(source[index]) }

    private func end(from start: Int? = nil, while holds: (Unicode.Scalar) -> Bool) -> Int {
        var index = start ?? position
        while index < source.count, holds(source[index]) { index += 1 }
        return max(index, position + 1)
    }

    /// Takes the text up to `end` as one kind, a token a line.
    private mutating func emit(_ kind: Kind?, to end: Int) {
        let end = min(end, source.count)
        var start = position
        for index in position..<end where source[index] == "\n" {
            add(kind, start..<index)
            lines.append([])
            start = index + 1
        }
        add(kind, start..<end)
        position = end
    }

    private mutating func add(_ kind: Kind?, _ range: Range<Int>) {
        guard !range.isEmpty else { return }
        var text = String.UnicodeScalarView()
        text.append(contentsOf: source[range])
        if let last = lines[lines.count - 1].last, last.kind == kind {
            lines[lines.count - 1][lines[lines.count - 1].count - 1].text += String(text)
        } else {
            lines[lines.count - 1].append(Token(kind: kind, text: String(text)))
        }
    }

    private static func startsWord(_ scalar: Unicode.Scalar) -> Bool { scalar == "_" || scalar.properties.isAlphabetic }

    private static func isWord(_ scalar: Unicode.Scalar) -> Bool {
        startsWord(scalar) || ("0"..."9").contains(scalar)
    }

    private static let introducers: Set<String> = [
        "def", "class", "func", "struct", "enum", "protocol", "extension", "actor",
    ]

    private static let pythonKeywords: Set<String> = [
        "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del",
        "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal",
        "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
    ]

    private static let swiftKeywords: Set<String> = [
        "actor", "any", "as", "async", "await", "break", "case", "catch", "class", "continue", "default", "defer",
        "deinit", "do", "else", "enum", "extension", "fallthrough", "false", "fileprivate", "final", "for", "func",
        "guard", "if", "import", "in", "init", "inout", "internal", "is", "lazy", "let", "mutating", "nil",
        "nonisolated",
        "open", "override", "private", "protocol", "public", "repeat", "rethrows", "return", "self", "Self", "some",
        "static", "struct", "subscript", "super", "switch", "throw", "throws", "true", "try", "typealias", "var",
        "where", "while",
    ]
}
