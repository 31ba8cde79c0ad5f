/// Derivatives of one-channel maps; layout H W, edges repeated outwards.
enum Gradient {
    /// The length of the gradient by Sobel's 3×3 kernels, not scaled.
    static func sobelMagnitude(_ map: [Double], width: Int, height: Int) -> [Double] {
        var result = [Double](repeating: 0, count: map.count)
        for y in 0..<height {
            let (above, below) = (max(y - 1, 0) * width, min(y + 1, height - 1) * width)
            for x in 0..<width {
                let (left, right) = (max(x - 1, 0), min(x + 1, width - 1))
                let row = y * width
                let dx =
                    map[above + right] - map[above + left] + 2 * (map[row + right] - map[row + left])
                    + map[below + right] - map[below + left]
                let dy =
                    map[below + left] - map[above + left] + 2 * (map[below + x] - map[above + x])
                    + map[below + right] - map[above + right]
                result[row + x] = (dx * dx + dy * dy).squareRoot()
            }
        }
        return result
    }
}
