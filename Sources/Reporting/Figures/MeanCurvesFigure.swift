import Foundation

/// Mean validation curves of groups with a band of one standard deviation, and n below the axis.
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

    public var curves: [Curve]
    private let suffix: String
    public var name: String { "mean-curves-\(suffix)" }
    public let caption =
        "Mean validation BCE and soft Dice, computed alike for every pipeline, by epoch: line = mean over models, band = ± one standard deviation between models. The numbers below the axes count the models that trained so long; one model has no band."

    /// - Parameter suffix: the question that divides the groups, for the file's name.
    public init(curves: [Curve], suffix: String) {
        self.curves = curves
        self.suffix = suffix
    }

    public var size: (width: Double, height: Double) { (PlotArea.page, 176 + 9 * Double(curves.count)) }

    public func draw(on canvas: Canvas) {
        Legend(
            entries: curves.enumerated().map { .init(name: $1.label, colour: Self.style($0).0, dash: Self.style($0).1) }
        )
        .draw(on: canvas, x: 40, y: 11, width: size.width - 50)
        let middle = size.width / 2
        let bottom = size.height - 30 - 9 * Double(curves.count)
        let left = PlotArea(left: 40, top: 20, right: middle - 12, bottom: bottom)
        let right = PlotArea(left: middle + 40, top: 20, right: size.width - 10, bottom: bottom)
        draw(\.bce, left, title: "validation BCE", range: bceRange, on: canvas)
        draw(\.softDice, right, title: "validation soft Dice", range: 0...1, on: canvas)
    }

    private var bceRange: ClosedRange<Double> {
        let ends = curves.flatMap(\.bce).map { $0.mean + ($0.deviation ?? 0) }
        return 0...max(0.1, ends.max() ?? 1)
    }

    private func draw(
        _ series: KeyPath<Curve, [Point]>, _ area: PlotArea, title: String, range: ClosedRange<Double>,
        on canvas: Canvas
    ) {
        let last = curves.flatMap { $0[keyPath: series] }.map(\.epoch).max() ?? 2
        let horizontal = Axis.epochs(to: last, from: area.left, to: area.right, ticks: 6)
        let vertical =
            range == 0...1
            ? Axis(fixed: range, ticks: [0, 0.2, 0.4, 0.6, 0.8, 1], from: area.bottom, to: area.top)
            : Axis(range, from: area.bottom, to: area.top)
        area.drawVertical(vertical, title: title, on: canvas)
        area.drawHorizontal(horizontal, title: "epoch", on: canvas)
        for (number, curve) in curves.enumerated() {
            let (colour, dash) = Self.style(number)
            let points = curve[keyPath: series]
            func place(_ point: Point, _ shift: Double) -> (x: Double, y: Double) {
                let value = min(max(point.mean + shift, vertical.lower), vertical.upper)
                return (horizontal.position(Double(point.epoch)), vertical.position(value))
            }
            let spread = points.filter { $0.deviation != nil }
            canvas.polygon(
                spread.map { place($0, $0.deviation ?? 0) } + spread.reversed().map { place($0, -($0.deviation ?? 0)) },
                colour.faded(0.18))
            canvas.line(points.map { place($0, 0) }, colour, width: 1.4, dash: dash)
            let row = area.bottom + 30 + 9 * Double(number)
            canvas.text("n", x: area.left - 12, y: row, size: 6, colour: colour, anchor: .end)
            for (index, point) in points.enumerated() {
                // Where the curve begins, at the ticks, and where a model fewer is left.
                let isNews = index == 0 || points[index - 1].models != point.models
                guard isNews || horizontal.ticks.contains(Double(point.epoch)) else { continue }
                canvas.text(
                    "\(point.models)", x: horizontal.position(Double(point.epoch)), y: row, size: 6, colour: colour,
                    anchor: .middle)
            }
            for point in points {
                let here = place(point, 0)
                canvas.mark(
                    x: here.x, y: here.y,
                    "\(curve.label), epoch \(point.epoch): \(ReportTable.Cell.fixed(point.mean, 3))"
                        + (point.deviation.map { " ± \(ReportTable.Cell.fixed($0, 3))" } ?? "")
                        + ", n = \(point.models)")
            }
        }
    }

    private static func style(_ number: Int) -> (Canvas.Colour, [Double]) { CohortLossFigure.style(number) }
}
