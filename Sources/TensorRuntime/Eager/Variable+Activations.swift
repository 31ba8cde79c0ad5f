extension Variable {
    // Names and defaults are those of torch.nn.functional.

    /// max(x, 0).
    public func relu() throws -> Variable { try apply("relu") }

    /// 1 / (1 + exp(-x)).
    public func sigmoid() throws -> Variable { try apply("sigmoid") }

    /// The hyperbolic tangent.
    public func tanh() throws -> Variable { try apply("tanh") }

    /// x · sigmoid(x) (Elfwing, Uchibe and Doya 2018; Ramachandran, Zoph and Le 2017).
    public func silu() throws -> Variable { try apply("silu") }

    /// x · tanh(softplus(x)) (Misra 2019).
    public func mish() throws -> Variable { try apply("mish") }

    /// x · relu6(x + 3) / 6 (Howard et al. 2019).
    public func hardSwish() throws -> Variable { try apply("hardswish") }

    /// relu6(x + 3) / 6 (Howard et al. 2019).
    public func hardSigmoid() throws -> Variable { try apply("hardsigmoid") }

    /// log(sigmoid(x)), without overflow.
    public func logSigmoid() throws -> Variable { try apply("log_sigmoid") }

    /// min(max(x, 0), 6).
    public func relu6() throws -> Variable { try apply("hardtanh", [], ["min": 0, "max": 6]) }

    /// x where it is positive, else slope · x (Maas, Hannun and Ng 2013).
    public func leakyReLU(slope: Double = 0.01) throws -> Variable {
        try apply("leaky_relu", [], ["negative_slope": .number(slope)])
    }

    /// x where it is positive, else α (exp(x) - 1) (Clevert, Unterthiner and Hochreiter 2016).
    public func elu(alpha: Double = 1) throws -> Variable { try apply("elu", [], ["alpha": .number(alpha)]) }

    /// x Φ(x) with the normal distribution function Φ, or its approximation by a hyperbolic tangent (Hendrycks and Gimpel 2016).
    public func gelu(approximate: Bool = false) throws -> Variable {
        try apply("gelu", [], ["approximate": .string(approximate ? "tanh" : "none")])
    }

    /// log(1 + exp(β x)) / β; x itself where β x is above the threshold.
    public func softplus(beta: Double = 1, threshold: Double = 20) throws -> Variable {
        try apply("softplus", [], ["beta": .number(beta), "threshold": .number(threshold)])
    }

    /// min(max(x, minimum), maximum).
    public func hardTanh(minimum: Double = -1, maximum: Double = 1) throws -> Variable {
        try apply("hardtanh", [], ["min": .number(minimum), "max": .number(maximum)])
    }

    /// x where it is positive, else x times a learnt slope: one value, or one a channel of N C … (He et al. 2015).
    public func prelu(_ weight: Variable) throws -> Variable { try apply("prelu", [weight]) }

    /// Exponentials that sum to one along an axis; the channels of N C … by default.
    public func softmax(axis: Int = 1) throws -> Variable { try apply("softmax", [], ["axis": .number(Double(axis))]) }

    /// The logarithm of `softmax`, without overflow.
    public func logSoftmax(axis: Int = 1) throws -> Variable {
        try apply("log_softmax", [], ["axis": .number(Double(axis))])
    }
}
