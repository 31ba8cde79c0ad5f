import Foundation

/// A secret that goes into one HTTP header and nowhere else: it describes itself as `[key]` wherever it is printed.
public struct APIKey: Sendable, Concealed {
    let value: String

    /// Takes the key from an environment variable; white space at both ends is dropped.
    ///
    /// - Throws: `EndpointError.keyMissing` or `.keyUnusable`, which name the variable and never its value.
    public init(
        variable: String, model: String, environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(EndpointError) {
        let text = (environment[variable] ?? "").trimmingCharacters(in: .whitespacesAndNewlines)
        guard !text.isEmpty else { throw .keyMissing(variable: variable, model: model) }
        guard text.unicodeScalars.allSatisfy({ $0.value > 0x20 && $0.value < 0x7F }) else {
            throw .keyUnusable(variable: variable)
        }
        value = text
    }

}

/// A value that holds a secret: it prints, debugs and dumps as `[key]`.
public protocol Concealed: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {}

extension Concealed {
    public var description: String { "[key]" }
    public var debugDescription: String { "[key]" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// Takes secrets and terminal trickery out of texts that a server sent, before they reach a message.
struct Redactor: Sendable, Concealed {
    static let mark = "[redacted]"
    /// So many consecutive characters of the key give a word away as a piece of it.
    static let pieceLength = 6

    private let key: [UInt8]
    private let disguises: [String]

    init(key: APIKey?) {
        let value = key?.value ?? ""
        self.key = Array(value.utf8)
        var disguises: [String] = []
        if !value.isEmpty {
            disguises = [value, Data(value.utf8).base64EncodedString()]
            if let encoded = value.addingPercentEncoding(withAllowedCharacters: .alphanumerics) {
                disguises.append(encoded)
            }
        }
        self.disguises = disguises
    }

    /// One line of at most `limit` characters in which nothing resembles a key. Cost: text length × key length.
    func message(_ text: String, limit: Int = 300) -> String {
        // Cut late: a key that the cut halved would still be found by its pieces.
        var line = Self.singleLine(String(text.prefix(64 << 10)))
        for disguise in disguises { line = line.replacingOccurrences(of: disguise, with: Self.mark) }
        line = line.replacing(Self.bearer) { match in "\(match.output.1) \(Self.mark)" }
        line = line.split(separator: " ").map { redactedWord(String($0)) }.joined(separator: " ")
        return line.count > limit ? line.prefix(limit) + "…" : line
    }

    /// A word that holds a piece of the key, or looks like the keys that vendors issue.
    private func redactedWord(_ word: String) -> String {
        let word = word.replacing(Self.vendorKey, with: Self.mark)
        let bytes = Array(word.utf8)
        guard key.count >= Self.pieceLength, bytes.count >= Self.pieceLength else { return word }
        let pieces = Set((0...(key.count - Self.pieceLength)).map { ArraySlice(key[$0..<($0 + Self.pieceLength)]) })
        let leaks = (0...(bytes.count - Self.pieceLength)).contains { start in
            pieces.contains(bytes[start..<(start + Self.pieceLength)])
        }
        return leaks ? Self.mark : word
    }

    /// Control characters, escape sequences and direction marks become spaces; runs of white space become one.
    static func singleLine(_ text: String) -> String {
        var scalars = String.UnicodeScalarView()
        var spaced = true
        for scalar in text.unicodeScalars {
            let hidden =
                scalar.properties.isWhitespace || scalar.properties.generalCategory == .control
                || scalar.properties.generalCategory == .format
            if hidden {
                if !spaced { scalars.append(" ") }
                spaced = true
            } else {
                scalars.append(scalar)
                spaced = false
            }
        }
        if scalars.last == " " { scalars.removeLast() }
        return String(scalars)
    }

    private nonisolated(unsafe) static let bearer = /(?i)(bearer|api[-_]?key[:=])\s*[^\s"',;]+/
    private nonisolated(unsafe) static let vendorKey =
        /(?:sk|pk|rk|gsk|xai|hf|key|tgp|nvapi|AIza)[-_A-Za-z0-9]?[-_*.A-Za-z0-9]{12,}|[A-Za-z0-9]{2,8}\*{3,}[A-Za-z0-9]*/
}

/// Takes the key out of a text that arrives in pieces, should a server echo it into its reply.
struct StreamRedactor: Concealed {
    private let key: [UInt8]
    private var held: [UInt8] = []

    init(key: APIKey?) {
        self.key = Array((key?.value ?? "").utf8)
    }

    /// What of the text so far can be passed on: everything but an end that may be the beginning of the key.
    mutating func pass(_ text: String) -> String {
        guard !key.isEmpty else { return text }
        held.append(contentsOf: text.utf8)
        var out: [UInt8] = []
        var start = 0
        while start < held.count {
            let rest = held[start...]
            if rest.starts(with: key) {
                out.append(contentsOf: Redactor.mark.utf8)
                start += key.count
            } else if rest.count < key.count, key.starts(with: rest) {
                break
            } else {
                out.append(held[start])
                start += 1
            }
        }
        held.removeFirst(start)
        return String(decoding: out, as: UTF8.self)
    }

    /// The held end, once no more text comes.
    mutating func finish() -> String {
        defer { held = [] }
        return String(decoding: held, as: UTF8.self)
    }
}
