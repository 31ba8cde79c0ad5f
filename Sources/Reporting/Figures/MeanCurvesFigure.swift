import Foundation

/// Mean validation curves of groups with a band of one standard deviation, a panel a dataset, and n below the axis.
public struct MeanCurvesFigure: Figure {
    public struct Point: Sendable {
        public var epoch: Int
        public var models: Int
        public var mean: Double
        /// Nil for one model.
        public var deviation: Double?
    }

    public struct Curve: Sendable {
        public var label: String
        public var bce: [Point]
        public var softDice: [Point]
    }

    /// A dataset, or all of them.
    public struct Panel: Sendable {
        public var title: String
        public var curves: [Curve]
    }

    public enum Measure: String, Sendable, CaseIterable {
        case bce
        case softDice = "soft-dice"

        var title: String { self == .bce ? "validation BCE" : "validation soft Dice" }
        var series: KeyPath<Curve, [Point]> { self == .bce ? \.bce : \.softDice }
    }

    public var panels: [Panel]
    public var measures: [Measure]
    private let suffix: String
    public var name: String { "mean-curves-\(suffix)" }
    public let caption =
        "Mean validation BCE and soft Dice, computed alike for every pipeline, by epoch: line = mean over models, band = ± one standard deviation between models. A model's value on a dataset is its mean over its runs; over all, its mean over the datasets, of models that have every one. The numbers below the axes count the models that trained so long; one model has no band."

    /// With more panels the two measures together are longer than a page.
    static let mostTogether = 3

    /// - Parameters:
    ///   - panels: of the same groups; a group that has nothing on a dataset may be missing there.
    ///   - suffix: the question that divides the groups, for the file's name.
    public init(panels: [Panel], measures: [Measure] = Measure.allCases, suffix: String) {
        self.panels = panels
        self.measures = measures
        self.suffix = suffix
    }

    /// Groups in the order of the first panel that has them: the same colour in every panel.
    private var groups: [String] {
        panels.flatMap(\.curves).reduce(into: []) { if !$0.contains($1.label) { $0.append($1.label) } }
    }

    /// The two measures of one dataset stand beside one another; panels of several in rows of two or three.
    private var columns: Int {
        panels.count == 1 ? measures.count : panels.count == 4 ? 2 : min(3, panels.count)
    }
    private var rows: Int { panels.count == 1 ? 1 : measures.count * ((panels.count + columns - 1) / columns) }
    private var panelHeight: Double { (columns == 3 ? 132 : 148) + 8 * Double(groups.count) }
    private static let legendHeight = 16.0

    public var size: (width: Double, height: Double) {
        (PlotArea.page, Self.legendHeight + panelHeight * Double(rows))
    }

    public func draw(on canvas: Canvas) {
        Legend(
            entries: groups.enumerated().map { .init(name: $1, colour: Self.style($0).0, dash: Self.style($0).1) }
        )
        .draw(on: canvas, x: 40, y: 10, width: size.width - 50)
        let width = size.width / Double(columns)
        for (number, measure) in measures.enumerated() {
            for (index, panel) in panels.enumerated() {
                let cell = panels.count == 1 ? number : index
                let row = cell / columns + (panels.count == 1 ? 0 : number * rows / measures.count)
                let (x, y) = (Double(cell % columns) * width, Self.legendHeight + Double(row) * panelHeight)
                let area = PlotArea(
                    left: x + 38, top: y + 16, right: x + width - 8,
                    bottom: y + panelHeight - 34 - 8 * Double(groups.count))
                draw(panel, measure, area, on: canvas)
            }
        }
    }

    /// One scale for all panels of a measure.
    private func range(_ measure: Measure) -> ClosedRange<Double> {
        guard measure == .bce else { return 0...1 }
        let ends = panels.flatMap(\.curves).flatMap(\.bce).map { $0.mean + ($0.deviation ?? 0) }
        return 0...max(0.1, ends.max() ?? 1)
    }

    private func draw(_ panel: Panel, _ measure: Measure, _ area: PlotArea, on canvas: Canvas) {
        let range = range(measure)
        let last = panels.flatMap(\.curves).flatMap { $0[keyPath: measure.series] }.map(\.epoch).max() ?? 2
        let horizontal = Axis.epochs(to: last, from: area.left, to: area.right, ticks: 6)
        let vertical =
            range == 0...1
            ? Axis(fixed: range, ticks: [0, 0.2, 0.4, 0.6, 0.8, 1], from: area.bottom, to: area.top)
            : Axis(range, from: area.bottom, to: area.top)
        if panels.count > 1 {
            canvas.text(
                canvas.shortened(panel.title, to: area.right - area.left, size: 7), x: area.left, y: area.top - 5,
                size: 7, bold: true)
        }
        area.drawVertical(vertical, title: measure.title, on: canvas)
        area.drawHorizontal(horizontal, title: "epoch", on: canvas)
        for (number, group) in groups.enumerated() {
            guard let curve = panel.curves.first(where: { $0.label == group }) else { continue }
            let frame = Frame(horizontal: horizontal, vertical: vertical, colour: Self.style(number).0)
            let points = curve[keyPath: measure.series]
            draw(points, dash: Self.style(number).1, frame, on: canvas)
            count(points, frame, area, row: area.bottom + 30 + 8 * Double(number), on: canvas)
            for point in points {
                let here = frame.place(point)
                canvas.mark(
                    x: here.x, y: here.y,
                    "\(panel.title), \(curve.label), epoch \(point.epoch): \(ReportTable.Cell.fixed(point.mean, 3))"
                        + (point.deviation.map { " ± \(ReportTable.Cell.fixed($0, 3))" } ?? "")
                        + ", n = \(point.models)")
            }
        }
    }

    /// Where one curve is drawn, and in which colour.
    private struct Frame {
        var horizontal: Axis
        var vertical: Axis
        var colour: Canvas.Colour

        func place(_ point: Point, _ shift: Double = 0) -> (x: Double, y: Double) {
            let value = min(max(point.mean + shift, vertical.lower), vertical.upper)
            return (horizontal.position(Double(point.epoch)), vertical.position(value))
        }
    }

    private func draw(_ points: [Point], dash: [Double], _ frame: Frame, on canvas: Canvas) {
        let spread = points.filter { $0.deviation != nil }
        canvas.polygon(
            spread.map { frame.place($0, $0.deviation ?? 0) }
                + spread.reversed().map { frame.place($0, -($0.deviation ?? 0)) },
            frame.colour.faded(0.18))
        let line = points.map { frame.place($0) }
        canvas.line(line, frame.colour, width: 1.4, dash: dash)
        // A line of one point is none.
        if line.count == 1 { canvas.circle(x: line[0].x, y: line[0].y, radius: 1.6, fill: frame.colour) }
    }

    /// The models behind a curve: where it begins, at the ticks, and where a model fewer is left.
    private func count(_ points: [Point], _ frame: Frame, _ area: PlotArea, row: Double, on canvas: Canvas) {
        canvas.text("n", x: area.left - 12, y: row, size: 6, colour: frame.colour, anchor: .end)
        var free = -Double.infinity
        for (index, point) in points.enumerated() {
            let isNews = index == 0 || points[index - 1].models != point.models
            guard isNews || frame.horizontal.ticks.contains(Double(point.epoch)) else { continue }
            let x = frame.horizontal.position(Double(point.epoch))
            let half = canvas.width(of: "\(point.models)", size: 6) / 2
            guard x - half >= free else { continue }
            free = x + half + 2
            canvas.text("\(point.models)", x: x, y: row, size: 6, colour: frame.colour, anchor: .middle)
        }
    }

    private static func style(_ number: Int) -> (Canvas.Colour, [Double]) { CohortLossFigure.style(number) }
}
