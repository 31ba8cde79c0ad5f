/// Moves parameters along their gradients, by groups with settings of their own, exactly as PyTorch's optimizers do.
///
/// ```swift
/// let optimizer = try Optimizer(.adamW(.init(learningRate: 3e-4)), parameters: session.parameters)
/// _ = try session.step(batch)
/// try optimizer.step(session.parameters)
/// ```
///
/// A parameter without a gradient is left alone. Arithmetic is in float32 with bias corrections in double, as in PyTorch. A step
/// costs one pass over parameters, gradients and state; state is allocated in a parameter's first step, and nothing after it.
/// Not for use from two threads at once.
public final class Optimizer {
    /// Parameters that share settings.
    public struct Group: Sendable, Equatable {
        /// The rule and its settings.
        public var rule: OptimizerRule
        /// The names of the parameters.
        public var parameters: [String]

        /// Names and the rule that they share.
        public init(rule: OptimizerRule, parameters: [String]) {
            self.rule = rule
            self.parameters = parameters
        }
    }

    /// The groups, each with its rule.
    public let groups: [Group]
    /// The learning rate of each group now; schedulers change it.
    public internal(set) var learningRates: [Double]
    /// The rates that schedules start from: those before the first scheduler, or what `OneCycleLR` put there.
    var initialRates: [Double]?
    /// The rules of the groups, with the momentum that a schedule may have changed.
    private(set) var rules: [any UpdateRule]
    private(set) var states: [String: ParameterState] = [:]
    /// Its own threads, when a number was asked for or the parameters belong to no session.
    private let pool: ThreadPool?

    /// One group of all parameters. Throws `RuntimeError.invalidOptimizer` for settings that PyTorch refuses too.
    public convenience init(_ rule: OptimizerRule, parameters: ParameterStore, threads: Int? = nil) throws {
        try self.init(
            groups: [Group(rule: rule, parameters: parameters.parameterNames)], parameters: parameters, threads: threads
        )
    }

    /// Throws `RuntimeError.invalidOptimizer` when a parameter is unknown or in two groups.
    public init(groups: [Group], parameters: ParameterStore, threads: Int? = nil) throws {
        var seen: Set<String> = []
        rules = groups.map(\.rule.update)
        for (group, rule) in zip(groups, rules) {
            try rule.check()
            for name in group.parameters {
                guard parameters.parameters[name] != nil else {
                    throw RuntimeError.invalidOptimizer("there is no parameter \(name)")
                }
                guard seen.insert(name).inserted else {
                    throw RuntimeError.invalidOptimizer("the parameter \(name) is in two groups")
                }
            }
        }
        self.groups = groups
        learningRates = groups.map(\.rule.learningRate)
        pool =
            threads == nil && parameters.pool != nil
            ? nil : ThreadPool(threads: threads ?? RuntimeOptions.defaultThreads)
    }

    /// Updates every parameter that has a gradient.
    public func step(_ store: ParameterStore) throws {
        let pool = pool ?? store.pool ?? ThreadPool(threads: 1)
        for (index, group) in groups.enumerated() {
            for name in group.parameters {
                guard let slot = store.parameters[name], slot.hasGradient, let gradient = slot.gradient else {
                    continue
                }
                let state = state(of: name)
                state.step += 1
                rules[index].update(
                    ParameterUpdate(
                        value: slot.value, gradient: gradient, count: slot.count, rate: learningRates[index],
                        state: state, pool: pool))
            }
        }
        store.parametersChanged()
    }

    private func state(of name: String) -> ParameterState {
        if let state = states[name] { return state }
        let state = ParameterState()
        states[name] = state
        return state
    }

    /// The momentum (or β₁) of each group now; nil where the rule has none.
    public var momenta: [Double?] { rules.map(\.momentum) }

    func setMomentum(_ momentum: Double, group: Int) {
        rules[group].momentum = momentum
    }
}

extension Optimizer {
    /// Everything a resumed run needs, for a safetensors file: `<parameter>.<state>` by PyTorch's names, and `metadata()`.
    public func stateTensors(_ store: ParameterStore) throws -> [String: Tensor] {
        var tensors: [String: Tensor] = [:]
        for (group, rule) in zip(groups, rules) {
            for name in group.parameters {
                guard let state = states[name], let slot = store.parameters[name] else { continue }
                for (key, values) in state.contents {
                    let shape = rule.scalarNames.contains(key) ? [] : slot.shape
                    tensors["\(name).\(key)"] = Tensor(unchecked: shape, values)
                }
            }
        }
        return tensors
    }

    /// Step counts, learning rates and momenta as strings; numbers keep all their bits.
    public func metadata() -> [String: String] {
        var metadata = Dictionary(
            uniqueKeysWithValues: states.map { ("optimizer.step.\($0.key)", String($0.value.step)) })
        for (index, group) in groups.enumerated() { metadata["optimizer.group.\(index)"] = describe(index, group) }
        for (index, rate) in learningRates.enumerated() {
            metadata["optimizer.lr.\(index)"] = String(rate.bitPattern, radix: 16)
            if let momentum = rules[index].momentum {
                metadata["optimizer.momentum.\(index)"] = String(momentum.bitPattern, radix: 16)
            }
        }
        return metadata
    }

    /// Restores what `stateTensors` and `metadata` gave.
    ///
    /// Throws `RuntimeError.invalidCheckpoint` when they do not fit, and changes nothing then.
    public func restore(_ tensors: [String: Tensor], metadata: [String: String], _ store: ParameterStore) throws {
        apply(try restored(tensors, metadata: metadata, store))
    }

    /// A state that was read and fits, not yet taken over.
    struct Restored {
        var states: [String: ParameterState] = [:]
        var rates: [Double] = []
        var rules: [any UpdateRule]
    }

    func restored(
        _ tensors: [String: Tensor], metadata: [String: String], _ store: ParameterStore
    ) throws -> Restored {
        var restored = Restored(rules: rules)
        guard metadata["optimizer.group.\(groups.count)"] == nil else {
            throw RuntimeError.invalidCheckpoint(
                "it has more than the optimizer's \(groups.count) groups of parameters")
        }
        for (index, group) in groups.enumerated() {
            let (saved, own) = (metadata["optimizer.group.\(index)"] ?? "no group", describe(index, group))
            guard saved == own else {
                throw RuntimeError.invalidCheckpoint("group \(index) is \(saved) where the optimizer has \(own)")
            }
            restored.rates.append(try Optimizer.number(metadata, "optimizer.lr.\(index)"))
            if rules[index].momentum != nil {
                restored.rules[index].momentum = try Optimizer.number(metadata, "optimizer.momentum.\(index)")
            }
            for name in group.parameters {
                guard let text = metadata["optimizer.step.\(name)"] else { continue }
                guard let count = Int(text), count > 0, let slot = store.parameters[name] else {
                    throw RuntimeError.invalidCheckpoint("the step count of \(name) is \(text)")
                }
                let state = ParameterState()
                state.step = count
                let rule = restored.rules[index]
                for (key, count) in rule.stateNames.map({ ($0, slot.count) }) + rule.scalarNames.map({ ($0, 1) }) {
                    guard let tensor = tensors["\(name).\(key)"], tensor.count == count else {
                        throw RuntimeError.invalidCheckpoint("\(key) of \(name) is missing or has another size")
                    }
                    state.set(key, tensor.values)
                }
                restored.states[name] = state
            }
        }
        return restored
    }

    /// The rule of a group, what it keeps for a parameter, and how many parameters it has.
    private func describe(_ index: Int, _ group: Group) -> String {
        let rule = rules[index]
        let states = (rule.stateNames + rule.scalarNames).joined(separator: ", ")
        return "\(type(of: rule)) of \(group.parameters.count) parameters (\(states.isEmpty ? "no state" : states))"
    }

    func apply(_ restored: Restored) {
        (states, learningRates, rules) = (restored.states, restored.rates, restored.rules)
    }

    static func number(_ metadata: [String: String], _ key: String) throws -> Double {
        guard let text = metadata[key], let bits = UInt64(text, radix: 16) else {
            throw RuntimeError.invalidCheckpoint("\(key) is missing")
        }
        return Double(bitPattern: bits)
    }
}
