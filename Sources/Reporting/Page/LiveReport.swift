import Foundation
import ResultStore

/// The pages of a study that is read again whenever its store has changed.
///
/// Reading happens when somebody asks, never otherwise: an open page costs one look at SQLite's counter of changes a wait. Of a study
/// that has changed, the runs that have are read, and the pages that are open are made anew; pictures and conversations of the other
/// runs stay. What is made over all runs, the audit above all, can still take a second in a large study, and a running one changes
/// every second: reading again waits for four times as long as the last reading took. It has a fifth of one core at most, and the
/// study the rest.
public actor LiveReport {
    private let workspace: Workspace
    private let store: ResultStore
    private var source: any EvidenceSource
    /// Tells this server from an earlier one on the same port.
    private let session = UUID().uuidString.prefix(8)
    private var counter: Int?
    private var readings = 0
    /// Before this, changes are not looked at.
    private var rested = ContinuousClock.now
    /// Read, and not yet made into pages.
    private var news: StudyEvidence?
    private var page: ReportPage?
    private var made: [String: Data] = [:]

    /// - Parameter source: Reads the evidence, with its audit; when not given, nothing is audited.
    /// - Throws: `StoreError`.
    public init(workspace: Workspace, study: String, source: (any EvidenceSource)? = nil) throws {
        self.workspace = workspace
        self.source = source ?? StudyReader(study: study)
        store = try ResultStore(reading: workspace.database(study: study))
    }

    /// The study cannot be written, and what is shown is that of the moment at which it was opened.
    public nonisolated var isOfOneMoment: Bool { store.isCopy }

    /// Changes when a result has changed.
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
        let began = ContinuousClock.now
        guard let data = try page?.contents(of: path) else { return nil }
        made[path] = data
        // What an open page costs to make is part of what the next reading waits for.
        rested = max(rested, .now + (.now - began) * Self.rest)
        return data
    }

    /// How long a reading is left alone, in its own length.
    private static let rest = 4

    private var current: String { "\(session)-\(readings)" }

    private func refresh() throws {
        let now = try store.changes()
        guard page == nil || (now != counter && ContinuousClock.now >= rested) else { return }
        let began = ContinuousClock.now
        if let evidence = try source.news(from: store) { news = evidence }
        if let evidence = news {
            let version = "\(session)-\(readings + 1)"
            let fresh = try ReportPage(
                evidence: evidence, workspace: workspace, live: .init(version: version), earlier: page)
            readings += 1
            made = made.filter { fresh.keeps($0.key) }
            page = fresh
            news = nil
        }
        rested = max(rested, .now + (.now - began) * Self.rest)
        // Only now: where reading failed, the next question tries again.
        counter = now
    }
}
