extension Variable {
    /// Batch norm of N C or N C … (Ioffe and Szegedy 2015): by the mean and variance of each channel of the batch when
    /// `isTraining`, else by the running statistics.
    ///
    /// In training running statistics that are given follow those of the batch with weight `momentum` (variance unbiased), once, when
    /// the result is computed.
    public func batchNormalized(
        weight: Variable? = nil, bias: Variable? = nil, runningMean: Variable? = nil, runningVariance: Variable? = nil,
        isTraining: Bool, momentum: Double = 0.1, epsilon: Double = 1e-5
    ) throws -> Variable {
        try normalized(
            "batch_norm", [weight, bias, runningMean, runningVariance],
            ["training": .bool(isTraining), "momentum": .number(momentum), "eps": .number(epsilon)])
    }

    /// Normalization of each channel of each sample of N C … (Ulyanov, Vedaldi and Lempitsky 2016).
    ///
    /// Running statistics that are given follow the means over the samples when `usesInput`, and replace them otherwise.
    public func instanceNormalized(
        weight: Variable? = nil, bias: Variable? = nil, runningMean: Variable? = nil, runningVariance: Variable? = nil,
        usesInput: Bool = true, momentum: Double = 0.1, epsilon: Double = 1e-5
    ) throws -> Variable {
        try normalized(
            "instance_norm", [weight, bias, runningMean, runningVariance],
            ["use_input_stats": .bool(usesInput), "momentum": .number(momentum), "eps": .number(epsilon)])
    }

    private func normalized(
        _ name: String, _ operands: [Variable?], _ attributes: [String: AttributeValue]
    ) throws -> Variable {
        let result = try apply(name, operands, attributes)
        result.node.hasPendingStatistics = result.node.carriesStatistics
        return result
    }

    /// Normalization of groups of channels of each sample of N C … (Wu and He 2018).
    public func groupNormalized(
        groups: Int, weight: Variable? = nil, bias: Variable? = nil, epsilon: Double = 1e-5
    ) throws -> Variable {
        try apply(
            "group_norm", [weight, bias], ["groups": .number(Double(groups)), "eps": .number(epsilon)])
    }

    /// Normalization over the last axes, which have the shape `normalizedShape` (Ba, Kiros and Hinton 2016).
    public func layerNormalized(
        _ normalizedShape: [Int], weight: Variable? = nil, bias: Variable? = nil, epsilon: Double = 1e-5
    ) throws -> Variable {
        try apply(
            "layer_norm", [weight, bias],
            ["normalized_shape": normalizedShape.attribute, "eps": .number(epsilon)])
    }
}
