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
    /// The columns of the surface's pixels, row by row.
    let columns: [Int32]
    /// Where each row of `bounds` begins in `columns`, and the end.
    let rowStarts: [Int]
    /// The window that holds the surface, which is that of the mask; `nil` for an empty one.
    let bounds: (columns: Range<Int>, rows: Range<Int>)?

    /// - Complexity: O(pixels).
    public init(of mask: Mask) {
        (width, height) = (mask.width, mask.height)
        bounds = mask.bounds
        var values = [UInt8](repeating: 0, count: mask.pixels)
        var (columns, rowStarts): ([Int32], [Int]) = ([], [0])
        if let bounds {
            Self.mark(mask.values, width, bounds.columns, bounds.rows, &values)
            values.withUnsafeBufferPointer { values in
                for y in bounds.rows {
                    for x in bounds.columns where values[y &* mask.width &+ x] != 0 {
                        columns.append(Int32(truncatingIfNeeded: x))
                    }
                    rowStarts.append(columns.count)
                }
            }
        }
        (self.values, self.columns, self.rowStarts) = (values, columns, rowStarts)
    }

    /// How many pixels the surface has.
    public var count: Int { columns.count }

    private static func mark(
        _ mask: [UInt8], _ width: Int, _ columns: Range<Int>, _ rows: Range<Int>, _ values: inout [UInt8]
    ) {
        mask.withUnsafeBufferPointer { mask in
            values.withUnsafeMutableBufferPointer { values in
                for y in rows {
                    let (start, end) = (y * width + columns.lowerBound, y * width + columns.upperBound - 1)
                    // The outermost rows and columns of the window have background beside them, or the frame.
                    if y == rows.lowerBound || y == rows.upperBound - 1 {
                        for index in start...end { values[index] = mask[index] }
                        continue
                    }
                    (values[start], values[end]) = (mask[start], mask[end])
                    guard end - start > 1 else { continue }
                    for index in (start + 1)..<end {
                        let around =
                            mask[index &- 1] & mask[index &+ 1] & mask[index &- width] & mask[index &+ width]
                        values[index] = mask[index] & (1 &- around)
                    }
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
