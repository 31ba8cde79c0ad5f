import Foundation
import Statistics

/// Summaries that contradict each other, or the data in the same rows.
struct TableSummaryCheck: TableCheck {
    let id = "table-summary"
    let asks = "Do minimum, quartiles, median, mean and maximum fit each other, and the data beside them?"
    let why =
        "A median outside the data, or another than theirs, was computed from other data, over another unit, or mistyped."

    /// In the order that they cannot leave.
    private static let order = ["min", "q1", "median", "q3", "max"]

    func findings(in table: AuditedTable) -> [AuditFinding] { inconsistent(table) + notFollowing(table) }

    private func inconsistent(_ table: AuditedTable) -> [AuditFinding] {
        // Columns such as q1_2024 and median_2024 belong together by what follows the word.
        let suffixes = Set(table.columns.compactMap { Self.split($0.name)?.suffix })
        return suffixes.sorted().flatMap { suffix -> [AuditFinding] in
            let columns = Self.order.compactMap { word in
                table.columns.first { Self.split($0.name).map { $0.word == word && $0.suffix == suffix } ?? false }
            }
            guard columns.count > 1 else { return [] }
            return table.table.rows.indices.compactMap { row in
                let values = columns.map { column -> Double? in
                    if case .number(let value) = column.cells[row] { value } else { nil }
                }
                let known = zip(columns, values).compactMap { column, value in value.map { (column.name, $0) } }
                guard let wrong = zip(known, known.dropFirst()).first(where: { $0.0.1 > $0.1.1 }) else { return nil }
                return finding(
                    .error, table.place(row: row),
                    "'\(wrong.0.0)' is \(Wording.number(wrong.0.1)), above '\(wrong.1.0)', which is \(Wording.number(wrong.1.1))",
                    look: table.look(rows: [row]))
            }
        }
    }

    private static func split(_ name: String) -> (word: String, suffix: String)? {
        let lower = name.lowercased()
        guard let word = order.first(where: { lower.hasPrefix($0) }) else { return nil }
        return (word, String(lower.dropFirst(word.count)))
    }

    /// A column `median` or `mean` that repeats one value in every row of a group, beside one measured column.
    private func notFollowing(_ table: AuditedTable) -> [AuditFinding] {
        let summaries = table.columns.filter { ["median", "mean"].contains($0.name.lowercased()) }
        let measured = table.columns.filter { column in column.isValue && !summaries.contains { $0.name == column.name }
        }
        guard let values = measured.first, measured.count == 1 else { return [] }
        return summaries.flatMap { summary in
            table.rowsByGroup.compactMap { group, rows -> AuditFinding? in
                let stated = Set(
                    rows.map { table.table.rows[$0].fields[table.table.columns.firstIndex(of: summary.name) ?? 0] })
                let data = rows.compactMap { if case .number(let x) = values.cells[$0] { x } else { nil } }
                let isMedian = summary.name.lowercased() == "median"
                guard data.count > 1, stated.count == 1, let text = stated.first, let printed = Printed(text),
                    let real = isMedian ? Statistics.median(data) : Statistics.mean(data), !printed.agrees(with: real)
                else { return nil }
                return finding(
                    .error, "\(table.name), \(group.joined(separator: " "))",
                    "the \(summary.name) is given as \(text); that of its \(data.count) values of '\(values.name)' is \(Wording.number(real, digits: 6))",
                    look: table.look(rows: rows))
            }
        }
    }
}

/// Mann and Whitney's U and its p, in tables with columns U, p, n1 and n2.
struct TableRankTestCheck: TableCheck {
    let id = "table-rank-test"
    let asks = "Can each U be had from its sample sizes, and each p from its U?"
    let why = "For given sizes every U has its p; another is of another test, another U, or a slip."

    func findings(in table: AuditedTable) -> [AuditFinding] {
        guard let u = table.column(named: "u"), let p = table.column(named: "p", "p_value", "p-value"),
            let first = table.column(named: "n1", "n_1"), let second = table.column(named: "n2", "n_2"),
            let text = table.table.columns.firstIndex(of: p.name)
        else { return [] }
        return table.table.rows.indices.compactMap { row in
            guard case .number(let u) = u.cells[row], case .number(let n1) = first.cells[row],
                case .number(let n2) = second.cells[row], n1 >= 1, n2 >= 1, n1 + n2 < 2000, n1 == n1.rounded(),
                n2 == n2.rounded(),
                let p = Printed(table.table.rows[row].fields[text].trimmingCharacters(in: .whitespaces))
            else { return nil }
            let claim = RankTestClaim(first: Int(n1), second: Int(n2), u: u, p: p)
            return finding(of: claim, at: table.place(row: row), look: table.look(rows: [row]))
        }
    }

    /// What a claim by itself gives away; nil where it can be.
    func finding(of claim: RankTestClaim, at place: String, look: String) -> AuditFinding? {
        guard let problem = try? claim.impossibility() else { return nil }
        let what =
            switch problem {
            case .u(let largest):
                "U = \(Wording.number(claim.u)) is impossible for \(claim.first) against \(claim.second): it is a multiple of ½ from 0 to \(largest)"
            case .p(let oneSided, let twoSided):
                "U = \(Wording.number(claim.u)) with \(claim.first) against \(claim.second) cannot have p = \(claim.p.shown): "
                    + "one-sided it is \(Wording.number(oneSided, digits: 3)), two-sided \(Wording.number(twoSided, digits: 3))"
            }
        return finding(.error, place, what, look: look)
    }
}
