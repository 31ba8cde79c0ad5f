/// Shares outside [0, 1].
struct TableRangeCheck: TableCheck {
    let id = "table-range"
    let asks = "Does every score and every p lie in [0, 1]?"
    let why =
        "Dice, IoU, accuracy and their relatives are shares, and p is a probability: what lies outside [0, 1] is none of these."

    private static let shares: Set<Substring> = [
        "dice", "dsc", "iou", "jaccard", "f1", "accuracy", "precision", "recall", "sensitivity", "specificity", "auc",
    ]
    private static let probabilities: Set<Substring> = ["p", "pvalue"]

    func findings(in table: AuditedTable) -> [AuditFinding] {
        table.columns.flatMap { column -> [AuditFinding] in
            let isShare = !column.words.isDisjoint(with: Self.shares)
            // A difference or a spread of shares is none.
            let isDerived = !column.words.isDisjoint(with: ["delta", "diff", "difference", "change", "n", "count"])
            guard !isDerived, isShare || !column.words.isDisjoint(with: Self.probabilities) else { return [] }
            let outside = column.cells.indices.filter { row in
                if case .number(let value) = column.cells[row] { !(0...1).contains(value) } else { false }
            }
            guard let first = outside.first, case .number(let value) = column.cells[first] else { return [] }
            let numbers = column.numbers
            if isShare, numbers.allSatisfy({ (0...100).contains($0) }), 2 * outside.count > numbers.count {
                return [
                    finding(
                        .note, "\(table.name), column \(column.name)",
                        "its values reach \(Wording.number(numbers.max() ?? 0)): it seems to be in percent",
                        why: "Beside scores in [0, 1] it must be divided by 100.", look: table.look(rows: [first]))
                ]
            }
            return [
                finding(
                    .error, table.place(row: first),
                    "\(outside.count) of \(numbers.count) values of '\(column.name)' lie outside [0, 1], the first: \(Wording.number(value))",
                    look: table.look(rows: outside))
            ]
        }
    }
}

/// Cells that hold no number where numbers are due.
struct TableNumbersCheck: TableCheck {
    let id = "table-numbers"
    let asks = "Does every cell of a column of numbers hold a finite number?"
    let why =
        "Programs skip such cells, or count them as zero, each in its own way: means and tests then differ without a word."

    func findings(in table: AuditedTable) -> [AuditFinding] {
        table.columns.flatMap { column -> [AuditFinding] in
            func rows(_ matches: (AuditedTable.Cell) -> Bool) -> [Int] {
                column.cells.indices.filter { matches(column.cells[$0]) }
            }
            let kinds: [(AuditFinding.Severity, String, [Int])] = [
                (.error, "NaN or infinite", rows { if case .notFinite = $0 { true } else { false } }),
                (.warning, "text", rows { if case .text = $0 { true } else { false } }),
                (.note, "empty", rows { $0 == .missing }),
            ]
            return kinds.compactMap { severity, name, rows in
                guard let first = rows.first else { return nil }
                return finding(
                    severity, table.place(row: first),
                    "\(rows.count) of \(column.cells.count) cells of '\(column.name)' are \(name)",
                    look: table.look(rows: rows))
            }
        }
    }
}

/// A measured column that does not vary.
struct TableConstantCheck: TableCheck {
    let id = "table-constant"
    let asks = "Does every measured column vary, in each group?"
    let why = "Measurements vary. A constant is a setting, a placeholder, or one value written for all."

    func findings(in table: AuditedTable) -> [AuditFinding] {
        let whole = table.columns.filter(\.isValue).filter { column in
            column.numbers.count >= 3 && Set(column.numbers).count == 1
        }
        let names = Set(whole.map(\.name))
        let columns = whole.map { column in
            finding(
                .warning, "\(table.name), column \(column.name)",
                "all \(column.numbers.count) values are \(Wording.number(column.numbers[0]))",
                look: table.look(rows: [0, 1]))
        }
        let lists = table.lists.filter { list in
            list.values.count >= 3 && Set(list.values).count == 1 && !names.contains { list.name.hasSuffix($0) }
        }
        return columns
            + lists.map { list in
                finding(
                    .note, "\(table.name), \(list.name)",
                    "all \(list.values.count) values are \(Wording.number(list.values[0]))",
                    why: "A summary repeated in every row of its group looks like this; measurements do not.",
                    look:
                        "grep -n \(Wording.shell("\(Wording.number(list.values[0], digits: 15))")) \(Wording.shell(table.name))"
                )
            }
    }
}
