import Foundation
import Statistics

/// Mean ranks over datasets on one axis, with bars that join what Nemenyi's test does not part (Demšar 2006, section 3.2.2 and
/// figure 1).
public struct CriticalDifferenceFigure: Figure {
    public var models: [String]
    public var comparison: NemenyiComparison
    /// Friedman's test of the same blocks.
    public var friedman: TestResult?
    public let name = "critical-difference"
    public var caption: String {
        let test =
            friedman.map { " " + StudyEvidence.sentence($0, models: models.count, datasets: comparison.blocks) } ?? ""
        return
            "Mean rank of each model over \(comparison.blocks) datasets by mean held-out Dice, 1 = best. Bars join models whose ranks differ by less than the critical difference (Nemenyi, α = \(comparison.significance)).\(test)"
    }

    /// - Parameter comparison: over blocks where rank 1 is best.
    public init(models: [String], comparison: NemenyiComparison, friedman: TestResult?) {
        self.models = models
        self.comparison = comparison
        self.friedman = friedman
    }

    private var half: Int { (models.count + 1) / 2 }
    /// Many ranks need more room than a column has.
    private var isWide: Bool { models.count > 12 }
    /// Room for the names on either side.
    private var margin: Double { isWide ? 130 : 82 }
    private var axisY: Double { 46 }
    private var barsHeight: Double { 5 + 5 * Double(comparison.groups.count) }
    public var size: (width: Double, height: Double) {
        (isWide ? PlotArea.page : PlotArea.column, axisY + barsHeight + 12 * Double(half) + 12)
    }

    public func draw(on canvas: Canvas) {
        let left = margin
        let right = size.width - left
        let count = Double(max(2, models.count))
        // Best on the left.
        func x(_ rank: Double) -> Double { left + (rank - 1) / (count - 1) * (right - left) }
        drawScale(x, Int(count), on: canvas)
        drawGroups(x, on: canvas)
        let order = models.indices.sorted { comparison.meanRanks[$0] < comparison.meanRanks[$1] }
        for (position, model) in order.enumerated() {
            let isLeft = position < half
            let row = isLeft ? position : models.count - 1 - position
            let y = axisY + barsHeight + 12 * (Double(row) + 0.7)
            let rank = comparison.meanRanks[model]
            let end = isLeft ? left - 6 : right + 6
            canvas.line([(x(rank), axisY), (x(rank), y), (end, y)], .ink, width: 0.7)
            // The rank stands between the line and the name, where no other line passes.
            let shown = ReportTable.Cell.fixed(rank, 2)
            let gap = canvas.width(of: shown, size: 6) + 5
            let anchor: Canvas.Anchor = isLeft ? .end : .start
            canvas.text(shown, x: isLeft ? end - 2 : end + 2, y: y + 2.2, size: 6, colour: .grey, anchor: anchor)
            canvas.text(
                canvas.shortened(models[model], to: left - 14 - gap, size: 6.5), x: isLeft ? end - gap : end + gap,
                y: y + 2.3, size: 6.5, anchor: anchor)
            canvas.mark(x: x(rank), y: axisY, "\(models[model]): mean rank \(ReportTable.Cell.fixed(rank, 2))")
        }
    }

    private func drawScale(_ x: (Double) -> Double, _ count: Int, on canvas: Canvas) {
        canvas.line([(x(1), axisY), (x(Double(count)), axisY)], .ink, width: 0.9)
        let step = count > 18 ? 2 : 1
        for rank in stride(from: 1, through: count, by: step) {
            canvas.line([(x(Double(rank)), axisY - 3), (x(Double(rank)), axisY)], .ink, width: 0.7)
            canvas.text("\(rank)", x: x(Double(rank)), y: axisY - 5, size: 6.5, anchor: .middle)
        }
        // The critical difference as a length above the axis, no longer than it.
        let shown = min(comparison.criticalDifference, Double(count) - 1)
        let y = 24.0
        canvas.line([(x(1), y), (x(1 + shown), y)], .ink, width: 1.1)
        for end in [x(1), x(1 + shown)] { canvas.line([(end, y - 2.5), (end, y + 2.5)], .ink, width: 1.1) }
        let wide = comparison.criticalDifference > shown ? ", beyond the axis" : ""
        canvas.text(
            "critical difference \(ReportTable.Cell.fixed(comparison.criticalDifference, 2))\(wide) (\(comparison.blocks) datasets)",
            x: size.width / 2, y: 12, size: 6.5, anchor: .middle)
    }

    private func drawGroups(_ x: (Double) -> Double, on canvas: Canvas) {
        for (row, group) in comparison.groups.enumerated() {
            let ranks = group.map { comparison.meanRanks[$0] }
            guard let low = ranks.min(), let high = ranks.max() else { continue }
            let y = axisY + 5 + 5 * Double(row)
            canvas.line([(x(low) - 2, y), (x(high) + 2, y)], Canvas.Colour.series[1], width: 2.4)
        }
    }
}
