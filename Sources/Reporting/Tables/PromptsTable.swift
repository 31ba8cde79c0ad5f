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

    /// What each prompt came to, side by side: all models first, where a prompt was asked of several, then each model.
    ///
    /// - Complexity: a bootstrap over models for each prompt and number of replies, and one over images for each row.
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
                .init("mean Dice", key: "mean_dice", numeric: true), .init("95 % interval", key: "mean_dice_interval"),
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
            "95 % interval of mean Dice: percentile bootstrap over held-out images as in `dice` (10 000 resamples), those of each dataset drawn "
                + "for all models and runs together. It says how well the mean is known for these models and runs, not how others would do; "
                + "missing where models or runs were scored on different images.",
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
            let groups: [(model: String?, runs: [Run])] = [(nil, runs)] + models.map { ($0.key, $0.value) }
            return groups.flatMap { model, runs in
                Dictionary(grouping: runs, by: \.record.promptLabel).sorted { $0.key < $1.key }
                    // A single model is no mean over models.
                    .filter { model != nil || Set($0.value.map(\.record.model)).count > 1 }
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
            Self.interval(Self.meanDiceInterval(models)),
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

    /// The interval of `meanDice` over held-out images.
    ///
    /// The mean is a sum over datasets of means over their images: an image counts with its Dice by each model, weighed by one over the
    /// models and one over the datasets of each. Images of a dataset are drawn in themselves.
    ///
    /// - Parameter models: the runs of each.
    /// - Returns: nil where nothing was scored, or not every model and run on the same images of a dataset.
    static func meanDiceInterval(_ models: [[Run]]) -> ConfidenceInterval? {
        let scored = models.map { runs in
            Set(runs.map(\.record.dataset)).sorted().flatMap { scores(runs, dataset: $0) }
        }.filter { !$0.isEmpty }
        var images: [String: [String: Double]] = [:]
        for scores in scored {
            for score in scores {
                guard let dataset = score.dataset, let dice = Statistics.mean(Array(score.images.values)),
                    abs(dice - score.dice) < 1e-9
                else { return nil }
                let share = 1 / Double(scored.count * scores.count)
                let weighed = score.images.mapValues { $0 * share }
                guard let known = images[dataset] else {
                    images[dataset] = weighed
                    continue
                }
                guard Set(known.keys) == Set(weighed.keys) else { return nil }
                images[dataset] = known.merging(weighed, uniquingKeysWith: +)
            }
        }
        let units = images.sorted { $0.key < $1.key }.map { dataset, dice in
            UnitOfAnalysis(name: dataset, items: dice.sorted { $0.key < $1.key }.map(\.value))
        }
        guard units.count > 1 else { return units.first.flatMap { Statistics.bootstrapMean($0.items, seed: 1) } }
        let bootstrap = try? Statistics.hierarchicalBootstrap(
            [units], level: .items, resampling: Resampling(seed: 1)
        ) { $0[0].reduce(0, +) }
        return bootstrap?.interval
    }

    /// Each once; missing where none says anything.
    private static func listed(_ texts: [String]) -> ReportTable.Cell {
        let found = Set(texts).subtracting([""]).sorted()
        return found.isEmpty ? .missing : .text(found.joined(separator: "; "))
    }
}
