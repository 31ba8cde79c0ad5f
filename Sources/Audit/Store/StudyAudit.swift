import Foundation
import ResultStore

/// A check of a study's store.
public protocol StoreCheck: AuditCheck {
    func findings(in evidence: AuditEvidence) -> [AuditFinding]
}

/// Asks whether a study's evidence holds together.
public struct StudyAudit: Sendable {
    /// Every check, in the order they are made. `store-integrity` comes before them.
    public static let checks: [any StoreCheck] = [
        ScoreRangeCheck(), NotFiniteCheck(), ConstantScoresCheck(), IdenticalResultsCheck(), PerSampleCheck(),
        CountsCheck(), BatchMeansCheck(), LeakCheck(), DatasetChangedCheck(), PromptChangedCheck(),
        PriceChangedCheck(), CardChangedCheck(), SeedReusedCheck(), LossFlatCheck(), EnginesDisagreeCheck(),
        ParityCheck(),
        StatedOtherwiseCheck(), ConversationCheck(), FilesCheck(), DrawingsCheck(), UnfinishedCheck(), FigureAgeCheck(),
    ]

    public var store: ResultStore
    public var study: String
    public var surroundings: AuditSurroundings

    public init(store: ResultStore, study: String, surroundings: AuditSurroundings) {
        self.store = store
        self.study = study
        self.surroundings = surroundings
    }

    /// Makes every check. Where the database itself is unsound, only that is reported: what a damaged row says is no evidence.
    ///
    /// - Throws: `StoreError` for a store that cannot be read at all.
    public func report(at date: Date = Date()) throws -> AuditReport {
        var reader = AuditReader(study: study)
        return try report(at: date, reading: &reader)
    }

    /// The same for an audit that follows another: only runs that have changed since are read.
    ///
    /// - Throws: `StoreError` for a store that cannot be read at all.
    public func report(at date: Date = Date(), reading reader: inout AuditReader) throws -> AuditReport {
        let integrity = StoreIntegrityCheck()
        var findings = try integrity.findings(in: store)
        let subject = "study \(study)"
        guard findings.isEmpty else {
            return AuditReport(subject: subject, auditedAt: date, checks: [integrity], findings: findings)
        }
        let evidence: AuditEvidence
        do {
            evidence = try AuditEvidence(store: store, surroundings: surroundings, reading: &reader)
        } catch StoreError.failed(_, let doing, let reason) {
            findings = [integrity.unreadable(doing: doing, reason: reason, store: store)]
            return AuditReport(subject: subject, auditedAt: date, checks: [integrity], findings: findings)
        } catch StoreError.damaged {
            findings = [integrity.unreadable(doing: "reading the study", reason: "the file is damaged", store: store)]
            return AuditReport(subject: subject, auditedAt: date, checks: [integrity], findings: findings)
        }
        findings = Self.checks.flatMap { $0.findings(in: evidence) }
        return AuditReport(
            subject: subject, auditedAt: date, checks: [integrity as any AuditCheck] + Self.checks, findings: findings)
    }
}
