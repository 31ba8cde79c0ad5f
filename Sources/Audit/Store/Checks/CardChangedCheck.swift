import ResultStore

/// Runs whose model's card said something else when they were made.
struct CardChangedCheck: StoreCheck {
    let id = "card-changed"
    let asks = "Did the cards say of every run's model what they say of the study's others, and what they say now?"
    let why =
        "Cohorts are made from year, reasoning, vendor and weights as each run recorded them; a model of two answers stands in two groups."

    func findings(in evidence: AuditEvidence) -> [AuditFinding] {
        Dictionary(grouping: evidence.runs, by: \.record.model).sorted { $0.key < $1.key }.flatMap { model, runs in
            let here = runs.sorted { $0.path < $1.path }
            return [twoAnswers(here, evidence), anotherCard(here, evidence), unknown(here, evidence)]
                .compactMap { $0 }
        }
    }

    /// One model in two groups of one question.
    private func twoAnswers(_ runs: [AuditEvidence.Run], _ evidence: AuditEvidence) -> AuditFinding? {
        let known = runs.filter { $0.record.vendor != nil }
        guard let first = known.first, let other = known.first(where: { $0.card != first.card }) else { return nil }
        return finding(
            .warning, other.path,
            "\(other.card.differences(from: first.card)) in \(first.path), a run of the same model",
            look: Self.query(evidence, runs))
    }

    private func anotherCard(_ runs: [AuditEvidence.Run], _ evidence: AuditEvidence) -> AuditFinding? {
        guard let last = runs.last(where: { $0.record.vendor != nil }),
            let now = evidence.surroundings.cards?[last.record.model], now != last.card
        else { return nil }
        return finding(
            .note, last.path, "\(last.card.differences(from: now)) on the card now; reports use what was recorded",
            look: "llmbench models show \(Wording.shell(last.record.model)); \(Self.query(evidence, runs))")
    }

    /// Made before the store kept cards: reports read models.yaml as it is now.
    private func unknown(_ runs: [AuditEvidence.Run], _ evidence: AuditEvidence) -> AuditFinding? {
        let unknown = runs.filter { $0.record.vendor == nil }
        guard let first = unknown.first, evidence.surroundings.cards?[first.record.model] != nil else { return nil }
        return finding(
            .note, first.path + (unknown.count > 1 ? " and \(unknown.count - 1) more" : ""),
            "vendor and weights were not recorded when \(Wording.count(unknown.count, "run")) of \(first.record.model) "
                + "\(unknown.count == 1 ? "was" : "were") made; reports take them from models.yaml as it is now",
            look: "llmbench models show \(Wording.shell(first.record.model)); \(Self.query(evidence, runs))")
    }

    private static func query(_ evidence: AuditEvidence, _ runs: [AuditEvidence.Run]) -> String {
        let numbers = runs.compactMap(\.record.id).map { "\($0)" }.joined(separator: ", ")
        return evidence.query(
            "SELECT path, cohort_year, reasoning, vendor, open_weights FROM run WHERE id IN (\(numbers))")
    }
}

extension AuditEvidence.Run {
    fileprivate var card: AuditSurroundings.Card {
        .init(
            cohort: record.cohortYear, reasoning: record.reasoning, vendor: record.vendor,
            openWeights: record.openWeights)
    }
}

extension AuditSurroundings.Card {
    /// "vendor 'A' where it is 'B', reasoning yes where it is not said".
    fileprivate func differences(from other: Self) -> String {
        func said(_ flag: Bool?) -> String { flag.map { $0 ? "yes" : "no" } ?? "not said" }
        func year(_ year: Int?) -> String { year.map { "\($0)" } ?? "not said" }
        func name(_ name: String?) -> String { name.map { "'\($0.prefix(80))'" } ?? "not said" }
        return [
            ("cohort", year(cohort), year(other.cohort)), ("reasoning", said(reasoning), said(other.reasoning)),
            ("vendor", name(vendor), name(other.vendor)),
            ("open weights", said(openWeights), said(other.openWeights)),
        ].filter { $0.1 != $0.2 }.map { "\($0.0) \($0.1) where it is \($0.2)" }.joined(separator: ", ")
    }
}
