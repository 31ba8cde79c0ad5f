import Foundation

/// The share of conversations whose pipeline runs, by replies fed back, a step curve a group, with the numbers still watched below.
public struct RoundsToSuccessFigure: Figure {
    public struct Point: Sendable {
        /// Replies fed back.
        public var rounds: Int
        /// Of conversations that run by then.
        public var share: Double
        /// Nil where it cannot be told.
        public var interval: ClosedRange<Double>?
        /// Conversations that had not run and were watched still when this reply came.
        public var atRisk: Int
        /// Of them those whose watch ended here.
        public var censored: Int
    }

    public struct Curve: Sendable {
        public var label: String
        public var models: Int
        public var runs: Int
        /// From 0 on, without a gap.
        public var points: [Point]
    }

    /// One way to divide the conversations.
    public struct Panel: Sendable {
        public var title: String
        public var curves: [Curve]
    }

    public var panels: [Panel]
    public let name = "rounds-to-success"
    public let caption =
        "Share of conversations whose pipeline runs after at most so many replies fed back (0: the first reply), Kaplan and Meier's estimate. A tick marks conversations that ended there, or go on, without a pipeline that runs. Band: 95 %, drawn anew over models and their runs, for groups of three models or more. Below the axis: conversations still watched."

    public init(panels: [Panel]) {
        self.panels = panels
    }

    private static let lastTread = 0.6
    private var columns: Int { panels.count == 4 ? 2 : min(3, panels.count) }
    private var rows: Int { (panels.count + columns - 1) / columns }
    private var curvesInPanel: Int { panels.map(\.curves.count).max() ?? 1 }
    private var panelHeight: Double { 142 + 17 * Double(curvesInPanel) }

    public var size: (width: Double, height: Double) {
        (panels.count == 1 ? PlotArea.column : PlotArea.page, panelHeight * Double(rows))
    }

    public func draw(on canvas: Canvas) {
        let width = size.width / Double(columns)
        for (index, panel) in panels.enumerated() {
            let (x, y) = (Double(index % columns) * width, Double(index / columns) * panelHeight)
            let curves = Double(curvesInPanel)
            let area = PlotArea(
                left: x + 38, top: y + 20 + 9 * curves, right: x + width - 10, bottom: y + panelHeight - 34 - 8 * curves
            )
            draw(panel, area, top: y + 10, on: canvas)
        }
    }

    private func draw(_ panel: Panel, _ area: PlotArea, top: Double, on canvas: Canvas) {
        let last = max(1, panels.flatMap(\.curves).flatMap(\.points).map(\.rounds).max() ?? 1)
        let ticks = Axis.niceTicks(0...Double(last), count: 6).filter { $0 == $0.rounded() && $0 <= Double(last) }
        // The last step needs a tread of its own.
        let end = Double(last) + Self.lastTread
        let horizontal = Axis(fixed: 0...end, ticks: ticks, from: area.left, to: area.right)
        let vertical = Axis(fixed: 0...1, ticks: [0, 0.2, 0.4, 0.6, 0.8, 1], from: area.bottom, to: area.top)
        canvas.text(
            canvas.shortened(panel.title, to: area.right - area.left, size: 7), x: area.left, y: top, size: 7,
            bold: true)
        area.drawVertical(vertical, title: "share that runs", on: canvas)
        area.drawHorizontal(horizontal, title: "replies fed back", on: canvas)
        for (number, curve) in panel.curves.enumerated() {
            let (colour, dash) = CohortLossFigure.style(number)
            let y = top + 9 * Double(number + 1)
            canvas.line([(area.left, y - 2), (area.left + 9, y - 2)], colour, width: 1.4, dash: dash)
            let models = "\(curve.models) model\(curve.models == 1 ? "" : "s")"
            canvas.text(
                canvas.shortened(
                    "\(curve.label): \(models), \(curve.runs) run\(curve.runs == 1 ? "" : "s")",
                    to: area.right - area.left - 12, size: 6), x: area.left + 12, y: y, size: 6)
            draw(curve, Frame(horizontal: horizontal, vertical: vertical, colour: colour, dash: dash), on: canvas)
            numbers(curve, horizontal, area, row: area.bottom + 30 + 8 * Double(number), colour, on: canvas)
        }
    }

    private struct Frame {
        var horizontal, vertical: Axis
        var colour: Canvas.Colour
        var dash: [Double]
    }

    private func draw(_ curve: Curve, _ frame: Frame, on canvas: Canvas) {
        func place(_ rounds: Double, _ share: Double) -> (x: Double, y: Double) {
            (frame.horizontal.position(rounds), frame.vertical.position(share))
        }
        /// As steps: a value holds until the next reply.
        func steps(_ value: (Point) -> Double) -> [(x: Double, y: Double)] {
            curve.points.enumerated().flatMap { index, point in
                let next =
                    index + 1 < curve.points.count
                    ? Double(curve.points[index + 1].rounds) : Double(point.rounds) + Self.lastTread
                return [place(Double(point.rounds), value(point)), place(next, value(point))]
            }
        }
        if curve.points.allSatisfy({ $0.interval != nil }) {
            canvas.polygon(
                steps { $0.interval?.upperBound ?? $0.share }
                    + steps { $0.interval?.lowerBound ?? $0.share }.reversed(),
                frame.colour.faded(0.16))
        }
        let start = curve.points.first.map { [place(0, 0), place(0, $0.share)] } ?? []
        canvas.line(start + steps(\.share), frame.colour, width: 1.4, dash: frame.dash)
        for point in curve.points {
            let here = place(Double(point.rounds), point.share)
            if point.censored > 0 {
                canvas.line([(here.x, here.y - 3), (here.x, here.y + 3)], frame.colour, width: 1)
            }
            let between = point.interval.map {
                " (\(ReportTable.Cell.fixed($0.lowerBound, 2)) – \(ReportTable.Cell.fixed($0.upperBound, 2)))"
            }
            canvas.mark(
                x: here.x, y: here.y,
                "\(curve.label), \(point.rounds) fed back: \(ReportTable.Cell.fixed(point.share, 2))\(between ?? ""), "
                    + "\(point.atRisk) watched" + (point.censored > 0 ? ", \(point.censored) ended without" : ""))
        }
    }

    /// Conversations still watched, at the ticks.
    private func numbers(
        _ curve: Curve, _ axis: Axis, _ area: PlotArea, row: Double, _ colour: Canvas.Colour, on canvas: Canvas
    ) {
        canvas.text("n", x: area.left - 12, y: row, size: 6, colour: colour, anchor: .end)
        for tick in axis.ticks {
            let watched = curve.points.first { Double($0.rounds) == tick }?.atRisk ?? 0
            canvas.text("\(watched)", x: axis.position(tick), y: row, size: 6, colour: colour, anchor: .middle)
        }
    }
}
