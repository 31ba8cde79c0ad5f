/// Repeats that are not: the same code from the same seed, or seeds that the pipeline overrides.
struct SeedReusedCheck: StoreCheck {
    let id = "seed-reused"
    let asks = "Does every repeat have its own code or its own seed?"
    let why =
        "The same code on the same data from the same seed is one measurement. Counted twice, it halves a variance that was never measured."

    func findings(in evidence: AuditEvidence) -> [AuditFinding] {
        sameCode(evidence) + evidence.runs.compactMap { overridden($0, evidence) }
    }

    /// What makes two trainings the same measurement.
    static func key(_ run: AuditEvidence.Run, _ training: AuditEvidence.Training) -> [String] {
        [
            training.record.datasetHash, training.record.engine.rawValue, "\(training.record.seed)",
            training.record.epochs.map(String.init) ?? "own",
        ] + (run.finalFiles ?? [])
    }

    private func sameCode(_ evidence: AuditEvidence) -> [AuditFinding] {
        let usable = evidence.trainings.filter { $0.run.finalFiles != nil && $0.training.isWhole }
        let groups = Dictionary(grouping: usable) { Self.key($0.run, $0.training) }
        return groups.values.filter { $0.count > 1 }.map { group in
            finding(
                .warning, group[0].run.place(group[0].training),
                "\(Wording.count(group.count, "training")) of different runs have the same files and the same seed: "
                    + Wording.list(group.map(\.run.path)),
                look: evidence.query(
                    "SELECT run_id, files FROM round WHERE outcome = 'clean' AND run_id IN ("
                        + group.map { "\($0.run.record.id ?? -1)" }.joined(separator: ", ") + ")"))
        }
    }

    /// A pipeline's own seeding wins over the harness's: trainings from two seeds are then from one.
    private func overridden(_ run: AuditEvidence.Run, _ evidence: AuditEvidence) -> AuditFinding? {
        let seeded = run.captures.filter { $0.pipeline?.integer("seed") != nil }
        let own = Set(seeded.compactMap { $0.pipeline?.integer("seed") })
        let asked = Set(seeded.map(\.record.seed)).intersection(run.trainings.map(\.record.seed))
        guard asked.count > 1, own.count == 1, let seed = own.first else { return nil }
        return finding(
            .warning, run.path,
            "it was trained from seeds \(asked.sorted().map(String.init).joined(separator: ", ")), and seeds itself with \(seed) each time",
            why:
                "Its first weights are the same every time: the spread between these trainings is less than the spread over seeds.",
            look: evidence.query(
                "SELECT seed, json_extract(pipeline, '$.seed') FROM capture WHERE run_id = \(run.record.id ?? -1)"))
    }
}
