/// Batch norm of any rank (Ioffe and Szegedy 2015): by the batch in training, by the running statistics in evaluation.
public class BatchNormLayer: Layer {
    /// The factor of each channel, one at first.
    public let weight: Parameter?
    /// What is added to each channel, zero at first.
    public let bias: Parameter?
    /// The running mean of each channel, zero at first.
    public let runningMean: Buffer?
    /// The running unbiased variance of each channel, one at first.
    public let runningVar: Buffer?
    /// How many batches the running statistics have seen.
    public let numBatchesTracked: Buffer?
    /// The weight of a new batch in the running statistics.
    public let momentum: Double
    /// What is added to variances.
    public let epsilon: Double
    private let layouts: [Int: String]

    init(
        _ layouts: [Int: String], _ channels: Int, _ epsilon: Double, _ momentum: Double, _ affine: Bool,
        _ tracksStatistics: Bool
    ) {
        let shape = [max(channels, 0)]
        weight = affine ? Parameter(shape, .constant(1)) : nil
        bias = affine ? Parameter(shape, .constant(0)) : nil
        runningMean = tracksStatistics ? Buffer(shape, 0) : nil
        runningVar = tracksStatistics ? Buffer(shape, 1) : nil
        numBatchesTracked = tracksStatistics ? Buffer([], 0) : nil
        (self.momentum, self.epsilon, self.layouts) = (momentum, epsilon, layouts)
        super.init()
        if channels <= 0 || channels > Tensor.maximumCount { fault = "\(channels) channels" }
    }

    override public func forward(_ x: Variable) throws -> Variable {
        try x.expect(layouts, "batch_norm")
        let result = try x.batchNormalized(
            weight: weight, bias: bias, runningMean: runningMean, runningVariance: runningVar,
            isTraining: isTraining || runningMean == nil, momentum: momentum, epsilon: epsilon)
        if isTraining { try numBatchesTracked?.count() }
        return result
    }
}

extension Buffer {
    /// Adds one.
    fileprivate func count() throws { try set(Tensor(shape: [], values: [scalar + 1])) }
}

extension Variable {
    /// Throws `RuntimeError.invalidOperation` unless the rank is one of those that have a layout.
    fileprivate func expect(_ layouts: [Int: String], _ operation: String) throws {
        guard layouts[shape.count] == nil else { return }
        let names = layouts.sorted { $0.key < $1.key }.map(\.value).joined(separator: " or ")
        throw failure(operation, "shape \(shape) is not \(names)")
    }
}

/// Batch norm of N C or N C L.
public final class BatchNorm1d: BatchNormLayer {
    /// Without `tracksStatistics` the batch is used in evaluation too.
    public init(
        _ channels: Int, epsilon: Double = 1e-5, momentum: Double = 0.1, affine: Bool = true,
        tracksStatistics: Bool = true
    ) {
        super.init([2: "N C", 3: "N C L"], channels, epsilon, momentum, affine, tracksStatistics)
    }
}

/// Batch norm of N C H W.
public final class BatchNorm2d: BatchNormLayer {
    /// Without `tracksStatistics` the batch is used in evaluation too.
    public init(
        _ channels: Int, epsilon: Double = 1e-5, momentum: Double = 0.1, affine: Bool = true,
        tracksStatistics: Bool = true
    ) {
        super.init([4: "N C H W"], channels, epsilon, momentum, affine, tracksStatistics)
    }
}

/// Batch norm of N C D H W.
public final class BatchNorm3d: BatchNormLayer {
    /// Without `tracksStatistics` the batch is used in evaluation too.
    public init(
        _ channels: Int, epsilon: Double = 1e-5, momentum: Double = 0.1, affine: Bool = true,
        tracksStatistics: Bool = true
    ) {
        super.init([5: "N C D H W"], channels, epsilon, momentum, affine, tracksStatistics)
    }
}

/// Normalization of each channel of each sample (Ulyanov, Vedaldi and Lempitsky 2016), of any rank.
public class InstanceNormLayer: Layer {
    /// The factor of each channel, one at first.
    public let weight: Parameter?
    /// What is added to each channel, zero at first.
    public let bias: Parameter?
    /// The running mean of each channel, zero at first.
    public let runningMean: Buffer?
    /// The running unbiased variance of each channel, one at first.
    public let runningVar: Buffer?
    /// As in PyTorch it is saved but stays zero.
    public let numBatchesTracked: Buffer?
    /// The weight of a new batch in the running statistics.
    public let momentum: Double
    /// What is added to variances.
    public let epsilon: Double
    private let layouts: [Int: String]

    init(
        _ layouts: [Int: String], _ channels: Int, _ epsilon: Double, _ momentum: Double, _ affine: Bool,
        _ tracksStatistics: Bool
    ) {
        let shape = [max(channels, 0)]
        weight = affine ? Parameter(shape, .constant(1)) : nil
        bias = affine ? Parameter(shape, .constant(0)) : nil
        runningMean = tracksStatistics ? Buffer(shape, 0) : nil
        runningVar = tracksStatistics ? Buffer(shape, 1) : nil
        numBatchesTracked = tracksStatistics ? Buffer([], 0) : nil
        (self.momentum, self.epsilon, self.layouts) = (momentum, epsilon, layouts)
        super.init()
        if channels <= 0 || channels > Tensor.maximumCount { fault = "\(channels) channels" }
    }

    override public func forward(_ x: Variable) throws -> Variable {
        try x.expect(layouts, "instance_norm")
        guard weight == nil || x.shape[1] == weight?.shape[0] else {
            throw x.failure(
                "instance_norm", "\(weight?.shape ?? []) values for \(x.shape[1]) channels of shape \(x.shape)")
        }
        return try x.instanceNormalized(
            weight: weight, bias: bias, runningMean: runningMean, runningVariance: runningVar,
            usesInput: isTraining || runningMean == nil, momentum: momentum, epsilon: epsilon)
    }
}

/// Instance norm of N C L.
public final class InstanceNorm1d: InstanceNormLayer {
    /// As in PyTorch there is neither a weight unless `affine`, nor a running statistic unless `tracksStatistics`.
    public init(
        _ channels: Int, epsilon: Double = 1e-5, momentum: Double = 0.1, affine: Bool = false,
        tracksStatistics: Bool = false
    ) {
        super.init([3: "N C L"], channels, epsilon, momentum, affine, tracksStatistics)
    }
}

/// Instance norm of N C H W.
public final class InstanceNorm2d: InstanceNormLayer {
    /// As in PyTorch there is neither a weight unless `affine`, nor a running statistic unless `tracksStatistics`.
    public init(
        _ channels: Int, epsilon: Double = 1e-5, momentum: Double = 0.1, affine: Bool = false,
        tracksStatistics: Bool = false
    ) {
        super.init([4: "N C H W"], channels, epsilon, momentum, affine, tracksStatistics)
    }
}

/// Instance norm of N C D H W.
public final class InstanceNorm3d: InstanceNormLayer {
    /// As in PyTorch there is neither a weight unless `affine`, nor a running statistic unless `tracksStatistics`.
    public init(
        _ channels: Int, epsilon: Double = 1e-5, momentum: Double = 0.1, affine: Bool = false,
        tracksStatistics: Bool = false
    ) {
        super.init([5: "N C D H W"], channels, epsilon, momentum, affine, tracksStatistics)
    }
}

/// Normalization of groups of channels of each sample of N C … (Wu and He 2018).
public final class GroupNorm: Layer {
    /// How many groups.
    public let groups: Int
    /// The factor of each channel, one at first.
    public let weight: Parameter?
    /// What is added to each channel, zero at first.
    public let bias: Parameter?
    /// What is added to variances.
    public let epsilon: Double

    /// `channels` must be a multiple of `groups`.
    public init(_ groups: Int, _ channels: Int, epsilon: Double = 1e-5, affine: Bool = true) {
        self.groups = groups
        weight = affine ? Parameter([max(channels, 0)], .constant(1)) : nil
        bias = affine ? Parameter([max(channels, 0)], .constant(0)) : nil
        self.epsilon = epsilon
        super.init()
        if channels <= 0 || channels > Tensor.maximumCount || groups <= 0 || channels % groups != 0 {
            fault = "\(channels) channels in \(groups) groups"
        }
    }

    override public func forward(_ x: Variable) throws -> Variable {
        try x.groupNormalized(groups: groups, weight: weight, bias: bias, epsilon: epsilon)
    }
}

/// Normalization over the last axes (Ba, Kiros and Hinton 2016).
public final class LayerNorm: Layer {
    /// The sizes of the last axes.
    public let normalizedShape: [Int]
    /// The factor of each element, one at first.
    public let weight: Parameter?
    /// What is added to each element, zero at first.
    public let bias: Parameter?
    /// What is added to variances.
    public let epsilon: Double

    /// Over the last axes, which have the shape `normalizedShape`.
    public init(_ normalizedShape: [Int], epsilon: Double = 1e-5, affine: Bool = true) {
        let isSound =
            !normalizedShape.isEmpty && normalizedShape.allSatisfy { $0 > 0 }
            && (try? Tensor.count(of: normalizedShape)) != nil
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
