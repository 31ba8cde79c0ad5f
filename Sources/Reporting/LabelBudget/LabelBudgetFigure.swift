import Foundation
import LabelBudget
import Statistics

/// Dice over the number of labels, a panel a dataset: trained lines that climb, drawn lines that do not, and squares at the N of drawings that
/// labels helped.
///
/// Bands and bars are 95 % intervals. Controls are dotted, the ceiling is dashed, N has a logarithmic axis.
public struct LabelBudgetFigure: Figure {
    public struct Point: Sendable {
        public var labels: Int
        public var dice: Double
        /// Nil where there is none, as with published values.
        public var interval: ClosedRange<Double>?

        public init(labels: Int, dice: Double, interval: ClosedRange<Double>? = nil) {
            (self.labels, self.dice, self.interval) = (labels, dice, interval)
        }
    }

    public struct Trained: Sendable {
        public var name: String
        public var points: [Point]

        public init(name: String, points: [Point]) {
            (self.name, self.points) = (name, points)
        }
    }

    public struct Drawn: Sendable {
        public var name: String
        public var kind: DrawnLine.Kind
        public var dice: Double
        public var interval: ClosedRange<Double>?
        /// Recorded for this project: no model drew it.
        public var isFixture: Bool
        /// Labelled pictures that it was drawn with: a square at that N in place of a line; 0 for none.
        public var labels: Int

        public init(
            name: String, kind: DrawnLine.Kind, dice: Double, interval: ClosedRange<Double>? = nil,
            isFixture: Bool = false, labels: Int = 0
        ) {
            (self.name, self.kind, self.dice) = (name, kind, dice)
            (self.interval, self.isFixture, self.labels) = (interval, isFixture, labels)
        }
    }

    public struct Panel: Sendable {
        public var title: String
        public var trained: [Trained]
        public var drawn: [Drawn]
        /// Lines below the title, two at most: the crossing.
        public var notes: [String]

        public init(title: String, trained: [Trained], drawn: [Drawn], notes: [String] = []) {
            (self.title, self.trained, self.drawn, self.notes) = (title, trained, drawn, notes)
        }
    }

    public let name: String
    public let caption: String
    public var panels: [Panel]

    public init(name: String, caption: String, panels: [Panel]) {
        (self.name, self.caption, self.panels) = (name, caption, panels)
    }

    private var columns: Int { min(2, max(1, panels.count)) }
    private var rows: Int { (panels.count + columns - 1) / columns }
    private static let panelHeight = 204.0
    private static let margin = 92.0

    var legend: [Legend.Entry] {
        var entries = trainedNames.enumerated().map { Legend.Entry(name: $1, colour: Self.colour($0)) }
        let drawn = panels.flatMap(\.drawn)
        let (kinds, models) = (Set(drawn.map(\.kind)), drawn.filter { $0.kind == .model })
        if !models.isEmpty {
            let title = models.allSatisfy(\.isFixture) ? "recorded fixture, no model" : "drawn by a model"
            entries.append(.init(name: title, colour: .ink))
        }
        if drawn.contains(where: { $0.labels > 0 }) {
            entries.append(.init(name: "drawn with N labels", colour: .ink, isSquare: true))
        }
        if kinds.contains(.control) { entries.append(.init(name: "control", colour: .grey, dash: [1, 2])) }
        if kinds.contains(.ceiling) { entries.append(.init(name: "ceiling", colour: .grey, dash: [5, 3])) }
        return entries
    }

    private var trainedNames: [String] {
        panels.flatMap(\.trained).map(\.name).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }

    private static func colour(_ number: Int) -> Canvas.Colour {
        Canvas.Colour.series[number % Canvas.Colour.series.count]
    }

    public var size: (width: Double, height: Double) {
        (columns == 1 ? PlotArea.page * 0.6 : PlotArea.page, 24 + Self.panelHeight * Double(rows))
    }

    public func draw(on canvas: Canvas) {
        Legend(entries: legend).draw(on: canvas, x: 34, y: 12, width: size.width - 40)
        let width = size.width / Double(columns)
        for (index, panel) in panels.enumerated() {
            let (x, y) = (Double(index % columns) * width, 24 + Double(index / columns) * Self.panelHeight)
            let area = PlotArea(
                left: x + 34, top: y + 34, right: x + width - Self.margin, bottom: y + Self.panelHeight - 34)
            draw(panel, area, on: canvas)
        }
    }

    private func draw(_ panel: Panel, _ area: PlotArea, on canvas: Canvas) {
        let helped = panel.drawn.filter { $0.labels > 0 }
        let budgets = Set(panel.trained.flatMap(\.points).map(\.labels)).union(helped.map(\.labels)).sorted()
        guard let first = budgets.first, let last = budgets.last else { return }
        let vertical = Axis(
            fixed: 0...1, ticks: [0, 0.2, 0.4, 0.6, 0.8, 1], from: area.bottom, to: area.top)
        let (low, high) = (log(Double(first)) - 0.12, log(Double(max(last, first + 1))) + 0.12)
        func x(_ labels: Int) -> Double {
            area.left + (log(Double(labels)) - low) / (high - low) * (area.right - area.left)
        }
        canvas.text(panel.title, x: area.left, y: area.top - 22, size: 7.5, bold: true)
        for (index, note) in panel.notes.prefix(2).enumerated() {
            canvas.text(
                canvas.shortened(note, to: area.right + Self.margin - area.left - 4, size: 6), x: area.left,
                y: area.top - 13 + 8 * Double(index), size: 6, colour: .grey)
        }
        area.drawVertical(vertical, title: "Dice", on: canvas)
        canvas.line([(area.left, area.bottom), (area.right, area.bottom)], .ink, width: 0.7)
        for budget in budgets {
            canvas.line([(x(budget), area.bottom), (x(budget), area.bottom + 2.5)], .ink, width: 0.7)
            canvas.text("\(budget)", x: x(budget), y: area.bottom + 11, size: 7, anchor: .middle)
        }
        canvas.text("labels N", x: (area.left + area.right) / 2, y: area.bottom + 22, size: 7, anchor: .middle)
        drawFlat(panel.drawn.filter { $0.labels == 0 }, area, vertical, on: canvas)
        for line in helped { drawSquare(line, panel.title, x(line.labels), vertical, on: canvas) }
        for trained in panel.trained {
            let colour = Self.colour(trainedNames.firstIndex(of: trained.name) ?? 0)
            drawCurve(trained, panel.title, colour, x, vertical, on: canvas)
        }
        label(panel.drawn, area, vertical, on: canvas)
    }

    private func drawFlat(_ lines: [Drawn], _ area: PlotArea, _ vertical: Axis, on canvas: Canvas) {
        for line in lines {
            let y = vertical.position(line.dice)
            if line.kind == .model, let interval = line.interval {
                let (top, bottom) = (vertical.position(interval.upperBound), vertical.position(interval.lowerBound))
                canvas.rectangle(
                    x: area.left, y: top, width: area.right - area.left, height: bottom - top,
                    fill: Canvas.Colour.ink.faded(0.12))
            }
            switch line.kind {
            case .model: canvas.line([(area.left, y), (area.right, y)], .ink, width: 1.4)
            case .control: canvas.line([(area.left, y), (area.right, y)], .grey, width: 0.9, dash: [1, 2])
            case .ceiling: canvas.line([(area.left, y), (area.right, y)], .grey, width: 0.9, dash: [5, 3])
            }
        }
    }

    /// What took labels stands where it took them.
    private func drawSquare(
        _ line: Drawn, _ panel: String, _ x: Double, _ vertical: Axis, on canvas: Canvas
    ) {
        let y = vertical.position(line.dice)
        if let interval = line.interval {
            canvas.line(
                [(x, vertical.position(interval.lowerBound)), (x, vertical.position(interval.upperBound))], .ink,
                width: 0.8)
        }
        canvas.rectangle(x: x - 2.2, y: y - 2.2, width: 4.4, height: 4.4, fill: .ink)
        canvas.mark(
            x: x, y: y, "\(panel), \(line.name), N = \(line.labels): \(ReportTable.Cell.fixed(line.dice, 3))")
    }

    private func drawCurve(
        _ trained: Trained, _ panel: String, _ colour: Canvas.Colour, _ x: (Int) -> Double, _ vertical: Axis,
        on canvas: Canvas
    ) {
        let banded = trained.points.filter { $0.interval != nil }
        canvas.polygon(
            banded.map { (x($0.labels), vertical.position($0.interval?.upperBound ?? $0.dice)) }
                + banded.reversed().map { (x($0.labels), vertical.position($0.interval?.lowerBound ?? $0.dice)) },
            colour.faded(0.18))
        canvas.line(trained.points.map { (x($0.labels), vertical.position($0.dice)) }, colour, width: 1.5)
        for point in trained.points {
            let (px, py) = (x(point.labels), vertical.position(point.dice))
            canvas.circle(x: px, y: py, radius: 1.9, fill: colour)
            let range = point.interval.map {
                " [\(ReportTable.Cell.fixed($0.lowerBound, 3)), \(ReportTable.Cell.fixed($0.upperBound, 3))]"
            }
            canvas.mark(
                x: px, y: py,
                "\(panel), \(trained.name), N = \(point.labels): \(ReportTable.Cell.fixed(point.dice, 3))\(range ?? "")"
            )
        }
    }

    /// Names at the right end, moved apart where lines are close; ceilings share one.
    private func label(_ lines: [Drawn], _ area: PlotArea, _ vertical: Axis, on canvas: Canvas) {
        var labels: [(text: String, y: Double, colour: Canvas.Colour)] = []
        for line in lines where line.kind != .ceiling {
            labels.append(
                (
                    "\(line.name) \(ReportTable.Cell.fixed(line.dice, 2))", vertical.position(line.dice),
                    line.kind == .model ? .ink : .grey
                ))
        }
        let ceilings = lines.filter { $0.kind == .ceiling }
        if let lowest = ceilings.min(by: { $0.dice < $1.dice }) {
            labels.append(
                ("\(lowest.name) \(ReportTable.Cell.fixed(lowest.dice, 2))", vertical.position(lowest.dice), .grey))
        }
        labels.sort { $0.y < $1.y }
        var free = area.top - 4
        // From above; what is pushed below the axis is pushed up again.
        for index in labels.indices {
            let y = max(labels[index].y, free)
            free = y + 6.6
            labels[index].y = y
        }
        var limit = area.bottom + 4
        for index in labels.indices.reversed() {
            labels[index].y = min(labels[index].y, limit)
            limit = labels[index].y - 6.6
        }
        for label in labels {
            canvas.text(
                canvas.shortened(label.text, to: Self.margin - 6, size: 5.6), x: area.right + 3, y: label.y + 2,
                size: 5.6, colour: label.colour)
        }
    }
}
