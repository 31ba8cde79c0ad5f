extension Variable {
    // Positions are whole numbers in floats, exact up to 2²⁴. Those that are known when an operation is noted down are checked;
    // a computed position outside the axis makes the result not a number.

    /// result[…, i, …] = self[…, indices[…, i, …], …] along an axis, as PyTorch's `gather`. The other axes of the indices are at most
    /// as long as those of the operand.
    public func gathered(axis: Int, _ indices: Variable) throws -> Variable {
        try indices.checkPositions("gather", along: axis, of: shape)
        return try apply("gather", [indices], ["axis": .number(Double(axis))])
    }

    /// The entries at the positions of a vector along an axis, in that order, as PyTorch's `index_select`.
    public func selected(axis: Int, _ indices: Variable) throws -> Variable {
        try indices.checkPositions("index_select", along: axis, of: shape)
        return try apply("index_select", [indices], ["axis": .number(Double(axis))])
    }

    /// The `count` largest (or smallest) elements along an axis, in order, and where they are; of equal ones the first comes first.
    /// Cost: `count` passes over each line.
    public func top(
        _ count: Int, axis: Int = -1, isLargest: Bool = true
    ) throws -> (values: Variable, indices: Variable) {
        let attributes: [String: AttributeValue] = [
            "k": .number(Double(count)), "axis": .number(Double(axis)), "largest": .bool(isLargest),
        ]
        return (try apply("topk", [], attributes), try apply("topk_indices", [], attributes))
    }

    /// The position of the largest element along an axis, the first of equal ones; without a gradient.
    public func argmax(axis: Int, keepsAxes: Bool = false) throws -> Variable {
        try apply("argmax", [], ["axis": .number(Double(axis)), "keepdim": .bool(keepsAxes)])
    }

    /// The position of the smallest element along an axis, the first of equal ones; without a gradient.
    public func argmin(axis: Int, keepsAxes: Bool = false) throws -> Variable {
        try apply("argmin", [], ["axis": .number(Double(axis)), "keepdim": .bool(keepsAxes)])
    }

    /// Class indices as vectors along a new last axis: one at the class, zero elsewhere.
    public func oneHot(classes: Int) throws -> Variable {
        try checkPositions("one_hot", below: classes, of: "\(classes) classes")
        return try apply("one_hot", [], ["classes": .number(Double(classes))])
    }

    /// start, start + step, … as a vector of `count` numbers.
    public static func range(_ count: Int, from start: Double = 0, step: Double = 1) throws -> Variable {
        try apply("arange", [], ["start": .number(start), "step": .number(step), "size": .number(Double(count))])
    }

    private func checkPositions(_ operation: String, along axis: Int, of shape: [Int]) throws {
        guard axis >= -shape.count, axis < shape.count else { return }
        let size = shape[axis < 0 ? axis + shape.count : axis]
        try checkPositions(operation, below: size, of: "\(size) entries along axis \(axis) of shape \(shape)")
    }

    /// Throws `RuntimeError.invalidOperation` when an element that is known without computing anything is neither a whole number in
    /// 0 ..< `count` nor `ignored`. What parameters and results hold is not looked at.
    func checkPositions(
        _ operation: String, below count: Int, of what: String, ignoring ignored: Int? = nil
    ) throws {
        guard case .constant(let tensor) = node.source else { return }
        let (limit, skipped) = (Float(count), ignored.map { Float($0) })
        let wrong = tensor.values.firstIndex {
            !($0 >= 0 && $0 < limit && $0 == $0.rounded(.down)) && $0 != skipped
        }
        guard let wrong else { return }
        throw failure(
            operation,
            "element \(wrong) of indices of shape \(shape) is \(tensor.values[wrong]), which is none of \(what)")
    }
}
