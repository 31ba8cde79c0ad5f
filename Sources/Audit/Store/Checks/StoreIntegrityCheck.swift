import Foundation
import ResultStore

/// The database file itself.
struct StoreIntegrityCheck: AuditCheck {
    let id = "store-integrity"
    let asks = "Is the database sound, and does every column hold values of its own type?"
    let why = "Nothing that is read from a damaged or hand-edited database is evidence; the other checks were not made."

    func findings(in store: ResultStore) throws -> [AuditFinding] {
        let path = store.path.path(percentEncoded: false)
        return try store.integrityProblems().map { problem in
            let place =
                problem.table.isEmpty
                ? path : "table \(problem.table)" + (problem.row.map { ", row \($0)" } ?? "")
            let sql =
                if problem.table.isEmpty { "PRAGMA integrity_check" } else if let row = problem.row {
                    "SELECT * FROM \(problem.table) WHERE rowid = \(row)"
                } else { "PRAGMA foreign_key_check" }
            return finding(.error, place, problem.what, look: "sqlite3 \(Wording.shell(path)) \"\(sql)\"")
        }
    }

    /// A row that our own records cannot be made from.
    func unreadable(doing: String, reason: String, store: ResultStore) -> AuditFinding {
        let path = store.path.path(percentEncoded: false)
        return finding(
            .error, path, "\(doing) failed: \(reason.prefix(400))",
            look: "sqlite3 \(Wording.shell(path)) .dump")
    }
}
