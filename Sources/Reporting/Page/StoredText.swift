import Foundation

/// Text of a run's folder, read as what a hostile program may have left: no links followed, regular files only, capped.
enum StoredText {
    static let limit = 256 * 1024

    /// The text, with a line that says so where it was cut; nil where there is no regular file.
    ///
    /// Bytes that are no UTF-8 become replacement characters; control characters other than tab and line feed are shown as
    /// `\x1b`, so that nothing of a terminal's language survives into the page.
    static func read(_ url: URL, limit: Int = limit) -> String? {
        let descriptor = open(url.path(percentEncoded: false), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        guard let data = try? handle.read(upToCount: limit) ?? Data() else { return nil }
        let size = Int(status.st_size)
        let text = escapingControls(String(decoding: data, as: UTF8.self))
        return size > limit ? text + "\n[cut: the file has \(size) bytes, the first \(limit) are shown]" : text
    }

    static func escapingControls(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x09, 0x0A: result.append(scalar)
            // Bidirectional overrides make code read differently from what it does.
            case 0..<0x20, 0x7F..<0xA0, 0x202A...0x202E, 0x2066...0x2069:
                result.append(contentsOf: "\\x\(String(scalar.value, radix: 16))".unicodeScalars)
            default: result.append(scalar)
            }
        }
        return String(result)
    }
}
