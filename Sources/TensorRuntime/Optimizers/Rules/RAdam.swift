import Foundation

extension OptimizerRule {
    /// Settings of RAdam.
    public struct RAdamSettings: Sendable, Equatable {
        /// The length of a step.
        public var learningRate: Double
        /// The decays of the first and the second moment.
        public var betas: (Double, Double)
        /// Added to the denominator.
        public var epsilon: Double
        /// The share of a weight that each step takes off.
        public var weightDecay: Double
        /// Weight decay apart from the gradient, as in AdamW.
        public var isDecoupled: Bool
        /// Climbs instead of descending.
        public var maximize: Bool

        /// The defaults are those of PyTorch.
        public init(
            learningRate: Double = 1e-3, betas: (Double, Double) = (0.9, 0.999), epsilon: Double = 1e-8,
            weightDecay: Double = 0, isDecoupled: Bool = false, maximize: Bool = false
        ) {
            self.learningRate = learningRate
            self.betas = betas
            self.epsilon = epsilon
            self.weightDecay = weightDecay
            self.isDecoupled = isDecoupled
            self.maximize = maximize
        }

        public static func == (a: Self, b: Self) -> Bool {
            a.learningRate == b.learningRate && a.betas == b.betas && a.epsilon == b.epsilon
                && a.weightDecay == b.weightDecay && a.isDecoupled == b.isDecoupled && a.maximize == b.maximize
        }

        init(_ reader: SettingsReader) throws {
            try reader.allow(["lr", "betas", "eps", "weight_decay", "decoupled_weight_decay", "maximize"])
            self.init(
                learningRate: try reader.number("lr", default: 1e-3), betas: try reader.betas(),
                epsilon: try reader.number("eps", default: 1e-8),
                weightDecay: try reader.number("weight_decay", default: 0),
                isDecoupled: try reader.flag("decoupled_weight_decay"), maximize: try reader.flag("maximize"))
        }
    }
}

/// Rectified Adam (Liu et al. 2020, https://arxiv.org/abs/1908.03265).
///
/// As `torch.optim.radam._single_tensor_radam`: g ← g + λp, or decoupled p ← p (1 - ηλ); m, v as in Adam; m̂ = m/(1 - β₁ᵗ);
/// ρ∞ = 2/(1 - β₂) - 1, ρₜ = ρ∞ - 2tβ₂ᵗ/(1 - β₂ᵗ). For ρₜ > 5, p ← p - η m̂ r √(1 - β₂ᵗ)/(√v + ε) with
/// r = √((ρₜ - 4)(ρₜ - 2)ρ∞ / ((ρ∞ - 4)(ρ∞ - 2)ρₜ)), else p ← p - η m̂. The paper's bound is 4.
struct RAdamUpdate: UpdateRule {
    var settings: OptimizerRule.RAdamSettings

    var learningRate: Double { settings.learningRate }
    var momentum: Double? {
        get { settings.betas.0 }
        set { settings.betas.0 = newValue ?? settings.betas.0 }
    }
    var stateNames: [String] { ["exp_avg", "exp_avg_sq"] }

    func check() throws {
        try refuseNegative([
            ("lr", settings.learningRate), ("eps", settings.epsilon), ("weight_decay", settings.weightDecay),
        ])
        try refuseBetas(settings.betas)
    }

    func update(_ parameter: ParameterUpdate) {
        let (state, count, rate) = (parameter.state, parameter.count, parameter.rate)
        let (step, beta2) = (Double(state.step), settings.betas.1)
        let power = pow(beta2, step)
        let limit = 2 / (1 - beta2) - 1
        let length = limit - 2 * step * power / (1 - power)
        let rectification = ((length - 4) * (length - 2) * limit / ((limit - 4) * (limit - 2) * length)).squareRoot()
        let kernel = RAdamKernel(
            slope: Slope(
                maximizes: settings.maximize, decay: settings.isDecoupled ? 0 : Float(settings.weightDecay)),
            shrink: settings.isDecoupled ? Float(1 - rate * settings.weightDecay) : 1,
            intake: Float(1 - settings.betas.0), memory: Float(beta2), squareIntake: Float(1 - beta2),
            correction: Float(1 - pow(settings.betas.0, step)), epsilon: Float(settings.epsilon), rate: Float(rate),
            root: Float((1 - power).squareRoot()), rectification: length > 5 ? Float(rectification) : nil)
        parameter.run(kernel, state.row("exp_avg", count: count), state.row("exp_avg_sq", count: count))
    }
}

private struct RAdamKernel: UpdateKernel {
    let slope: Slope
    let shrink: Float
    let intake: Float
    let memory: Float
    let squareIntake: Float
    let correction: Float
    let epsilon: Float
    let rate: Float
    let root: Float
    let rectification: Float?

    @inline(__always)
    func move(_ p: Vector, _ g: Vector, _ state: inout StateVectors) -> Vector {
        let slope = slope(g, p)
        state.first = interpolated(state.first, slope, intake)
        state.second = state.second * memory + squareIntake * slope * slope
        var step = state.first / correction * rate
        if let rectification { step = step * (root / (state.second.squareRoot() + epsilon)) * rectification }
        return p * shrink - step
    }
}
