import Foundation
import Sandbox

/// From what a Python program printed, and how it ended, to what went wrong.
///
/// ```swift
/// let report = PythonDiagnosis().diagnose(
///     standardOutput: output, standardError: errors, termination: outcome.termination)
/// ```
///
/// The exception counted is the one that reached the top: the last of a chain. Two wrappers are looked through, because they
/// hide what happened: torchinfo's "Failed to run torchinfo" and the exception of a DataLoader's worker. An exception that a
/// program printed and survived is no error.
public struct PythonDiagnosis: Sendable {
    /// The folder of the generated files, as tracebacks name it.
    public var codeRoot: String

    public init(codeRoot: String = "/code") {
        self.codeRoot = codeRoot.hasSuffix("/") ? codeRoot : codeRoot + "/"
    }

    /// Bytes of each stream that are looked at, from the end.
    static let window = 512 << 10

    /// - Returns: nil where the program ended well, or was stopped by the harness.
    public func diagnose(
        standardOutput: String, standardError: String, termination: SandboxOutcome.Termination
    ) -> ErrorReport? {
        switch termination {
        case .exited(0), .stopped: nil
        case .limit(.wallTime):
            report("Timeout", .resources, "the wall time limit was reached", frame: nil)
        case .limit(let limit):
            report("Killed", .resources, Self.sentence(limit), frame: nil)
        case .signalled(let signal):
            report(
                "Killed", signal == SIGBUS ? .resources : .other, Self.name(of: signal),
                frame: faultFrame(standardError))
        case .exited(let status):
            exception(in: standardError) ?? exception(in: standardOutput)
                ?? withoutTraceback(standardOutput: standardOutput, standardError: standardError, status: status)
        }
    }

    /// For an output whose ending is not known, such as a file: the exception it shows, if it shows one.
    public func diagnose(text: String) -> ErrorReport? {
        exception(in: text) ?? interpreterMessage(in: Self.lines(of: text))
    }

    private func exception(in text: String) -> ErrorReport? {
        guard let traceback = PythonTraceback.all(in: Self.lines(of: text)).last else { return nil }
        let chain = traceback.exceptions.map(\.untranslated)
        guard let index = Self.decisive(chain) else { return nil }
        let exception = chain[index]
        // A worker's or library's own traceback may not pass through the generated files; then the place where the program
        // called it is what a reader looks for.
        let frames = [exception.frames] + chain.indices.reversed().filter { $0 != index }.map { chain[$0].frames }
        let frame = frames.lazy.compactMap { self.innermost($0) }.first
        let errorClass = Self.errorClass(exception.qualifiedName)
        let message = Self.ownMessage(exception.message)
        let context = SubcategoryRules.Context(
            errorClass: errorClass, message: message, frame: frame, paths: exception.frames.map(\.path),
            source: exception.frames.last { $0.path.hasPrefix(codeRoot) }?.source)
        return report(errorClass, SubcategoryRules.subcategory(context), message, frame: frame)
    }

    /// The last exception, unless it only says that another one happened.
    private static func decisive(_ chain: [PythonException]) -> Int? {
        guard var index = chain.indices.last else { return nil }
        while index > 0, chain[index].message.hasPrefix("Failed to run torchinfo") { index -= 1 }
        return index
    }

    /// The message without a worker's traceback that follows in it.
    private static func ownMessage(_ message: String) -> String {
        let head = message.components(separatedBy: "\nOriginal " + PythonTraceback.header)[0]
        return head.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private func innermost(_ frames: [PythonException.Frame]) -> ErrorReport.Frame? {
        guard let frame = frames.last(where: { $0.path.hasPrefix(codeRoot) }) else { return nil }
        return ErrorReport.Frame(
            file: String(frame.path.dropFirst(codeRoot.count)), line: frame.line, function: frame.function)
    }

    /// A program may end badly without an exception at its top: `sys.exit("…")`, argparse, an interpreter that finds no file.
    private func withoutTraceback(standardOutput: String, standardError: String, status: Int32) -> ErrorReport {
        let errors = Self.lines(of: standardError)
        if let report = interpreterMessage(in: errors) { return report }
        let said = errors.last { !$0.allSatisfy(\.isWhitespace) && !TracebackText.isProgressBar($0) }
        let message = said ?? "exit status \(status)"
        let context = SubcategoryRules.Context(errorClass: "SystemExit", message: message, frame: nil, paths: [])
        return report("SystemExit", SubcategoryRules.subcategory(context), message, frame: nil)
    }

    private func interpreterMessage(in lines: [String]) -> ErrorReport? {
        guard let line = lines.last(where: { $0.contains(": can't open file '") }) else { return nil }
        return report("FileNotFoundError", .filePath, line, frame: nil)
    }

    /// Where the interpreter was when a signal ended it, from the fault handler: innermost call first.
    private func faultFrame(_ text: String) -> ErrorReport.Frame? {
        let lines = Self.lines(of: text)
        guard let start = lines.lastIndex(where: { $0.hasPrefix("Fatal Python error:") }) else { return nil }
        for line in lines[start...] {
            // `  File "/code/main.py", line 3 in <module>`
            guard let frame = TracebackText.frame(line), frame.path.hasPrefix(codeRoot) else { continue }
            let function = line.components(separatedBy: " in ").dropFirst().last
            return ErrorReport.Frame(
                file: String(frame.path.dropFirst(codeRoot.count)), line: frame.line, function: function)
        }
        return nil
    }

    private func report(
        _ errorClass: String, _ subcategory: ErrorReport.Subcategory, _ message: String, frame: ErrorReport.Frame?
    ) -> ErrorReport {
        ErrorReport(
            errorClass: errorClass, subcategory: subcategory, message: String(message.prefix(4096)), frame: frame,
            signature: ErrorSignature.make(errorClass: errorClass, message: message, frame: frame))
    }

    static func lines(of text: String) -> [String] {
        var text = Substring(text)
        if text.utf8.count > window {
            text = Substring(decoding: Array(text.utf8.suffix(window)), as: UTF8.self)
        }
        return TerminalText.collapsed(String(text)).components(separatedBy: "\n")
    }
}

extension PythonDiagnosis {
    /// The class an error is counted under: a few subclasses count with their parent, everything else by its own name.
    static func errorClass(_ qualifiedName: String) -> String {
        // `cv2.error` is a class of that name; without its module it would say nothing.
        let last = qualifiedName.split(separator: ".").last.map(String.init) ?? qualifiedName
        let name = last.first?.isLowercase == true ? qualifiedName : last
        return switch name {
        case "IndentationError", "TabError": "SyntaxError"
        case "ModuleNotFoundError": "ImportError"
        case "UnboundLocalError": "NameError"
        case "_ArrayMemoryError", "OutOfMemoryError", "ResourceExhaustedError": "MemoryError"
        default: name
        }
    }

    static func sentence(_ limit: SandboxOutcome.Limit) -> String {
        switch limit {
        case .wallTime: "the wall time limit was reached"
        case .cpuTime: "the processor time limit was reached"
        case .memory: "the memory limit was reached"
        case .processes: "the limit on processes was reached"
        case .writtenBytes: "the limit on bytes written was reached"
        case .writtenFiles: "the limit on files written was reached"
        case .outputBytes: "the limit on printed output was reached"
        }
    }

    static func name(of signal: Int32) -> String {
        switch signal {
        case SIGSEGV: "signal SIGSEGV (segmentation fault)"
        case SIGABRT: "signal SIGABRT (aborted)"
        case SIGBUS: "signal SIGBUS (bus error)"
        case SIGFPE: "signal SIGFPE (arithmetic exception)"
        case SIGILL: "signal SIGILL (illegal instruction)"
        case SIGTERM: "signal SIGTERM (terminated)"
        default: "signal \(signal)"
        }
    }
}
