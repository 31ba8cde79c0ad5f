import Foundation
import ResultStore

/// The pages of a study that is read again whenever its store has changed.
///
/// Reading happens when somebody asks, never otherwise: an open page costs one look at SQLite's counter of changes a wait.
public actor LiveReport {
    private let workspace: Workspace
    private let store: ResultStore
    private let read: @Sendable (ResultStore) throws -> StudyEvidence
    /// Tells this server from an earlier one on the same port.
    private let session = UUID().uuidString.prefix(8)
    private var counter: Int?
    private var reads = 0
    private var page: ReportPage?
    private var made: [String: Data] = [:]

    /// - Parameter read: Makes the evidence whenever the store has changed, with its audit; when not given, nothing is audited.
    /// - Throws: `StoreError`.
    public init(
        workspace: Workspace, study: String, read: (@Sendable (ResultStore) throws -> StudyEvidence)? = nil
    ) throws {
        self.workspace = workspace
        self.read = read ?? { try StudyEvidence(store: $0, study: study) }
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
        let evidence = try read(store)
        reads += 1
        made = [:]
        page = try ReportPage(evidence: evidence, workspace: workspace, live: .init(version: current))
        // Only now: where reading failed, the next question tries again.
        counter = now
    }
}
