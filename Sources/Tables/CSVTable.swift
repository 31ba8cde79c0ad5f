/// A table read from comma-separated values: a header and rows of as many fields.
///
/// ```swift
/// let table = try CSVTable(parsing: "dataset,dice\nBolus,0.84\n")
/// try table.column("dice")        // 1
/// table.rows[0].fields            // ["Bolus", "0.84"]
/// table.rows[0].line              // 2
/// ```
///
/// The format is RFC 4180, with LF as well as CR LF at the ends of lines, and with or without a byte order mark. Fields are not
/// trimmed. Lines that are empty are skipped.
public struct CSVTable: Sendable, Hashable {
    public struct Row: Sendable, Hashable {
        /// Where the row begins, from 1.
        public var line: Int
        public var fields: [String]
    }

    public var columns: [String]
    public var rows: [Row]

    /// - Throws: `CSVError` for text without a header, a column without a name or with another's, a row of another length than the
    ///   header, or a quotation mark that is not closed or stands inside a plain field.
    /// - Complexity: O(characters).
    public init(parsing text: String) throws(CSVError) {
        var reader = CSVReader(text)
        guard let header = try reader.next() else { throw .noHeader }
        columns = header.fields
        for (index, name) in columns.enumerated() {
            if name.isEmpty { throw .unnamedColumn(index + 1) }
            if columns[..<index].contains(name) { throw .repeatedColumn(name) }
        }
        rows = []
        while let row = try reader.next() {
            guard row.fields.count == columns.count else {
                throw .fieldCount(line: row.line, found: row.fields.count, expected: columns.count)
            }
            rows.append(row)
        }
    }

    /// The position of a column from 0.
    ///
    /// - Throws: `CSVError.noColumn` with the names that there are.
    public func column(_ name: String) throws(CSVError) -> Int {
        guard let index = columns.firstIndex(of: name) else { throw .noColumn(name, columns) }
        return index
    }
}

/// Why text is no table. Names from the file are quoted as they are: who prints them escapes control characters.
public enum CSVError: Error, Hashable, Sendable, CustomStringConvertible {
    case noHeader
    /// Its position from 1.
    case unnamedColumn(Int)
    case repeatedColumn(String)
    case fieldCount(line: Int, found: Int, expected: Int)
    case openQuote(line: Int)
    case strayQuote(line: Int)
    case noColumn(String, [String])

    public var description: String {
        switch self {
        case .noHeader: "the table is empty: its first line must name the columns"
        case .unnamedColumn(let position): "column \(position) has no name in the first line"
        case .repeatedColumn(let name): "the first line names column '\(name)' twice"
        case .fieldCount(let line, let found, let expected):
            "line \(line) has \(found) field\(found == 1 ? "" : "s") where the first line names \(expected)"
        case .openQuote(let line): "the quotation mark opened on line \(line) is never closed"
        case .strayQuote(let line):
            "line \(line) has a quotation mark inside a field: quote the whole field, and double the marks in it"
        case .noColumn(let name, let columns): "no column '\(name)': the table has \(columns.joined(separator: ", "))"
        }
    }
}

/// Reads one row after the other.
private struct CSVReader {
    private let scalars: [Unicode.Scalar]
    private var position = 0
    private var line = 1

    init(_ text: String) {
        let all = Array(text.unicodeScalars)
        scalars = all.first == "\u{feff}" ? Array(all.dropFirst()) : all
    }

    mutating func next() throws(CSVError) -> CSVTable.Row? {
        while position < scalars.count, let length = lineEnd(at: position) {
            position += length
            line += 1
        }
        guard position < scalars.count else { return nil }
        var row = CSVTable.Row(line: line, fields: [])
        while true {
            row.fields.append(scalars[safely: position] == "\"" ? try quoted() : try plain())
            guard position < scalars.count else { return row }
            if let length = lineEnd(at: position) {
                position += length
                line += 1
                return row
            }
            position += 1
        }
    }

    /// The length of the end of line at a position: LF or CR LF.
    private func lineEnd(at position: Int) -> Int? {
        if scalars[position] == "\n" { return 1 }
        return scalars[position] == "\r" && scalars[safely: position + 1] == "\n" ? 2 : nil
    }

    private mutating func plain() throws(CSVError) -> String {
        var field = String.UnicodeScalarView()
        while position < scalars.count, scalars[position] != ",", lineEnd(at: position) == nil {
            if scalars[position] == "\"" { throw .strayQuote(line: line) }
            field.append(scalars[position])
            position += 1
        }
        return String(field)
    }

    private mutating func quoted() throws(CSVError) -> String {
        let start = line
        var field = String.UnicodeScalarView()
        position += 1
        while position < scalars.count {
            let scalar = scalars[position]
            position += 1
            if scalar == "\"" {
                guard scalars[safely: position] == "\"" else {
                    guard position == scalars.count || scalars[position] == "," || lineEnd(at: position) != nil else {
                        throw .strayQuote(line: line)
                    }
                    return String(field)
                }
                position += 1
            }
            if scalar == "\n" { line += 1 }
            field.append(scalar)
        }
        throw .openQuote(line: start)
    }
}

extension Array {
    fileprivate subscript(safely index: Int) -> Element? { index < count ? self[index] : nil }
}
