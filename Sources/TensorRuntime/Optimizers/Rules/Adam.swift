import Foundation

extension OptimizerRule {
    /// Settings of Adam and AdamW.
    public struct AdamSettings: Sendable, Equatable {
        /// The length of a step.
        public var learningRate: Double
        /// The decays of the first and the second moment.
        public var betas: (Double, Double)
        /// Added to the denominator.
        public var epsilon: Double
        /// The share of a weight that each step takes off.
        public var weightDecay: Double
        /// Divides by the largest second moment so far.
        public var amsgrad: Bool
        /// Adds ε to the root of the second moment before its bias is corrected, as Keras does: Kingma and Ba's ε̂ (§2, last paragraph).
        public var epsilonHat: Bool
        /// Climbs instead of descending.
        public var maximize: Bool

        /// The defaults are those of PyTorch.
        public init(
            learningRate: Double = 1e-3, betas: (Double, Double) = (0.9, 0.999), epsilon: Double = 1e-8,
            weightDecay: Double = 0, amsgrad: Bool = false, maximize: Bool = false, epsilonHat: Bool = false
        ) {
            self.epsilonHat = epsilonHat
            self.learningRate = learningRate
            self.betas = betas
            self.epsilon = epsilon
            self.weightDecay = weightDecay
            self.amsgrad = amsgrad
            self.maximize = maximize
        }

        public static func == (a: Self, b: Self) -> Bool {
            a.learningRate == b.learningRate && a.betas == b.betas && a.epsilon == b.epsilon
                && a.weightDecay == b.weightDecay && a.amsgrad == b.amsgrad && a.maximize == b.maximize
                && a.epsilonHat == b.epsilonHat
        }

        init(_ reader: SettingsReader, weightDecay: Double) throws {
            try reader.allow([
                "lr", "betas", "eps", "weight_decay", "amsgrad", "maximize", "decoupled_weight_decay", "epsilon_hat",
            ])
            self.init(
                learningRate: try reader.number("lr", default: 1e-3), betas: try reader.betas(),
                epsilon: try reader.number("eps", default: 1e-8),
                weightDecay: try reader.number("weight_decay", default: weightDecay),
                amsgrad: try reader.flag("amsgrad"), maximize: try reader.flag("maximize"),
                epsilonHat: try reader.flag("epsilon_hat"))
        }
    }
}

/// Adam (Kingma and Ba 2015, https://arxiv.org/abs/1412.6980), AdamW (Loshchilov and Hutter 2019,
/// https://arxiv.org/abs/1711.05101) and their AMSGrad forms (Reddi, Kale and Kumar 2018, https://arxiv.org/abs/1904.09237).
///
/// As `torch.optim.adam._single_tensor_adam`: with g the gradient, λ the weight decay and t the step,
/// Adam: g ← g + λp, AdamW: p ← p (1 - ηλ); m ← m + (1 - β₁)(g - m); v ← β₂v + (1 - β₂)g²; v̂ = v, or max(v̂, v) with AMSGrad;
/// p ← p - η/(1 - β₁ᵗ) · m / (√v̂ / √(1 - β₂ᵗ) + ε). Unlike Reddi et al., the maximum is taken before the bias correction.
/// With ε̂, as `keras.optimizers.Adam`: p ← p - η √(1 - β₂ᵗ)/(1 - β₁ᵗ) · m / (√v̂ + ε̂), which is the above for ε = ε̂ / √(1 - β₂ᵗ).
struct AdamUpdate: UpdateRule {
    var settings: OptimizerRule.AdamSettings
    var isDecoupled: Bool

    var learningRate: Double { settings.learningRate }
    var momentum: Double? {
        get { settings.betas.0 }
        set { settings.betas.0 = newValue ?? settings.betas.0 }
    }
    var stateNames: [String] { ["exp_avg", "exp_avg_sq"] + (settings.amsgrad ? ["max_exp_avg_sq"] : []) }

    func check() throws {
        try refuseNegative([
            ("lr", settings.learningRate), ("eps", settings.epsilon), ("weight_decay", settings.weightDecay),
        ])
        try refuseBetas(settings.betas)
    }

    func update(_ parameter: ParameterUpdate) {
        let (state, count) = (parameter.state, parameter.count)
        parameter.run(
            AdamKernel(settings, rate: parameter.rate, step: state.step, isDecoupled: isDecoupled),
            state.row("exp_avg", count: count), state.row("exp_avg_sq", count: count),
            settings.amsgrad ? state.row("max_exp_avg_sq", count: count) : nil)
    }
}

private struct AdamKernel: UpdateKernel {
    let slope: Slope
    let shrink: Float
    let intake: Float
    let memory: Float
    let squareIntake: Float
    let step: Float
    let root: Float
    let epsilon: Float
    let keepsPeak: Bool

    init(_ settings: OptimizerRule.AdamSettings, rate: Double, step: Int, isDecoupled: Bool) {
        slope = Slope(maximizes: settings.maximize, decay: isDecoupled ? 0 : Float(settings.weightDecay))
        shrink = isDecoupled ? Float(1 - rate * settings.weightDecay) : 1
        intake = Float(1 - settings.betas.0)
        memory = Float(settings.betas.1)
        squareIntake = Float(1 - settings.betas.1)
        self.step = Float(rate / (1 - pow(settings.betas.0, Double(step))))
        root = Float((1 - pow(settings.betas.1, Double(step))).squareRoot())
        epsilon = settings.epsilonHat ? Float(settings.epsilon) / root : Float(settings.epsilon)
        keepsPeak = settings.amsgrad
    }

    @inline(__always)
    func move(_ p: Vector, _ g: Vector, _ state: inout StateVectors) -> Vector {
        let slope = slope(g, p)
        state.first = interpolated(state.first, slope, intake)
        state.second = state.second * memory + squareIntake * slope * slope
        var square = state.second
        if keepsPeak {
            state.third.replace(with: square, where: square .> state.third)
            square = state.third
        }
        return p * shrink - step * (state.first / (square.squareRoot() / root + epsilon))
    }
}
