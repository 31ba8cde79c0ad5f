import PublishedFigures

/// U and p of figure 8 by themselves, and its caption against the text.
struct PublishedPooledCheck: PublishedCheck {
    let id = "published-figure8"
    let asks = "Can U and p of figure 8 belong together, and do caption and text agree?"
    let why =
        "One comparison has one U and one p: where two are printed, at least one is of something else, and a reader cannot tell which."

    private static let look = "cat Sources/PublishedFigures/Data/figure8.csv"

    func findings(in tables: PublishedTables) -> [AuditFinding] {
        tables.figure8.compactMap { impossible($0, tables) } + disagreements(tables.figure8)
    }

    private func impossible(_ row: PublishedPooledComparison, _ tables: PublishedTables) -> AuditFinding? {
        let first = tables.models.count { row.comparison.hasPrefix("reasoning") ? $0.isReasoning : $0.cohort == 2025 }
        let claim = RankTestClaim(
            first: first, second: tables.models.count - first, u: row.u, p: Printed(row.p, decimals: 3))
        guard
            let found = TableRankTestCheck().finding(
                of: claim, at: "figure8.csv, \(row.source), \(row.comparison), \(row.split)", look: Self.look)
        else { return nil }
        return finding(
            .error, found.place, found.what,
            why: "For given sizes every U has its p; another is of another test, another U, or a slip.",
            look: Self.look)
    }

    private func disagreements(_ rows: [PublishedPooledComparison]) -> [AuditFinding] {
        rows.filter { $0.source == "caption" }.compactMap { caption in
            guard
                let text = rows.first(where: {
                    $0.source == "text" && $0.comparison == caption.comparison && $0.split == caption.split
                }), text.u != caption.u || text.p != caption.p
            else { return nil }
            return finding(
                .warning, "figure8.csv, \(caption.comparison), \(caption.split)",
                "the caption has U = \(Wording.number(caption.u)), p = \(Wording.number(caption.p)); the text has U = "
                    + "\(Wording.number(text.u)), p = \(Wording.number(text.p))", look: Self.look)
        }
    }
}

/// What the running text says against what a table says.
struct PublishedStatementsCheck: PublishedCheck {
    let id = "published-statements"
    let asks = "Does the running text say what the tables say?"
    let why = "Whoever quotes the text and whoever quotes the table report different results of one study."

    func findings(in tables: PublishedTables) -> [AuditFinding] {
        tables.statements.compactMap { statement in
            let table: (name: String, value: String, agrees: Bool)?
            switch statement.quantity {
            case "weights":
                table = tables.models.first { $0.id == statement.subject }.map { model in
                    let value = model.hasOpenWeights ? "open" : "closed"
                    return ("models.csv", value, value == statement.value)
                }
            default:
                table = tables.table3.first { $0.dataset == statement.subject }.map { row in
                    let printed = Printed(statement.value)
                    return (
                        "table3.csv", Printed(row.p, decimals: 4).shown, printed.map { $0.agrees(with: row.p) } ?? false
                    )
                }
            }
            let look =
                "grep -n '\(statement.subject)' Sources/PublishedFigures/Data/statements.csv Sources/PublishedFigures/Data/\(table?.name ?? "*.csv")"
            guard let table else {
                return finding(
                    .warning, "statements.csv, \(statement.subject)",
                    "no table speaks of it: '\(statement.quantity)' is \(statement.value)",
                    look: look)
            }
            guard !table.agrees else { return nil }
            return finding(
                .warning, "\(statement.place) and \(table.name), \(statement.subject)",
                "\(statement.quantity): the \(statement.place) says \(statement.value), the table \(table.value)",
                look: look)
        }
    }
}
