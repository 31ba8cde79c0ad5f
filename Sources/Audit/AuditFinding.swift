/// One thing that does not hold together, or that a reader has to know.
public struct AuditFinding: Sendable, Hashable, Codable {
    public enum Severity: String, Sendable, Hashable, Codable, CaseIterable, Comparable {
        /// A number is wrong, or cannot be trusted.
        case error
        /// A reader must know it to read the numbers rightly.
        case warning
        case note

        public static func < (a: Severity, b: Severity) -> Bool {
            (allCases.firstIndex(of: a) ?? 0) < (allCases.firstIndex(of: b) ?? 0)
        }
    }

    /// Id of the check that found it: stable, and a heading of Documentation/Audit.md.
    public var check: String
    public var severity: Severity
    /// Run, training, table or file. Names come from stores and files: who prints them escapes control characters.
    public var place: String
    /// What was found, with the numbers.
    public var what: String
    /// Why it matters.
    public var why: String
    /// The command or query that shows it.
    public var look: String

    public init(check: String, severity: Severity, place: String, what: String, why: String, look: String) {
        self.check = check
        self.severity = severity
        self.place = place
        self.what = what
        self.why = why
        self.look = look
    }
}
