import Foundation

/// Tables for a paper: `booktabs` in a `table` float.
///
/// Every text is escaped; what pdflatex has no glyph for becomes its code point, so that no reply of a model can break a document or
/// run a command of it.
public enum LaTeX {
    /// Rows a float: more do not fit a page beside caption and notes.
    static let rowsPerFloat = 45

    /// The floats, to be included by `\input`; more than one where the table is longer than a page, each on a page of its own with
    /// the notes below the first. LaTeX keeps only so many floats that wait for a place. The document loads booktabs and graphicx.
    public static func table(_ table: ReportTable, notice: String? = nil) -> String {
        let parts = stride(from: 0, to: max(1, table.rows.count), by: rowsPerFloat).map {
            Array(table.rows[$0..<min($0 + rowsPerFloat, table.rows.count)])
        }
        return parts.enumerated().map { index, rows in
            let title = parts.count == 1 ? table.title : "\(table.title) (\(index + 1) of \(parts.count))"
            return float(
                table, rows: rows, title: title, label: index == 0 ? label(table.name) : nil,
                notes: [notice].compactMap { $0 } + (index == 0 ? table.notes : []))
        }.joined(separator: "\\clearpage\n")
    }

    private static func float(
        _ table: ReportTable, rows: [[ReportTable.Cell]], title: String, label: String?, notes: [String]
    ) -> String {
        let columns = table.columns.map { $0.numeric ? "r" : "l" }.joined()
        // Wider tables are scaled to the line instead of running off the page.
        let isWide = table.columns.count > 7
        let body = ([row(table.columns.map { escaped($0.title) }), "\\midrule"] + rows.map { row($0.map(cell)) })
            .joined(separator: "\n")
        let tabular = """
            \\begin{tabular}{@{}\(columns)@{}}
            \\toprule
            \(body)
            \\bottomrule
            \\end{tabular}
            """
        let text = notes.map(escaped).joined(separator: " ")
        let below = text.isEmpty ? "" : "\\par\\smallskip\n\\parbox{\\linewidth}{\\footnotesize \(text)}\n"
        return """
            \\begin{table}[htbp]
            \\centering
            \\caption{\(escaped(title)).}
            \(label.map { "\\label{tab:\($0)}\n" } ?? "")\\small
            \(isWide ? "\\resizebox{\\linewidth}{!}{%\n\(tabular)}" : tabular)
            \(below)\\end{table}

            """
    }

    /// Writes `<table>.tex` for each table and `report.tex`, a document of all of them.
    ///
    /// - Returns: the files, the document last.
    /// - Throws: `ReportError.writing`.
    public static func write(_ tables: [ReportTable], title: String, notice: String?, to folder: URL) throws -> [URL] {
        var files = tables.map { table in
            (folder.appending(path: "\(label(table.name)).tex"), self.table(table))
        }
        files.append(
            (
                folder.appending(path: "report.tex"),
                document(tables: tables.map { label($0.name) }, title: title, notice: notice)
            ))
        for (url, text) in files {
            do {
                try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
                try Data(text.utf8).write(to: url, options: .atomic)
            } catch {
                throw ReportError.writing(path: url.path(percentEncoded: false), reason: ReportError.reason(error))
            }
        }
        return files.map(\.0)
    }

    /// A whole document that includes the tables by their file names.
    public static func document(tables names: [String], title: String, notice: String?) -> String {
        """
        \\documentclass[a4paper,10pt]{article}
        \\usepackage[T1]{fontenc}
        \\usepackage[utf8]{inputenc}
        \\usepackage[margin=20mm]{geometry}
        \\usepackage{textcomp}
        \\usepackage{booktabs}
        \\usepackage{graphicx}
        \\begin{document}
        \\section*{\(escaped(title))}
        \(notice.map { escaped($0) + "\n" } ?? "")
        \(names.map { "\\input{\($0)}\n\\clearpage" }.joined(separator: "\n"))
        \\end{document}

        """
    }

    private static func row(_ cells: [String]) -> String { cells.joined(separator: " & ") + " \\\\" }

    private static func cell(_ cell: ReportTable.Cell) -> String {
        switch cell {
        case .missing: "--"
        case .text(let text): escaped(String(text.prefix(120)) + (text.count > 120 ? "…" : ""))
        case .integer, .number: cell.shown.hasPrefix("-") ? "$-$\(cell.shown.dropFirst())" : cell.shown
        }
    }

    private static func label(_ name: String) -> String {
        name.filter { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }
    }

    /// Text as pdflatex sets it literally.
    static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            if let known = replacements[scalar] {
                result += known
            } else if scalar.value == 9 || scalar.value == 10 || scalar.value == 13 {
                result += " "
            } else if (0x20..<0x7F).contains(scalar.value) || latinLetters.contains(scalar.value) {
                result.unicodeScalars.append(scalar)
            } else {
                result += "\\texttt{U+\(String(scalar.value, radix: 16, uppercase: true))}"
            }
        }
        return result
    }

    /// Letters of Latin-1, which the T1 encoding has.
    private static let latinLetters = (0xC0...0xFF as ClosedRange<UInt32>)

    private static let replacements: [Unicode.Scalar: String] = [
        "\\": "\\textbackslash{}", "{": "\\{", "}": "\\}", "$": "\\$", "&": "\\&", "#": "\\#", "%": "\\%", "_": "\\_",
        "^": "\\textasciicircum{}", "~": "\\textasciitilde{}", "<": "\\textless{}", ">": "\\textgreater{}",
        "|": "\\textbar{}", "\"": "\\textquotedbl{}", "`": "\\textasciigrave{}",
        // Ligatures would turn two hyphens into a dash.
        "-": "{-}", "–": "--", "—": "---", "−": "$-$", "·": "$\\cdot$", "×": "$\\times$", "±": "$\\pm$",
        "→": "$\\rightarrow$", "≤": "$\\leq$", "≥": "$\\geq$", "²": "\\textsuperscript{2}", "Δ": "$\\Delta$",
        "σ": "$\\sigma$", "χ": "$\\chi$", "α": "$\\alpha$", "δ": "$\\delta$", "…": "\\ldots{}", "’": "'",
        "½": "$\\frac12$",
        "÷": "$\\div$", "\u{A0}": "~",
    ]
}
