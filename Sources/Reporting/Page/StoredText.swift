import Foundation

/// Text of a run's folder, read as what a hostile program may have left: no links followed, regular files only, capped.
enum StoredText {
    static let limit = 256 * 1024

    /// The text, with a line that says so where it was cut; nil where there is no regular file.
    ///
    /// Bytes that are no UTF-8 become replacement characters; control characters other than tab and line feed are shown as
    /// `\x1b`, so that nothing of a terminal's language survives into the page. Lines that end as on Windows end plainly.
    static func read(_ url: URL, limit: Int = limit) -> String? {
        guard let (data, size) = bytes(url, limit: limit) else { return nil }
        let text = escapingControls(String(decoding: data, as: UTF8.self))
        return size > limit ? text + "\n[cut: the file has \(size) bytes, the first \(limit) are shown]" : text
    }

    /// The first bytes of a regular file, and how many it has; nil where there is none.
    static func bytes(_ url: URL, limit: Int) -> (Data, Int)? {
        let descriptor = open(url.path(percentEncoded: false), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        guard let data = try? handle.read(upToCount: limit) ?? Data() else { return nil }
        return (data, Int(status.st_size))
    }

    static func escapingControls(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        var pending: Unicode.Scalar?
        func show(_ scalar: Unicode.Scalar) {
            result.append(contentsOf: "\\x\(String(scalar.value, radix: 16))".unicodeScalars)
        }
        for scalar in text.unicodeScalars {
            if let carriageReturn = pending, scalar != "\n" { show(carriageReturn) }
            pending = nil
            if scalar == "\r" {
                pending = scalar
            } else if isControl(scalar) {
                show(scalar)
            } else {
                result.append(scalar)
            }
        }
        if let pending { show(pending) }
        return String(result)
    }

    /// Characters that change how others are shown, or what a terminal does: the control characters other than tab and line feed,
    /// those that direct or isolate bidirectional text (code then reads differently from what it does: "Trojan Source", Boucher and
    /// Anderson 2021), separators of lines that editors do not count, and invisible tags.
    static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x09, 0x0A: false
        case 0..<0x20, 0x7F..<0xA0, 0x061C, 0x200B, 0x200E...0x200F, 0x2028...0x202E, 0x2060...0x2069, 0xFEFF,
            0xFFF9...0xFFFB, 0xE0000...0xE007F:
            true
        default: false
        }
    }

    /// One line for a table or a heading: breaks become spaces, and what is over `limit` characters is left out with a mark.
    static func line(_ text: String, limit: Int = 300) -> String {
        var head = String(text.unicodeScalars.prefix(limit))
        if head.utf8.count < text.utf8.count { head += "…" }
        return head.split(whereSeparator: \.isNewline).joined(separator: " ")
    }
}
