/// What convolutions of all ranks share: weight, bias and geometry. Starts as PyTorch's: weights Kaiming uniform with slope √5,
/// biases uniform in ±1/√(fan in).
public class ConvolutionLayer: Layer {
    /// O C/groups K…, transposed C O/groups K….
    public let weight: Parameter
    /// O.
    public let bias: Parameter?
    public let stride: [Int]
    public let padding: [Int]
    public let dilation: [Int]
    public let groups: Int
    public let isTransposed: Bool
    public let outputPadding: [Int]

    init(
        _ rank: Int, _ input: Int, _ output: Int, _ kernel: any SpatialSize, _ stride: any SpatialSize,
        _ padding: any SpatialSize, _ dilation: any SpatialSize, _ groups: Int, _ hasBias: Bool,
        transposed: Bool = false, outputPadding: any SpatialSize = 0
    ) {
        let sizes = kernel.sizes(rank)
        let isSound =
            input > 0 && output > 0 && groups > 0 && input % groups == 0 && output % groups == 0
            && sizes.count == rank && sizes.allSatisfy { $0 > 0 }
        let channels = transposed ? [input, output / max(groups, 1)] : [output, input / max(groups, 1)]
        let shape = isSound ? channels + sizes : [0]
        weight = Parameter(shape, .kaimingUniform(nonlinearity: .leakyReLU(slope: 5.0.squareRoot())))
        let bound = 1 / Double(max(shape.dropFirst().reduce(1, *), 1)).squareRoot()
        bias = hasBias ? Parameter(isSound ? [output] : [0], .uniform(low: -bound, high: bound)) : nil
        self.stride = stride.sizes(rank)
        self.padding = padding.sizes(rank)
        self.dilation = dilation.sizes(rank)
        self.groups = groups
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
                weight, bias: bias, stride: stride, padding: padding, dilation: dilation, groups: groups)
    }
}

/// Convolution of N C H W.
public final class Conv2d: ConvolutionLayer {
    public init(
        _ inputChannels: Int, _ outputChannels: Int, kernel: any SpatialSize, stride: any SpatialSize = 1,
        padding: any SpatialSize = 0, dilation: any SpatialSize = 1, groups: Int = 1, bias: Bool = true
    ) {
        super.init(2, inputChannels, outputChannels, kernel, stride, padding, dilation, groups, bias)
    }
}

/// Transposed convolution of N C H W.
public final class ConvTranspose2d: ConvolutionLayer {
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

/// y = x Wᵀ + b over the last axis; starts as PyTorch's Linear.
public final class Linear: Layer {
    /// O I.
    public let weight: Parameter
    /// O.
    public let bias: Parameter?

    public init(_ inputs: Int, _ outputs: Int, bias hasBias: Bool = true) {
        let isSound = inputs > 0 && outputs > 0
        weight = Parameter(
            isSound ? [outputs, inputs] : [0], .kaimingUniform(nonlinearity: .leakyReLU(slope: 5.0.squareRoot())))
        let bound = 1 / Double(max(inputs, 1)).squareRoot()
        bias = hasBias ? Parameter(isSound ? [outputs] : [0], .uniform(low: -bound, high: bound)) : nil
        super.init()
        if !isSound { fault = "\(inputs) inputs and \(outputs) outputs" }
    }

    override public func forward(_ x: Variable) throws -> Variable { try x.linear(weight, bias: bias) }
}
