/// Batch norm of N C … (Ioffe and Szegedy 2015): by the batch in training, by the running statistics in evaluation.
public final class BatchNorm2d: Layer {
    public let weight: Parameter?
    public let bias: Parameter?
    public let runningMean: Buffer?
    public let runningVar: Buffer?
    /// How many batches the running statistics have seen.
    public let numBatchesTracked: Buffer?
    public let momentum: Double
    public let epsilon: Double

    public init(
        _ channels: Int, epsilon: Double = 1e-5, momentum: Double = 0.1, affine: Bool = true,
        tracksStatistics: Bool = true
    ) {
        let shape = [max(channels, 0)]
        weight = affine ? Parameter(shape, .constant(1)) : nil
        bias = affine ? Parameter(shape, .constant(0)) : nil
        runningMean = tracksStatistics ? Buffer(shape, 0) : nil
        runningVar = tracksStatistics ? Buffer(shape, 1) : nil
        numBatchesTracked = tracksStatistics ? Buffer([], 0) : nil
        (self.momentum, self.epsilon) = (momentum, epsilon)
        super.init()
        if channels <= 0 { fault = "\(channels) channels" }
    }

    override public func forward(_ x: Variable) throws -> Variable {
        let usesBatch = isTraining || runningMean == nil
        let result = try x.batchNormalized(
            weight: weight, bias: bias, runningMean: isTraining || !usesBatch ? runningMean : nil,
            runningVariance: isTraining || !usesBatch ? runningVar : nil, isTraining: usesBatch, momentum: momentum,
            epsilon: epsilon)
        if isTraining, let numBatchesTracked {
            try numBatchesTracked.set(Tensor(shape: [], values: [numBatchesTracked.scalar + 1]))
        }
        return result
    }
}

/// Normalization of each channel of each sample of N C … (Ulyanov, Vedaldi and Lempitsky 2016), without running statistics.
public final class InstanceNorm2d: Layer {
    public let weight: Parameter?
    public let bias: Parameter?
    public let epsilon: Double

    /// As in PyTorch there is no weight unless `affine`.
    public init(_ channels: Int, epsilon: Double = 1e-5, affine: Bool = false) {
        weight = affine ? Parameter([max(channels, 0)], .constant(1)) : nil
        bias = affine ? Parameter([max(channels, 0)], .constant(0)) : nil
        self.epsilon = epsilon
        super.init()
        if channels <= 0 { fault = "\(channels) channels" }
    }

    override public func forward(_ x: Variable) throws -> Variable {
        try x.instanceNormalized(weight: weight, bias: bias, epsilon: epsilon)
    }
}

/// Normalization of groups of channels of each sample of N C … (Wu and He 2018).
public final class GroupNorm: Layer {
    public let groups: Int
    public let weight: Parameter?
    public let bias: Parameter?
    public let epsilon: Double

    public init(_ groups: Int, _ channels: Int, epsilon: Double = 1e-5, affine: Bool = true) {
        self.groups = groups
        weight = affine ? Parameter([max(channels, 0)], .constant(1)) : nil
        bias = affine ? Parameter([max(channels, 0)], .constant(0)) : nil
        self.epsilon = epsilon
        super.init()
        if channels <= 0 || groups <= 0 || channels % groups != 0 {
            fault = "\(channels) channels in \(groups) groups"
        }
    }

    override public func forward(_ x: Variable) throws -> Variable {
        try x.groupNormalized(groups: groups, weight: weight, bias: bias, epsilon: epsilon)
    }
}

/// Normalization over the last axes (Ba, Kiros and Hinton 2016).
public final class LayerNorm: Layer {
    public let normalizedShape: [Int]
    public let weight: Parameter?
    public let bias: Parameter?
    public let epsilon: Double

    public init(_ normalizedShape: [Int], epsilon: Double = 1e-5, affine: Bool = true) {
        let isSound = !normalizedShape.isEmpty && normalizedShape.allSatisfy { $0 > 0 }
        self.normalizedShape = normalizedShape
        weight = affine ? Parameter(isSound ? normalizedShape : [0], .constant(1)) : nil
        bias = affine ? Parameter(isSound ? normalizedShape : [0], .constant(0)) : nil
        self.epsilon = epsilon
        super.init()
        if !isSound { fault = "a normalized shape of \(normalizedShape)" }
    }

    override public func forward(_ x: Variable) throws -> Variable {
        try x.layerNormalized(normalizedShape, weight: weight, bias: bias, epsilon: epsilon)
    }
}
