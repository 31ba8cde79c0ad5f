import Foundation
import ResultStore

/// The pages of a study that is read again whenever its store has changed.
///
/// Reading happens when somebody asks, never otherwise: an open page costs one look at SQLite's counter of changes a wait. A large
/// study takes seconds to read and a running one changes every second, so reading again waits for four times as long as the last
/// reading took: it has a fifth of one core at most, and the study the rest.
public actor LiveReport {
    private let workspace: Workspace
    private let store: ResultStore
    private let read: @Sendable (ResultStore) throws -> StudyEvidence
    /// Tells this server from an earlier one on the same port.
    private let session = UUID().uuidString.prefix(8)
    private var counter: Int?
    private var reads = 0
    /// Before this, changes are not looked at.
    private var rested = ContinuousClock.now
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

    /// How long a reading is left alone, in its own length.
    private static let rest = 4

    private var current: String { "\(session)-\(reads)" }

    private func refresh() throws {
        let now = try store.changes()
        guard page == nil || (now != counter && ContinuousClock.now >= rested) else { return }
        let began = ContinuousClock.now
        let evidence = try read(store)
        reads += 1
        made = [:]
        page = try ReportPage(evidence: evidence, workspace: workspace, live: .init(version: current))
        rested = .now + (.now - began) * Self.rest
        // Only now: where reading failed, the next question tries again.
        counter = now
    }
}
