import Foundation

extension OptimizerRule {
    /// Settings of NAdam.
    public struct NAdamSettings: Sendable, Equatable {
        /// The length of a step.
        public var learningRate: Double
        /// The decays of the first and the second moment.
        public var betas: (Double, Double)
        /// Added to the denominator.
        public var epsilon: Double
        /// The share of a weight that each step takes off.
        public var weightDecay: Double
        /// How fast the momentum changes with the steps.
        public var momentumDecay: Double
        /// Weight decay apart from the gradient, as in AdamW.
        public var isDecoupled: Bool
        /// Climbs instead of descending.
        public var maximize: Bool

        /// The defaults are those of PyTorch.
        public init(
            learningRate: Double = 2e-3, betas: (Double, Double) = (0.9, 0.999), epsilon: Double = 1e-8,
            weightDecay: Double = 0, momentumDecay: Double = 4e-3, isDecoupled: Bool = false, maximize: Bool = false
        ) {
            self.learningRate = learningRate
            self.betas = betas
            self.epsilon = epsilon
            self.weightDecay = weightDecay
            self.momentumDecay = momentumDecay
            self.isDecoupled = isDecoupled
            self.maximize = maximize
        }

        public static func == (a: Self, b: Self) -> Bool {
            a.learningRate == b.learningRate && a.betas == b.betas && a.epsilon == b.epsilon
                && a.weightDecay == b.weightDecay && a.momentumDecay == b.momentumDecay
                && a.isDecoupled == b.isDecoupled && a.maximize == b.maximize
        }

        init(_ reader: SettingsReader) throws {
            try reader.allow([
                "lr", "betas", "eps", "weight_decay", "momentum_decay", "decoupled_weight_decay", "maximize",
            ])
            self.init(
                learningRate: try reader.number("lr", default: 2e-3), betas: try reader.betas(),
                epsilon: try reader.number("eps", default: 1e-8),
                weightDecay: try reader.number("weight_decay", default: 0),
                momentumDecay: try reader.number("momentum_decay", default: 4e-3),
                isDecoupled: try reader.flag("decoupled_weight_decay"), maximize: try reader.flag("maximize"))
        }
    }
}

/// Adam with Nesterov's momentum (Dozat 2016, https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ).
///
/// As `torch.optim.nadam._single_tensor_nadam`: μₜ = β₁(1 - ½·0.96^(tψ)) with the momentum decay ψ, Π the product of all μ so
/// far (kept in float32); g ← g + λp, or decoupled p ← p (1 - ηλ); m, v as in Adam; d = √(v/(1 - β₂ᵗ)) + ε;
/// p ← p - η(1 - μₜ)/(1 - Π) · g/d - η μₜ₊₁/(1 - Π μₜ₊₁) · m/d.
struct NAdamUpdate: UpdateRule {
    var settings: OptimizerRule.NAdamSettings

    var learningRate: Double { settings.learningRate }
    var momentum: Double? {
        get { settings.betas.0 }
        set { settings.betas.0 = newValue ?? settings.betas.0 }
    }
    var stateNames: [String] { ["exp_avg", "exp_avg_sq"] }
    var scalarNames: [String] { ["mu_product"] }

    func check() throws {
        try refuseNegative([
            ("lr", settings.learningRate), ("eps", settings.epsilon), ("weight_decay", settings.weightDecay),
            ("momentum_decay", settings.momentumDecay),
        ])
        try refuseBetas(settings.betas)
    }

    func update(_ parameter: ParameterUpdate) {
        let (state, count, rate) = (parameter.state, parameter.count, parameter.rate)
        let product = state.row("mu_product", count: 1, initial: 1)
        let (now, next) = (coefficient(state.step), coefficient(state.step + 1))
        product.pointee *= Float(now)
        let kernel = NAdamKernel(
            slope: Slope(
                maximizes: settings.maximize, decay: settings.isDecoupled ? 0 : Float(settings.weightDecay)),
            shrink: settings.isDecoupled ? Float(1 - rate * settings.weightDecay) : 1,
            intake: Float(1 - settings.betas.0), memory: Float(settings.betas.1),
            squareIntake: Float(1 - settings.betas.1),
            correction: Float(1 - pow(settings.betas.1, Double(state.step))), epsilon: Float(settings.epsilon),
            gradientStep: Float(rate * (1 - now) / (1 - Double(product.pointee))),
            momentStep: Float(rate * next / (1 - Double(product.pointee) * next)))
        parameter.run(kernel, state.row("exp_avg", count: count), state.row("exp_avg_sq", count: count))
    }

    private func coefficient(_ step: Int) -> Double {
        settings.betas.0 * (1 - 0.5 * pow(0.96, Double(step) * settings.momentumDecay))
    }
}

private struct NAdamKernel: UpdateKernel {
    let slope: Slope
    let shrink: Float
    let intake: Float
    let memory: Float
    let squareIntake: Float
    let correction: Float
    let epsilon: Float
    let gradientStep: Float
    let momentStep: Float

    @inline(__always)
    func move(_ p: Vector, _ g: Vector, _ state: inout StateVectors) -> Vector {
        let slope = slope(g, p)
        state.first = interpolated(state.first, slope, intake)
        state.second = state.second * memory + squareIntake * slope * slope
        let root = (state.second / correction).squareRoot() + epsilon
        return p * shrink - gradientStep * slope / root - momentStep * state.first / root
    }
}
