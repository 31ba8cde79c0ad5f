import Foundation

/// What an audit asked and what it found.
///
/// ```swift
/// let report = try StudyAudit(store: store, study: "default", surroundings: surroundings).report()
/// if !report.isClean { print(report.findings) }
/// ```
public struct AuditReport: Sendable, Hashable, Codable {
    /// A check that was made.
    public struct Check: Sendable, Hashable, Codable {
        public var id: String
        public var asks: String
        /// How many findings it had.
        public var findings: Int
    }

    /// What was audited: a study, a file, the published tables.
    public var subject: String
    public var auditedAt: Date
    /// In the order they were made.
    public var checks: [Check]
    /// Errors first, then warnings, then notes; by check and place among these.
    public var findings: [AuditFinding]

    public init(subject: String, auditedAt: Date, checks: [any AuditCheck], findings: [AuditFinding]) {
        self.subject = subject
        self.auditedAt = auditedAt
        let counts = Dictionary(grouping: findings, by: \.check).mapValues(\.count)
        self.checks = checks.map { Check(id: $0.id, asks: $0.asks, findings: counts[$0.id] ?? 0) }
        let order = Dictionary(checks.enumerated().map { ($1.id, $0) }, uniquingKeysWith: { first, _ in first })
        self.findings = findings.sorted {
            ($0.severity, order[$0.check] ?? 0, $0.place, $0.what) < (
                $1.severity, order[$1.check] ?? 0, $1.place, $1.what
            )
        }
    }

    /// Whether figures may stand unmarked: there are neither errors nor warnings.
    public var isClean: Bool { !findings.contains { $0.severity != .note } }

    public func count(_ severity: AuditFinding.Severity) -> Int { findings.count { $0.severity == severity } }
}
