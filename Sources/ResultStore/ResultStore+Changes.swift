import GRDB

extension ResultStore {
    /// A number that is another one once some other process or connection has changed the database: SQLite's `data_version` of the
    /// writer's connection. What is written through this store itself does not change it.
    ///
    /// - Throws: `StoreError`.
    /// - Complexity: no table is read.
    public func changes() throws -> Int {
        try readByWriter("looking for changes") { try Int.fetchOne($0, sql: "PRAGMA data_version") ?? 0 }
    }
}
