import Foundation
import ResultStore
import Testing

/// What a study's file set out to compare, as `report cohorts` reads it from the copy that `study run` keeps.
@Suite("report cohorts and the study's file")
struct PlannedComparisonTests {
    private static let study = "planned"

    /// Ten models with held-out Dice, five that reason and are of 2025, and `study.yaml` beside them.
    private func workspace(kept file: String?) throws -> ScratchWorkspace {
        let scratch = try ScratchWorkspace(hasDataset: false)
        let workspace = Workspace(root: scratch.root)
        let store = try ResultStore(path: workspace.database(study: Self.study))
        for model in 0..<10 {
            let key = RunKey(
                study: Self.study, dataset: "disc", model: "m\(model)", target: "pytorch", promptHash: "00000000",
                index: 1)
            let run = try #require(
                try store.beginRun(
                    RunRecord(
                        key: key, provider: "openai", cohortYear: model < 5 ? 2025 : 2024, reasoning: model < 5,
                        vendor: "v\(model % 2)", openWeights: model % 3 == 0, datasetHash: "h", status: .succeeded)
                ).id)
            var training = try store.beginTraining(
                TrainingRecord(runId: run, engine: .swift, seed: 0, epochs: 1, datasetHash: "h"))
            let id = try #require(training.id)
            try store.storeHeldOut(
                (0..<4).map {
                    HeldOutRecord(
                        trainingId: id, sample: "p\($0)", dice: 0.9 - 0.05 * Double(model) - 0.01 * Double($0),
                        modelGridDice: nil)
                }, batches: [], training: id)
            training.status = .evaluated
            try store.updateTraining(training)
        }
        if let file {
            let kept = workspace.results(study: Self.study).appending(path: "study.yaml")
            try Data(file.utf8).write(to: kept)
        }
        return scratch
    }

    private static func file(_ statistics: String) -> String {
        """
        name: planned
        models:
          - card: fixture-steady
        datasets: [disc]
        statistics: \(statistics)

        """
    }

    private func report(_ scratch: ScratchWorkspace) async throws -> (
        rows: [[String: Any]], outcome: Program.Outcome
    ) {
        let outcome = try await scratch.llmbench("report", "cohorts", "--study", Self.study, "--json")
        #expect(outcome.status == 0, "\(outcome)")
        let table = try outcome.objects().first { $0["name"] as? String == "cohorts" }
        return (try #require(table?["rows"] as? [[String: Any]]), outcome)
    }

    @Test(
        "Questions, alternative and correction of the file are those of the report",
        arguments: [
            ("two-sided", "none", "uncorrected", 2.0 / 252), ("less", "holm", "Holm", 1),
            ("greater", "bonferroni", "Bonferroni", 1.0 / 252),
            ("two-sided", "benjamini-hochberg", "Benjamini-Hochberg", 2.0 / 252),
        ])
    func planned(alternative: String, correction: String, title: String, p: Double) async throws {
        let scratch = try workspace(
            kept: Self.file(
                "{compare: [reasoning], alternative: \(alternative), correction: \(correction), seed: 7}"))
        let (rows, outcome) = try await report(scratch)
        #expect(!outcome.errors.contains("study.yaml"), "\(outcome)")
        let reasoning = try #require(rows.first)
        #expect(reasoning["question"] as? String == "reasoning" && reasoning["planned"] as? String == "planned")
        #expect(reasoning["alternative"] as? String == alternative && reasoning["correction"] as? String == title)
        // Each model that reasons lies above each that does not: one of the 252 ways to choose five of ten.
        #expect(abs((reasoning["p"] as? Double ?? -1) - p) < 1e-12, "\(reasoning)")
        let year = try #require(rows.first { $0["question"] as? String == "cohort" })
        #expect(year["planned"] as? String == "exploratory" && year["alternative"] as? String == "two-sided")
        #expect(year["correction"] as? String == "Holm")
    }

    @Test(
        "Every question that a file can name is one of the report",
        arguments: [
            ("cohort", "cohort"), ("reasoning", "reasoning"), ("vendor", "vendor"), ("open", "weights"),
            ("target", "target"), ("prompt", "prompt"), ("model", "model"),
        ])
    func questions(word: String, title: String) async throws {
        let scratch = try workspace(kept: Self.file("{compare: [\(word)]}"))
        let (rows, outcome) = try await report(scratch)
        let planned = Set(
            rows.filter { $0["planned"] as? String == "planned" }.compactMap { $0["question"] as? String })
        // One target, one prompt, one run a model: nothing to compare, and the report says that it was planned.
        let without = "Planned, but without two groups that have held-out Dice: \(title)."
        if ["target", "prompt", "model"].contains(word) {
            #expect(planned.isEmpty && outcome.output.contains(without), "\(outcome)")
        } else {
            #expect(planned == [title] && !outcome.output.contains("Planned, but"), "\(outcome)")
        }
    }

    @Test("A kept file that cannot be read is said, and all is reported as exploratory", arguments: [true, false])
    func unreadable(isFolder: Bool) async throws {
        let scratch = try workspace(kept: isFolder ? nil : Self.file("{compare: [moon]}"))
        let kept = Workspace(root: scratch.root).results(study: Self.study).appending(path: "study.yaml")
        if isFolder { try FileManager.default.createDirectory(at: kept, withIntermediateDirectories: false) }
        let (rows, outcome) = try await report(scratch)
        #expect(outcome.errors.contains("\(kept.path) cannot be read ("), "\(outcome)")
        #expect(outcome.errors.contains("every comparison is reported as exploratory"), "\(outcome)")
        #expect(outcome.errors.contains("`llmbench study run FILE.yaml` writes it again."), "\(outcome)")
        #expect(!rows.isEmpty && rows.allSatisfy { $0["planned"] as? String == "exploratory" })
    }

    @Test("A study without a file has no plan, and nothing is said of it")
    func none() async throws {
        let (rows, outcome) = try await report(try workspace(kept: nil))
        #expect(!rows.isEmpty && rows.allSatisfy { $0["planned"] as? String == "exploratory" })
        #expect(!outcome.errors.contains("study.yaml"), "\(outcome)")
    }
}
