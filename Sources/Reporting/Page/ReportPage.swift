import Foundation
import Mustache
import ResultStore
import Statistics

/// The report as a folder of pages that opens from disk: no request beyond the folder, every text escaped, usable without script.
///
/// ```swift
/// let page = try ReportPage(evidence: evidence, workspace: workspace)
/// let index = try page.write(to: folder)
/// ```
///
/// It is a list of files, each made when asked for, so that the same pages are written to disk or served.
public struct ReportPage: Sendable {
    /// How a page learns of news; nil for files on disk, which stay as they are.
    public struct Live: Sendable, Hashable {
        /// Changes with the evidence.
        public var version: String

        public init(version: String) {
            self.version = version
        }
    }

    typealias Contents = @Sendable () throws -> Data

    private let evidence: StudyEvidence
    private let live: Live?
    private let library: MustacheLibrary
    private let tables: [ReportTable]
    private var files: [String: Contents] = [:]
    /// Paths from the folder, `index.html` first.
    public private(set) var paths: [String] = []

    /// Computes the tables and draws the figures; pages and pictures are made by `contents(of:)`.
    ///
    /// - Parameters:
    ///   - audit: What an audit of this evidence came to, in place of the evidence's own; where neither is given, the report says so.
    ///   - live: For pages that are served and follow a study.
    /// - Throws: `ReportError`.
    public init(
        evidence: StudyEvidence, workspace: Workspace, audit: AuditSummary? = nil, live: Live? = nil
    ) throws {
        var evidence = evidence
        // Figures carry a mark of their own, and must not deny the audit that stands above them.
        evidence.audit = audit ?? evidence.audit
        let audit = evidence.audit
        self.evidence = evidence
        self.live = live
        library = try Self.loadLibrary()
        tables = evidence.tables(forPage: true)
        let figures = try evidence.figures().map(DrawnFigure.init)
        let warning = AuditView.figureWarning(audit)
        addOverview(figures, audit, warning)
        addTables()
        addFigures(figures, warning)
        try addRuns(workspace, warning)
        addAssets(evidence)
    }

    private static func loadLibrary() throws -> MustacheLibrary {
        var library = MustacheLibrary()
        do {
            try library.register(String(decoding: PackageResources.page_mustache, as: UTF8.self), named: "page")
        } catch {
            throw ReportError.template(name: "page", reason: "\(error)")
        }
        return library
    }

    /// One file; nil where the report has none of that path.
    ///
    /// - Throws: `ReportError`, or what kept a picture from being read.
    public func contents(of path: String) throws -> Data? { try files[path]?() }

    /// Writes every file below `folder`, and takes away the pages of runs and tables that an earlier report left there and this one
    /// does not have.
    ///
    /// - Returns: the index.
    /// - Throws: `ReportError`.
    public func write(to folder: URL) throws -> URL {
        removeStale(in: folder)
        for path in paths {
            guard let data = try contents(of: path) else { continue }
            try Self.save(data, to: folder.appending(path: path))
        }
        return folder.appending(path: "index.html")
    }

    /// Only files that bear the mark of a report's page: the folder may be anybody's.
    private func removeStale(in folder: URL) {
        let kept = Set(paths)
        for part in ["runs", "tables"] {
            let names = try? FileManager.default.contentsOfDirectory(atPath: folder.appending(path: part).path)
            for name in names ?? [] where name.hasSuffix(".html") && !kept.contains("\(part)/\(name)") {
                let page = folder.appending(path: part).appending(path: name)
                guard let handle = try? FileHandle(forReadingFrom: page) else { continue }
                let start = String(decoding: (try? handle.read(upToCount: 1024)) ?? Data(), as: UTF8.self)
                try? handle.close()
                if start.contains(Self.mark) { try? FileManager.default.removeItem(at: page) }
            }
        }
    }

    /// Stands at the top of every page, as page.mustache has it.
    static let mark = #"<meta name="generator" content="llmbench">"#

    private static func save(_ data: Data, to url: URL) throws {
        do {
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try data.write(to: url, options: .atomic)
        } catch {
            throw ReportError.writing(path: url.path(percentEncoded: false), reason: error.localizedDescription)
        }
    }

    private mutating func add(_ path: String, _ contents: @escaping Contents) {
        if files.updateValue(contents, forKey: path) == nil { paths.append(path) }
    }

    private mutating func addPage(_ path: String, title: String, _ main: @escaping @Sendable () -> Markup) {
        let frame = PageFrame(
            path: path, title: title, study: evidence.study, tables: tables, notice: evidence.fixtureNotice,
            readAt: evidence.readAt, live: live, library: library)
        add(path) { try frame.render(main()) }
    }

    private mutating func addOverview(_ figures: [DrawnFigure], _ audit: AuditSummary?, _ warning: String?) {
        // What a reader looks for first, as long as it fits on a screen.
        let first = figures.filter { $0.figure.name.hasPrefix("held-out-dice") || $0.figure.name == "errors" }
            .filter { $0.figure.size.height <= 640 }.prefix(4)
        let page = OverviewPage(
            evidence: evidence, audit: audit, tables: tables, figures: Array(first), figureWarning: warning,
            isLive: live != nil)
        addPage("index.html", title: "Study \(evidence.study)") { page.markup }
    }

    private mutating func addTables() {
        let names = Self.pages(evidence)
        // A name that stands for one run only leads to it.
        let labels = Dictionary(zip(evidence.runs, names).map { ($0.label, [$1]) }, uniquingKeysWith: +)
            .compactMapValues { $0.count == 1 ? "../runs/\($0[0])" : nil }
        for table in tables {
            addPage("tables/\(table.name).html", title: table.title) {
                var markup = Markup()
                markup.element("h1", text: table.title)
                markup.append(TableView(table: table, links: labels).markup)
                return markup
            }
        }
        let runs = RunsTable(evidence, pages: names)
        addPage("runs.html", title: "Runs") {
            var markup = Markup()
            markup.element("h1", text: "Runs")
            markup.element(
                "p", ["class": "lead"],
                text:
                    "Each run round by round: what was asked, what came back, its code, what it did and what was said back."
            )
            markup.append(TableView(table: runs.table, links: runs.links).markup)
            return markup
        }
    }

    private mutating func addFigures(_ figures: [DrawnFigure], _ warning: String?) {
        let isLive = live != nil
        addPage("figures.html", title: "Figures") {
            var markup = Markup()
            markup.element("h1", text: "Figures")
            if figures.isEmpty { markup.element("p", ["class": "empty"], text: "Nothing to draw yet.") }
            markup.element("div", ["class": "figures"]) { markup in
                for figure in figures {
                    markup.append(
                        FigureView(
                            drawn: figure, path: "figures/\(figure.figure.name)", formats: [.png, .svg, .pdf],
                            warning: warning, isLive: isLive
                        ).markup)
                }
            }
            return markup
        }
        for figure in figures {
            for format in Canvas.Format.allCases {
                add("figures/\(figure.figure.name).\(format.rawValue)") { try figure.data(format) }
            }
        }
    }

    private mutating func addRuns(_ workspace: Workspace, _ warning: String?) throws {
        let names = Self.pages(evidence)
        let titles = RunsTable.titles(evidence)
        // Three pictures a run of hundreds, twelve of a few.
        let pictures = max(3, min(12, 1500 / max(1, evidence.runs.count)))
        var datasets: [String: Result<DatasetOnDisk, HeldOutGallery.Absence>] = [:]
        for (index, run) in evidence.runs.enumerated() {
            let directory = workspace.directory(of: run.record.key)
            let gallery: Result<HeldOutGallery, HeldOutGallery.Absence>
            if run.headline == nil {
                gallery = .failure(.notEvaluated)
            } else {
                let name = run.record.dataset
                let dataset = datasets[name] ?? DatasetOnDisk.load(name, in: workspace)
                datasets[name] = dataset
                do throws(HeldOutGallery.Absence) {
                    gallery = .success(
                        try HeldOutGallery(run: run, directory: directory, dataset: dataset, count: pictures))
                } catch {
                    gallery = .failure(error)
                }
            }
            let folder = String(names[index].dropLast(".html".count))
            addPictures(gallery, folder)
            let evidence = evidence
            let isLive = live != nil
            let title = titles[index]
            let curves = RunCurves(run)
            for figure in curves.figures {
                add("runs/\(folder)/\(figure.name).svg") { try DrawnFigure(figure).data(.svg) }
            }
            let frame = PageFrame(
                path: "runs/\(names[index])", title: title, study: evidence.study, tables: tables,
                notice: nil, readAt: evidence.readAt, live: live, library: library)
            add("runs/\(names[index])") {
                let page = RunPage(
                    run: run, title: title, directory: directory, trainings: evidence.trainingsTable(of: run),
                    curves: try curves.figures.map(DrawnFigure.init), curvesPath: { "\(folder)/\($0.figure.name)" },
                    gallery: gallery, predictionPath: { "\(folder)/\($0.position)-prediction.png" },
                    figureWarning: warning, isLive: isLive)
                return try frame.render(page.markup)
            }
        }
    }

    private mutating func addPictures(_ gallery: Result<HeldOutGallery, HeldOutGallery.Absence>, _ folder: String) {
        guard case .success(let gallery) = gallery else { return }
        for item in gallery.cases {
            add(gallery.imagePath(item)) { try gallery.image(item) }
            add(gallery.truthPath(item)) { try gallery.truth(item) }
            add("runs/\(folder)/\(item.position)-prediction.png") { try gallery.prediction(item) }
        }
    }

    private mutating func addAssets(_ evidence: StudyEvidence) {
        add("style.css") { Data(PackageResources.style_css) }
        add("report.js") { Data(PackageResources.report_js) }
        add("icon.svg") { Data(PackageResources.icon_svg) }
        add("report.xlsx") {
            let file = FileManager.default.temporaryDirectory.appending(path: "llmbench-\(UUID().uuidString).xlsx")
            defer { try? FileManager.default.removeItem(at: file) }
            try Workbook.write([evidence.provenanceTable()] + evidence.tables(), notice: evidence.notice, to: file)
            do {
                return try Data(contentsOf: file)
            } catch {
                throw ReportError.workbook(path: file.path, reason: error.localizedDescription)
            }
        }
    }

    /// Page names are numbered and carry the slug, which is path-safe by the registry's rule; anything else is left out.
    static func pages(_ evidence: StudyEvidence) -> [String] {
        evidence.runs.enumerated().map { number, run in
            let safe = run.record.model.filter {
                $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0))
            }
            return "\(number + 1)-\(safe.prefix(80)).html"
        }
    }
}

extension StudyEvidence {
    /// The trainings of one run.
    func trainingsTable(of run: Run) -> ReportTable {
        var table = ReportTable(
            name: "trainings", title: "Trainings of this run",
            columns: [
                .init("engine", key: "engine"), .init("seed", key: "seed", numeric: true),
                .init("epochs", key: "epochs", numeric: true), .init("images", key: "images", numeric: true),
                .init("mean Dice", key: "mean_dice", numeric: true), .init("median", key: "median", numeric: true),
                .init("IQR", key: "iqr", numeric: true), .init("verdict", key: "verdict"),
                .init("train s", key: "train_seconds", numeric: true),
            ])
        table.rows = run.trainings.map { training in
            let dice = training.heldOut.map(\.dice)
            func cell(_ value: Double?, _ digits: Int = 3) -> ReportTable.Cell {
                value.map { .number($0, digits: digits) } ?? .missing
            }
            return [
                .text(training.record.engine.rawValue), .integer(training.record.seed),
                training.record.epochs.map { .integer($0) } ?? .missing, .integer(dice.count),
                cell(training.meanDice), cell(Statistics.median(dice)), cell(Statistics.interquartileRange(dice)),
                .text(verdict(run, training)), cell(training.record.seconds, 1),
            ]
        }
        return table
    }
}

extension StudyEvidence.Run {
    /// "NameError → RuntimeError → ContractViolation".
    public var summary: String {
        guard !errorRecords.isEmpty else {
            return record.status == .running && rounds.isEmpty ? "no reply yet" : "ran at once"
        }
        return errorRecords.map(\.errorClass).joined(separator: " → ")
    }
}
