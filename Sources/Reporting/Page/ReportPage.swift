import Foundation
import Mustache
import ResultStore

/// The report as a folder of pages that opens from disk: no script, no request beyond the folder, every text escaped.
public struct ReportPage {
    private let evidence: StudyEvidence
    private let workspace: Workspace
    private let library: MustacheLibrary

    /// - Throws: `ReportError.template`.
    public init(evidence: StudyEvidence, workspace: Workspace) throws {
        self.evidence = evidence
        self.workspace = workspace
        var library = MustacheLibrary()
        let templates: [(String, [UInt8])] = [
            ("index", PackageResources.index_mustache), ("run", PackageResources.run_mustache),
            ("table", PackageResources.table_mustache),
        ]
        for (name, bytes) in templates {
            do {
                try library.register(String(decoding: bytes, as: UTF8.self), named: name)
            } catch {
                throw ReportError.template(name: name, reason: "\(error)")
            }
        }
        self.library = library
    }

    /// Writes `index.html`, a page a run, the figures in `figures/` and the workbook into `folder`.
    ///
    /// - Returns: the index.
    /// - Throws: `ReportError`.
    public func write(to folder: URL) throws -> URL {
        let figures = evidence.figures()
        for figure in figures { try figure.write(to: folder.appending(path: "figures")) }
        try Workbook.write(evidence.tables(), notice: evidence.fixtureNotice, to: folder.appending(path: "report.xlsx"))
        try save(String(decoding: PackageResources.style_css, as: UTF8.self), to: folder.appending(path: "style.css"))
        for (number, run) in evidence.runs.enumerated() {
            let url = folder.appending(path: "runs/\(Self.pageName(number, run))")
            try save(
                try render(RunPage(run: run, evidence: evidence, workspace: workspace).model, with: "run"), to: url)
        }
        let index = folder.appending(path: "index.html")
        try save(try render(indexModel(figures), with: "index"), to: index)
        return index
    }

    /// Page names are numbered and carry the slug, which is path-safe by the registry's rule; anything else is left out.
    static func pageName(_ number: Int, _ run: StudyEvidence.Run) -> String {
        let safe = run.record.model.filter { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) }
        return "\(number + 1)-\(safe).html"
    }

    private func render(_ model: [String: Any], with name: String) throws -> String {
        guard let text = library.render(model, withTemplate: name) else {
            throw ReportError.template(name: name, reason: "it is not registered")
        }
        return text
    }

    private func save(_ text: String, to url: URL) throws {
        do {
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: url, options: .atomic)
        } catch {
            throw ReportError.writing(path: url.path(percentEncoded: false), reason: error.localizedDescription)
        }
    }

    private func indexModel(_ figures: [any Figure]) -> [String: Any] {
        let links = evidence.runs.enumerated().map { "runs/\(Self.pageName($0, $1))" }
        let sections = evidence.tables(forPage: true).map { table -> [String: Any] in
            var model = TableModel(table).model
            // The first column of a table with a row a run leads to that run's page.
            if table.rows.count == evidence.runs.count, var rows = model["rows"] as? [[String: Any]] {
                for index in rows.indices {
                    guard var cells = rows[index]["cells"] as? [[String: Any]], !cells.isEmpty else { continue }
                    cells[0]["link"] = links[index]
                    rows[index]["cells"] = cells
                }
                model["rows"] = rows
            }
            return model
        }
        var model: [String: Any] = [
            "title": "Study \(evidence.study)", "subtitle": subtitle, "sections": sections, "footer": footer,
            "figures": figures.map { figure in
                [
                    "caption": figure.caption, "svg": "figures/\(figure.name).svg", "png": "figures/\(figure.name).png",
                    "pdf": "figures/\(figure.name).pdf", "width": "\(Int(figure.size.width * 4 / 3))",
                    "height": "\(Int(figure.size.height * 4 / 3))",
                ]
            },
            "runs": evidence.runs.enumerated().map { number, run in
                [
                    "link": links[number], "label": run.label, "outcome": run.outcome,
                    "tone": run.record.status == .succeeded ? "good" : "bad", "summary": run.summary,
                ]
            },
        ]
        if let notice = evidence.fixtureNotice { model["notice"] = notice }
        return model
    }

    private var subtitle: String {
        let datasets = Set(evidence.runs.map(\.record.dataset)).sorted().joined(separator: ", ")
        let clean = evidence.runs.count { $0.record.status == .succeeded }
        return "\(evidence.runs.count) runs on \(datasets); \(clean) came to code that runs and keeps the contract"
    }

    private var footer: String {
        "Read from results/\(evidence.study)/bench.sqlite on \(evidence.readAt.formatted(.iso8601)). Text of models and programs is shown as it came, escaped."
    }
}

extension StudyEvidence {
    /// The tables of a report in their order; the page leaves out the long one of epochs, which is in the workbook and the figures.
    public func tables(forPage: Bool = false) -> [ReportTable] {
        let all = [diceTable(), errorsTable(classesAsColumns: !forPage), architecturesTable(), parityTable()]
        return forPage ? all : all + [lossesTable()]
    }
}

extension StudyEvidence.Run {
    /// "three rounds fed back: NameError, RuntimeError, ContractViolation".
    public var summary: String {
        guard !errorRecords.isEmpty else { return "ran at once" }
        return errorRecords.map(\.errorClass).joined(separator: " → ")
    }
}

/// A table as the template sees it.
struct TableModel {
    let model: [String: Any]

    init(_ table: ReportTable) {
        model = [
            "name": table.name, "title": table.title, "notes": table.notes, "empty": table.rows.isEmpty,
            "columns": table.columns.map { ["title": $0.title, "numeric": $0.numeric] as [String: Any] },
            "rows": table.rows.map { row in
                [
                    "cells": row.enumerated().map { column, cell -> [String: Any] in
                        let numeric = column < table.columns.count && table.columns[column].numeric
                        return ["text": cell.shown, "numeric": numeric, "long": !numeric && cell.shown.count > 24]
                            as [String: Any]
                    }
                ] as [String: Any]
            },
        ]
    }
}
