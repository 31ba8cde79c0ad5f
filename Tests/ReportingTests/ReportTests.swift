import Foundation
import ResultStore
import Testing

@testable import Reporting

#if canImport(FoundationXML)
    import FoundationXML
#endif

@Suite("The tables of a report")
struct ReportTableTests {
    @Test func `errors are counted by class, and contract breaches apart from them`() throws {
        let sample = try SampleStudy()
        defer { sample.remove() }
        let table = try sample.evidence().errorsTable()
        let keys = table.columns.map(\.key)
        let never = try #require(table.rows.first { $0[0] == .text("never") })
        #expect(keys.contains("ImportError") && keys.contains("ValueError") && !keys.contains("ContractViolation"))
        #expect(never[try #require(keys.firstIndex(of: "ImportError"))] == .integer(1))
        #expect(never[try #require(keys.firstIndex(of: "contract_violations"))] == .integer(1))
        #expect(never[try #require(keys.firstIndex(of: "outcome"))] == .text("round limit"))
    }

    @Test func `a choice that differs from the stated one is marked, a spelling is not`() throws {
        let sample = try SampleStudy()
        defer { sample.remove() }
        let evidence = try sample.evidence()
        func row(_ table: ReportTable) throws -> [String: ReportTable.Cell] {
            let row = try #require(table.rows.first { $0[0] == .text("learner") })
            return Dictionary(uniqueKeysWithValues: zip(table.columns.map(\.key), row))
        }
        let architecture = try row(evidence.architecturesTable())
        #expect(architecture["conv_block"] == .text("(Conv-BN-ReLU)x2"))
        #expect(architecture["encoder_channels"] == .text("8-16"))
        #expect(architecture["mismatches"] == .integer(0))
        let hyperparameters = try row(evidence.hyperparametersTable())
        #expect(hyperparameters["learning_rate"] == .text("0.002 (said: 0.001)"))
        #expect(hyperparameters["scheduler"] == .text("none") && hyperparameters["batch_size"] == .integer(8))
        #expect(hyperparameters["mismatches"] == .integer(1))
    }

    @Test func `a pipeline that learns nothing is called that, one that learns is not`() throws {
        let sample = try SampleStudy()
        defer { sample.remove() }
        let table = try sample.evidence().diceTable()
        let verdict = try #require(table.columns.firstIndex { $0.key == "verdict" })
        let verdicts = Dictionary(
            table.rows.map { ($0[0].shown, $0[verdict].shown) }, uniquingKeysWith: { first, _ in first })
        #expect(verdicts["learner"] == "learns")
        #expect(verdicts["flatline"]?.hasPrefix("learns nothing") == true)
    }

    @Test func `engines are compared over the seeds that both have`() throws {
        let sample = try SampleStudy()
        defer { sample.remove() }
        let row = try #require(try sample.evidence().parityTable().rows.first { $0[0] == .text("learner") })
        guard case .number(let difference, _) = row[4] else {
            Issue.record("no difference")
            return
        }
        #expect(abs(difference - 0.01) < 1e-9)
    }

    @Test(arguments: ["=1+1", "+1", "-1", "@x", "a,b", "say \"x\"", "two\nlines"])
    func `CSV keeps a text a text`(text: String) {
        let table = ReportTable(name: "t", title: "t", columns: [.init("a", key: "a")], rows: [[.text(text)]])
        let cell = String(table.csv.dropFirst("a\r\n".count).dropLast(1))  // CR LF is one character
        #expect(!"=+-@".contains(cell.first ?? " "))
        let quoted = cell.hasPrefix("\"") && cell.hasSuffix("\"")
        #expect(quoted == text.contains { ",\"\n".contains($0) })
    }
}

@Suite("The pages, figures and workbook of a report")
struct ReportFolderTests {
    @Test func `hostile text stays text on every page`() throws {
        let sample = try SampleStudy()
        defer { sample.remove() }
        let folder = sample.workspace.results(study: "s").appending(path: "report")
        _ = try ReportPage(evidence: sample.evidence(), workspace: sample.workspace).write(to: folder)
        let pages = try FileManager.default.subpathsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".html") }
        let tables = try sample.evidence().tables(forPage: true).count
        #expect(pages.count == 3 + tables + 3, "overview, runs, figures, the tables, three runs: \(pages)")
        for page in pages {
            let html = try String(contentsOf: folder.appending(path: page), encoding: .utf8)
            #expect(html.components(separatedBy: "<script").count == 2, "the page's own script and no other: \(page)")
            #expect(!html.contains("<img src=x") && !html.contains("\u{1b}"), "\(page)")
        }
        let run = try String(contentsOf: folder.appending(path: "runs/2-learner.html"), encoding: .utf8)
        #expect(run.contains("&lt;script&gt;alert(1)") && run.contains("{{reply}}") && run.contains("\\x1b[31m"))
        #expect(
            run.contains("class=\"l here\" id=\"round-0-file-1-L2\""), "the line of the error is marked in the code")
    }

    @Test func `every link of the report leads to a file of the folder`() throws {
        let sample = try SampleStudy()
        defer { sample.remove() }
        let folder = sample.workspace.results(study: "s").appending(path: "report")
        let page = try ReportPage(evidence: sample.evidence(), workspace: sample.workspace)
        _ = try page.write(to: folder)
        var checked = 0
        for path in try page.paths() where path.hasSuffix(".html") {
            let url = folder.appending(path: path)
            let html = try String(contentsOf: url, encoding: .utf8)
            for match in html.matches(of: /(?:href|src)="([^"#]+)(#[^"]*)?"/) {
                let link = String(match.output.1)
                #expect(!link.contains(":"), "no request leaves the folder: \(link)")
                let target = url.deletingLastPathComponent().appending(path: link).standardizedFileURL
                #expect(target.path.hasPrefix(folder.standardizedFileURL.path), "\(path): \(link)")
                #expect(FileManager.default.fileExists(atPath: target.path), "\(path): \(link)")
                checked += 1
            }
            #expect(
                html.contains("written by hand") || path.hasPrefix("runs/"), "the fixtures are named as such: \(path)")
        }
        #expect(checked > 100)
    }

    @Test func `a figure says what its marks stand for, and they lie inside it`() throws {
        let sample = try SampleStudy()
        defer { sample.remove() }
        for figure in try sample.evidence().figures().map(DrawnFigure.init) {
            #expect(!figure.marks.isEmpty, "\(figure.figure.name)")
            for mark in figure.marks {
                #expect(mark.x >= 0 && mark.x + mark.width <= figure.figure.size.width, "\(mark)")
                #expect(mark.y >= 0 && mark.y + mark.height <= figure.figure.size.height, "\(mark)")
                #expect(mark.label.contains { $0.isNumber }, "a value: \(mark.label)")
            }
        }
    }

    @Test func `a figure of hundreds of rows is drawn with fewer dots, not refused`() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "llmbench-tall-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let figure = ErrorsFigure(
            bars: (0..<600).map {
                .init(label: "run \($0)", outcome: "runs", counts: ["ValueError": Double(1 + $0 % 3)])
            })
        let png = try Data(contentsOf: try figure.write(to: folder, formats: [.png])[0])
        #expect(png[20..<24].reduce(0) { $0 << 8 | Int($1) } == 32_000)
    }

    @Test func `figures are PNGs of print resolution and well-formed SVGs`() throws {
        let sample = try SampleStudy()
        defer { sample.remove() }
        let folder = sample.workspace.root.appending(path: "figures")
        let figures = try sample.evidence().figures()
        #expect(
            figures.map(\.name) == [
                "errors", "rounds-to-success", "loss-curves", "common-validation-dice", "held-out-dice",
                "cohort-losses", "mean-curves-all",
                "published-beside-measured",
            ])
        for figure in figures {
            let files = try figure.write(to: folder)
            let png = try Data(contentsOf: files[0])
            #expect(png.starts(with: [0x89, 0x50, 0x4E, 0x47]))
            let width = png[16..<20].reduce(0) { $0 << 8 | Int($1) }
            #expect(width == Int((figure.size.width * 300 / 72).rounded()))
            #expect(XMLParser(data: try Data(contentsOf: files[1])).parse(), "\(figure.name).svg")
            #expect(try Data(contentsOf: files[2]).starts(with: Data("%PDF".utf8)))
        }
    }

    @Test func `a figure that cannot be written says where`() throws {
        let sample = try SampleStudy()
        defer { sample.remove() }
        let file = sample.workspace.root.appending(path: "file")
        try Data().write(to: file)
        #expect(throws: ReportError.self) { try sample.evidence().figures()[0].write(to: file) }
        #expect(throws: ReportError.self) { try Workbook.write([], notice: nil, to: file.appending(path: "x.xlsx")) }
    }

    @Test func `the workbook holds numbers as numbers and formulas as text`() throws {
        let sample = try SampleStudy()
        defer { sample.remove() }
        let evidence = try sample.evidence()
        var tables = [evidence.provenanceTable()] + evidence.tables()
        tables.append(
            ReportTable(name: "x", title: "hostile", columns: [.init("a", key: "a")], rows: [[.text("=1+1")]]))
        let url = sample.workspace.root.appending(path: "report.xlsx")
        try Workbook.write(tables, notice: "notice", to: url)
        let script = """
            import openpyxl, sys
            book = openpyxl.load_workbook(sys.argv[1])
            dice = book["Held-out Dice"]
            assert dice["A1"].value == "notice" and dice.freeze_panes == "B3", (dice["A1"].value, dice.freeze_panes)
            row = next([cell.value for cell in row] for row in dice.iter_rows(min_row=3) if row[0].value == "learner")
            assert row[2] == "pytorch" and row[6] == 6 and isinstance(row[8], float) and 0.7 < row[8] < 0.9, row
            assert book["hostile"]["A3"].value == "=1+1" and book["hostile"]["A3"].data_type == "s"
            assert [len(sheet._charts) for sheet in book if sheet.title == "Charts"] == [3]
            assert len(dice.conditional_formatting) >= 2, dice.conditional_formatting
            assert dice.auto_filter.ref and dice.auto_filter.ref.startswith("A2:"), dice.auto_filter.ref
            assert dice["A2"].font.bold and dice["A2"].value == "model"
            facts = {(row[0].value, row[2].value): row[1].value for row in book["Provenance"].iter_rows(min_row=3)}
            assert facts[("dataset, SHA-256", "d")] == "h" and facts[("runs", None)] == "3", facts
            assert facts[("seeds", "engine swift")] == "0" and facts[("audit", None)].startswith("Not audited"), facts
            """
        let python = try #require(
            ProcessInfo.processInfo.environment["LLMBENCH_PYTHON"],
            "LLMBENCH_PYTHON is not set: run the tests through scripts/test")
        let process = Process()
        process.executableURL = URL(filePath: python)
        process.arguments = ["-c", script, url.path]
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
    }
}

@Suite("Text that hostile programs left")
struct StoredTextTests {
    @Test func `links, pipes and oversize files are not followed, waited for or swallowed`() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "llmbench-text-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "file")
        let link = folder.appending(path: "link")
        let pipe = folder.appending(path: "pipe")
        try Data(repeating: 65, count: 2000).write(to: file)
        try FileManager.default.createSymbolicLink(at: link, withDestinationURL: file)
        #expect(mkfifo(pipe.path, 0o600) == 0)
        #expect(StoredText.read(link) == nil)
        #expect(StoredText.read(pipe) == nil)
        #expect(StoredText.read(folder) == nil)
        #expect(
            try #require(StoredText.read(file, limit: 100)).hasSuffix(
                "[cut: the file has 2000 bytes, the first 100 are shown]"))
    }
}
