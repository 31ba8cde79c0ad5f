import Datasets
import Foundation
import LabelBudget
import Polygons
import Testing

@testable import Reporting

@Suite("The report of the label budgets")
struct LabelBudgetReportTests {
    private let study: LabelBudgetStudy
    private let dataset: Dataset

    init() throws {
        study = try LabelBudgetStudy()
        dataset = try study.fill()
    }

    private func report(_ sources: [any DrawnLineSource]) throws -> LabelBudgetReport {
        try LabelBudgetReport(study.evidence(sources), workspace: study.workspace)
    }

    private func table(_ report: LabelBudgetReport, _ name: String) throws -> ReportTable {
        try #require(report.tables.first { $0.name == name })
    }

    @Test("Cells are marked where the drawing is ahead, and the crossing lies between them")
    func marks() throws {
        // Two rows of eight off: Dice 0.75 for 10 labels, 0.5 for 5; the drawing is three off.
        let report = try report([MovedDrawings(study: study, name: "tracer", rows: 3)])
        let rows = try table(report, "label-budget").rows
        let unet = try #require(rows.first { $0[1] == .text("U-Net") })
        #expect(unet[3] == .text("0.500 ◂ drawing") && unet[4] == .text("0.750"))
        let drawn = try #require(rows.first { $0[1] == .text("tracer (fixture)") })
        #expect(drawn[2] == .text("fixture, reference") && drawn[3] == .text("0.625") && drawn[4] == .text("0.625"))
        #expect(rows.contains { $0[1] == .text("best network") && $0[3] == .text("0.500 ◂ drawing") })
        let crossings = try table(report, "crossing-points").rows
        // Half way from 5 to 10 over log N.
        #expect(crossings.contains { $0[1] == .text("U-Net") && $0[4] == .text("7") })
        #expect(crossings.contains { $0[1] == .text("best network") })
        let curves = try table(report, "trained-curves").rows
        #expect(
            curves.filter { $0.last == .text("yes") }.count == 3 && curves.filter { $0.last == .text("no") }.count == 3)
    }

    @Test("A model is called a model in every table, a recording that no model made is not")
    func kinds() throws {
        for (isFixture, line, kind) in [(false, "tracer", "model"), (true, "tracer (fixture)", "fixture")] {
            let report = try report([MovedDrawings(study: study, name: "tracer", rows: 3, isFixture: isFixture)])
            for (name, says) in [("label-budget", kind + ", reference"), ("drawings", kind)] {
                let row = try #require(try table(report, name).rows.first { $0[1] == .text(line) }, "\(name)")
                #expect(row[2] == .text(says), "\(name): \(row)")
            }
            #expect(try table(report, "crossing-points").rows.allSatisfy { $0.contains(.text(kind)) })
        }
    }

    @Test("Never and below are said in words")
    func ends() throws {
        let never = try table(report([MovedDrawings(study: study, name: "a", rows: 0)]), "crossing-points").rows
        #expect(never.allSatisfy { $0[4] == .text("never up to 10") && $0[7] == .number(1, digits: 2) })
        let below = try table(report([MovedDrawings(study: study, name: "a", rows: 7)]), "crossing-points").rows
        #expect(below.allSatisfy { $0[4] == .text("below 5") && $0[8] == .number(1, digits: 2) })
    }

    @Test("The reference is a real model before a fixture, a model before a control, raw before enhanced")
    func reference() throws {
        let real = MovedDrawings(study: study, name: "real", rows: 3, isFixture: false)
        let fixture = MovedDrawings(study: study, name: "recorded", rows: 1)
        let enhanced = MovedDrawings(study: study, name: "real + CLAHE", rows: 0, isFixture: false, skill: "CLAHE")
        let control = MovedDrawings(study: study, name: "ellipse", rows: 0, kind: .control, isFixture: false)
        let ceiling = MovedDrawings(study: study, name: "truth", rows: 0, kind: .ceiling, isFixture: false)
        func name(_ sources: [any DrawnLineSource]) throws -> String? {
            try study.evidence(sources).panels.first?.reference?.name
        }
        #expect(try name([control, fixture, enhanced, real, ceiling]) == "real")
        #expect(try name([control, fixture, ceiling]) == "recorded")
        #expect(try name([control, ceiling]) == "ellipse")
        #expect(try name([ceiling]) == nil)
    }

    @Test("A skill is shown raw, enhanced and gated, for bad and good cases apart")
    func skills() throws {
        var source = MovedDrawings(study: study, name: "tracer", rows: 1)
        #expect(!(try report([source]).tables.contains { $0.name == "skills" }))
        // The gate is right in three cases and wrong in one.
        source.cases = [
            .init(plainScore: 0.1, skilledScore: 0.9, plainDice: 0.2, skilledDice: 0.8),
            .init(plainScore: 0.2, skilledScore: 0.7, plainDice: 0.4, skilledDice: 0.6),
            .init(plainScore: 0.9, skilledScore: 0.3, plainDice: 0.9, skilledDice: 0.5),
            .init(plainScore: 0.5, skilledScore: 0.6, plainDice: 0.8, skilledDice: 0.7),
        ]
        let rows = try table(report([source]), "skills").rows
        #expect(rows.map { $0[5] } == [.text("all"), .text("bad"), .text("good")])
        func dice(_ row: [ReportTable.Cell]) -> [String] { row.suffix(4).map(\.shown) }
        #expect(dice(rows[0]) == ["0.575", "0.650", "0.750", "0.775"])
        #expect(dice(rows[1]) == ["0.300", "0.700", "0.700", "0.700"])
        #expect(dice(rows[2]) == ["0.850", "0.600", "0.800", "0.850"])
    }

    @Test("Several looks stand in the report as raw, enhanced and gated, and as a line of what the last gave")
    func looks() throws {
        try study.addLooks(dataset, skill: "pyramid", rows: [4, 3, 1])
        let report = try report([StoredDrawings(study.store, study: "default")])
        let rows = try table(report, "skills").rows.filter { $0[5] == .text("all") }
        #expect(!rows.isEmpty && rows.allSatisfy { $0[1] == .text("seer") && $0[2] == .text("pyramid") })
        // Of eight rows: four off is a Dice of 0.5, one off 0.875.
        #expect(rows.allSatisfy { $0[7].shown == "0.500" && $0[8].shown == "0.875" && $0[10].shown == "0.875" })
        #expect(rows.contains { $0[3] == .text("boundary contrast") && $0[9].shown == "0.875" })
        let line = try #require(
            try table(report, "drawings").rows.first { $0[1] == .text("seer + pyramid") })
        #expect(line[3] == .integer(8) && line[4].shown == "0.875")
        for name in ["drawings", "crossing-points", "trained-curves"] {
            let notes = try table(report, name).notes.joined()
            #expect(notes.contains("squares by image (8 images)"), "\(name): \(notes)")
        }
    }

    @Test(
        "What labels helped stands at its labels: no cell below them, its N beside its crossing, a square in the figure"
    )
    func helped() throws {
        try study.addLooks(dataset, skill: nil, rows: [3])
        try study.addLooks(dataset, skill: "static-box", rows: [1])
        let report = try report([StoredDrawings(study.store, study: "default")])
        let name = "seer + static-box (10 labels)"
        let row = try #require(try table(report, "label-budget").rows.first { $0[1] == .text(name) })
        // Of budgets of 5 and 10: eight rows, one off.
        #expect(row[3] == .missing && row[4] == .text("0.875"))
        let crossings = try table(report, "crossing-points")
        #expect(crossings.columns.last?.key == "drawing_labels")
        #expect(crossings.rows.first { $0[2] == .text(name) }?.last == .integer(10))
        #expect(crossings.rows.first { $0[2] == .text("seer") }?.last == .integer(0))
        let line = try #require(try table(report, "drawings").rows.first { $0[1] == .text(name) })
        #expect(line[8] == .integer(10) && line[9] == .text("yes"))
        let skill = try #require(try table(report, "skills").rows.first)
        #expect(skill[2] == .text("static-box (10 labels)") && skill[4] == .text("too few images to tell (8)"))
        // It never stands for drawing without labels, however good it is.
        #expect(report.evidence.panels.first?.reference?.name == "seer")
        let figure = report.curvesFigure
        let drawn = try #require(figure.panels.first).drawn
        #expect(drawn.first { $0.name == name }?.labels == 10 && drawn.first { $0.name == "seer" }?.labels == 0)
        #expect(!figure.caption.contains("learn from no label") && figure.caption.contains("a square at its N"))
        #expect(figure.legend.filter(\.isSquare).map(\.name) == ["drawn with N labels"])
        let folder = study.workspace.root.appending(path: "helped")
        let files = try figure.write(to: folder, formats: [.svg, .png])
        #expect(files.count == 2)
    }

    @Test("A drawing that was broken off says so, and stands for nothing")
    func unfinished() throws {
        try study.addLooks(dataset, skill: nil, rows: [0], isFinished: false)
        let control = MovedDrawings(study: study, name: "ellipse", rows: 3, kind: .control, isFixture: false)
        let report = try report([StoredDrawings(study.store, study: "default"), control])
        #expect(report.evidence.panels.first?.reference?.name == "ellipse")
        let line = try #require(
            try table(report, "drawings").rows.first { $0[1] == .text("seer (unfinished)") })
        #expect(line[9] == .text("no") && line[4].shown == "1.000")
        let notice = try #require(report.notice)
        #expect(notice.contains("1 drawing is unfinished") && notice.contains("no model has drawn all"), "\(notice)")
    }

    @Test("What is wrong with the masks is the place, and the bars add up")
    func faults() throws {
        let report = try report([MovedDrawings(study: study, name: "tracer", rows: 3)])
        let table = try table(report, "faults")
        let row = try #require(table.rows.first { $0[1] == .text("tracer (fixture)") })
        func value(_ key: String) throws -> ReportTable.Cell {
            row[try #require(table.columns.firstIndex { $0.key == key })]
        }
        #expect(try value("failures") == .integer(8) && value("place") == .integer(8) && value("shape") == .integer(0))
        #expect(try value("aligned_dice") == .number(1, digits: 3) && value("size_ratio") == .number(1, digits: 2))
        for panel in report.faultsFigure.panels {
            for bar in panel.bars {
                let dice = try #require(report.faults.first { $0.line == bar.line }?.mean(\.dice))
                #expect(abs(bar.place + bar.size + bar.shape + bar.missing - (1 - dice)) < 1e-9)
            }
        }
    }

    @Test("Every file is written, pictures decode, and numbers are numbers in the workbook")
    func files() throws {
        let folder = study.workspace.root.appending(path: "out")
        let ceiling = MovedDrawings(study: study, name: "truth-10", rows: 0, kind: .ceiling, isFixture: false)
        let report = try report([MovedDrawings(study: study, name: "tracer", rows: 3), ceiling])
        let files = try report.write(to: folder)
        let names = Set(files.map(\.lastPathComponent))
        for name in [
            "label-budget.html", "label-budget.xlsx", "label-budget.csv", "crossing-points.csv", "label-budget.json",
            "label-budget.png", "label-budget.svg", "label-budget-cases-squares.png", "label-budget-faults.svg",
            "published-label-budget.png",
        ] { #expect(names.contains(name), "\(name)") }
        for file in files {
            #expect(try Data(contentsOf: file).count > 100, "\(file.lastPathComponent)")
            if file.pathExtension == "png" { #expect(try PNG.read(file).width > 600) }
            if file.pathExtension == "svg" {
                #expect(try String(contentsOf: file, encoding: .utf8).hasSuffix("</svg>\n"))
            }
        }
        let json = try Data(contentsOf: folder.appending(path: "tables/label-budget.json"))
        let tables = try #require(try JSONSerialization.jsonObject(with: json) as? [[String: Any]])
        #expect(tables.count == report.tables.count)
        #expect(throws: ReportError.self) { try report.write(to: files[0]) }
    }

    @Test("The page asks for nothing but itself, and what a model or a dataset is called stays text")
    func page() throws {
        let hostile = try LabelBudgetStudy()
        _ = try hostile.fill(title: hostile.hostile)
        let evidence = try hostile.evidence([MovedDrawings(study: hostile, name: hostile.hostile, rows: 3)])
        let report = try LabelBudgetReport(evidence, workspace: hostile.workspace)
        let page = String(decoding: try report.page(readAt: Date(timeIntervalSince1970: 0)), as: UTF8.self)
        #expect(!page.contains("<script") && page.contains("&lt;script&gt;"))
        #expect(!page.contains("\u{1b}"))
        #expect(page.contains("default-src 'none'"))
        let addresses = page.matches(of: /(src|href|action|data)="([^"]*)"/).map(\.output.2)
        #expect(!addresses.isEmpty && addresses.allSatisfy { $0.hasPrefix("data:image/") })
        #expect(!page.contains("url(") && !page.contains("@import"))
        let pictures = page.matches(of: /<img [^>]*>/).map(\.output)
        #expect(!pictures.isEmpty && pictures.allSatisfy { $0.contains(/alt="[^"]{20,}"/) })
    }

    @Test("A reader is told of what is simulated, of fixtures, and of datasets that no model drew")
    func notices() throws {
        #expect(try report([MovedDrawings(study: study, name: "real", rows: 1, isFixture: false)]).notice == nil)
        #expect(try report([MovedDrawings(study: study, name: "tracer", rows: 1)]).notice?.contains("fixtures") == true)
        let control = MovedDrawings(study: study, name: "ellipse", rows: 0, kind: .control, isFixture: false)
        #expect(try report([control]).notice?.contains("no model has drawn") == true)
        let file = dataset.folder.appending(path: "dataset.json")
        var object = try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any])
        object["simulated"] = true
        try JSONSerialization.data(withJSONObject: object).write(to: file)
        let simulated = try report([MovedDrawings(study: study, name: "real", rows: 1, isFixture: false)])
        #expect(simulated.notice?.contains("1 of 1 datasets are simulated") == true)
        #expect(try table(simulated, "label-budget").rows.allSatisfy { $0[0] == .text("squares (simulated)") })
    }

    @Test("A study without trainings is refused; what changed since is left out and said")
    func absent() throws {
        let empty = try LabelBudgetStudy()
        let error = #expect(throws: SweepError.noTrainings(study: "default")) { try empty.evidence([]) }
        #expect(error?.description.contains("llmbench polygon sweep") == true)
        #expect(throws: SweepError.noTrainings(study: "default")) {
            try LabelBudgetEvidence(
                study.store, workspace: study.workspace, study: "default", setting: .init(size: 64, steps: 100)
            ) { _ in [] }
        }
        try PNG.write(
            Image(width: 24, height: 24, channels: 1), to: dataset.maskURL(dataset.split.training[0]))
        let evidence = try study.evidence([])
        #expect(evidence.panels.isEmpty && evidence.absent.count == 8)
        #expect(evidence.absent.allSatisfy { $0.contains("the dataset has changed since") })
    }
}
