/// The surface of a mask: foreground pixels with background above, below, left or right of them; what lies outside the frame is
/// background.
///
/// That is the mask without its erosion by the 4-neighbourhood, as in MedPy, MONAI and `surface-distance`.
public struct MaskSurface: Sendable, Hashable {
    /// Pixels of the frame.
    public let width: Int
    public let height: Int
    /// 1 on the surface, 0 elsewhere; `height * width`.
    public let values: [UInt8]
    /// How many pixels the surface has.
    public let count: Int
    /// The window that holds the surface, which is that of the mask; `nil` for an empty one.
    let bounds: (columns: Range<Int>, rows: Range<Int>)?

    /// - Complexity: O(pixels).
    public init(of mask: Mask) {
        (width, height) = (mask.width, mask.height)
        bounds = mask.bounds
        var values = [UInt8](repeating: 0, count: mask.pixels)
        var count = 0
        if let bounds { Self.mark(mask, bounds.columns, bounds.rows, &values, &count) }
        self.values = values
        self.count = count
    }

    private static func mark(
        _ mask: Mask, _ columns: Range<Int>, _ rows: Range<Int>, _ values: inout [UInt8], _ count: inout Int
    ) {
        let width = mask.width
        mask.values.withUnsafeBufferPointer { mask in
            values.withUnsafeMutableBufferPointer { values in
                for y in rows {
                    let isOuterRow = y == rows.lowerBound || y == rows.upperBound - 1
                    var marked = 0
                    for index in (y * width + columns.lowerBound)..<(y * width + columns.upperBound) {
                        // The outermost rows and columns of the window have background beside them, or the frame.
                        let x = index &- y &* width
                        let isInside: UInt8
                        if isOuterRow || x == columns.lowerBound || x == columns.upperBound &- 1 {
                            isInside = 0
                        } else {
                            isInside = mask[index &- 1] & mask[index &+ 1] & mask[index &- width] & mask[index &+ width]
                        }
                        let surface = mask[index] & (1 &- isInside)
                        values[index] = surface
                        marked &+= Int(surface)
                    }
                    count += marked
                }
            }
        }
    }

    public static func == (a: MaskSurface, b: MaskSurface) -> Bool {
        a.width == b.width && a.height == b.height && a.values == b.values
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(width)
        hasher.combine(values)
    }
}
