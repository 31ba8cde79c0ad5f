extension Variable {
    // Axes may be negative, and none means all. A reduced axis goes unless it is kept with size one.

    private func reduce(
        _ name: String, _ axes: [Int], _ keepsAxes: Bool, _ more: [String: AttributeValue] = [:]
    ) throws -> Variable {
        try apply(
            name, [], more.merging(["axes": axes.attribute, "keepdim": .bool(keepsAxes)]) { first, _ in first })
    }

    /// The sum over axes, all by default.
    public func sum(axes: [Int] = [], keepsAxes: Bool = false) throws -> Variable {
        try reduce("sum", axes, keepsAxes)
    }

    /// The mean over axes, all by default.
    public func mean(axes: [Int] = [], keepsAxes: Bool = false) throws -> Variable {
        try reduce("mean", axes, keepsAxes)
    }

    /// The product over axes, all by default; its gradient is exact where elements are zero.
    public func product(axes: [Int] = [], keepsAxes: Bool = false) throws -> Variable {
        try reduce("prod", axes, keepsAxes)
    }

    /// The largest element over axes, all by default; equal ones share the gradient.
    public func maximum(axes: [Int] = [], keepsAxes: Bool = false) throws -> Variable {
        try reduce("amax", axes, keepsAxes)
    }

    /// The smallest element over axes, all by default; equal ones share the gradient.
    public func minimum(axes: [Int] = [], keepsAxes: Bool = false) throws -> Variable {
        try reduce("amin", axes, keepsAxes)
    }

    /// The variance over axes, all by default; divided by the count less one when `isUnbiased`.
    public func variance(axes: [Int] = [], keepsAxes: Bool = false, isUnbiased: Bool = true) throws -> Variable {
        try reduce("var", axes, keepsAxes, ["correction": isUnbiased ? 1 : 0])
    }

    /// The square root of `variance`.
    public func standardDeviation(
        axes: [Int] = [], keepsAxes: Bool = false, isUnbiased: Bool = true
    ) throws -> Variable {
        try reduce("std", axes, keepsAxes, ["correction": isUnbiased ? 1 : 0])
    }

    /// The sums of the elements up to each one along an axis.
    public func cumulativeSum(axis: Int) throws -> Variable {
        try apply("cumsum", [], ["axis": .number(Double(axis))])
    }
}
