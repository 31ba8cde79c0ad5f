import Foundation

/// What the terminal can show.
struct Terminal: Sendable {
    /// Whether standard error is a terminal: progress bars belong there.
    let isInteractive: Bool
    /// Whether standard output takes colour.
    let hasColour: Bool
    /// Columns.
    let width: Int

    static func current(environment: [String: String] = ProcessInfo.processInfo.environment) -> Terminal {
        // It has no cursor to move and no line to clear.
        let isDumb = environment["TERM"] == "dumb"
        let plain = !(environment["NO_COLOR"] ?? "").isEmpty || isDumb
        var size = winsize()
        var width = 80
        if ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 { width = Int(size.ws_col) }
        return Terminal(
            isInteractive: isatty(STDERR_FILENO) == 1 && !isDumb, hasColour: isatty(STDOUT_FILENO) == 1 && !plain,
            width: width)
    }

    enum Colour: String {
        case red = "31"
        case green = "32"
        case yellow = "33"
        case grey = "90"
        case bold = "1"
    }

    func paint(_ text: String, _ colour: Colour) -> String {
        hasColour ? "\u{1b}[\(colour.rawValue)m\(text)\u{1b}[0m" : text
    }

    /// Writes a line to standard error.
    static func note(_ line: String) {
        try? FileHandle.standardError.write(contentsOf: Data((line + "\n").utf8))
    }
}
