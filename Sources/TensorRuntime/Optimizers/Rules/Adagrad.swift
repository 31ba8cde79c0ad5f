extension OptimizerRule {
    /// Settings of Adagrad.
    public struct AdagradSettings: Sendable, Equatable {
        /// The length of a step.
        public var learningRate: Double
        /// How fast the rate falls with the steps.
        public var learningRateDecay: Double
        /// The share of a weight that each step takes off.
        public var weightDecay: Double
        /// What the sums of squares start from.
        public var initialAccumulator: Double
        /// Added to the denominator.
        public var epsilon: Double
        /// Climbs instead of descending.
        public var maximize: Bool

        /// The defaults are those of PyTorch.
        public init(
            learningRate: Double = 1e-2, learningRateDecay: Double = 0, weightDecay: Double = 0,
            initialAccumulator: Double = 0, epsilon: Double = 1e-10, maximize: Bool = false
        ) {
            self.learningRate = learningRate
            self.learningRateDecay = learningRateDecay
            self.weightDecay = weightDecay
            self.initialAccumulator = initialAccumulator
            self.epsilon = epsilon
            self.maximize = maximize
        }

        init(_ reader: SettingsReader) throws {
            try reader.allow(["lr", "lr_decay", "weight_decay", "initial_accumulator_value", "eps", "maximize"])
            self.init(
                learningRate: try reader.number("lr", default: 1e-2),
                learningRateDecay: try reader.number("lr_decay", default: 0),
                weightDecay: try reader.number("weight_decay", default: 0),
                initialAccumulator: try reader.number("initial_accumulator_value", default: 0),
                epsilon: try reader.number("eps", default: 1e-10), maximize: try reader.flag("maximize"))
        }
    }
}

/// Adagrad, the diagonal form (Duchi, Hazan and Singer 2011, https://jmlr.org/papers/v12/duchi11a.html).
///
/// As `torch.optim.adagrad._single_tensor_adagrad`: g ← g + λp; s ← s + g², s₀ the initial accumulator;
/// p ← p - η/(1 + (t - 1)κ) · g / (√s + ε) with the decay κ of the learning rate.
struct AdagradUpdate: UpdateRule {
    var settings: OptimizerRule.AdagradSettings

    var learningRate: Double { settings.learningRate }
    var momentum: Double? {
        get { nil }
        set {}
    }
    var stateNames: [String] { ["sum"] }

    func check() throws {
        try refuseNegative([
            ("lr", settings.learningRate), ("lr_decay", settings.learningRateDecay), ("eps", settings.epsilon),
            ("weight_decay", settings.weightDecay), ("initial_accumulator_value", settings.initialAccumulator),
        ])
    }

    func update(_ parameter: ParameterUpdate) {
        let rate = parameter.rate / (1 + Double(parameter.state.step - 1) * settings.learningRateDecay)
        let kernel = AdagradKernel(
            slope: Slope(maximizes: settings.maximize, decay: Float(settings.weightDecay)), rate: Float(rate),
            epsilon: Float(settings.epsilon))
        parameter.run(
            kernel, parameter.state.row("sum", count: parameter.count, initial: Float(settings.initialAccumulator)))
    }
}

private struct AdagradKernel: UpdateKernel {
    let slope: Slope
    let rate: Float
    let epsilon: Float

    @inline(__always)
    func move(_ p: Vector, _ g: Vector, _ state: inout StateVectors) -> Vector {
        let slope = slope(g, p)
        state.first += slope * slope
        return p - rate * slope / (state.first.squareRoot() + epsilon)
    }
}
