import Foundation
import ResultStore

/// Engines that train one pipeline to different Dice.
///
/// The yardstick is what seeds alone do: the standard deviation of mean held-out Dice over seeds within a run and engine, pooled
/// over the study. A difference of two engines' means beyond three of its standard errors is reported, and so is one beyond 0.05
/// where no training was repeated from another seed.
struct EnginesDisagreeCheck: StoreCheck {
    let id = "engines-disagree"
    let asks = "Do the engines reach the same held-out Dice, up to what another seed changes?"
    let why =
        "The engines train one pipeline. Where they disagree, capture or runtime is not faithful, and the Dice is not the model's."

    /// Without a measured spread.
    static let allowance = 0.05
    /// Below this, no spread however small makes a difference worth a word: rounding of masks at their edge.
    static let smallest = 0.005

    func findings(in evidence: AuditEvidence) -> [AuditFinding] {
        let scored = evidence.runs.map { run in
            (
                run: run,
                dice: Dictionary(grouping: run.trainings.filter { $0.record.status == .evaluated }, by: \.record.engine)
                    .mapValues { $0.compactMap(\.meanDice) }.filter { !$0.value.isEmpty }
            )
        }
        let spread = Self.pooledDeviation(scored.flatMap { Array($0.dice.values) })
        return scored.flatMap { run, dice in
            let engines = dice.keys.sorted { $0.rawValue < $1.rawValue }
            return engines.indices.flatMap { i in
                engines[(i + 1)...].compactMap { other in
                    compare(run, (engines[i], dice[engines[i]] ?? []), (other, dice[other] ?? []), spread, evidence)
                }
            }
        }
    }

    private func compare(
        _ run: AuditEvidence.Run, _ a: (TrainingRecord.Engine, [Double]), _ b: (TrainingRecord.Engine, [Double]),
        _ spread: Double?, _ evidence: AuditEvidence
    ) -> AuditFinding? {
        let means = [a.1, b.1].map { $0.reduce(0, +) / Double($0.count) }
        let difference = abs(means[0] - means[1])
        let limit = spread.map {
            max(Self.smallest, 3 * $0 * (1 / Double(a.1.count) + 1 / Double(b.1.count)).squareRoot())
        }
        guard difference > limit ?? Self.allowance else { return nil }
        return finding(
            .warning, run.path,
            "mean held-out Dice is \(Wording.number(means[0])) by \(a.0.rawValue) and \(Wording.number(means[1])) by \(b.0.rawValue): "
                + "\(Wording.number(difference)) apart, "
                + (limit.map { "beyond \(Wording.number($0)), three standard errors of the spread over seeds" }
                    ?? "beyond \(Wording.number(Self.allowance)), and no training was repeated from another seed"),
            look: evidence.query(
                "SELECT engine, seed, avg(dice) FROM training JOIN held_out ON training_id = training.id WHERE run_id = "
                    + "\(run.record.id ?? -1) GROUP BY training.id"))
    }

    /// √(Σ (n − 1) s² / Σ (n − 1)); nil where nothing was repeated.
    static func pooledDeviation(_ groups: [[Double]]) -> Double? {
        var (squares, freedom) = (0.0, 0)
        for group in groups where group.count > 1 {
            let mean = group.reduce(0, +) / Double(group.count)
            squares += group.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
            freedom += group.count - 1
        }
        return freedom > 0 ? (squares / Double(freedom)).squareRoot() : nil
    }
}
