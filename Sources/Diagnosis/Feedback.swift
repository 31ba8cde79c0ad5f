import Foundation

/// What of an output is sent back to a model.
public enum Feedback {
    /// Bytes sent back at most.
    public static let maximumBytes = 16 << 10
    /// Bytes of each stream where there is no traceback.
    public static let tailBytes = 4 << 10

    /// The traceback as printed, from its first line to the end of standard error; where there is none, the last 4 KiB of both
    /// streams.
    ///
    /// Lines that carriage returns overwrote show their last state, control characters are escaped, and of more than 16 KiB the
    /// head and the tail are kept with a mark between them. No word is added.
    public static func verbatim(standardOutput: String, standardError: String) -> String {
        let lines = PythonDiagnosis.lines(of: standardError)
        let text: String
        if let traceback = PythonTraceback.all(in: lines).last {
            var kept = Array(lines[traceback.firstLine...])
            kept[0] = String(kept[0].dropFirst(traceback.column))
            text = kept.joined(separator: "\n")
        } else {
            text = [standardOutput, standardError].map { tail(TerminalText.collapsed($0)) }.filter { !$0.isEmpty }
                .joined(separator: "\n")
        }
        return shown(text)
    }

    /// Escaped, without white space at its end, and capped.
    static func shown(_ text: String) -> String {
        let escaped = TerminalText.escaped(TerminalText.collapsed(text)).trimmingSuffix { $0.isNewline || $0 == " " }
        return capped(String(escaped))
    }

    /// Control and formatting characters except line feed and tab as `\x1b` or `\u202e`, for a terminal or a message.
    public static func escaped(_ text: String) -> String { TerminalText.escaped(text) }

    /// The last bytes of a text, from the beginning of a character.
    private static func tail(_ text: String) -> String {
        var bytes = text.utf8.suffix(tailBytes)
        if text.utf8.count > tailBytes { bytes = bytes.drop { $0 & 0xc0 == 0x80 } }
        return String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .newlines)
    }

    static func capped(_ text: String) -> String {
        let bytes = Array(text.utf8)
        guard bytes.count > maximumBytes else { return text }
        let half = maximumBytes / 2 - 40
        var (start, end) = (half, bytes.count - half)
        while start > 0, bytes[start] & 0xc0 == 0x80 { start -= 1 }
        while end < bytes.count, bytes[end] & 0xc0 == 0x80 { end += 1 }
        let head = String(decoding: bytes[..<start], as: UTF8.self)
        let tail = String(decoding: bytes[end...], as: UTF8.self)
        return head + "\n[… \(end - start) bytes left out …]\n" + tail
    }
}

/// Text as a terminal would have shown it.
enum TerminalText {
    /// Lines with carriage returns, as progress bars use them, become what was written last.
    static func collapsed(_ text: String) -> String {
        guard text.utf8.contains(0x0d) else { return text }
        // `\r\n` is a single Character in Swift; bytes know no such thing.
        let lines = Array(text.utf8).split(separator: 0x0a, omittingEmptySubsequences: false)
        return lines.map { line in
            let states = line.split(separator: 0x0d, omittingEmptySubsequences: true)
            return String(decoding: states.last ?? [], as: UTF8.self)
        }.joined(separator: "\n")
    }

    /// Control and formatting characters except line feed and tab as `\x1b` or `\u202e`.
    static func escaped(_ text: String) -> String {
        var result = ""
        result.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case _ where scalar == "\n" || scalar == "\t": result.unicodeScalars.append(scalar)
            case .control, .format, .lineSeparator, .paragraphSeparator:
                let digits = String(scalar.value, radix: 16)
                let width = scalar.value < 0x100 ? 2 : 4
                let padding = String(repeating: "0", count: max(0, width - digits.count))
                result += (width == 2 ? "\\x" : "\\u") + padding + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}

extension String {
    fileprivate func trimmingSuffix(while predicate: (Character) -> Bool) -> Substring {
        var text = Substring(self)
        while let last = text.last, predicate(last) { text.removeLast() }
        return text
    }
}
