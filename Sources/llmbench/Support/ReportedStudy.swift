import Audit
import Endpoints
import Foundation
import Reporting
import ResultStore

/// A study as every report of it is made: with its audit, and what is not in the store. Asked again, it reads what has changed.
struct ReportedStudy: EvidenceSource {
    let study: String
    let workspace: Workspace
    private var reader: StudyReader
    private var auditor: AuditReader
    /// Read, and not audited yet.
    private var unaudited: StudyEvidence?

    init(study: String, in workspace: Workspace) {
        (self.study, self.workspace) = (study, workspace)
        reader = StudyReader(study: study)
        auditor = AuditReader(study: study)
    }

    /// - Throws: `StoreError`.
    mutating func news(from store: ResultStore) throws -> StudyEvidence? {
        unaudited = try reader.news(from: store) ?? unaudited
        guard let evidence = unaudited else { return nil }
        let reported = try complete(evidence, from: store)
        unaudited = nil
        return reported
    }

    /// The study, whether it has changed or not.
    ///
    /// - Throws: `StoreError`.
    mutating func evidence(from store: ResultStore) throws -> StudyEvidence {
        try complete(reader.evidence(from: store), from: store)
    }

    private mutating func complete(_ evidence: StudyEvidence, from store: ResultStore) throws -> StudyEvidence {
        var evidence = evidence
        let cards = try? ModelRegistry.load(workspace.models).cards
        // Only for runs that are older than the store's memory of cards. Cards that cannot be read leave such runs out of the groups
        // by vendor and weights; `llmbench models list` says what is wrong with them.
        for card in cards ?? [] {
            evidence.currentCards[card.slug] = ModelTraits(vendor: card.vendor, openWeights: card.openWeights)
        }
        evidence.origin.commit = ReportOrigin.commit(of: workspace.root)
        evidence.plan = ComparisonPlan(of: study, in: workspace)
        evidence.audit = AuditSummary(
            try StudyAudit.report(of: store, in: workspace, reading: &auditor, isBeingReported: true))
        return evidence
    }
}
