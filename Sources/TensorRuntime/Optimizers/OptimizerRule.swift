/// The update rule of an optimizer with its settings; names and defaults are PyTorch's.
public enum OptimizerRule: Sendable, Equatable {
    /// Kingma and Ba 2015; `amsgrad`: Reddi, Kale and Kumar 2018. Weight decay is added to the gradient.
    case adam(AdamSettings = AdamSettings())
    /// Loshchilov and Hutter 2019: weight decay apart from the gradient.
    case adamW(AdamSettings = AdamSettings(weightDecay: 0.01))
    case sgd(SGDSettings = SGDSettings())
    /// Hinton's lecture 6e; `centered`: Graves 2013.
    case rmsProp(RMSPropSettings = RMSPropSettings())

    public struct AdamSettings: Sendable, Equatable {
        public var learningRate: Double
        public var betas: (Double, Double)
        public var epsilon: Double
        public var weightDecay: Double
        public var amsgrad: Bool

        public init(
            learningRate: Double = 1e-3, betas: (Double, Double) = (0.9, 0.999), epsilon: Double = 1e-8,
            weightDecay: Double = 0, amsgrad: Bool = false
        ) {
            self.learningRate = learningRate
            self.betas = betas
            self.epsilon = epsilon
            self.weightDecay = weightDecay
            self.amsgrad = amsgrad
        }

        public static func == (a: Self, b: Self) -> Bool {
            a.learningRate == b.learningRate && a.betas == b.betas && a.epsilon == b.epsilon
                && a.weightDecay == b.weightDecay && a.amsgrad == b.amsgrad
        }
    }

    public struct SGDSettings: Sendable, Equatable {
        public var learningRate: Double
        public var momentum: Double
        public var dampening: Double
        public var weightDecay: Double
        public var nesterov: Bool

        public init(
            learningRate: Double = 1e-3, momentum: Double = 0, dampening: Double = 0, weightDecay: Double = 0,
            nesterov: Bool = false
        ) {
            self.learningRate = learningRate
            self.momentum = momentum
            self.dampening = dampening
            self.weightDecay = weightDecay
            self.nesterov = nesterov
        }
    }

    public struct RMSPropSettings: Sendable, Equatable {
        public var learningRate: Double
        public var alpha: Double
        public var epsilon: Double
        public var weightDecay: Double
        public var momentum: Double
        public var centered: Bool

        public init(
            learningRate: Double = 1e-2, alpha: Double = 0.99, epsilon: Double = 1e-8, weightDecay: Double = 0,
            momentum: Double = 0, centered: Bool = false
        ) {
            self.learningRate = learningRate
            self.alpha = alpha
            self.epsilon = epsilon
            self.weightDecay = weightDecay
            self.momentum = momentum
            self.centered = centered
        }
    }

    /// A rule by PyTorch's class name (`Adam`, `AdamW`, `SGD`, `RMSprop`) and the keyword arguments of a parameter group.
    ///
    /// Throws `RuntimeError.invalidOptimizer` for another class, an argument of the wrong type, or one that changes the rule in a
    /// way that is not implemented. `foreach`, `fused`, `capturable` and `differentiable` change nothing and are ignored.
    public init(name: String, settings: [String: AttributeValue]) throws {
        let reader = SettingsReader(name: name, settings: settings)
        switch name {
        case "Adam", "AdamW":
            try reader.allow(["lr", "betas", "eps", "weight_decay", "amsgrad", "maximize", "decoupled_weight_decay"])
            let decay = name == "AdamW" ? 0.01 : 0
            let betas = try reader.numbers("betas", default: [0.9, 0.999])
            guard betas.count == 2 else { throw reader.failure("betas are two numbers") }
            let adam = AdamSettings(
                learningRate: try reader.number("lr", default: 1e-3), betas: (betas[0], betas[1]),
                epsilon: try reader.number("eps", default: 1e-8),
                weightDecay: try reader.number("weight_decay", default: decay), amsgrad: try reader.flag("amsgrad"))
            let isDecoupled = try reader.flag("decoupled_weight_decay")
            self = name == "AdamW" || isDecoupled ? .adamW(adam) : .adam(adam)
        case "SGD":
            try reader.allow(["lr", "momentum", "dampening", "weight_decay", "nesterov", "maximize"])
            self = .sgd(
                SGDSettings(
                    learningRate: try reader.number("lr", default: 1e-3),
                    momentum: try reader.number("momentum", default: 0),
                    dampening: try reader.number("dampening", default: 0),
                    weightDecay: try reader.number("weight_decay", default: 0), nesterov: try reader.flag("nesterov")))
        case "RMSprop":
            try reader.allow(["lr", "alpha", "eps", "weight_decay", "momentum", "centered", "maximize"])
            self = .rmsProp(
                RMSPropSettings(
                    learningRate: try reader.number("lr", default: 1e-2),
                    alpha: try reader.number("alpha", default: 0.99),
                    epsilon: try reader.number("eps", default: 1e-8),
                    weightDecay: try reader.number("weight_decay", default: 0),
                    momentum: try reader.number("momentum", default: 0), centered: try reader.flag("centered")))
        default:
            throw RuntimeError.invalidOptimizer("\(name) is none of Adam, AdamW, SGD, RMSprop")
        }
        if try reader.flag("maximize") { throw reader.failure("maximize is not supported") }
    }

    /// The learning rate before any schedule.
    public var learningRate: Double {
        switch self {
        case .adam(let settings), .adamW(let settings): return settings.learningRate
        case .sgd(let settings): return settings.learningRate
        case .rmsProp(let settings): return settings.learningRate
        }
    }

    /// The first moment's weight: what `OneCycleLR` calls momentum.
    var momentum: Double {
        get {
            switch self {
            case .adam(let settings), .adamW(let settings): return settings.betas.0
            case .sgd(let settings): return settings.momentum
            case .rmsProp(let settings): return settings.momentum
            }
        }
        set {
            switch self {
            case .adam(var settings):
                settings.betas.0 = newValue
                self = .adam(settings)
            case .adamW(var settings):
                settings.betas.0 = newValue
                self = .adamW(settings)
            case .sgd(var settings):
                settings.momentum = newValue
                self = .sgd(settings)
            case .rmsProp(var settings):
                settings.momentum = newValue
                self = .rmsProp(settings)
            }
        }
    }

    /// The tensors that the rule keeps for each parameter.
    var stateNames: [String] {
        switch self {
        case .adam(let settings), .adamW(let settings):
            return ["exp_avg", "exp_avg_sq"] + (settings.amsgrad ? ["max_exp_avg_sq"] : [])
        case .sgd: return ["momentum_buffer"]
        case .rmsProp(let settings):
            return ["square_avg"] + (settings.momentum > 0 ? ["momentum_buffer"] : [])
                + (settings.centered ? ["grad_avg"] : [])
        }
    }
}

/// Reads PyTorch's keyword arguments.
struct SettingsReader {
    let name: String
    let settings: [String: AttributeValue]

    private static let withoutEffect: Set = [
        "foreach", "fused", "capturable", "differentiable", "initial_lr", "verbose",
    ]

    func failure(_ reason: String) -> RuntimeError { .invalidOptimizer("\(name): \(reason)") }

    func allow(_ known: Set<String>) throws {
        for key in settings.keys.sorted() where !known.contains(key) && !Self.withoutEffect.contains(key) {
            // Groups that went through OneCycleLR or a captured optimizer carry their schedule along.
            guard ["max_lr", "min_lr", "max_momentum", "base_momentum", "parameters", "params"].contains(key) else {
                throw failure("the argument \(key) is not supported")
            }
        }
    }

    func number(_ key: String, default fallback: Double? = nil) throws -> Double {
        switch settings[key] {
        case .number(let number)?: return number
        case .bool(let flag)?: return flag ? 1 : 0
        case nil, .null?:
            if let fallback { return fallback }
            throw failure("the argument \(key) is missing")
        default: throw failure("the argument \(key) is no number")
        }
    }

    func integer(_ key: String, default fallback: Int? = nil) throws -> Int {
        guard let whole = Int(exactly: try number(key, default: fallback.map(Double.init))) else {
            throw failure("the argument \(key) is no integer")
        }
        return whole
    }

    func flag(_ key: String, default fallback: Bool = false) throws -> Bool {
        switch settings[key] {
        case .bool(let flag)?: return flag
        case .number(let number)?: return number != 0
        case nil, .null?: return fallback
        default: throw failure("the argument \(key) is no boolean")
        }
    }

    func string(_ key: String, default fallback: String) throws -> String {
        switch settings[key] {
        case .string(let string)?: return string
        case nil, .null?: return fallback
        default: throw failure("the argument \(key) is no string")
        }
    }

    /// A list of numbers; a single number stands for a list of one.
    func numbers(_ key: String, default fallback: [Double]? = nil) throws -> [Double] {
        guard case .list(let items)? = settings[key] else {
            if let fallback, settings[key] == nil { return fallback }
            return [try number(key)]
        }
        return try items.map {
            guard case .number(let number) = $0 else { throw failure("the argument \(key) is no list of numbers") }
            return number
        }
    }
}
