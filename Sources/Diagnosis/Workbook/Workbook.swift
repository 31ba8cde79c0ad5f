import Datasets
import Files
import Foundation

/// The first worksheet of an XLSX file, as a grid.
///
/// ```swift
/// let sheet = try Workbook(reading: "val_losses.xlsx", below: out)
/// sheet.rows[1]    // [.number(0.71), .number(0.64)]
/// ```
///
/// Made for small sheets of numbers that a program nobody trusts wrote: links are not followed, sizes are bounded, formulas are
/// not evaluated (their stored value counts), formats and dates are not interpreted. Layout: ECMA-376, part 1, section 18.3.
public struct Workbook: Sendable, Hashable {
    public enum Cell: Sendable, Hashable {
        case empty
        case number(Double)
        /// Text, a boolean, or an error such as `#NUM!`.
        case text(String)
    }

    public enum Failure: Error, Sendable, Hashable, CustomStringConvertible {
        case file(UntrustedFileError)
        case malformed(reason: String)

        public var description: String {
            switch self {
            case .file(let error): error.description
            case .malformed(let reason): reason
            }
        }
    }

    /// Rows from A1 on, all of the same length: that of the longest. Empty rows and columns at the end are left out.
    public private(set) var rows: [[Cell]] = []
    public private(set) var worksheets = 0

    public static let maximumFileBytes = 16 << 20
    private static let maximumCells = 1 << 20

    /// - Throws: `Workbook.Failure`.
    public init(reading path: String, below folder: URL) throws(Failure) {
        let bytes: [UInt8]
        do {
            bytes = try UntrustedFile.read(path, below: folder, maximumBytes: Self.maximumFileBytes)
        } catch {
            throw .file(error)
        }
        try self.init(bytes)
    }

    /// - Throws: `Workbook.Failure.malformed`.
    public init(_ bytes: [UInt8]) throws(Failure) {
        do {
            let archive = try ZipArchive(bytes)
            let sheets = archive.names.filter { $0.hasPrefix("xl/worksheets/") && $0.hasSuffix(".xml") }
            worksheets = sheets.count
            // sheet2 before sheet10.
            let first = sheets.min { ($0.count, $0) < ($1.count, $1) }
            guard let first, let sheet = try archive.content(first) else {
                throw Failure.malformed(reason: "it has no worksheet")
            }
            let strings = try archive.content("xl/sharedStrings.xml").map(Self.sharedStrings) ?? []
            rows = try Self.grid(sheet, strings: strings)
        } catch let failure as Failure {
            throw failure
        } catch let failure as ZipArchive.Failure {
            throw .malformed(reason: failure.description)
        } catch let failure as XMLScanner.Failure {
            throw .malformed(reason: failure.reason)
        } catch {
            throw .malformed(reason: "\(error)")
        }
    }

    public var columnCount: Int { rows.first?.count ?? 0 }

    private static func sharedStrings(_ bytes: [UInt8]) throws -> [String] {
        var scanner = XMLScanner(bytes)
        var strings: [String] = []
        var inText = false
        while let event = try scanner.next() {
            switch event {
            case .start("si", _): strings.append("")
            case .start("t", _): inText = true
            case .end("t"): inText = false
            case .text(let text) where inText && !strings.isEmpty: strings[strings.count - 1] += text
            default: break
            }
            guard strings.count <= maximumCells else { throw Failure.malformed(reason: "it has too many texts") }
        }
        return strings
    }

    private static func grid(_ bytes: [UInt8], strings: [String]) throws -> [[Cell]] {
        var scanner = XMLScanner(bytes)
        var cells: [(row: Int, column: Int, cell: Cell)] = []
        var (row, column) = (-1, -1)
        var kind = "n"
        var value: String?
        var inValue = false
        while let event = try scanner.next() {
            switch event {
            case .start("row", let attributes):
                row = attributes["r"].flatMap { Int($0) }.map { $0 - 1 } ?? row + 1
                column = -1
            case .start("c", let attributes):
                let reference = attributes["r"].flatMap(position)
                row = reference?.row ?? row
                column = reference?.column ?? column + 1
                kind = attributes["t"] ?? "n"
                value = nil
            case .start("v", _), .start("t", _):
                inValue = true
                value = value ?? ""
            case .end("v"), .end("t"): inValue = false
            case .text(let text) where inValue: value? += text
            case .end("c"):
                let cell = Self.cell(value, kind: kind, strings: strings)
                if cell != .empty { cells.append((row, column, cell)) }
                guard cells.count <= maximumCells else { throw Failure.malformed(reason: "it has too many cells") }
            default: break
            }
        }
        return try dense(cells)
    }

    private static func dense(_ cells: [(row: Int, column: Int, cell: Cell)]) throws -> [[Cell]] {
        guard let lastRow = cells.map(\.row).max(), let lastColumn = cells.map(\.column).max() else { return [] }
        guard cells.allSatisfy({ $0.row >= 0 && $0.column >= 0 }), lastRow < 1 << 20, lastColumn < 1 << 14,
            (lastRow + 1) * (lastColumn + 1) <= maximumCells
        else { throw Failure.malformed(reason: "its cells lie too far apart") }
        var rows = [[Cell]](repeating: [Cell](repeating: .empty, count: lastColumn + 1), count: lastRow + 1)
        for (row, column, cell) in cells { rows[row][column] = cell }
        return rows
    }

    private static func cell(_ value: String?, kind: String, strings: [String]) -> Cell {
        guard let value else { return .empty }
        switch kind {
        case "s":
            guard let index = Int(value), strings.indices.contains(index) else { return .text(value) }
            return .text(strings[index])
        case "n":
            if value.isEmpty { return .empty }
            return Double(value.trimmingCharacters(in: .whitespaces)).map { .number($0) } ?? .text(value)
        default: return .text(value)
        }
    }

    /// `AB12` is row 11, column 27.
    static func position(_ reference: String) -> (row: Int, column: Int)? {
        let letters = reference.prefix { $0.isASCII && $0.isLetter }
        guard !letters.isEmpty, letters.count <= 3, let row = Int(reference.dropFirst(letters.count)), row > 0 else {
            return nil
        }
        let column = letters.uppercased().utf8.reduce(0) { $0 * 26 + Int($1) - 64 }
        return (row - 1, column - 1)
    }

    /// `B2` for row 1, column 1.
    static func reference(row: Int, column: Int) -> String {
        var (letters, rest) = ("", column + 1)
        while rest > 0 {
            letters = String(UnicodeScalar(UInt8(65 + (rest - 1) % 26))) + letters
            rest = (rest - 1) / 26
        }
        return letters + "\(row + 1)"
    }
}
