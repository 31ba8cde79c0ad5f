import ResultStore

extension StudyEvidence {
    /// The network each model wrote, read from the graph, beside what the model said of it in config.json.
    ///
    /// One row a property and a column pair a run would be unreadable for many models, so a run is a row and a choice that
    /// differs from the stated one is shown as `real (said: stated)`.
    public func architecturesTable() -> ReportTable {
        choicesTable(
            .architecture, title: "What each model chose",
            note:
                "The architecture is read from the captured graph, not from the source text. Parameters are trainable ones."
        )
    }

    /// How each model trains: optimizer, rates, batch, epochs, loss.
    public func hyperparametersTable() -> ReportTable {
        choicesTable(
            .hyperparameters, title: "Hyperparameters",
            note:
                "Read from the optimizer, scheduler and loaders of the run. Learning rate and weight decay are those of the first group of "
                + "parameters at the start. epochs: as main.py would train by itself, also where a study fixed another number for all."
        )
    }

    func choicesTable(_ group: Choice.Group, title: String, note: String) -> ReportTable {
        let choices = Choice.all.filter { $0.group == group }
        var table = ReportTable(
            name: group.rawValue, title: title,
            columns: [.init("model", key: "model"), .init("dataset", key: "dataset")]
                + choices.map { .init($0.title, key: $0.key, numeric: $0.numeric) }
                + [.init("said otherwise", key: "mismatches", numeric: true)])
        table.rows = runs.map { choicesRow($0, choices) }
        table.notes = [
            note + " (said: …) marks a choice that config.json states differently.",
            "A dash: the run has no capture, or the choice does not apply.",
        ]
        return table
    }

    /// One choice of a run beside what the model said of it.
    struct StatedChoice: Sendable {
        var title: String
        var real: String
        var stated: String?
        var agrees: Bool
    }

    /// The choices of one run that apply to it.
    static func choices(of run: Run) -> [StatedChoice] {
        guard let capture = run.capture, let facts = capture.facts.flatMap(JSONFacts.init) else { return [] }
        let pipeline = run.pipeline
        let stated = capture.stated.flatMap(JSONFacts.init)
        return Choice.all.compactMap { choice in
            guard let real = choice.real(facts, pipeline) else { return nil }
            let said = choice.statedKeys.lazy.compactMap { stated?[$0] }.first
            return StatedChoice(
                title: choice.title, real: real.shown, stated: said?.shown,
                agrees: said.map { choice.agrees(real, $0) } ?? true)
        }
    }

    private func choicesRow(_ run: Run, _ choices: [Choice]) -> [ReportTable.Cell] {
        let head: [ReportTable.Cell] = [.text(run.label), .text(run.record.dataset)]
        guard let capture = run.capture, let facts = capture.facts.flatMap(JSONFacts.init) else {
            return head + choices.map { _ in .missing } + [.missing]
        }
        let pipeline = run.pipeline
        let stated = capture.stated.flatMap(JSONFacts.init)
        var mismatches = 0
        let cells: [ReportTable.Cell] = choices.map { choice in
            guard let real = choice.real(facts, pipeline) else { return .missing }
            if let said = choice.statedKeys.lazy.compactMap({ stated?[$0] }).first, !choice.agrees(real, said) {
                mismatches += 1
                return .text("\(real.shown) (said: \(said.shown))")
            }
            return real.cell
        }
        return head + cells + [stated == nil ? .missing : .integer(mismatches)]
    }
}
