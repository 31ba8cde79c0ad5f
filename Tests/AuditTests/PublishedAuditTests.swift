import PublishedFigures
import Testing

@testable import Audit

/// Everything that the README of the published figures lists, found from the numbers.
@Suite("The audit of the published tables")
struct PublishedAuditTests {
    private func findings(_ check: String, in tables: PublishedTables? = nil) throws -> [AuditFinding] {
        PublishedAudit(try tables ?? PublishedTables()).report().findings.filter { $0.check == check }
    }

    @Test("Myoma and Retina of 2025 are the same numbers, and no other two lists are")
    func copiedList() throws {
        let found = try findings("published-lists")
        #expect(found.count == 1 && found[0].severity == .error, "\(found)")
        #expect(found[0].place == "test_dice.csv, Myoma 2025 and Retina 2025")
        #expect(found[0].what.hasPrefix("all 11 values are the same, number for number"), "\(found)")
        var tables = try PublishedTables()
        for index in tables.testDice.indices where tables.testDice[index].dataset == "Retina" {
            tables.testDice[index].dice += 0.0001 * Double(tables.testDice[index].rank)
        }
        #expect(try findings("published-lists", in: tables).isEmpty)
    }

    @Test("The medians of table 3 follow for no dataset, and their differences for all")
    func medians() throws {
        let found = try findings("published-medians")
        #expect(found.count == 6 && found.allSatisfy { $0.severity == .warning }, "\(found)")
        let bagls = try #require(found.first { $0.place == "table3.csv, BAGLS" })
        #expect(bagls.what.contains("2024: 0.8396 there, 0.7344 from the per-model means"), "\(bagls.what)")
        var tables = try PublishedTables()
        tables.table3[1].difference += 0.01
        #expect(try findings("published-medians", in: tables).count { $0.severity == .error } == 1)
    }

    @Test("U and p of all six rows of table 3 follow, five exactly and Skin with its tie, and are said to")
    func rankTests() throws {
        let found = try findings("published-rank-tests")
        #expect(found.count == 1 && found[0].severity == .note, "\(found)")
        #expect(found[0].what.hasPrefix("U and p of 6 of 6 rows follow from test_dice.csv"), "\(found)")
        for part in [
            "BAGLS (U = 65, p = 0.0454: exact, one-sided)", "Bolus (U = 52, p = 0.2724: exact, one-sided)",
            "Brain (U = 54, p = 0.2211: exact, one-sided)",
            "Skin (U = 61, p = 0.0864: tie-corrected normal, one-sided)",
            "Myoma (U = 54, p = 0.2211: exact, one-sided)", "Retina (U = 70, p = 0.0164: exact, one-sided)",
        ] { #expect(found[0].what.contains(part), "\(found[0].what)") }
    }

    @Test("A U, a p or a mark of table 3 that does not follow is found")
    func alteredTable3() throws {
        var tables = try PublishedTables()
        tables.table3[0].u = 64
        tables.table3[5].p = 0.0016
        tables.table3[1].isSignificant = true
        let found = try findings("published-rank-tests", in: tables)
        #expect(
            found.filter { $0.severity == .error }.map(\.place).sorted() == [
                "table3.csv, BAGLS", "table3.csv, Bolus", "table3.csv, Retina",
            ])
        #expect(
            found.contains { $0.what.contains("U = 70 and p = 0.0016; the data give U = 70, and p = 0.0") }, "\(found)")
        #expect(found.contains { $0.what.hasPrefix("U and p of 4 of 6 rows follow") }, "\(found)")
    }

    @Test("The running text's p of BAGLS and Retina are not those of table 3")
    func statedP() throws {
        let found = try findings("published-statements").filter { $0.place.contains("table3.csv") }
        #expect(
            Set(found.map(\.what)) == [
                "p of 2025 above 2024: the running text says 0.0016, the table 0.0164",
                "p of 2025 above 2024: the running text says 0.0045, the table 0.0454",
            ])
        #expect(found.allSatisfy { $0.severity == .warning })
    }

    @Test("DeepSeek is closed in the text and open in the table")
    func deepSeek() throws {
        let found = try findings("published-statements").filter { $0.place.contains("models.csv") }
        #expect(
            found.map(\.place).sorted() == [
                "running text and models.csv, deepseek-r1", "running text and models.csv, deepseek-v3",
            ])
        #expect(found.allSatisfy { $0.what == "weights: the running text says closed, the table open" }, "\(found)")
        var tables = try PublishedTables()
        for index in tables.models.indices where tables.models[index].vendor == "DeepSeek" {
            tables.models[index].hasOpenWeights = false
        }
        #expect(try findings("published-statements", in: tables).count == 2)
        tables.statements[2].subject = "gpt-5"
        #expect(
            try findings("published-statements", in: tables).contains { $0.what.hasPrefix("no table speaks of it") })
    }

    @Test("Caption and text of figure 8 disagree about all four comparisons")
    func figure8() throws {
        let found = try findings("published-figure8").filter { $0.severity == .warning }
        #expect(found.count == 4, "\(found)")
        #expect(
            found.contains {
                $0.place == "figure8.csv, 2025 vs 2024, validation"
                    && $0.what == "the caption has U = 57, p = 0.014; the text has U = 12, p = 0.001"
            }, "\(found)")
    }

    @Test("U = 57 with 8 against 11 cannot have p = 0.014, and no p of the text belongs to its U")
    func impossible() throws {
        let found = try findings("published-figure8").filter { $0.severity == .error }
        #expect(
            found.map(\.place).sorted() == [
                "figure8.csv, caption, 2025 vs 2024, validation", "figure8.csv, text, 2025 vs 2024, test",
                "figure8.csv, text, 2025 vs 2024, validation", "figure8.csv, text, reasoning vs non-reasoning, test",
                "figure8.csv, text, reasoning vs non-reasoning, validation",
            ])
        let caption = try #require(found.first { $0.place.contains("caption") })
        #expect(
            caption.what
                == "U = 57 with 11 against 8 cannot have p = 0.014: one-sided it is 0.155, two-sided 0.31", "\(caption)"
        )
    }

    @Test("Of the lists, Bolus 2024 alone is not sorted")
    func order() throws {
        let found = try findings("published-order")
        #expect(found.map(\.place) == ["test_dice.csv, Bolus 2024"] && found[0].severity == .note, "\(found)")
    }

    @Test("Nothing else is found")
    func nothingElse() throws {
        let report = PublishedAudit(try PublishedTables()).report()
        #expect(!report.isClean)
        #expect(report.findings.count == 1 + 6 + 1 + 4 + 4 + 5 + 1, "\(report.findings)")
        #expect(report.checks.map(\.findings) == [1, 1, 6, 1, 9, 4])
    }
}
