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
    /// Pairs of lines whose crossing cannot be said, and why.
    let uncrossed: [String]
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
        let found = evidence.panels.map(Self.crossings)
        (crossings, uncrossed) = (found.flatMap(\.crossings), found.flatMap(\.without))
    }

    /// One line that whoever looks at a table or figure must not overlook; nil where every picture is of a person and every drawing a model's.
    public var notice: String? {
        let simulated = evidence.panels.filter(\.dataset.description.isSimulated).count
        let fixtures = evidence.panels.contains { $0.drawn.contains(where: \.isFixture) }
        let undrawn = evidence.panels.count { panel in
            !panel.drawn.contains { $0.kind == .model && $0.isFinished && $0.labels == 0 }
        }
        let unfinished = evidence.panels.flatMap(\.drawn).count { !$0.isFinished }
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
                "On \(undrawn) of \(evidence.panels.count) datasets no model has drawn all it was asked for without labels: "
                    + "the best control stands in its place.")
        }
        if unfinished > 0 {
            parts.append(
                "\(unfinished) drawing\(unfinished == 1 ? " is" : "s are") unfinished: under way, or broken off; the same `llmbench polygon draw` "
                    + "goes on.")
        }
        return parts.isEmpty ? nil : parts.joined(separator: " ")
    }

    /// The reference drawing against each network and the best, then the other drawings against the best.
    private static func crossings(
        _ panel: LabelBudgetEvidence.Panel
    ) -> (crossings: [Crossing], without: [String]) {
        guard let reference = panel.reference else { return ([], []) }
        var (found, without): ([Crossing], [String]) = ([], [])
        func add(_ network: SweepNetwork?, _ curve: LabelCurve?, _ line: DrawnLine) {
            guard let curve else { return }
            do {
                let point = try CrossingPoint(
                    trained: curve, drawn: line.dice, units: panel.units, resamples: resamples)
                found.append(Crossing(dataset: panel.dataset.name, network: network, drawn: line, point: point))
            } catch {
                let name = network?.title ?? "best network"
                without.append("\(title(panel)), \(name) and \(title(line)): no crossing, since \(error)")
            }
        }
        for network in panel.networks { add(network, panel.curve(network), reference) }
        if let best = panel.best { add(nil, best, reference) }
        let overall = panel.best ?? panel.networks.first.flatMap(panel.curve)
        let only = panel.best == nil ? panel.networks.first : nil
        for line in panel.drawn where line.kind != .ceiling && line.name != reference.name {
            add(only, overall, line)
        }
        return (found, without)
    }

    func crossing(_ panel: LabelBudgetEvidence.Panel, _ network: SweepNetwork?) -> Crossing? {
        crossings.first {
            $0.dataset == panel.dataset.name && $0.network == network && $0.drawn.name == panel.reference?.name
        }
    }

    /// The bootstrap interval of a drawing's mean Dice over the images; nil where all are of one unit.
    static func interval(_ line: DrawnLine, _ panel: LabelBudgetEvidence.Panel) -> ConfidenceInterval? {
        let samples = line.scores.keys.sorted()
        guard let groups = try? panel.units.groups(samples) else { return nil }
        return Statistics.clusterBootstrapMean(
            groups.map { $0.compactMap { line.scores[samples[$0]]?.dice } }, resamples: resamples, seed: 1)
    }

    /// Says under a table what its intervals were resampled by.
    var resamplingNote: String {
        let units = evidence.panels.map { "\($0.dataset.name) by \($0.units.kind.rawValue) (\($0.units.text))" }
        return
            "What is drawn with replacement, so that pictures of one subject stay together (Davison and Hinkley 1997, section 3.8; Field and "
            + "Welsh 2007): \(units.joined(separator: "; ")). Fewer than about ten units give an interval that is too narrow, and a single one gives none."
    }

    /// A drawing as tables name it, with what must be known of it.
    static func title(_ line: DrawnLine) -> String {
        line.name + (line.labels > 0 ? " (\(line.labels) labels)" : "") + (line.isFixture ? " (fixture)" : "")
            + (line.isFinished ? "" : " (unfinished)")
    }

    static func title(_ panel: LabelBudgetEvidence.Panel) -> String {
        panel.dataset.name + (panel.dataset.description.isSimulated ? " (simulated)" : "")
    }
}
