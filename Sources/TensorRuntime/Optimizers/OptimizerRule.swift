/// The update rule of an optimizer with its settings; names and defaults are PyTorch's.
///
/// Each rule's file in `Rules/` has the formula and its source.
public enum OptimizerRule: Sendable, Equatable {
    /// Kingma and Ba 2015; `amsgrad`: Reddi, Kale and Kumar 2018. Weight decay is added to the gradient.
    case adam(AdamSettings = AdamSettings())
    /// Loshchilov and Hutter 2019: weight decay apart from the gradient.
    case adamW(AdamSettings = AdamSettings(weightDecay: 0.01))
    /// With momentum: Polyak 1964, Sutskever et al. 2013.
    case sgd(SGDSettings = SGDSettings())
    /// Hinton's lecture 6e; `centered`: Graves 2013.
    case rmsProp(RMSPropSettings = RMSPropSettings())
    /// Duchi, Hazan and Singer 2011.
    case adagrad(AdagradSettings = AdagradSettings())
    /// Dozat 2016.
    case nAdam(NAdamSettings = NAdamSettings())
    /// Liu et al. 2020.
    case rAdam(RAdamSettings = RAdamSettings())
    /// Kingma and Ba 2015, §7.1.
    case adamax(AdamaxSettings = AdamaxSettings())
    /// Zeiler 2012.
    case adadelta(AdadeltaSettings = AdadeltaSettings())

    /// PyTorch's class names of the rules.
    public static let names = [
        "Adam", "AdamW", "SGD", "RMSprop", "Adagrad", "NAdam", "RAdam", "Adamax", "Adadelta",
    ]

    /// A rule by PyTorch's class name (one of `names`) and the keyword arguments of a parameter group.
    ///
    /// Throws `RuntimeError.invalidOptimizer` for another class, an argument of the wrong type, or one that changes the rule in a
    /// way that is not implemented. `foreach`, `fused`, `capturable` and `differentiable` change nothing and are ignored.
    public init(name: String, settings: [String: AttributeValue]) throws {
        let reader = SettingsReader(name: name, settings: settings)
        switch name {
        case "Adam":
            let adam = try AdamSettings(reader, weightDecay: 0)
            self = try reader.flag("decoupled_weight_decay") ? .adamW(adam) : .adam(adam)
        case "AdamW": self = .adamW(try AdamSettings(reader, weightDecay: 0.01))
        case "SGD": self = .sgd(try SGDSettings(reader))
        case "RMSprop": self = .rmsProp(try RMSPropSettings(reader))
        case "Adagrad": self = .adagrad(try AdagradSettings(reader))
        case "NAdam": self = .nAdam(try NAdamSettings(reader))
        case "RAdam": self = .rAdam(try RAdamSettings(reader))
        case "Adamax": self = .adamax(try AdamaxSettings(reader))
        case "Adadelta": self = .adadelta(try AdadeltaSettings(reader))
        default: throw RuntimeError.invalidOptimizer("\(name) is none of \(Self.names.joined(separator: ", "))")
        }
    }

    /// The learning rate before any schedule.
    public var learningRate: Double { update.learningRate }

    /// The rule's arithmetic.
    var update: any UpdateRule {
        switch self {
        case .adam(let settings): AdamUpdate(settings: settings, isDecoupled: false)
        case .adamW(let settings): AdamUpdate(settings: settings, isDecoupled: true)
        case .sgd(let settings): SGDUpdate(settings: settings)
        case .rmsProp(let settings): RMSPropUpdate(settings: settings)
        case .adagrad(let settings): AdagradUpdate(settings: settings)
        case .nAdam(let settings): NAdamUpdate(settings: settings)
        case .rAdam(let settings): RAdamUpdate(settings: settings)
        case .adamax(let settings): AdamaxUpdate(settings: settings)
        case .adadelta(let settings): AdadeltaUpdate(settings: settings)
        }
    }
}
