import Foundation

/// A row that stands there twice.
struct TableRowsCheck: TableCheck {
    let id = "table-rows"
    let asks = "Is every row another measurement?"
    let why = "A row that stands twice is counted twice; two names with one set of numbers are a slip of copying."

    func findings(in table: AuditedTable) -> [AuditFinding] {
        let same = Dictionary(grouping: table.table.rows.indices) { table.table.rows[$0].fields }
        let repeated = same.values.filter { $0.count > 1 }.map { rows in
            finding(
                .error, table.place(row: rows[0]), "the row stands there \(rows.count) times, to the last letter",
                look: table.look(rows: rows))
        }
        let numbers = sameNumbers(table)
        return repeated + numbers
    }

    /// Rows of other names with the same measurements, where two columns or more are measured.
    private func sameNumbers(_ table: AuditedTable) -> [AuditFinding] {
        let columns = table.columns.filter(\.isValue)
        guard columns.count > 1 else { return [] }
        let whole = table.table.rows.indices.filter { row in
            columns.allSatisfy { if case .number = $0.cells[row] { true } else { false } }
        }
        let groups = Dictionary(grouping: whole) { row in columns.map { $0.cells[row] } }
        // One row of each group: what is in question must not speak for its own likelihood.
        let kept = groups.values.compactMap(\.first)
        let perValue = columns.map { column in
            Coincidence(kept.compactMap { if case .number(let x) = column.cells[$0] { x } else { nil } }).perValue
        }
        let chance = perValue.reduce(Double(whole.count) * Double(whole.count - 1) / 2, *)
        guard chance < Coincidence.level else { return [] }
        return groups.values.filter { rows in
            rows.count > 1 && Set(rows.map { table.table.rows[$0].fields }).count == rows.count
        }.map { rows in
            // Two or three measures of one thing, such as Dice and IoU, agree together.
            finding(
                columns.count > 3 ? .error : .warning, table.place(row: rows[0]),
                "its \(columns.count) numbers are those of line \(Wording.list(rows.dropFirst().map { "\(table.table.rows[$0].line)" })) "
                    + "(by chance: \(Wording.number(chance, digits: 2)) at most, if the columns are independent)",
                look: table.look(rows: rows))
        }
    }
}

/// Groups or columns that share values.
struct TableListsCheck: TableCheck {
    let id = "table-lists"
    let asks = "Are the numbers of different groups and columns different?"
    let why = "Two groups that were measured apart do not share their numbers: one of them was copied over the other."

    func findings(in table: AuditedTable) -> [AuditFinding] { findings(in: table.lists, of: table.name) }

    func findings(in lists: [NamedList], of file: String) -> [AuditFinding] {
        SharedValues.all(in: lists).map { shared in
            let first = Wording.number(shared.first.values[shared.starts.0], digits: 12)
            let last = Wording.number(shared.first.values[shared.starts.0 + shared.count - 1], digits: 12)
            return finding(
                .error, "\(file), \(shared.first.name)",
                (shared.isWhole
                    ? "its \(shared.count) values are those of \(shared.second.name), number for number"
                    : "\(shared.count) values in a row (\(first) to \(last)) are those of \(shared.second.name)")
                    + " (by chance: \(Wording.number(shared.chance, digits: 2)) at most)",
                look: "grep -n \(Wording.shell(first)) \(Wording.shell(file))")
        }
    }
}

/// Lists that are not sorted among lists that are.
struct TableOrderCheck: TableCheck {
    let id = "table-order"
    let asks = "Are all lists in the order that most of them are in?"
    let why =
        "Where a list's position is read as a rank, a list in another order gives wrong ranks; it may also have been edited by hand."

    func findings(in table: AuditedTable) -> [AuditFinding] { findings(in: table.lists, of: table.name) }

    func findings(in lists: [NamedList], of file: String) -> [AuditFinding] {
        ListOrder.exceptions(in: lists).map { list in
            finding(
                .note, "\(file), \(list.name)",
                "its \(list.values.count) values are not sorted; those of most other lists are",
                look: "grep -n \(Wording.shell(Wording.number(list.values[0], digits: 12))) \(Wording.shell(file))")
        }
    }
}
