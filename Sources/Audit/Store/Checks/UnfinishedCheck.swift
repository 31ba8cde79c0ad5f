import ResultStore

/// What has no end yet.
struct UnfinishedCheck: StoreCheck {
    let id = "unfinished"
    let asks = "Has everything that was begun come to its end?"
    let why = "What is missing now will change tables and figures later."

    func findings(in evidence: AuditEvidence) -> [AuditFinding] {
        let runs = evidence.runs.filter { !$0.record.status.isEnd }
        let trainings = evidence.trainings.filter { [.running, .trained].contains($0.training.record.status) }
        var found: [AuditFinding] = []
        if let first = runs.first {
            found.append(
                finding(
                    .note, first.path + (runs.count > 1 ? " and \(runs.count - 1) more" : ""),
                    "\(Wording.count(runs.count, "run")) have not come to an end",
                    look: evidence.query("SELECT path FROM run WHERE status = 'running'")))
        }
        if let first = trainings.first {
            found.append(
                finding(
                    .note,
                    first.run.place(first.training) + (trainings.count > 1 ? " and \(trainings.count - 1) more" : ""),
                    "\(Wording.count(trainings.count, "training")) not evaluated yet",
                    look: evidence.query(
                        "SELECT run_id, engine, seed, status FROM training WHERE status IN ('running', 'trained')")
                ))
        }
        return found
    }
}
