import Foundation
import Statistics

/// One point a run, models in rows: how far a model's own repeats lie apart.
public struct RunStripsFigure: Figure {
    public struct Strip: Sendable {
        public var label: String
        /// By quantity; a quantity that no run has is empty.
        public var values: [[Double]]
        /// Grey, above the models.
        public var isBaseline = false
    }

    public struct Quantity: Sendable {
        public var title: String
        public var digits: Int
        public var isLogarithmic: Bool
    }

    public var quantities: [Quantity]
    public var strips: [Strip]
    public let name = "run-to-run"
    public let caption =
        "Repeats of each model from the same prompt: a dot is a run, the bar its model's median, the line from the least to the most. Runs at the same value are set side by side. A baseline, in grey, has a dot a seed."

    public init(quantities: [Quantity], strips: [Strip]) {
        // A panel without a point says nothing.
        let kept = quantities.indices.filter { index in strips.contains { !$0.values[index].isEmpty } }
        self.quantities = kept.map { quantities[$0] }
        let ordered = strips.filter(\.isBaseline) + strips.filter { !$0.isBaseline }
        self.strips = ordered.map { strip in
            Strip(label: strip.label, values: kept.map { strip.values[$0] }, isBaseline: strip.isBaseline)
        }
    }

    private let rowHeight = 20.0
    public var size: (width: Double, height: Double) { (PlotArea.page, 50 + rowHeight * Double(max(1, strips.count))) }

    public func draw(on canvas: Canvas) {
        guard !quantities.isEmpty else { return }
        let widest = min(110, strips.map { canvas.width(of: $0.label, size: 6.5) }.max() ?? 0)
        let (top, bottom) = (20.0, size.height - 30)
        let start = widest + 10
        let width = (size.width - start - 6) / Double(quantities.count)
        for (row, strip) in strips.enumerated() {
            canvas.text(
                canvas.shortened(strip.label, to: widest, size: 6.5), x: start - 5, y: y(row, top) + 2.3, size: 6.5,
                colour: strip.isBaseline ? .grey : .ink, anchor: .end)
        }
        for (column, quantity) in quantities.enumerated() {
            let area = PlotArea(
                left: start + Double(column) * width + 9, top: top, right: start + Double(column + 1) * width - 9,
                bottom: bottom)
            draw(quantity, column, area, on: canvas)
        }
    }

    private func y(_ row: Int, _ top: Double) -> Double { top + rowHeight * (Double(row) + 0.5) }

    private func draw(_ quantity: Quantity, _ column: Int, _ area: PlotArea, on canvas: Canvas) {
        let values = strips.flatMap { $0.values[column] }
        guard let low = values.min(), let high = values.max() else { return }
        let axis = axis(quantity, low, high, area)
        for tick in axis.ticks {
            canvas.line([(axis.position(tick), area.top), (axis.position(tick), area.bottom)], .faint, width: 0.5)
        }
        canvas.text(
            quantity.title, x: (area.left + area.right) / 2, y: area.top - 7, size: 7, anchor: .middle, bold: true)
        area.drawHorizontal(
            Self.thinned(axis, canvas), title: quantity.isLogarithmic ? "log" : "", on: canvas, size: 6.5)
        for (row, strip) in strips.enumerated() {
            draw(strip, column, quantity, axis, y(row, area.top), on: canvas)
        }
    }

    /// Labels that would run into one another are left out, every second one at a time; names of large numbers are short.
    private static func thinned(_ axis: Axis, _ canvas: Canvas) -> Axis {
        var ticks = axis.ticks
        func collides() -> Bool {
            zip(ticks, ticks.dropFirst()).contains { a, b in
                let room = abs(axis.position(b) - axis.position(a))
                return room < (canvas.width(of: axis.label(a), size: 6.5) + canvas.width(of: axis.label(b), size: 6.5))
                    / 2 + 4
            }
        }
        while ticks.count > 2, collides() { ticks = ticks.enumerated().filter { $0.offset % 2 == 0 }.map(\.element) }
        return axis.showing(ticks)
    }

    private func axis(_ quantity: Quantity, _ low: Double, _ high: Double, _ area: PlotArea) -> Axis {
        if quantity.isLogarithmic, low > 0, high > low {
            return Axis(low...high, scale: .logarithmic, from: area.left, to: area.right, ticks: 4)
        }
        // Where all runs agree the point stands in the middle.
        let half = max((high - low) / 2, abs(high) * 0.05, 1e-6)
        let middle = (low + high) / 2
        guard high > low else {
            return Axis(fixed: (middle - half)...(middle + half), ticks: [middle], from: area.left, to: area.right)
        }
        return Axis(low...high, from: area.left, to: area.right, ticks: 4)
    }

    private func draw(
        _ strip: Strip, _ column: Int, _ quantity: Quantity, _ axis: Axis, _ y: Double, on canvas: Canvas
    ) {
        let values = strip.values[column]
        guard let low = values.min(), let high = values.max(), let median = Statistics.median(values) else { return }
        canvas.line([(axis.position(low), y), (axis.position(high), y)], .grey, width: 0.6)
        canvas.line(
            [(axis.position(median), y - 8), (axis.position(median), y + 8)],
            strip.isBaseline ? .grey : Canvas.Colour.series[1], width: 1.6)
        var placed: [(x: Double, level: Int)] = []
        for value in values.sorted() {
            let x = axis.position(value)
            // The lowest level on which no dot is near: 0, 1, -1, 2, -2.
            var level = 0
            let levels = [0, 2, -2, 1, -1, 3, -3]
            if let free = levels.first(where: { level in
                !placed.contains { abs($0.x - x) < 3.2 && abs($0.level - level) < 2 }
            }) {
                level = free
            }
            placed.append((x, level))
            canvas.circle(
                x: x, y: y + 2.1 * Double(level), radius: 1.5,
                fill: strip.isBaseline ? .grey : Canvas.Colour.series[0].faded(0.9))
            canvas.mark(x: x, y: y + 2.1 * Double(level), "\(strip.label): \(quantity.title) \(Float(value))")
        }
    }
}
