/// A table of a report as HTML: plain rows, which the page's script makes sortable and filterable.
///
/// A cell costs a tag and its text: five hundred rows of fifteen columns are some 250 KiB.
struct TableView {
    var table: ReportTable
    /// The page of a row, by the text of its first cell.
    var links: [String: String] = [:]

    /// Columns with so many different texts can be filtered by choosing one, where that leaves fewer rows than there are choices.
    private static let choices = 2...40

    var markup: Markup {
        var markup = Markup()
        guard !table.rows.isEmpty else {
            markup.element("p", ["class": "empty", "id": "table-\(table.name)", "data-live": ""], text: "Nothing yet.")
            return markup
        }
        markup.element(
            "div", ["class": "scroll", "role": "region", "tabindex": "0", "aria-label": "Table: \(table.title)"]
        ) { markup in
            markup.element("table", ["class": "data", "id": "table-\(table.name)", "data-live": ""]) { markup in
                markup.element("caption", ["class": "unseen"], text: table.title)
                head(&markup)
                markup.element("tbody") { markup in
                    for row in table.rows { add(row, to: &markup) }
                }
            }
        }
        if !table.notes.isEmpty {
            markup.element("ul", ["class": "notes"]) { markup in
                for note in table.notes { markup.element("li", text: note) }
            }
        }
        return markup
    }

    private func head(_ markup: inout Markup) {
        markup.element("thead") { markup in
            markup.element("tr") { markup in
                for (index, column) in table.columns.enumerated() {
                    let count = distinct(index)
                    let isChoice =
                        index > 0 && !column.numeric && Self.choices.contains(count) && 2 * count <= table.rows.count
                    markup.element(
                        "th",
                        [
                            "scope": "col", "data-key": column.key, "class": column.numeric ? "n" : nil,
                            "data-choice": isChoice ? "" : nil,
                        ],
                        text: StoredText.line(column.title, limit: 80))
                }
            }
        }
        markup.newline()
    }

    /// How many different texts a column has; enough to know that there are too many.
    private func distinct(_ column: Int) -> Int {
        var seen = Set<ReportTable.Cell>()
        for row in table.rows where column < row.count {
            seen.insert(row[column])
            if seen.count > Self.choices.upperBound { break }
        }
        return seen.count
    }

    private func add(_ row: [ReportTable.Cell], to markup: inout Markup) {
        markup.start("tr")
        for (index, cell) in row.enumerated() {
            let numeric = index < table.columns.count && table.columns[index].numeric
            let text = StoredText.line(cell.shown, limit: 400)
            if index == 0 {
                markup.element("th", ["scope": "row", "class": text.utf8.count <= 32 ? "short" : nil]) { markup in
                    if let link = links[cell.shown] {
                        markup.element("a", ["href": link], text: text)
                    } else {
                        markup.text(text)
                    }
                }
            } else {
                markup.element("td", ["class": numeric ? "n" : text.utf8.count > 24 ? "long" : nil], text: text)
            }
        }
        markup.end("tr")
        markup.newline()
    }
}
