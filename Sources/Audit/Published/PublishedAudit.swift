import Foundation
import PublishedFigures

/// The published tables as they are audited: a value, so that a test can change one.
public struct PublishedTables: Sendable {
    public var models: [PublishedModel]
    public var testDice: [PublishedTestDice]
    public var table3: [PublishedComparison]
    public var figure8: [PublishedPooledComparison]
    public var statements: [PublishedStatement]

    /// What is shipped.
    ///
    /// - Throws: `PublishedFiguresError`.
    public init() throws(PublishedFiguresError) {
        models = try PublishedFigures.models()
        testDice = try PublishedFigures.testDice()
        table3 = try PublishedFigures.table3()
        figure8 = try PublishedFigures.figure8()
        statements = try PublishedFigures.statements()
    }

    /// Test Dice of one dataset and cohort, in the published order.
    func dice(_ dataset: String, _ cohort: Int) -> [Double] {
        testDice.filter { $0.dataset == dataset && $0.cohort == cohort }.sorted { $0.rank < $1.rank }.map(\.dice)
    }

    /// Each dataset and cohort as a list.
    var lists: [NamedList] {
        var keys: [(String, Int)] = []
        for row in testDice where !keys.contains(where: { $0 == (row.dataset, row.cohort) }) {
            keys.append((row.dataset, row.cohort))
        }
        return keys.map { NamedList("\($0.0) \($0.1)", dice($0.0, $0.1)) }
    }
}

/// A check of the published tables.
public protocol PublishedCheck: AuditCheck {
    func findings(in tables: PublishedTables) -> [AuditFinding]
}

/// Asks whether the figures that we compare with hold together.
public struct PublishedAudit: Sendable {
    public static let checks: [any PublishedCheck] = [
        PublishedListsCheck(), PublishedOrderCheck(), PublishedMediansCheck(), PublishedRankTestsCheck(),
        PublishedPooledCheck(), PublishedStatementsCheck(),
    ]

    public var tables: PublishedTables

    public init(_ tables: PublishedTables) {
        self.tables = tables
    }

    /// Makes every check.
    public func report(at date: Date = Date()) -> AuditReport {
        AuditReport(
            subject: "published tables", auditedAt: date, checks: Self.checks,
            findings: Self.checks.flatMap { $0.findings(in: tables) })
    }
}
