import ResultStore

/// Rounds, errors and the end of a run against each other.
struct ConversationCheck: StoreCheck {
    let id = "conversation"
    let asks = "Do rounds, errors and the way a run ended agree?"
    let why = "Errors and rounds are results: a round that is missing, or an error without its row, is counted wrongly."

    func findings(in evidence: AuditEvidence) -> [AuditFinding] {
        evidence.runs.flatMap { run -> [AuditFinding] in
            let id = run.record.id ?? -1
            let look = evidence.query("SELECT round, outcome FROM round WHERE run_id = \(id)")
            var found: [AuditFinding] = []
            let numbers = run.rounds.map(\.round)
            if numbers != Array(0..<numbers.count) {
                found.append(
                    finding(
                        .error, run.path, "its rounds are numbered \(Wording.list(numbers.map(String.init), most: 12))",
                        look: look))
            }
            let isClean = run.rounds.last?.outcome == .clean
            if run.record.status.isEnd, (run.record.status == .succeeded) != isClean {
                found.append(
                    finding(
                        .error, run.path,
                        "it is stored as '\(run.record.status.rawValue)', its last round as "
                            + (run.rounds.last.map { "'\($0.outcome.rawValue)'" } ?? "missing"), look: look))
            }
            let named = Set(run.errors.map(\.round))
            let due = Set(run.rounds.filter { [.error, .contract, .extraction].contains($0.outcome) }.map(\.round))
            if named != due {
                found.append(
                    finding(
                        .error, run.path,
                        "rounds \(Wording.list(named.symmetricDifference(due).sorted().map(String.init))) have an error without a "
                            + "failed round, or the reverse",
                        look: evidence.query("SELECT round, error_class FROM error WHERE run_id = \(id)")))
            }
            return found
        }
    }
}
