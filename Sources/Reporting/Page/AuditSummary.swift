import Foundation

/// What an audit of a study's evidence came to, as the report shows it at the top.
public struct AuditSummary: Sendable, Hashable, Codable {
    public enum Severity: String, Sendable, Hashable, Codable, CaseIterable {
        /// A number of the report is wrong or cannot be trusted.
        case error
        /// A reader must know it to read the numbers rightly.
        case warning
        case note
    }

    public struct Finding: Sendable, Hashable, Codable {
        public var severity: Severity
        /// Run, training, table or file.
        public var place: String
        /// What was found.
        public var what: String
        public var whyItMatters: String
        /// The command or the place that shows it.
        public var howToLook: String

        public init(severity: Severity, place: String, what: String, whyItMatters: String, howToLook: String) {
            self.severity = severity
            self.place = place
            self.what = what
            self.whyItMatters = whyItMatters
            self.howToLook = howToLook
        }
    }

    public var auditedAt: Date
    /// How many checks were made.
    public var checks: Int
    public var findings: [Finding]

    public init(auditedAt: Date, checks: Int, findings: [Finding]) {
        self.auditedAt = auditedAt
        self.checks = checks
        self.findings = findings
    }

    /// Whether figures may stand unmarked.
    public var isClean: Bool { !findings.contains { $0.severity != .note } }
}
