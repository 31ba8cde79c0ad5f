/// NaN and infinity. SQLite has no NaN: it stores one as NULL, and so does the trainer with a loss that is not finite.
struct NotFiniteCheck: StoreCheck {
    let id = "not-finite"
    let asks = "Is every score and every loss a finite number?"
    let why =
        "An average over a value that is no number is no number; a loss that left the numbers trained nothing from there on."

    func findings(in evidence: AuditEvidence) -> [AuditFinding] {
        evidence.trainings.flatMap { run, training in
            scores(run, training, evidence) + losses(run, training, evidence)
        }
    }

    private func scores(
        _ run: AuditEvidence.Run, _ training: AuditEvidence.Training, _ evidence: AuditEvidence
    ) -> [AuditFinding] {
        training.scoreLists.compactMap { list in
            let strange = list.values.indices.filter { !list.values[$0].isFinite }
            guard let first = strange.first else { return nil }
            return finding(
                .error, run.place(training),
                "\(strange.count) of \(list.values.count) \(list.name) are not finite, the first: "
                    + "\(Wording.number(list.values[first])) (\(list.place(first)))",
                look: evidence.query(
                    "SELECT * FROM \(list.table) WHERE training_id = \(training.id) AND abs(\(list.column)) > 1"))
        }
    }

    /// The emitted engine prints what it likes and may leave losses out; the other two measure every one.
    private func losses(
        _ run: AuditEvidence.Run, _ training: AuditEvidence.Training, _ evidence: AuditEvidence
    ) -> [AuditFinding] {
        let look = evidence.query(
            "SELECT epoch, train_loss, validation_loss FROM epoch WHERE training_id = \(training.id)")
        let infinite = training.epochs.filter { epoch in
            [epoch.trainLoss, epoch.validationLoss, epoch.commonBce].contains { $0.map { !$0.isFinite } ?? false }
        }
        if let first = infinite.first {
            return [
                finding(
                    .error, run.place(training),
                    "\(Wording.count(infinite.count, "epoch")) of \(training.epochs.count) have an infinite loss, the first: epoch \(first.epoch)",
                    look: look)
            ]
        }
        guard training.record.engine != .emitted, training.isWhole else { return [] }
        let missing = training.epochs.filter { $0.trainLoss == nil }
        guard let first = missing.first else { return [] }
        return [
            finding(
                .warning, run.place(training),
                "the training loss of \(Wording.count(missing.count, "epoch")) of \(training.epochs.count) was not finite, the first: epoch \(first.epoch)",
                look: look)
        ]
    }
}
