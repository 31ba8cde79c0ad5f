/// A table of plain text, columns aligned, for the terminal.
struct TextTable {
    enum Alignment {
        case left, right
    }

    var header: [String]
    var alignment: [Alignment]
    var rows: [[String]] = []

    init(_ columns: [(String, Alignment)]) {
        header = columns.map(\.0)
        alignment = columns.map(\.1)
    }

    mutating func add(_ row: [String]) {
        rows.append(row)
    }

    func render(_ terminal: Terminal = .current()) -> String {
        let widths = header.indices.map { column in
            ([header] + rows).map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
        }
        func line(_ cells: [String]) -> String {
            let padded = header.indices.map { column in
                let cell = column < cells.count ? cells[column] : ""
                let space = String(repeating: " ", count: widths[column] - cell.count)
                return alignment[column] == .left ? cell + space : space + cell
            }
            return trimmedRight(padded.joined(separator: "  "))
        }
        let rule = widths.map { String(repeating: "─", count: $0) }.joined(separator: "  ")
        return ([terminal.paint(line(header), .bold), rule] + rows.map(line)).joined(separator: "\n")
    }

    private func trimmedRight(_ text: String) -> String {
        var text = Substring(text)
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}
