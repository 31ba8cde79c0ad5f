import ArgumentParser
import Audit
import Foundation
import Reporting
import ResultStore

/// `llmbench report`: the evidence of a study as text, CSV, JSON, a workbook, figures or pages.
struct ReportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "What broke, what was chosen, how training went and how well it segments.",
        discussion: """
            EXAMPLES
              llmbench report errors                      rounds and errors by class, on the terminal
              llmbench report architectures --format csv
              llmbench report html                        pages, figures and workbook in results/<study>/report/
            """)

    enum Subject: String, ExpressibleByArgument, CaseIterable {
        case errors, architectures, losses, dice, engines, all, html
    }

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case text, csv, json, xlsx, png, svg, html
    }

    @Argument(help: "errors, architectures, losses, dice, engines or all; html is all as pages.")
    var subject: Subject = .all

    @Option(help: "text, csv, json, xlsx, png, svg or html; the last four write files and print where.")
    var format: Format = .text

    @Option(help: "Where files go, instead of results/<study>/report.")
    var output: String?

    @OptionGroup var workspaceOptions: WorkspaceOptions
    @OptionGroup var jsonOption: JSONOption

    func validate() throws {
        guard subject == .html, format != .text, format != .html else { return }
        throw ValidationError(
            "`report html` writes pages and takes no --format \(format.rawValue): use `report all --format \(format.rawValue)`"
        )
    }

    func run() async throws {
        let workspace = try workspaceOptions.resolve()
        let study = workspaceOptions.study
        let database = workspace.database(study: study)
        guard FileManager.default.fileExists(atPath: database.path) else {
            throw CommandFailure.usage("\(ReportError.noRuns(study: study))")
        }
        let (store, started) = (try ResultStore(path: database), Date())
        // Before the evidence is read: what a running study adds meanwhile makes the files older, not newer, than its data.
        let results = try writesFiles ? store.resultHash() : ""
        let evidence = try StudyEvidence(store: store, study: study)
        guard !evidence.runs.isEmpty else { throw CommandFailure.usage("\(ReportError.noRuns(study: study))") }
        let folder =
            output.map { URL(filePath: $0, directoryHint: .isDirectory) }
            ?? workspace.results(study: study).appending(path: "report", directoryHint: .isDirectory)
        switch jsonOption.json ? .json : subject == .html ? .html : format {
        case .text: printText(evidence)
        case .csv: print(tables(evidence).map(\.csv).joined(separator: "\r\n"), terminator: "")
        case .json: try JSONOption.print(tables(evidence))
        case .xlsx: try writeWorkbook(evidence, in: folder)
        case .png, .svg: try writeFigures(evidence, in: folder)
        case .html:
            let audit = AuditSummary(
                try StudyAudit.report(of: store, study: study, in: workspace, isBeingReported: true))
            print(try ReportPage(evidence: evidence, workspace: workspace, audit: audit).write(to: folder).path)
        }
        if writesFiles { try ReportManifest.record(writtenSince: started, in: folder, results: results) }
    }

    private var writesFiles: Bool {
        !jsonOption.json && (subject == .html || ![.text, .csv, .json].contains(format))
    }

    private func tables(_ evidence: StudyEvidence) -> [ReportTable] {
        let all = evidence.tables()
        return subject == .all || subject == .html ? all : all.filter { $0.name == subject.rawValue }
    }

    private func printText(_ evidence: StudyEvidence) {
        if let notice = evidence.fixtureNotice { print(notice + "\n") }
        let shown = subject == .all ? evidence.tables(forPage: true) : tables(evidence)
        for table in shown {
            print((table.name == "errors" ? evidence.errorsTable(classesAsColumns: false) : table).text() + "\n")
        }
    }

    private func writeWorkbook(_ evidence: StudyEvidence, in folder: URL) throws {
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        } catch {
            throw ReportError.writing(path: folder.path, reason: error.localizedDescription)
        }
        let url = folder.appending(path: "report.xlsx")
        try Workbook.write(tables(evidence), notice: evidence.fixtureNotice, to: url)
        print(url.path)
    }

    private func writeFigures(_ evidence: StudyEvidence, in folder: URL) throws {
        let kind: Canvas.Format = format == .svg ? .svg : .png
        for figure in evidence.figures() {
            for file in try figure.write(to: folder.appending(path: "figures"), formats: [kind]) { print(file.path) }
        }
    }
}

extension ReportTable {
    /// The table with its notes, as the terminal shows it.
    func text() -> String {
        var table = TextTable(columns.map { ($0.title, $0.numeric ? .right : .left) })
        for row in rows { table.add(row.map(\.shown)) }
        return ([title, table.render()] + notes.map { "  " + $0 }).joined(separator: "\n")
    }
}
