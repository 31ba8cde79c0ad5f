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
        let style = Style(
            label: min(70, (published + measured).map { canvas.width(of: $0.label, size: 6.5) }.max() ?? 0),
            group: min(40, names.map { canvas.width(of: $0, size: 6) }.max() ?? 0),
            colours: Dictionary(
                uniqueKeysWithValues: names.enumerated().map {
                    ($1, Canvas.Colour.series[$0 % Canvas.Colour.series.count])
                }))
        let next = draw(
            Frame(
                strips: published, title: "Published by others (not measured here)",
                subtitle: "mean test Dice of each model", axisTitle: ""), top: 0, style, on: canvas)
        _ = draw(
            Frame(strips: measured, title: "Measured here", subtitle: measuredTitle, axisTitle: "Dice"), top: next + 16,
            style, on: canvas)
    }

    /// Whose numbers stand in one frame.
    private struct Frame {
        var strips: [Strip]
        var title: String
        var subtitle: String
        var axisTitle: String
    }

    /// What both frames share: how wide the names of datasets and groups are that stand left of them, and the groups' colours.
    private struct Style {
        var label: Double
        var group: Double
        var colours: [String: Canvas.Colour]
        var margin: Double { 8 + label + 6 + group + 4 }

        func colour(of group: String) -> Canvas.Colour { colours[group] ?? .ink }
    }

    /// - Returns: where it ends.
    private func draw(_ frame: Frame, top: Double, _ style: Style, on canvas: Canvas) -> Double {
        canvas.text(frame.title, x: 8, y: top + 11, size: 7.5, bold: true)
        canvas.text(
            canvas.shortened(frame.subtitle, to: size.width - 16, size: 6.5), x: 8, y: top + 20, size: 6.5,
            colour: .grey)
        let area = PlotArea(
            left: style.margin, top: top + frameTop - 4, right: size.width - 10,
            bottom: top + frameTop + height(frame.strips))
        let axis = Axis(fixed: 0...1, ticks: [0, 0.2, 0.4, 0.6, 0.8, 1], from: area.left, to: area.right)
        for tick in axis.ticks {
            canvas.line([(axis.position(tick), area.top), (axis.position(tick), area.bottom)], .faint, width: 0.5)
        }
        area.drawHorizontal(axis, title: frame.axisTitle, on: canvas, size: 6.5)
        var y = top + frameTop
        for strip in frame.strips {
            let middle = y + rowHeight * Double(max(1, strip.groups.count)) / 2
            canvas.text(canvas.shortened(strip.label, to: style.label, size: 6.5), x: 8, y: middle + 2.3, size: 6.5)
            for group in strip.groups {
                let colour = style.colour(of: group.name)
                draw(group, strip.label, axis, y + rowHeight / 2, colour, on: canvas)
                canvas.text(
                    canvas.shortened(group.name, to: style.group, size: 6), x: area.left - 4,
                    y: y + rowHeight / 2 + 2.2, size: 6, colour: colour, anchor: .end)
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
