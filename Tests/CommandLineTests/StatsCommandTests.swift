import Foundation
import Testing

@Suite("stats compare")
struct StatsCommandTests {
    private static let table = """
        dataset,cohort,rank,mean_test_dice
        Bolus,2024,1,0.70
        Bolus,2024,2,0.72
        Bolus,2024,3,0.65
        Bolus,2025,1,0.80
        Bolus,2025,2,0.71
        Bolus,2025,3,0.90
        Skin,2024,1,0.5
        Skin,2024,2,0.6
        Skin,2024,3,0.55
        Skin,2025,1,0.9
        Skin,2025,2,0.91
        Skin,2025,3,0.92

        """

    private func compare(_ text: String, _ arguments: String...) async throws -> Program.Outcome {
        let scratch = try Scratch()
        try text.write(to: scratch.url.appending(path: "table.csv"), atomically: true, encoding: .utf8)
        return try await Program.llmbench(in: scratch.url).run(["stats", "compare", "table.csv"] + arguments)
    }

    @Test("every p comes with n, effect, interval and correction")
    func rows() async throws {
        let outcome = try await compare(
            Self.table, "--by", "cohort", "--value", "mean_test_dice", "--first", "2025", "--alternative", "greater",
            "--json")
        let rows = try outcome.objects()
        #expect(rows.count == 2 && outcome.status == 0 && outcome.errors.isEmpty, "\(outcome)")
        let bolus = rows[0]
        #expect(bolus["dataset"] as? String == "Bolus" && bolus["group_a"] as? String == "2025")
        #expect(bolus["n_a"] as? Int == 3 && bolus["n_b"] as? Int == 3)
        // By hand: 8 of 9 pairs; 2 of the 20 arrangements reach that.
        #expect(bolus["u"] as? Double == 8 && abs((bolus["p"] as? Double ?? 0) - 0.1) < 1e-12)
        #expect(bolus["method"] as? String == "exact" && bolus["alternative"] as? String == "greater")
        #expect(abs((bolus["effect"] as? Double ?? 0) - 7.0 / 9) < 1e-12)
        #expect((bolus["interval"] as? [Double])?.count == 2 && bolus["effect_name"] as? String == "Cliff's delta")
        #expect(bolus["correction"] as? String == "holm" && bolus["family_size"] as? Int == 2)
        #expect(abs((rows[1]["p_adjusted"] as? Double ?? 0) - 0.1) < 1e-12)
        // Three against three have no 95 % interval of the shift: null, and the field is there.
        #expect(bolus["shift_interval"] is NSNull && abs((bolus["shift"] as? Double ?? 0) - 0.1) < 1e-12)
    }

    @Test("the text says what was compared and how it was corrected")
    func text() async throws {
        let outcome = try await compare(
            Self.table, "--by", "cohort", "--value", "mean_test_dice", "--correction", "bonferroni", "--level", "0.9")
        #expect(outcome.status == 0, "\(outcome)")
        for part in [
            "dataset", "median [IQR] 2024", "Bolus", "3, 3", "Mann-Whitney U of 2024 against 2025, two-sided",
            "Bonferroni over 2 tests", "intervals at 90 %", "exact",
        ] { #expect(outcome.output.contains(part), "\(part): \(outcome)") }
    }

    @Test("a table of one dataset and one column of numbers needs no further name")
    func shortest() async throws {
        let rows = try await compare(
            "reasoning,dice\nyes,0.9\nno,0.5\nyes,0.8\nno,0.8\n", "--by", "reasoning", "--json"
        )
        .objects()
        #expect(rows.count == 1 && rows[0]["dataset"] as? String == "all" && rows[0]["u"] as? Double == 0.5)
        #expect(rows[0]["method"] as? String == "asymptotic")
        let permuted = try await compare(
            "reasoning,dice\nyes,0.9\nno,0.5\nyes,0.8\nno,0.8\n", "--by", "reasoning", "--method", "permutation",
            "--json")
        #expect(try permuted.objects()[0]["method"] as? String == "exact permutation")
    }

    @Test("--published table3 sets U and p beside the published ones, and they agree")
    func published() async throws {
        let program = try Program.llmbench(in: Scratch().url.deletingLastPathComponent())
        let rows = try await program.run(["stats", "compare", "--published", "table3", "--json"]).objects()
        #expect(rows.compactMap { $0["u"] as? Double } == [65, 52, 54, 61, 54, 70])
        #expect(rows.compactMap { $0["published_p"] as? Double } == [0.0454, 0.2724, 0.2211, 0.0864, 0.2211, 0.0164])
        #expect(rows.allSatisfy { $0["agrees"] as? Bool == true }, "\(rows)")
        let shown = try await program.run(["stats", "compare", "--published", "table3"])
        #expect(shown.output.contains("10.59275/j.melba.2026-9369") && shown.output.contains("Holm over 6 tests"))
        #expect(!shown.output.contains("differ"))
        // With another method our p differ, and the table says so.
        let other = try await program.run(["stats", "compare", "--published", "table3", "--method", "asymptotic"])
        #expect(other.output.contains("differ"), "\(other)")
    }

    @Test(
        "a table that cannot be compared gets one line that says why",
        arguments: [
            ("", ["--by", "a"], "table.csv: the table is empty"),
            ("a,b\n1\n", ["--by", "a"], "line 2 has 1 field where the first line names 2"),
            ("cohort,dice\n1,2\n", ["--by", "cohorts"], "no column 'cohorts': did you mean cohort?"),
            ("cohort,dice\n1,2\n", ["--by", "zzzzzz"], "no column 'zzzzzz': the table has cohort, dice"),
            ("g,x,y\na,1,2\nb,2,3\n", ["--by", "g"], "several columns hold numbers (x, y): name one with --value"),
            ("g,x\na,one\nb,2\n", ["--by", "g"], "no column holds numbers in every row: name one with --value"),
            ("g,x\na,one\nb,2\n", ["--by", "g", "--value", "x"], "line 2: x is 'one', which is no finite number"),
            ("g,x\na,1\nb,inf\n", ["--by", "g", "--value", "x"], "line 3: x is 'inf'"),
            ("g,x\na,1\na,2\n", ["--by", "g"], "column 'g' parts the rows into 1 groups ('a') where two are compared"),
            ("g,x\na,1\nb,2\nc,2\n", ["--by", "g"], "into 3 groups ('a', 'b', 'c')"),
            ("g,x\n", ["--by", "g", "--value", "x"], "into 0 groups where two are compared"),
            (
                "g,x\na,1\nb,2\n", ["--by", "g", "--first", "d"],
                "no row has 'd' in column 'g': give --first 'a' or 'b'"
            ),
            (
                "dataset,g,x\nS,a,1\nS,b,2\nT,a,3\n", ["--by", "g"],
                "dataset 'T' has rows of one group only: both 'a' and 'b' are needed"
            ),
            ("group\u{1b}[2J,value\na,1\nb,2\n", ["--by", "kkkkkkkkk"], "the table has group\\x1b[2J, value"),
        ])
    func badTables(text: String, arguments: [String], sentence: String) async throws {
        let scratch = try Scratch()
        try text.write(to: scratch.url.appending(path: "table.csv"), atomically: true, encoding: .utf8)
        let outcome = try await Program.llmbench(in: scratch.url).run(["stats", "compare", "table.csv"] + arguments)
        FailureTests.expect(
            outcome, FailureSpecification(name: sentence, arguments: arguments, status: 2, says: [sentence]))
    }

    @Test("a test that its values do not allow fails with the dataset's name")
    func refusals() async throws {
        let tied = try await compare(
            "g,x\na,1\nb,1\n", "--by", "g", "--method", "exact")
        FailureTests.expect(
            tied,
            FailureSpecification(name: "ties", arguments: [], status: 1, says: ["all: ", "holds without ties"]))
    }

    @Test("a file that is none, or no text, and options that contradict each other")
    func files() async throws {
        let scratch = try Scratch()
        try Data([0xff, 0xfe, 0x00]).write(to: scratch.url.appending(path: "binary.csv"))
        let program = try Program.llmbench(in: scratch.url)
        for (file, sentence) in [
            ("gone.csv", "cannot open"), (".", "is not a regular file"), ("binary.csv", "is no text in UTF-8"),
        ] {
            FailureTests.expect(
                try await program.run(["stats", "compare", file, "--by", "g"]),
                FailureSpecification(name: file, arguments: [], status: 2, says: [sentence]))
        }
        for (arguments, sentence) in [
            ([], "name a table to compare"), (["x.csv"], "--by COLUMN"),
            (["x.csv", "--published", "table3"], "leave out the file"),
            (["x.csv", "--by", "g", "--level", "95"], "the level 95.0 is no confidence"),
        ] {
            let outcome = try await program.run(["stats", "compare"] + arguments)
            #expect(outcome.status == 2 && outcome.errors.contains(sentence), "\(outcome)")
        }
    }
}
