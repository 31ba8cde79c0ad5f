import Foundation
import ResultStore
import Statistics
import Testing

@testable import Reporting

private func rows(_ table: ReportTable) -> [[String: ReportTable.Cell]] {
    table.rows.map { Dictionary(zip(table.columns.map(\.key), $0), uniquingKeysWith: { first, _ in first }) }
}

@Suite("Figures for print")
struct PrintFigureTests {
    @Test func `every figure is as wide as a column or a page, and its PDF embeds its fonts`() throws {
        let study = try CohortStudy(models: 6)
        defer { study.remove() }
        let figures = try study.evidence().figures()
        let names = Set(figures.map(\.name))
        for name in [
            "errors", "loss-curves-beta", "common-validation-dice-gamma", "held-out-dice-alpha", "run-to-run-beta",
            "cohort-losses-alpha",
            "mean-curves-year-bce", "critical-difference", "published-beside-measured",
        ] { #expect(names.contains(name), "\(name)") }
        let folder = study.workspace.root.appending(path: "figures")
        for figure in figures {
            #expect(figure.size.width <= PlotArea.page + 2, "\(figure.name) is \(figure.size.width) points wide")
            let pdf = String(
                decoding: try Data(contentsOf: figure.write(to: folder, formats: [.pdf])[0]), as: Unicode.ASCII.self)
            #expect(pdf.contains("/FontFile") && !pdf.contains("/Type3"), "\(figure.name)")
        }
    }

    @Test func `with more runs than fit a page a model is a row, a curve and a box, and no figure is longer`() throws {
        let study = try CohortStudy(models: 21, runs: 2, datasets: ["alpha"])
        defer { study.remove() }
        let evidence = try study.evidence()
        let figures = evidence.figures()
        // A page of A4 less its margins and a caption.
        for figure in figures { #expect(figure.size.height <= 720, "\(figure.name): \(figure.size.height) points") }
        #expect(figures.map(\.name).filter { $0.hasPrefix("loss-curves") } == (1...3).map { "loss-curves-\($0)" })
        #expect(figures.filter(\.isContinuation).map(\.name) == ["loss-curves-2", "loss-curves-3"])
        let second = try #require(figures.first { $0.isContinuation })
        let part = FigureView(drawn: try DrawnFigure(second), path: "f")
        #expect(part.markup.html.contains("A further part: show it") && !part.markup.html.contains("<rect"))
        let errors = evidence.errorsFigure()
        #expect(errors.bars.count == 21 && errors.caption.contains("the mean over each model's runs"))
        let bar = try #require(errors.bars.first { $0.label == "m3" })
        let runs = evidence.runs.filter { $0.record.model == "m3" }
        #expect(
            abs(bar.counts.values.reduce(0, +) - Double(runs.flatMap(\.errorRecords).count) / 2) < 1e-12
                && bar.outcome == "2/2 run")
        let boxes = evidence.diceBoxes(evidence.runs)
        let images = Dictionary(
            grouping: runs.flatMap { $0.trainings[0].heldOut }, by: \.sample
        ).compactMapValues { Statistics.mean($0.map(\.dice)) }
        #expect(boxes.count == 21)
        #expect(boxes.first { $0.label == "m3" }?.values.sorted() == images.values.sorted())
        let common = try #require(figures.first { $0.name == "common-validation-dice" })
        #expect(common.caption.contains("the mean over each model's runs"))
        // Ranks of so many models need the page.
        let many = try CohortStudy(models: 13, runs: 1)
        defer { many.remove() }
        let diagram = try #require(try many.evidence().figures().first { $0.name == "critical-difference" })
        #expect(diagram.size.width == PlotArea.page)
    }

    @Test func `of more models than there are styles the best have a curve, and the caption says so`() throws {
        let study = try CohortStudy(models: 32, runs: 1, datasets: ["alpha"])
        defer { study.remove() }
        let figure = try #require(
            try study.evidence().figures().first { $0.name == "common-validation-dice" })
        #expect(figure.caption.contains("the 30 best of 32 models"))
    }

    @Test func `a quantity on which all runs agree has one label`() {
        let figure = RunStripsFigure(
            quantities: [.init(title: "rate", digits: 3, isLogarithmic: true)],
            strips: [.init(label: "m", values: [[0.001, 0.001]])])
        #expect(figure.quantities.count == 1)
        #expect(Axis(fixed: 0.0009...0.0011, ticks: [0.001], from: 0, to: 1).label(0.001) == "0.001")
        #expect(Axis(fixed: 29...31, ticks: [30], from: 0, to: 1).label(30) == "30")
    }

    @Test func `a figure without a clean audit is marked`() throws {
        let study = try CohortStudy(models: 2, runs: 1, datasets: ["alpha"])
        defer { study.remove() }
        var evidence = try study.evidence()
        #expect(evidence.auditMark == "Not audited." && evidence.notice.hasPrefix("Not audited"))
        let marked = try #require(evidence.figures().first).size.height
        evidence.audit = AuditSummary(auditedAt: Date(timeIntervalSince1970: 0), checks: 3, findings: [])
        #expect(evidence.auditMark == nil && evidence.notice.contains("3 checks, no finding"))
        #expect(try #require(evidence.figures().first).size.height < marked)
        evidence.audit?.findings = [.error, .note].map {
            .init(severity: $0, place: "m0", what: "two rows are alike", whyItMatters: "", howToLook: "")
        }
        #expect(evidence.auditMark == "Audit: 1 finding." && evidence.notice.contains("1 error, 1 note"))
        let found = rows(evidence.provenanceTable()).filter { $0["item"]?.shown.hasPrefix("finding") == true }
        #expect(found.count == 2)
    }

    @Test func `the baseline stands first, whatever its median`() {
        let boxes = [
            DiceBoxPlotFigure.Box(label: "a", engine: "swift", values: [0.9, 0.95]),
            .init(label: "nnU-Net", engine: "nnunetv2", values: [0.5, 0.6], isBaseline: true),
            .init(label: "b", engine: "swift", values: [0.7, 0.8]),
        ]
        #expect(DiceBoxPlotFigure(boxes: boxes, references: []).boxes.map(\.label) == ["nnU-Net", "a", "b"])
    }

    @Test func `ranks need three datasets, and the best has the smallest`() throws {
        let two = try CohortStudy(models: 4, runs: 1, datasets: ["alpha", "beta"])
        defer { two.remove() }
        #expect(try !two.evidence().figures(about: .cohorts).map(\.name).contains("critical-difference"))
        let figure = CriticalDifferenceFigure(
            models: ["good", "bad"],
            comparison: try Statistics.nemenyi([[-0.9, -0.1], [-0.8, -0.2], [-0.7, -0.3]]), friedman: nil)
        #expect(figure.comparison.meanRanks == [1, 2])
    }

    @Test func `the ranks have a table with the test, its effect and interval`() throws {
        let two = try CohortStudy(models: 4, runs: 1, datasets: ["alpha", "beta"])
        defer { two.remove() }
        let none = try two.evidence().cohortRanksTable()
        #expect(none.rows.isEmpty && none.notes.first?.hasPrefix("Ranks need 3 datasets") == true)
        let study = try CohortStudy(models: 4, runs: 1)
        defer { study.remove() }
        let table = try study.evidence().cohortRanksTable()
        let found = rows(table)
        // By hand: the place of each model on each dataset.
        let places = CohortStudy.datasets.map { dataset -> [String: Double] in
            let order = (study.dice[dataset] ?? [:]).sorted { $0.value[0] > $1.value[0] }.map(\.key)
            return Dictionary(uniqueKeysWithValues: order.enumerated().map { ($1, Double($0 + 1)) })
        }
        let means = Dictionary(
            uniqueKeysWithValues: (0..<4).map { model in
                ("m\(model)", places.reduce(0) { $0 + ($1["m\(model)"] ?? .nan) } / 3)
            })
        #expect(found.count == 4 && found.first?["p"] == .missing)
        for row in found {
            guard case .number(let rank, _)? = row["mean_rank"], case .text(let model)? = row["model"] else {
                Issue.record("\(row)")
                continue
            }
            #expect(abs(rank - (means[model] ?? .nan)) < 1e-12, "\(model)")
        }
        let note = try #require(table.notes.first { $0.hasPrefix("Friedman: ") })
        #expect(note.contains("of 4 models on 3 datasets; Kendall's W = ") && note.contains("95 % interval"), "\(note)")
        let caption = try #require(try study.evidence().figures().first { $0.name == "critical-difference" }?.caption)
        #expect(caption.contains(note))
    }

    @Test func `an overlay tells found, added and missed apart`() throws {
        let row = ImagePanelsFigure.Row(
            role: "worst", sample: "s", image: .init(width: 2, height: 2, channels: 1, bytes: [0, 0, 0, 200]),
            truth: [true, true, false, false],
            predictions: [
                .init(model: "m", mask: [true, false, true, false], dice: 0.5),
                .init(model: "n", mask: [false, false, false, false], dice: 0),
            ])
        let figure = ImagePanelsFigure(rows: [row], suffix: "d")
        #expect(try DrawnFigure(figure).marks.map(\.label) == ["m, s: Dice 0.500", "n, s: no mask, Dice 0.000"])
        let pixels = figure.overlay(row, prediction: row.predictions[0].mask)
        let colours = (0..<4).map { Array(pixels.bytes[(3 * $0)..<(3 * $0 + 3)]) }
        #expect(Set(colours).count == 4 && colours[3] == [200, 200, 200])
        let folder = FileManager.default.temporaryDirectory.appending(path: "llmbench-panels-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        for file in try figure.write(to: folder) { #expect(try Data(contentsOf: file).count > 500) }
    }

    @Test(arguments: [(0.0001, "1e-4"), (0.02, "0.02"), (200, "200"), (31_000_000, "31M"), (5000, "5k")])
    func `ticks of a logarithmic axis are short`(value: Double, label: String) {
        #expect(Axis(0.00001...1e8, scale: .logarithmic, from: 0, to: 1).label(value) == label)
    }
}

@Suite("Tables for a paper")
struct LaTeXTests {
    @Test(
        arguments: [
            "\\immediate\\write18{rm}", "100 % & $x_1^2$ #~{}", "\u{1b}[31m\u{202e}漢", "--- ``ligature'' <a|b>",
            "line\nbreak",
        ])
    func `no text reaches TeX as a command`(text: String) {
        let escaped = LaTeX.escaped(text)
        // Every backslash opens one of the commands of the escaping, and what is special is escaped.
        let commands = ["text", "texttt", "{", "}", "$", "&", "#", "%", "_", "ldots", "cdot"]
        for part in escaped.components(separatedBy: "\\").dropFirst() {
            #expect(commands.contains { part.hasPrefix($0) }, "\(escaped)")
        }
        #expect(escaped.unicodeScalars.allSatisfy { (0x20..<0x7F).contains($0.value) })
        #expect(!escaped.contains("write18{") && !escaped.replacing("\\%", with: "").contains("%"))
    }

    @Test func `a long table becomes several floats, a wide one is scaled, and braces balance`() throws {
        let study = try CohortStudy(models: 4)
        defer { study.remove() }
        let evidence = try study.evidence()
        for table in evidence.tables() {
            let text = LaTeX.table(table, notice: evidence.notice)
            let floats = text.components(separatedBy: "\\begin{table}").count - 1
            #expect(floats == max(1, (table.rows.count + LaTeX.rowsPerFloat - 1) / LaTeX.rowsPerFloat), "\(table.name)")
            #expect(text.contains("\\toprule") && text.contains("\\midrule") && text.contains("\\bottomrule"))
            #expect(text.contains("\\resizebox") == (table.columns.count > 7))
            let plain = text.replacing("\\{", with: "").replacing("\\}", with: "")
            #expect(plain.count { $0 == "{" } == plain.count { $0 == "}" }, "\(table.name)")
            let rows = text.components(separatedBy: " \\\\\n").dropLast()
            for row in rows {
                let cells = row.replacing("\\&", with: "").count { $0 == "&" }
                #expect(cells == table.columns.count - 1, "\(table.name): \(row.suffix(80))")
            }
        }
        #expect(Set(evidence.tables().map(\.name)).count == evidence.tables().count, "file names are unique")
    }

    private static let pdflatex = ["/usr/bin/pdflatex", "/usr/local/bin/pdflatex"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    /// LaTeX holds some fifty floats that wait for a place, and gives up after a hundred pages without one.
    @Test(.enabled(if: pdflatex != nil, "no pdflatex"))
    func `a document with a table of hundreds of pages compiles`() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "llmbench-latex-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let study = try CohortStudy(models: 2)
        defer { study.remove() }
        var long = try study.evidence().cohortCurvesTable()
        long.rows = (0..<6000).map { long.rows[$0 % long.rows.count] }
        let files = try LaTeX.write(
            [long, try study.evidence().cohortsTable()], title: "t", notice: "Not audited.", to: folder)
        let process = Process()
        process.executableURL = URL(filePath: try #require(Self.pdflatex))
        process.arguments = ["-interaction=nonstopmode", "-halt-on-error", files[files.count - 1].lastPathComponent]
        process.currentDirectoryURL = folder
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        let log = try String(contentsOf: folder.appending(path: "report.log"), encoding: .isoLatin1)
        #expect(process.terminationStatus == 0, "\(log.suffix(600))")
        #expect(!log.contains("Float too large"), "a part is longer than its page")
    }

    @Test func `files that cannot be written say where`() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "llmbench-latex-\(UUID().uuidString)")
        try Data().write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let table = ReportTable(name: "t", title: "t", columns: [.init("a", key: "a")])
        #expect(throws: ReportError.self) {
            try LaTeX.write([table], title: "t", notice: nil, to: file.appending(path: "latex"))
        }
    }
}

@Suite("Where numbers come from")
struct ProvenanceTests {
    @Test func `the commit is read from a repository's files, and nothing else is`() throws {
        let root = FileManager.default.temporaryDirectory.appending(path: "llmbench-git-\(UUID().uuidString)")
        let git = root.appending(path: ".git")
        try FileManager.default.createDirectory(
            at: git.appending(path: "refs/heads"), withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: root) }
        #expect(ReportOrigin.commit(of: root) == nil)
        let hash = String(repeating: "ab", count: 20)
        func write(_ text: String, _ path: String) throws { try Data(text.utf8).write(to: git.appending(path: path)) }
        try write(hash + "\n", "HEAD")
        #expect(ReportOrigin.commit(of: root) == hash)
        try write("ref: refs/heads/main\n", "HEAD")
        #expect(ReportOrigin.commit(of: root) == nil)
        try write("# pack-refs\n\(hash) refs/heads/main\n", "packed-refs")
        #expect(ReportOrigin.commit(of: root) == hash)
        try write("no hash", "refs/heads/main")
        #expect(ReportOrigin.commit(of: root) == hash)
        try write("ref: refs/../../secret\n", "HEAD")
        #expect(ReportOrigin.commit(of: root) == nil)
    }
}
