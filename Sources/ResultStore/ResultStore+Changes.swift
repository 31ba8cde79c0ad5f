import GRDB

/// Which state of a run's rows was read: conversation, captures, trainings and their scores.
public struct RunState: Sendable, Hashable, Codable, FetchableRecord {
    /// The run's number.
    public var run: Int64
    /// How often its rows have changed, by whichever process; 0 where they have not since the store was brought up to version 4.
    public var changes: Int

    public init(run: Int64, changes: Int) {
        self.run = run
        self.changes = changes
    }
}

extension ResultStore {
    /// The runs of a study in the order of their paths, each with how often its rows have changed.
    ///
    /// - Throws: `StoreError`.
    /// - Complexity: a row a run.
    public func runStates(study: String) throws -> [RunState] {
        try read("looking for changed runs") { db in
            try RunState.fetchAll(
                db,
                sql: """
                    SELECT run.id AS run, COALESCE(run_change.count, 0) AS changes
                    FROM run LEFT JOIN run_change ON run_change.run_id = run.id WHERE run.study = ? ORDER BY run.path
                    """, arguments: [study])
        }
    }

    /// A number that is another one once some other process or connection has changed the database: SQLite's `data_version` of the
    /// writer's connection. What is written through this store itself does not change it.
    ///
    /// - Throws: `StoreError`.
    /// - Complexity: no table is read.
    public func changes() throws -> Int {
        try readByWriter("looking for changes") { try Int.fetchOne($0, sql: "PRAGMA data_version") ?? 0 }
    }
}
