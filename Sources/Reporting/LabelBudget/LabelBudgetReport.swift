import Foundation
import LabelBudget
import ResultStore
import Statistics

/// What drawings are worth in labels, as tables, figures, a workbook and one page.
///
/// ```swift
/// let report = try LabelBudgetReport(evidence, workspace: workspace)
/// print(report.tables.map(\.csv).joined())
/// let page = try report.write(to: folder)
/// ```
///
/// Everything is computed from stored scores and masks; intervals are bootstrapped from one seed, so that a report of the same
/// store has the same numbers.
public struct LabelBudgetReport: Sendable {
    let evidence: LabelBudgetEvidence
    let workspace: Workspace
    /// The parts of the Dice that the masks lack, by dataset and line.
    let faults: [FaultSummary]
    let crossings: [Crossing]
    /// Resamples of every interval.
    static let resamples = 2000

    /// Where one trained line meets one drawn line.
    struct Crossing: Sendable {
        var dataset: String
        /// Nil for the best network at each budget.
        var network: SweepNetwork?
        var drawn: DrawnLine
        var point: CrossingPoint

        var trained: String { network?.title ?? "best network" }
    }

    /// - Throws: `MetricsError`, `DatasetError` for masks that do not fit their images.
    public init(_ evidence: LabelBudgetEvidence, workspace: Workspace) throws {
        (self.evidence, self.workspace) = (evidence, workspace)
        faults = try evidence.panels.flatMap { try FaultSummary.all($0, evidence, workspace) }
        crossings = evidence.panels.flatMap(Self.crossings)
    }

    /// One line that whoever looks at a table or figure must not overlook; nil where every picture is of a person and every drawing a model's.
    public var notice: String? {
        let simulated = evidence.panels.filter(\.dataset.description.isSimulated).count
        let fixtures = evidence.panels.contains { $0.drawn.contains(where: \.isFixture) }
        let undrawn = evidence.panels.count { panel in !panel.drawn.contains { $0.kind == .model } }
        var parts: [String] = []
        if simulated > 0 {
            parts.append(
                "\(simulated) of \(evidence.panels.count) datasets are simulated: a program drew their pictures, and nothing here is about "
                    + "patients.")
        }
        if fixtures {
            parts.append("Drawings marked as fixtures were recorded for this project and say nothing about any model.")
        }
        if undrawn > 0 {
            parts.append(
                "On \(undrawn) of \(evidence.panels.count) datasets no model has drawn: the best control stands in its place."
            )
        }
        return parts.isEmpty ? nil : parts.joined(separator: " ")
    }

    /// The reference drawing against each network and the best, then the other models' drawings against the best.
    private static func crossings(_ panel: LabelBudgetEvidence.Panel) -> [Crossing] {
        guard let reference = panel.reference else { return [] }
        func crossing(_ network: SweepNetwork?, _ curve: LabelCurve?, _ line: DrawnLine) -> Crossing? {
            guard let curve,
                let point = try? CrossingPoint(
                    trained: curve, drawn: line.dice, units: panel.units, resamples: resamples)
            else { return nil }
            return Crossing(dataset: panel.dataset.name, network: network, drawn: line, point: point)
        }
        var result = panel.networks.compactMap { crossing($0, panel.curve($0), reference) }
        if let best = panel.best {
            if let found = crossing(nil, best, reference) { result.append(found) }
        }
        let overall = panel.best ?? panel.networks.first.flatMap(panel.curve)
        let only = panel.best == nil ? panel.networks.first : nil
        for line in panel.drawn where line.kind != .ceiling && line.name != reference.name {
            if let found = crossing(only, overall, line) { result.append(found) }
        }
        return result
    }

    func crossing(_ panel: LabelBudgetEvidence.Panel, _ network: SweepNetwork?) -> Crossing? {
        crossings.first {
            $0.dataset == panel.dataset.name && $0.network == network && $0.drawn.name == panel.reference?.name
        }
    }

    /// The bootstrap interval of a drawing's mean Dice over the images.
    static func interval(_ line: DrawnLine, _ panel: LabelBudgetEvidence.Panel) -> ConfidenceInterval? {
        let samples = line.scores.keys.sorted()
        return Statistics.clusterBootstrapMean(
            panel.units.groups(samples).map { $0.compactMap { line.scores[samples[$0]]?.dice } },
            resamples: resamples, seed: 1)
    }

    /// Says under a table what its intervals were resampled by.
    var resamplingNote: String {
        let units = evidence.panels.map { "\($0.dataset.name) by \($0.units.kind.rawValue) (\($0.units.text))" }
        return
            "What is drawn with replacement, so that pictures of one subject stay together (Davison and Hinkley 1997, section 3.8; Field and "
            + "Welsh 2007): \(units.joined(separator: "; ")). Fewer than about ten units give an interval that is too narrow."
    }

    /// A drawing as tables name it, with what must be known of it.
    static func title(_ line: DrawnLine) -> String {
        line.name + (line.isFixture ? " (fixture)" : "")
    }

    static func title(_ panel: LabelBudgetEvidence.Panel) -> String {
        panel.dataset.name + (panel.dataset.description.isSimulated ? " (simulated)" : "")
    }
}
