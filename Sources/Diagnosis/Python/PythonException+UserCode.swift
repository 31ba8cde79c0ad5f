import Foundation

/// What AutoGraph makes of an exception in a function that it has translated: the frames of the program's own files stand in the
/// message, which begins with "in user code:", indented by four, and behind them what was raised.
///
/// ```
/// AttributeError: in user code:
///
///     File "/code/main.py", line 6, in read  *
///         array = np.array(Image.open(path.numpy()))
///
///     AttributeError: 'SymbolicTensor' object has no attribute 'numpy'
/// ```
extension PythonException {
    /// The exception as it was raised, its frames behind those that led to the translation; itself where nothing was translated.
    var untranslated: PythonException {
        guard message.hasPrefix("in user code:") else { return self }
        var found = self
        var said: [String]?
        for line in message.components(separatedBy: "\n").dropFirst() {
            let text = line.hasPrefix("    ") ? String(line.dropFirst(4)) : line
            if said != nil {
                said?.append(text)
            } else if let frame = TracebackText.frame("  " + text) {
                found.frames.append(Self.unstarred(frame))
            } else if text.hasPrefix(" ") {
                if found.frames.last?.source == nil {
                    found.frames[found.frames.count - 1].source = text.trimmingCharacters(in: .whitespaces)
                }
            } else if let (_, rest) = TracebackText.nameAndMessage(text) {
                said = [rest]
            }
        }
        guard let said else { return self }
        found.message = said.joined(separator: "\n").trimmingCharacters(in: .whitespacesAndNewlines)
        return found
    }

    /// `read  *` marks a function that was translated.
    private static func unstarred(_ frame: Frame) -> Frame {
        var frame = frame
        frame.function = frame.function?.replacing("*", with: "").trimmingCharacters(in: .whitespaces)
        return frame
    }
}
