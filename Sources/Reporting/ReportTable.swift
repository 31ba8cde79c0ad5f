import Foundation

/// A table of a report, before it is text, CSV, JSON, a worksheet or HTML.
public struct ReportTable: Sendable, Hashable {
    public enum Cell: Sendable, Hashable {
        case text(String)
        case integer(Int)
        /// A number with the digits it is shown with.
        case number(Double, digits: Int)
        case missing

        /// As a person reads it; control characters of a model's text are spelt out, so that none reaches a terminal.
        public var shown: String {
            switch self {
            case .text(let text): StoredText.escapingControls(text)
            case .integer(let value): "\(value)"
            case .number(let value, let digits): value.isFinite ? Self.fixed(value, digits) : "\(value)"
            case .missing: "–"
            }
        }

        public var isNumeric: Bool {
            switch self {
            case .integer, .number: true
            case .text, .missing: false
            }
        }

        static func fixed(_ value: Double, _ digits: Int) -> String {
            value.formatted(
                .number.precision(.fractionLength(digits)).grouping(.never).locale(Locale(identifier: "en_US_POSIX")))
        }
    }

    public struct Column: Sendable, Hashable {
        /// For a person: "mean Dice".
        public var title: String
        /// For CSV and JSON: `mean_dice`.
        public var key: String
        public var numeric: Bool

        public init(_ title: String, key: String, numeric: Bool = false) {
            self.title = title
            self.key = key
            self.numeric = numeric
        }
    }

    public var name: String
    public var title: String
    /// What the numbers are and what a reader must know, below the table.
    public var notes: [String]
    public var columns: [Column]
    public var rows: [[Cell]]

    public init(name: String, title: String, columns: [Column], rows: [[Cell]] = [], notes: [String] = []) {
        self.name = name
        self.title = title
        self.columns = columns
        self.rows = rows
        self.notes = notes
    }

    /// RFC 4180; numbers with all their digits. A cell that a spreadsheet would take for a formula is led by an apostrophe.
    public var csv: String {
        let header = columns.map { Self.quoted($0.key) }.joined(separator: ",")
        let body = rows.map { row in
            row.map { cell in
                switch cell {
                case .text(let text): Self.quoted(text)
                case .integer(let value): "\(value)"
                case .number(let value, _): "\(value)"
                case .missing: ""
                }
            }.joined(separator: ",")
        }
        return ([header] + body).joined(separator: "\r\n") + "\r\n"
    }

    private static func quoted(_ text: String) -> String {
        var text = text
        if let first = text.unicodeScalars.first, "=+-@\t\r".unicodeScalars.contains(first) { text = "'" + text }
        guard text.contains(where: { $0 == "," || $0 == "\"" || $0.isNewline }) else { return text }
        return "\"" + text.replacingOccurrences(of: "\"", with: "\"\"") + "\""
    }
}

extension ReportTable: Encodable {
    private enum CodingKeys: String, CodingKey {
        case name, title, notes, rows
    }

    private struct AnyKey: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    /// Rows as objects by column key; a missing cell is null.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(name, forKey: .name)
        try container.encode(title, forKey: .title)
        try container.encode(notes, forKey: .notes)
        var list = container.nestedUnkeyedContainer(forKey: .rows)
        for row in rows {
            var object = list.nestedContainer(keyedBy: AnyKey.self)
            for (column, cell) in zip(columns, row) {
                let key = AnyKey(stringValue: column.key)
                switch cell {
                case .text(let text): try object.encode(text, forKey: key)
                case .integer(let value): try object.encode(value, forKey: key)
                case .number(let value, _): try object.encode(value, forKey: key)
                case .missing: try object.encodeNil(forKey: key)
                }
            }
        }
    }
}
