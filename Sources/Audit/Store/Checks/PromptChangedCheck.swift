/// Runs whose prompt template is no longer there.
struct PromptChangedCheck: StoreCheck {
    let id = "prompt-changed"
    let asks = "Is the prompt of every run still a file of prompts/?"
    let why =
        "A run that is added now gets another prompt than those it stands beside: they are not repeats of one experiment."

    func findings(in evidence: AuditEvidence) -> [AuditFinding] {
        guard let templates = evidence.surroundings.templates else { return [] }
        let known = Set(templates.values)
        let gone = Dictionary(
            grouping: evidence.runs.filter {
                !$0.record.templateHash.isEmpty && !known.contains($0.record.templateHash)
            },
            by: \.record.templateHash)
        return gone.sorted { $0.key < $1.key }.map { hash, runs in
            finding(
                .warning, runs[0].path + (runs.count > 1 ? " and \(runs.count - 1) more" : ""),
                "the template \(Wording.hash(hash)) of \(Wording.count(runs.count, "run")) is none of "
                    + (templates.isEmpty ? "prompts/, which holds no template" : Wording.list(templates.keys.sorted())),
                look: "sha256sum prompts/*.md; "
                    + evidence.query("SELECT template_hash, count(*) FROM run GROUP BY 1"))
        }
    }
}
