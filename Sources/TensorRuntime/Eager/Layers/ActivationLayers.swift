/// A fixed function of each element (softmax: of each line along an axis), for use in `Sequential`.
public final class Activation: Layer {
    /// Which function; names and defaults are those of torch.nn.
    public enum Function: Sendable, Equatable {
        case identity, relu, relu6, sigmoid, tanh, silu, mish, hardSwish, hardSigmoid, logSigmoid
        case leakyReLU(slope: Double = 0.01)
        case elu(alpha: Double = 1)
        case gelu(approximate: Bool = false)
        case softplus(beta: Double = 1, threshold: Double = 20)
        case hardTanh(minimum: Double = -1, maximum: Double = 1)
        case softmax(axis: Int = 1)
        case logSoftmax(axis: Int = 1)
    }

    /// Which function.
    public let function: Function

    /// `Activation(.relu)`, `Activation(.leakyReLU(slope: 0.2))`.
    public init(_ function: Function) {
        self.function = function
    }

    override public func forward(_ x: Variable) throws -> Variable {
        switch function {
        case .identity: return x
        case .relu: return try x.relu()
        case .relu6: return try x.relu6()
        case .sigmoid: return try x.sigmoid()
        case .tanh: return try x.tanh()
        case .silu: return try x.silu()
        case .mish: return try x.mish()
        case .hardSwish: return try x.hardSwish()
        case .hardSigmoid: return try x.hardSigmoid()
        case .logSigmoid: return try x.logSigmoid()
        case .leakyReLU(let slope): return try x.leakyReLU(slope: slope)
        case .elu(let alpha): return try x.elu(alpha: alpha)
        case .gelu(let approximate): return try x.gelu(approximate: approximate)
        case .softplus(let beta, let threshold): return try x.softplus(beta: beta, threshold: threshold)
        case .hardTanh(let minimum, let maximum): return try x.hardTanh(minimum: minimum, maximum: maximum)
        case .softmax(let axis): return try x.softmax(axis: axis)
        case .logSoftmax(let axis): return try x.logSoftmax(axis: axis)
        }
    }
}

/// max(x, 0) + w · min(x, 0) with a learnt slope w, one or one a channel (He et al. 2015).
public final class ParametricReLU: Layer {
    /// The slopes.
    public let weight: Parameter

    /// `count` is 1 or the number of channels.
    public init(_ count: Int = 1, slope: Double = 0.25) {
        weight = Parameter([max(count, 0)], .constant(slope))
        super.init()
        if count <= 0 { fault = "\(count) slopes" }
    }

    override public func forward(_ x: Variable) throws -> Variable { try x.prelu(weight) }
}

/// In training each element is zeroed with probability p and the others divided by 1 - p (Srivastava et al. 2014).
public final class Dropout: Layer {
    /// The probability of zero.
    public let p: Double

    /// Throws at the first use in training when p is no probability.
    public init(_ p: Double = 0.5) {
        self.p = p
    }

    override public func forward(_ x: Variable) throws -> Variable { isTraining ? try x.dropout(p) : x }
}

/// In training each channel of N C … is zeroed with probability p and the others divided by 1 - p (Tompson et al. 2015); for images and
/// volumes alike.
public final class Dropout2d: Layer {
    /// The probability of zero.
    public let p: Double

    /// Throws at the first use in training when p is no probability.
    public init(_ p: Double = 0.5) {
        self.p = p
    }

    override public func forward(_ x: Variable) throws -> Variable { isTraining ? try x.channelDropout(p) : x }
}
