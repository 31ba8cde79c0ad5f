extension Variable {
    private func reduce(_ name: String, _ axes: [Int], _ keepsAxes: Bool) throws -> Variable {
        try apply(name, [], ["axes": axes.attribute, "keepdim": .bool(keepsAxes)])
    }

    /// The sum over axes, all by default.
    public func sum(axes: [Int] = [], keepsAxes: Bool = false) throws -> Variable {
        try reduce("sum", axes, keepsAxes)
    }

    /// The mean over axes, all by default.
    public func mean(axes: [Int] = [], keepsAxes: Bool = false) throws -> Variable {
        try reduce("mean", axes, keepsAxes)
    }

    /// The largest element over axes, all by default.
    public func maximum(axes: [Int] = [], keepsAxes: Bool = false) throws -> Variable {
        try reduce("amax", axes, keepsAxes)
    }

    /// The smallest element over axes, all by default.
    public func minimum(axes: [Int] = [], keepsAxes: Bool = false) throws -> Variable {
        try reduce("amin", axes, keepsAxes)
    }

    /// The variance over axes, all by default; divided by the count less one when `isUnbiased`.
    public func variance(axes: [Int] = [], keepsAxes: Bool = false, isUnbiased: Bool = true) throws -> Variable {
        let square = try (self - mean(axes: axes.isEmpty ? Array(shape.indices) : axes, keepsAxes: true)).squared()
        let result = try square.mean(axes: axes, keepsAxes: keepsAxes)
        guard isUnbiased else { return result }
        let size = Double(count) / Double(result.count)
        return try result * (size / (size - 1))
    }

    /// The index of the largest element along an axis, the first of equal ones; without a gradient.
    public func argmax(axis: Int, keepsAxes: Bool = false) throws -> Variable {
        try apply("argmax", [], ["axis": .number(Double(axis)), "keepdim": .bool(keepsAxes)])
    }
}
