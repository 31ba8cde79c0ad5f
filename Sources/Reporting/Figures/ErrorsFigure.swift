import Foundation

/// Errors of each run, or of each model's runs on average, as a bar stacked by class, with the outcome beside it.
public struct ErrorsFigure: Figure {
    public struct Bar: Sendable {
        public var label: String
        public var outcome: String
        /// By class, contract breaches and extraction errors among them.
        public var counts: [String: Double]
    }

    public var bars: [Bar]
    public let name = "errors"
    public var caption: String {
        areMeans
            ? "Errors a run until it ran or its rounds were used up, stacked by class: the mean over each model's runs. Beside it: how many of them ran."
            : "Errors of each run until it ran or its rounds were used up, stacked by class."
    }
    private let areMeans: Bool
    private let rowHeight = 15.0
    private static let legendColumns = 2
    private var classes: [String] { Set(bars.flatMap(\.counts.keys)).sorted() }
    private var legendRows: Int { (classes.count + Self.legendColumns - 1) / Self.legendColumns }

    public var size: (width: Double, height: Double) {
        (PlotArea.column, 46 + 10 * Double(legendRows) + rowHeight * Double(max(1, bars.count)))
    }

    /// - Parameter areMeans: Whether a bar is the mean of several runs.
    public init(bars: [Bar], areMeans: Bool = false) {
        self.bars = bars
        self.areMeans = areMeans
    }

    public func draw(on canvas: Canvas) {
        let widest = min(95, bars.map { canvas.width(of: $0.label, size: 6.5) }.max() ?? 0)
        let outcomes = bars.map { canvas.width(of: $0.outcome, size: 6.5) }.max() ?? 0
        let area = PlotArea(
            left: widest + 10, top: 14 + 10 * Double(legendRows), right: size.width - outcomes - 12,
            bottom: size.height - 30)
        let most = bars.map { $0.counts.values.reduce(0, +) }.max() ?? 1
        let wide = Axis(0...max(1, most), from: area.left, to: area.right, ticks: 5)
        let axis = areMeans ? wide : wide.wholeTicks()
        for tick in axis.ticks {
            canvas.line([(axis.position(tick), area.top), (axis.position(tick), area.bottom)], .faint, width: 0.5)
        }
        area.drawHorizontal(axis, title: areMeans ? "errors a run" : "errors", on: canvas)
        let colours = Dictionary(uniqueKeysWithValues: classes.enumerated().map { ($1, Self.colour($0)) })
        drawLegend(colours, area, on: canvas)
        for (index, bar) in bars.enumerated() {
            let y = area.top + rowHeight * (Double(index) + 0.5)
            canvas.text(
                canvas.shortened(bar.label, to: widest, size: 6.5), x: area.left - 5, y: y + 2.4, size: 6.5,
                anchor: .end)
            var sum = 0.0
            for name in classes {
                guard let count = bar.counts[name], count > 0 else { continue }
                let from = axis.position(sum)
                let to = axis.position(sum + count)
                canvas.rectangle(
                    x: from, y: y - rowHeight * 0.32, width: to - from, height: rowHeight * 0.64, fill: colours[name],
                    stroke: Canvas.Colour(0xFFFFFF), lineWidth: 0.8)
                canvas.mark(
                    x: from, y: y - rowHeight * 0.32, width: to - from, height: rowHeight * 0.64,
                    "\(bar.label): \(areMeans ? "\(ReportTable.Cell.fixed(count, 2)) a run" : "\(Int(count))") × \(name)"
                )
                sum += count
            }
            canvas.text(
                bar.outcome, x: area.right + 6, y: y + 2.4, size: 6.5,
                colour: areMeans ? .grey : bar.outcome == "runs" ? Canvas.Colour.series[2] : Canvas.Colour.series[1])
        }
    }

    private func drawLegend(_ colours: [String: Canvas.Colour], _ area: PlotArea, on canvas: Canvas) {
        let step = (size.width - 16) / Double(Self.legendColumns)
        for (index, name) in classes.enumerated() {
            let x = 8 + Double(index % Self.legendColumns) * step
            let y = 11 + 10 * Double(index / Self.legendColumns)
            canvas.rectangle(x: x, y: y - 5.5, width: 7, height: 6.5, fill: colours[name])
            canvas.text(name, x: x + 10, y: y, size: 6.5)
        }
    }

    /// Okabe and Ito's palette with its yellow, grey and black: areas need more hues than lines and bear a pale one.
    private static let palette =
        Canvas.Colour.series + [Canvas.Colour(0xF0E442), Canvas.Colour(0x8C8C8C), Canvas.Colour(0x222222)]

    /// Classes beyond the ninth repeat the hues, lighter.
    private static func colour(_ index: Int) -> Canvas.Colour {
        palette[index % palette.count].faded(index < palette.count ? 1 : 0.5)
    }
}

extension Axis {
    /// The same axis with whole-number ticks only.
    func wholeTicks() -> Axis {
        Axis(fixed: lower...upper, ticks: ticks.filter { $0 == $0.rounded() }, from: start, to: end)
    }
}
