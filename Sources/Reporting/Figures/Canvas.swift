import CCairo
import Files
import Foundation
import ResultStore

/// Something a figure is drawn on: one drawing code for PNG, SVG and PDF.
///
/// Lengths are points (1/72 inch), the origin is at the top left.
public final class Canvas {
    public enum Format: String, Sendable, CaseIterable {
        case png, svg, pdf
    }

    public struct Colour: Sendable, Hashable {
        public var red, green, blue, alpha: Double

        public init(_ hex: UInt32, alpha: Double = 1) {
            red = Double(hex >> 16 & 255) / 255
            green = Double(hex >> 8 & 255) / 255
            blue = Double(hex & 255) / 255
            self.alpha = alpha
        }

        public func faded(_ alpha: Double) -> Colour {
            var copy = self
            copy.alpha = alpha
            return copy
        }

        public static let ink = Colour(0x222222)
        public static let faint = Colour(0xD9D9D9)
        public static let grey = Colour(0x767676)
        /// Okabe and Ito's palette (2008), which readers with colour-blindness tell apart; yellow left out, it is lost on white.
        public static let series: [Colour] = [
            Colour(0x0072B2), Colour(0xD55E00), Colour(0x009E73), Colour(0xCC79A7), Colour(0x56B4E9), Colour(0xE69F00),
        ]
    }

    public enum Anchor: Sendable {
        case start, middle, end
    }

    private let surface: OpaquePointer
    private let context: OpaquePointer
    private let format: Format
    private let url: URL
    public let width: Double
    public let height: Double
    /// What the marks stand for, in the order they were drawn.
    public internal(set) var marks: [FigureMark] = []

    /// Dots an inch of a PNG: what journals ask for.
    public static let resolution = 300.0

    /// - Throws: `ReportError.drawing` where the file cannot be made.
    public init(url: URL, format: Format, width: Double, height: Double) throws {
        self.url = url
        self.format = format
        self.width = width
        self.height = height
        let path = url.path(percentEncoded: false)
        // Cairo's pictures have 32 767 pixels a side at most: a figure of hundreds of rows comes with fewer dots.
        let scale = min(Self.resolution / 72, 32_000 / max(width, height))
        let made: OpaquePointer? =
            switch format {
            case .png:
                cairo_image_surface_create(
                    CAIRO_FORMAT_RGB24, Int32((width * scale).rounded()), Int32((height * scale).rounded()))
            case .svg: cairo_svg_surface_create(path, width, height)
            case .pdf: cairo_pdf_surface_create(path, width, height)
            }
        guard let made, cairo_surface_status(made) == CAIRO_STATUS_SUCCESS, let context = cairo_create(made) else {
            let reason = made.map { String(cString: cairo_status_to_string(cairo_surface_status($0))) } ?? "no surface"
            throw ReportError.drawing(path: path, reason: reason)
        }
        surface = made
        self.context = context
        if format == .png { cairo_scale(context, scale, scale) }
        // Hinting moves letters to whole pixels: a text would be as wide as its surface's grid makes it, and another in each format.
        let options = cairo_font_options_create()
        cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE)
        cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF)
        cairo_set_font_options(context, options)
        cairo_font_options_destroy(options)
        set(Colour(0xFFFFFF))
        cairo_paint(context)
        cairo_set_line_join(context, CAIRO_LINE_JOIN_ROUND)
    }

    deinit {
        cairo_destroy(context)
        cairo_surface_destroy(surface)
    }

    /// Writes the file.
    public func finish() throws {
        var status = CAIRO_STATUS_SUCCESS
        if format == .png { status = cairo_surface_write_to_png(surface, url.path(percentEncoded: false)) }
        cairo_surface_finish(surface)
        if status == CAIRO_STATUS_SUCCESS { status = cairo_surface_status(surface) }
        guard status == CAIRO_STATUS_SUCCESS else {
            throw ReportError.drawing(
                path: url.path(percentEncoded: false), reason: String(cString: cairo_status_to_string(status)))
        }
    }

    private func set(_ colour: Colour) {
        cairo_set_source_rgba(context, colour.red, colour.green, colour.blue, colour.alpha)
    }

    public func line(_ points: [(x: Double, y: Double)], _ colour: Colour, width: Double = 1, dash: [Double] = []) {
        guard let first = points.first else { return }
        set(colour)
        cairo_set_line_width(context, width)
        cairo_set_dash(context, dash, Int32(dash.count), 0)
        cairo_move_to(context, first.x, first.y)
        for point in points.dropFirst() { cairo_line_to(context, point.x, point.y) }
        cairo_stroke(context)
    }

    public func rectangle(
        x: Double, y: Double, width: Double, height: Double, fill: Colour? = nil, stroke: Colour? = nil,
        lineWidth: Double = 1
    ) {
        cairo_set_dash(context, nil, 0, 0)
        cairo_rectangle(context, x, y, width, height)
        if let fill {
            set(fill)
            if stroke == nil { cairo_fill(context) } else { cairo_fill_preserve(context) }
        }
        if let stroke {
            set(stroke)
            cairo_set_line_width(context, lineWidth)
            cairo_stroke(context)
        }
    }

    public func circle(x: Double, y: Double, radius: Double, fill: Colour? = nil, stroke: Colour? = nil) {
        cairo_set_dash(context, nil, 0, 0)
        cairo_new_sub_path(context)
        cairo_arc(context, x, y, radius, 0, 2 * .pi)
        if let fill {
            set(fill)
            if stroke == nil { cairo_fill(context) } else { cairo_fill_preserve(context) }
        }
        if let stroke {
            set(stroke)
            cairo_set_line_width(context, 0.8)
            cairo_stroke(context)
        }
    }

    /// Lays out a closed path.
    func path(_ points: [(x: Double, y: Double)]) {
        cairo_new_path(context)
        for (index, point) in points.enumerated() {
            if index == 0 { cairo_move_to(context, point.x, point.y) } else { cairo_line_to(context, point.x, point.y) }
        }
        cairo_close_path(context)
    }

    func fill(_ colour: Colour) {
        set(colour)
        cairo_fill(context)
    }

    /// Paints another surface, its pixels as they are.
    func paint(_ source: OpaquePointer, x: Double, y: Double, scale: (x: Double, y: Double)) {
        cairo_save(context)
        cairo_translate(context, x, y)
        cairo_scale(context, scale.x, scale.y)
        cairo_set_source_surface(context, source, 0, 0)
        cairo_pattern_set_filter(cairo_get_source(context), CAIRO_FILTER_NEAREST)
        cairo_paint(context)
        cairo_restore(context)
    }

    /// Draws one line of text; `y` is its base line. `angle` turns it counter-clockwise, in degrees.
    public func text(
        _ text: String, x: Double, y: Double, size: Double = 8, colour: Colour = .ink, anchor: Anchor = .start,
        bold: Bool = false, angle: Double = 0
    ) {
        select(size: size, bold: bold)
        let advance = measured(text)
        cairo_save(context)
        cairo_translate(context, x, y)
        cairo_rotate(context, -angle * .pi / 180)
        let offset =
            switch anchor {
            case .start: 0.0
            case .middle: -advance / 2
            case .end: -advance
            }
        set(colour)
        cairo_move_to(context, offset, 0)
        cairo_show_text(context, text)
        cairo_restore(context)
    }

    /// Width of a text in points.
    public func width(of text: String, size: Double = 8, bold: Bool = false) -> Double {
        select(size: size, bold: bold)
        return measured(text)
    }

    private func select(size: Double, bold: Bool) {
        cairo_select_font_face(
            context, "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL, bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL)
        cairo_set_font_size(context, size)
    }

    private func measured(_ text: String) -> Double {
        var extents = cairo_text_extents_t()
        cairo_text_extents(context, text, &extents)
        return extents.x_advance
    }
}

/// Why a report could not be made.
public enum ReportError: Error, Sendable, Hashable, CustomStringConvertible {
    case drawing(path: String, reason: String)
    case workbook(path: String, reason: String)
    case writing(path: String, reason: String)
    case template(name: String, reason: String)
    /// A page that no report wrote stands where one is to be written.
    case foreignPage(path: String)
    case noRuns(study: String)
    /// A held-out image was asked for that no dataset of the study holds out.
    case unknownSample(name: String, study: String)

    /// What the system says, without what Foundation wraps around it.
    static func reason(_ error: any Error) -> String { SystemReason.of(error) ?? "\(error)" }

    public var description: String {
        switch self {
        case .drawing(let path, let reason): "the figure \(path) could not be drawn: \(reason)"
        case .workbook(let path, let reason):
            "the workbook \(path) could not be made: \(reason); make room for temporary files"
        case .writing(let path, let reason): "\(path) could not be written: \(reason)"
        case .foreignPage(let path):
            "\(path) is no page of a report and was left as it is: move it away, or name another folder with --output"
        case .template(let name, let reason): "the page template \(name) is unusable: \(reason)"
        case .unknownSample(let name, let study):
            "no dataset of study '\(study)' has a scored held-out image '\(name)': names are those of its image files without .png"
        case .noRuns(let study): "study '\(study)' has no runs to report: `llmbench generate` makes one"
        }
    }
}
