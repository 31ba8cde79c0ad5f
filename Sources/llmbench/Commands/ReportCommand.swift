import ArgumentParser
import Audit
import Endpoints
import Files
import Foundation
import Reporting
import ResultStore

/// `llmbench report`: the evidence of a study as text, CSV, JSON, a workbook, figures or pages.
struct ReportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "What broke, what was chosen, how training went and how well it segments.",
        discussion: """
            Every report begins with the result of the audit, and figures carry a mark where there is no clean one. \
            Documentation/Reports.md says what each table and figure shows, in which unit, by which formula.

            EXAMPLES
              llmbench report errors                      rounds and errors by class, on the terminal
              llmbench report architectures --format csv
              llmbench report cohorts --format latex      tables for a paper in results/<study>/report/latex/
              llmbench report dice --format figures       PNG, SVG and PDF in results/<study>/report/figures/
              llmbench report html                        pages, figures and workbook in results/<study>/report/
            """)

    enum Subject: String, ExpressibleByArgument, CaseIterable {
        case errors, architectures, hyperparameters, pipelines, losses, dice, inference, engines, variability, cohorts,
            prompts, cost
        case all, html

        /// Nil for everything.
        var reported: ReportSubject? { ReportSubject(rawValue: rawValue) }
    }

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case text, csv, json, xlsx, latex, png, svg, pdf, figures, html
    }

    @Argument(
        help:
            "errors, architectures, hyperparameters, pipelines, losses, dice, inference, engines, variability, cohorts, prompts, cost or all; html is all as pages."
    )
    var subject: Subject = .all

    @Option(
        help:
            "text, csv, json; xlsx, latex, png, svg, pdf, figures (the three at once) and html write files and print where."
    )
    var format: Format = .text

    @Option(help: "Where files go, instead of results/<study>/report.")
    var output: String?

    @Option(
        help:
            "Held-out images to draw, by name, separated by commas, instead of the worst, the median and the best; with a format for figures."
    )
    var images: String?

    @OptionGroup var workspaceOptions: WorkspaceOptions
    @OptionGroup var jsonOption: JSONOption

    func validate() throws {
        if images != nil {
            guard [.png, .svg, .pdf, .figures].contains(format), showsImages else {
                throw ValidationError(
                    "--images chooses what is drawn: use it with `report dice`, `inference` or `all` and --format png, svg, pdf or figures"
                )
            }
        }
        if jsonOption.json, format != .text, format != .json {
            throw ValidationError("--json and --format \(format.rawValue) ask for two things: give one of them")
        }
        if output != nil, !writesFiles {
            throw ValidationError(
                "--output is where --format xlsx, latex, png, svg, pdf, figures and html write; text, CSV and JSON go to standard output: `llmbench report \(subject.rawValue) > FILE`"
            )
        }
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
        let (store, started) = (try ResultStore(reading: database), Date())
        // Before the evidence is read: what a running study adds meanwhile makes the files older, not newer, than its data.
        let results = try writesFiles ? store.resultHash() : ""
        let evidence = try StudyEvidence.reported(from: store, study: study, in: workspace)
        guard !evidence.runs.isEmpty || !evidence.baselines.isEmpty else {
            throw CommandFailure.usage("\(ReportError.noRuns(study: study))")
        }
        let folder =
            output.map { URL(filePath: $0, directoryHint: .isDirectory) }
            ?? workspace.results(study: study).appending(path: "report", directoryHint: .isDirectory)
        switch jsonOption.json ? .json : subject == .html ? .html : format {
        case .text: printText(evidence)
        case .csv: print(tables(evidence).map(\.csv).joined(separator: "\r\n"), terminator: "")
        case .json: try JSONOption.print(tables(evidence))
        case .xlsx: try writeWorkbook(evidence, in: folder)
        case .latex: try writeLaTeX(evidence, in: folder)
        case .png: try writeFigures(evidence, workspace, in: folder, [.png])
        case .svg: try writeFigures(evidence, workspace, in: folder, [.svg])
        case .pdf: try writeFigures(evidence, workspace, in: folder, [.pdf])
        case .figures: try writeFigures(evidence, workspace, in: folder, Canvas.Format.allCases)
        case .html:
            do {
                print(try ReportPage(evidence: evidence, workspace: workspace).write(to: folder).path)
            } catch let error as ReportError {
                guard case .foreignPage = error else { throw error }
                throw CommandFailure.usage("\(error)")
            }
        }
        if writesFiles { try ReportManifest.record(writtenSince: started, in: folder, results: results) }
    }

    private var writesFiles: Bool {
        !jsonOption.json && (subject == .html || ![.text, .csv, .json].contains(format))
    }

    private var showsImages: Bool { [.dice, .inference, .all].contains(subject) }

    private func tables(_ evidence: StudyEvidence) -> [ReportTable] {
        subject.reported.map(evidence.tables(about:)) ?? evidence.tables()
    }

    private func printText(_ evidence: StudyEvidence) {
        print(evidence.notice + (evidence.auditMark == nil ? "" : " `llmbench audit` lists what it found.") + "\n")
        let shown = subject == .all ? evidence.tables(forPage: true) : tables(evidence)
        for table in shown {
            print((table.name == "errors" ? evidence.errorsTable(classesAsColumns: false) : table).text() + "\n")
        }
    }

    private func make(_ folder: URL) throws {
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        } catch {
            throw ReportError.writing(path: folder.path, reason: SystemReason.of(error) ?? "\(error)")
        }
    }

    private func writeWorkbook(_ evidence: StudyEvidence, in folder: URL) throws {
        try make(folder)
        let url = folder.appending(path: "report.xlsx")
        try Workbook.write([evidence.provenanceTable()] + tables(evidence), notice: evidence.notice, to: url)
        print(url.path)
    }

    private func writeLaTeX(_ evidence: StudyEvidence, in folder: URL) throws {
        for file in try LaTeX.write(
            tables(evidence), title: "Study \(evidence.study)", notice: evidence.notice,
            to: folder.appending(path: "latex", directoryHint: .isDirectory))
        {
            print(file.path)
        }
    }

    private func writeFigures(
        _ evidence: StudyEvidence, _ workspace: Workspace, in folder: URL, _ formats: [Canvas.Format]
    ) throws {
        var figures = subject.reported.map(evidence.figures(about:)) ?? evidence.figures()
        if showsImages {
            let panels = try ImagePanels(evidence: evidence, workspace: workspace).figures(
                samples: (images ?? "").split(separator: ",").map(String.init))
            figures += panels.figures
            for reason in panels.absent { Terminal.note("no held-out images of \(reason)") }
        }
        guard !figures.isEmpty else {
            throw CommandFailure.usage(
                "study '\(evidence.study)' has no figure about \(subject.rawValue): `llmbench report \(subject.rawValue)` shows its tables"
            )
        }
        for figure in figures {
            for file in try figure.write(to: folder.appending(path: "figures"), formats: formats) { print(file.path) }
        }
    }
}

extension StudyEvidence {
    /// A study as every report of it is made: with its audit, and what is not in the store.
    ///
    /// - Throws: `StoreError`.
    static func reported(from store: ResultStore, study: String, in workspace: Workspace) throws -> StudyEvidence {
        var reported = ReportedStudy(study: study, in: workspace)
        return try reported.evidence(from: store)
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
