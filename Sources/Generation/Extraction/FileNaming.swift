import Foundation

/// Finds out which file a block holds.
struct FileNaming {
    /// How sure the name is: a name in running text may be a mere mention.
    enum Source: Int, Hashable, Comparable {
        case prose, heading, comment, info

        static func < (a: Source, b: Source) -> Bool { a.rawValue < b.rawValue }
    }

    struct Name: Hashable {
        var file: String
        var source: Source
    }

    /// The files a pipeline consists of.
    let expected: [String]

    /// The name of a block, from its info string, its first lines, the prose before it, or the line after it.
    func name(of block: CodeBlock) -> Name? {
        if let file = Self.names(in: block.info).last { return Name(file: file, source: .info) }
        if let file = Self.fileComment(block.lines) { return Name(file: file, source: .comment) }
        var before = block.before.map { $0.trimmingSpaces() }.filter { !$0.isEmpty }
        if !block.isFirst, let line = before.first, Self.savesAbove(line) != nil { before.removeFirst() }
        if let name = nameBefore(before) { return accepted(name) }
        guard let line = block.after.first(where: { !$0.trimmingSpaces().isEmpty }) else { return nil }
        return Self.savesAbove(line).flatMap { accepted(Name(file: $0, source: .prose)) }
    }

    /// The file that a line below a block gives it: "Save this as `model.py`." One that ends in a colon looks ahead.
    private static func savesAbove(_ line: String) -> String? {
        let text = line.trimmingSpaces()
        guard text.count <= 300, text.lowercased().contains("save"), !text.hasSuffix(":") else { return nil }
        return only(names(in: text))
    }

    /// Running text may mention any script; a heading may not.
    private func accepted(_ name: Name) -> Name? {
        name.source > .prose || expected.contains(name.file) ? name : nil
    }

    private func nameBefore(_ lines: [String]) -> Name? {
        // The two lines above the block, then the nearest heading, then the one file that the paragraph is about.
        for line in lines.suffix(2).reversed() {
            if let file = Self.subject(of: line) {
                return Name(file: file, source: Self.isTitle(line) ? .heading : .prose)
            }
        }
        if let title = lines.last(where: { Self.isTitle($0) && !Self.names(in: $0).isEmpty }),
            let file = Self.only(Self.names(in: title))
        {
            return Name(file: file, source: .heading)
        }
        let mentioned = Self.unique(lines.flatMap { Self.names(in: $0) })
        return Self.only(mentioned).map { Name(file: $0, source: .prose) }
    }

    /// The file a line is about: its only name, or the first one after words such as "here is".
    private static func subject(of line: String) -> String? {
        let line = line.prefix(300)
        let names = unique(names(in: String(line)))
        if names.count <= 1 { return names.first }
        let cue =
            /(?i)(here(?:'s| is| are)|updated?|corrected|fixed|revised|modified|new|full|complete)\b[^.]{0,40}?([A-Za-z0-9_\-]+\.(?:py|swift))/
        if let match = line.firstMatch(of: cue) { return String(match.2) }
        // "train.py (imports model.py):"
        let start = /^[#*\s\d.`]*([A-Za-z0-9_\-]+\.(?:py|swift))/
        return line.firstMatch(of: start).map { String($0.1) }
    }

    /// A heading, a line in bold, or a line that is nothing but the name.
    private static func isTitle(_ line: String) -> Bool {
        guard line.count <= 300 else { return false }
        if line.hasPrefix("#") || line.hasPrefix("**") || line.hasPrefix("__") { return true }
        let numbered =
            /^\s*(?:\d+[.)]|[-*])?\s*(?:(?i:file(?:name)?)\s*:?\s*)?[`*_"']*[A-Za-z0-9_\-\/.]+\.(?:py|swift)[`*_"']*\s*:?\s*$/
        return line.firstMatch(of: numbered) != nil
    }

    /// `# model.py`, `# File: model.py`, `# ==== model.py ====`, `"""model.py: the network`, among the first lines.
    static func fileComment(_ lines: [String]) -> String? {
        var seen = 0
        for line in lines {
            let text = line.trimmingSpaces()
            if text.isEmpty { continue }
            seen += 1
            if seen > 6 { return nil }
            if let name = markedName(text) { return name }
            let isPreamble = text.hasPrefix("#") || text.hasPrefix("//") || text == "\"\"\"" || text == "'''"
            if !isPreamble { return nil }
        }
        return nil
    }

    private static func markedName(_ text: String) -> String? {
        guard text.count <= 300 else { return nil }
        let comment =
            /^(?:#+|\/\/+|"""|''')[\s=*\-–—#]*(?:(?i:file\s*name|filename|file|path|name|module|script)\s*[:=]?\s*)?[`"'*]*((?:[A-Za-z0-9_\-.]+[\/\\])*[A-Za-z0-9_\-]+\.(?:py|swift))\b(.*)$/
        if let match = text.firstMatch(of: comment) { return sanitized(String(match.1)) }
        // The second line of a documentation string may be the bare name.
        let bare = /^([A-Za-z0-9_\-]+\.(?:py|swift))\s*(?:[:\-–—].*)?$/
        return text.firstMatch(of: bare).flatMap { sanitized(String($0.1)) }
    }

    /// Whether a line inside a block does nothing but say that another file begins.
    static func isFileMarker(_ line: String) -> String? {
        guard line.first == "#" || line.hasPrefix("//"), line.count <= 300 else { return nil }
        let marker =
            /^(?:#+|\/\/+)[\s=*\-–—#]*(?:(?i:file\s*name|filename|file|path)\s*[:=]?\s*)?[`"'*]*([A-Za-z0-9_\-\/.]+\.(?:py|swift))[`"'*]*[\s=*\-–—#:]*$/
        return line.firstMatch(of: marker).flatMap { sanitized(String($0.1)) }
    }

    /// Names of source files in a text, made safe, in the order they stand.
    static func names(in text: String) -> [String] {
        // No line worth reading is longer, and the search takes quadratic time on a line of letters.
        text.prefix(300).matches(of: /[A-Za-z0-9_\-.\/\\]*[A-Za-z0-9_\-]\.(?:py|swift)\b(?!\.)/)
            .compactMap { sanitized(String($0.0)) }
    }

    /// The last component of a path, if it can be the name of a module: no separators, no leading dot or dash, at most 64
    /// characters.
    static func sanitized(_ path: String) -> String? {
        let last = path.split(whereSeparator: { $0 == "/" || $0 == "\\" }).last.map(String.init) ?? ""
        guard let suffix = [".py", ".swift"].first(where: last.hasSuffix) else { return nil }
        let stem = last.dropLast(suffix.count)
        guard !stem.isEmpty, last.count <= 64, stem.first != "-",
            stem.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == "-") })
        else { return nil }
        return last
    }

    private static func only(_ names: [String]) -> String? {
        let names = unique(names)
        return names.count == 1 ? names[0] : nil
    }

    private static func unique(_ names: [String]) -> [String] {
        var seen: Set<String> = []
        return names.filter { seen.insert($0).inserted }
    }
}
