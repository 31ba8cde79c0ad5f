import ResultStore

/// Data that are not what they were.
struct DatasetChangedCheck: StoreCheck {
    let id = "dataset-changed"
    let asks = "Do all results of a dataset come from the same content, and is it what lies on disk?"
    let why =
        "Dice on other images or masks is another measurement: it must not stand in one table, nor be repeated, as if it were the same."

    func findings(in evidence: AuditEvidence) -> [AuditFinding] {
        let byDataset = Dictionary(grouping: evidence.runs, by: \.record.dataset).sorted { $0.key < $1.key }
        return byDataset.flatMap { name, runs in
            let mixed = mixed(name, runs, evidence)
            return mixed.isEmpty ? now(name, runs, evidence) : mixed
        } + evidence.runs.flatMap { parts($0, evidence) }
    }

    private func mixed(
        _ name: String, _ runs: [AuditEvidence.Run], _ evidence: AuditEvidence
    ) -> [AuditFinding] {
        let counts = Dictionary(grouping: runs.filter { !$0.record.datasetHash.isEmpty }, by: \.record.datasetHash)
        guard counts.count > 1 else { return [] }
        let parts = counts.sorted { $0.value.count > $1.value.count }
            .map { "\(Wording.count($0.value.count, "run")) with \(Wording.hash($0.key))" }
        return [
            finding(
                .error, "dataset \(name)",
                "its runs used different contents: " + parts.joined(separator: ", ")
                    + (evidence.surroundings.datasets[name].map { "; on disk is \(Wording.hash($0.contentHash))" } ?? ""),
                look: evidence.query("SELECT dataset, dataset_hash, count(*) FROM run GROUP BY 1, 2"))
        ]
    }

    private func now(_ name: String, _ runs: [AuditEvidence.Run], _ evidence: AuditEvidence) -> [AuditFinding] {
        let look = "llmbench datasets show \(Wording.shell(name))"
        if let reason = evidence.surroundings.unreadableDatasets[name] {
            return [
                finding(
                    .note, "dataset \(name)", "it cannot be compared with what was used: \(reason.prefix(300))",
                    why: "Checks that need the images were not made for it.", look: look)
            ]
        }
        guard let current = evidence.surroundings.datasets[name] else { return [] }
        let old = runs.filter { !$0.record.datasetHash.isEmpty && $0.record.datasetHash != current.contentHash }
        guard let first = old.first else { return [] }
        return [
            finding(
                .warning, "dataset \(name)",
                "its content is \(Wording.hash(current.contentHash)) now; \(Wording.count(old.count, "run")) used "
                    + Wording.hash(first.record.datasetHash),
                look: evidence.query("SELECT path, dataset_hash FROM run") + "; \(look)")
        ]
    }

    /// A run's own captures and trainings on data other than the run's.
    private func parts(_ run: AuditEvidence.Run, _ evidence: AuditEvidence) -> [AuditFinding] {
        let due = run.record.datasetHash
        guard !due.isEmpty else { return [] }
        return run.trainings.filter { $0.record.datasetHash != due }.map { training in
            finding(
                .error, run.place(training),
                "it was trained on content \(Wording.hash(training.record.datasetHash)); its code was made for \(Wording.hash(due))",
                look: evidence.query("SELECT id, dataset_hash FROM training WHERE run_id = \(run.record.id ?? -1)"))
        }
    }
}
