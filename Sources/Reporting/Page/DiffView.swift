/// The change of one file from one round to the next.
struct DiffView {
    var diff: LineDiff
    var label: String

    init(from old: String, to new: String, label: String) {
        func lines(_ text: String) -> [String] {
            CodeView.cut(text).split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        }
        diff = LineDiff(from: lines(old), to: lines(new))
        self.label = label
    }

    var markup: Markup {
        var markup = Markup()
        if diff.isTooLarge {
            markup.element(
                "p", ["class": "empty"], text: "Too much changed to compare line by line: see the file itself.")
            return markup
        }
        guard !diff.hunks.isEmpty else {
            markup.element("p", ["class": "empty"], text: "The same text as before.")
            return markup
        }
        markup.element("pre", ["class": "diff", "tabindex": "0", "role": "region", "aria-label": label]) { markup in
            for (index, hunk) in diff.hunks.enumerated() {
                if index > 0 { markup.element("span", ["class": "gap", "aria-hidden": "true"], text: "⋯\n") }
                for line in hunk { Self.add(line, to: &markup) }
            }
        }
        return markup
    }

    private static func add(_ line: LineDiff.Line, to markup: inout Markup) {
        switch line {
        case .kept(let old, let new, let text):
            markup.element("span", ["class": "l"]) { markup in
                numbers("\(old)", "\(new)", &markup)
                markup.text("  " + text + "\n")
            }
        case .removed(let old, let parts):
            markup.element("del", ["class": "l"]) { markup in
                numbers("\(old)", "", &markup)
                markup.text("− ")
                words(parts, &markup)
            }
        case .added(let new, let parts):
            markup.element("ins", ["class": "l"]) { markup in
                numbers("", "\(new)", &markup)
                markup.text("+ ")
                words(parts, &markup)
            }
        }
    }

    private static func numbers(_ old: String, _ new: String, _ markup: inout Markup) {
        func padded(_ text: String) -> String { String(repeating: " ", count: max(0, 4 - text.count)) + text }
        markup.element("span", ["class": "numbers", "aria-hidden": "true"], text: padded(old) + padded(new) + " ")
    }

    private static func words(_ parts: [LineDiff.Part], _ markup: inout Markup) {
        for part in parts {
            if part.changed { markup.element("b", text: part.text) } else { markup.text(part.text) }
        }
        markup.newline()
    }
}
