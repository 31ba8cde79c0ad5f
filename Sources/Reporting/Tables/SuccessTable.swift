import ResultStore
import Statistics

extension StudyEvidence {
    /// Replies fed back at which success is told.
    private static let milestones = [0, 1, 3, 5, 10, 20]

    /// Those that some conversation of a study was watched for.
    static func milestones(upTo last: Int) -> [Int] { milestones.filter { $0 <= last } }

    /// A share and its interval for each.
    static func milestoneColumns(_ shown: [Int]) -> [ReportTable.Column] {
        shown.flatMap { rounds -> [ReportTable.Column] in
            let title = rounds == 0 ? "at once" : "within \(rounds)"
            return [
                .init(title, key: "within_\(rounds)", numeric: true),
                .init("95 % interval", key: "within_\(rounds)_interval"),
            ]
        }
    }

    /// How soon each model's pipelines run, a row a model and target, and all models together.
    public func successTable() -> ReportTable {
        let groups = Dictionary(grouping: runs) { [$0.record.model, $0.record.target] }
            .sorted { $0.key.lexicographicallyPrecedes($1.key) }
            .map { (key: $0.key, rounds: RoundsToSuccess($0.value), runs: $0.value) }
        let last = groups.map(\.rounds.last).max() ?? 0
        let shown = Self.milestones(upTo: last)
        var table = ReportTable(
            name: "success", title: "Rounds until it runs",
            columns: [
                .init("model", key: "model"), .init("target", key: "target"),
                .init("datasets", key: "datasets", numeric: true), .init("runs", key: "runs", numeric: true),
                .init("that ran", key: "succeeded", numeric: true), .init("errors a run", key: "errors", numeric: true),
                .init("median rounds", key: "median_rounds", numeric: true),
            ] + Self.milestoneColumns(shown))
        table.rows = groups.map { group in
            let cells = shown.flatMap { Self.shareCells(group.rounds.within($0)) }
            return head(group.key, group.runs, group.rounds) + cells
        }
        if Set(groups.map(\.key[0])).count > 1 { table.rows += groupedRow(shown) }
        table.notes = [
            "Share of conversations whose pipeline runs after at most so many replies fed back; at once: the first reply. Kaplan and Meier (1958): "
                + "a conversation that ended without a pipeline that runs, or still goes on, counts until there. 95 % interval: Wilson's (1927) where every "
                + "conversation was watched so long, else from log(−log S) with Greenwood's variance; a dash where that does not exist. "
                + "Runs of one model, over its datasets, are taken as independent.",
            "median rounds: replies fed back until half of the conversations run; a dash where fewer do. errors a run: of every class, contract breaches and "
                + "replies without files among them.",
        ]
        if Set(groups.map(\.key[0])).count > 1 {
            table.notes.append(
                "All models: the mean of the models' shares, each model weighing the same; its interval is a percentile bootstrap (Efron 1979) that draws "
                    + "models, the units of analysis. It needs three models that were all watched so long.")
        }
        if Set(runs.compactMap(\.record.promptName)).count > 1 {
            table.notes.append("Runs of all prompts together; the table of prompts parts them.")
        }
        if fixtureRuns > 0, let fixtureNotice { table.notes.append(fixtureNotice) }
        return table
    }

    private func head(_ key: [String], _ runs: [Run], _ rounds: RoundsToSuccess) -> [ReportTable.Cell] {
        let errors = runs.map { Double($0.errorRecords.count) }
        return key.map { .text($0) } + [
            .integer(Set(runs.map(\.record.dataset)).count), .integer(runs.count), .integer(rounds.succeeded),
            Statistics.mean(errors).map { .number($0, digits: 2) } ?? .missing,
            rounds.median.map { .integer($0) } ?? .missing,
        ]
    }

    static func shareCells(_ share: RoundsToSuccess.Share?) -> [ReportTable.Cell] {
        [
            share.map { .number($0.share, digits: 2) } ?? .missing,
            Self.interval(share?.interval, digits: 2),
        ]
    }

    /// All models of a target, a row each target.
    private func groupedRow(_ shown: [Int]) -> [[ReportTable.Cell]] {
        Dictionary(grouping: runs, by: \.record.target).sorted { $0.key < $1.key }.compactMap { target, runs in
            let models = Dictionary(grouping: runs, by: \.record.model).sorted { $0.key < $1.key }.map(\.value)
            guard models.count > 1 else { return nil }
            let cells = shown.flatMap { meanShareCells(models.map { RoundsToSuccess($0) }, within: $0) }
            return head(["all \(models.count) models", target], runs, RoundsToSuccess(runs)) + cells
        }
    }

    /// The mean of the models' shares with a bootstrap over models; missing unless all were watched so long.
    func meanShareCells(_ models: [RoundsToSuccess], within rounds: Int) -> [ReportTable.Cell] {
        let shares = models.compactMap { $0.within(rounds)?.share }
        guard shares.count == models.count, let mean = Statistics.mean(shares) else { return [.missing, .missing] }
        let bootstrap =
            shares.count < 3
            ? nil
            : try? Statistics.bootstrap(shares, resampling: Resampling(seed: plan.seed), method: .percentile) {
                Statistics.mean($0) ?? .nan
            }
        return [.number(mean, digits: 2), Self.interval(bootstrap?.interval, digits: 2)]
    }
}
