import Foundation
import LabelBudget

extension LabelBudgetReport {
    /// The page alone: one file that asks for nothing else, every text escaped.
    ///
    /// - Throws: `ReportError`, and what reading pictures and masks throws.
    public func page(readAt: Date = Date()) throws -> Data {
        try page(try figures(), readAt: readAt)
    }

    /// Writes `label-budget.html` alone.
    public func writePage(to folder: URL, readAt: Date = Date()) throws -> URL {
        try Self.make(folder)
        let file = folder.appending(path: "label-budget.html")
        try Self.save(try page(readAt: readAt), to: file)
        return file
    }

    /// Writes `label-budget.html`, the workbook, every table as CSV and JSON, and every figure as PNG and SVG below `folder`.
    ///
    /// - Returns: the files, the page first.
    /// - Throws: `ReportError`, and what reading pictures and masks throws.
    public func write(to folder: URL, readAt: Date = Date()) throws -> [URL] {
        try Self.make(folder)
        let figures = try figures()
        var files = [folder.appending(path: "label-budget.html")]
        try Self.save(try page(figures, readAt: readAt), to: files[0])
        files.append(try writeWorkbook(to: folder))
        files += try writeTables(to: folder)
        files += try writeFigures(figures, to: folder, formats: [.png, .svg])
        return files
    }

    /// - Returns: `label-budget.xlsx`.
    public func writeWorkbook(to folder: URL) throws -> URL {
        try Self.make(folder)
        let file = folder.appending(path: "label-budget.xlsx")
        try Workbook.write(tables, notice: notice, to: file)
        return file
    }

    /// - Returns: a CSV file a table, and one JSON file of all.
    public func writeTables(to folder: URL) throws -> [URL] {
        let target = folder.appending(path: "tables", directoryHint: .isDirectory)
        try Self.make(target)
        var files: [URL] = []
        for table in tables {
            let file = target.appending(path: "\(table.name).csv")
            try Self.save(Data(table.csv.utf8), to: file)
            files.append(file)
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        let file = target.appending(path: "label-budget.json")
        try Self.save(try encoder.encode(tables), to: file)
        return files + [file]
    }

    public func writeFigures(_ figures: [any Figure], to folder: URL, formats: [Canvas.Format]) throws -> [URL] {
        let target = folder.appending(path: "figures", directoryHint: .isDirectory)
        return try figures.flatMap { try $0.write(to: target, formats: formats) }
    }

    private static func make(_ folder: URL) throws {
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        } catch {
            throw ReportError.writing(path: folder.path(percentEncoded: false), reason: ReportError.reason(error))
        }
    }

    private static func save(_ data: Data, to file: URL) throws {
        do {
            try data.write(to: file, options: .atomic)
        } catch {
            throw ReportError.writing(path: file.path(percentEncoded: false), reason: ReportError.reason(error))
        }
    }
}

extension LabelBudgetReport {
    /// Nothing is loaded from anywhere: pictures are part of the page, styles too, and there is no script.
    static let policy =
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

    private static let style = """
        :root { color-scheme: light; }
        body { font: 15px/1.5 system-ui, "DejaVu Sans", sans-serif; color: #1b1f26; margin: 0 auto; max-width: 76rem; padding: 1.5rem 1rem 4rem; }
        h1 { font-size: 1.6rem; margin: 0 0 .3rem; } h2 { font-size: 1.15rem; margin: 2.2rem 0 .5rem; }
        p { max-width: 80ch; } .notice { border-left: 4px solid #d55e00; padding: .4rem .8rem; background: #fdf3ec; }
        .scroll { overflow-x: auto; } table { border-collapse: collapse; font-size: .86rem; }
        th, td { text-align: left; padding: .22rem .7rem .22rem 0; border-bottom: 1px solid #e3e6ea; vertical-align: top; }
        thead th { border-bottom: 2px solid #9aa3ad; } td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
        td.ahead { background: #fff1d6; font-weight: 600; } tr.reference th, tr.reference td { font-weight: 600; }
        .notes { color: #58606b; font-size: .82rem; padding-left: 1.1rem; } .notes li { max-width: 100ch; }
        figure { margin: 1rem 0 1.6rem; } figure img { max-width: 100%; height: auto; display: block; }
        figcaption { color: #454c57; font-size: .84rem; max-width: 90ch; margin-top: .4rem; }
        nav a { margin-right: 1rem; } a { color: #0b5cad; } footer { color: #58606b; font-size: .8rem; margin-top: 3rem; }
        """

    func page(_ figures: [any Figure], readAt: Date) throws -> Data {
        var markup = Markup()
        markup.element("h1", text: "What a drawing is worth in labels")
        markup.element("p", text: lead)
        if let notice { markup.element("p", ["class": "notice"], text: notice) }
        let published = "published-label-budget"
        let tables = tables
        try section(
            "Dice by number of labels", figures.filter { $0.name == "label-budget" },
            tables.filter {
                ["label-budget", "crossing-points"].contains($0.name)
            }, &markup)
        try section("Worst and best cases", figures.filter { $0.name.hasPrefix("label-budget-cases") }, [], &markup)
        try section(
            "What is wrong with the masks", figures.filter { $0.name == "label-budget-faults" },
            tables.filter {
                $0.name == "faults"
            }, &markup)
        try section("Drawings", [], tables.filter { ["drawings", "skills"].contains($0.name) }, &markup)
        try section(
            "Trainings", [], tables.filter { ["trained-curves", "sweep-trainings"].contains($0.name) }, &markup)
        try section(
            "What others published", figures.filter { $0.name == published }, tables.filter { $0.name == published },
            &markup)
        markup.element(
            "footer",
            text: "Study \(evidence.study), read on \(readAt.formatted(.iso8601)). One file; nothing is loaded.")
        return Data((Self.head + markup.html + "\n</body>\n</html>\n").utf8)
    }

    private static var head: String {
        """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="generator" content="llmbench">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta http-equiv="Content-Security-Policy" content="\(policy)">
        <title>What a drawing is worth in labels</title>
        <style>
        \(style)
        </style>
        </head>
        <body>

        """
    }

    private var lead: String {
        let panels = evidence.panels
        let trainings = panels.reduce(0) { $0 + $1.trainings.count }
        let results = panels.map { panel -> String in
            let only = panel.networks.count == 1 ? panel.networks.first : nil
            guard let crossing = crossing(panel, only) else { return "\(Self.title(panel)): no drawing to compare" }
            return
                "\(Self.title(panel)): \(crossing.trained) is as good as \(Self.title(crossing.drawn)) with N = \(crossing.point.text)"
        }
        return "\(trainings) trainings on \(panels.count) \(panels.count == 1 ? "dataset" : "datasets"). "
            + results.joined(separator: "; ") + "."
    }

    private func section(
        _ title: String, _ figures: [any Figure], _ tables: [ReportTable], _ markup: inout Markup
    ) throws {
        guard !figures.isEmpty || !tables.isEmpty else { return }
        markup.element("h2", text: title)
        for figure in figures {
            let drawn = try DrawnFigure(figure)
            // Photographs of pixels are smaller as one picture than as many inside a drawing.
            let isPhotograph = figure is LabelBudgetCasesFigure
            let data = isPhotograph ? try drawn.data(.png) : drawn.svg
            let kind = isPhotograph ? "png" : "svg+xml"
            markup.element("figure", ["id": "figure-\(figure.name)"]) { markup in
                markup.start(
                    "img",
                    [
                        "src": "data:image/\(kind);base64,\(data.base64EncodedString())", "alt": figure.caption,
                        "width": "\(Int((figure.size.width * 1.6).rounded()))",
                        "height": "\(Int((figure.size.height * 1.6).rounded()))",
                    ])
                markup.element("figcaption", text: figure.caption)
            }
        }
        for table in tables { add(table, &markup) }
    }

    private func add(_ table: ReportTable, _ markup: inout Markup) {
        markup.element("h3", text: table.title)
        markup.element("div", ["class": "scroll"]) { markup in
            markup.element("table", ["id": "table-\(table.name)"]) { markup in
                markup.element("thead") { markup in
                    markup.element("tr") { markup in
                        for column in table.columns {
                            markup.element(
                                "th", ["scope": "col", "class": column.numeric ? "n" : nil], text: column.title)
                        }
                    }
                }
                markup.element("tbody") { markup in
                    for row in table.rows { add(row, table.columns, &markup) }
                }
            }
        }
        markup.element("ul", ["class": "notes"]) { markup in
            for note in table.notes { markup.element("li", text: note) }
        }
    }

    private func add(_ row: [ReportTable.Cell], _ columns: [ReportTable.Column], _ markup: inout Markup) {
        let isReference = row.contains { $0.shown.hasSuffix(", reference") }
        markup.element("tr", ["class": isReference ? "reference" : nil]) { markup in
            for (index, cell) in row.enumerated() {
                let text = StoredText.line(cell.shown, limit: 400)
                let isAhead = text.hasSuffix("◂ drawing")
                let kind = index < columns.count && columns[index].numeric ? "n" : isAhead ? "ahead" : nil
                if index == 0 {
                    markup.element("th", ["scope": "row"], text: text)
                } else {
                    markup.element("td", ["class": kind], text: text)
                }
            }
        }
        markup.newline()
    }
}
