/// A binary mask: which pixels of a picture belong to the target.
///
/// ```swift
/// var mask = try Mask(width: 64, height: 48)
/// mask[x: 10, y: 20] = true
/// mask.area    // 1
/// ```
///
/// Rows run from the top; pixel (x, y) covers [x, x + 1) × [y, y + 1), so its centre lies at (x + ½, y + ½). One byte a pixel.
public struct Mask: Sendable, Hashable {
    /// Pixels.
    public let width: Int
    /// Pixels.
    public let height: Int
    /// `height * width` bytes, 1 in the foreground and 0 elsewhere.
    public private(set) var values: [UInt8]

    /// A mask without foreground.
    ///
    /// - Throws: `MetricsError.shape` when a side is not positive or the area does not fit.
    public init(width: Int, height: Int) throws(MetricsError) {
        try Self.check(width, height, samples: nil)
        self.init(unchecked: width, height, [UInt8](repeating: 0, count: width * height))
    }

    /// A mask over existing bytes, where any value but 0 is foreground.
    ///
    /// - Throws: `MetricsError.shape` when a side is not positive or the number of bytes is not that of the pixels.
    public init(width: Int, height: Int, values: [UInt8]) throws(MetricsError) {
        try Self.check(width, height, samples: values.count)
        self.init(unchecked: width, height, values.map { $0 == 0 ? 0 : 1 })
    }

    /// For callers that know the bytes to be 0 or 1 and their number to fit.
    init(unchecked width: Int, _ height: Int, _ values: [UInt8]) {
        (self.width, self.height, self.values) = (width, height, values)
    }

    /// Whether a pixel is foreground. Positions out of the picture are a programming error and trap.
    public subscript(x x: Int, y y: Int) -> Bool {
        get {
            precondition(x >= 0 && x < width, "column \(x) of \(width)")
            return values[y * width + x] != 0
        }
        set {
            precondition(x >= 0 && x < width, "column \(x) of \(width)")
            values[y * width + x] = newValue ? 1 : 0
        }
    }

    /// The number of pixels, foreground or not.
    public var pixels: Int { values.count }

    /// The number of foreground pixels. O(pixels).
    public var area: Int { values.reduce(0) { $0 + Int($1) } }

    /// Whether there is no foreground. O(pixels) at worst.
    public var isEmpty: Bool { !values.contains(1) }

    /// Foreground and background exchanged.
    public var complement: Mask { Mask(unchecked: width, height, values.map { 1 - $0 }) }

    /// What is foreground in both.
    ///
    /// - Throws: `MetricsError.frames` for masks of different shapes.
    public func intersection(_ other: Mask) throws(MetricsError) -> Mask { try combined(other) { $0 & $1 } }

    /// What is foreground in either.
    ///
    /// - Throws: `MetricsError.frames` for masks of different shapes.
    public func union(_ other: Mask) throws(MetricsError) -> Mask { try combined(other) { $0 | $1 } }

    /// What is foreground here and not there.
    ///
    /// - Throws: `MetricsError.frames` for masks of different shapes.
    public func subtracting(_ other: Mask) throws(MetricsError) -> Mask { try combined(other) { $0 & (1 - $1) } }

    /// Mean position of the foreground's pixel centres, in pixels; `nil` when there is none.
    public var centroid: (x: Double, y: Double)? {
        var (sumX, sumY, count) = (0, 0, 0)
        for y in 0..<height {
            for x in 0..<width where values[y * width + x] != 0 {
                sumX += x
                sumY += y
                count += 1
            }
        }
        guard count > 0 else { return nil }
        return (Double(sumX) / Double(count) + 0.5, Double(sumY) / Double(count) + 0.5)
    }

    /// The smallest ranges of columns and rows that hold all foreground; `nil` when there is none.
    public var bounds: (columns: Range<Int>, rows: Range<Int>)? {
        var (left, right, top, bottom) = (width, -1, -1, -1)
        for y in 0..<height {
            let row = values[(y * width)..<((y + 1) * width)]
            guard let first = row.firstIndex(of: 1), let last = row.lastIndex(of: 1) else { continue }
            left = min(left, first - y * width)
            right = max(right, last - y * width)
            if top < 0 { top = y }
            bottom = y
        }
        return top < 0 ? nil : (left..<(right + 1), top..<(bottom + 1))
    }

    private func combined(_ other: Mask, _ operation: (UInt8, UInt8) -> UInt8) throws(MetricsError) -> Mask {
        try check(sameShapeAs: other)
        return Mask(unchecked: width, height, zip(values, other.values).map { operation($0, $1) })
    }

    func check(sameShapeAs other: Mask) throws(MetricsError) {
        guard width == other.width, height == other.height else {
            throw .frames(width, height, other.width, other.height)
        }
    }

    private static func check(_ width: Int, _ height: Int, samples: Int?) throws(MetricsError) {
        let (area, isTooLarge) = width.multipliedReportingOverflow(by: height)
        guard width > 0, height > 0, !isTooLarge, area < 1 << 30, area == samples ?? area else {
            throw .shape(width: width, height: height, samples: samples ?? 0)
        }
    }
}
