import Drawing

/// Drawings against the replies that they were read from.
struct DrawingsCheck: StoreCheck {
    let id = "drawings"
    let asks = "Does every drawing follow from its reply, and every score from its drawing?"
    let why = "A mask or a score that its reply does not give was made elsewhere or changed afterwards."

    func findings(in evidence: AuditEvidence) -> [AuditFinding] {
        let look = "llmbench polygon list --study \(Wording.shell(evidence.study))"
        guard let problems = evidence.surroundings.drawings else {
            guard evidence.surroundings.drawingSets > 0 else { return [] }
            return [
                finding(
                    .note, "study \(evidence.study)",
                    "its \(Wording.count(evidence.surroundings.drawingSets, "set")) of drawings were not looked at",
                    why: "A report reads their scores; `llmbench audit` reads every reply again.",
                    look: "llmbench audit --study \(Wording.shell(evidence.study))")
            ]
        }
        return problems.map { problem in
            switch problem.kind {
            case .wrong: finding(.error, problem.place, problem.what, look: look)
            case .orphan:
                finding(
                    .warning, problem.place, problem.what,
                    why: "What was paid for is not in the tables, or what is in the tables cannot be checked.",
                    look: "ls \(Wording.shell("generated/" + problem.place))")
            case .unfinished:
                finding(
                    .note, problem.place, problem.what,
                    why: "Its figures will change; the same `llmbench polygon draw` goes on where it stopped.",
                    look: look)
            case .unseen:
                finding(
                    .note, problem.place, problem.what, why: "Its drawings were not held against their replies.",
                    look: look)
            }
        }
    }
}
