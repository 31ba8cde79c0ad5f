/// Makes pictures smaller without losing what lies between the samples: each new pixel is the mean of the area it covers, parts of pixels
/// counting by their share, as OpenCV's `INTER_AREA` does where a picture shrinks. Where a side grows, pixels repeat by the same rule.
enum AreaResize {
    /// Rows of values to another width and height.
    static func apply(_ map: [Float], width: Int, height: Int, toWidth: Int, toHeight: Int) -> [Float] {
        let columns = spans(width, toWidth)
        let rows = spans(height, toHeight)
        var narrow = [Float](repeating: 0, count: toWidth * height)
        for y in 0..<height {
            for (x, span) in columns.enumerated() {
                var sum: Float = 0
                for (place, weight) in span { sum += weight * map[y * width + place] }
                narrow[y * toWidth + x] = sum
            }
        }
        var result = [Float](repeating: 0, count: toWidth * toHeight)
        for (y, span) in rows.enumerated() {
            for (place, weight) in span {
                for x in 0..<toWidth { result[y * toWidth + x] += weight * narrow[place * toWidth + x] }
            }
        }
        return result
    }

    /// Which old samples each new one covers, with weights that add up to one.
    private static func spans(_ size: Int, _ target: Int) -> [[(Int, Float)]] {
        let scale = Double(size) / Double(target)
        return (0..<target).map { index in
            let (start, end) = (Double(index) * scale, min(Double(index + 1) * scale, Double(size)))
            let first = Int(start)
            let last = min(size - 1, Int(end.rounded(.up)) - 1)
            return (first...max(first, last)).map { place in
                let share = min(end, Double(place + 1)) - max(start, Double(place))
                return (place, Float(share / (end - start)))
            }
        }
    }
}
