/// How images are resampled.
public enum InterpolationMode: String, Sendable {
    case nearest, bilinear
}

extension Variable {
    /// Convolution of N C … with weights O C/groups K…; one spatial axis less than the rank of the weights says.
    public func convolved(
        _ weight: Variable, bias: Variable? = nil, stride: any SpatialSize = 1, padding: any SpatialSize = 0,
        dilation: any SpatialSize = 1, groups: Int = 1
    ) throws -> Variable {
        try convolved(weight, bias, stride, padding, dilation, groups, transposed: false, outputPadding: 0)
    }

    /// Transposed convolution of N C … with weights C O/groups K….
    public func convolvedTransposed(
        _ weight: Variable, bias: Variable? = nil, stride: any SpatialSize = 1, padding: any SpatialSize = 0,
        outputPadding: any SpatialSize = 0, dilation: any SpatialSize = 1, groups: Int = 1
    ) throws -> Variable {
        try convolved(weight, bias, stride, padding, dilation, groups, transposed: true, outputPadding: outputPadding)
    }

    private func convolved(
        _ weight: Variable, _ bias: Variable?, _ stride: any SpatialSize, _ padding: any SpatialSize,
        _ dilation: any SpatialSize, _ groups: Int, transposed: Bool, outputPadding: any SpatialSize
    ) throws -> Variable {
        let rank = max(weight.shape.count - 2, 1)
        return try apply(
            "convolution", [weight, bias],
            [
                "stride": stride.sizes(rank).attribute, "padding": padding.sizes(rank).attribute,
                "dilation": dilation.sizes(rank).attribute, "transposed": .bool(transposed),
                "output_padding": outputPadding.sizes(rank).attribute, "groups": .number(Double(groups)),
            ])
    }

    /// x Wᵀ + b over the last axis, weights O I.
    public func linear(_ weight: Variable, bias: Variable? = nil) throws -> Variable {
        try apply("linear", [weight, bias])
    }

    /// The largest element of each window of N C H W; windows do not overlap unless a stride is given.
    public func maxPooled2d(
        kernel: any SpatialSize, stride: (any SpatialSize)? = nil, padding: any SpatialSize = 0,
        dilation: any SpatialSize = 1, ceilMode: Bool = false
    ) throws -> Variable {
        try apply(
            "max_pool2d", [],
            [
                "kernel": kernel.sizes(2).attribute, "stride": (stride ?? kernel).sizes(2).attribute,
                "padding": padding.sizes(2).attribute, "dilation": dilation.sizes(2).attribute,
                "ceil_mode": .bool(ceilMode),
            ])
    }

    /// The mean of each window of N C H W.
    public func averagePooled2d(
        kernel: any SpatialSize, stride: (any SpatialSize)? = nil, padding: any SpatialSize = 0, ceilMode: Bool = false,
        countsPadding: Bool = true
    ) throws -> Variable {
        try apply(
            "avg_pool2d", [],
            [
                "kernel": kernel.sizes(2).attribute, "stride": (stride ?? kernel).sizes(2).attribute,
                "padding": padding.sizes(2).attribute, "ceil_mode": .bool(ceilMode),
                "count_include_pad": .bool(countsPadding),
            ])
    }

    /// The means of as many windows as the output size says.
    public func adaptiveAveragePooled2d(_ size: any SpatialSize) throws -> Variable {
        try apply("adaptive_avg_pool2d", [], ["output_size": size.sizes(2).attribute])
    }

    /// N C H W resampled to a size.
    public func interpolated(
        to size: any SpatialSize, mode: InterpolationMode = .nearest, alignCorners: Bool = false
    ) throws -> Variable {
        try interpolated(size.sizes(2), mode, alignCorners, scale: nil)
    }

    /// N C H W resampled to sizes multiplied by a factor and rounded down.
    public func interpolated(
        by scale: Double, mode: InterpolationMode = .nearest, alignCorners: Bool = false
    ) throws -> Variable {
        guard shape.count == 4, scale > 0, scale < 1e6 else {
            throw RuntimeError.invalidOperation(
                name: "interpolate", location: CallFrame.current.path,
                reason: "shape \(shape) cannot be resampled by a factor of \(scale)")
        }
        let size = shape.suffix(2).map { Int((Double($0) * scale).rounded(.down)) }
        return try interpolated(size, mode, alignCorners, scale: scale)
    }

    private func interpolated(
        _ size: [Int], _ mode: InterpolationMode, _ alignCorners: Bool, scale: Double?
    ) throws -> Variable {
        var attributes: [String: AttributeValue] = ["output_size": size.attribute]
        if let scale { attributes["scale"] = .list([.number(scale), .number(scale)]) }
        if mode == .bilinear { attributes["align_corners"] = .bool(alignCorners) }
        return try apply("upsample_\(mode.rawValue)2d", [], attributes)
    }

    /// Batch norm of N C …: by the batch when `isTraining` (running statistics, if given, are updated when the result is
    /// computed), else by the running statistics.
    public func batchNormalized(
        weight: Variable? = nil, bias: Variable? = nil, runningMean: Variable? = nil, runningVariance: Variable? = nil,
        isTraining: Bool, momentum: Double = 0.1, epsilon: Double = 1e-5
    ) throws -> Variable {
        let result = try apply(
            "batch_norm", [weight, bias, runningMean, runningVariance],
            ["training": .bool(isTraining), "momentum": .number(momentum), "eps": .number(epsilon)])
        result.node.hasPendingStatistics = isTraining && runningMean?.node.leaf != nil
        return result
    }

    /// Normalization of groups of channels of each sample.
    public func groupNormalized(
        groups: Int, weight: Variable? = nil, bias: Variable? = nil, epsilon: Double = 1e-5
    ) throws -> Variable {
        try apply(
            "group_norm", [weight, bias], ["groups": .number(Double(groups)), "eps": .number(epsilon)])
    }

    /// Normalization of each channel of each sample.
    public func instanceNormalized(
        weight: Variable? = nil, bias: Variable? = nil, epsilon: Double = 1e-5
    ) throws -> Variable {
        try groupNormalized(groups: shape.count > 1 ? shape[1] : 1, weight: weight, bias: bias, epsilon: epsilon)
    }

    /// Normalization over the last axes, which have the shape `normalizedShape`.
    public func layerNormalized(
        _ normalizedShape: [Int], weight: Variable? = nil, bias: Variable? = nil, epsilon: Double = 1e-5
    ) throws -> Variable {
        try apply(
            "layer_norm", [weight, bias],
            ["normalized_shape": normalizedShape.attribute, "eps": .number(epsilon)])
    }

    /// Elements zeroed with probability p, the others divided by 1 - p. A mask of size one along an axis is shared along it.
    func droppedOut(_ p: Double, maskShape: [Int]) throws -> Variable {
        guard p >= 0, p <= 1 else {
            throw RuntimeError.invalidOperation(
                name: "dropout", location: CallFrame.current.path, reason: "p = \(p) is no probability")
        }
        let mask = try Variable.bernoulli(maskShape, probability: 1 - p)
        return try self * mask * (p < 1 ? 1 / (1 - p) : 0)
    }

    /// Each element zeroed with probability p, the others divided by 1 - p (Srivastava et al. 2014).
    public func dropout(_ p: Double = 0.5) throws -> Variable { try droppedOut(p, maskShape: shape) }

    /// Each channel of N C … zeroed with probability p, the others divided by 1 - p (Tompson et al. 2015).
    public func dropout2d(_ p: Double = 0.5) throws -> Variable {
        guard shape.count >= 2 else {
            throw RuntimeError.invalidOperation(
                name: "dropout2d", location: CallFrame.current.path, reason: "shape \(shape) is not N C …")
        }
        return try droppedOut(p, maskShape: shape.prefix(2) + [Int](repeating: 1, count: shape.count - 2))
    }
}
