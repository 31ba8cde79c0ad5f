extension OptimizerRule {
    /// Settings of gradient descent.
    public struct SGDSettings: Sendable, Equatable {
        /// The length of a step.
        public var learningRate: Double
        /// The share of the last step that is kept.
        public var momentum: Double
        /// What the gradient is lessened by where there is momentum.
        public var dampening: Double
        /// The share of a weight that each step takes off.
        public var weightDecay: Double
        /// Looks ahead, as Nesterov's method.
        public var nesterov: Bool
        /// Climbs instead of descending.
        public var maximize: Bool

        /// The defaults are those of PyTorch.
        public init(
            learningRate: Double = 1e-3, momentum: Double = 0, dampening: Double = 0, weightDecay: Double = 0,
            nesterov: Bool = false, maximize: Bool = false
        ) {
            self.learningRate = learningRate
            self.momentum = momentum
            self.dampening = dampening
            self.weightDecay = weightDecay
            self.nesterov = nesterov
            self.maximize = maximize
        }

        init(_ reader: SettingsReader) throws {
            try reader.allow(["lr", "momentum", "dampening", "weight_decay", "nesterov", "maximize"])
            self.init(
                learningRate: try reader.number("lr", default: 1e-3),
                momentum: try reader.number("momentum", default: 0),
                dampening: try reader.number("dampening", default: 0),
                weightDecay: try reader.number("weight_decay", default: 0), nesterov: try reader.flag("nesterov"),
                maximize: try reader.flag("maximize"))
        }
    }
}

/// Stochastic gradient descent with momentum (Polyak 1964) or Nesterov's (Sutskever, Martens, Dahl and Hinton 2013,
/// https://proceedings.mlr.press/v28/sutskever13.html).
///
/// As `torch.optim.sgd._single_tensor_sgd`: g ← g + λp; b ← g at first, then μb + (1 - τ)g with the dampening τ;
/// p ← p - ηb, with Nesterov p ← p - η(g + μb). The learning rate multiplies the buffer, not what goes into it, unlike Sutskever
/// et al.
struct SGDUpdate: UpdateRule {
    var settings: OptimizerRule.SGDSettings

    var learningRate: Double { settings.learningRate }
    var momentum: Double? {
        get { settings.momentum }
        set { settings.momentum = newValue ?? settings.momentum }
    }
    var stateNames: [String] { settings.momentum == 0 ? [] : ["momentum_buffer"] }

    func check() throws {
        try refuseNegative([
            ("lr", settings.learningRate), ("momentum", settings.momentum), ("weight_decay", settings.weightDecay),
        ])
        if settings.nesterov, settings.momentum <= 0 || settings.dampening != 0 {
            throw RuntimeError.invalidOptimizer("Nesterov momentum needs a momentum and no dampening")
        }
    }

    func update(_ parameter: ParameterUpdate) {
        let slope = Slope(maximizes: settings.maximize, decay: Float(settings.weightDecay))
        let (state, momentum) = (parameter.state, Float(settings.momentum))
        // The buffer's first content is the gradient itself, without dampening.
        let isFirst = !state.has("momentum_buffer")
        let kernel = SGDKernel(
            slope: slope, rate: Float(parameter.rate), momentum: momentum, memory: isFirst ? 0 : momentum,
            intake: isFirst ? 1 : Float(1 - settings.dampening), isNesterov: settings.nesterov)
        parameter.run(kernel, momentum == 0 ? nil : state.row("momentum_buffer", count: parameter.count))
    }
}

private struct SGDKernel: UpdateKernel {
    let slope: Slope
    let rate: Float
    let momentum: Float
    let memory: Float
    let intake: Float
    let isNesterov: Bool

    @inline(__always)
    func move(_ p: Vector, _ g: Vector, _ state: inout StateVectors) -> Vector {
        let slope = slope(g, p)
        if momentum == 0 { return p - rate * slope }
        state.first = state.first * memory + intake * slope
        return p - rate * (isNesterov ? slope + momentum * state.first : state.first)
    }
}
