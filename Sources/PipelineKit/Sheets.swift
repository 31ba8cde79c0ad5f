internal import CXLSXWriter
import Foundation

/// Excel files of numbers: one worksheet that begins in A1, no headers.
enum Sheets {
    /// - Throws: `PipelineError.file`.
    static func write(_ rows: [[Double]], to url: URL) throws {
        let path = url.path(percentEncoded: false)
        guard let workbook = workbook_new(path) else {
            throw PipelineError.file(path: path, reason: "the workbook cannot be made")
        }
        let sheet = workbook_add_worksheet(workbook, nil)
        for (row, values) in rows.enumerated() {
            for (column, value) in values.enumerated() {
                // The format has no number for these; a text says what it was.
                if value.isFinite {
                    worksheet_write_number(sheet, lxw_row_t(row), lxw_col_t(column), value, nil)
                } else {
                    worksheet_write_string(sheet, lxw_row_t(row), lxw_col_t(column), "\(value)", nil)
                }
            }
        }
        let status = workbook_close(workbook)
        guard status == LXW_NO_ERROR else {
            throw PipelineError.file(path: path, reason: String(cString: lxw_strerror(status)))
        }
    }
}
