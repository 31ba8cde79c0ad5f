import CXLSXWriter
import Foundation

/// Tables as one Excel workbook: a sheet a table, headers frozen and filterable, numbers as numbers.
public enum Workbook {
    /// Writes `url`, replacing it.
    ///
    /// Text is written as text: a cell that begins with '=' stays text and never becomes a formula.
    ///
    /// - Throws: `ReportError.workbook`.
    public static func write(_ tables: [ReportTable], notice: String?, to url: URL) throws {
        let path = url.path(percentEncoded: false)
        guard let workbook = workbook_new(path) else {
            throw ReportError.workbook(path: path, reason: "it cannot be created")
        }
        let formats = Formats(workbook)
        for table in tables {
            guard
                let sheet = workbook_add_worksheet(
                    workbook, String(table.title.prefix(31)).filter { !"[]:*?/\\".contains($0) })
            else { continue }
            add(table, notice: notice, to: sheet, formats)
        }
        let status = workbook_close(workbook)
        guard status == LXW_NO_ERROR else {
            throw ReportError.workbook(path: path, reason: String(cString: lxw_strerror(status)))
        }
    }

    private struct Formats {
        let header, wrapped, bold: UnsafeMutablePointer<lxw_format>?
        private(set) var numbers: [UnsafeMutablePointer<lxw_format>?] = []

        init(_ workbook: UnsafeMutablePointer<lxw_workbook>) {
            header = workbook_add_format(workbook)
            format_set_bold(header)
            format_set_bottom(header, UInt8(LXW_BORDER_THIN.rawValue))
            wrapped = workbook_add_format(workbook)
            format_set_italic(wrapped)
            bold = workbook_add_format(workbook)
            format_set_bold(bold)
            format_set_font_color(bold, 0xC00000)
            for digits in 0...6 {
                let format = workbook_add_format(workbook)
                format_set_num_format(format, digits == 0 ? "0" : "0." + String(repeating: "0", count: digits))
                numbers.append(format)
            }
        }
    }

    private static func add(
        _ table: ReportTable, notice: String?, to sheet: UnsafeMutablePointer<lxw_worksheet>, _ formats: Formats
    ) {
        var row: lxw_row_t = 0
        if let notice {
            worksheet_write_string(sheet, row, 0, notice, formats.bold)
            row += 1
        }
        let headerRow = row
        for (column, heading) in table.columns.enumerated() {
            worksheet_write_string(sheet, row, lxw_col_t(column), heading.title, formats.header)
            let longest =
                ([heading.title] + table.rows.compactMap { column < $0.count ? $0[column].shown : nil }).map(\.count)
                .max() ?? 8
            worksheet_set_column(sheet, lxw_col_t(column), lxw_col_t(column), Double(min(48, longest + 3)), nil)
        }
        for cells in table.rows {
            row += 1
            for (column, cell) in cells.enumerated() { write(cell, sheet, row, lxw_col_t(column), formats) }
        }
        worksheet_freeze_panes(sheet, headerRow + 1, 1)
        if !table.rows.isEmpty, !table.columns.isEmpty {
            worksheet_autofilter(sheet, headerRow, 0, row, lxw_col_t(table.columns.count - 1))
        }
        row += 1
        for note in table.notes {
            row += 1
            worksheet_write_string(sheet, row, 0, note, formats.wrapped)
        }
    }

    private static func write(
        _ cell: ReportTable.Cell, _ sheet: UnsafeMutablePointer<lxw_worksheet>, _ row: lxw_row_t, _ column: lxw_col_t,
        _ formats: Formats
    ) {
        switch cell {
        // Excel holds 32 767 characters a cell; the rest is in the page and in CSV.
        case .text(let text): worksheet_write_string(sheet, row, column, String(text.prefix(32_000)), nil)
        case .integer(let value): worksheet_write_number(sheet, row, column, Double(value), formats.numbers[0])
        case .number(let value, let digits) where value.isFinite:
            worksheet_write_number(sheet, row, column, value, formats.numbers[min(6, max(0, digits))])
        case .number(let value, _): worksheet_write_string(sheet, row, column, "\(value)", nil)
        case .missing: break
        }
    }
}
