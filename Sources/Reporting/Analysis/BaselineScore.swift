import ResultStore
import Statistics

extension StudyEvidence {
    /// One baseline with its held-out Dice.
    public struct Baseline: Sendable, Hashable {
        public var record: BaselineRecord
        public var heldOut: [BaselineHeldOutRecord]

        /// Mean over images; nil before evaluation.
        public var meanDice: Double? { Statistics.mean(heldOut.map(\.dice)) }

        /// `nnU-Net, 50 × 250 iterations`; the engine and a batch size of the user's where they are not what the method says.
        public var label: String {
            let own = record.engine == .nnunetv2 ? "" : " (\(record.engine.rawValue))"
            let batch = record.budget.contains("-b") ? ", batch \(record.batchSize ?? 0)" : ""
            return "nnU-Net\(own), \(record.budgetLabel)\(batch)"
        }
    }
}

/// Baselines of one engine and budget on one dataset: a row of the figures, over all seeds.
struct BaselineScore: Sendable {
    var label: String
    var dataset: String
    var engine: BaselineRecord.Engine
    var seeds: Int
    /// Dice of every image and seed.
    var values: [Double]
    /// Mean over the images, seed by seed.
    var seedMeans: [Double]
    /// Dice of each image, mean over the seeds that scored it.
    var images: [String: Double]

    /// All evaluated baselines of a study, grouped.
    static func all(_ evidence: StudyEvidence) -> [BaselineScore] {
        let scored = evidence.baselines.filter { $0.record.status == .evaluated && !$0.heldOut.isEmpty }
        let groups = Dictionary(grouping: scored) { "\($0.record.dataset)\n\($0.record.engine)\n\($0.record.budget)" }
        return groups.sorted { $0.key < $1.key }.compactMap { _, group in
            guard let first = group.first else { return nil }
            let rows = group.flatMap(\.heldOut)
            return BaselineScore(
                label: first.label, dataset: first.record.dataset, engine: first.record.engine, seeds: group.count,
                values: rows.map(\.dice), seedMeans: group.compactMap(\.meanDice),
                images: Dictionary(grouping: rows, by: \.sample).mapValues { rows in
                    rows.reduce(0) { $0 + $1.dice } / Double(rows.count)
                })
        }
    }
}
