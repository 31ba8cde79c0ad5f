import CCairo
import Foundation

extension Canvas {
    /// Eight-bit pixels to be drawn: one channel (grey) or three (red, green, blue), rows from the top.
    public struct Pixels: Sendable, Hashable {
        public var width, height, channels: Int
        public var bytes: [UInt8]

        /// - Precondition: one or three channels, and as many bytes as pixels and channels ask for.
        public init(width: Int, height: Int, channels: Int, bytes: [UInt8]) {
            precondition(
                [1, 3].contains(channels) && width > 0 && height > 0 && bytes.count == width * height * channels,
                "\(bytes.count) bytes for \(width)×\(height) pixels of \(channels) channels")
            (self.width, self.height, self.channels, self.bytes) = (width, height, channels, bytes)
        }
    }

    /// Draws pixels into a rectangle, the nearest one where they are larger than a dot: medical pixels are measurements and are not
    /// smoothed.
    public func image(_ pixels: Pixels, x: Double, y: Double, width: Double, height: Double) {
        guard
            let surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, Int32(pixels.width), Int32(pixels.height)),
            cairo_surface_status(surface) == CAIRO_STATUS_SUCCESS, let data = cairo_image_surface_get_data(surface)
        else { return }
        defer { cairo_surface_destroy(surface) }
        let stride = Int(cairo_image_surface_get_stride(surface))
        cairo_surface_flush(surface)
        for row in 0..<pixels.height {
            let line = UnsafeMutableRawPointer(data + row * stride)
            for column in 0..<pixels.width {
                let index = (row * pixels.width + column) * pixels.channels
                let red = UInt32(pixels.bytes[index])
                let green = pixels.channels == 3 ? UInt32(pixels.bytes[index + 1]) : red
                let blue = pixels.channels == 3 ? UInt32(pixels.bytes[index + 2]) : red
                line.storeBytes(of: red << 16 | green << 8 | blue, toByteOffset: 4 * column, as: UInt32.self)
            }
        }
        cairo_surface_mark_dirty(surface)
        paint(surface, x: x, y: y, scale: (width / Double(pixels.width), height / Double(pixels.height)))
    }

    /// The text, cut with an ellipsis where it is wider than `limit` points.
    func shortened(_ text: String, to limit: Double, size: Double, bold: Bool = false) -> String {
        // A limit is often the width of the same text, measured before.
        let limit = limit + 0.05
        guard width(of: text, size: size, bold: bold) > limit else { return text }
        var cut = text
        while !cut.isEmpty, width(of: cut + "…", size: size, bold: bold) > limit { cut.removeLast() }
        return cut + "…"
    }

    /// A filled polygon, for bands.
    func polygon(_ points: [(x: Double, y: Double)], _ fill: Colour) {
        guard points.count > 2 else { return }
        path(points)
        self.fill(fill)
    }
}
