import Foundation
import Statistics

/// Published Dice of language models beside what was measured here, each in its own frame: other datasets, another unit, other hands.
public struct PublishedFigure: Figure {
    public struct Strip: Sendable {
        /// The dataset.
        public var label: String
        public var groups: [Group]
    }

    public struct Group: Sendable {
        public var name: String
        /// One value a model.
        public var values: [Double]

        public init(name: String, values: [Double]) {
            self.name = name
            self.values = values
        }
    }

    public var published: [Strip]
    public var measured: [Strip]
    /// What the measured models are.
    public var measuredTitle: String
    public let name = "published-beside-measured"
    public let caption =
        "Above: published by others, not measured here (mean test Dice a model; doi 10.59275/j.melba.2026-9369). Below: measured here (mean held-out Dice a model, on other datasets). A dot is a model, the bar the median of its group. The frames share a scale and nothing else: their numbers are not to be compared as if one study had made them. The published 2025 values of Myoma and Retina are the same numbers in the source."

    public init(published: [Strip], measured: [Strip], measuredTitle: String) {
        self.published = published
        self.measured = measured
        self.measuredTitle = measuredTitle
    }

    private let rowHeight = 10.0
    private let gap = 4.0
    private let frameTop = 30.0

    private func height(_ strips: [Strip]) -> Double {
        strips.reduce(0) { $0 + rowHeight * Double(max(1, $1.groups.count)) + gap }
    }

    public var size: (width: Double, height: Double) {
        (PlotArea.column, 2 * frameTop + height(published) + height(measured) + 54)
    }

    public func draw(on canvas: Canvas) {
        let names = Array(Set((published + measured).flatMap(\.groups).map(\.name))).sorted()
        let colours = Dictionary(
            uniqueKeysWithValues: names.enumerated().map { ($1, Canvas.Colour.series[$0 % Canvas.Colour.series.count]) }
        )
        let all = published + measured
        let label = min(70, all.map { canvas.width(of: $0.label, size: 6.5) }.max() ?? 0)
        let group = min(40, names.map { canvas.width(of: $0, size: 6) }.max() ?? 0)
        let left = Margin(label: label, group: group)
        let next = draw(
            published, title: "Published by others (not measured here)", subtitle: "mean test Dice of each model",
            top: 0, left, colours, axisTitle: "", on: canvas)
        _ = draw(
            measured, title: "Measured here", subtitle: measuredTitle, top: next + 16, left, colours,
            axisTitle: "Dice", on: canvas)
    }

    /// What stands left of both frames: a dataset's name, then its groups'.
    private struct Margin {
        var label: Double
        var group: Double
        var width: Double { 8 + label + 6 + group + 4 }
    }

    private func draw(
        _ strips: [Strip], title: String, subtitle: String, top: Double, _ margin: Margin,
        _ colours: [String: Canvas.Colour],
        axisTitle: String, on canvas: Canvas
    ) -> Double {
        canvas.text(title, x: 8, y: top + 11, size: 7.5, bold: true)
        canvas.text(
            canvas.shortened(subtitle, to: size.width - 16, size: 6.5), x: 8, y: top + 20, size: 6.5, colour: .grey)
        let area = PlotArea(
            left: margin.width, top: top + frameTop - 4, right: size.width - 10, bottom: top + frameTop + height(strips)
        )
        let axis = Axis(fixed: 0...1, ticks: [0, 0.2, 0.4, 0.6, 0.8, 1], from: area.left, to: area.right)
        for tick in axis.ticks {
            canvas.line([(axis.position(tick), area.top), (axis.position(tick), area.bottom)], .faint, width: 0.5)
        }
        area.drawHorizontal(axis, title: axisTitle, on: canvas, size: 6.5)
        var y = top + frameTop
        for strip in strips {
            let middle = y + rowHeight * Double(max(1, strip.groups.count)) / 2
            canvas.text(canvas.shortened(strip.label, to: margin.label, size: 6.5), x: 8, y: middle + 2.3, size: 6.5)
            for group in strip.groups {
                draw(group, strip.label, axis, y + rowHeight / 2, colours[group.name] ?? .ink, on: canvas)
                canvas.text(
                    canvas.shortened(group.name, to: margin.group, size: 6), x: area.left - 4,
                    y: y + rowHeight / 2 + 2.2,
                    size: 6,
                    colour: colours[group.name] ?? .ink, anchor: .end)
                y += rowHeight
            }
            y += gap
        }
        return area.bottom
    }

    private func draw(
        _ group: Group, _ label: String, _ axis: Axis, _ y: Double, _ colour: Canvas.Colour, on canvas: Canvas
    ) {
        for value in group.values {
            canvas.circle(x: axis.position(value), y: y, radius: 1.6, fill: colour.faded(0.55))
        }
        guard let median = Statistics.median(group.values) else { return }
        canvas.line([(axis.position(median), y - 4), (axis.position(median), y + 4)], colour, width: 1.6)
        canvas.mark(
            x: axis.position(median), y: y, width: 4, height: 8,
            "\(label), \(group.name): median \(ReportTable.Cell.fixed(median, 3)) of \(group.values.count) models")
    }
}
