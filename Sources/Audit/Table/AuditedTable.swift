import Foundation
import Tables

/// A table given to be audited: which of its columns hold numbers, and which name groups.
public struct AuditedTable: Sendable {
    enum Cell: Sendable, Hashable {
        case number(Double)
        /// NaN or infinity.
        case notFinite(String)
        case missing
        case text(String)
    }

    struct Column: Sendable {
        var name: String
        var cells: [Cell]
        /// Named by the caller, or holding fractions: measured, and not counted or chosen.
        var isValue: Bool

        var numbers: [Double] { cells.compactMap { if case .number(let value) = $0 { value } else { nil } } }

        /// Words of the name in small letters.
        var words: Set<Substring> { Set(name.lowercased().split { !$0.isLetter && !$0.isNumber }) }
    }

    /// Of the file, for places.
    public let name: String
    public let table: CSVTable
    /// Columns of numbers.
    let columns: [Column]
    /// Names of the columns that make a group.
    public let groups: [String]

    /// - Parameters:
    ///   - name: of the file.
    ///   - values: the measured columns; found where empty: columns of numbers with fractions.
    ///   - groups: the columns that make a group; found where nil: text that repeats, and whole numbers of at most ten values.
    /// - Throws: `CSVError.noColumn`; `AuditedTableError` for a value column without numbers, or a table without rows or numbers.
    public init(
        _ table: CSVTable, name: String, values: [String] = [], groups: [String]? = nil
    ) throws {
        guard !table.rows.isEmpty else { throw AuditedTableError.noRows(name) }
        self.name = name
        self.table = table
        for column in values + (groups ?? []) { _ = try table.column(column) }
        var columns: [Column] = []
        var found: [String] = []
        for (index, title) in table.columns.enumerated() {
            let texts = table.rows.map { $0.fields[index].trimmingCharacters(in: .whitespaces) }
            let cells = texts.map(Self.cell)
            let isNumeric = Self.isNumeric(cells)
            if values.contains(title), !isNumeric { throw AuditedTableError.noNumbers(column: title, file: name) }
            if isNumeric {
                let hasFractions = cells.contains { if case .number(let x) = $0 { x != x.rounded() } else { false } }
                columns.append(
                    Column(
                        name: title, cells: cells,
                        isValue: values.isEmpty
                            ? hasFractions && !(groups ?? []).contains(title) : values.contains(title)))
                if !hasFractions, Set(texts).count <= min(10, texts.count / 2) { found.append(title) }
            } else if Set(texts).count <= texts.count / 2 {
                found.append(title)
            }
        }
        guard !columns.isEmpty else { throw AuditedTableError.noNumbers(column: nil, file: name) }
        self.columns = columns
        self.groups = groups ?? found.filter { !values.contains($0) }
    }

    /// The measured columns, each as a list a group.
    var lists: [NamedList] {
        columns.filter(\.isValue).flatMap { column in
            rowsByGroup.map { group, rows in
                let values = rows.compactMap { if case .number(let x) = column.cells[$0] { x } else { nil } }
                let title = group.isEmpty ? "" : "\(group.joined(separator: " ")) "
                return NamedList("\(title)\(column.name)", values)
            }
        }
    }

    /// Rows by the values of the group's columns, in the order of their first row.
    var rowsByGroup: [(group: [String], rows: [Int])] {
        let indices = groups.compactMap { table.columns.firstIndex(of: $0) }
        var order: [[String]] = []
        var rows: [[String]: [Int]] = [:]
        for (row, fields) in table.rows.enumerated() {
            let key = indices.map { fields.fields[$0] }
            if rows[key] == nil { order.append(key) }
            rows[key, default: []].append(row)
        }
        return order.map { ($0, rows[$0] ?? []) }
    }

    func place(row: Int) -> String { "\(name), line \(table.rows[row].line)" }

    /// A command that shows some lines.
    func look(rows: [Int]) -> String {
        let lines = rows.prefix(8).map { "\(table.rows[$0].line)p" }.joined(separator: ";")
        return "sed -n '1p;\(lines)' \(Wording.shell(name))"
    }

    /// The column of a name, whatever its case; `nil` without one.
    func column(named names: String...) -> Column? {
        columns.first { names.contains($0.name.lowercased().trimmingCharacters(in: .whitespaces)) }
    }

    private static func cell(_ text: String) -> Cell {
        if ["", "na", "n/a", "-", "–", "null"].contains(text.lowercased()) { return .missing }
        guard let value = Double(text) else { return .text(text) }
        return value.isFinite ? .number(value) : .notFinite(text)
    }

    /// Half of what is there, at least, is a number.
    private static func isNumeric(_ cells: [Cell]) -> Bool {
        let there = cells.filter { $0 != .missing }
        let numbers = there.count { if case .text = $0 { false } else { true } }
        return numbers > 0 && 2 * numbers >= there.count
    }
}

/// Why a table cannot be audited.
public enum AuditedTableError: Error, Sendable, Hashable, CustomStringConvertible {
    case noRows(String)
    /// A nil column stands for the whole table.
    case noNumbers(column: String?, file: String)

    public var description: String {
        switch self {
        case .noRows(let file): "\(file) has a header and no rows: there is nothing to audit"
        case .noNumbers(nil, let file): "\(file) has no column of numbers: there is nothing to audit"
        case .noNumbers(let column?, let file):
            "column '\(column)' of \(file) holds no numbers: name another with --value"
        }
    }
}
