import Foundation
import Sandbox

/// From what `swiftc` or a compiled Swift program printed, and how it ended, to what went wrong.
///
/// A compiler's first error decides: those that follow are often its consequences. What a program is ended by, a failed
/// precondition, an index out of range, an error that nobody caught, is a trap: its message stands in the line "Fatal error: …", its
/// place in the backtrace that Swift's runtime prints.
public struct SwiftDiagnosis: Sendable {
    /// The folder of the generated files, as messages name it.
    public var codeRoot: String

    public init(codeRoot: String = "/code") {
        self.codeRoot = codeRoot.hasSuffix("/") ? codeRoot : codeRoot + "/"
    }

    /// What a compiler refused.
    ///
    /// - Returns: nil where it ended well, or was stopped by the harness.
    public func diagnose(compiler output: String, termination: SandboxOutcome.Termination) -> ErrorReport? {
        switch termination {
        case .exited(0), .stopped: return nil
        case .limit: return PythonDiagnosis().diagnose(standardOutput: "", standardError: "", termination: termination)
        case .exited, .signalled: break
        }
        guard let found = SwiftDiagnostic.all(in: PythonDiagnosis.lines(of: output)).first(where: \.isError) else {
            let line = output.split(separator: "\n").last { $0.contains("error:") } ?? "the compiler failed"
            return report("CompileError", .other, String(line), nil)
        }
        let frame =
            found.path.hasPrefix(codeRoot)
            ? ErrorReport.Frame(file: String(found.path.dropFirst(codeRoot.count)), line: found.line) : nil
        return report("CompileError", SwiftSubcategoryRules.compilation(found.message), found.message, frame)
    }

    /// What ended a program.
    ///
    /// - Returns: nil where it ended well, or was stopped by the harness.
    public func diagnose(
        standardOutput: String, standardError: String, termination: SandboxOutcome.Termination
    ) -> ErrorReport? {
        switch termination {
        case .exited(0), .stopped: return nil
        case .limit: return PythonDiagnosis().diagnose(standardOutput: "", standardError: "", termination: termination)
        case .exited(let status):
            let said = PythonDiagnosis.lines(of: standardError).last { !$0.allSatisfy(\.isWhitespace) }
            return report("ExitStatus", .other, said ?? "exit status \(status)", nil)
        case .signalled(let signal):
            let lines = PythonDiagnosis.lines(of: standardError)
            let frame = SwiftBacktrace.innermost(in: lines, below: codeRoot)
            guard let message = SwiftBacktrace.failure(in: lines) else {
                return report("Killed", .other, PythonDiagnosis.name(of: signal), frame)
            }
            return report("RuntimeTrap", SwiftSubcategoryRules.trap(message), message, frame)
        }
    }

    /// For an output whose ending is not known, such as a file: the trap it shows, else the first error of a compiler.
    public func diagnose(text: String) -> ErrorReport? {
        let lines = PythonDiagnosis.lines(of: text)
        if SwiftBacktrace.failure(in: lines) != nil {
            return diagnose(standardOutput: "", standardError: text, termination: .signalled(SIGILL))
        }
        guard SwiftDiagnostic.all(in: lines).contains(where: \.isError) else { return nil }
        return diagnose(compiler: text, termination: .exited(1))
    }

    private func report(
        _ errorClass: String, _ subcategory: ErrorReport.Subcategory, _ message: String, _ frame: ErrorReport.Frame?
    ) -> ErrorReport {
        let message = String(message.prefix(4096))
        return ErrorReport(
            errorClass: errorClass, subcategory: subcategory, message: message, frame: frame,
            signature: ErrorSignature.make(errorClass: errorClass, message: message, frame: frame))
    }
}

extension SwiftDiagnosis {
    /// What of a compiler's or a program's output is sent back: all that the compiler printed; of a program the message of the trap
    /// and the backtrace, from the line "Fatal error" on. Where there is neither, the last 4 KiB of both streams.
    public static func verbatim(standardOutput: String, standardError: String) -> String {
        let lines = PythonDiagnosis.lines(of: standardError)
        if let start = SwiftBacktrace.firstLine(in: lines) {
            return Feedback.shown(lines[start...].joined(separator: "\n"))
        }
        for text in [standardError, standardOutput]
        where SwiftDiagnostic.all(in: PythonDiagnosis.lines(of: text)).contains(where: \.isError) {
            return Feedback.shown(text)
        }
        return Feedback.verbatim(standardOutput: standardOutput, standardError: standardError)
    }
}
