extension OptimizerRule {
    /// Settings of RMSprop.
    public struct RMSPropSettings: Sendable, Equatable {
        /// The length of a step.
        public var learningRate: Double
        /// The decay of the running squares.
        public var alpha: Double
        /// Added to the denominator.
        public var epsilon: Double
        /// The share of a weight that each step takes off.
        public var weightDecay: Double
        /// The share of the last step that is kept.
        public var momentum: Double
        /// Divides by the standard deviation of the gradient, not by its root mean square.
        public var centered: Bool
        /// Adds ε to the mean square and not to its root, as Keras does.
        public var epsilonInRoot: Bool
        /// Climbs instead of descending.
        public var maximize: Bool

        /// The defaults are those of PyTorch.
        public init(
            learningRate: Double = 1e-2, alpha: Double = 0.99, epsilon: Double = 1e-8, weightDecay: Double = 0,
            momentum: Double = 0, centered: Bool = false, maximize: Bool = false,
            epsilonInRoot: Bool = false
        ) {
            self.learningRate = learningRate
            self.alpha = alpha
            self.epsilon = epsilon
            self.weightDecay = weightDecay
            self.momentum = momentum
            self.centered = centered
            self.epsilonInRoot = epsilonInRoot
            self.maximize = maximize
        }

        init(_ reader: SettingsReader) throws {
            try reader.allow([
                "lr", "alpha", "eps", "weight_decay", "momentum", "centered", "maximize", "epsilon_in_root",
            ])
            self.init(
                learningRate: try reader.number("lr", default: 1e-2), alpha: try reader.number("alpha", default: 0.99),
                epsilon: try reader.number("eps", default: 1e-8),
                weightDecay: try reader.number("weight_decay", default: 0),
                momentum: try reader.number("momentum", default: 0), centered: try reader.flag("centered"),
                maximize: try reader.flag("maximize"),
                epsilonInRoot: try reader.flag("epsilon_in_root"))
        }
    }
}

/// RMSprop (Hinton 2012, lecture 6e of "Neural networks for machine learning"); centered: Graves 2013,
/// https://arxiv.org/abs/1308.0850.
///
/// As `torch.optim.rmsprop._single_tensor_rmsprop`: g ← g + λp; v ← αv + (1 - α)g²; centered: a ← a + (1 - α)(g - a) and
/// d = √(v - a²), else d = √v; b ← μb + g/(d + ε); p ← p - ηb. The ε stands outside of the root.
struct RMSPropUpdate: UpdateRule {
    var settings: OptimizerRule.RMSPropSettings

    var learningRate: Double { settings.learningRate }
    var momentum: Double? {
        get { settings.momentum }
        set { settings.momentum = newValue ?? settings.momentum }
    }
    var stateNames: [String] {
        ["square_avg"] + (settings.momentum > 0 ? ["momentum_buffer"] : []) + (settings.centered ? ["grad_avg"] : [])
    }

    func check() throws {
        try refuseNegative([
            ("lr", settings.learningRate), ("alpha", settings.alpha), ("eps", settings.epsilon),
            ("weight_decay", settings.weightDecay), ("momentum", settings.momentum),
        ])
    }

    func update(_ parameter: ParameterUpdate) {
        let kernel = RMSPropKernel(
            slope: Slope(maximizes: settings.maximize, decay: Float(settings.weightDecay)),
            rate: Float(parameter.rate), memory: Float(settings.alpha), intake: Float(1 - settings.alpha),
            epsilon: Float(settings.epsilon), momentum: Float(settings.momentum), isCentered: settings.centered,
            isEpsilonInRoot: settings.epsilonInRoot)
        let (state, count) = (parameter.state, parameter.count)
        parameter.run(
            kernel, state.row("square_avg", count: count),
            settings.momentum > 0 ? state.row("momentum_buffer", count: count) : nil,
            settings.centered ? state.row("grad_avg", count: count) : nil)
    }
}

private struct RMSPropKernel: UpdateKernel {
    let slope: Slope
    let rate: Float
    let memory: Float
    let intake: Float
    let epsilon: Float
    let momentum: Float
    let isCentered: Bool
    let isEpsilonInRoot: Bool

    @inline(__always)
    func move(_ p: Vector, _ g: Vector, _ state: inout StateVectors) -> Vector {
        let slope = slope(g, p)
        state.first = state.first * memory + intake * slope * slope
        var spread = state.first
        if isCentered {
            state.third = interpolated(state.third, slope, intake)
            spread -= state.third * state.third
        }
        let direction = slope / (isEpsilonInRoot ? (spread + epsilon).squareRoot() : spread.squareRoot() + epsilon)
        if momentum == 0 { return p - rate * direction }
        state.second = state.second * momentum + direction
        return p - rate * state.second
    }
}
