import Diagnosis

/// What the files of a pipeline are written in, as far as reading a reply depends on it.
enum SourceLanguage: Sendable, Hashable {
    case python, swift

    /// The language of the files that are expected.
    init(of files: [String]) {
        self = files.contains { $0.hasSuffix(".swift") } ? .swift : .python
    }

    var suffix: String { self == .swift ? ".swift" : ".py" }

    /// Words behind an opening fence that name the language.
    var fences: Set<String> {
        switch self {
        case .python: ["python", "py", "python3", "py3", "pycon", "ipython"]
        case .swift: ["swift", "swift5", "swift6"]
        }
    }

    /// What a line of code at the margin begins with, where nothing names the language.
    var openings: [String] {
        switch self {
        case .python: ["import ", "from ", "def ", "class ", "if __name__"]
        case .swift:
            [
                "import ", "func ", "final class ", "class ", "struct ", "enum ", "extension ", "let ", "var ",
                "public ",
                "@main",
            ]
        }
    }

    /// Whether a line is output that a reply quotes, not code.
    func isQuotedOutput(_ line: String) -> Bool {
        switch self {
        case .python: line.hasPrefix("Traceback (most recent call last)")
        case .swift: line.contains(": error: ") || line.contains("Fatal error: ") || line.hasPrefix("*** ")
        }
    }
}
