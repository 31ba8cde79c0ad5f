import ArgumentParser
import Foundation
import LabelBudget
import Reporting
import ResultStore

extension PolygonCommand {
    /// `llmbench polygon report`: trained lines against drawn ones.
    struct Report: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Where trained networks overtake a drawing: tables, figures, workbook, one page.",
            discussion: """
                Reads what `llmbench polygon sweep` and `llmbench polygon draw` stored. Documentation/Polygons.md defines every number.

                EXAMPLES
                  llmbench polygon report                     tables on the terminal
                  llmbench polygon report --format html       results/<study>/polygon/label-budget.html, one file
                  llmbench polygon report --format all        page, workbook, CSV, JSON, PNG and SVG
                """)

        enum Format: String, ExpressibleByArgument, CaseIterable {
            case text, csv, json, xlsx, png, svg, html, all
        }

        @Option(help: "text, csv and json print; xlsx, png, svg, html and all write files and print where.")
        var format: Format = .text

        @Option(help: "Where files go, instead of results/<study>/polygon.")
        var output: String?

        @Option(help: "Of trainings on images of so many pixels a side; those that ended last when not given.")
        var size: Int?

        @Option(help: "Of trainings of so many steps; with --size.")
        var steps: Int?

        @OptionGroup var workspaceOptions: WorkspaceOptions
        @OptionGroup var jsonOption: JSONOption

        func validate() throws {
            guard (size == nil) == (steps == nil) else {
                throw ValidationError("--size and --steps name trainings together: give both or neither")
            }
        }

        func run() async throws {
            let workspace = try workspaceOptions.resolve()
            let study = workspaceOptions.study
            let setting = size.flatMap { size in steps.map { LabelBudgetEvidence.Setting(size: size, steps: $0) } }
            let report = try LabelBudgetReport.read(study: study, in: workspace, setting: setting)
            let folder =
                output.map { URL(filePath: $0, directoryHint: .isDirectory) }
                ?? workspace.results(study: study).appending(path: "polygon", directoryHint: .isDirectory)
            switch jsonOption.json ? .json : format {
            case .text:
                if let notice = report.notice { print(notice + "\n") }
                for table in report.tables where table.name != "sweep-trainings" { print(table.text() + "\n") }
            case .csv: print(report.tables.map(\.csv).joined(separator: "\r\n"), terminator: "")
            case .json: try JSONOption.print(report.tables)
            case .xlsx: print(try report.writeWorkbook(to: folder).path(percentEncoded: false))
            case .png: try show(report.writeFigures(report.figures(), to: folder, formats: [.png]))
            case .svg: try show(report.writeFigures(report.figures(), to: folder, formats: [.svg]))
            case .html:
                try show([report.writePage(to: folder)])
            case .all: try show(report.write(to: folder))
            }
        }

        private func show(_ files: [URL]) {
            for file in files { print(file.path(percentEncoded: false)) }
        }
    }
}

extension LabelBudgetReport {
    /// Reads a study's trainings and drawings.
    ///
    /// - Throws: `CommandFailure`.
    static func read(
        study: String, in workspace: Workspace, setting: LabelBudgetEvidence.Setting? = nil
    ) throws -> LabelBudgetReport {
        try LabelBudgetWorkspace.mapped {
            let database = workspace.database(study: study)
            guard FileManager.default.fileExists(atPath: database.path(percentEncoded: false)) else {
                throw SweepError.noTrainings(study: study)
            }
            let store = try ResultStore(reading: database)
            let drawings = try StoredDrawings(store, study: study)
            let evidence = try LabelBudgetEvidence(store, workspace: workspace, study: study, setting: setting) { _ in
                [drawings]
            }
            return try LabelBudgetReport(evidence, workspace: workspace)
        }
    }
}
