import Foundation

/// A figure that can be drawn in every format.
public protocol Figure: Sendable {
    /// File name without suffix.
    var name: String { get }
    /// What a reader sees in it; the caption on the page and the text alternative.
    var caption: String { get }
    /// Points.
    var size: (width: Double, height: Double) { get }
    /// Whether it is a further part of a figure that was too long for a page.
    var isContinuation: Bool { get }

    func draw(on canvas: Canvas)
}

extension Figure {
    public var isContinuation: Bool { false }
}

extension Figure {
    /// Draws the figure as `folder/<name>.<format>` for each format.
    ///
    /// - Returns: the files.
    @discardableResult
    public func write(to folder: URL, formats: [Canvas.Format] = [.png, .svg, .pdf]) throws -> [URL] {
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        } catch {
            throw ReportError.writing(path: folder.path, reason: ReportError.reason(error))
        }
        return try formats.map { format in
            let url = folder.appending(path: "\(name).\(format.rawValue)")
            try ReportFile.write(to: url) { file in
                let canvas = try Canvas(url: file, format: format, width: size.width, height: size.height)
                draw(on: canvas)
                try canvas.finish()
            }
            return url
        }
    }
}

/// The frame of one plot: where its area lies and how its axes look.
struct PlotArea {
    var left, top, right, bottom: Double

    /// Points across one column of a journal, 85 mm, and across the page, 180 mm. Figures are drawn at the size they are printed in, so
    /// that seven points stay seven points.
    static let column = 241.0
    static let page = 510.0

    /// Draws horizontal grid lines, labels and the axis title of a vertical axis.
    func drawVertical(_ axis: Axis, title: String, on canvas: Canvas, size: Double = 7) {
        for tick in axis.ticks {
            let y = axis.position(tick)
            canvas.line([(left, y), (right, y)], .faint, width: 0.5)
            canvas.text(axis.label(tick), x: left - 4, y: y + size * 0.35, size: size, colour: .ink, anchor: .end)
        }
        let widest = axis.ticks.map { canvas.width(of: axis.label($0), size: size) }.max() ?? 0
        canvas.text(title, x: left - widest - 9, y: (top + bottom) / 2, size: size, anchor: .middle, angle: 90)
    }

    /// Draws ticks, labels and the title of a horizontal axis below the area.
    func drawHorizontal(_ axis: Axis, title: String, on canvas: Canvas, size: Double = 7) {
        canvas.line([(left, bottom), (right, bottom)], .ink, width: 0.7)
        for tick in axis.ticks {
            let x = axis.position(tick)
            canvas.line([(x, bottom), (x, bottom + 2.5)], .ink, width: 0.7)
            canvas.text(axis.label(tick), x: x, y: bottom + 4 + size, size: size, anchor: .middle)
        }
        if !title.isEmpty {
            canvas.text(title, x: (left + right) / 2, y: bottom + 8 + 2 * size, size: size, anchor: .middle)
        }
    }
}

/// A row of line samples with names, wrapped to a width.
struct Legend {
    struct Entry {
        var name: String
        var colour: Canvas.Colour
        var dash: [Double] = []
        /// A square in place of a line.
        var isSquare = false
    }

    var entries: [Entry]

    /// Draws from (x, y) on; returns the height used.
    @discardableResult
    func draw(on canvas: Canvas, x: Double, y: Double, width: Double, size: Double = 7) -> Double {
        var cursor = (x: x, y: y)
        for entry in entries {
            let length = 20 + canvas.width(of: entry.name, size: size) + 12
            if cursor.x + length > x + width, cursor.x > x { cursor = (x, cursor.y + size * 1.6) }
            let middle = cursor.y - size * 0.3
            if entry.isSquare {
                canvas.rectangle(x: cursor.x + 5.8, y: middle - 2.2, width: 4.4, height: 4.4, fill: entry.colour)
            } else {
                canvas.line(
                    [(cursor.x, middle), (cursor.x + 16, middle)], entry.colour, width: 1.6, dash: entry.dash)
            }
            canvas.text(entry.name, x: cursor.x + 20, y: cursor.y, size: size)
            cursor.x += length
        }
        return cursor.y - y + size * 1.6
    }
}
