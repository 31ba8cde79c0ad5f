import Foundation
import ResultStore

/// The pages of a study that is read again whenever its store has changed.
///
/// Reading happens when somebody asks, never otherwise: an open page costs one look at SQLite's counter of changes a wait.
public actor LiveReport {
    private let workspace: Workspace
    private let study: String
    private let store: ResultStore
    private let audit: @Sendable (StudyEvidence) -> AuditSummary?
    /// Tells this server from an earlier one on the same port.
    private let session = UUID().uuidString.prefix(8)
    private var counter: Int?
    private var reads = 0
    private var page: ReportPage?
    private var made: [String: Data] = [:]

    /// - Parameter audit: What the pages show at the top; asked each time the evidence is read.
    /// - Throws: `StoreError`.
    public init(
        workspace: Workspace, study: String, audit: @escaping @Sendable (StudyEvidence) -> AuditSummary? = { _ in nil }
    ) throws {
        self.workspace = workspace
        self.study = study
        self.audit = audit
        store = try ResultStore(path: workspace.database(study: study))
    }

    /// Changes when the store has changed.
    ///
    /// - Throws: `StoreError`, `ReportError`.
    public func version() throws -> String {
        try refresh()
        return current
    }

    /// One file of the report as the store is now; nil where there is none of that path.
    ///
    /// - Throws: `StoreError`, `ReportError`, or what kept a picture from being read.
    public func contents(of path: String) throws -> Data? {
        try refresh()
        if let data = made[path] { return data }
        guard let data = try page?.contents(of: path) else { return nil }
        made[path] = data
        return data
    }

    private var current: String { "\(session)-\(reads)" }

    private func refresh() throws {
        let now = try store.changes()
        guard page == nil || now != counter else { return }
        let evidence = try StudyEvidence(store: store, study: study)
        reads += 1
        made = [:]
        page = try ReportPage(
            evidence: evidence, workspace: workspace, audit: audit(evidence), live: .init(version: current))
        // Only now: where reading failed, the next question tries again.
        counter = now
    }
}
