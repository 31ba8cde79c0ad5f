import Foundation

/// A check of any table.
public protocol TableCheck: AuditCheck {
    func findings(in table: AuditedTable) -> [AuditFinding]
}

/// Asks whether a table of numbers, from wherever, holds together.
public struct TableAudit: Sendable {
    public static let checks: [any TableCheck] = [
        TableRangeCheck(), TableNumbersCheck(), TableConstantCheck(), TableRowsCheck(), TableListsCheck(),
        TableOrderCheck(), TableSummaryCheck(), TableRankTestCheck(),
    ]

    public var table: AuditedTable

    public init(_ table: AuditedTable) {
        self.table = table
    }

    /// Makes every check.
    public func report(at date: Date = Date()) -> AuditReport {
        AuditReport(
            subject: "table \(table.name)", auditedAt: date, checks: Self.checks,
            findings: Self.checks.flatMap { $0.findings(in: table) })
    }
}
