import Foundation
import TensorRuntime
import Testing

/// Random settings of a PyTorch optimizer, each argument left out now and then.
private func settings(_ name: String, _ random: inout KernelRandom) -> [String: AttributeValue] {
    var settings: [String: AttributeValue] = [:]
    func maybe(_ key: String, _ value: (inout KernelRandom) -> AttributeValue) {
        if !random.chance(3) { settings[key] = value(&random) }
    }
    func number(_ range: ClosedRange<Double>) -> (inout KernelRandom) -> AttributeValue {
        { .number($0.double(range)) }
    }
    let flag: (inout KernelRandom) -> AttributeValue = { .bool($0.chance(2)) }
    maybe("lr", number(1e-4...0.05))
    maybe("weight_decay", number(0...0.1))
    maybe("maximize", flag)
    switch name {
    case "SGD":
        let momentum = random.chance(3) ? 0 : random.double(0.1...0.95)
        settings["momentum"] = .number(momentum)
        if momentum > 0, random.chance(2) {
            settings["nesterov"] = true
        } else {
            maybe("dampening", number(0...0.9))
        }
    case "RMSprop":
        maybe("alpha", number(0.5...0.99))
        maybe("momentum", number(0...0.9))
        maybe("centered", flag)
        maybe("eps", number(1e-8...1e-3))
    case "Adagrad":
        maybe("lr_decay", number(0...0.1))
        maybe("eps", number(1e-10...1e-3))
    case "Adadelta":
        maybe("rho", number(0.1...0.99))
        maybe("eps", number(1e-6...1e-3))
    default:
        maybe("betas") { [.number($0.double(0...0.95)), .number($0.double(0.5...0.999))] }
        maybe("eps", number(1e-8...1e-3))
        if name.hasPrefix("Adam"), name != "Adamax" { maybe("amsgrad", flag) }
        if ["Adam", "NAdam", "RAdam"].contains(name) { maybe("decoupled_weight_decay", flag) }
        if name == "NAdam" { maybe("momentum_decay", number(0...0.1)) }
    }
    return settings
}

@Suite(.serialized)
struct OptimizerParityTests {
    private static let configurations = PythonReference.isVerifying ? 50 : 6

    /// A case with one to three groups of one to three parameters, and its tensors.
    private func make(
        _ name: String, _ number: Int, large: Bool, _ random: inout KernelRandom, _ data: inout [String: Tensor]
    ) throws -> OptimizerReference.Case {
        var groups: [[String: AttributeValue]] = []
        // One for all groups, as PyTorch's Adagrad has it.
        let shared: [String: AttributeValue] =
            name == "Adagrad" && random.chance(2) ? ["initial_accumulator_value": .number(random.double(0...1))] : [:]
        for group in 0..<random.int(1...2) {
            let names = (0..<random.int(1...3)).map { "g\(group).p\($0)" }
            for parameter in names {
                // Above 16 384 elements a step runs on all threads.
                let shape = large ? [3, 7001] : random.shape()
                data["\(number)/\(parameter)"] = try random.tensor(shape)
                for step in 0..<30 where !random.chance(6) {
                    // Gradients with a common part, so that momenta do not average to nothing.
                    var gradient = try random.tensor(shape)
                    for index in gradient.values.indices { gradient.values[index] += 0.3 }
                    data["\(number)/\(step)/\(parameter)"] = gradient
                }
            }
            let settings = settings(name, &random).merging(shared) { $1 }
            for parameter in names { keepFromCancelling(parameter, number, settings, &data) }
            groups.append(
                settings
                    .merging(["parameters": .list(names.map { .string($0) })]) { $1 })
        }
        return OptimizerReference.Case(name: name, groups: groups)
    }

    /// Moves elements of the first gradient apart from where weight decay cancels them to less than 1e-4.
    ///
    /// The first step of the Adam family is η s/(|s| + ε) with s = ±g + λp. Where s is as small as ε it rests on the last bit of λp,
    /// which a fused multiplication and addition and two separate operations round differently: an element with λp = 0.0799 and
    /// s = -1.8e-7 at ε = 1e-8 was 3.7e-5 off.
    private func keepFromCancelling(
        _ parameter: String, _ number: Int, _ settings: [String: AttributeValue], _ data: inout [String: Tensor]
    ) {
        guard case .number(let decay)? = settings["weight_decay"], let weights = data["\(number)/\(parameter)"]?.values,
            let key = (0..<30).map({ "\(number)/\($0)/\(parameter)" }).first(where: { data[$0] != nil })
        else { return }
        let sign: Float = settings["maximize"] == .bool(true) ? -1 : 1
        for (index, weight) in weights.enumerated() {
            guard let gradient = data[key]?.values[index], abs(sign * gradient + Float(decay) * weight) < 1e-4 else {
                continue
            }
            data[key]?.values[index] = gradient + 1e-3
        }
    }

    @Test("Weights and state of 30 steps equal torch.optim's, in random groups, with gradients missing now and then")
    func optimizers() throws {
        var random = KernelRandom(seed: UInt64(PythonReference.seed("optimizers")))
        var (plan, data) = (OptimizerReference.Plan(), [String: Tensor]())
        for name in OptimizerRule.names {
            for index in 0..<Self.configurations {
                plan.optimizers.append(
                    try make(name, plan.optimizers.count, large: index == 0, &random, &data))
            }
        }
        let expected = try OptimizerReference.run(plan, data: data).tensors
        var (worst, compared) = ([String: Double](), Set<String>())
        for (number, test) in plan.optimizers.enumerated() {
            let found = try run(test, number, data)
            for (key, tensor) in found {
                let wanted = try #require(expected[key], "\(test.name): PyTorch has no \(key)")
                let error = relativeError(tensor.values, wanted.values, beside: Self.terms(of: key, test, tensor))
                #expect(tensor.shape == wanted.shape, "\(test.name): \(key)")
                #expect(error < 1e-5, "\(test.name): \(key) by \(error), groups \(test.groups)")
                worst[test.name] = max(worst[test.name] ?? 0, error)
                compared.insert(key)
            }
        }
        #expect(compared == Set(expected.keys), "state that only PyTorch keeps")
        for name in OptimizerRule.names { print("optimizers: \(name): largest relative error \(worst[name] ?? .nan)") }
    }

    /// What a momentum of a few elements, or a mean of gradients, is measured beside: a twentieth of what its terms, of order one, can
    /// add up to.
    ///
    /// A momentum of one element is a sum of terms of both signs, and may end near 0 where each term was rounded at its own size. In a
    /// larger tensor its other elements are the measure.
    private static func terms(of key: String, _ test: OptimizerReference.Case, _ tensor: Tensor) -> Double {
        guard tensor.values.count <= 4 else { return 0 }
        if key.hasSuffix(".exp_avg") || key.hasSuffix(".grad_avg") { return 0.05 }
        guard key.hasSuffix(".momentum_buffer") else { return 0 }
        let momenta = test.groups.compactMap { group in
            if case .number(let momentum)? = group["momentum"] { momentum } else { nil }
        }
        return 0.05 / (1 - (momenta.max() ?? 0))
    }

    private func run(
        _ test: OptimizerReference.Case, _ number: Int, _ data: [String: Tensor]
    ) throws -> [String: Tensor] {
        var (groups, start) = ([Optimizer.Group](), [String: Tensor]())
        for var settings in test.groups {
            guard case .list(let items)? = settings.removeValue(forKey: "parameters") else { continue }
            let names = items.compactMap { if case .string(let name) = $0 { name } else { nil } }
            for name in names { start[name] = data["\(number)/\(name)"] }
            groups.append(.init(rule: try OptimizerRule(name: test.name, settings: settings), parameters: names))
        }
        let store = try ParameterStore(parameters: start)
        let optimizer = try Optimizer(groups: groups, parameters: store, threads: 2)
        var found: [String: Tensor] = [:]
        for step in 0..<test.steps {
            for name in start.keys { try store.setGradient(name, to: data["\(number)/\(step)/\(name)"]) }
            try optimizer.step(store)
            guard test.report.contains(step + 1) else { continue }
            for (name, tensor) in try store.state() { found["\(number)/\(step + 1)/\(name)"] = tensor }
            for (name, tensor) in try optimizer.stateTensors(store) { found["\(number)/\(step + 1)/\(name)"] = tensor }
        }
        return found
    }

    @Test("Settings left out are PyTorch's defaults", arguments: OptimizerRule.names)
    func defaults(name: String) throws {
        let named = try OptimizerRule(name: name, settings: [:])
        let own: [String: OptimizerRule] = [
            "Adam": .adam(), "AdamW": .adamW(), "SGD": .sgd(), "RMSprop": .rmsProp(), "Adagrad": .adagrad(),
            "NAdam": .nAdam(), "RAdam": .rAdam(), "Adamax": .adamax(), "Adadelta": .adadelta(),
        ]
        #expect(named == own[name])
    }

    @Test(
        "Settings that PyTorch refuses are refused, with the setting",
        arguments: [
            ("Adam", ["betas": [0.9, 1]], "beta"), ("AdamW", ["eps": -1], "eps"),
            ("SGD", ["momentum": -0.1], "momentum"),
            ("SGD", ["nesterov": true], "Nesterov"), ("RMSprop", ["alpha": -1], "alpha"),
            ("Adagrad", ["lr_decay": -1], "lr_decay"), ("NAdam", ["momentum_decay": -1], "momentum_decay"),
            ("RAdam", ["betas": [-0.1, 0.9]], "beta"), ("Adamax", ["weight_decay": -1], "weight_decay"),
            ("Adadelta", ["rho": 1.5], "rho"), ("Adam", ["betas": [0.9]], "betas"), ("Adam", ["lr": "fast"], "lr"),
            ("NAdam", ["amsgrad": true], "amsgrad"), ("Lion", [:], "Lion"),
        ] as [(String, [String: AttributeValue], String)])
    func refused(name: String, settings: [String: AttributeValue], word: String) throws {
        let store = try ParameterStore(parameters: ["w": Tensor(shape: [1], repeating: 1)])
        #expect {
            try Optimizer(OptimizerRule(name: name, settings: settings), parameters: store)
        } throws: {
            guard case RuntimeError.invalidOptimizer = $0 else { return false }
            return "\($0)".contains(word)
        }
    }

    @Test("A parameter is in one group only")
    func groups() throws {
        let store = try ParameterStore(parameters: ["w": Tensor(shape: [1], repeating: 1)])
        let group = Optimizer.Group(rule: .adam(), parameters: ["w"])
        #expect(throws: RuntimeError.invalidOptimizer("the parameter w is in two groups")) {
            try Optimizer(groups: [group, group], parameters: store)
        }
    }

    @Test("Gradients given from outside have the parameter's shape; one that is taken away leaves the parameter alone")
    func givenGradients() throws {
        let store = try ParameterStore(parameters: ["a": Tensor(shape: [2], repeating: 1)])
        #expect(throws: RuntimeError.missingTensor("b")) { try store.setGradient("b", to: nil) }
        #expect(throws: RuntimeError.tensorMismatch(name: "the gradient of a", expected: [2], got: [3])) {
            try store.setGradient("a", to: Tensor(shape: [3], repeating: 1))
        }
        let optimizer = try Optimizer(.sgd(.init(learningRate: 1)), parameters: store)
        try store.setGradient("a", to: Tensor(shape: [2], values: [1, 2]))
        #expect(try store.gradient("a")?.values == [1, 2])
        try optimizer.step(store)
        #expect(try store.tensor("a").values == [0, -1])
        try store.setGradient("a", to: nil)
        try optimizer.step(store)
        #expect(try store.tensor("a").values == [0, -1])
    }
}
