extension Scheduler.Rule {
    /// A rule by PyTorch's class name and keyword arguments. Throws `RuntimeError.invalidOptimizer`.
    public init(name: String, settings: [String: AttributeValue]) throws {
        let reader = SettingsReader(name: name, settings: settings)
        switch name {
        case "StepLR":
            self = .step(size: try reader.integer("step_size"), gamma: try reader.number("gamma", default: 0.1))
        case "MultiStepLR":
            self = .multiStep(
                milestones: try reader.integers("milestones"), gamma: try reader.number("gamma", default: 0.1))
        case "ExponentialLR":
            self = .exponential(gamma: try reader.number("gamma"))
        case "ConstantLR":
            self = .constant(
                factor: try reader.number("factor", default: 1.0 / 3),
                totalIterations: try reader.integer("total_iters", default: 5))
        case "LinearLR":
            self = .linear(
                startFactor: try reader.number("start_factor", default: 1.0 / 3),
                endFactor: try reader.number("end_factor", default: 1),
                totalIterations: try reader.integer("total_iters", default: 5))
        case "PolynomialLR":
            self = .polynomial(
                totalIterations: try reader.integer("total_iters", default: 5),
                power: try reader.number("power", default: 1))
        case "CosineAnnealingLR":
            self = .cosineAnnealing(
                tMax: try reader.integer("T_max"), etaMin: try reader.number("eta_min", default: 0))
        case "CosineAnnealingWarmRestarts":
            self = .cosineWarmRestarts(
                t0: try reader.integer("T_0"), tMult: try reader.integer("T_mult", default: 1),
                etaMin: try reader.number("eta_min", default: 0))
        case "ReduceLROnPlateau":
            self = .reduceOnPlateau(try Scheduler.Plateau(reader))
        case "OneCycleLR":
            self = .oneCycle(try Scheduler.OneCycle(reader))
        case "LambdaLR":
            guard settings["factors"] != nil else {
                throw reader.failure("its function is code, and the table of its values, factors, is missing")
            }
            self = .lambda(factors: try reader.tables("factors"))
        case "SequentialLR":
            self = .sequential(try reader.rules("schedulers"), milestones: try reader.integers("milestones"))
        case "ChainedScheduler":
            self = .chained(try reader.rules("schedulers"))
        default:
            throw RuntimeError.invalidOptimizer("the scheduler \(name) is not supported")
        }
    }

    /// Refuses what PyTorch refuses when a scheduler is made, and what would end in a division by zero.
    func check(_ optimizer: Optimizer) throws {
        func refuse(_ reason: String) -> RuntimeError { .invalidOptimizer("the scheduler: \(reason)") }
        func require(_ condition: Bool, _ reason: @autoclosure () -> String) throws {
            if !condition { throw refuse(reason()) }
        }
        let groups = optimizer.groups.count
        switch self {
        case .step(let size, _):
            try require(size > 0, "a step size of \(size)")
        case .constant(let factor, let total):
            try require(factor > 0 && factor <= 1 && total >= 0, "a factor of \(factor) for \(total) steps")
        case .linear(let start, let end, let total):
            try require(start > 0 && start <= 1, "a start_factor of \(start)")
            try require((0...1).contains(end) && total >= 0, "an end_factor of \(end) after \(total) steps")
        case .polynomial(let total, let power):
            try require(total >= 0 && power >= 0, "a power of \(power) over \(total) steps")
        case .cosineAnnealing(let tMax, _):
            try require((1...1 << 30).contains(tMax), "a T_max of \(tMax)")
        case .cosineWarmRestarts(let t0, let tMult, _):
            try require((1...1 << 30).contains(t0) && (1...1 << 20).contains(tMult), "T_0 of \(t0), T_mult of \(tMult)")
        case .reduceOnPlateau(let plateau):
            try require(plateau.factor < 1, "a factor of \(plateau.factor)")
            let rates = plateau.minimumRates.count
            try require(rates == 0 || rates == groups, "\(rates) lowest rates for \(groups) groups")
        case .oneCycle(let cycle):
            try require(cycle.totalSteps > 0 && (0...1).contains(cycle.warmUp), "OneCycleLR without steps")
            try require(cycle.divisor > 0 && cycle.finalDivisor > 0, "OneCycleLR with a divisor of zero or less")
            try require(
                cycle.warmUp * Double(cycle.totalSteps) != 1,
                "OneCycleLR whose warm-up of one step is already at its end")
            let rates = cycle.maximumRates.count
            try require(rates == 1 || rates == groups, "\(rates) rates for \(groups) groups")
            try require(
                !cycle.cyclesMomentum || optimizer.momenta.allSatisfy { $0 != nil },
                "OneCycleLR cycles a momentum that the optimizer does not have")
        case .lambda(let factors):
            try require(factors.count == 1 || factors.count == groups, "\(factors.count) tables for \(groups) groups")
            try require(factors.allSatisfy { !$0.isEmpty }, "a LambdaLR without factors")
        case .sequential(let rules, let milestones):
            try require(
                !rules.isEmpty && milestones.count == rules.count - 1,
                "\(milestones.count) milestones for \(rules.count) schedulers")
            try require(
                zip(milestones, milestones.dropFirst()).allSatisfy(<), "milestones \(milestones) that do not rise")
            for rule in rules {
                try require(rule.mayFollow, "a sequence of schedulers that are not simple ones")
                try rule.check(optimizer)
            }
        case .chained(let rules):
            try require(!rules.isEmpty, "a chain without schedulers")
            for rule in rules {
                if case .sequential = rule {} else { try require(rule.mayFollow, "a chain of chains") }
                try rule.check(optimizer)
            }
        case .multiStep, .exponential:
            break
        }
    }

    /// Whether a rule may be part of a sequence: PyTorch fails where a sequence follows another, and lets `OneCycleLR` overwrite
    /// the first rates of its neighbours.
    private var mayFollow: Bool {
        switch self {
        case .sequential, .chained, .reduceOnPlateau, .oneCycle: false
        default: true
        }
    }
}

extension SettingsReader {
    fileprivate func integers(_ key: String) throws -> [Int] {
        try numbers(key).map {
            guard let whole = Int(exactly: $0) else { throw failure("the argument \(key) is no list of integers") }
            return whole
        }
    }

    /// A list of numbers, or a list of such lists.
    fileprivate func tables(_ key: String) throws -> [[Double]] {
        guard case .list(let items)? = settings[key], case .list? = items.first else { return [try numbers(key)] }
        return try items.map { try SettingsReader(name: name, settings: [key: $0]).numbers(key) }
    }

    /// A list of tables with `name` and arguments.
    fileprivate func rules(_ key: String) throws -> [Scheduler.Rule] {
        guard case .list(let items)? = settings[key] else { throw failure("the argument \(key) is no list") }
        return try items.map { item in
            guard case .table(var settings) = item, case .string(let name)? = settings.removeValue(forKey: "name"),
                name != "SequentialLR" || self.name != "SequentialLR", name != "ChainedScheduler"
            else { throw failure("the argument \(key) is no list of named schedulers, or one inside another") }
            return try Scheduler.Rule(name: name, settings: settings)
        }
    }
}

extension Scheduler.Plateau {
    fileprivate init(_ reader: SettingsReader) throws {
        isMinimum = try reader.choice("mode", of: ["min", "max"]) == 0
        factor = try reader.number("factor", default: factor)
        patience = try reader.integer("patience", default: patience)
        threshold = try reader.number("threshold", default: threshold)
        isRelative = try reader.choice("threshold_mode", of: ["rel", "abs"]) == 0
        cooldown = try reader.integer("cooldown", default: cooldown)
        if reader.settings["min_lr"] ?? .null != .null {
            let rates = try reader.numbers("min_lr")
            if rates.count == 1 { minimumRate = rates[0] } else { minimumRates = rates }
        }
        epsilon = try reader.number("eps", default: epsilon)
    }
}

extension Scheduler.OneCycle {
    fileprivate init(_ reader: SettingsReader) throws {
        let steps: Int
        if reader.settings["total_steps"] ?? .null != .null {
            steps = try reader.integer("total_steps")
        } else {
            let (epochs, perEpoch) = (try reader.integer("epochs"), try reader.integer("steps_per_epoch"))
            guard epochs > 0, perEpoch > 0, epochs < 1 << 30, perEpoch < 1 << 30 else {
                throw reader.failure("\(epochs) epochs of \(perEpoch) steps")
            }
            steps = epochs * perEpoch
        }
        self.init(maximumRates: try reader.numbers("max_lr"), totalSteps: steps)
        warmUp = try reader.number("pct_start", default: warmUp)
        isCosine = try reader.choice("anneal_strategy", of: ["cos", "linear"]) == 0
        cyclesMomentum = try reader.flag("cycle_momentum", default: true)
        baseMomentum = try reader.number("base_momentum", default: baseMomentum)
        maximumMomentum = try reader.number("max_momentum", default: maximumMomentum)
        divisor = try reader.number("div_factor", default: divisor)
        finalDivisor = try reader.number("final_div_factor", default: finalDivisor)
        threePhases = try reader.flag("three_phase")
    }
}
