import Foundation

/// Poolings, kernels and patch size that go together, as nnU-Net's `get_pool_and_conv_props`.
///
/// An axis is halved while it has at least eight pixels left and its spacing is within a factor of two of the finest; a kernel
/// covers three pixels of an axis once its spacing is within that factor, one before. The patch is padded so that all halvings
/// divide.
struct NetworkTopology: Equatable {
    /// Halvings of each axis.
    var poolings: [Int]
    /// The stride of each stage's first convolution, by axis; ones in the first stage.
    var strides: [[Int]]
    /// The kernel of each stage, by axis.
    var kernels: [[Int]]
    /// The patch in pixels, padded.
    var patch: [Int]

    /// The shortest edge of the lowest feature map.
    static let minimumEdge = 4.0

    /// - Parameters:
    ///   - spacing: millimetres along each axis.
    ///   - size: the patch before padding; half pixels occur, where a median is one.
    init(spacing: [Double], size: [Double]) {
        var (spacing, edges) = (spacing, size)
        let axes = spacing.indices
        poolings = [Int](repeating: 0, count: axes.count)
        strides = [[Int](repeating: 1, count: axes.count)]
        kernels = []
        var kernel = [Int](repeating: 1, count: axes.count)
        while true {
            let long = axes.filter { edges[$0] >= 2 * NetworkTopology.minimumEdge }
            guard let finest = long.map({ spacing[$0] }).min(), let least = spacing.min() else { break }
            let pooled = long.filter { spacing[$0] / finest < 2 }
            if pooled.count == 1, edges[pooled[0]] < 3 * NetworkTopology.minimumEdge { break }
            for axis in axes where spacing[axis] / least < 2 { kernel[axis] = 3 }
            var stride = [Int](repeating: 1, count: axes.count)
            for axis in pooled {
                stride[axis] = 2
                poolings[axis] += 1
                spacing[axis] *= 2
                edges[axis] = (edges[axis] / 2).rounded(.up)
            }
            strides.append(stride)
            kernels.append(kernel)
        }
        kernels.append([Int](repeating: 3, count: axes.count))
        patch = zip(size, poolings).map { size, halvings in
            let multiple = Double(1 << halvings)
            return Int((size / multiple).rounded(.up) * multiple)
        }
    }

    /// What each axis of the patch must be a multiple of.
    var divisors: [Int] { poolings.map { 1 << $0 } }
}
