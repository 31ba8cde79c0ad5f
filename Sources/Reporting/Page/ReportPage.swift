import Foundation
import Mustache
import ResultStore

/// The report as a folder of pages that opens from disk: no request beyond the folder, every text escaped, usable without script.
///
/// ```swift
/// let page = try ReportPage(evidence: evidence, workspace: workspace)
/// let index = try page.write(to: folder)
/// ```
///
/// Its files are made when they are asked for, so that the same pages are written to disk or served, and what nobody looks at costs
/// nothing.
public struct ReportPage: Sendable {
    /// How a page learns of news; nil for files on disk, which stay as they are.
    public struct Live: Sendable, Hashable {
        /// Changes with the evidence.
        public var version: String

        public init(version: String) {
            self.version = version
        }
    }

    private typealias Contents = @Sendable () throws -> Data

    private let evidence: StudyEvidence
    private let live: Live?
    private let library: MustacheLibrary
    private let tables: PageTables
    private let figures: Lazily<[PageFigure]>
    private let datasets: [String: Result<DatasetOnDisk, HeldOutGallery.Absence>]
    private let runs: [RunFiles]
    private let runNumbers: [String: Int]
    /// Parts of an earlier report that this one has taken over: runs by the names of their pages, datasets.
    private var keptRuns: Set<String> = []
    private var keptDatasets: Set<String> = []
    private var pages: [String: Contents] = [:]
    private var pagePaths: [String] = []

    /// Says what there is; tables, figures, pages and pictures are made by `contents(of:)`.
    ///
    /// - Parameters:
    ///   - audit: What an audit of this evidence came to, in place of the evidence's own; where neither is given, the report says so.
    ///   - live: For pages that are served and follow a study.
    ///   - earlier: A report of the same study: what has not changed since is taken over.
    /// - Throws: `ReportError`.
    public init(
        evidence: StudyEvidence, workspace: Workspace, audit: AuditSummary? = nil, live: Live? = nil,
        earlier: ReportPage? = nil
    ) throws {
        var evidence = evidence
        // Figures carry a mark of their own, and must not deny the audit that stands above them.
        evidence.audit = audit ?? evidence.audit
        self.evidence = evidence
        self.live = live
        library = try earlier?.library ?? Self.loadLibrary()
        tables = PageTables(evidence)
        figures = Lazily { [evidence] in evidence.figures().map(PageFigure.init) }
        datasets = Self.datasets(evidence, workspace, earlier)
        runs = Self.runFiles(evidence, workspace, datasets, isLive: live != nil, earlier)
        runNumbers = Dictionary(
            runs.enumerated().map { ($1.origin.name, $0) }, uniquingKeysWith: { first, _ in first })
        if let earlier {
            keptRuns = Set(Set(runs.map(\.origin)).intersection(earlier.runs.map(\.origin)).map(\.name))
            keptDatasets = Set(
                datasets.keys.filter { (try? datasets[$0]?.get().stamp) == (try? earlier.datasets[$0]?.get().stamp) })
        }
        addPages()
        addAssets()
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

    /// The datasets that pictures are made from.
    private static func datasets(
        _ evidence: StudyEvidence, _ workspace: Workspace, _ earlier: ReportPage?
    ) -> [String: Result<DatasetOnDisk, HeldOutGallery.Absence>] {
        let names = Set(evidence.runs.filter { $0.headline != nil }.map(\.record.dataset))
        return Dictionary(
            uniqueKeysWithValues: names.map { name in
                (name, DatasetOnDisk.load(name, in: workspace, known: try? earlier?.datasets[name]?.get()))
            })
    }

    private static func runFiles(
        _ evidence: StudyEvidence, _ workspace: Workspace,
        _ datasets: [String: Result<DatasetOnDisk, HeldOutGallery.Absence>], isLive: Bool, _ earlier: ReportPage?
    ) -> [RunFiles] {
        let known = Dictionary(
            (earlier?.runs ?? []).map { ($0.origin, $0) }, uniquingKeysWith: { first, _ in first })
        let titles = RunsTable.titles(evidence)
        // Three pictures a run of hundreds, twelve of a few.
        let pictures = max(3, min(12, 1500 / max(1, evidence.runs.count)))
        let warning = AuditView.figureWarning(evidence.audit)
        return zip(evidence.runs, Self.pages(evidence)).enumerated().map { index, pair in
            let (run, page) = pair
            let dataset = run.headline == nil ? nil : datasets[run.record.dataset]
            let origin = RunFiles.Origin(
                state: run.state, versions: run.versions, title: titles[index],
                name: String(page.dropLast(".html".count)),
                reference: evidence.reference(for: run), dataset: try? dataset?.get().stamp, pictures: pictures,
                figureWarning: warning, isLive: isLive)
            return known[origin]
                ?? RunFiles(
                    origin, run: run, trainings: { evidence.trainingsTable(of: run) },
                    directory: workspace.directory(of: run.record.key), dataset: dataset)
        }
    }

    /// One file; nil where the report has none of that path.
    ///
    /// - Throws: `ReportError`, or what kept a picture from being read.
    public func contents(of path: String) throws -> Data? {
        if let page = pages[path] { return try page() }
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        switch (parts[0], parts.count) {
        case ("figures", 2): return try figure(parts[1])
        case ("runs", 3):
            guard let number = runNumbers[String(parts[1])] else { return nil }
            return try runs[number].contents(of: parts[2])
        case ("samples", 3):
            guard case .success(let found)? = datasets[String(parts[1])] else { return nil }
            return try HeldOutSample.contents(of: parts[2], dataset: found.dataset)
        default: return nil
        }
    }

    private func figure(_ file: Substring) throws -> Data? {
        for format in Canvas.Format.allCases where file.hasSuffix(".\(format.rawValue)") {
            let name = file.dropLast(format.rawValue.count + 1)
            return try figures.value().first { $0.figure.name == name }?.drawn.value().data(format)
        }
        return nil
    }

    /// Whether a file is what it was in the earlier report: pictures and curves of what has not changed.
    func keeps(_ path: String) -> Bool {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 3 else { return false }
        return parts[0] == "runs" ? keptRuns.contains(String(parts[1])) : keptDatasets.contains(String(parts[1]))
    }

    /// Paths from the folder, `index.html` first.
    ///
    /// - Throws: `ReportError`.
    /// - Complexity: draws the curves of every run and looks at its pictures.
    public func paths() throws -> [String] {
        var paths = pagePaths
        for figure in try figures.value() {
            paths += Canvas.Format.allCases.map { "figures/\(figure.figure.name).\($0.rawValue)" }
        }
        var samples: Set<HeldOutSample> = []
        for run in runs {
            paths += try run.paths()
            samples.formUnion(try run.samples())
        }
        return paths
            + samples.sorted { ($0.dataset.name, $0.position) < ($1.dataset.name, $1.position) }
            .flatMap { [$0.imagePath, $0.truthPath] }
    }

    /// Writes every file below `folder`, and takes away the pages of runs and tables that an earlier report left there and this one
    /// does not have.
    ///
    /// - Returns: the index.
    /// - Throws: `ReportError`; `ReportError.foreignPage` before anything is written where the folder has an index that no report wrote.
    public func write(to folder: URL) throws -> URL {
        let index = folder.appending(path: "index.html")
        guard !FileManager.default.fileExists(atPath: index.path) || Self.hasMark(index) else {
            throw ReportError.foreignPage(path: index.path(percentEncoded: false))
        }
        removeStale(in: folder)
        for path in try paths() {
            guard let data = try contents(of: path) else { continue }
            try Self.save(data, to: folder.appending(path: path))
        }
        return index
    }

    /// Whether a file begins as a page of a report does.
    private static func hasMark(_ page: URL) -> Bool {
        guard let handle = try? FileHandle(forReadingFrom: page) else { return false }
        defer { try? handle.close() }
        return String(decoding: (try? handle.read(upToCount: 1024)) ?? Data(), as: UTF8.self).contains(mark)
    }

    /// Only files that bear the mark of a report's page: the folder may be anybody's.
    private func removeStale(in folder: URL) {
        let kept = Set(pagePaths)
        for part in ["runs", "tables"] {
            let names = try? FileManager.default.contentsOfDirectory(atPath: folder.appending(path: part).path)
            for name in names ?? [] where name.hasSuffix(".html") && !kept.contains("\(part)/\(name)") {
                let page = folder.appending(path: part).appending(path: name)
                if Self.hasMark(page) { try? FileManager.default.removeItem(at: page) }
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
            throw ReportError.writing(path: url.path(percentEncoded: false), reason: ReportError.reason(error))
        }
    }

    private mutating func add(_ path: String, _ contents: @escaping Contents) {
        if pages.updateValue(contents, forKey: path) == nil { pagePaths.append(path) }
    }

    private mutating func addPage(
        _ path: String, title: String, notice: String?, _ main: @escaping @Sendable () throws -> Markup
    ) {
        let frame = PageFrame(
            path: path, title: title, study: evidence.study, tables: tables.headings, notice: notice,
            readAt: evidence.readAt, live: live, library: library)
        add(path) { try frame.render(try main()) }
    }

    private mutating func addPages() {
        let (evidence, tables, figures, live) = (evidence, tables, figures, live)
        let notice = evidence.fixtureNotice
        let warning = AuditView.figureWarning(evidence.audit)
        addPage("index.html", title: "Study \(evidence.study)", notice: notice) {
            // What a reader looks for first, as long as it fits on a screen.
            let first = try figures.value().filter {
                $0.figure.name.hasPrefix("held-out-dice") || $0.figure.name == "errors"
            }
            .filter { $0.figure.size.height <= 640 }.prefix(4)
            return OverviewPage(
                evidence: evidence, audit: evidence.audit, tables: tables.headings,
                figures: try first.map { try $0.drawn.value() }, figureWarning: warning, isLive: live != nil
            ).markup
        }
        let names = Self.pages(evidence)
        // A name that stands for one run only leads to it.
        let labels = Dictionary(zip(evidence.runs, names).map { ($0.label, [$1]) }, uniquingKeysWith: +)
            .compactMapValues { $0.count == 1 ? "../runs/\($0[0])" : nil }
        for heading in tables.headings {
            addPage("tables/\(heading.name).html", title: heading.title, notice: notice) {
                var markup = Markup()
                markup.element("h1", text: heading.title)
                if let table = try tables.table(heading.name) {
                    markup.append(TableView(table: table, links: labels).markup)
                }
                return markup
            }
        }
        addPage("runs.html", title: "Runs", notice: notice) { Self.runsMarkup(evidence, names) }
        addPage("figures.html", title: "Figures", notice: notice) {
            try Self.figuresMarkup(figures.value(), warning, isLive: live != nil)
        }
        for run in runs {
            addPage("runs/\(run.origin.name).html", title: run.origin.title, notice: nil) { try run.page() }
        }
    }

    private static func runsMarkup(_ evidence: StudyEvidence, _ names: [String]) -> Markup {
        let runs = RunsTable(evidence, pages: names)
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

    private static func figuresMarkup(_ figures: [PageFigure], _ warning: String?, isLive: Bool) throws -> Markup {
        var markup = Markup()
        markup.element("h1", text: "Figures")
        if figures.isEmpty { markup.element("p", ["class": "empty"], text: "Nothing to draw yet.") }
        try markup.element("div", ["class": "figures"]) { markup in
            for figure in figures {
                markup.append(
                    FigureView(
                        drawn: try figure.drawn.value(), path: "figures/\(figure.figure.name)",
                        formats: [.png, .svg, .pdf], warning: warning, isLive: isLive
                    ).markup)
            }
        }
        return markup
    }

    private mutating func addAssets() {
        let evidence = evidence
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
                throw ReportError.workbook(path: file.path, reason: ReportError.reason(error))
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

/// A figure of the report, drawn when it is looked at.
private struct PageFigure: Sendable {
    let figure: any Figure
    let drawn: Lazily<DrawnFigure>

    init(_ figure: any Figure) {
        self.figure = figure
        drawn = Lazily { try DrawnFigure(figure) }
    }
}
