import Datasets

/// The dark bars around a picture that endoscopes and exports leave.
public enum Letterbox {
    /// What is left without rows and columns at the sides of which at least 99 % are not brighter than a limit; `nil` when all is
    /// dark.
    ///
    /// - Complexity: O(samples).
    public static func content(of image: Image, darkest limit: UInt8 = 16) -> Box? {
        let grey = image.grey().bytes
        var (rows, columns) = ([Int](repeating: 0, count: image.height), [Int](repeating: 0, count: image.width))
        for y in 0..<image.height {
            for x in 0..<image.width where grey[y * image.width + x] > limit {
                rows[y] += 1
                columns[x] += 1
            }
        }
        func extent(_ bright: [Int], of length: Int) -> Range<Int>? {
            let isContent = { (count: Int) in count * 100 > length }
            guard let first = bright.firstIndex(where: isContent), let last = bright.lastIndex(where: isContent) else {
                return nil
            }
            return first..<(last + 1)
        }
        guard let height = extent(rows, of: image.width), let width = extent(columns, of: image.height) else {
            return nil
        }
        return Box(
            left: Double(width.lowerBound), top: Double(height.lowerBound), right: Double(width.upperBound),
            bottom: Double(height.upperBound))
    }
}
