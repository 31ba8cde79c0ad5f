/// The largest element of each window, of any rank.
public class MaxPoolLayer: Layer {
    /// The size of the windows along each axis.
    public let kernel: [Int]
    /// The distance of neighbouring windows.
    public let stride: [Int]
    /// Elements added at each end, smaller than all.
    public let padding: [Int]
    /// The distance of neighbouring elements of a window.
    public let dilation: [Int]
    /// Whether windows may hang over the end.
    public let ceilMode: Bool
    private let axes: Int

    init(
        _ axes: Int, _ kernel: any SpatialSize, _ stride: (any SpatialSize)?, _ padding: any SpatialSize,
        _ dilation: any SpatialSize, _ ceilMode: Bool
    ) {
        self.axes = axes
        self.kernel = kernel.sizes(axes)
        self.stride = (stride ?? kernel).sizes(axes)
        self.padding = padding.sizes(axes)
        self.dilation = dilation.sizes(axes)
        self.ceilMode = ceilMode
    }

    override public func forward(_ x: Variable) throws -> Variable {
        try x.maxPooled(axes, kernel, stride, padding, dilation, ceilMode)
    }
}

/// The mean of each window, of any rank.
public class AvgPoolLayer: Layer {
    /// The size of the windows along each axis.
    public let kernel: [Int]
    /// The distance of neighbouring windows.
    public let stride: [Int]
    /// Zeros added at each end.
    public let padding: [Int]
    /// Whether windows may hang over the end.
    public let ceilMode: Bool
    /// Whether the zeros of the padding count as elements.
    public let countsPadding: Bool
    private let axes: Int

    init(
        _ axes: Int, _ kernel: any SpatialSize, _ stride: (any SpatialSize)?, _ padding: any SpatialSize,
        _ ceilMode: Bool, _ countsPadding: Bool
    ) {
        self.axes = axes
        self.kernel = kernel.sizes(axes)
        self.stride = (stride ?? kernel).sizes(axes)
        self.padding = padding.sizes(axes)
        self.ceilMode = ceilMode
        self.countsPadding = countsPadding
    }

    override public func forward(_ x: Variable) throws -> Variable {
        try x.averagePooled(axes, kernel, stride, padding, ceilMode, countsPadding, nil)
    }
}

/// As many windows as the output size says, of any rank.
public class AdaptivePoolLayer: Layer {
    /// The number of windows along each axis.
    public let size: [Int]
    private let axes: Int
    private let kind: String

    init(_ kind: String, _ axes: Int, _ size: any SpatialSize) {
        (self.kind, self.axes) = (kind, axes)
        self.size = size.sizes(axes)
    }

    override public func forward(_ x: Variable) throws -> Variable { try x.adaptivelyPooled(kind, axes, size) }
}

/// The largest element of each window of N C L.
public final class MaxPool1d: MaxPoolLayer {
    /// Windows do not overlap unless a stride is given.
    public init(
        _ kernel: any SpatialSize, stride: (any SpatialSize)? = nil, padding: any SpatialSize = 0,
        dilation: any SpatialSize = 1, ceilMode: Bool = false
    ) {
        super.init(1, kernel, stride, padding, dilation, ceilMode)
    }
}

/// The mean of each window of N C L.
public final class AvgPool1d: AvgPoolLayer {
    /// Windows do not overlap unless a stride is given.
    public init(
        _ kernel: any SpatialSize, stride: (any SpatialSize)? = nil, padding: any SpatialSize = 0,
        ceilMode: Bool = false, countsPadding: Bool = true
    ) {
        super.init(1, kernel, stride, padding, ceilMode, countsPadding)
    }
}

/// The means of as many windows of N C L as the output size says.
public final class AdaptiveAvgPool1d: AdaptivePoolLayer {
    /// A size of 1 is the mean of each channel.
    public init(_ size: any SpatialSize) { super.init("avg", 1, size) }
}

/// The largest elements of as many windows of N C L as the output size says.
public final class AdaptiveMaxPool1d: AdaptivePoolLayer {
    /// A size of 1 is the largest element of each channel.
    public init(_ size: any SpatialSize) { super.init("max", 1, size) }
}

/// The largest element of each window of N C H W.
public final class MaxPool2d: MaxPoolLayer {
    /// Windows do not overlap unless a stride is given.
    public init(
        _ kernel: any SpatialSize, stride: (any SpatialSize)? = nil, padding: any SpatialSize = 0,
        dilation: any SpatialSize = 1, ceilMode: Bool = false
    ) {
        super.init(2, kernel, stride, padding, dilation, ceilMode)
    }
}

/// The mean of each window of N C H W.
public final class AvgPool2d: AvgPoolLayer {
    /// Windows do not overlap unless a stride is given.
    public init(
        _ kernel: any SpatialSize, stride: (any SpatialSize)? = nil, padding: any SpatialSize = 0,
        ceilMode: Bool = false, countsPadding: Bool = true
    ) {
        super.init(2, kernel, stride, padding, ceilMode, countsPadding)
    }
}

/// The means of as many windows of N C H W as the output size says.
public final class AdaptiveAvgPool2d: AdaptivePoolLayer {
    /// A size of 1 is the mean of each channel.
    public init(_ size: any SpatialSize) { super.init("avg", 2, size) }
}

/// The largest elements of as many windows of N C H W as the output size says.
public final class AdaptiveMaxPool2d: AdaptivePoolLayer {
    /// A size of 1 is the largest element of each channel.
    public init(_ size: any SpatialSize) { super.init("max", 2, size) }
}

/// The largest element of each window of N C D H W.
public final class MaxPool3d: MaxPoolLayer {
    /// Windows do not overlap unless a stride is given.
    public init(
        _ kernel: any SpatialSize, stride: (any SpatialSize)? = nil, padding: any SpatialSize = 0,
        dilation: any SpatialSize = 1, ceilMode: Bool = false
    ) {
        super.init(3, kernel, stride, padding, dilation, ceilMode)
    }
}

/// The mean of each window of N C D H W.
public final class AvgPool3d: AvgPoolLayer {
    /// Windows do not overlap unless a stride is given.
    public init(
        _ kernel: any SpatialSize, stride: (any SpatialSize)? = nil, padding: any SpatialSize = 0,
        ceilMode: Bool = false, countsPadding: Bool = true
    ) {
        super.init(3, kernel, stride, padding, ceilMode, countsPadding)
    }
}

/// The means of as many windows of N C D H W as the output size says.
public final class AdaptiveAvgPool3d: AdaptivePoolLayer {
    /// A size of 1 is the mean of each channel.
    public init(_ size: any SpatialSize) { super.init("avg", 3, size) }
}

/// The largest elements of as many windows of N C D H W as the output size says.
public final class AdaptiveMaxPool3d: AdaptivePoolLayer {
    /// A size of 1 is the largest element of each channel.
    public init(_ size: any SpatialSize) { super.init("max", 3, size) }
}
