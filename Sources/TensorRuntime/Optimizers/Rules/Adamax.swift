import Foundation

extension OptimizerRule {
    /// Settings of Adamax.
    public struct AdamaxSettings: Sendable, Equatable {
        /// The length of a step.
        public var learningRate: Double
        /// The decays of the first and the second moment.
        public var betas: (Double, Double)
        /// Added to the denominator.
        public var epsilon: Double
        /// The share of a weight that each step takes off.
        public var weightDecay: Double
        /// Climbs instead of descending.
        public var maximize: Bool

        /// The defaults are those of PyTorch.
        public init(
            learningRate: Double = 2e-3, betas: (Double, Double) = (0.9, 0.999), epsilon: Double = 1e-8,
            weightDecay: Double = 0, maximize: Bool = false
        ) {
            self.learningRate = learningRate
            self.betas = betas
            self.epsilon = epsilon
            self.weightDecay = weightDecay
            self.maximize = maximize
        }

        public static func == (a: Self, b: Self) -> Bool {
            a.learningRate == b.learningRate && a.betas == b.betas && a.epsilon == b.epsilon
                && a.weightDecay == b.weightDecay && a.maximize == b.maximize
        }

        init(_ reader: SettingsReader) throws {
            try reader.allow(["lr", "betas", "eps", "weight_decay", "maximize"])
            self.init(
                learningRate: try reader.number("lr", default: 2e-3), betas: try reader.betas(),
                epsilon: try reader.number("eps", default: 1e-8),
                weightDecay: try reader.number("weight_decay", default: 0), maximize: try reader.flag("maximize"))
        }
    }
}

/// Adamax, Adam with the infinity norm (Kingma and Ba 2015, §7.1, https://arxiv.org/abs/1412.6980).
///
/// As `torch.optim.adamax._single_tensor_adamax`: g ← g + λp; m ← m + (1 - β₁)(g - m); u ← max(β₂u, |g| + ε);
/// p ← p - η/(1 - β₁ᵗ) · m/u. The paper has no ε.
struct AdamaxUpdate: UpdateRule {
    var settings: OptimizerRule.AdamaxSettings

    var learningRate: Double { settings.learningRate }
    var momentum: Double? {
        get { settings.betas.0 }
        set { settings.betas.0 = newValue ?? settings.betas.0 }
    }
    var stateNames: [String] { ["exp_avg", "exp_inf"] }

    func check() throws {
        try refuseNegative([
            ("lr", settings.learningRate), ("eps", settings.epsilon), ("weight_decay", settings.weightDecay),
        ])
        try refuseBetas(settings.betas)
    }

    func update(_ parameter: ParameterUpdate) {
        let (state, count) = (parameter.state, parameter.count)
        let kernel = AdamaxKernel(
            slope: Slope(maximizes: settings.maximize, decay: Float(settings.weightDecay)),
            intake: Float(1 - settings.betas.0), memory: Float(settings.betas.1), epsilon: Float(settings.epsilon),
            rate: Float(parameter.rate / (1 - pow(settings.betas.0, Double(state.step)))))
        parameter.run(kernel, state.row("exp_avg", count: count), state.row("exp_inf", count: count))
    }
}

private struct AdamaxKernel: UpdateKernel {
    let slope: Slope
    let intake: Float
    let memory: Float
    let epsilon: Float
    let rate: Float

    @inline(__always)
    func move(_ p: Vector, _ g: Vector, _ state: inout StateVectors) -> Vector {
        let slope = slope(g, p)
        state.first = interpolated(state.first, slope, intake)
        let size = slope.replacing(with: -slope, where: slope .< 0) + epsilon
        state.second *= memory
        state.second.replace(with: size, where: size .> state.second)
        return p - rate * state.first / state.second
    }
}
