import GRDB

extension ResultStore {
    /// How often the rows of each run have changed, by the run's number: conversation, captures, trainings and their scores. A
    /// run without a number has not changed since the store was brought up to version 4.
    ///
    /// - Throws: `StoreError`.
    /// - Complexity: a row a run.
    public func runChanges() throws -> [Int64: Int] {
        try read("looking for changed runs") { db in
            let rows = try Row.fetchCursor(db, sql: "SELECT run_id, count FROM run_change")
            var counts: [Int64: Int] = [:]
            while let row = try rows.next() { counts[row[0]] = row[1] }
            return counts
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
