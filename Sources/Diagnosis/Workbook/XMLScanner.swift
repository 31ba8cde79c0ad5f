import Foundation

/// Walks through XML without building a tree.
///
/// It knows elements, attributes, text, CDATA, comments, the five named entities and character references, which is all that
/// spreadsheets use. Document types, and with them entities that expand or that lie elsewhere, are refused.
struct XMLScanner {
    struct Failure: Error {
        var reason: String
    }

    enum Event {
        /// The name without its namespace prefix.
        case start(name: String, attributes: [String: String])
        case end(name: String)
        case text(String)
    }

    private let bytes: [UInt8]
    private var position = 0
    private var pending: Event?

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// The next event; nil at the end.
    mutating func next() throws(Failure) -> Event? {
        if let event = pending {
            pending = nil
            return event
        }
        while position < bytes.count {
            guard bytes[position] == UInt8(ascii: "<") else { return .text(Self.unescape(take(until: "<", or: true))) }
            if skips("<!--") {
                _ = try through("-->")
            } else if skips("<![CDATA[") {
                return .text(try through("]]>"))
            } else if skips("<!") {
                throw Failure(reason: "it has a document type")
            } else if skips("<?") {
                _ = try through("?>")
            } else if skips("</") {
                let name = try through(">")
                return .end(name: Self.local(name.trimmingCharacters(in: .whitespaces)))
            } else {
                position += 1
                return try startTag()
            }
        }
        return nil
    }

    private mutating func startTag() throws(Failure) -> Event {
        var tag = try tagContent()
        let isEmpty = tag.hasSuffix("/")
        if isEmpty { tag.removeLast() }
        let name = tag.prefix { !$0.isWhitespace }
        var attributes: [String: String] = [:]
        var rest = tag[name.endIndex...]
        while let equals = rest.firstIndex(of: "=") {
            let key = rest[..<equals].trimmingCharacters(in: .whitespacesAndNewlines)
            let value = rest[rest.index(after: equals)...].drop { $0.isWhitespace }
            guard let quote = value.first, quote == "\"" || quote == "'",
                let end = value.dropFirst().firstIndex(of: quote)
            else { throw Failure(reason: "it has an attribute without quotes") }
            attributes[Self.local(key)] = Self.unescape(String(value[value.index(after: value.startIndex)..<end]))
            rest = value[value.index(after: end)...]
        }
        let local = Self.local(String(name))
        if isEmpty { pending = .end(name: local) }
        return .start(name: local, attributes: attributes)
    }

    /// Up to the `>` that is not inside quotes.
    private mutating func tagContent() throws(Failure) -> String {
        let start = position
        var quote: UInt8?
        while position < bytes.count {
            let byte = bytes[position]
            if let open = quote {
                if byte == open { quote = nil }
            } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
                quote = byte
            } else if byte == UInt8(ascii: ">") {
                position += 1
                return String(decoding: bytes[start..<(position - 1)], as: UTF8.self)
            }
            position += 1
        }
        throw Failure(reason: "it is cut off")
    }

    private mutating func skips(_ text: StaticString) -> Bool {
        let matches = text.withUTF8Buffer { text in
            position + text.count <= bytes.count && bytes[position..<(position + text.count)].elementsEqual(text)
        }
        if matches { position += text.utf8CodeUnitCount }
        return matches
    }

    private mutating func through(_ mark: String) throws(Failure) -> String {
        let mark = Array(mark.utf8)
        let start = position
        while position + mark.count <= bytes.count {
            if bytes[position..<(position + mark.count)].elementsEqual(mark) {
                position += mark.count
                return String(decoding: bytes[start..<(position - mark.count)], as: UTF8.self)
            }
            position += 1
        }
        throw Failure(reason: "it is cut off")
    }

    private mutating func take(until mark: Unicode.Scalar, or end: Bool) -> String {
        let start = position
        while position < bytes.count, bytes[position] != UInt8(ascii: mark) { position += 1 }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private static func local(_ name: String) -> String {
        name.split(separator: ":").last.map(String.init) ?? name
    }

    static func unescape(_ text: String) -> String {
        guard text.contains("&") else { return text }
        return text.replacing(/&(#x[0-9a-fA-F]{1,6}|#[0-9]{1,7}|[a-z]{2,4});/) { match in
            let name = match.1
            switch name {
            case "amp": return "&"
            case "lt": return "<"
            case "gt": return ">"
            case "quot": return "\""
            case "apos": return "'"
            default:
                let number =
                    name.hasPrefix("#x") ? UInt32(name.dropFirst(2), radix: 16) : UInt32(name.dropFirst())
                return number.flatMap(Unicode.Scalar.init).map { String(Character($0)) } ?? String(match.0)
            }
        }
    }
}
