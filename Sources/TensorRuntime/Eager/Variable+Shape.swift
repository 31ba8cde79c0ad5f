extension Variable {
    /// The same elements in row-major order under another shape; one size may be -1 and is then computed.
    public func reshaped(_ shape: [Int]) throws -> Variable { try apply("reshape", [], ["shape": shape.attribute]) }

    /// Merges the axes from `first` to `last` into one; all but the first axis by default.
    public func flattened(from first: Int = 1, to last: Int = -1) throws -> Variable {
        let (a, b) = (first < 0 ? first + shape.count : first, last < 0 ? last + shape.count : last)
        guard a >= 0, a <= b, b < shape.count else {
            throw failure("flatten", "axes \(first) to \(last) of shape \(shape) cannot be merged")
        }
        return try reshaped(shape[..<a] + [shape[a...b].reduce(1, *)] + shape[(b + 1)...])
    }

    /// The axes in another order.
    public func permuted(_ axes: [Int]) throws -> Variable { try apply("permute", [], ["axes": axes.attribute]) }

    /// Two axes exchanged.
    public func transposed(_ a: Int = -2, _ b: Int = -1) throws -> Variable {
        var axes = Array(shape.indices)
        let (i, j) = (a < 0 ? a + axes.count : a, b < 0 ? b + axes.count : b)
        guard axes.indices.contains(i), axes.indices.contains(j) else {
            throw failure("transpose", "axes \(a) and \(b) of shape \(shape) cannot be exchanged")
        }
        axes.swapAt(i, j)
        return try permuted(axes)
    }

    /// Repeated along axes of size one, and along new axes in front.
    public func expanded(_ shape: [Int]) throws -> Variable { try apply("expand", [], ["shape": shape.attribute]) }

    /// A new axis of size one before `axis`.
    public func unsqueezed(axis: Int) throws -> Variable {
        let position = axis < 0 ? axis + shape.count + 1 : axis
        guard (0...shape.count).contains(position) else {
            throw failure("unsqueeze", "shape \(shape) has no place for an axis \(axis)")
        }
        var target = shape
        target.insert(1, at: position)
        return try reshaped(target)
    }

    /// Without an axis, which must have size one.
    public func squeezed(axis: Int) throws -> Variable {
        let position = axis < 0 ? axis + shape.count : axis
        guard shape.indices.contains(position), shape[position] == 1 else {
            throw failure("squeeze", "axis \(axis) of shape \(shape) has not size one")
        }
        var target = shape
        target.remove(at: position)
        return try reshaped(target)
    }

    /// The part `range` of an axis, every `step`-th element of it.
    public func sliced(axis: Int, _ range: Range<Int>, step: Int = 1) throws -> Variable {
        try apply(
            "slice", [],
            [
                "axis": .number(Double(axis)), "start": .number(Double(range.lowerBound)),
                "end": .number(Double(range.upperBound)), "step": .number(Double(step)),
            ])
    }

    /// The entry `index` along an axis, which disappears.
    public func selected(axis: Int, _ index: Int) throws -> Variable {
        try apply("select", [], ["axis": .number(Double(axis)), "index": .number(Double(index))])
    }

    /// Variables one after another along an axis; the channels of N C … by default.
    public static func concatenated(_ parts: [Variable], axis: Int = 1) throws -> Variable {
        try apply("concatenate", parts, ["axis": .number(Double(axis))])
    }

    /// Variables of one shape along a new axis.
    public static func stacked(_ parts: [Variable], axis: Int = 0) throws -> Variable {
        try apply("stack", parts, ["axis": .number(Double(axis))])
    }

    /// Parts of equal length along an axis, the last one shorter where the length does not divide; as PyTorch's `split`.
    public func split(axis: Int, length: Int) throws -> [Variable] {
        let position = axis < 0 ? axis + shape.count : axis
        guard shape.indices.contains(position), length > 0 else {
            throw failure("split", "axis \(axis) of shape \(shape) cannot be split into parts of length \(length)")
        }
        return try stride(from: 0, to: shape[position], by: length).map {
            try sliced(axis: position, $0..<Swift.min($0 + length, shape[position]))
        }
    }

    /// Elements added before and after along axes, by pairs from the last axis backwards; negative numbers crop.
    public func padded(_ padding: [Int], value: Double = 0) throws -> Variable {
        try apply("pad", [], ["padding": padding.attribute, "value": .number(value)])
    }

    /// Elements of the operand itself (or zeros) added before and after along the last one to three axes of N C … or C …, by pairs
    /// from the last axis backwards.
    public func padded(_ padding: [Int], mode: PaddingMode) throws -> Variable {
        if mode == .zeros { return try padded(padding) }
        return try apply("pad", [], ["padding": padding.attribute, "mode": .string(mode.rawValue)])
    }

    /// The order along axes reversed.
    public func flipped(_ axes: [Int]) throws -> Variable { try apply("flip", [], ["axes": axes.attribute]) }

    /// Moved by a distance along each axis, what leaves at one end coming in at the other; without axes in row-major order.
    public func rolled(_ shifts: [Int], axes: [Int] = []) throws -> Variable {
        try apply("roll", [], ["shifts": shifts.attribute, "axes": axes.attribute])
    }

    /// The whole repeated along each axis; added axes come first.
    public func repeated(_ times: [Int]) throws -> Variable {
        try apply("repeat", [], ["repeats": times.attribute])
    }
}
