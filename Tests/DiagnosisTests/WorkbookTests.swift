import Datasets
import Files
import Foundation
import Testing

@testable import Diagnosis

@Suite("A workbook")
struct WorkbookTests {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fixtures/contract")

    @Test("is read as Python's libraries write it", arguments: ["openpyxl.xlsx", "pandas.xlsx"])
    func realFiles(_ name: String) throws {
        let workbook = try Workbook(reading: name, below: Self.folder)
        #expect(workbook.worksheets == 1)
        #expect(
            workbook.rows == [
                [.number(1), .number(2), .number(3)], [.number(0.75), .number(0.5), .number(0.25)],
            ])
    }

    @Test("shows headers as text and gaps as empty")
    func header() throws {
        let workbook = try Workbook(reading: "pandas-header.xlsx", below: Self.folder)
        #expect(workbook.rows.count == 3)
        #expect(workbook.rows[0] == [.empty, .number(0), .number(1), .number(2)])
        let gap = try Workbook(reading: "pandas-nan.xlsx", below: Self.folder)
        #expect(gap.rows[1] == [.number(0.5), .empty])
    }

    @Test("with text, truth values and several sheets says so")
    func oddCells() throws {
        let workbook = try Workbook(reading: "odd-cells.xlsx", below: Self.folder)
        #expect(workbook.worksheets == 2)
        #expect(workbook.rows[0][0] == .number(1))
        #expect(workbook.rows[0][3] == .text("text & <more>"))
        #expect(workbook.rows[0].last == .text("ü"))
    }

    @Test(
        "that expands a thousandfold, names entities or spreads its cells is refused",
        arguments: [
            "bomb.xlsx", "entities.xlsx", "far-apart.xlsx",
        ])
    func hostile(_ name: String) throws {
        #expect(throws: Workbook.Failure.self) { try Workbook(reading: name, below: Self.folder) }
    }

    @Test("that is damaged anywhere is refused or read, never a crash")
    func damaged() throws {
        let bytes = try UntrustedFile.read("openpyxl.xlsx", below: Self.folder, maximumBytes: 1 << 20)
        var seed = ProcessInfo.processInfo.environment["LLMBENCH_TEST_SEED"].flatMap { UInt64($0) } ?? 20_26
        print("seed of the damaged workbooks: \(seed)")
        func random(_ bound: Int) -> Int {
            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(seed >> 33) % bound
        }
        for length in stride(from: 0, to: bytes.count, by: 97) { _ = try? Workbook(Array(bytes[..<length])) }
        for _ in 0..<400 {
            var changed = bytes
            for _ in 0..<(1 + random(4)) { changed[random(changed.count)] = UInt8(random(256)) }
            _ = try? Workbook(changed)
        }
        #expect(throws: Workbook.Failure.self) { try Workbook(Array(bytes.dropLast(bytes.count / 2))) }
        #expect(throws: Workbook.Failure.self) { try Workbook([]) }
    }

    @Test("names its cells as spreadsheets do")
    func references() {
        #expect(Workbook.reference(row: 0, column: 0) == "A1")
        #expect(Workbook.reference(row: 11, column: 27) == "AB12")
        for column in [0, 25, 26, 51, 52, 701, 702, 16_383] {
            let position = Workbook.position(Workbook.reference(row: 6, column: column))
            #expect(position?.row == 6 && position?.column == column)
        }
        #expect(Workbook.position("12") == nil)
        #expect(Workbook.position("A0") == nil)
    }
}
