/// A question that is asked of evidence.
public protocol AuditCheck: Sendable {
    /// Stable; a heading of Documentation/Audit.md.
    var id: String { get }
    /// What it asks, as a question.
    var asks: String { get }
    /// Why an answer other than yes matters.
    var why: String { get }
}

extension AuditCheck {
    func finding(
        _ severity: AuditFinding.Severity, _ place: String, _ what: String, why: String? = nil, look: String
    ) -> AuditFinding {
        AuditFinding(check: id, severity: severity, place: place, what: what, why: why ?? self.why, look: look)
    }
}
