import Foundation
import GRDB

/// Something that a sound database of ours cannot hold.
public struct IntegrityProblem: Sendable, Hashable {
    /// Empty where it is the file as a whole.
    public var table: String
    public var row: Int64?
    public var what: String
}

extension ResultStore {
    /// What SQLite finds in its own structures (`PRAGMA integrity_check`), rows that point at rows that do not exist, and values
    /// of another type than their column's: SQLite stores text in a column of numbers without a word.
    ///
    /// - Returns: at most 20 of each kind and column.
    /// - Throws: `StoreError`.
    /// - Complexity: reads the whole file.
    public func integrityProblems() throws -> [IntegrityProblem] {
        try read("checking the database") { db in
            let messages = try String.fetchAll(db, sql: "PRAGMA integrity_check(20)")
            var problems = messages.filter { $0 != "ok" }.map { IntegrityProblem(table: "", row: nil, what: $0) }
            for row in try Row.fetchAll(db, sql: "PRAGMA foreign_key_check").prefix(20) {
                let (table, parent): (String, String) = (row["table"], row["parent"])
                problems.append(
                    IntegrityProblem(
                        table: table, row: row["rowid"], what: "it belongs to a row of '\(parent)' that does not exist")
                )
            }
            let tables = try String.fetchAll(
                db,
                sql: """
                    SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
                    AND name NOT LIKE 'grdb\\_%' ESCAPE '\\' ORDER BY name
                    """)
            for table in tables { problems += try Self.strangeTypes(in: table, db) }
            return problems
        }
    }

    private static func strangeTypes(in table: String, _ db: Database) throws -> [IntegrityProblem] {
        let name = table.quotedDatabaseIdentifier
        return try db.columns(in: table).flatMap { column -> [IntegrityProblem] in
            let allowed =
                switch column.type.uppercased() {
                case "INTEGER", "BOOLEAN": ["integer"]
                case "DOUBLE": ["real", "integer"]
                default: ["text"]
                }
            let quoted = column.name.quotedDatabaseIdentifier
            let list = (allowed + ["null"]).map { "'\($0)'" }.joined(separator: ", ")
            let rows = try Row.fetchAll(
                db,
                sql: "SELECT rowid, typeof(\(quoted)) FROM \(name) WHERE typeof(\(quoted)) NOT IN (\(list)) LIMIT 20")
            return rows.map { row in
                let found: String = row[1]
                return IntegrityProblem(
                    table: table, row: row[0],
                    what: "'\(column.name)' holds \(found) where the column is of type \(column.type.lowercased())")
            }
        }
    }
}
