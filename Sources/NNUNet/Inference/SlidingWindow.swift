import Foundation
import TensorRuntime

/// Tiles that overlap by half, weighted by a Gaussian: nnU-Net 2.8.1's `sliding_window_prediction`.
struct SlidingWindow {
    /// H W of a tile.
    let tile: [Int]
    /// The weight of each pixel of a tile, H W; ten in the middle.
    let weights: [Float]

    /// The standard deviation of the weights as a share of the tile.
    private static let deviation = 1.0 / 8
    /// The largest weight.
    private static let scale = 10.0
    /// The share of a tile that the next one may lie further on.
    private static let step = 0.5

    init(tile: [Int]) {
        self.tile = tile
        let profiles = tile.map { SlidingWindow.profile($0) }
        var products = profiles[0].flatMap { row in profiles[1].map { row * $0 } }
        let largest = products.max() ?? 1
        products = products.map { $0 / largest * SlidingWindow.scale }
        // Far corners must not become zero: a pixel that only they cover would be divided by it.
        let smallest = products.filter { Float($0) > SlidingWindow.smallestHalf }.min() ?? 1
        weights = products.map { Float($0) > SlidingWindow.smallestHalf ? Float($0) : Float(smallest) }
    }

    /// Half of the smallest number above zero in half precision, in which nnU-Net keeps its weights: less becomes zero there.
    private static let smallestHalf: Float = 0x1p-25

    /// What a Gaussian filter (scipy's `gaussian_filter`, cut at four deviations, zeros outside) makes of a one in the middle.
    private static func profile(_ length: Int) -> [Double] {
        let sigma = Double(length) * deviation
        let radius = Int(4 * sigma + 0.5)
        let kernel = (-radius...radius).map { exp(-0.5 / (sigma * sigma) * Double($0 * $0)) }
        let sum = kernel.reduce(0, +)
        return (0..<length).map { index in
            let distance = index - length / 2
            return abs(distance) <= radius ? kernel[distance + radius] / sum : 0
        }
    }

    /// Where tiles begin along an axis of an image that is at least as long: equal steps of at most half a tile.
    static func starts(image: Int, tile: Int) -> [Int] {
        let count = Int((Double(image - tile) / (Double(tile) * step)).rounded(.up)) + 1
        guard count > 1 else { return [0] }
        let distance = Double(image - tile) / Double(count - 1)
        return (0..<count).map { rounded(distance * Double($0)) }
    }
}
