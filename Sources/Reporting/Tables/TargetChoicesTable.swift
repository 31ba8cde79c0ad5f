import Statistics

extension StudyEvidence {
    /// What pipelines of each target chose, side by side; nil where fewer than two targets were captured.
    ///
    /// - Complexity: O(runs · choices).
    public func targetChoicesTable() -> ReportTable? {
        let captured = runs.compactMap { run in
            run.capture?.facts.flatMap(JSONFacts.init).map { (run: run, facts: $0) }
        }
        let byTarget = Dictionary(grouping: captured, by: \.run.record.target)
        let targets = byTarget.keys.sorted()
        guard targets.count > 1 else { return nil }
        var table = ReportTable(
            name: "target-choices", title: "Choices by target",
            columns: [.init("choice", key: "choice"), .init("value", key: "value")]
                + targets.map { .init($0, key: $0) })
        for choice in Choice.all {
            let values = targets.map { target in
                (byTarget[target] ?? []).compactMap { choice.real($0.facts, $0.run.pipeline) }
            }
            table.rows += choice.numeric ? [Self.spread(choice, values)] : Self.counts(choice, values)
        }
        table.rows.removeAll { $0.dropFirst(2).allSatisfy { $0 == .missing } }
        table.notes = [
            "m of n: m of the n runs whose capture tells this choice made it. Numbers: median, and lowest and highest of n runs. Targets "
                + "that are not captured are not here; where models differ between targets, so do their habits."
        ]
        return table
    }

    /// A row for each value, the most frequent of all targets first.
    private static func counts(_ choice: Choice, _ values: [[JSONFacts.Value]]) -> [[ReportTable.Cell]] {
        let shown = values.map { $0.map(\.shown) }
        let total = Dictionary(shown.flatMap { $0 }.map { ($0, 1) }, uniquingKeysWith: +)
        return total.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { value, _ in
            [.text(choice.title), .text(value)]
                + shown.map { known in
                    known.isEmpty ? .missing : .text("\(known.count { $0 == value }) of \(known.count)")
                }
        }
    }

    private static func spread(_ choice: Choice, _ values: [[JSONFacts.Value]]) -> [ReportTable.Cell] {
        [.text(choice.title), .text("median")]
            + values.map { known in
                let numbers = known.compactMap { if case .number(let number) = $0 { number } else { nil } }.sorted()
                guard let low = numbers.first, let high = numbers.last, let median = Statistics.median(numbers) else {
                    return .missing
                }
                let text = JSONFacts.Value.number(median).shown
                let range = "\(JSONFacts.Value.number(low).shown) to \(JSONFacts.Value.number(high).shown)"
                return .text(low == high ? "\(text) (n \(numbers.count))" : "\(text) (\(range), n \(numbers.count))")
            }
    }
}
