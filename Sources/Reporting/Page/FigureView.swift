import Files
import Foundation

/// A figure as it was drawn for the page: the SVG file, and the values of its marks.
struct DrawnFigure: Sendable {
    let figure: any Figure
    let svg: Data
    let marks: [FigureMark]

    /// - Throws: `ReportError.drawing`.
    init(_ figure: any Figure) throws {
        self.figure = figure
        let file = Self.scratch("svg")
        defer { try? FileManager.default.removeItem(at: file) }
        let canvas = try Canvas(url: file, format: .svg, width: figure.size.width, height: figure.size.height)
        figure.draw(on: canvas)
        try canvas.finish()
        marks = canvas.marks
        svg = try Self.read(file)
    }

    /// The figure in another format.
    ///
    /// - Throws: `ReportError.drawing`.
    func data(_ format: Canvas.Format) throws -> Data {
        if format == .svg { return svg }
        let file = Self.scratch(format.rawValue)
        defer { try? FileManager.default.removeItem(at: file) }
        let canvas = try Canvas(url: file, format: format, width: figure.size.width, height: figure.size.height)
        figure.draw(on: canvas)
        try canvas.finish()
        return try Self.read(file)
    }

    /// 64 bits of FNV-1a over the SVG (Fowler, Noll and Vo 1991).
    var fingerprint: String {
        String(svg.reduce(14_695_981_039_346_656_037 as UInt64) { ($0 ^ UInt64($1)) &* 1_099_511_628_211 }, radix: 16)
    }

    private static func scratch(_ suffix: String) -> URL {
        FileManager.default.temporaryDirectory.appending(path: "llmbench-figure-\(UUID().uuidString).\(suffix)")
    }

    private static func read(_ file: URL) throws -> Data {
        do {
            return try Data(contentsOf: file)
        } catch {
            throw ReportError.drawing(
                path: file.path(percentEncoded: false), reason: SystemReason.of(error) ?? "\(error)")
        }
    }
}

/// A figure on a page: the picture, a transparent layer with the value of each mark, a caption and the files for print.
struct FigureView {
    var drawn: DrawnFigure
    /// Relative to the page, without suffix.
    var path: String
    /// Formats that are there to be taken away.
    var formats: [Canvas.Format] = []
    /// What must not be overlooked, such as that no audit was run.
    var warning: String?
    /// Adds a fingerprint to the address of the picture, so that a page that is followed live loads it anew when it has changed.
    var isLive = false

    var markup: Markup {
        let figure = drawn.figure
        let id = "figure-\(figure.name)"
        var markup = Markup()
        markup.element("figure", ["id": id, "data-live": ""]) { markup in
            if let reason = reasonToWait {
                markup.element("details") { markup in
                    markup.element("summary", text: "\(reason): show it")
                    plot(&markup)
                }
            } else {
                plot(&markup)
            }
            markup.element("figcaption") { markup in
                if let warning { markup.element("strong", ["class": "flag"], text: warning) }
                markup.text(" \(figure.caption) ")
                for format in formats {
                    markup.element("a", ["href": "\(path).\(format.rawValue)"], text: format.rawValue.uppercased())
                    markup.text(" ")
                }
            }
        }
        return markup
    }

    /// Why the figure is shown only where it is asked for; nil where it is shown at once.
    private var reasonToWait: String? {
        if drawn.figure.isContinuation { return "A further part" }
        return drawn.svg.count > Self.large ? "Large figure (\(drawn.svg.count >> 10) KiB)" : nil
    }

    /// Bytes of SVG from which a figure waits until it is asked for: one of hundreds of rows takes a browser seconds.
    private static let large = 600_000

    private func plot(_ markup: inout Markup) {
        let figure = drawn.figure
        let (width, height) = (figure.size.width, figure.size.height)
        markup.element(
            "div",
            [
                "class": "scroll plot-frame", "role": "region", "tabindex": "0",
                "aria-label": "Figure: \(figure.name)",
            ]
        ) { markup in
            // The frame takes the drawing's own width; a tenth of a point is nothing to see.
            markup.element("div", ["class": "plot"]) { markup in
                markup.start(
                    "img",
                    [
                        "src": "\(path).svg\(isLive ? "?v=\(drawn.fingerprint)" : "")",
                        "width": "\(Int((width * 4 / 3).rounded()))",
                        "height": "\(Int((height * 4 / 3).rounded()))", "alt": figure.caption, "loading": "lazy",
                    ])
                layer(width, height, &markup)
            }
        }
    }

    private func layer(_ width: Double, _ height: Double, _ markup: inout Markup) {
        // The values of dozens of parts would be most of the page; they stand in the tables.
        guard !drawn.marks.isEmpty, !drawn.figure.isContinuation else { return }
        markup.element(
            "svg",
            [
                "class": "marks", "viewBox": "0 0 \(Self.number(width)) \(Self.number(height))", "role": "group",
                "aria-label": "Values in this figure; move with the arrow keys",
            ]
        ) { markup in
            for (index, mark) in drawn.marks.enumerated() {
                let label = StoredText.line(mark.label, limit: 240)
                markup.element(
                    "rect",
                    [
                        "x": Self.number(mark.x), "y": Self.number(mark.y), "width": Self.number(mark.width),
                        "height": Self.number(mark.height), "role": "img", "tabindex": index == 0 ? "0" : "-1",
                    ]
                ) { $0.element("title", text: label) }
            }
        }
    }

    private static func number(_ value: Double) -> String { ReportTable.Cell.fixed(value, 1) }
}
