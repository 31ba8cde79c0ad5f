import ResultStore
import Statistics

extension StudyEvidence {
    /// What each run cost: money, tokens, and time by stage.
    public func costTable() -> ReportTable {
        var table = ReportTable(
            name: "cost", title: "Cost of each run",
            columns: [
                .init("model", key: "model"), .init("dataset", key: "dataset"), .init("outcome", key: "outcome"),
                .init("requests", key: "requests", numeric: true), .init("lost", key: "lost", numeric: true),
                .init("tokens in", key: "input_tokens", numeric: true),
                .init("tokens out", key: "output_tokens", numeric: true),
                .init("of them reasoning", key: "reasoning_tokens", numeric: true),
                .init("counted by", key: "tokens_counted_by"), .init("US$", key: "cost_usd", numeric: true),
                .init("reply s", key: "reply_seconds", numeric: true),
                .init("check s", key: "check_seconds", numeric: true),
                .init("capture s", key: "capture_seconds", numeric: true),
                .init("train s", key: "train_seconds", numeric: true),
                .init("trainings", key: "trainings", numeric: true),
            ])
        table.rows = runs.map { run in
            let totals = run.errors.totals
            let counted = run.exchanges.contains { $0.inputTokens != nil }
            let reasoning = run.exchanges.contains { $0.reasoningTokens != nil }
            func sum(_ seconds: [Double]) -> ReportTable.Cell {
                seconds.isEmpty ? .missing : .number(seconds.reduce(0, +), digits: 1)
            }
            return [
                .text(run.label), .text(run.record.dataset), .text(run.outcome), .integer(totals.requests),
                .integer(totals.lost), counted ? .integer(totals.inputTokens) : .missing,
                counted ? .integer(totals.outputTokens) : .missing,
                reasoning ? .integer(totals.reasoningTokens) : .missing,
                counted ? .text(totals.costIsEstimate ? "estimate" : "endpoint") : .missing,
                totals.cost.map { .number($0, digits: 4) } ?? .missing,
                sum(run.exchanges.compactMap(\.totalSeconds)), sum(run.rounds.compactMap(\.checkSeconds)),
                sum([run.capture?.seconds].compactMap { $0 }), sum(run.trainings.compactMap(\.record.seconds)),
                .integer(run.trainings.count),
            ]
        }
        table.notes = [
            "US$: by the prices of the model's card on the day of the request; a dash where the card has none. Requests that were lost or "
                + "failed may have been paid for and count. Tokens as the endpoint counted them, else one for four bytes (estimate).",
            "Seconds of wall clock on this machine: waiting for replies; check runs; the newest capture; all trainings of the run, by "
                + "every engine and seed.",
        ]
        return table
    }

    /// What each model cost over its runs, and what came of it.
    public func modelCostTable() -> ReportTable {
        var table = ReportTable(
            name: "model-cost", title: "Cost by model",
            columns: [
                .init("model", key: "model"), .init("dataset", key: "dataset"),
                .init("runs", key: "runs", numeric: true),
                .init("that ran", key: "succeeded", numeric: true), .init("US$", key: "cost_usd", numeric: true),
                .init("US$ a pipeline that ran", key: "cost_per_pipeline_usd", numeric: true),
                .init("tokens out a pipeline", key: "output_tokens_per_pipeline", numeric: true),
                .init("mean Dice", key: "mean_dice", numeric: true),
                .init("points over reference", key: "points_over_reference", numeric: true),
                .init("US$ a point", key: "cost_per_point_usd", numeric: true),
            ])
        let groups = Dictionary(grouping: runs) { [$0.record.model, $0.record.dataset] }
        table.rows = groups.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { modelCostRow($0.key, $0.value) }
        table.notes = [
            "US$ of all runs of the model, those that never ran too; a dash where the price of any of them is not known. points over "
                + "reference: hundredths of Dice by which the mean of its runs lies above the better of the two references that learn "
                + "nothing (threshold, mean mask). US$ a point: only where it lies above; a model that learns nothing has no such price."
        ]
        if fixtureRuns > 0, let fixtureNotice { table.notes.append(fixtureNotice) }
        return table
    }

    private func modelCostRow(_ key: [String], _ runs: [Run]) -> [ReportTable.Cell] {
        let costs = runs.map(\.errors.totals.cost)
        let money: Double? = costs.contains { $0 == nil } ? nil : costs.compactMap { $0 }.reduce(0, +)
        let succeeded = runs.count { $0.record.status == .succeeded }
        let counted = runs.allSatisfy { run in run.exchanges.contains { $0.outputTokens != nil } }
        let tokens = runs.reduce(0) { $0 + $1.errors.totals.outputTokens }
        let dice = Statistics.mean(runs.compactMap(\.heldOutDice))
        let reference = runs.first.flatMap(reference(for:)).map { max($0.bestThresholdDice, $0.meanMaskDice) }
        var points: Double?
        if let dice, let reference { points = 100 * (dice - reference) }
        var price: Double?
        if let money, let points, points > 0 { price = money / points }
        func number(_ value: Double?, _ digits: Int) -> ReportTable.Cell {
            value.map { .number($0, digits: digits) } ?? .missing
        }
        return [
            .text(key[0]), .text(key[1]), .integer(runs.count), .integer(succeeded), number(money, 4),
            number(succeeded > 0 ? money.map { $0 / Double(succeeded) } : nil, 4),
            number(succeeded > 0 && counted ? Double(tokens) / Double(succeeded) : nil, 0), number(dice, 3),
            number(points, 1), number(price, 5),
        ]
    }
}
