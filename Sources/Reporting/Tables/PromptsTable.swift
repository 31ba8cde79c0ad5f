import ResultStore
import Statistics

extension StudyEvidence {
    /// The runs of one prompt: what a study's file names, on every dataset, or a prompt known by its hash.
    private struct PromptGroup {
        var target: String
        var prompt: String
        /// Nil for all models together.
        var model: String?
        var runs: [Run]
    }

    /// What each prompt came to, side by side: all models first, then each model.
    ///
    /// - Complexity: a bootstrap over models for each prompt and number of replies.
    public func promptsTable() -> ReportTable {
        let groups = promptGroups()
        let rounds = groups.map { RoundsToSuccess($0.runs) }
        let shown = Self.milestones(upTo: rounds.map(\.last).max() ?? 0)
        var table = ReportTable(
            name: "prompts", title: "Prompts",
            columns: [
                .init("target", key: "target"), .init("model", key: "model"), .init("prompt", key: "prompt"),
                .init("template", key: "template"), .init("asked with", key: "asked_with"),
                .init("datasets", key: "datasets", numeric: true), .init("runs", key: "runs", numeric: true),
                .init("that ran", key: "succeeded", numeric: true), .init("errors a run", key: "errors", numeric: true),
                .init("median rounds", key: "median_rounds", numeric: true),
            ] + Self.milestoneColumns(shown) + [
                .init("runs with Dice", key: "scored_runs", numeric: true),
                .init("mean Dice", key: "mean_dice", numeric: true),
                .init("US$ a run", key: "cost_per_run_usd", numeric: true),
                .init("tokens out a run", key: "output_tokens_per_run", numeric: true),
            ])
        table.rows = zip(groups, rounds).map { row($0, $1, shown) }
        table.notes = [
            "A prompt is what a study's file names among `prompts`; where it names none, a row stands for each text as it was sent, with its system's "
                + "message, temperature and seed. A prompt that comes to the same as another for a model was not asked apart and has no row for it.",
            "Shares, intervals and median rounds as in `success`. All models: each weighs the same, their interval draws models and needs three.",
            "mean Dice: a model's mean over its datasets, each by the mean over its scored runs; runs that never ran have none, so that a prompt whose "
                + "harder runs fail may show the higher mean. `cohorts` tests prompts against each other, each model with itself.",
            "US$ and tokens a run: those that never ran too; a dash where the price or the count of any is not known.",
        ]
        if fixtureRuns > 0, let fixtureNotice { table.notes.append(fixtureNotice) }
        return table
    }

    /// Prompts of a target beside one another, all models before each.
    private func promptGroups() -> [PromptGroup] {
        let byTarget = Dictionary(grouping: runs, by: \.record.target).sorted { $0.key < $1.key }
        return byTarget.flatMap { target, runs -> [PromptGroup] in
            let models = Dictionary(grouping: runs, by: \.record.model).sorted { $0.key < $1.key }
            let all: [(model: String?, runs: [Run])] = models.count > 1 ? [(nil, runs)] : []
            return (all + models.map { ($0.key, $0.value) }).flatMap { model, runs in
                Dictionary(grouping: runs, by: \.record.promptLabel).sorted { $0.key < $1.key }
                    .map { PromptGroup(target: target, prompt: $0.key, model: model, runs: $0.value) }
            }
        }
    }

    private func row(_ group: PromptGroup, _ rounds: RoundsToSuccess, _ shown: [Int]) -> [ReportTable.Cell] {
        let runs = group.runs
        func number(_ value: Double?, _ digits: Int) -> ReportTable.Cell {
            value.map { .number($0, digits: digits) } ?? .missing
        }
        let models = Dictionary(grouping: runs, by: \.record.model).sorted { $0.key < $1.key }.map(\.value)
        let shares = shown.flatMap { milestone in
            group.model == nil
                ? meanShareCells(models.map { RoundsToSuccess($0) }, within: milestone)
                : Self.shareCells(rounds.within(milestone))
        }
        let costs = runs.compactMap(\.errors.totals.cost)
        let counted = runs.allSatisfy { run in run.exchanges.contains { $0.outputTokens != nil } }
        return [
            .text(group.target), .text(group.model ?? "all \(models.count) models"), .text(group.prompt),
            Self.listed(runs.map { String($0.record.templateHash.prefix(8)) }),
            Self.listed(runs.map(\.record.sharedAsking)),
            .integer(Set(runs.map(\.record.dataset)).count), .integer(runs.count), .integer(rounds.succeeded),
            number(Statistics.mean(runs.map { Double($0.errorRecords.count) }), 2),
            rounds.median.map { .integer($0) } ?? .missing,
        ] + shares + [
            .integer(runs.count { $0.heldOutDice != nil }), number(Self.meanDice(models), 3),
            number(costs.count == runs.count ? Statistics.mean(costs) : nil, 4),
            number(counted ? Statistics.mean(runs.map { Double($0.errors.totals.outputTokens) }) : nil, 0),
        ]
    }

    /// The mean over models of each one's mean over its datasets; nil where none was scored.
    private static func meanDice(_ models: [[Run]]) -> Double? {
        Statistics.mean(
            models.compactMap { runs in
                Statistics.mean(
                    Set(runs.map(\.record.dataset)).sorted().flatMap { scores(runs, dataset: $0) }.map(\.dice))
            })
    }

    /// Each once; missing where none says anything.
    private static func listed(_ texts: [String]) -> ReportTable.Cell {
        let found = Set(texts).subtracting([""]).sorted()
        return found.isEmpty ? .missing : .text(found.joined(separator: "; "))
    }
}
