import Foundation
import ResultStore
import Testing

@Suite("llmbench audit")
struct AuditCommandTests {
    /// A table beside the workspace, and what `audit` says of it.
    private func audit(
        _ table: String, _ arguments: [String] = [], name: String = "t.csv"
    ) async throws -> Program.Outcome {
        let workspace = try ScratchWorkspace(hasDataset: false)
        let file = workspace.root.appending(path: name)
        try Data(table.utf8).write(to: file)
        return try await workspace.program().run(["audit", name] + arguments)
    }

    @Test("A sound table leaves with 0, a faulty one with 1, and both say so")
    func tables() async throws {
        let sound = try await audit("model,dice\na,0.91\nb,0.84\nc,0.77\n")
        #expect(sound.status == 0 && sound.output == "Audit of table t.csv: clean (8 checks)\n", "\(sound)")
        let faulty = try await audit("model,dice\na,0.91\nb,1.84\nc,0.77\n")
        #expect(faulty.status == 1 && faulty.errors.isEmpty, "\(faulty)")
        for part in [
            "Audit of table t.csv: 1 error (8 checks)", "ERROR  table-range  t.csv, line 3",
            "1 of 3 values of 'dice' lie outside [0, 1], the first: 1.84", "why: ", "look: sed -n '1p;3p' t.csv",
        ] { #expect(faulty.output.contains(part), "\(faulty)") }
        let noted = try await audit("model,dice\na,0.91\nb,\nc,0.77\nd,0.52\n")
        #expect(noted.status == 0 && noted.output.contains("clean, 1 note"), "\(noted)")
    }

    @Test("Columns can be named")
    func columns() async throws {
        let table = "who,when,dice\n" + (0..<24).map { "a,\($0 / 12),0.\(100 + 37 * ($0 % 12))\n" }.joined()
        let outcome = try await audit(table, ["--value", "dice", "--group", "when"])
        #expect(outcome.status == 1 && outcome.output.contains("its 12 values are those of 1 dice"), "\(outcome)")
    }

    @Test("--json has the fields that Documentation/Audit.md promises")
    func json() async throws {
        let workspace = try ScratchWorkspace(hasDataset: false)
        let outcome = try await workspace.llmbench("audit", "--published", "--json")
        #expect(outcome.status == 1, "\(outcome)")
        let report = try outcome.object()
        #expect(Set(report.keys) == ["subject", "audited_at", "checks", "findings"])
        let checks = try #require(report["checks"] as? [[String: Any]])
        #expect(checks.count == 6 && checks.allSatisfy { Set($0.keys) == ["id", "asks", "findings"] })
        let findings = try #require(report["findings"] as? [[String: Any]])
        #expect(findings.allSatisfy { Set($0.keys) == ["check", "severity", "place", "what", "why", "look"] })
        #expect(findings.contains { ($0["place"] as? String) == "test_dice.csv, Myoma 2025 and Retina 2025" })
    }

    @Test("A store without anything in it is nothing to audit, and not clean")
    func empty() async throws {
        let workspace = try ScratchWorkspace(hasDataset: false)
        let folder = workspace.root.appending(path: "results/bare")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        _ = try ResultStore(path: folder.appending(path: "bench.sqlite"))
        let outcome = try await workspace.llmbench("audit", "--study", "bare")
        #expect(outcome.status == 2 && outcome.errors.contains("study 'bare' has no runs to audit"), "\(outcome)")
    }

    @Test("A study that holds together leaves with 0; one whose prompt was changed since with 1")
    func study() async throws {
        let workspace = try ScratchWorkspace()
        #expect(try await workspace.makeStudy().status == 1)
        let clean = try await workspace.llmbench("audit")
        #expect(clean.status == 0 && clean.output.hasPrefix("Audit of study default: clean"), "\(clean)")
        let folder = workspace.root.appending(path: "generated/default")
        try FileManager.default.moveItem(at: folder, to: folder.appendingPathExtension("away"))
        let gone = try await workspace.llmbench("audit")
        #expect(gone.status == 1 && gone.output.contains("WARNING  files  default/"), "\(gone)")
        try FileManager.default.moveItem(at: folder.appendingPathExtension("away"), to: folder)
        let prompt = workspace.root.appending(path: "prompts/pytorch.md")
        try Data((try String(contentsOf: prompt, encoding: .utf8) + "\nPlease.\n").utf8).write(to: prompt)
        let changed = try await workspace.llmbench("audit")
        #expect(changed.status == 1 && changed.output.contains("WARNING  prompt-changed"), "\(changed)")
    }

    @Test("A report carries the audit, and the audit tells when the report is older than the data")
    func reports() async throws {
        let workspace = try ScratchWorkspace()
        _ = try await workspace.makeStudy()
        for arguments in [["report", "html"], ["report", "all", "--format", "xlsx"]] {
            let outcome = try await workspace.program().run(arguments)
            #expect(outcome.status == 0, "\(outcome)")
        }
        let folder = workspace.root.appending(path: "results/default/report")
        let page = try String(contentsOf: folder.appending(path: "index.html"), encoding: .utf8)
        #expect(page.contains("23 checks on "), "\(page.prefix(3000))")
        let fresh = try await workspace.llmbench("audit")
        #expect(fresh.status == 0 && !fresh.output.contains("figure-age"), "\(fresh)")
        _ = try await workspace.llmbench(
            "generate", "--model", "fixture-prose", "--dataset", "disc", "--runs", "3", "--max-rounds", "0")
        let stale = try await workspace.llmbench("audit")
        #expect(stale.status == 1 && stale.output.contains("WARNING  figure-age"), "\(stale)")
    }

    @Test("Control characters of a table never reach the terminal")
    func hostile() async throws {
        let outcome = try await audit("model,dice\u{1b}]0;owned\u{7}\na\u{202e}b,0.5\nc,1.5\nd,0.2\n", name: "t.csv")
        #expect(outcome.status == 1 && outcome.output.contains("dice\\u{1b}]0;owned\\u{7}"), "\(outcome)")
        #expect(!outcome.output.unicodeScalars.contains { $0.value == 0x1b || $0.value == 7 || $0.value == 0x202e })
    }

    @Test(
        "What cannot be audited is said in a line",
        arguments: [
            (["audit", "gone.csv"], "there is no readable file gone.csv"),
            (["audit", "models.yaml", "--published"], "audit either a FILE or the --published tables, not both"),
            (["audit", "--value", "dice"], "--value and --group name columns of a table: give its FILE.csv"),
            (["audit", "--study", "empty"], "study 'empty' has no runs to audit"),
            (["audit", "t.csv", "--value", "dise"], "t.csv: no column 'dise': the table has model, dice"),
            (["audit", "t.csv", "--value", "model"], "column 'model' of t.csv holds no numbers"),
            (["audit", "empty.csv"], "empty.csv: the table is empty"),
            (["audit", "latin.csv"], "latin.csv is no UTF-8 text"),
        ])
    func refusals(arguments: [String], says: String) async throws {
        let workspace = try ScratchWorkspace(hasDataset: false)
        try Data("model,dice\na,0.5\n".utf8).write(to: workspace.root.appending(path: "t.csv"))
        try Data().write(to: workspace.root.appending(path: "empty.csv"))
        try Data([0x6d, 0xfc, 0x0a]).write(to: workspace.root.appending(path: "latin.csv"))
        let outcome = try await workspace.program().run(arguments)
        #expect(outcome.status == 2 && outcome.errors.contains(says), "\(outcome)")
    }
}
