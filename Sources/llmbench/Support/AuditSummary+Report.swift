import Audit
import Reporting

extension AuditSummary {
    /// An audit as reports and pages carry it at the top.
    init(_ report: AuditReport) {
        self.init(
            auditedAt: report.auditedAt, checks: report.checks.count,
            findings: report.findings.map { finding in
                Finding(
                    severity: Severity(rawValue: finding.severity.rawValue) ?? .error, place: finding.place,
                    what: "\(finding.what) (\(finding.check))", whyItMatters: finding.why, howToLook: finding.look)
            })
    }
}
