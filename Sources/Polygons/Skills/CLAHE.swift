/// Contrast-limited adaptive histogram equalization (Zuiderveld 1994), as OpenCV's `createCLAHE`: tiles with clipped histograms, between
/// their centres interpolated bilinearly; agrees with it to one grey level.
public struct CLAHE: Sendable, Hashable, Codable {
    /// How many times its even share a grey value may have in a tile's histogram.
    public var clipLimit: Double
    /// Tiles along each side.
    public var tiles: Int

    public init(clipLimit: Double = 2, tiles: Int = 8) {
        (self.clipLimit, self.tiles) = (clipLimit, max(1, tiles))
    }

    /// Equalizes one channel; layout H W.
    ///
    /// - Complexity: O(pixels + tiles² × 256).
    public func apply(_ grey: [UInt8], width: Int, height: Int) -> [UInt8] {
        // Where a side does not divide, the picture is continued by its mirror image, as OpenCV does for both sides at once.
        let divides = width % tiles == 0 && height % tiles == 0
        let paddedWidth = divides ? width : width + tiles - width % tiles
        let paddedHeight = divides ? height : height + tiles - height % tiles
        let (tileWidth, tileHeight) = (paddedWidth / tiles, paddedHeight / tiles)
        var tables: [[UInt8]] = []
        for row in 0..<tiles {
            for column in 0..<tiles {
                var histogram = [Int](repeating: 0, count: 256)
                for y in (row * tileHeight)..<((row + 1) * tileHeight) {
                    let line = Self.mirrored(y, height) * width
                    for x in (column * tileWidth)..<((column + 1) * tileWidth) {
                        histogram[Int(grey[line + Self.mirrored(x, width)])] += 1
                    }
                }
                tables.append(table(&histogram, area: tileWidth * tileHeight))
            }
        }
        return interpolate(grey, width, height, tables, tileWidth, tileHeight)
    }

    private func table(_ histogram: inout [Int], area: Int) -> [UInt8] {
        if clipLimit > 0 {
            let limit = max(1, Int(clipLimit * Double(area) / 256))
            var excess = 0
            for value in 0..<256 where histogram[value] > limit {
                excess += histogram[value] - limit
                histogram[value] = limit
            }
            for value in 0..<256 { histogram[value] += excess / 256 }
            var rest = excess % 256
            if rest > 0 {
                for value in stride(from: 0, to: 256, by: max(256 / rest, 1)) where rest > 0 {
                    histogram[value] += 1
                    rest -= 1
                }
            }
        }
        var sum = 0
        return histogram.map { count in
            sum += count
            return ColourSpace.byte(Double(sum) * 255 / Double(area))
        }
    }

    private func interpolate(
        _ grey: [UInt8], _ width: Int, _ height: Int, _ tables: [[UInt8]], _ tileWidth: Int, _ tileHeight: Int
    ) -> [UInt8] {
        struct Tap {
            var low: Int
            var high: Int
            var weight: Double
        }
        func taps(_ count: Int, _ size: Int) -> [Tap] {
            (0..<count).map { place in
                let position = Double(place) / Double(size) - 0.5
                let low = position.rounded(.down)
                return Tap(
                    low: max(Int(low), 0), high: min(Int(low) + 1, tiles - 1), weight: position - low)
            }
        }
        let (columns, rows) = (taps(width, tileWidth), taps(height, tileHeight))
        var result = grey
        for y in 0..<height {
            let row = rows[y]
            for x in 0..<width {
                let (column, value) = (columns[x], Int(grey[y * width + x]))
                func level(_ row: Int, _ column: Int) -> Double { Double(tables[row * tiles + column][value]) }
                let top =
                    level(row.low, column.low) * (1 - column.weight) + level(row.low, column.high) * column.weight
                let bottom =
                    level(row.high, column.low) * (1 - column.weight) + level(row.high, column.high) * column.weight
                result[y * width + x] = ColourSpace.byte(top * (1 - row.weight) + bottom * row.weight)
            }
        }
        return result
    }

    /// A place beyond the end, mirrored at the last sample (which is not repeated), back and forth as often as needed.
    private static func mirrored(_ place: Int, _ count: Int) -> Int {
        guard count > 1 else { return 0 }
        let period = 2 * (count - 1)
        let rest = place % period
        return rest < count ? rest : period - rest
    }
}
