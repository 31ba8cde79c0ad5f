/// HTML under construction. Text and attribute values go in escaped; names of elements and attributes are `StaticString`, so that no
/// text of a model can become markup.
struct Markup: Sendable {
    private(set) var html = ""

    typealias Attributes = KeyValuePairs<StaticString, String?>

    /// Text, escaped, with its control characters made visible.
    mutating func text(_ text: some StringProtocol) { Self.escape(text, into: &html) }

    /// Markup that was built the same way.
    mutating func append(_ other: Markup) { html += other.html }

    /// A start tag. An attribute that is nil is left out; one that is empty stands without a value.
    mutating func start(_ name: StaticString, _ attributes: Attributes = [:]) {
        html += "<\(name)"
        for (key, value) in attributes {
            guard let value else { continue }
            html += " \(key)"
            if value.isEmpty { continue }
            html += "=\""
            Self.escape(value, into: &html)
            html += "\""
        }
        html += ">"
    }

    mutating func end(_ name: StaticString) { html += "</\(name)>" }

    mutating func element(_ name: StaticString, _ attributes: Attributes = [:], text: some StringProtocol) {
        start(name, attributes)
        self.text(text)
        end(name)
    }

    mutating func element(
        _ name: StaticString, _ attributes: Attributes = [:], _ body: (inout Markup) throws -> Void
    ) rethrows {
        start(name, attributes)
        try body(&self)
        end(name)
    }

    /// A line feed between elements, for those who read the source.
    mutating func newline() { html += "\n" }

    /// Escapes what HTML reads as markup, in text and in quoted attributes alike, and shows control characters as `\x1b`.
    private static func escape(_ text: some StringProtocol, into html: inout String) {
        // Most text needs nothing: found out over its bytes.
        let plain = text.utf8.allSatisfy { byte in
            byte < 0x80
                ? (byte >= 0x20 || byte == 0x0A || byte == 0x09) && byte != 0x7F && byte != UInt8(ascii: "&")
                    && byte != UInt8(ascii: "<") && byte != UInt8(ascii: ">") && byte != UInt8(ascii: "\"")
                    && byte != UInt8(ascii: "'")
                : false
        }
        if plain {
            html += text
            return
        }
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": html += "&amp;"
            case "<": html += "&lt;"
            case ">": html += "&gt;"
            case "\"": html += "&quot;"
            case "'": html += "&#39;"
            case _ where StoredText.isControl(scalar): html += "\\x\(String(scalar.value, radix: 16))"
            default: html.unicodeScalars.append(scalar)
            }
        }
    }
}
