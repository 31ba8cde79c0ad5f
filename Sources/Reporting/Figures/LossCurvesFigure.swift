import Foundation

/// A small panel a training: its own training and validation loss by epoch. The scales differ from panel to panel, since each
/// model chose its own loss.
public struct LossCurvesFigure: Figure {
    public struct Panel: Sendable {
        public var title: String
        /// Drawn in the panel: "learns nothing: ...".
        public var remark: String?
        public var training: [(epoch: Int, loss: Double)]
        public var validation: [(epoch: Int, loss: Double)]
        /// The number of epochs that the model had chosen, where another was trained.
        public var ownEpochs: Int?
    }

    public var panels: [Panel]
    public let name = "loss-curves"
    public let caption =
        "Training (solid) and validation (dashed) loss of each pipeline by epoch. Each panel has its own scale: the losses differ between models. Dotted: the epochs that the model itself had chosen, where a study trains another number."

    private let panelSize = (width: 168.0, height: 128.0)
    private var columns: Int { max(1, min(3, panels.count)) }

    public var size: (width: Double, height: Double) {
        let rows = (panels.count + columns - 1) / columns
        return (Double(columns) * panelSize.width + 8, Double(max(1, rows)) * panelSize.height + 24)
    }

    public init(panels: [Panel]) {
        self.panels = panels
    }

    public func draw(on canvas: Canvas) {
        Legend(
            entries: [
                .init(name: "training", colour: Canvas.Colour.series[0]),
                .init(name: "validation", colour: Canvas.Colour.series[1], dash: [4, 2]),
            ] + (panels.contains { $0.ownEpochs != nil } ? [OwnEpochs.legend] : [])
        ).draw(on: canvas, x: 36, y: 14, width: size.width - 40)
        for (index, panel) in panels.enumerated() {
            let x = Double(index % columns) * panelSize.width
            let y = Double(index / columns) * panelSize.height + 20
            draw(panel, at: (x, y), on: canvas)
        }
    }

    private func draw(_ panel: Panel, at origin: (x: Double, y: Double), on canvas: Canvas) {
        let area = PlotArea(
            left: origin.x + 42, top: origin.y + 18, right: origin.x + panelSize.width - 6,
            bottom: origin.y + panelSize.height - 28)
        canvas.text(panel.title, x: area.left, y: origin.y + 11, size: 8, bold: true)
        let values = (panel.training + panel.validation).map(\.loss).filter(\.isFinite)
        guard let low = values.min(), let high = values.max() else {
            return canvas.text("no epochs", x: area.left + 4, y: (area.top + area.bottom) / 2, size: 7, colour: .grey)
        }
        let epochs = (panel.training + panel.validation).map(\.epoch)
        let horizontal = Axis.epochs(to: epochs.max() ?? 2, from: area.left, to: area.right, ticks: 5)
        // A loss that stands still must look flat, not be stretched to fill the panel.
        let middle = (low + high) / 2
        let half = max((high - low) / 2, abs(middle) * 0.05)
        let logarithmic = low > 0 && high / low > 4
        let range = logarithmic ? low...high : (middle - half)...(middle + half)
        let vertical = Axis(
            range, scale: logarithmic ? .logarithmic : .linear, from: area.bottom, to: area.top, ticks: 4)
        area.drawVertical(vertical, title: logarithmic ? "loss (log)" : "loss", on: canvas)
        area.drawHorizontal(horizontal, title: "epoch", on: canvas)
        func points(_ series: [(epoch: Int, loss: Double)]) -> [(x: Double, y: Double)] {
            series.filter(\.loss.isFinite).map { (horizontal.position(Double($0.epoch)), vertical.position($0.loss)) }
        }
        for (kind, series) in [("training", panel.training), ("validation", panel.validation)] {
            for (point, value) in zip(points(series), series.filter(\.loss.isFinite)) {
                canvas.mark(
                    x: point.x, y: point.y, "\(panel.title), epoch \(value.epoch): \(kind) loss \(Float(value.loss))")
            }
        }
        if let own = panel.ownEpochs {
            OwnEpochs.draw(own, of: panel.title, on: horizontal, in: area, canvas)
        }
        canvas.line(points(panel.training), Canvas.Colour.series[0], width: 1.3)
        canvas.line(points(panel.validation), Canvas.Colour.series[1], width: 1.3, dash: [4, 2])
        if let remark = panel.remark {
            canvas.text(
                remark, x: area.right, y: area.top + 8, size: 7, colour: Canvas.Colour.series[1], anchor: .end,
                bold: true)
        }
    }
}

extension Axis {
    /// Epochs 1 to `last`, with ticks at whole epochs only: there is no epoch 2.5, and no training beyond the last one.
    static func epochs(to last: Int, from start: Double, to end: Double, ticks: Int) -> Axis {
        let range = 1...Double(max(2, last))
        let whole = niceTicks(range, count: ticks).filter { $0 == $0.rounded() && range.contains($0) }
        return Axis(fixed: range, ticks: whole, from: start, to: end)
    }
}

/// Common validation soft Dice by epoch, all pipelines in one frame: the curve that may be compared.
public struct CommonCurvesFigure: Figure {
    public struct Curve: Sendable {
        public var label: String
        public var points: [(epoch: Int, value: Double)]
        /// The number of epochs that the model had chosen, where another was trained.
        public var ownEpochs: Int?
    }

    public var curves: [Curve]
    public let name = "common-validation-dice"
    public let caption =
        "Soft Dice on each pipeline's own validation images, computed alike for every pipeline whatever its loss, by epoch (engine swift, first seed). A ring: the epochs that the model itself had chosen, where a study trains another number."
    public var size: (width: Double, height: Double) { (PlotArea.column, 160 + legendHeight) }

    private var legendHeight: Double { 10 * Double((curves.count + 1) / 2) }

    public init(curves: [Curve]) {
        self.curves = curves
    }

    public func draw(on canvas: Canvas) {
        let area = PlotArea(left: 36, top: 10 + legendHeight, right: size.width - 8, bottom: size.height - 30)
        func style(_ index: Int) -> (Canvas.Colour, [Double]) { CohortLossFigure.style(index) }
        for (index, curve) in curves.enumerated() {
            let (colour, dash) = style(index)
            Legend(entries: [.init(name: curve.label, colour: colour, dash: dash)]).draw(
                on: canvas, x: 10 + Double(index % 2) * (size.width - 16) / 2, y: 11 + 10 * Double(index / 2),
                width: size.width / 2, size: 6.5)
        }
        let last = curves.flatMap(\.points).map(\.epoch).max() ?? 2
        let horizontal = Axis.epochs(to: last, from: area.left, to: area.right, ticks: 7)
        let vertical = Axis(fixed: 0...1, ticks: [0, 0.2, 0.4, 0.6, 0.8, 1], from: area.bottom, to: area.top)
        area.drawVertical(vertical, title: "validation soft Dice", on: canvas)
        area.drawHorizontal(horizontal, title: "epoch", on: canvas)
        for (index, curve) in curves.enumerated() {
            let (colour, dash) = style(index)
            let points = curve.points.map { (x: horizontal.position(Double($0.epoch)), y: vertical.position($0.value)) }
            canvas.line(points, colour, width: 1.5, dash: dash)
            for (point, value) in zip(points, curve.points) {
                canvas.circle(x: point.x, y: point.y, radius: 1.6, fill: colour)
                if value.epoch == curve.ownEpochs {
                    canvas.circle(x: point.x, y: point.y, radius: 4, stroke: colour)
                    canvas.mark(
                        x: point.x, y: point.y, radius: 4, "\(curve.label): its own choice, \(value.epoch) epochs")
                }
                canvas.mark(
                    x: point.x, y: point.y,
                    "\(curve.label), epoch \(value.epoch): soft Dice \(ReportTable.Cell.fixed(value.value, 3))")
            }
        }
    }
}
