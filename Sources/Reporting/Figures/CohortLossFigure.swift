import Foundation

/// Common validation BCE of every model by epoch on a logarithmic axis, groups side by side on one scale.
public struct CohortLossFigure: Figure {
    public struct Curve: Sendable {
        public var label: String
        public var points: [(epoch: Int, loss: Double)]
    }

    public struct Panel: Sendable {
        public var title: String
        public var curves: [Curve]
    }

    public var panels: [Panel]
    public let name = "cohort-losses"
    public let caption =
        "Validation loss by epoch, groups side by side: binary cross-entropy computed alike for every pipeline on its own validation images, mean over a model's runs. Logarithmic axis, the same for all groups."

    public init(panels: [Panel]) {
        self.panels = panels
    }

    private var columns: Int { max(1, min(2, panels.count)) }
    private var rows: Int { (panels.count + columns - 1) / columns }
    private var legendRows: Int { ((panels.map(\.curves.count).max() ?? 1) + 1) / 2 }
    private var panelHeight: Double { 172 + 9 * Double(legendRows) }

    public var size: (width: Double, height: Double) {
        (columns == 1 ? PlotArea.column : PlotArea.page, panelHeight * Double(max(1, rows)))
    }

    public func draw(on canvas: Canvas) {
        let values = panels.flatMap(\.curves).flatMap(\.points).map(\.loss).filter { $0 > 0 && $0.isFinite }
        guard let low = values.min(), let high = values.max() else { return }
        let last = panels.flatMap(\.curves).flatMap(\.points).map(\.epoch).max() ?? 2
        let width = size.width / Double(columns)
        for (index, panel) in panels.enumerated() {
            let x = Double(index % columns) * width
            let y = Double(index / columns) * panelHeight
            let area = PlotArea(
                left: x + 38, top: y + 18, right: x + width - 10, bottom: y + panelHeight - 34 - 9 * Double(legendRows))
            let vertical = Axis(low...high, scale: .logarithmic, from: area.bottom, to: area.top)
            let horizontal = Axis.epochs(to: last, from: area.left, to: area.right, ticks: 6)
            canvas.text("\(panel.title) (n = \(panel.curves.count))", x: area.left, y: y + 11, size: 7.5, bold: true)
            area.drawVertical(vertical, title: "validation BCE (log)", on: canvas)
            area.drawHorizontal(horizontal, title: "epoch", on: canvas)
            for (number, curve) in panel.curves.enumerated() {
                draw(curve, number, horizontal, vertical, on: canvas)
                Legend(entries: [.init(name: "", colour: Self.style(number).0, dash: Self.style(number).1)]).draw(
                    on: canvas, x: area.left + Double(number % 2) * (width - 44) / 2,
                    y: area.bottom + 34 + 9 * Double(number / 2), width: width, size: 6)
                canvas.text(
                    canvas.shortened(curve.label, to: (width - 44) / 2 - 24, size: 6),
                    x: area.left + 20 + Double(number % 2) * (width - 44) / 2,
                    y: area.bottom + 34 + 9 * Double(number / 2), size: 6)
            }
        }
    }

    private func draw(_ curve: Curve, _ number: Int, _ horizontal: Axis, _ vertical: Axis, on canvas: Canvas) {
        let (colour, dash) = Self.style(number)
        let shown = curve.points.filter { $0.loss > 0 && $0.loss.isFinite }
        let points = shown.map { (x: horizontal.position(Double($0.epoch)), y: vertical.position($0.loss)) }
        canvas.line(points, colour, width: 1.1, dash: dash)
        if points.count == 1 { canvas.circle(x: points[0].x, y: points[0].y, radius: 1.5, fill: colour) }
        for (point, value) in zip(points, shown) {
            canvas.mark(x: point.x, y: point.y, "\(curve.label), epoch \(value.epoch): BCE \(Float(value.loss))")
        }
    }

    /// Curves that are told apart.
    static var styles: Int { Canvas.Colour.series.count * dashes.count }
    private static let dashes: [[Double]] = [[], [4, 1.5], [1.2, 1.2], [5, 1.5, 1.2, 1.5], [9, 3]]

    /// Six hues, then the same dashed, dotted, and in two more patterns.
    static func style(_ number: Int) -> (Canvas.Colour, [Double]) {
        let hues = Canvas.Colour.series
        return (hues[number % hues.count], dashes[number / hues.count % dashes.count])
    }
}
