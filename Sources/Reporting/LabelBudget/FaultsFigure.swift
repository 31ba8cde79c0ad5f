import LabelBudget

/// What the masks of each line lack, divided into place, size and shape: bars that add up to 1 − Dice.
public struct FaultsFigure: Figure {
    public struct Bar: Sendable {
        public var line: String
        public var place, size, shape, missing: Double

        public init(line: String, place: Double, size: Double, shape: Double, missing: Double) {
            (self.line, self.place, self.size, self.shape, self.missing) = (line, place, size, shape, missing)
        }
    }

    public struct Panel: Sendable {
        public var title: String
        public var bars: [Bar]

        public init(title: String, bars: [Bar]) {
            (self.title, self.bars) = (title, bars)
        }
    }

    public let name = "label-budget-faults"
    public let caption =
        "The Dice that masks lack, 1 − Dice, mean over the held-out images, by what is wrong: the place, the size or the shape of the mask, or that there is none. Parts are computed on each image; where moving or scaling makes a mask worse its part is below zero and drawn as none."
    public var panels: [Panel]

    public init(panels: [Panel]) {
        self.panels = panels
    }

    private static let bar = 11.0
    private static let left = 132.0
    private static let kinds: [(String, Canvas.Colour)] = [
        ("wrong place", Canvas.Colour(0x0072B2)), ("wrong size", Canvas.Colour(0xE69F00)),
        ("wrong shape", Canvas.Colour(0x009E73)), ("nothing drawn", Canvas.Colour(0x767676)),
    ]

    public var size: (width: Double, height: Double) {
        (PlotArea.page * 0.8, 40 + panels.reduce(0) { $0 + 20 + Self.bar * Double($1.bars.count) })
    }

    public func draw(on canvas: Canvas) {
        var x = Self.left
        for (title, colour) in Self.kinds {
            canvas.rectangle(x: x, y: 6, width: 8, height: 7, fill: colour)
            canvas.text(title, x: x + 11, y: 12, size: 7)
            x += 24 + canvas.width(of: title, size: 7)
        }
        let axis = Axis(fixed: 0...1, ticks: [0, 0.2, 0.4, 0.6, 0.8, 1], from: Self.left, to: size.width - 12)
        var y = 18.0
        for panel in panels {
            y += 12
            canvas.text(panel.title, x: 4, y: y, size: 7.5, bold: true)
            y += 4
            for tick in axis.ticks {
                let x = axis.position(tick)
                canvas.line([(x, y), (x, y + Self.bar * Double(panel.bars.count))], .faint, width: 0.5)
            }
            for bar in panel.bars {
                draw(bar, panel.title, at: y, axis, on: canvas)
                y += Self.bar
            }
            y += 4
        }
        for tick in axis.ticks {
            canvas.text(axis.label(tick), x: axis.position(tick), y: y + 6, size: 7, anchor: .middle)
        }
        canvas.text(
            "1 − Dice", x: (axis.start + axis.end) / 2, y: y + 16, size: 7, anchor: .middle)
    }

    private func draw(_ bar: Bar, _ panel: String, at y: Double, _ axis: Axis, on canvas: Canvas) {
        canvas.text(
            canvas.shortened(bar.line, to: Self.left - 10, size: 6.5), x: Self.left - 4, y: y + 8, size: 6.5,
            anchor: .end)
        var start = 0.0
        let parts = [bar.place, bar.size, bar.shape, bar.missing]
        for ((title, colour), part) in zip(Self.kinds, parts) where part > 0 {
            let (left, right) = (axis.position(start), axis.position(start + part))
            canvas.rectangle(x: left, y: y + 1.5, width: right - left, height: Self.bar - 3, fill: colour)
            canvas.mark(
                x: left, y: y + 1.5, width: right - left, height: Self.bar - 3,
                "\(panel), \(bar.line): \(title) \(ReportTable.Cell.fixed(part, 3))")
            start += part
        }
    }
}
