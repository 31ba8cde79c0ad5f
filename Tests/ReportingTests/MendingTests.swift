import Foundation
import ResultStore
import Statistics
import Testing

@testable import Reporting

/// Conversations written as letters: an upper-case letter is an error of that signature, `x` a reply without files, `?` a
/// clarification, `.` a run that is clean.
private struct Script {
    let workspace: Workspace
    let store: ResultStore

    init() throws {
        workspace = Workspace(
            root: FileManager.default.temporaryDirectory.appending(path: "llmbench-mending-\(UUID().uuidString)"))
        store = try ResultStore(path: workspace.database(study: "s"))
    }

    func remove() { try? FileManager.default.removeItem(at: workspace.root) }

    func evidence() throws -> StudyEvidence { try StudyEvidence(store: store, study: "s") }

    func add(
        _ text: String, model: String = "m", run: Int = 1, year: Int? = nil, priced: Bool = true,
        status: RunRecord.Status? = nil
    ) throws {
        let key = RunKey(study: "s", dataset: "d", model: model, target: "pytorch", promptHash: "abcd1234", index: run)
        var record = RunRecord(key: key, provider: "openai", cohortYear: year, datasetHash: "h")
        record.status = status ?? (text.hasSuffix(".") ? .succeeded : .roundLimit)
        let id = try store.beginRun(record).id ?? -1
        for (round, letter) in text.enumerated() {
            var exchange = try store.insertExchange(
                ExchangeRecord(runId: id, round: round, ordinal: 0, requestHash: "h"))
            (exchange.status, exchange.inputTokens, exchange.outputTokens) = (.complete, 100, 10)
            (exchange.totalSeconds, exchange.cost) = (2, priced ? 0.5 : nil)
            try store.updateExchange(exchange)
            let outcome: RoundRecord.Outcome =
                switch letter {
                case ".": .clean
                case "?": .clarification
                case "x": .extraction
                default: .error
                }
            let failed = outcome == .error || outcome == .extraction
            try store.finishRound(
                RoundRecord(runId: id, round: round, outcome: outcome, files: [], codeLines: 1, checkSeconds: 3),
                error: failed
                    ? ErrorRecord(
                        runId: id, round: round, errorClass: letter == "x" ? "ExtractionError" : "\(letter)Error",
                        subcategory: "other", message: "no", signature: "\(letter)") : nil,
                interactions: [])
        }
    }
}

@Suite("Errors and what mending them takes")
struct MendingTests {
    /// "A 2 another 3": signature, sightings, end, replies spent on it.
    private func episodes(_ text: String) throws -> [String] {
        let script = try Script()
        defer { script.remove() }
        try script.add(text)
        return try script.evidence().runs[0].errorEpisodes.map {
            "\($0.signature) \($0.sightings) \($0.end) \($0.effort.replies)"
        }
    }

    @Test(
        "an error lasts until a check no longer shows it",
        arguments: [
            (".", []), ("A.", ["A 1 ran 1"]), ("AAB.", ["A 2 another 2", "B 1 ran 1"]),
            ("ABA", ["A 1 another 1", "B 1 returned 1", "A 1 open 0"]),
            // A clarification is no check: the reply after it is still one to A.
            ("A?.", ["A 1 ran 2"]),
            // A reply without files says nothing of A, which is there again or gone once there are files.
            ("AxA.", ["A 2 ran 2", "x 1 returned 1"]), ("AxxB", ["A 1 another 1", "x 2 another 2", "B 1 open 0"]),
            ("x.", ["x 1 ran 1"]), ("Ax", ["A 1 open 1", "x 1 open 0"]),
        ] as [(String, [String])])
    func lasts(text: String, expected: [String]) throws {
        #expect(try episodes(text) == expected)
    }

    private func row(_ table: ReportTable, _ name: String) throws -> [String: ReportTable.Cell] {
        let row = try #require(table.rows.first { $0[0] == .text(name) }, "\(table.rows)")
        return Dictionary(uniqueKeysWithValues: zip(table.columns.map(\.key), row))
    }

    @Test("mending is told in replies, seconds, tokens and money an error")
    func mending() throws {
        let script = try Script()
        defer { script.remove() }
        try script.add("AAB.")
        try script.add("C", run: 2)
        try script.add("A.", model: "free", priced: false)
        let table = try script.evidence().mendingTable()
        let cells = try row(table, "m")
        #expect(cells["errors"] == .integer(3) && cells["mended"] == .integer(2) && cells["open"] == .integer(1))
        // Two replies to A, one to B; each 5 s, 110 tokens, US$ 0.5.
        #expect(cells["replies_per_mended"] == .number(1.5, digits: 2))
        #expect(cells["seconds_per_mended"] == .number(7.5, digits: 1))
        #expect(cells["tokens_per_mended"] == .number(165, digits: 0))
        #expect(cells["cost_per_mended_usd"] == .number(0.75, digits: 4))
        #expect(cells["then_ran"] == .integer(1) && cells["then_another"] == .integer(1))
        #expect(cells["another_share"] == .number(0.5, digits: 2))
        // scipy: binomtest(1, 2).proportion_ci(method="wilson") = 0.0945, 0.9055
        #expect(cells["another_interval"] == .text("0.09 – 0.91"))
        #expect(try row(table, "free")["cost_per_mended_usd"] == .missing)
    }

    @Test("kinds count an error that is met again once, and say in how many runs it was")
    func kinds() throws {
        let script = try Script()
        defer { script.remove() }
        try script.add("AAB.")
        try script.add("A.", model: "n")
        let table = try script.evidence().errorKindsTable()
        let all = table.rows.filter { $0[0] == .text("all 2 models") }.map { $0.map(\.shown) }
        #expect(
            all == [
                ["all 2 models", "AError", "other", "3", "2", "2", "2", "2", "1.50", "2"],
                ["all 2 models", "BError", "other", "1", "1", "1", "1", "1", "1.00", "1"],
            ])
        #expect(table.rows.count == 5)
    }

    @Test("success within k rounds counts what ended or goes on without success until there")
    func success() throws {
        let script = try Script()
        defer { script.remove() }
        for (run, text) in [".", "A.", "AB.", "AAAA", "A"].enumerated() {
            try script.add(text, run: run + 1, status: run == 4 ? .running : nil)
        }
        let rounds = RoundsToSuccess(try script.evidence().runs)
        #expect(rounds.count == 5 && rounds.succeeded == 3 && rounds.last == 3)
        // By hand: S(0) = 4/5, S(1) = 4/5 · 2/3 (three watched: the run that goes on was watched until 0), S(2) = 4/15.
        let shares = (0...3).map { rounds.within($0)?.share ?? .nan }
        for (mine, expected) in zip(shares, [1.0 / 5, 7.0 / 15, 11.0 / 15, 11.0 / 15]) {
            #expect(abs(mine - expected) < 1e-12, "\(shares)")
        }
        // Everything was watched at 0, so that the interval is Wilson's: binomtest(1, 5).proportion_ci(method="wilson").
        let atOnce = try #require(rounds.within(0))
        #expect(!atOnce.isEstimate && abs((atOnce.interval?.lower ?? 0) - 0.036224108632430196) < 1e-10)
        let later = try #require(rounds.within(2))
        #expect(later.isEstimate && (later.interval?.lower ?? 1) < later.share)
        #expect(rounds.within(4) == nil && rounds.median == 2)
        #expect([0, 1, 2, 3].map(rounds.atRisk) == [5, 3, 2, 1] && rounds.censored(at: 3) == 1)
        let cells = try row(script.evidence().successTable(), "m")
        #expect(cells["within_0"]?.shown == "0.20" && cells["succeeded"] == .integer(3))
    }

    @Test("the curve of rounds to success is Kaplan and Meier's, with a band for three models or more")
    func figure() throws {
        let script = try Script()
        defer { script.remove() }
        for model in 0..<6 {
            try script.add(
                String(repeating: "A", count: model) + (model == 5 ? "" : "."), model: "m\(model)",
                year: 2024 + model % 2)
        }
        let evidence = try script.evidence()
        let figure = try #require(evidence.roundsToSuccessFigure())
        #expect(figure.panels.map(\.title) == ["all conversations", "by cohort"])
        let all = figure.panels[0].curves[0]
        let reference = try SurvivalCurve(
            (0..<6).map { SurvivalTime(time: Double(min($0, 4)), isEvent: $0 < 5) })
        for point in all.points {
            let step = reference.steps.last { $0.time <= Double(point.rounds) }
            #expect(abs(point.share - (1 - (step?.survival ?? 1))) < 1e-12)
            let band = try #require(point.interval)
            #expect(band.contains(point.share) && band.upperBound > band.lowerBound, "\(point)")
        }
        #expect(figure.panels[1].curves.map(\.label) == ["2024", "2025"])
        let files = try figure.write(to: script.workspace.root, formats: [.svg])
        let drawing = try String(contentsOf: try #require(files.first), encoding: .utf8)
        #expect(drawing.contains("<path"))
    }

    @Test("stated choices are counted against those of the capture")
    func stated() throws {
        let sample = try SampleStudy()
        defer { sample.remove() }
        let table = try sample.evidence().statedChoicesTable()
        let rate = try row(table, "learning rate")
        #expect(rate["stated"] == .integer(1) && rate["agree"] == .integer(0))
        #expect(rate["differ_in"] == .text("learner: 0.002 (said: 0.001)"))
        #expect(try row(table, "encoder")["agree"] == .integer(1))
    }
}
