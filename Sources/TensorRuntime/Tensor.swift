/// An array of 32-bit floats with a shape, in row-major order.
///
/// ```swift
/// let mask = try Tensor(shape: [1, 2, 2], values: [0, 1, 1, 0])
/// let row = mask.values[2...]
/// ```
///
/// A value type without arithmetic: tensors carry data into and out of a compiled graph, which does the computing. Images are
/// N C H W, as in PyTorch. Integers and booleans are exact small numbers.
public struct Tensor: Sendable, Equatable {
    /// The size along each axis; empty for a scalar.
    public let shape: [Int]
    /// The elements, last axis fastest.
    public var values: [Float] {
        didSet { precondition(values.count == oldValue.count, "the number of elements of a tensor is fixed") }
    }

    /// The largest number of elements a tensor may have (2³¹ - 1, 8 GiB).
    public static let maximumCount = Int(Int32.max)

    /// Throws `RuntimeError.invalidShape` unless `values` has as many elements as `shape` says.
    public init(shape: [Int], values: [Float]) throws {
        let count = try Tensor.count(of: shape)
        guard values.count == count else {
            throw RuntimeError.invalidShape("shape \(shape) has \(count) elements, but \(values.count) were given")
        }
        self.init(unchecked: shape, values)
    }

    /// A tensor with the same value everywhere. Throws `RuntimeError.invalidShape` for an impossible shape.
    public init(shape: [Int], repeating value: Float) throws {
        self.init(unchecked: shape, [Float](repeating: value, count: try Tensor.count(of: shape)))
    }

    init(unchecked shape: [Int], _ values: [Float]) {
        self.shape = shape
        self.values = values
    }

    /// The number of elements.
    public var count: Int { values.count }

    /// The same elements under another shape. Throws `RuntimeError.invalidShape` when the counts differ.
    public func reshaped(_ shape: [Int]) throws -> Tensor {
        try Tensor(shape: shape, values: values)
    }

    /// The entries `indices` along the first axis, in that order: how batches are gathered.
    ///
    /// Throws `RuntimeError.invalidShape` for a scalar or an index out of range. Copies what it returns.
    public func rows(_ indices: [Int]) throws -> Tensor {
        guard let first = shape.first else { throw RuntimeError.invalidShape("a scalar has no rows") }
        let row = first == 0 ? 0 : count / first
        var gathered: [Float] = []
        gathered.reserveCapacity(row * indices.count)
        for index in indices {
            guard index >= 0, index < first else {
                throw RuntimeError.invalidShape("row \(index) lies outside a tensor of shape \(shape)")
            }
            gathered += values[index * row..<(index + 1) * row]
        }
        return Tensor(unchecked: [indices.count] + shape.dropFirst(), gathered)
    }

    /// The number of elements that a shape has; throws when a size is negative or the product is above `maximumCount`.
    static func count(of shape: [Int]) throws -> Int {
        guard shape.count <= 8 else { throw RuntimeError.invalidShape("shape \(shape) has more than 8 axes") }
        var count = 1
        for size in shape {
            guard size >= 0 else { throw RuntimeError.invalidShape("shape \(shape) has a negative size") }
            let (product, overflow) = count.multipliedReportingOverflow(by: size)
            guard !overflow, product <= maximumCount else {
                throw RuntimeError.invalidShape("shape \(shape) has more than \(maximumCount) elements")
            }
            count = product
        }
        return count
    }
}
