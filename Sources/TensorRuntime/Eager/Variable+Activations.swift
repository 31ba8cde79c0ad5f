extension Variable {
    // Names and defaults are those of torch.nn.functional.

    public func relu() throws -> Variable { try apply("relu") }
    public func sigmoid() throws -> Variable { try apply("sigmoid") }
    public func tanh() throws -> Variable { try apply("tanh") }
    /// x · sigmoid(x).
    public func silu() throws -> Variable { try apply("silu") }
    public func mish() throws -> Variable { try apply("mish") }
    public func hardSwish() throws -> Variable { try apply("hardswish") }
    public func hardSigmoid() throws -> Variable { try apply("hardsigmoid") }
    public func logSigmoid() throws -> Variable { try apply("log_sigmoid") }
    /// min(max(x, 0), 6).
    public func relu6() throws -> Variable { try apply("hardtanh", [], ["min": 0, "max": 6]) }

    public func leakyReLU(slope: Double = 0.01) throws -> Variable {
        try apply("leaky_relu", [], ["negative_slope": .number(slope)])
    }

    public func elu(alpha: Double = 1) throws -> Variable { try apply("elu", [], ["alpha": .number(alpha)]) }

    /// The exact form, or the approximation by a hyperbolic tangent.
    public func gelu(approximate: Bool = false) throws -> Variable {
        try apply("gelu", [], ["approximate": .string(approximate ? "tanh" : "none")])
    }

    public func softplus(beta: Double = 1, threshold: Double = 20) throws -> Variable {
        try apply("softplus", [], ["beta": .number(beta), "threshold": .number(threshold)])
    }

    public func hardTanh(minimum: Double = -1, maximum: Double = 1) throws -> Variable {
        try apply("hardtanh", [], ["min": .number(minimum), "max": .number(maximum)])
    }

    /// x where it is positive, else x times a learnt slope: one value, or one a channel of N C ….
    public func prelu(_ weight: Variable) throws -> Variable { try apply("prelu", [weight]) }

    /// Exponentials that sum to one along an axis; the channels of N C … by default.
    public func softmax(axis: Int = 1) throws -> Variable { try apply("softmax", [], ["axis": .number(Double(axis))]) }

    /// The logarithm of `softmax`, without overflow.
    public func logSoftmax(axis: Int = 1) throws -> Variable {
        try apply("log_softmax", [], ["axis": .number(Double(axis))])
    }
}
