import Audit
import Files
import Sandbox

/// An audit as the terminal shows it. Names and messages come from models and files: control characters are escaped.
struct AuditText {
    var report: AuditReport

    func render(_ terminal: Terminal) -> String {
        let width = max(50, min(terminal.width, 110))
        let blocks = report.findings.map { block($0, terminal, width) }
        return ([headline(terminal)] + blocks).joined(separator: "\n\n")
    }

    private func headline(_ terminal: Terminal) -> String {
        let counts = AuditFinding.Severity.allCases.compactMap { severity -> String? in
            let count = report.count(severity)
            return count > 0 ? "\(count) \(severity.rawValue)\(count == 1 ? "" : "s")" : nil
        }
        let checks = "\(report.checks.count) checks"
        let result =
            report.isClean
            ? terminal.paint("clean", .green) + (counts.isEmpty ? "" : ", \(counts.joined())")
            : terminal.paint(counts.joined(separator: ", "), report.count(.error) > 0 ? .red : .yellow)
        return "Audit of \(Self.safe(report.subject)): \(result) (\(checks))"
    }

    private func block(_ finding: AuditFinding, _ terminal: Terminal, _ width: Int) -> String {
        let colour: Terminal.Colour =
            switch finding.severity {
            case .error: .red
            case .warning: .yellow
            case .note: .grey
            }
        let title =
            terminal.paint(finding.severity.rawValue.uppercased(), colour) + "  \(finding.check)  "
            + terminal.paint(Self.safe(finding.place), .bold)
        return
            ([title] + Self.wrap(Self.safe(finding.what), width) + Self.wrap("why: " + Self.safe(finding.why), width)
            // A command stands on one line, so that it can be copied.
            + ["  look: " + Self.safe(finding.look)]).joined(separator: "\n")
    }

    private static func safe(_ text: String) -> String { printable(text) }

    /// Lines of words, indented by two.
    static func wrap(_ text: String, _ width: Int) -> [String] {
        var lines: [String] = []
        var line = " "
        for word in text.split(separator: " ") {
            if line.count + 1 + word.count > width, line != " " {
                lines.append(line)
                line = " "
            }
            line += " " + word
        }
        return lines + [line]
    }
}
