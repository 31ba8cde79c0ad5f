/// Moves parameters along their gradients, by groups with settings of their own, exactly as PyTorch's optimizers do.
///
/// ```swift
/// let optimizer = try Optimizer(.adamW(.init(learningRate: 3e-4)), parameters: session.parameters)
/// _ = try session.step(batch)
/// try optimizer.step(session.parameters)
/// ```
///
/// A parameter without a gradient is left alone. Arithmetic is in float32 with bias corrections in double, as in PyTorch. A step
/// costs one pass over parameters, gradients and state. Not for use from two threads at once.
public final class Optimizer {
    /// Parameters that share settings.
    public struct Group: Sendable, Equatable {
        public var rule: OptimizerRule
        public var parameters: [String]

        public init(rule: OptimizerRule, parameters: [String]) {
            self.rule = rule
            self.parameters = parameters
        }
    }

    public private(set) var groups: [Group]
    /// The learning rate of each group now; schedulers change it.
    public internal(set) var learningRates: [Double]
    private var state: [String: [[Float]]] = [:]
    private var steps: [String: Int] = [:]
    private let pool: ThreadPool

    /// One group of all parameters. Throws `RuntimeError.invalidOptimizer` for settings that PyTorch refuses too.
    public convenience init(_ rule: OptimizerRule, parameters: ParameterStore, threads: Int? = nil) throws {
        try self.init(
            groups: [Group(rule: rule, parameters: parameters.parameterNames)], parameters: parameters, threads: threads
        )
    }

    /// Throws `RuntimeError.invalidOptimizer` when a parameter is unknown or in two groups.
    public init(groups: [Group], parameters: ParameterStore, threads: Int? = nil) throws {
        var seen: Set<String> = []
        for group in groups {
            try group.rule.check()
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
        pool = ThreadPool(threads: threads ?? RuntimeOptions.defaultThreads)
    }

    /// Updates every parameter that has a gradient.
    public func step(_ store: ParameterStore) throws {
        for (index, group) in groups.enumerated() {
            for name in group.parameters {
                guard let slot = store.parameters[name], slot.hasGradient, let gradient = slot.gradient else {
                    continue
                }
                let count = steps[name, default: 0] + 1
                steps[name] = count
                var arrays = state.removeValue(forKey: name) ?? []
                while arrays.count < group.rule.stateNames.count {
                    arrays.append([Float](repeating: 0, count: slot.count))
                }
                update(group.rule, learningRates[index], slot.value, gradient, &arrays, slot.count, count)
                state[name] = arrays
            }
        }
        store.parametersChanged()
    }

    private func update(
        _ rule: OptimizerRule, _ rate: Double, _ p: UnsafeMutablePointer<Float>, _ g: UnsafeMutablePointer<Float>,
        _ arrays: inout [[Float]], _ count: Int, _ step: Int
    ) {
        func withState(_ index: Int, _ body: (UnsafeMutablePointer<Float>) -> Void) {
            guard index < arrays.count else { return body(g) }
            arrays[index].withUnsafeMutableBufferPointer { if let base = $0.baseAddress { body(base) } }
        }
        var pointers: [UnsafeMutablePointer<Float>] = []
        func descend(_ index: Int) {
            if index == 3 { return apply(rule, rate, p, g, pointers, count, step) }
            withState(index) {
                pointers.append($0)
                descend(index + 1)
            }
        }
        descend(0)
    }

    private func apply(
        _ rule: OptimizerRule, _ rate: Double, _ p: UnsafeMutablePointer<Float>, _ g: UnsafeMutablePointer<Float>,
        _ state: [UnsafeMutablePointer<Float>], _ count: Int, _ step: Int
    ) {
        let (a, b, c) = (state[0], state[1], state[2])
        func ranges(_ body: (Range<Int>) -> Void) {
            count < 16_384 ? body(0..<count) : pool.parallelRanges(count, grain: 16, body)
        }
        switch rule {
        case .adam(let settings), .adamW(let settings):
            var decoupled = false
            if case .adamW = rule { decoupled = true }
            let kernel = AdamKernel(settings, rate: rate, step: step, decoupled: decoupled)
            ranges { kernel.run($0, p, g, a, b, settings.amsgrad ? c : nil) }
        case .sgd(let settings):
            let kernel = SGDKernel(settings, rate: rate, isFirst: step == 1)
            ranges { kernel.run($0, p, g, a) }
        case .rmsProp(let settings):
            let kernel = RMSPropKernel(settings, rate: rate)
            let average = settings.momentum > 0 ? c : b
            ranges { kernel.run($0, p, g, a, settings.momentum > 0 ? b : nil, settings.centered ? average : nil) }
        }
    }

    // Checkpoints

    /// Everything a resumed run needs, for a safetensors file: `<parameter>.<state>` and the numbers of `metadata()`.
    public func stateTensors(_ store: ParameterStore) throws -> [String: Tensor] {
        var tensors: [String: Tensor] = [:]
        for group in groups {
            for name in group.parameters {
                guard let arrays = state[name], let slot = store.parameters[name] else { continue }
                for (key, values) in zip(group.rule.stateNames, arrays) {
                    tensors["\(name).\(key)"] = Tensor(unchecked: slot.shape, values)
                }
            }
        }
        return tensors
    }

    /// Step counts and learning rates as strings; numbers keep all their bits.
    public func metadata() -> [String: String] {
        var metadata = Dictionary(uniqueKeysWithValues: steps.map { ("optimizer.step.\($0.key)", String($0.value)) })
        for (index, rate) in learningRates.enumerated() {
            metadata["optimizer.lr.\(index)"] = String(rate.bitPattern, radix: 16)
            metadata["optimizer.momentum.\(index)"] = String(groups[index].rule.momentum.bitPattern, radix: 16)
        }
        return metadata
    }

    /// Restores what `stateTensors` and `metadata` gave. Throws `RuntimeError.invalidCheckpoint` when they do not fit.
    public func restore(_ tensors: [String: Tensor], metadata: [String: String], _ store: ParameterStore) throws {
        var (state, steps, rates): ([String: [[Float]]], [String: Int], [Double]) = ([:], [:], [])
        var restored = groups
        for (index, group) in groups.enumerated() {
            rates.append(try Optimizer.number(metadata, "optimizer.lr.\(index)"))
            restored[index].rule.momentum = try Optimizer.number(metadata, "optimizer.momentum.\(index)")
            for name in group.parameters {
                guard let text = metadata["optimizer.step.\(name)"] else { continue }
                guard let count = Int(text), count > 0, let slot = store.parameters[name] else {
                    throw RuntimeError.invalidCheckpoint("the step count of \(name) is \(text)")
                }
                steps[name] = count
                state[name] = try group.rule.stateNames.map { key in
                    guard let tensor = tensors["\(name).\(key)"], tensor.count == slot.count else {
                        throw RuntimeError.invalidCheckpoint("\(key) of \(name) is missing or has another size")
                    }
                    return tensor.values
                }
            }
        }
        (self.state, self.steps, learningRates, groups) = (state, steps, rates, restored)
    }

    static func number(_ metadata: [String: String], _ key: String) throws -> Double {
        guard let text = metadata[key], let bits = UInt64(text, radix: 16) else {
            throw RuntimeError.invalidCheckpoint("\(key) is missing")
        }
        return Double(bitPattern: bits)
    }

    func setMomentum(_ momentum: Double, group: Int) {
        groups[group].rule.momentum = momentum
    }
}

extension OptimizerRule {
    /// Refuses what PyTorch refuses.
    func check() throws {
        let values: [Double]
        switch self {
        case .adam(let settings), .adamW(let settings):
            values = [settings.learningRate, settings.epsilon, settings.weightDecay]
            for beta in [settings.betas.0, settings.betas.1] where !(0..<1).contains(beta) {
                throw RuntimeError.invalidOptimizer("a beta of \(beta) lies outside 0 ..< 1")
            }
        case .sgd(let settings):
            values = [settings.learningRate, settings.momentum, settings.weightDecay]
            if settings.nesterov, settings.momentum <= 0 || settings.dampening != 0 {
                throw RuntimeError.invalidOptimizer("Nesterov momentum needs a momentum and no dampening")
            }
        case .rmsProp(let settings):
            values = [
                settings.learningRate, settings.epsilon, settings.weightDecay, settings.momentum, settings.alpha,
            ]
        }
        if let value = values.first(where: { !($0 >= 0) }) {
            throw RuntimeError.invalidOptimizer("a setting of \(value) where none below zero is allowed")
        }
    }
}
