/// The top level of a Swift file: what it declares, and which identifiers occur in it.
///
/// A line scanner, not a parser: strings, comments and braces are followed, which is what it takes to tell a declaration at the top
/// level from one inside.
struct SwiftOutline {
    let lines: [String]
    /// Names of the types and functions declared at the top level, in order. Extensions declare nothing new.
    private(set) var declarations: [String] = []
    /// Whether anything runs or is stored at the top level: what only `main.swift` may have.
    private(set) var hasStatements = false

    init(_ source: String) {
        lines = source.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        scan()
    }

    private mutating func scan() {
        var scanner = SwiftLineScanner()
        for line in lines {
            let isTop = scanner.depth == 0 && !scanner.isInsideText
            let text = line.trimmingSpaces()
            if isTop, !text.isEmpty, !text.hasPrefix("//"), !text.hasPrefix("/*"), !text.hasPrefix("}") {
                if let name = Self.declaredName(text) {
                    declarations.append(name)
                } else if !text.hasPrefix("import ") && !text.hasPrefix("extension ") && !text.hasPrefix("@")
                    && !text.contains(" import ")
                {
                    hasStatements = true
                }
            }
            scanner.consume(line)
        }
    }

    private static let modifiers: Set<Substring> = [
        "public", "private", "fileprivate", "internal", "open", "final", "indirect", "nonisolated",
        "@discardableResult",
        "@inlinable", "@MainActor",
    ]

    private static func declaredName(_ text: String) -> String? {
        let words = text.split(separator: " ").drop { modifiers.contains($0) }
        guard let keyword = words.first,
            ["func", "class", "struct", "enum", "protocol", "actor", "typealias"].contains(keyword),
            let second = words.dropFirst().first
        else { return nil }
        let name = second.prefix { $0.isLetter || $0.isNumber || $0 == "_" }
        return name.isEmpty ? nil : String(name)
    }

    /// All identifiers outside line comments.
    var identifiers: Set<String> {
        var found: Set<String> = []
        for line in lines where !line.trimmingSpaces().hasPrefix("//") {
            for word in line.split(whereSeparator: { !($0.isLetter || $0.isNumber || $0 == "_") }) {
                found.insert(String(word))
            }
        }
        return found
    }

    /// Whether a comment or an ellipsis stands for code that was left out.
    var isElided: Bool {
        let words = [
            "rest of", "unchanged", "existing code", "remaining code", "same as before", "same as above",
            "previous code",
            "other code", "remains the same", "remain the same", "as before", "no changes",
        ]
        return lines.contains { line in
            let text = line.trimmingSpaces()
            if text == "..." || text == "…" { return true }
            guard text.hasPrefix("//"), !text.hasPrefix("///"), text.count <= 80 else { return false }
            let comment = text.drop { $0 == "/" || $0 == " " }.lowercased()
            if comment.hasPrefix("...") || comment.hasPrefix("…") { return true }
            return words.contains { comment.contains($0) }
                && (comment.contains("...") || comment.contains("…") || comment.hasPrefix("(")
                    || comment.hasPrefix("rest")
                    || comment.hasPrefix("existing") || comment.hasPrefix("remaining") || comment.hasPrefix("previous")
                    || comment.hasPrefix("other") || comment.hasSuffix("unchanged") || comment.hasSuffix("the same"))
        }
    }
}

/// Follows Swift source line by line: how deep in braces, inside a multi-line string or comment.
struct SwiftLineScanner {
    private(set) var depth = 0
    private var inString = false
    private var comments = 0

    var isInsideText: Bool { inString || comments > 0 }

    mutating func consume(_ line: String) {
        let text = Array(line)
        var i = 0
        func at(_ word: String) -> Bool { text[i...].starts(with: word) }
        while i < text.count {
            if comments > 0 {
                let step = at("*/") ? -1 : at("/*") ? 1 : 0
                comments += step
                i += step == 0 ? 1 : 2
            } else if inString {
                if at("\"\"\"") {
                    inString = false
                    i += 3
                } else {
                    i += text[i] == "\\" ? 2 : 1
                }
            } else if at("//") {
                return
            } else if at("/*") {
                comments += 1
                i += 2
            } else if at("\"\"\"") {
                inString = true
                i += 3
            } else if text[i] == "\"" {
                i += 1
                while i < text.count, text[i] != "\"" { i += text[i] == "\\" ? 2 : 1 }
                i += 1
            } else {
                if "{([".contains(text[i]) { depth += 1 }
                if "})]".contains(text[i]) { depth = max(0, depth - 1) }
                i += 1
            }
        }
    }
}
