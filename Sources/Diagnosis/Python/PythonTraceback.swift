import Foundation

/// One exception as Python prints it: where it passed, its class and its message.
struct PythonException: Hashable {
    struct Frame: Hashable {
        var path: String
        var line: Int
        /// Nil where a SyntaxError points at a line that never ran.
        var function: String?
        /// The first line of the statement, as printed; nil where Python found no file.
        var source: String?
    }

    /// As printed, with its module: `torch.OutOfMemoryError`.
    var qualifiedName: String
    var message: String
    /// Outermost first.
    var frames: [Frame]
}

/// The exceptions of one printed traceback, oldest first, as Python chains them ("During handling of the above exception",
/// "direct cause") or PyTorch nests them ("Original Traceback" of a loader's worker).
struct PythonTraceback: Hashable {
    var exceptions: [PythonException]
    /// The line of the output in which it begins, counted from 0.
    var firstLine: Int
    /// Where in that line it begins: a progress bar may stand before it.
    var column: Int

    static let header = "Traceback (most recent call last):"

    /// All tracebacks of an output, those left out that reached no top: of exceptions that a destructor or a thread raised.
    static func all(in lines: [String]) -> [PythonTraceback] {
        var parser = TracebackText(lines: lines)
        return parser.parse()
    }
}

/// Reads tracebacks out of whatever else a program printed.
struct TracebackText {
    let lines: [String]
    private var index = 0
    /// The line behind the last exception that was read.
    private var end = 0
    /// The same of the exception before it.
    private var endBefore = 0
    private var found: [PythonTraceback] = []

    init(lines: [String]) {
        self.lines = lines
    }

    private static let chainMarks = [
        "During handling of the above exception, another exception occurred:",
        "The above exception was the direct cause of the following exception:",
    ]

    mutating func parse() -> [PythonTraceback] {
        while index < lines.count {
            if let column = Self.headerColumn(lines[index]) {
                readTraceback(at: column)
            } else if isSyntaxErrorWithoutHeader {
                let first = index
                let exception = readException(indent: "")
                if let exception { append(exception, firstLine: first, column: 0) }
            } else {
                index += 1
            }
        }
        return found
    }

    private static func headerColumn(_ line: String) -> Int? {
        guard let range = line.range(of: PythonTraceback.header) else { return nil }
        return line.distance(from: line.startIndex, to: range.lowerBound)
    }

    private mutating func readTraceback(at column: Int) {
        let first = index
        let line = lines[index]
        let isIgnored = index > 0 && Self.announcesIgnored(lines[index - 1])
        // Groups are drawn with a margin; only the outermost level is the exception that was raised.
        let isGroup = line.hasPrefix("  + Exception Group " + PythonTraceback.header)
        index += 1
        guard let exception = readException(indent: isGroup ? "  | " : "") else { return }
        if !isIgnored { append(exception, firstLine: first, column: isGroup ? 0 : column) }
    }

    private static func announcesIgnored(_ line: String) -> Bool {
        line.hasPrefix("Exception ignored in") || line.hasPrefix("Exception in thread ")
    }

    /// Adds an exception to the traceback it is chained to, or begins a new one.
    private mutating func append(_ exception: PythonException, firstLine: Int, column: Int) {
        let before = lines[..<firstLine].last { !$0.allSatisfy(\.isWhitespace) && $0 != "  | " } ?? ""
        let isChained = Self.chainMarks.contains { before.contains($0) }
        let isNested = lines[firstLine].hasPrefix("Original " + PythonTraceback.header)
        if isChained || isNested || isWithinTensorFlow(firstLine), !found.isEmpty {
            found[found.count - 1].exceptions.append(exception)
        } else {
            found.append(PythonTraceback(exceptions: [exception], firstLine: firstLine, column: column))
        }
    }

    /// A traceback that follows a message of TensorFlow without a line between them belongs to that message.
    private func isWithinTensorFlow(_ firstLine: Int) -> Bool {
        found.last?.exceptions.last?.qualifiedName.hasPrefix("tensorflow.") == true && firstLine == endBefore
    }

    /// A file that could not be compiled has no call to trace: `  File "…", line 3`, the source, a caret, `SyntaxError: …`.
    private var isSyntaxErrorWithoutHeader: Bool {
        guard let frame = Self.frame(lines[index]), frame.function == nil else { return false }
        return lines[index...].prefix(6).contains {
            $0.hasPrefix("SyntaxError: ") || $0.hasPrefix("IndentationError: ") || $0.hasPrefix("TabError: ")
        }
    }

    private mutating func readException(indent: String) -> PythonException? {
        var frames: [PythonException.Frame] = []
        while index < lines.count, let line = content(of: lines[index], indent: indent) {
            if let frame = Self.frame(line) {
                frames.append(frame)
            } else if line.isEmpty, !frames.isEmpty || isFrameNext {
                // TensorFlow leaves lines between the frames of a function that a dataset calls.
            } else if !line.hasPrefix(" ") {
                break
            } else if let last = frames.indices.last, frames[last].source == nil {
                frames[last].source = line.trimmingCharacters(in: .whitespaces)
            }
            index += 1
        }
        guard index < lines.count, let line = content(of: lines[index], indent: indent),
            let (name, firstLine) = Self.nameAndMessage(line)
        else { return nil }
        index += 1
        var message = [firstLine]
        while index < lines.count, let line = content(of: lines[index], indent: indent), !endsMessage(line) {
            if !Self.isProgressBar(line) { message.append(line) }
            index += 1
        }
        while let last = message.last, last.allSatisfy(\.isWhitespace) { message.removeLast() }
        (endBefore, end) = (end, index)
        return PythonException(
            qualifiedName: name, message: String(message.joined(separator: "\n").prefix(8192)), frames: frames)
    }

    private var isFrameNext: Bool { index + 1 < lines.count && Self.frame(lines[index + 1]) != nil }

    /// The line without the margin of an exception group; nil where the margin ends.
    private func content(of line: String, indent: String) -> String? {
        if indent.isEmpty { return line }
        return line.hasPrefix(indent) ? String(line.dropFirst(indent.count)) : nil
    }

    private func endsMessage(_ line: String) -> Bool {
        line.contains(PythonTraceback.header) || Self.chainMarks.contains(line) || Self.announcesIgnored(line)
            || line.hasPrefix("Exception ignored") || Self.isLogLine(line)
    }

    /// `W0000 00:00:1795362999.565106    6142 generator_dataset_op.cc:113] …`, `2026-11-22 15:29:59.565106: I tensorflow/…`: what the
    /// logs of TensorFlow and Abseil begin a line with.
    static func isLogLine(_ line: String) -> Bool {
        line.prefixMatch(of: #/[IWEF][0-9]{4} [0-9]{2}:[0-9]{2}:[0-9.]+ +[0-9]+ |[0-9-]{10} [0-9:.]+: [IWEF] /#) != nil
    }

    /// `Epoch 1:  40%|████      | 2/5 [00:01<00:02,  1.4it/s]`
    static func isProgressBar(_ line: String) -> Bool {
        line.contains("%|") && line.contains("| ") && line.contains("[") && line.hasSuffix("]")
    }

    static func frame(_ line: String) -> PythonException.Frame? {
        let text = line.drop { $0 == " " }
        guard text.hasPrefix("File \""), line.hasPrefix(" ") else { return nil }
        let parts = text.dropFirst(6).split(separator: "\", line ", maxSplits: 1)
        guard parts.count == 2 else { return nil }
        let digits = parts[1].prefix { $0.isASCII && $0.isNumber }
        guard let number = Int(digits) else { return nil }
        let rest = parts[1].dropFirst(digits.count)
        return PythonException.Frame(
            path: String(parts[0]), line: number, function: rest.hasPrefix(", in ") ? String(rest.dropFirst(5)) : nil)
    }

    /// `ValueError: text`, `torch.OutOfMemoryError: text`, or a bare `AssertionError`.
    static func nameAndMessage(_ line: String) -> (String, String)? {
        let name = line.prefix { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "." || $0 == "<" || $0 == ">" }
        guard let first = name.first, first.isLetter || first == "_" else { return nil }
        let rest = line[name.endIndex...]
        if rest.isEmpty { return (String(name), "") }
        guard rest.hasPrefix(":") else { return nil }
        return (String(name), String(rest.dropFirst().drop { $0 == " " }))
    }
}
