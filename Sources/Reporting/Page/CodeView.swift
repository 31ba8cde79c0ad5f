/// Source text with highlighting, a number and an address for each line, and an error marked where it arose.
struct CodeView {
    struct Mark {
        /// Counts from 1.
        var line: Int
        var message: String
    }

    /// Lines longer than this are cut: a program may hold one of megabytes.
    static let longestLine = 2000

    var text: String
    var language: SourceHighlighter.Language
    /// What it is, for a screen reader.
    var label: String
    /// Prefix of the lines' addresses, `<id>-L12`; nil for none.
    var id: String?
    var mark: Mark?

    var markup: Markup {
        var markup = Markup()
        let lines = SourceHighlighter.lines(of: Self.cut(text), language: language)
        markup.element("pre", ["class": "code", "tabindex": "0", "role": "region", "aria-label": label]) { markup in
            markup.element("code") { markup in
                for (index, tokens) in lines.enumerated() { add(tokens, number: index + 1, to: &markup) }
            }
        }
        return markup
    }

    private func add(_ tokens: [SourceHighlighter.Token], number: Int, to markup: inout Markup) {
        let isMarked = mark?.line == number
        markup.start("span", ["class": isMarked ? "l here" : "l", "id": id.map { "\($0)-L\(number)" }])
        for token in tokens {
            if let kind = token.kind {
                markup.element("span", ["class": Self.name(kind)], text: token.text)
            } else {
                markup.text(token.text)
            }
        }
        markup.newline()
        markup.end("span")
        if isMarked, let message = mark?.message {
            markup.element("span", ["class": "fault"]) { markup in
                markup.element("strong", text: "error here: ")
                markup.text(StoredText.line(message, limit: 600))
                markup.newline()
            }
        }
    }

    /// Every line at most `longestLine` scalars, with what was left out counted.
    static func cut(_ text: String) -> String {
        guard text.utf8.count > longestLine else { return text }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { line -> String in
            guard line.utf8.count > longestLine else { return String(line) }
            let head = line.unicodeScalars.prefix(longestLine)
            let rest = line.unicodeScalars.count - head.count
            return rest > 0 ? String(head) + " [cut: \(rest) more characters]" : String(line)
        }
        return lines.joined(separator: "\n")
    }

    private static func name(_ kind: SourceHighlighter.Kind) -> String {
        switch kind {
        case .keyword: "k"
        case .string: "s"
        case .comment: "c"
        case .number: "n"
        case .name: "d"
        case .attribute: "a"
        }
    }
}

/// A reply: prose as it is, fenced blocks of code highlighted.
struct ReplyView {
    var text: String
    var label: String

    var markup: Markup {
        var markup = Markup()
        var block: [Substring] = []
        var fence: Substring?
        func close(_ markup: inout Markup) {
            let text = block.joined(separator: "\n")
            block = []
            if let fence {
                let language = SourceHighlighter.Language(fence: String(fence.drop { $0 == "`" || $0 == "~" }))
                markup.append(CodeView(text: text, language: language, label: "\(label), code").markup)
            } else if text.contains(where: { !$0.isWhitespace }) {
                markup.element("p", ["class": "prose"], text: CodeView.cut(text))
            }
        }
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if let open = fence {
                let marker = open.prefix { $0 == open.first }
                if line.hasPrefix(marker), line.allSatisfy({ $0 == marker.first || $0 == " " }) {
                    close(&markup)
                    fence = nil
                } else {
                    block.append(line)
                }
            } else if line.hasPrefix("```") || line.hasPrefix("~~~") {
                close(&markup)
                fence = line
            } else {
                block.append(line)
            }
        }
        close(&markup)
        return markup
    }
}
