import CXLSXWriter
import Foundation

/// Tables as one Excel workbook: a sheet a table, headers frozen and filterable, numbers as numbers, Dice and p coloured, charts that
/// follow the cells.
public enum Workbook {
    /// Writes `url`, replacing it as a whole.
    ///
    /// Text is written as text: a cell that begins with '=' stays text and never becomes a formula.
    ///
    /// - Throws: `ReportError.workbook`, `ReportError.writing`.
    public static func write(_ tables: [ReportTable], notice: String?, to url: URL) throws {
        try ReportFile.write(to: url) { try make(tables, notice: notice, at: $0) }
    }

    private static func make(_ tables: [ReportTable], notice: String?, at url: URL) throws {
        let path = url.path(percentEncoded: false)
        guard let workbook = workbook_new(path) else {
            throw ReportError.workbook(path: path, reason: "it cannot be created")
        }
        let formats = Formats(workbook)
        var placed: [PlacedTable] = []
        for table in tables {
            let name = String(table.title.filter { !"[]:*?/\\'".contains($0) }.prefix(31))
            guard let sheet = workbook_add_worksheet(workbook, name) else { continue }
            let header = add(table, notice: notice, to: sheet, formats)
            placed.append(PlacedTable(table: table, sheet: name, firstRow: Int(header) + 1))
        }
        addCharts(placed, to: workbook)
        let status = workbook_close(workbook)
        guard status == LXW_NO_ERROR else {
            throw ReportError.workbook(path: path, reason: String(cString: lxw_strerror(status)))
        }
    }

    private struct Formats {
        let header, wrapped, bold, bad, good: UnsafeMutablePointer<lxw_format>?
        private(set) var numbers: [UnsafeMutablePointer<lxw_format>?] = []

        init(_ workbook: UnsafeMutablePointer<lxw_workbook>) {
            header = workbook_add_format(workbook)
            format_set_bold(header)
            format_set_bottom(header, UInt8(LXW_BORDER_THIN.rawValue))
            format_set_bg_color(header, 0xE8EEF4)
            format_set_text_wrap(header)
            format_set_align(header, UInt8(LXW_ALIGN_VERTICAL_TOP.rawValue))
            wrapped = workbook_add_format(workbook)
            format_set_italic(wrapped)
            bold = workbook_add_format(workbook)
            format_set_bold(bold)
            format_set_font_color(bold, 0xC00000)
            // Colours with a mark of their own, for readers who do not tell red from green: bold is bad.
            bad = workbook_add_format(workbook)
            format_set_font_color(bad, 0xA33B00)
            format_set_bold(bad)
            good = workbook_add_format(workbook)
            format_set_font_color(good, 0x00664B)
            for digits in 0...6 {
                let format = workbook_add_format(workbook)
                format_set_num_format(format, digits == 0 ? "0" : "0." + String(repeating: "0", count: digits))
                numbers.append(format)
            }
        }
    }

    /// - Returns: the row of the header.
    private static func add(
        _ table: ReportTable, notice: String?, to sheet: UnsafeMutablePointer<lxw_worksheet>, _ formats: Formats
    ) -> lxw_row_t {
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
            colour(table, sheet, from: headerRow + 1, to: row, formats)
        }
        row += 1
        for note in table.notes {
            row += 1
            worksheet_write_string(sheet, row, 0, note, formats.wrapped)
        }
        return headerRow
    }

    /// Conditional colours: a scale from white to blue for Dice, and words for outcomes and verdicts.
    private static func colour(
        _ table: ReportTable, _ sheet: UnsafeMutablePointer<lxw_worksheet>, from first: lxw_row_t, to last: lxw_row_t,
        _ formats: Formats
    ) {
        for (index, column) in table.columns.enumerated() {
            let place = lxw_col_t(index)
            if column.numeric, column.key.contains("dice"), !column.key.hasPrefix("sd"), !column.key.hasPrefix("iqr") {
                var scale = lxw_conditional_format()
                scale.type = UInt8(LXW_CONDITIONAL_2_COLOR_SCALE.rawValue)
                scale.min_rule_type = UInt8(LXW_CONDITIONAL_RULE_TYPE_NUMBER.rawValue)
                scale.max_rule_type = UInt8(LXW_CONDITIONAL_RULE_TYPE_NUMBER.rawValue)
                (scale.min_value, scale.max_value) = (0, 1)
                (scale.min_color, scale.max_color) = (0xFFFFFF, 0x8FC3E8)
                worksheet_conditional_format_range(sheet, first, place, last, place, &scale)
            } else if ["p", "p_holm", "p_corrected"].contains(column.key) {
                var rule = lxw_conditional_format()
                rule.type = UInt8(LXW_CONDITIONAL_TYPE_CELL.rawValue)
                rule.criteria = UInt8(LXW_CONDITIONAL_CRITERIA_BETWEEN.rawValue)
                // An empty cell counts as 0, and is no p.
                (rule.min_value, rule.max_value) = (1e-300, 0.05)
                rule.format = formats.good
                worksheet_conditional_format_range(sheet, first, place, last, place, &rule)
            } else if ["outcome", "verdict"].contains(column.key) {
                mark(
                    ["limit", "exhausted", "failed", "nothing", "no better", "unfinished"], formats.bad, sheet, first,
                    last, place)
                mark(["runs", "learns"], formats.good, sheet, first, last, place)
            }
        }
    }

    private static func mark(
        _ words: [String], _ format: UnsafeMutablePointer<lxw_format>?, _ sheet: UnsafeMutablePointer<lxw_worksheet>,
        _ first: lxw_row_t, _ last: lxw_row_t, _ column: lxw_col_t
    ) {
        for word in words {
            // The library copies the text.
            word.withCString { text in
                var rule = lxw_conditional_format()
                rule.type = UInt8(LXW_CONDITIONAL_TYPE_TEXT.rawValue)
                rule.criteria = UInt8(LXW_CONDITIONAL_CRITERIA_TEXT_CONTAINING.rawValue)
                rule.value_string = UnsafeMutablePointer(mutating: text)
                rule.format = format
                rule.stop_if_true = UInt8(LXW_TRUE.rawValue)
                worksheet_conditional_format_range(sheet, first, column, last, column, &rule)
            }
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
