/// Puts a fragment of a Python file into the file it belongs to, where there is no doubt how.
struct PythonMerge {
    enum Failure: Error, Hashable {
        /// Lines that are neither imports nor whole definitions.
        case looseCode
        /// Nothing in the file bears the names that the fragment defines.
        case unknownDefinitions([String])
        /// Comments such as "rest unchanged" stand for code.
        case elided
    }

    let current: PythonOutline
    let fragment: PythonOutline

    /// - Returns: the current file with the definitions and the main guard of the fragment in place of its own, new
    ///   definitions before the first replaced one, and new imports after the last import.
    func merged() throws(Failure) -> String {
        if Self.isElided(fragment) { throw .elided }
        if fragment.hasStatements || fragment.startsIndented { throw .looseCode }
        let known = Set(current.definitions)
        let defined = fragment.definitions
        if !defined.isEmpty, !fragment.hasMainGuard, !defined.contains(where: known.contains) {
            throw .unknownDefinitions(defined)
        }
        var lines = current.lines
        // From the bottom up, so that line numbers above stay true.
        let replaced = current.chunks.filter { replacement(for: $0) != nil }
        for chunk in replaced.reversed() {
            lines.replaceSubrange(chunk.lines, with: replacement(for: chunk) ?? [])
        }
        var added: [String] = []
        for chunk in fragment.chunks {
            switch chunk.kind {
            case .definition(let name) where !known.contains(name): added += fragment.text(chunk) + ["", ""]
            case .mainGuard where !current.hasMainGuard: lines += ["", ""] + fragment.text(chunk)
            default: break
            }
        }
        if !added.isEmpty {
            let guardLine = current.chunks.first { $0.kind == .mainGuard }?.lines.lowerBound
            lines.insert(contentsOf: added, at: replaced.first?.lines.lowerBound ?? guardLine ?? lines.count)
        }
        lines.insert(contentsOf: newImports, at: lineForImports)
        return lines.joined(separator: "\n")
    }

    /// The fragment's chunk that takes the place of one of the current file; its last, where it has several.
    private func replacement(for chunk: PythonOutline.Chunk) -> [String]? {
        switch chunk.kind {
        case .definition, .mainGuard: fragment.chunks.last { $0.kind == chunk.kind }.map(fragment.text)
        default: nil
        }
    }

    private var newImports: [String] {
        let present = Set(current.imports.flatMap { current.text($0) }.map { $0.trimmingSpaces() })
        return fragment.imports.map { fragment.text($0) }
            .filter { !$0.allSatisfy { present.contains($0.trimmingSpaces()) } }.flatMap { $0 }
    }

    /// After the last import that stands before any definition, else after the module's documentation.
    private var lineForImports: Int {
        let head = current.chunks.prefix { if case .definition = $0.kind { false } else { $0.kind != .mainGuard } }
        if let last = head.last(where: { $0.kind == .importing }) { return last.lines.upperBound }
        return head.prefix { $0.kind == .comment || $0.kind == .documentation }.last?.lines.upperBound ?? 0
    }

    /// Whether comments or an ellipsis stand for code that was left out.
    static func isElided(_ outline: PythonOutline) -> Bool {
        let words = [
            "rest of", "remains unchanged", "remain unchanged", "unchanged code", "existing code", "remaining code",
            "same as before", "same as above", "previous code", "other code", "code here", "keep the", "no changes",
            "remains the same", "remain the same", "as before", "unchanged",
        ]
        return outline.lines.contains { line in
            let text = line.trimmingSpaces()
            if text == "..." || text == "…" { return line.first != " " && line.first != "\t" }
            guard text.first == "#", text.count <= 200 else { return false }
            let comment = text.drop { $0 == "#" || $0 == " " }.lowercased()
            if comment.hasPrefix("...") || comment.hasPrefix("…") { return true }
            return comment.count <= 80 && words.contains { comment.contains($0) }
                && (comment.contains("...") || comment.contains("…") || comment.hasPrefix("(")
                    || comment.hasPrefix("rest")
                    || comment.hasPrefix("existing") || comment.hasPrefix("remaining") || comment.hasPrefix("previous")
                    || comment.hasPrefix("other") || comment.hasSuffix("unchanged") || comment.hasSuffix("the same"))
        }
    }
}
