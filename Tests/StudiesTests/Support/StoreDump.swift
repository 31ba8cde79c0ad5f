import Foundation
import GRDB

/// Every table of a store as lines that two undisturbed studies share: without times, without the numbers of rows and processes.
///
/// Rows are told apart by what they mean, since a resumed study may insert them in another order. Requests that were lost to a
/// kill are what a kill costs, and are left out.
struct StoreDump {
    private(set) var tables: [String: [String]] = [:]

    /// Columns that hold times, numbers of rows or processes, by table; `*` for all.
    private static let left: [String: Set<String>] = [
        "*": [
            "id", "run_id", "training_id", "set_id", "started_at", "ended_at", "created_at", "seconds",
            "inference_seconds", "network_seconds",
        ],
        "exchange": ["sent_at", "completed_at", "first_token_seconds", "total_seconds", "ordinal"],
        "round": ["check_seconds", "check_cpu_seconds", "check_peak_bytes", "finished_at"],
        "drawing": ["asked_at", "completed_at", "first_token_seconds", "ordinal"],
        "study": ["process", "first_begun_at", "begun_at", "seen_at", "earlier_seconds"],
        // What a job is expected to cost follows from what was measured before.
        "job": ["process", "expected_seconds", "expected_cost"],
        // How often a run was written to is what a kill changes.
        "run_change": ["count"],
    ]

    init(_ path: URL) throws {
        let queue = try DatabaseQueue(path: path.path)
        try queue.read { db in
            let names = try String.fetchAll(
                db,
                sql: "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name")
            for name in names { tables[name] = try Self.lines(name, db) }
        }
        try queue.close()
    }

    private static func lines(_ table: String, _ db: Database) throws -> [String] {
        let columns = Set(try db.columns(in: table).map(\.name))
        let owner =
            if columns.contains("set_id") {
                "(SELECT path FROM drawing_set s WHERE s.id = set_id)"
            } else if columns.contains("training_id") {
                "(SELECT r.path || '/' || t.engine || '-' || t.seed FROM training t JOIN run r ON r.id = t.run_id "
                    + "WHERE t.id = training_id)"
            } else if columns.contains("run_id") {
                "(SELECT path FROM run r WHERE r.id = run_id)"
            } else {
                "''"
            }
        let lost = ["exchange", "drawing"].contains(table) ? "WHERE status <> 'lost'" : ""
        let rows = try Row.fetchAll(db, sql: "SELECT \(owner) AS owner, * FROM \"\(table)\" \(lost)")
        let dropped = left["*", default: []].union(left[table, default: []])
        return rows.map { row in
            row.columnNames.filter { $0 == "id" && table == "job" || !dropped.contains($0) }
                .map { "\($0)=\(row[$0] as DatabaseValue)" }.joined(separator: " | ")
        }.sorted()
    }

    /// Tables that differ, with the first lines that do.
    func differences(from other: StoreDump) -> [String] {
        Set(tables.keys).union(other.tables.keys).sorted().compactMap { name in
            let (mine, theirs) = (tables[name] ?? [], other.tables[name] ?? [])
            guard mine != theirs else { return nil }
            let (extra, missing) = (Set(mine).subtracting(theirs), Set(theirs).subtracting(mine))
            return
                "\(name): \(mine.count) rows instead of \(theirs.count); found \(extra.sorted().first?.prefix(1500) ?? "-"); "
                + "wanted \(missing.sorted().first?.prefix(1500) ?? "-")"
        }
    }
}
