extension StudyEvidence {
    /// What each pipeline does with the data, and what surrounds its training.
    public func pipelinesTable() -> ReportTable {
        choicesTable(
            .pipeline, title: "Data pipelines",
            note:
                "Read from the calls, loaders and datasets of the run, not from the source text. Image size in pixels, height and width. "
                + "augmentation: the parts in which two readings of an item differ. intensity: the range of the training images as the "
                + "network sees them. loading: whether files are read for each item or all beforehand.")
    }

    /// How often each choice about data and loop was made.
    ///
    /// - Complexity: O(runs · choices).
    public func pipelineChoicesTable() -> ReportTable {
        var table = ReportTable(
            name: "pipeline-choices", title: "Choices of the data pipelines",
            columns: [
                .init("choice", key: "choice"), .init("value", key: "value"),
                .init("models", key: "models", numeric: true),
                .init("runs", key: "runs", numeric: true), .init("of runs", key: "known_runs", numeric: true),
            ])
        for choice in Choice.all where choice.group == .pipeline {
            var found: [(run: Run, value: JSONFacts.Value)] = []
            for run in runs {
                guard let facts = run.capture?.facts.flatMap(JSONFacts.init) else { continue }
                if let value = choice.real(facts, run.pipeline) { found.append((run, value)) }
            }
            let groups = Dictionary(grouping: found, by: \.value.shown)
            for (value, members) in groups.sorted(by: { ($1.value.count, $0.key) < ($0.value.count, $1.key) }) {
                table.rows.append([
                    .text(choice.title), .text(value), .integer(Set(members.map(\.run.record.model)).count),
                    .integer(members.count), .integer(found.count),
                ])
            }
        }
        table.notes = ["of runs: runs whose capture tells this choice. The most frequent value first."]
        return table
    }
}
