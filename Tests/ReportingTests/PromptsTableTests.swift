import Foundation
import ResultStore
import Statistics
import Testing

@testable import Reporting

/// Conversations of two prompts in a real store; every number is written here and stands for nothing.
private struct AskedStudy {
    let workspace: Workspace
    let store: ResultStore

    init() throws {
        workspace = Workspace(
            root: FileManager.default.temporaryDirectory.appending(path: "llmbench-prompts-\(UUID().uuidString)"))
        store = try ResultStore(path: workspace.database(study: "asked"))
    }

    func remove() { try? FileManager.default.removeItem(at: workspace.root) }

    func evidence() throws -> StudyEvidence { try StudyEvidence(store: store, study: "asked") }

    /// - Parameters:
    ///   - errors: replies fed back before it ran; with `ran` false it never did.
    ///   - hash: of the prompt as sent, which is another on another dataset.
    func add(
        _ model: String, _ prompt: String?, hash: String, dataset: String = "d", run: Int = 1, errors: Int,
        ran: Bool = true, dice: [Double] = [], cost: Double? = 0.1
    ) throws {
        let key = RunKey(
            study: "asked", dataset: dataset, model: model, target: "pytorch", promptHash: hash, index: run)
        var record = RunRecord(
            key: key, provider: "openai", templateHash: "feedbeef00", samplingSeed: prompt == "brief" ? 6 + run : nil,
            promptName: prompt, datasetHash: "h")
        record.status = ran ? .succeeded : .roundLimit
        let id = try #require(try store.beginRun(record).id)
        for round in 0..<(errors + (ran ? 1 : 0)) {
            let failed = round < errors
            try store.finishRound(
                RoundRecord(runId: id, round: round, outcome: failed ? .error : .clean, files: [], codeLines: 1),
                error: failed
                    ? ErrorRecord(
                        runId: id, round: round, errorClass: "ValueError", subcategory: "other", message: "no",
                        signature: "x") : nil,
                interactions: failed
                    ? [InteractionRecord(runId: id, round: round, ordinal: 0, kind: .error, text: "no")] : [])
        }
        var exchange = try store.insertExchange(ExchangeRecord(runId: id, round: 0, ordinal: 0, requestHash: "r"))
        (exchange.status, exchange.cost, exchange.outputTokens) = (.complete, cost, 1000 * (errors + 1))
        try store.updateExchange(exchange)
        guard !dice.isEmpty else { return }
        var training = try store.beginTraining(
            TrainingRecord(runId: id, engine: .swift, seed: 0, epochs: 1, datasetHash: "h"))
        try store.storeHeldOut(
            dice.enumerated().map {
                HeldOutRecord(trainingId: training.id ?? -1, sample: "s\($0)", dice: $1, modelGridDice: nil)
            },
            batches: [0.5], training: training.id ?? -1)
        training.status = .evaluated
        try store.updateTraining(training)
    }
}

@Suite("The table of prompts")
struct PromptsTableTests {
    private func rows(_ table: ReportTable) -> [[String: ReportTable.Cell]] {
        table.rows.map { Dictionary(zip(table.columns.map(\.key), $0), uniquingKeysWith: { first, _ in first }) }
    }

    private func number(_ cell: ReportTable.Cell?) -> Double? {
        switch cell {
        case .number(let value, _): value
        case .integer(let value): Double(value)
        default: nil
        }
    }

    /// Model a: brief runs at once and after one error, plain after two and never. Model b: brief after one error.
    private func study() throws -> AskedStudy {
        let study = try AskedStudy()
        try study.add("a", "brief", hash: "11111111", errors: 0, dice: [0.8, 0.6], cost: 0.25)
        try study.add("a", "brief", hash: "22222222", dataset: "e", run: 2, errors: 1, dice: [0.5])
        try study.add("a", "plain", hash: "33333333", errors: 2, dice: [0.4])
        try study.add("a", "plain", hash: "44444444", dataset: "e", errors: 4, ran: false, cost: nil)
        try study.add("b", "brief", hash: "11111111", errors: 1)
        return study
    }

    @Test("sets the prompts of a model side by side, over datasets, with counts, shares, Dice and cost")
    func sideBySide() throws {
        let study = try study()
        defer { study.remove() }
        let table = rows(try study.evidence().promptsTable())
        let named = table.map { "\($0["model"]?.shown ?? "") \($0["prompt"]?.shown ?? "")" }
        // Plain was asked of one model: there is nothing to average over.
        #expect(named == ["all 2 models brief", "a brief", "a plain", "b brief"])
        let (brief, plain) = (table[1], table[2])
        #expect(number(brief["runs"]) == 2 && number(brief["datasets"]) == 2 && number(brief["succeeded"]) == 2)
        #expect(number(plain["succeeded"]) == 1 && number(plain["errors"]) == 3)
        #expect(number(brief["within_0"]) == 0.5 && number(brief["within_1"]) == 1)
        let wilson = try Statistics.shareInterval(successes: 1, of: 2)
        #expect(brief["within_0_interval"] == StudyEvidence.interval(wilson, digits: 2))
        #expect(number(plain["within_0"]) == 0 && number(plain["within_3"]) == 0.5)
        // Datasets weigh the same: (0.7 + 0.5) / 2.
        #expect(number(brief["mean_dice"]).map { abs($0 - 0.6) < 1e-12 } == true)
        #expect(number(plain["scored_runs"]) == 1 && number(plain["mean_dice"]).map { abs($0 - 0.4) < 1e-12 } == true)
        #expect(number(brief["cost_per_run_usd"]).map { abs($0 - 0.175) < 1e-12 } == true)
        #expect(plain["cost_per_run_usd"] == .missing, "the price of one run is not known")
        #expect(number(brief["output_tokens_per_run"]) == 1500)
        #expect(brief["template"] == .text("feedbeef") && plain["asked_with"] == .missing)
        #expect(brief["asked_with"] == .text("seed 7"), "run 2 has seed 8, and is asked as run 1 is")
        // Each model weighs the same: a half, and none of b at once.
        #expect(number(table[0]["within_0"]) == 0.25 && table[0]["within_0_interval"] == .missing)
    }

    /// Every cell of a workbook as text, read by openpyxl.
    private func cells(of book: URL) throws -> [String] {
        let python = try #require(
            ProcessInfo.processInfo.environment["LLMBENCH_PYTHON"],
            "LLMBENCH_PYTHON is not set: run the tests through scripts/test")
        let (process, output) = (Process(), Pipe())
        process.executableURL = URL(filePath: python)
        process.arguments = [
            "-c",
            "import openpyxl, sys\nfor sheet in openpyxl.load_workbook(sys.argv[1]):\n for row in sheet.iter_rows():\n"
                + "  for cell in row: print(cell.value)", book.path,
        ]
        process.standardOutput = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return text.components(separatedBy: "\n")
    }

    @Test(
        "bounds mean Dice by a bootstrap over images: that of `dice` for one model and dataset, datasets apart, models together"
    )
    func intervals() throws {
        let study = try AskedStudy()
        defer { study.remove() }
        let dice = [0.9, 0.4, 0.7, 0.2, 0.6]
        try study.add("a", "brief", hash: "11111111", errors: 0, dice: dice)
        try study.add("b", "brief", hash: "11111111", errors: 0, dice: dice.map { 1 - $0 })
        try study.add("a", "plain", hash: "22222222", errors: 0, dice: dice)
        try study.add("a", "plain", hash: "33333333", dataset: "e", errors: 0, dice: [0.5, 0.5, 0.5])
        let evidence = try study.evidence()
        let table = evidence.promptsTable()
        let rows = rows(table)
        func interval(_ model: String, _ prompt: String) throws -> String? {
            try #require(rows.first { $0["model"]?.shown == model && $0["prompt"]?.shown == prompt })[
                "mean_dice_interval"]?.shown
        }
        // The same as of the training itself.
        let training = try #require(
            self.rows(evidence.diceTable()).first { $0["model"]?.shown.hasPrefix("a · brief") == true })
        #expect(try interval("a", "brief") == training["interval"]?.shown)
        // An image that one model does well on is as bad for the other: drawn together, every resample has the mean 0.5.
        #expect(try interval("all 2 models", "brief") == "0.500 – 0.500")
        // The second dataset has no spread and weighs a half: the mean is pulled to its 0.5, and the interval is half as wide.
        let alone = try Statistics.hierarchicalBootstrap(
            [[UnitOfAnalysis(name: "d", items: dice)]], level: .items, resampling: Resampling(seed: 1)
        ) { $0[0][0] }.interval
        let both = try #require(
            StudyEvidence.meanDiceInterval([evidence.runs.filter { $0.record.promptName == "plain" }]))
        #expect(abs((both.upper - both.lower) - (alone.upper - alone.lower) / 2) < 0.02, "\(both) \(alone)")
        #expect(both.lower < 0.53 && both.upper > 0.53, "the mean of 0.56 and 0.5")
        // As text, as comma-separated values, in the workbook and on the page.
        let text = try #require(try interval("a", "plain"))
        #expect(table.csv.contains("mean_dice_interval") && table.csv.contains(text))
        let folder = study.workspace.root.appending(path: "out")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let book = folder.appending(path: "prompts.xlsx")
        try Workbook.write([table], notice: nil, to: book)
        #expect(try cells(of: book).contains(text))
        #expect(TableView(table: table).markup.html.contains(text))
        // Runs that were scored on other images have no interval.
        try study.add("c", "brief", hash: "11111111", errors: 0, dice: [0.1, 0.2])
        let apart = self.rows(try study.evidence().promptsTable())
        #expect(apart.first { $0["model"]?.shown == "all 3 models" }?["mean_dice_interval"] == .missing)
    }

    @Test("names runs by their prompts wherever a model has several")
    func labels() throws {
        let study = try study()
        defer { study.remove() }
        let evidence = try study.evidence()
        #expect(
            Set(evidence.runs.map(\.label)) == ["a · brief · 1", "a · brief · 2", "a · plain · 1", "b · brief"])
        #expect(
            RunsTable(evidence, pages: ReportPage.pages(evidence)).table.rows.allSatisfy {
                ["brief", "plain"].contains($0[4].shown)
            })
        #expect(evidence.successTable().notes.contains { $0.hasPrefix("Runs of all prompts together") })
        let provenance = evidence.provenanceTable().rows.map { $0.map(\.shown) }
        #expect(provenance.contains(["prompt's name", "plain", "prompt 33333333"]))
    }

    @Test("compares models with themselves over every dataset that a named prompt was asked on")
    func paired() throws {
        let study = try AskedStudy()
        defer { study.remove() }
        for (index, dataset) in ["d", "e"].enumerated() {
            for model in 0..<6 {
                let dice = 0.5 + 0.03 * Double(model) + 0.1 * Double(index)
                try study.add("m\(model)", "plain", hash: "a\(index)", dataset: dataset, errors: 0, dice: [dice])
                try study.add(
                    "m\(model)", "brief", hash: "b\(index)", dataset: dataset, errors: 0,
                    dice: [dice + 0.01 * Double(model + 1)])
            }
        }
        let table = rows(try study.evidence().cohortsTable()).filter { $0["question"] == .text("prompt") }
        #expect(table.map { $0["dataset"]?.shown } == ["d", "e", "over all"])
        let all = try #require(table.last)
        #expect(all["group_a"] == .text("brief") && all["group_b"] == .text("plain") && number(all["n_a"]) == 6)
        let plain = (0..<6).map { 0.55 + 0.03 * Double($0) }
        let expected = try Statistics.signedRank(plain.enumerated().map { $1 + 0.01 * Double($0 + 1) }, plain)
        #expect(number(all["p"]).map { abs($0 - expected.p) < 1e-12 } == true)
    }

    @Test("without names has a row for each text as it was sent")
    func unnamed() throws {
        let study = try AskedStudy()
        defer { study.remove() }
        try study.add("a", nil, hash: "11111111", errors: 0)
        try study.add("a", nil, hash: "22222222", errors: 1)
        let table = rows(try study.evidence().promptsTable())
        #expect(table.map { $0["prompt"]?.shown } == ["11111111", "22222222"])
        #expect(table.allSatisfy { $0["mean_dice"] == .missing && number($0["runs"]) == 1 })
    }
}
