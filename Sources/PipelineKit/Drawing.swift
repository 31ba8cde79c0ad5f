internal import CCairo
import Foundation

/// A picture that is drawn on and written as PNG. Lengths are pixels, the origin is at the top left.
struct Drawing: ~Copyable {
    typealias Colour = (red: Double, green: Double, blue: Double)

    static let ink: Colour = (0.13, 0.13, 0.13)
    static let faint: Colour = (0.85, 0.85, 0.85)
    /// The first two of Okabe and Ito (2008), which readers with colour-blindness tell apart.
    static let series: [Colour] = [(0, 0.447, 0.698), (0.835, 0.369, 0)]

    private let surface: OpaquePointer
    private let context: OpaquePointer

    init(width: Int, height: Int) {
        surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, Int32(width), Int32(height))
        context = cairo_create(surface)
        cairo_set_source_rgb(context, 1, 1, 1)
        cairo_paint(context)
        cairo_select_font_face(context, "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL)
    }

    deinit {
        cairo_destroy(context)
        cairo_surface_destroy(surface)
    }

    func line(_ points: [(x: Double, y: Double)], _ colour: Colour, width: Double = 2) {
        guard let first = points.first else { return }
        cairo_set_source_rgb(context, colour.red, colour.green, colour.blue)
        cairo_set_line_width(context, width)
        cairo_move_to(context, first.x, first.y)
        for point in points.dropFirst() { cairo_line_to(context, point.x, point.y) }
        cairo_stroke(context)
    }

    func circle(x: Double, y: Double, radius: Double, _ colour: Colour) {
        cairo_set_source_rgb(context, colour.red, colour.green, colour.blue)
        cairo_arc(context, x, y, radius, 0, 2 * .pi)
        cairo_fill(context)
    }

    /// One line of text whose base line is at `y`; `share` is 0 to begin at `x`, 1 to end there.
    func text(_ text: String, x: Double, y: Double, size: Double = 14, share: Double = 0) {
        cairo_set_font_size(context, size)
        var extents = cairo_text_extents_t()
        cairo_text_extents(context, text, &extents)
        cairo_set_source_rgb(context, Self.ink.red, Self.ink.green, Self.ink.blue)
        cairo_move_to(context, x - share * extents.x_advance, y)
        cairo_show_text(context, text)
    }

    /// A grid of grey or colour pixels in [0, 1], interleaved, scaled to a box.
    func pixels(
        _ values: [Float], columns: Int, rows: Int, channels: Int, x: Double, y: Double, width: Double, height: Double
    ) {
        let stride = Int(cairo_format_stride_for_width(CAIRO_FORMAT_RGB24, Int32(columns))) / 4
        var words = [UInt32](repeating: 0, count: stride * rows)
        for row in 0..<rows {
            for column in 0..<columns {
                let first = (row * columns + column) * channels
                let samples = (0..<3).map { channel -> UInt32 in
                    let value = values[first + (channels == 1 ? 0 : channel)]
                    return UInt32(min(max(value.isFinite ? value : 0, 0), 1) * 255)
                }
                words[row * stride + column] = samples[0] << 16 | samples[1] << 8 | samples[2]
            }
        }
        words.withUnsafeMutableBytes { bytes in
            let source = cairo_image_surface_create_for_data(
                bytes.bindMemory(to: UInt8.self).baseAddress, CAIRO_FORMAT_RGB24, Int32(columns), Int32(rows),
                Int32(stride * 4))
            cairo_save(context)
            cairo_translate(context, x, y)
            cairo_scale(context, width / Double(columns), height / Double(rows))
            cairo_set_source_surface(context, source, 0, 0)
            cairo_pattern_set_filter(cairo_get_source(context), CAIRO_FILTER_NEAREST)
            cairo_paint(context)
            cairo_restore(context)
            cairo_surface_destroy(source)
        }
    }

    /// - Throws: `PipelineError.file`.
    func write(to url: URL) throws {
        let status = cairo_surface_write_to_png(surface, url.path(percentEncoded: false))
        guard status == CAIRO_STATUS_SUCCESS else {
            throw PipelineError.file(
                path: url.path(percentEncoded: false), reason: String(cString: cairo_status_to_string(status)))
        }
    }
}
