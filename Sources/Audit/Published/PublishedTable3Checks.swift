import PublishedFigures
import Statistics

/// Medians and quartiles of table 3 against the per-model means.
struct PublishedMediansCheck: PublishedCheck {
    let id = "published-medians"
    let asks = "Do the medians of table 3 follow from the per-model means, and their differences from the medians?"
    let why =
        "U and p of the same row are computed over models; the medians beside them are over another unit, so that the row describes "
        + "two samples as if they were one."

    func findings(in tables: PublishedTables) -> [AuditFinding] {
        tables.table3.flatMap { row -> [AuditFinding] in
            let look =
                "grep -n '^\(row.dataset),' Sources/PublishedFigures/Data/table3.csv Sources/PublishedFigures/Data/test_dice.csv"
            let wrong = [(2024, row.median2024), (2025, row.median2025)].compactMap { cohort, printed -> String? in
                guard let median = Statistics.median(tables.dice(row.dataset, cohort)),
                    !Printed(printed, decimals: 4).agrees(with: median)
                else { return nil }
                return "\(cohort): \(Wording.number(printed)) there, \(Wording.number(median)) from the per-model means"
            }
            var found: [AuditFinding] = []
            if !wrong.isEmpty {
                found.append(
                    finding(
                        .warning, "table3.csv, \(row.dataset)",
                        "its medians do not follow; " + wrong.joined(separator: "; "),
                        look: look))
            }
            // Each median is rounded by itself.
            let difference = row.median2025 - row.median2024
            if abs(difference - row.difference) > 1.5e-4 + 1e-12 {
                found.append(
                    finding(
                        .error, "table3.csv, \(row.dataset)",
                        "the medians differ by \(Wording.number(difference)), the row says \(Wording.number(row.difference))",
                        why:
                            "A difference that is not that of the numbers beside it was computed from others, or mistyped.",
                        look: look))
            }
            return found
        }
    }
}

/// U and p of table 3 against the per-model means.
struct PublishedRankTestsCheck: PublishedCheck {
    let id = "published-rank-tests"
    let asks = "Do U and p of table 3 follow from the per-model means?"
    let why = "A test that can be computed again from the data shown is evidence; one that cannot is a statement."

    func findings(in tables: PublishedTables) -> [AuditFinding] {
        var follows: [String] = []
        var found: [AuditFinding] = []
        for row in tables.table3 {
            let (later, earlier) = (tables.dice(row.dataset, 2025), tables.dice(row.dataset, 2024))
            let claim = RankTestClaim(
                first: later.count, second: earlier.count, u: row.u, p: Printed(row.p, decimals: 4))
            let look = "llmbench stats compare --published table3"
            guard let standing = try? claim.standing(later, earlier) else {
                found.append(
                    finding(.error, "table3.csv, \(row.dataset)", "there are no data of its cohorts", look: look))
                continue
            }
            if standing.uFollows, let method = standing.pFollowsBy {
                follows.append("\(row.dataset) (U = \(Wording.number(row.u)), p = \(claim.p.shown): \(method))")
            } else {
                found.append(
                    finding(
                        .error, "table3.csv, \(row.dataset)",
                        "U = \(Wording.number(row.u)) and p = \(claim.p.shown); the data give U = \(Wording.number(standing.u)), "
                            + "and p = \(Wording.number(standing.nearest)) at the nearest", look: look))
            }
            if row.isSignificant != (row.p < 0.05) {
                found.append(
                    finding(
                        .error, "table3.csv, \(row.dataset)",
                        "p = \(claim.p.shown) is marked as \(row.isSignificant ? "" : "not ")significant at 0.05",
                        look: look))
            }
        }
        if !follows.isEmpty {
            found.append(
                finding(
                    .note, "table3.csv",
                    "U and p of \(follows.count) of \(tables.table3.count) rows follow from test_dice.csv: "
                        + follows.joined(separator: "; "), look: "llmbench stats compare --published table3"))
        }
        return found
    }
}
