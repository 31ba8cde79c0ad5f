import ResultStore
import Statistics

extension StudyEvidence {
    /// What it took each model to mend its errors, and what its fixes led to.
    public func mendingTable() -> ReportTable {
        var table = ReportTable(
            name: "mending", title: "What mending takes",
            columns: [
                .init("model", key: "model"), .init("target", key: "target"),
                .init("errors", key: "errors", numeric: true),
                .init("mended", key: "mended", numeric: true), .init("still there", key: "open", numeric: true),
                .init("replies an error", key: "replies_per_mended", numeric: true),
                .init("s an error", key: "seconds_per_mended", numeric: true),
                .init("tokens an error", key: "tokens_per_mended", numeric: true),
                .init("US$ an error", key: "cost_per_mended_usd", numeric: true),
                .init("then ran", key: "then_ran", numeric: true),
                .init("then another", key: "then_another", numeric: true),
                .init("share", key: "another_share", numeric: true), .init("95 % interval", key: "another_interval"),
                .init("came back", key: "returned", numeric: true),
            ])
        let groups = Dictionary(grouping: runs) { [$0.record.model, $0.record.target] }
        table.rows = groups.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { key, runs in
            mendingRow(key, runs.flatMap(\.errorEpisodes))
        }
        table.notes = [
            "An error counts from the reply that brought it to the one whose check no longer shows it, known again by its signature; a reply without usable "
                + "files leaves the error before it open. What mending takes is means over mended errors: replies, seconds of wall clock for replies and check "
                + "runs, tokens read and written, US$ by the card's prices. Each reply is counted with the error that was fed back before it; a dash "
                + "where a count or price is missing.",
            "then another: the reply that mended it met a different error, one it brought or one that had been hidden behind the old one; share and "
                + "Wilson's interval (1927) are of the mended errors, taken as independent. came back: those among them whose different error had been met before "
                + "in the same conversation.",
        ]
        return table
    }

    private func mendingRow(_ key: [String], _ episodes: [ErrorEpisode]) -> [ReportTable.Cell] {
        let mended = episodes.filter(\.isMended)
        let effort = mended.map(\.effort).reduce(ErrorEpisode.Effort(), +)
        func each(_ sum: Double?, _ digits: Int) -> ReportTable.Cell {
            mended.isEmpty ? .missing : sum.map { .number($0 / Double(mended.count), digits: digits) } ?? .missing
        }
        let another = mended.count { $0.end == .another || $0.end == .returned }
        let interval = try? Statistics.shareInterval(successes: another, of: mended.count)
        return key.map { .text($0) } + [
            .integer(episodes.count), .integer(mended.count), .integer(episodes.count - mended.count),
            each(Double(effort.replies), 2), each(effort.seconds, 1), each(effort.tokens.map(Double.init), 0),
            each(effort.cost, 4), .integer(mended.count - another), .integer(another), each(Double(another), 2),
            Self.interval(interval, digits: 2), .integer(mended.count { $0.end == .returned }),
        ]
    }

    /// Errors by class and subcategory: of all models, then of each.
    public func errorKindsTable() -> ReportTable {
        var table = ReportTable(
            name: "error-kinds", title: "Errors by class and subcategory",
            columns: [
                .init("model", key: "model"), .init("class", key: "class"), .init("subcategory", key: "subcategory"),
                .init("fed back", key: "sightings", numeric: true), .init("errors", key: "errors", numeric: true),
                .init("models", key: "models", numeric: true), .init("runs", key: "runs", numeric: true),
                .init("mended", key: "mended", numeric: true),
                .init("replies an error", key: "replies_per_mended", numeric: true),
                .init("most replies", key: "most_replies", numeric: true),
            ])
        let models = Set(runs.map(\.record.model)).sorted()
        if models.count > 1 { table.rows += kindRows("all \(models.count) models", runs) }
        for model in models { table.rows += kindRows(model, runs.filter { $0.record.model == model }) }
        table.notes = [
            "fed back: times that such an error was met. errors: an error that is met again and again counts once. replies an error: the mean over mended ones; "
                + "most replies: spent on a single one, mended or not."
        ]
        return table
    }

    private func kindRows(_ name: String, _ runs: [Run]) -> [[ReportTable.Cell]] {
        let met = runs.enumerated().flatMap { index, run in run.errorEpisodes.map { (run: index, episode: $0) } }
        let kinds = Dictionary(grouping: met) { [$0.episode.errorClass, $0.episode.subcategory] }
        let sorted = kinds.map {
            (kind: $0.key, met: $0.value, times: $0.value.reduce(0) { $0 + $1.episode.sightings })
        }
        .sorted { ($1.times, $0.kind[0], $0.kind[1]) < ($0.times, $1.kind[0], $1.kind[1]) }
        return sorted.map { kind, met, times in
            let mended = met.map(\.episode).filter(\.isMended)
            let replies = mended.map { Double($0.effort.replies) }
            return [.text(name)] + kind.map { .text($0) } + [
                .integer(times), .integer(met.count), .integer(Set(met.map { runs[$0.run].record.model }).count),
                .integer(Set(met.map(\.run)).count), .integer(mended.count),
                Statistics.mean(replies).map { .number($0, digits: 2) } ?? .missing,
                .integer(met.map(\.episode.effort.replies).max() ?? 0),
            ]
        }
    }

    /// How often config.json says what the pipeline does, a row a choice.
    public func statedChoicesTable() -> ReportTable {
        var table = ReportTable(
            name: "stated-choices", title: "Stated and actual choices",
            columns: [
                .init("choice", key: "choice"), .init("runs", key: "runs", numeric: true),
                .init("stated", key: "stated", numeric: true), .init("agree", key: "agree", numeric: true),
                .init("share", key: "share", numeric: true), .init("95 % interval", key: "interval"),
                .init("differ in", key: "differ_in"),
            ])
        let choices = runs.flatMap { run in Self.choices(of: run).map { (run: run, choice: $0) } }
        for title in Choice.all.filter({ !$0.statedKeys.isEmpty }).map(\.title) {
            let here = choices.filter { $0.choice.title == title }
            let stated = here.filter { $0.choice.stated != nil }
            guard !here.isEmpty else { continue }
            let agree = stated.count { $0.choice.agrees }
            let others = stated.filter { !$0.choice.agrees }.map { one in
                "\(one.run.label): \(one.choice.real) (said: \(one.choice.stated ?? ""))"
            }
            table.rows.append([
                .text(title), .integer(here.count), .integer(stated.count), .integer(agree),
                stated.isEmpty ? .missing : .number(Double(agree) / Double(stated.count), digits: 2),
                Self.interval(try? Statistics.shareInterval(successes: agree, of: stated.count), digits: 2),
                others.isEmpty
                    ? .missing
                    : .text(others.prefix(3).joined(separator: "; ") + (others.count > 3 ? "; …" : "")),
            ])
        }
        table.notes = [
            "What the captured pipeline does against what its config.json says; runs without a capture, or to which a choice does not apply, are not counted. "
                + "Share and Wilson's interval (1927): of the runs that state it."
        ]
        return table
    }
}
