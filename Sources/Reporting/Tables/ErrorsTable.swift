import ResultStore

extension StudyEvidence {
    /// What broke, a row a run: rounds, errors by class, the first error, hints, tokens, seconds.
    ///
    /// - Parameter classesAsColumns: one column a class, for machines; otherwise one column that lists them, for people.
    public func errorsTable(classesAsColumns: Bool = true) -> ReportTable {
        let classes = classesAsColumns ? Set(runs.flatMap { $0.errors.errorsByClass.keys }).sorted() : []
        var table = ReportTable(
            name: "errors", title: "Errors and rounds",
            columns: [
                .init("model", key: "model"), .init("dataset", key: "dataset"), .init("target", key: "target"),
                .init("outcome", key: "outcome"),
                .init("replies", key: "replies", numeric: true), .init("fed back", key: "feedbacks", numeric: true),
            ] + (classes.isEmpty ? [.init("errors by class", key: "errors_by_class")] : [])
                + classes.map { .init($0, key: $0, numeric: true) } + [
                    .init("contract", key: "contract_violations", numeric: true),
                    .init("extraction", key: "extraction_errors", numeric: true),
                    .init("clarified", key: "clarifications", numeric: true),
                    .init("hints", key: "hints", numeric: true),
                    .init("first error", key: "first_error"),
                    .init("tokens in", key: "input_tokens", numeric: true),
                    .init("tokens out", key: "output_tokens", numeric: true),
                    .init("counted by", key: "tokens_counted_by"),
                    .init("reply s", key: "reply_seconds", numeric: true),
                    .init("check s", key: "check_seconds", numeric: true),
                ])
        table.rows = runs.map { run in errorsRow(run, classes: classes) }
        table.notes = [
            "Replies count from the first one; fed back counts what --max-rounds limits. "
                + "Contract breaches, replies without usable files and clarifications are counted apart from exceptions.",
            "Tokens as the endpoint counted them; where it did not, an estimate of one token for four bytes.",
        ]
        return table
    }

    private func errorsRow(_ run: Run, classes: [String]) -> [ReportTable.Cell] {
        let summary = run.errors
        let counted = run.exchanges.contains { $0.inputTokens != nil }
        let first: ReportTable.Cell =
            summary.firstError.map { error in
                .text(
                    "\(error.errorClass) (\(error.subcategory))"
                        + (error.file.map { " in \($0):\(error.line ?? 0)" } ?? ""))
            } ?? .missing
        let checks = run.rounds.compactMap(\.checkSeconds)
        return [
            .text(run.label), .text(run.record.dataset), .text(run.record.target), .text(run.outcome),
            .integer(summary.replies), .integer(summary.feedbacks),
        ] + (classes.isEmpty ? [listed(summary.errorsByClass)] : [])
            + classes.map { .integer(summary.errorsByClass[$0] ?? 0) } + [
                .integer(summary.contractViolations), .integer(summary.extractionErrors),
                .integer(summary.clarifications),
                .integer(summary.hints), first,
                counted ? .integer(summary.totals.inputTokens) : .missing,
                counted ? .integer(summary.totals.outputTokens) : .missing,
                counted ? .text(summary.totals.costIsEstimate ? "estimate" : "endpoint") : .missing,
                .number(summary.totals.seconds, digits: 1),
                checks.isEmpty ? .missing : .number(checks.reduce(0, +), digits: 1),
            ]
    }
}

/// "3 RuntimeError, 1 ValueError".
private func listed(_ counts: [String: Int]) -> ReportTable.Cell {
    let parts = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { "\($0.value) \($0.key)" }
    return parts.isEmpty ? .missing : .text(parts.joined(separator: ", "))
}

extension StudyEvidence.Run {
    /// `runs` where the check run was clean, else why the conversation ended.
    public var outcome: String {
        switch record.status {
        case .succeeded: "runs"
        case .running: "unfinished"
        default: record.status.rawValue
        }
    }
}
