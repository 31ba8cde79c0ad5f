/// The largest element of each window of N C H W.
public final class MaxPool2d: Layer {
    public let kernel: [Int]
    public let stride: [Int]
    public let padding: [Int]
    public let dilation: [Int]
    public let ceilMode: Bool

    /// Windows do not overlap unless a stride is given.
    public init(
        _ kernel: any SpatialSize, stride: (any SpatialSize)? = nil, padding: any SpatialSize = 0,
        dilation: any SpatialSize = 1, ceilMode: Bool = false
    ) {
        self.kernel = kernel.sizes(2)
        self.stride = (stride ?? kernel).sizes(2)
        self.padding = padding.sizes(2)
        self.dilation = dilation.sizes(2)
        self.ceilMode = ceilMode
    }

    override public func forward(_ x: Variable) throws -> Variable {
        try x.maxPooled2d(kernel: kernel, stride: stride, padding: padding, dilation: dilation, ceilMode: ceilMode)
    }
}

/// The mean of each window of N C H W.
public final class AvgPool2d: Layer {
    public let kernel: [Int]
    public let stride: [Int]
    public let padding: [Int]
    public let ceilMode: Bool
    public let countsPadding: Bool

    /// Windows do not overlap unless a stride is given.
    public init(
        _ kernel: any SpatialSize, stride: (any SpatialSize)? = nil, padding: any SpatialSize = 0,
        ceilMode: Bool = false, countsPadding: Bool = true
    ) {
        self.kernel = kernel.sizes(2)
        self.stride = (stride ?? kernel).sizes(2)
        self.padding = padding.sizes(2)
        self.ceilMode = ceilMode
        self.countsPadding = countsPadding
    }

    override public func forward(_ x: Variable) throws -> Variable {
        try x.averagePooled2d(
            kernel: kernel, stride: stride, padding: padding, ceilMode: ceilMode, countsPadding: countsPadding)
    }
}

/// The means of as many windows of N C H W as the output size says.
public final class AdaptiveAvgPool2d: Layer {
    public let size: [Int]

    public init(_ size: any SpatialSize) {
        self.size = size.sizes(2)
    }

    override public func forward(_ x: Variable) throws -> Variable { try x.adaptiveAveragePooled2d(size) }
}

/// Images N C H W resampled by a factor.
public final class Upsample: Layer {
    public let scale: Double
    public let mode: InterpolationMode
    public let alignCorners: Bool

    public init(scale: Double, mode: InterpolationMode = .nearest, alignCorners: Bool = false) {
        (self.scale, self.mode, self.alignCorners) = (scale, mode, alignCorners)
    }

    override public func forward(_ x: Variable) throws -> Variable {
        try x.interpolated(by: scale, mode: mode, alignCorners: alignCorners)
    }
}
