extension Variable {
    // Names, defaults and rounding are those of torch.nn.functional. A size is one for all spatial axes of N C …, or a list.

    /// The largest element of each window of N C L, N C H W or N C D H W; windows do not overlap unless a stride is given.
    public func maxPooled(
        kernel: any SpatialSize, stride: (any SpatialSize)? = nil, padding: any SpatialSize = 0,
        dilation: any SpatialSize = 1, ceilMode: Bool = false
    ) throws -> Variable {
        try maxPooled(spatialAxes("max_pool"), kernel, stride, padding, dilation, ceilMode)
    }

    func maxPooled(
        _ axes: Int, _ kernel: any SpatialSize, _ stride: (any SpatialSize)?, _ padding: any SpatialSize,
        _ dilation: any SpatialSize, _ ceilMode: Bool
    ) throws -> Variable {
        var attributes = windows(axes, kernel, stride, padding, ceilMode)
        attributes["dilation"] = dilation.sizes(axes).attribute
        return try apply("max_pool\(axes)d", [], attributes)
    }

    /// The mean of each window of N C L, N C H W or N C D H W. With `countsPadding` the zeros of the padding count as elements;
    /// with `divisor` the sum is divided by it instead of by the number of elements.
    public func averagePooled(
        kernel: any SpatialSize, stride: (any SpatialSize)? = nil, padding: any SpatialSize = 0, ceilMode: Bool = false,
        countsPadding: Bool = true, divisor: Int? = nil
    ) throws -> Variable {
        try averagePooled(spatialAxes("avg_pool"), kernel, stride, padding, ceilMode, countsPadding, divisor)
    }

    func averagePooled(
        _ axes: Int, _ kernel: any SpatialSize, _ stride: (any SpatialSize)?, _ padding: any SpatialSize,
        _ ceilMode: Bool, _ countsPadding: Bool, _ divisor: Int?
    ) throws -> Variable {
        var attributes = windows(axes, kernel, stride, padding, ceilMode)
        attributes["count_include_pad"] = .bool(countsPadding)
        if let divisor { attributes["divisor_override"] = .number(Double(divisor)) }
        return try apply("avg_pool\(axes)d", [], attributes)
    }

    private func windows(
        _ axes: Int, _ kernel: any SpatialSize, _ stride: (any SpatialSize)?, _ padding: any SpatialSize,
        _ ceilMode: Bool
    ) -> [String: AttributeValue] {
        [
            "kernel": kernel.sizes(axes).attribute, "stride": (stride ?? kernel).sizes(axes).attribute,
            "padding": padding.sizes(axes).attribute, "ceil_mode": .bool(ceilMode),
        ]
    }

    /// The means of as many windows of N C … as the output size says; they overlap where the sizes do not divide.
    public func adaptiveAveragePooled(_ size: any SpatialSize) throws -> Variable {
        try adaptivelyPooled("avg", spatialAxes("adaptive_avg_pool"), size)
    }

    /// The largest elements of as many windows of N C … as the output size says.
    public func adaptiveMaxPooled(_ size: any SpatialSize) throws -> Variable {
        try adaptivelyPooled("max", spatialAxes("adaptive_max_pool"), size)
    }

    func adaptivelyPooled(_ kind: String, _ axes: Int, _ size: any SpatialSize) throws -> Variable {
        try apply("adaptive_\(kind)_pool\(axes)d", [], ["output_size": size.sizes(axes).attribute])
    }

    /// The number of spatial axes of N C …. Throws `RuntimeError.invalidOperation` for fewer than one or more than three.
    func spatialAxes(_ operation: String) throws -> Int {
        guard (3...5).contains(shape.count) else {
            throw failure(operation, "shape \(shape) is not N C and one to three spatial axes")
        }
        return shape.count - 2
    }

    /// An error of an operation that is checked before it is noted down.
    func failure(_ operation: String, _ reason: String) -> RuntimeError {
        .invalidOperation(name: operation, location: CallFrame.current.path, reason: reason)
    }
}
