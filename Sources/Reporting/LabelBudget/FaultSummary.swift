import Foundation
import LabelBudget
import Metrics
import ResultStore
import Statistics

/// What one line's masks of a dataset lack, measured on each.
struct FaultSummary: Sendable {
    var dataset: String
    /// The network with its labels, or the drawing.
    var line: String
    var isDrawn: Bool
    /// By sample.
    var faults: [String: SegmentationFault]

    /// Masks below this Dice count as failures.
    static let threshold = 0.7

    var failures: [SegmentationFault] { faults.values.filter { $0.dice < Self.threshold } }

    func count(_ kind: SegmentationFault.Kind) -> Int { failures.count { $0.kind == kind } }

    func mean(_ part: (SegmentationFault) -> Double?) -> Double? {
        Statistics.mean(faults.sorted { $0.key < $1.key }.compactMap { part($0.value) })
    }

    func median(_ part: (SegmentationFault) -> Double?) -> Double? {
        Statistics.median(faults.values.compactMap(part))
    }

    /// The networks at the largest budget (its first seed) and the drawings that are no ceilings.
    static func all(
        _ panel: LabelBudgetEvidence.Panel, _ evidence: LabelBudgetEvidence, _ workspace: Workspace
    ) throws -> [FaultSummary] {
        var result: [FaultSummary] = []
        for line in panel.drawn where line.kind != .ceiling {
            let faults = try faults(panel) { try panel.mask(of: line, sample: $0) }
            result.append(
                FaultSummary(
                    dataset: panel.dataset.name, line: LabelBudgetReport.title(line), isDrawn: true, faults: faults))
        }
        for training in LabelBudgetReport.shown(panel) {
            let faults = try faults(panel) {
                try evidence.mask(of: training, sample: $0, in: panel, workspace: workspace)
            }
            result.append(
                FaultSummary(
                    dataset: panel.dataset.name, line: LabelBudgetReport.title(training), isDrawn: false,
                    faults: faults))
        }
        return result.filter { !$0.faults.isEmpty }
    }

    private static func faults(
        _ panel: LabelBudgetEvidence.Panel, _ mask: (String) throws -> Mask?
    ) throws -> [String: SegmentationFault] {
        var faults: [String: SegmentationFault] = [:]
        for sample in panel.dataset.split.heldOut {
            guard let predicted = try mask(sample) else { continue }
            faults[sample] = try SegmentationFault(predicted: predicted, truth: panel.truth(sample))
        }
        return faults
    }
}

extension LabelBudgetReport {
    /// For each network and each budget's ends, the first seed: what pictures and faults are shown of.
    static func shown(_ panel: LabelBudgetEvidence.Panel) -> [LabelBudgetEvidence.Training] {
        let budgets = Set(panel.trainings.map(\.record.labels)).sorted()
        let ends = Set([budgets.first, budgets.last].compactMap { $0 })
        return panel.trainings.filter { training in
            let seeds = panel.trainings.filter {
                $0.network == training.network && $0.record.labels == training.record.labels
            }.map(\.record.seed)
            return ends.contains(training.record.labels) && training.record.seed == seeds.min()
        }.sorted {
            let order = SweepNetwork.allCases
            let (a, b) = (order.firstIndex(of: $0.network) ?? 0, order.firstIndex(of: $1.network) ?? 0)
            return (a, $0.record.labels) < (b, $1.record.labels)
        }
    }

    static func title(_ training: LabelBudgetEvidence.Training) -> String {
        "\(training.network.title), N = \(training.record.labels)"
    }
}
