import CCairo
import Foundation

/// A mask as a PNG of one colour on nothing, to lie over a picture.
enum OverlayPicture {
    /// The pixels of a mask that have a pixel outside of it, or the border, within `thickness` rows or columns.
    static func outline(_ mask: [Bool], width: Int, height: Int, thickness: Int) -> [Bool] {
        func isOutside(_ x: Int, _ y: Int) -> Bool {
            x < 0 || y < 0 || x >= width || y >= height || !mask[y * width + x]
        }
        return mask.indices.map { index in
            guard mask[index] else { return false }
            let (x, y) = (index % width, index / width)
            return (1...thickness).contains { distance in
                isOutside(x - distance, y) || isOutside(x + distance, y) || isOutside(x, y - distance)
                    || isOutside(x, y + distance)
            }
        }
    }

    /// - Parameter mask: width × height, rows from the top.
    /// - Throws: `ReportError.drawing`.
    static func png(_ mask: [Bool], width: Int, height: Int, colour: UInt32, name: String) throws -> Data {
        func check(_ status: cairo_status_t) throws {
            guard status == CAIRO_STATUS_SUCCESS else {
                throw ReportError.drawing(path: name, reason: String(cString: cairo_status_to_string(status)))
            }
        }
        guard mask.count == width * height,
            let surface = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, Int32(width), Int32(height))
        else { throw ReportError.drawing(path: name, reason: "\(mask.count) values for \(width)×\(height) pixels") }
        defer { cairo_surface_destroy(surface) }
        try check(cairo_surface_status(surface))
        guard let pixels = cairo_image_surface_get_data(surface) else {
            throw ReportError.drawing(path: name, reason: "no memory")
        }
        let stride = Int(cairo_image_surface_get_stride(surface))
        cairo_surface_flush(surface)
        for y in 0..<height {
            let row = UnsafeMutableRawPointer(pixels + y * stride)
            for x in 0..<width where mask[y * width + x] {
                row.storeBytes(of: 0xFF00_0000 | colour, toByteOffset: 4 * x, as: UInt32.self)
            }
        }
        cairo_surface_mark_dirty(surface)
        var data = Data()
        let status = withUnsafeMutablePointer(to: &data) { target in
            cairo_surface_write_to_png_stream(
                surface,
                { closure, bytes, count in
                    guard let closure, let bytes else { return CAIRO_STATUS_WRITE_ERROR }
                    closure.assumingMemoryBound(to: Data.self).pointee.append(bytes, count: Int(count))
                    return CAIRO_STATUS_SUCCESS
                }, target)
        }
        try check(status)
        return data
    }
}
