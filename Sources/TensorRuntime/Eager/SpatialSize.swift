/// A size along each spatial axis: one integer for all, or a list (depth,) height, width.
public protocol SpatialSize {
    /// The sizes; a single one stands for all axes.
    var spatialSizes: [Int] { get }
}

extension Int: SpatialSize {
    /// The size itself, for all axes.
    public var spatialSizes: [Int] { [self] }
}

extension Array: SpatialSize where Element == Int {
    /// One size an axis.
    public var spatialSizes: [Int] { self }
}

extension SpatialSize {
    /// The sizes along `rank` axes; a list of another length is left for the operation to refuse.
    func sizes(_ rank: Int) -> [Int] {
        let sizes = spatialSizes
        return sizes.count == 1 ? [Int](repeating: sizes[0], count: rank) : sizes
    }
}
