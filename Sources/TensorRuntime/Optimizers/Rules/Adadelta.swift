extension OptimizerRule {
    /// Settings of Adadelta.
    public struct AdadeltaSettings: Sendable, Equatable {
        /// The length of a step.
        public var learningRate: Double
        /// The decay of the running squares.
        public var rho: Double
        /// Added to the denominator.
        public var epsilon: Double
        /// The share of a weight that each step takes off.
        public var weightDecay: Double
        /// Climbs instead of descending.
        public var maximize: Bool

        /// The defaults are those of PyTorch.
        public init(
            learningRate: Double = 1, rho: Double = 0.9, epsilon: Double = 1e-6, weightDecay: Double = 0,
            maximize: Bool = false
        ) {
            self.learningRate = learningRate
            self.rho = rho
            self.epsilon = epsilon
            self.weightDecay = weightDecay
            self.maximize = maximize
        }

        init(_ reader: SettingsReader) throws {
            try reader.allow(["lr", "rho", "eps", "weight_decay", "maximize"])
            self.init(
                learningRate: try reader.number("lr", default: 1), rho: try reader.number("rho", default: 0.9),
                epsilon: try reader.number("eps", default: 1e-6),
                weightDecay: try reader.number("weight_decay", default: 0), maximize: try reader.flag("maximize"))
        }
    }
}

/// Adadelta (Zeiler 2012, https://arxiv.org/abs/1212.5701).
///
/// As `torch.optim.adadelta._single_tensor_adadelta`: g ← g + λp; v ← ρv + (1 - ρ)g²; δ = √(u + ε)/√(v + ε) · g;
/// u ← ρu + (1 - ρ)δ²; p ← p - ηδ. The paper's learning rate is 1.
struct AdadeltaUpdate: UpdateRule {
    var settings: OptimizerRule.AdadeltaSettings

    var learningRate: Double { settings.learningRate }
    var momentum: Double? {
        get { nil }
        set {}
    }
    var stateNames: [String] { ["square_avg", "acc_delta"] }

    func check() throws {
        try refuseNegative([
            ("lr", settings.learningRate), ("eps", settings.epsilon), ("weight_decay", settings.weightDecay),
        ])
        guard (0...1).contains(settings.rho) else {
            throw RuntimeError.invalidOptimizer("a rho of \(settings.rho) lies outside 0 ... 1")
        }
    }

    func update(_ parameter: ParameterUpdate) {
        let kernel = AdadeltaKernel(
            slope: Slope(maximizes: settings.maximize, decay: Float(settings.weightDecay)),
            rate: Float(parameter.rate), memory: Float(settings.rho), intake: Float(1 - settings.rho),
            epsilon: Float(settings.epsilon))
        let (state, count) = (parameter.state, parameter.count)
        parameter.run(kernel, state.row("square_avg", count: count), state.row("acc_delta", count: count))
    }
}

private struct AdadeltaKernel: UpdateKernel {
    let slope: Slope
    let rate: Float
    let memory: Float
    let intake: Float
    let epsilon: Float

    @inline(__always)
    func move(_ p: Vector, _ g: Vector, _ state: inout StateVectors) -> Vector {
        let slope = slope(g, p)
        state.first = state.first * memory + intake * slope * slope
        let step = (state.second + epsilon).squareRoot() / (state.first + epsilon).squareRoot() * slope
        state.second = state.second * memory + intake * step * step
        return p - rate * step
    }
}
