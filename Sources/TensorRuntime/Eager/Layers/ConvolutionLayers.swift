/// What convolutions of all ranks share: weight, bias and geometry. Starts as PyTorch's: weights Kaiming uniform with slope √5,
/// biases uniform in ±1/√(fan in).
public class ConvolutionLayer: Layer {
    /// O C/groups K…, transposed C O/groups K….
    public let weight: Parameter
    /// O.
    public let bias: Parameter?
    /// The distance of neighbouring windows along each axis; transposed, of neighbouring results of one input.
    public let stride: [Int]
    /// Elements added at each end of each axis; transposed, taken off the result.
    public let padding: [Int]
    /// The distance of neighbouring elements of the kernel along each axis.
    public let dilation: [Int]
    /// Channels are in this many groups, each with weights of its own.
    public let groups: Int
    /// What is added at the ends.
    public let paddingMode: PaddingMode
    /// Whether this is the gradient of a convolution with respect to its input.
    public let isTransposed: Bool
    /// By how much a transposed result is larger at one end.
    public let outputPadding: [Int]

    init(
        _ rank: Int, _ input: Int, _ output: Int, _ kernel: any SpatialSize, _ stride: any SpatialSize,
        _ padding: any SpatialSize, _ dilation: any SpatialSize, _ groups: Int, _ hasBias: Bool,
        mode: PaddingMode = .zeros, transposed: Bool = false, outputPadding: any SpatialSize = 0
    ) {
        let sizes = kernel.sizes(rank)
        let isSound =
            input > 0 && output > 0 && groups > 0 && input % groups == 0 && output % groups == 0
            && sizes.count == rank && sizes.allSatisfy { $0 > 0 }
            && (try? Tensor.count(of: [input, output / groups] + sizes)) != nil
        let channels = transposed ? [input, output / max(groups, 1)] : [output, input / max(groups, 1)]
        let shape = isSound ? channels + sizes : [0]
        weight = Parameter(shape, .kaimingUniform(nonlinearity: .leakyReLU(slope: 5.0.squareRoot())))
        let bound = 1 / Double(max(shape.dropFirst().reduce(1, *), 1)).squareRoot()
        bias = hasBias ? Parameter(isSound ? [output] : [0], .uniform(low: -bound, high: bound)) : nil
        self.stride = stride.sizes(rank)
        self.padding = padding.sizes(rank)
        self.dilation = dilation.sizes(rank)
        self.groups = groups
        paddingMode = mode
        isTransposed = transposed
        self.outputPadding = outputPadding.sizes(rank)
        super.init()
        if !isSound {
            fault = "\(input) channels in, \(output) out, a kernel of \(sizes) and \(groups) groups do not fit together"
        }
    }

    override public func forward(_ x: Variable) throws -> Variable {
        isTransposed
            ? try x.convolvedTransposed(
                weight, bias: bias, stride: stride, padding: padding, outputPadding: outputPadding, dilation: dilation,
                groups: groups)
            : try x.convolved(
                weight, bias: bias, stride: stride, padding: padding, dilation: dilation, groups: groups,
                paddingMode: paddingMode)
    }
}

/// Convolution of N C L.
public final class Conv1d: ConvolutionLayer {
    /// Sizes are one for all axes or a list; without a bias the layer is linear.
    public init(
        _ inputChannels: Int, _ outputChannels: Int, kernel: any SpatialSize, stride: any SpatialSize = 1,
        padding: any SpatialSize = 0, dilation: any SpatialSize = 1, groups: Int = 1, bias: Bool = true,
        paddingMode: PaddingMode = .zeros
    ) {
        super.init(
            1, inputChannels, outputChannels, kernel, stride, padding, dilation, groups, bias, mode: paddingMode)
    }
}

/// Transposed convolution of N C L.
public final class ConvTranspose1d: ConvolutionLayer {
    /// Sizes are one for all axes or a list; a kernel and stride of 2 double the size.
    public init(
        _ inputChannels: Int, _ outputChannels: Int, kernel: any SpatialSize, stride: any SpatialSize = 1,
        padding: any SpatialSize = 0, outputPadding: any SpatialSize = 0, dilation: any SpatialSize = 1,
        groups: Int = 1, bias: Bool = true
    ) {
        super.init(
            1, inputChannels, outputChannels, kernel, stride, padding, dilation, groups, bias, transposed: true,
            outputPadding: outputPadding)
    }
}

/// Convolution of N C H W.
public final class Conv2d: ConvolutionLayer {
    /// Sizes are one for all axes or a list; without a bias the layer is linear.
    public init(
        _ inputChannels: Int, _ outputChannels: Int, kernel: any SpatialSize, stride: any SpatialSize = 1,
        padding: any SpatialSize = 0, dilation: any SpatialSize = 1, groups: Int = 1, bias: Bool = true,
        paddingMode: PaddingMode = .zeros
    ) {
        super.init(
            2, inputChannels, outputChannels, kernel, stride, padding, dilation, groups, bias, mode: paddingMode)
    }
}

/// Transposed convolution of N C H W.
public final class ConvTranspose2d: ConvolutionLayer {
    /// Sizes are one for all axes or a list; a kernel and stride of 2 double the size.
    public init(
        _ inputChannels: Int, _ outputChannels: Int, kernel: any SpatialSize, stride: any SpatialSize = 1,
        padding: any SpatialSize = 0, outputPadding: any SpatialSize = 0, dilation: any SpatialSize = 1,
        groups: Int = 1, bias: Bool = true
    ) {
        super.init(
            2, inputChannels, outputChannels, kernel, stride, padding, dilation, groups, bias, transposed: true,
            outputPadding: outputPadding)
    }
}

/// Convolution of N C D H W.
public final class Conv3d: ConvolutionLayer {
    /// Sizes are one for all axes or a list; without a bias the layer is linear.
    public init(
        _ inputChannels: Int, _ outputChannels: Int, kernel: any SpatialSize, stride: any SpatialSize = 1,
        padding: any SpatialSize = 0, dilation: any SpatialSize = 1, groups: Int = 1, bias: Bool = true,
        paddingMode: PaddingMode = .zeros
    ) {
        super.init(
            3, inputChannels, outputChannels, kernel, stride, padding, dilation, groups, bias, mode: paddingMode)
    }
}

/// Transposed convolution of N C D H W.
public final class ConvTranspose3d: ConvolutionLayer {
    /// Sizes are one for all axes or a list; a kernel and stride of 2 double the size.
    public init(
        _ inputChannels: Int, _ outputChannels: Int, kernel: any SpatialSize, stride: any SpatialSize = 1,
        padding: any SpatialSize = 0, outputPadding: any SpatialSize = 0, dilation: any SpatialSize = 1,
        groups: Int = 1, bias: Bool = true
    ) {
        super.init(
            3, inputChannels, outputChannels, kernel, stride, padding, dilation, groups, bias, transposed: true,
            outputPadding: outputPadding)
    }
}
