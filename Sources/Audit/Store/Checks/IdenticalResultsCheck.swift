import Foundation
import ResultStore

/// Two trainings with the same numbers.
///
/// Not compared: engines of one run and seed, which should agree, and trainings that `seed-reused` reports.
struct IdenticalResultsCheck: StoreCheck {
    let id = "identical-results"
    let asks = "Are the numbers of different trainings different?"
    let why =
        "Independent trainings do not end in the same numbers: a result was copied, or one training stands under two names, and "
        + "the sample is smaller than it looks."

    private struct Entry {
        var run: AuditEvidence.Run
        var training: AuditEvidence.Training
        var values: [Double]
    }

    func findings(in evidence: AuditEvidence) -> [AuditFinding] {
        let whole = evidence.trainings.filter(\.training.isWhole)
        let dice = whole.map { run, training in
            Entry(run: run, training: training, values: training.heldOut.map(\.dice))
        }
        let losses = whole.map { run, training in
            Entry(run: run, training: training, values: training.epochs.compactMap(\.trainLoss))
        }
        let first = pairs(dice, of: "held-out Dice", keyed: { $0.training.record.datasetHash }, evidence)
        let reported = Set(first.map(\.place))
        return first
            + pairs(losses, of: "training losses", keyed: { _ in "" }, evidence).filter { !reported.contains($0.place) }
    }

    private func pairs(
        _ entries: [Entry], of name: String, keyed key: (Entry) -> String, _ evidence: AuditEvidence
    ) -> [AuditFinding] {
        let usable = entries.filter { !$0.values.isEmpty && $0.values.allSatisfy(\.isFinite) }
        let places = Double(usable.count) * Double(usable.count - 1) / 2
        let groups = Dictionary(grouping: usable) { [key($0)] + $0.values.map { "\($0.bitPattern)" } }
        return groups.values.flatMap { group -> [AuditFinding] in
            guard let first = group.first, group.count > 1 else { return [] }
            let chance = Coincidence(first.values)
                .chance(of: first.values.count, isSorted: false, places: places)
            guard chance < Coincidence.level else { return [] }
            return group.dropFirst().filter { !isExpected(first, $0) }.map { other in
                report(first, other, name, chance, evidence)
            }
        }
    }

    private func report(
        _ a: Entry, _ b: Entry, _ name: String, _ chance: Double, _ evidence: AuditEvidence
    ) -> AuditFinding {
        let isTwoValued = Set(a.values).count <= 2
        let table = name == "training losses" ? "epoch" : "held_out"
        return finding(
            isTwoValued ? .warning : .error, a.run.place(a.training),
            "its \(a.values.count) \(name) are those of \(b.run.place(b.training)), to the last digit (by chance: "
                + "\(Wording.number(chance, digits: 2)) at most)"
                + (isTwoValued ? "; they take no more than two values, so both may predict the same everywhere" : ""),
            look: evidence.query(
                "SELECT * FROM \(table) WHERE training_id IN (\(a.training.id), \(b.training.id)) ORDER BY 2, 1"))
    }

    private func isExpected(_ a: Entry, _ b: Entry) -> Bool {
        let (one, two) = (a.training.record, b.training.record)
        if one.runId == two.runId {
            return (one.engine != two.engine && one.seed == two.seed)
                || a.training.capture?.pipeline?.integer("seed") != nil
        }
        return SeedReusedCheck.key(a.run, a.training) == SeedReusedCheck.key(b.run, b.training)
            && a.run.finalFiles != nil
    }
}
