/// The exact Euclidean distance of every pixel to the nearest foreground pixel, between pixel centres.
///
/// Separable: distances along the columns are counted, then each row takes the lower envelope of the parabolas that stand on
/// them (Felzenszwalb and Huttenlocher 2012, *Distance Transforms of Sampled Functions*; the same two passes as Meijster,
/// Roerdink and Hesselink 2000). Equals `scipy.ndimage.distance_transform_edt` of the complement.
public enum DistanceTransform {
    /// Distances in the unit of `spacing`; infinity everywhere when the mask is empty.
    ///
    /// - Complexity: O(pixels) time and memory.
    public static func distances(to mask: Mask, spacing: PixelSpacing = .pixels) -> [Double] {
        squaredDistances(to: mask, spacing: spacing).map { $0.squareRoot() }
    }

    /// Squared distances: with a spacing of one pixel whole numbers, without any rounding.
    ///
    /// - Complexity: O(pixels) time and memory.
    public static func squaredDistances(to mask: Mask, spacing: PixelSpacing = .pixels) -> [Double] {
        var result = [Double](repeating: .infinity, count: mask.pixels)
        let columns = ColumnDistances(
            mask.values, stride: mask.width, columns: 0..<mask.width, rows: 0..<mask.height)
        var envelope = LowerEnvelope(width: mask.width, spacing: spacing)
        for y in 0..<mask.height {
            guard envelope.build(columns, row: y) else { continue }
            envelope.evaluate(into: &result, at: y * mask.width)
        }
        return result
    }
}

/// For each pixel of a window the number of rows to the nearest feature in its column.
struct ColumnDistances {
    let width: Int
    let height: Int
    /// `height * width` counts; `far` and more where the column has no feature.
    private(set) var counts: [Int32]

    /// More than any count within a window, and small enough to be added to.
    static let far: Int32 = 1 << 30

    /// - Parameters:
    ///   - features: bytes of a picture whose rows are `stride` apart; anything but 0 is a feature.
    ///   - columns: the window.
    init(_ features: [UInt8], stride: Int, columns: Range<Int>, rows: Range<Int>) {
        (width, height) = (columns.count, rows.count)
        let (width, height) = (width, height)
        counts = [Int32](unsafeUninitializedCapacity: width * height) { buffer, count in
            guard let counts = buffer.baseAddress else { return }
            features.withUnsafeBufferPointer { features in
                // The base address is there: a mask has pixels.
                guard let features = features.baseAddress else { return }
                for y in 0..<height {
                    let row = counts + y * width
                    let source = features + (rows.lowerBound + y) * stride + columns.lowerBound
                    if y == 0 {
                        for x in 0..<width { row[x] = source[x] != 0 ? 0 : Self.far }
                    } else {
                        let above = row - width
                        for x in 0..<width { row[x] = source[x] != 0 ? 0 : above[x] &+ 1 }
                    }
                }
            }
            for y in Swift.stride(from: height - 2, through: 0, by: -1) {
                let row = counts + y * width
                let below = row + width
                for x in 0..<width {
                    let other = below[x] &+ 1
                    row[x] = other < row[x] ? other : row[x]
                }
            }
            count = width * height
        }
    }
}

/// The lower envelope of the parabolas of one row: which column's nearest feature is nearest to which pixels.
///
/// Intersections are in columns. Their rounding cannot move a pixel to a parabola that lies higher there by more than rounding:
/// two parabolas differ by at least one squared pixel where they differ at all and the spacing is one.
struct LowerEnvelope {
    private let width: Int
    private let squareX: Double
    private let squareY: Double
    /// 1 / (2 n x²) for columns n apart.
    private let reciprocals: [Double]
    private var count = 0
    private var apexes: [Int32]
    private var heights: [Double]
    /// Where a parabola becomes the lowest.
    private var starts: [Double]

    init(width: Int, spacing: PixelSpacing) {
        self.width = width
        (squareX, squareY) = (spacing.x * spacing.x, spacing.y * spacing.y)
        let scale = 2 * squareX
        reciprocals = (0..<width).map { $0 == 0 ? .infinity : 1 / (scale * Double($0)) }
        apexes = [Int32](repeating: 0, count: width)
        heights = [Double](repeating: 0, count: width)
        starts = [Double](repeating: 0, count: width)
    }

    /// Builds the envelope of a row; false when no column has a feature.
    mutating func build(_ columns: ColumnDistances, row: Int) -> Bool {
        let (width, squareX, squareY) = (width, squareX, squareY)
        var last = -1
        columns.counts.withUnsafeBufferPointer { counts in
            reciprocals.withUnsafeBufferPointer { reciprocals in
                apexes.withUnsafeMutableBufferPointer { apexes in
                    heights.withUnsafeMutableBufferPointer { heights in
                        starts.withUnsafeMutableBufferPointer { starts in
                            for x in 0..<width {
                                let rows = counts[row &* width &+ x]
                                guard rows < ColumnDistances.far else { continue }
                                let height = Double(rows) * Double(rows) * squareY
                                let raised = height + Double(x) * Double(x) * squareX
                                var start = -Double.infinity
                                while last >= 0 {
                                    let apex = Double(apexes[last])
                                    let below = heights[last] + apex * apex * squareX
                                    start = (raised - below) * reciprocals[x &- Int(apexes[last])]
                                    if start > starts[last] { break }
                                    last &-= 1
                                    start = -.infinity
                                }
                                last &+= 1
                                apexes[last] = Int32(truncatingIfNeeded: x)
                                heights[last] = height
                                starts[last] = start
                            }
                        }
                    }
                }
            }
        }
        count = last + 1
        return count > 0
    }

    /// Squared distances of the whole row.
    func evaluate(into result: inout [Double], at offset: Int) {
        let (count, squareX) = (count, squareX)
        result.withUnsafeMutableBufferPointer { result in
            for index in 0..<count {
                // From where this parabola is the lowest to where the next one is.
                let first = index == 0 ? 0 : firstColumn(after: starts[index])
                let end = index + 1 == count ? width : firstColumn(after: starts[index + 1])
                guard first < end else { continue }
                let (apex, height) = (Double(apexes[index]), heights[index])
                for x in first..<end {
                    let distance = Double(x) - apex
                    result[offset &+ x] = distance * distance * squareX + height
                }
            }
        }
    }

    /// The first whole column that is larger than a position.
    private func firstColumn(after position: Double) -> Int {
        guard position > -1 else { return 0 }
        return position >= Double(width) ? width : Int(position.rounded(.down)) + 1
    }

    /// Squared distances of some pixels of the row, in ascending order, appended.
    func append(to result: inout [Double], _ columns: ArraySlice<Int32>, from left: Int) {
        var index = 0
        for column in columns {
            let x = Int(column) - left
            while index + 1 < count, starts[index + 1] < Double(x) { index += 1 }
            result.append(value(index, x))
        }
    }

    private func value(_ index: Int, _ x: Int) -> Double {
        let distance = Double(x - Int(apexes[index]))
        return distance * distance * squareX + heights[index]
    }
}

/// Squared distances of single pixels of a row, by whichever of two exact ways looks at fewer columns.
///
/// A pixel's own column bounds its distance, so a search to both sides ends after as many columns at most; where that would be more
/// than the lower envelope of the whole row costs, the envelope is built.
struct RowSearch {
    /// What a column costs the envelope, in columns of a search.
    private static let envelopeCost = 6

    private let columns: ColumnDistances
    private let spacing: PixelSpacing
    private var envelope: LowerEnvelope

    init(_ columns: ColumnDistances, spacing: PixelSpacing) {
        (self.columns, self.spacing) = (columns, spacing)
        envelope = LowerEnvelope(width: columns.width, spacing: spacing)
    }

    /// - Parameters:
    ///   - queries: columns of the picture, ascending.
    ///   - left: the window's first column.
    ///   - row: of the window.
    mutating func append(to result: inout [Double], _ queries: ArraySlice<Int32>, from left: Int, row: Int) {
        guard !queries.isEmpty else { return }
        let width = columns.width
        let reach = spacing.y / spacing.x
        var cost = 0.0
        for query in queries {
            let count = columns.counts[row * width + Int(query) - left]
            cost += 2 * min(Double(count) * reach, Double(width))
        }
        if cost > Double(Self.envelopeCost * width) {
            if envelope.build(columns, row: row) { envelope.append(to: &result, queries, from: left) }
            return
        }
        let (squareX, squareY) = (spacing.x * spacing.x, spacing.y * spacing.y)
        columns.counts.withUnsafeBufferPointer { counts in
            let row = UnsafeBufferPointer(rebasing: counts[(row * width)..<((row + 1) * width)])
            func height(_ x: Int) -> Double {
                row[x] < ColumnDistances.far ? Double(row[x]) * Double(row[x]) * squareY : .infinity
            }
            for query in queries {
                let x = Int(query) - left
                var (best, distance) = (height(x), 1)
                while distance < width {
                    let along = Double(distance) * Double(distance) * squareX
                    guard along < best else { break }
                    if x >= distance { best = min(best, along + height(x - distance)) }
                    if x + distance < width { best = min(best, along + height(x + distance)) }
                    distance += 1
                }
                result.append(best)
            }
        }
    }
}
