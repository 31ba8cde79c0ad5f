/// N C … resampled to a size or by a factor.
public final class Upsample: Layer {
    /// The size of the result; nil where a factor is given.
    public let size: [Int]?
    /// The factor of each axis, or one for all; nil where a size is given.
    public let scales: [Double]?
    /// How values between the elements are found.
    public let mode: InterpolationMode
    /// Whether the centres of the corner pixels stay where they are.
    public let alignCorners: Bool

    /// By a factor.
    public convenience init(scale: Double, mode: InterpolationMode = .nearest, alignCorners: Bool = false) {
        self.init(nil, [scale], mode, alignCorners)
    }

    /// By a factor for each axis.
    public convenience init(scales: [Double], mode: InterpolationMode = .nearest, alignCorners: Bool = false) {
        self.init(nil, scales, mode, alignCorners)
    }

    /// To a size.
    public convenience init(
        size: any SpatialSize, mode: InterpolationMode = .nearest, alignCorners: Bool = false
    ) {
        self.init(size.spatialSizes, nil, mode, alignCorners)
    }

    private init(_ size: [Int]?, _ scales: [Double]?, _ mode: InterpolationMode, _ alignCorners: Bool) {
        (self.size, self.scales, self.mode, self.alignCorners) = (size, scales, mode, alignCorners)
        super.init()
    }

    override public func forward(_ x: Variable) throws -> Variable {
        if let size { return try x.interpolated(to: size, mode: mode, alignCorners: alignCorners) }
        return try x.interpolated(by: scales ?? [], mode: mode, alignCorners: alignCorners)
    }
}

/// N C·r² H W to N C H·r W·r: channels become pixels (Shi et al. 2016).
public final class PixelShuffle: Layer {
    /// r.
    public let factor: Int

    /// By how much height and width grow.
    public init(_ factor: Int) { self.factor = factor }

    override public func forward(_ x: Variable) throws -> Variable { try x.pixelShuffled(factor) }
}

/// N C H·r W·r to N C·r² H W: pixels become channels.
public final class PixelUnshuffle: Layer {
    /// r.
    public let factor: Int

    /// By how much height and width shrink.
    public init(_ factor: Int) { self.factor = factor }

    override public func forward(_ x: Variable) throws -> Variable { try x.pixelUnshuffled(factor) }
}

/// Elements added at the ends of the last axes: PyTorch's `ZeroPad2d`, `ReflectionPad2d`, `ReplicationPad2d`, `CircularPad2d` and their
/// kin of other ranks.
public final class Padding: Layer {
    /// Before and after, by pairs from the last axis backwards: (left, right, top, bottom, front, back); negative numbers crop.
    public let padding: [Int]
    /// What is added.
    public let mode: PaddingMode

    /// `padding` as PyTorch gives it.
    public init(_ padding: [Int], mode: PaddingMode = .zeros) { (self.padding, self.mode) = (padding, mode) }

    override public func forward(_ x: Variable) throws -> Variable { try x.padded(padding, mode: mode) }
}

/// Axes merged into one, all but that of the batch by default.
public final class Flatten: Layer {
    /// The first axis that is merged.
    public let first: Int
    /// The last axis that is merged.
    public let last: Int

    /// Axes may be negative.
    public init(from first: Int = 1, to last: Int = -1) { (self.first, self.last) = (first, last) }

    override public func forward(_ x: Variable) throws -> Variable { try x.flattened(from: first, to: last) }
}
