import Foundation
import Statistics

/// Held-out Dice of every image as a box a training, sorted by median, models sorted by median, with the lines of what no learning
/// achieves.
public struct DiceBoxPlotFigure: Figure {
    public struct Box: Sendable {
        public var label: String
        /// `swift`, `emitted`, `pytorch`: decides the colour, but for a baseline, which is grey.
        public var engine: String
        public var values: [Double]
        /// Not a language model's: stands first, and its median is drawn through all rows.
        public var isBaseline = false
    }

    public struct ReferenceLine: Sendable {
        public var label: String
        public var value: Double
    }

    public var boxes: [Box]
    public var references: [ReferenceLine]
    public let name = "held-out-dice"
    public let caption =
        "Dice of every held-out image on its original grid: box = quartiles, line = median, diamond = mean, whiskers = last value within 1.5 IQR, dots = images beyond; an image of a model with several runs in one row counts by its mean over them. Dotted: the best global threshold and the mean training mask, which learn nothing from the image. Where there is a baseline it stands first, in grey, with its budget, and the dashed line is its median."

    private let rowHeight = 15.0

    public var size: (width: Double, height: Double) { (PlotArea.column, 58 + rowHeight * Double(max(1, boxes.count))) }

    /// - Parameter boxes: in any order; models are sorted by their best median, and a model's engines stay together.
    public init(boxes: [Box], references: [ReferenceLine]) {
        func median(_ box: Box) -> Double { Statistics.median(box.values) ?? -1 }
        let best = Dictionary(grouping: boxes, by: \.label).mapValues { $0.map(median).max() ?? -1 }
        self.boxes = boxes.sorted { a, b in
            if a.isBaseline != b.isBaseline { return a.isBaseline }
            let (x, y) = (best[a.label] ?? -1, best[b.label] ?? -1)
            if x != y { return x > y }
            return a.label == b.label ? median(a) > median(b) : a.label < b.label
        }
        self.references = references
    }

    private static let engineColours: [String: Canvas.Colour] = [
        "swift": Canvas.Colour.series[0], "emitted": Canvas.Colour.series[1], "pytorch": Canvas.Colour.series[2],
    ]

    public func draw(on canvas: Canvas) {
        // A baseline's name says its budget, which a reader must see whole.
        func width(_ box: Box) -> Double { canvas.width(of: box.label, size: 6.5, bold: box.isBaseline) }
        let limit = max(95, boxes.filter(\.isBaseline).map(width).max() ?? 0)
        let widest = min(limit, boxes.map(width).max() ?? 0)
        let area = PlotArea(left: widest + 10, top: 28, right: size.width - 10, bottom: size.height - 30)
        let axis = Axis(fixed: 0...1, ticks: [0, 0.2, 0.4, 0.6, 0.8, 1], from: area.left, to: area.right)
        for tick in axis.ticks {
            let x = axis.position(tick)
            canvas.line([(x, area.top), (x, area.bottom)], .faint, width: 0.5)
        }
        area.drawHorizontal(axis, title: "held-out Dice", on: canvas)
        let engines = ["swift", "emitted", "pytorch"].filter { engine in
            boxes.contains { $0.engine == engine && !$0.isBaseline }
        }
        // One engine needs no legend.
        Legend(
            entries: engines.count < 2
                ? [] : engines.map { .init(name: "engine \($0)", colour: Self.engineColours[$0] ?? .ink) }
        )
        .draw(on: canvas, x: 8, y: 10, width: size.width - 16)
        drawReferences(axis, area, on: canvas)
        drawBaseline(axis, area, on: canvas)
        for (index, box) in boxes.enumerated() {
            let y = area.top + rowHeight * (Double(index) + 0.5)
            // A model's engines stand together under one name.
            if index == 0 || boxes[index - 1].label != box.label {
                canvas.text(
                    canvas.shortened(box.label, to: widest, size: 6.5), x: area.left - 5, y: y + 2.4, size: 6.5,
                    anchor: .end, bold: box.isBaseline)
            }
            draw(box, at: y, axis, on: canvas)
        }
    }

    private func drawBaseline(_ axis: Axis, _ area: PlotArea, on canvas: Canvas) {
        for box in boxes where box.isBaseline {
            guard let median = Statistics.median(box.values) else { continue }
            let x = axis.position(median)
            canvas.line([(x, area.top), (x, area.bottom)], .grey, width: 0.9, dash: [4, 2])
        }
    }

    private func drawReferences(_ axis: Axis, _ area: PlotArea, on canvas: Canvas) {
        let sorted = references.sorted { $0.value < $1.value }
        for (index, reference) in sorted.enumerated() {
            let x = axis.position(reference.value)
            canvas.line([(x, area.top - 2), (x, area.bottom)], .grey, width: 0.9, dash: [1, 1.6])
            // Labels on opposite sides of neighbouring lines do not run into one another.
            let anchor: Canvas.Anchor = sorted.count > 1 && index == 0 ? .end : .start
            canvas.text(
                reference.label, x: x + (anchor == .end ? -2 : 2), y: area.top - 5, size: 6.5, colour: .grey,
                anchor: anchor)
        }
    }

    private func draw(_ box: Box, at y: Double, _ axis: Axis, on canvas: Canvas) {
        guard let plot = BoxPlot(box.values) else { return }
        let colour = box.isBaseline ? .grey : Self.engineColours[box.engine] ?? .ink
        let half = rowHeight * 0.3
        let low = axis.position(plot.lowerQuartile)
        let high = axis.position(plot.upperQuartile)
        canvas.line([(axis.position(plot.lowerWhisker), y), (low, y)], colour)
        canvas.line([(high, y), (axis.position(plot.upperWhisker), y)], colour)
        for end in [plot.lowerWhisker, plot.upperWhisker] {
            canvas.line([(axis.position(end), y - half / 2), (axis.position(end), y + half / 2)], colour)
        }
        canvas.rectangle(
            x: low, y: y - half, width: max(0.5, high - low), height: 2 * half, fill: colour.faded(0.25), stroke: colour
        )
        let median = axis.position(plot.median)
        canvas.line([(median, y - half), (median, y + half)], colour, width: 2)
        let name = "\(box.label), engine \(box.engine)"
        func shown(_ value: Double) -> String { ReportTable.Cell.fixed(value, 3) }
        let mean = Statistics.mean(box.values).map { ", mean \(shown($0))" } ?? ""
        canvas.mark(
            x: low, y: y - half, width: max(4, high - low), height: 2 * half,
            "\(name): median \(shown(plot.median)), quartiles \(shown(plot.lowerQuartile)) and "
                + "\(shown(plot.upperQuartile))\(mean), \(box.values.count) images")
        for outlier in plot.outliers {
            canvas.circle(x: axis.position(outlier), y: y, radius: 1.5, stroke: colour)
            canvas.mark(x: axis.position(outlier), y: y, "\(name): one image at \(shown(outlier))")
        }
        if let mean = Statistics.mean(box.values) {
            let x = axis.position(mean)
            let r = 2.4
            canvas.line([(x, y - r), (x + r, y), (x, y + r), (x - r, y), (x, y - r)], .ink, width: 0.9)
        }
    }
}
