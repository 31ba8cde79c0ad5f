import Foundation

/// Changes the learning rates of an optimizer over time, as PyTorch's schedulers of the same names do.
///
/// ```swift
/// var scheduler = try Scheduler(.step(size: 10, gamma: 0.1), optimizer: optimizer)
/// scheduler.step(optimizer)          // after each epoch (or batch)
/// ```
///
/// PyTorch computes most rates from the one before, and so does this: the same bits after the same steps.
public struct Scheduler: Sendable, Equatable {
    /// The rule, its arguments named as in PyTorch.
    public enum Rule: Sendable, Equatable {
        case step(size: Int, gamma: Double = 0.1)
        case multiStep(milestones: [Int], gamma: Double = 0.1)
        case exponential(gamma: Double)
        /// Loshchilov and Hutter 2017, without restarts.
        case cosineAnnealing(tMax: Int, etaMin: Double = 0)
        case reduceOnPlateau(Plateau = Plateau())
        /// Smith and Topin 2019.
        case oneCycle(OneCycle)
    }

    public struct Plateau: Sendable, Equatable {
        public var isMinimum = true
        public var factor = 0.1
        public var patience = 10
        public var threshold = 1e-4
        public var isRelative = true
        public var cooldown = 0
        public var minimumRate = 0.0
        public var epsilon = 1e-8

        public init() {}
    }

    public struct OneCycle: Sendable, Equatable {
        public var maximumRates: [Double]
        public var totalSteps: Int
        public var warmUp = 0.3
        public var isCosine = true
        public var cyclesMomentum = true
        public var baseMomentum = 0.85
        public var maximumMomentum = 0.95
        public var divisor = 25.0
        public var finalDivisor = 1e4
        public var threePhases = false

        public init(maximumRates: [Double], totalSteps: Int) {
            self.maximumRates = maximumRates
            self.totalSteps = totalSteps
        }
    }

    public let rule: Rule
    private let baseRates: [Double]
    private var epoch = 0
    private var best = 0.0
    private var badEpochs = 0
    private var cooldownLeft = 0

    /// Sets the learning rates of the first epoch. Throws `RuntimeError.invalidOptimizer` for impossible arguments.
    public init(_ rule: Rule, optimizer: Optimizer) throws {
        self.rule = rule
        baseRates = optimizer.learningRates
        try check(groups: optimizer.groups.count)
        if case .reduceOnPlateau(let plateau) = rule { best = plateau.isMinimum ? .infinity : -.infinity }
        if case .oneCycle = rule { oneCycle(optimizer) }
    }

    /// A scheduler by PyTorch's class name and keyword arguments. `LambdaLR` is refused, because its function is code.
    public init(name: String, settings: [String: AttributeValue], optimizer: Optimizer) throws {
        try self.init(Rule(name: name, settings: settings), optimizer: optimizer)
    }

    private func check(groups: Int) throws {
        func refuse(_ reason: String) -> RuntimeError { .invalidOptimizer("the scheduler: \(reason)") }
        switch rule {
        case .step(let size, _) where size < 1: throw refuse("a step size of \(size)")
        case .cosineAnnealing(let tMax, _) where tMax < 1: throw refuse("a T_max of \(tMax)")
        case .reduceOnPlateau(let plateau) where plateau.factor >= 1: throw refuse("a factor of \(plateau.factor)")
        case .oneCycle(let cycle):
            guard cycle.totalSteps > 0, (0...1).contains(cycle.warmUp) else { throw refuse("OneCycleLR without steps") }
            guard cycle.maximumRates.count == 1 || cycle.maximumRates.count == groups else {
                throw refuse("\(cycle.maximumRates.count) rates for \(groups) groups")
            }
        default: break
        }
    }

    /// One step of the schedule; `metric` is what `reduceOnPlateau` watches.
    public mutating func step(_ optimizer: Optimizer, metric: Double = .nan) {
        epoch += 1
        switch rule {
        case .step(let size, let gamma):
            if epoch % size == 0 { scale(optimizer, gamma) }
        case .multiStep(let milestones, let gamma):
            let count = milestones.filter { $0 == epoch }.count
            if count > 0 { scale(optimizer, pow(gamma, Double(count))) }
        case .exponential(let gamma):
            scale(optimizer, gamma)
        case .cosineAnnealing(let tMax, let etaMin):
            cosine(optimizer, tMax, etaMin)
        case .reduceOnPlateau(let plateau):
            reduce(optimizer, plateau, metric)
        case .oneCycle:
            oneCycle(optimizer)
        }
    }

    private func scale(_ optimizer: Optimizer, _ factor: Double) {
        for index in optimizer.learningRates.indices { optimizer.learningRates[index] *= factor }
    }

    private func cosine(_ optimizer: Optimizer, _ tMax: Int, _ etaMin: Double) {
        for (index, base) in baseRates.enumerated() {
            let rate = optimizer.learningRates[index]
            if (epoch - 1 - tMax) % (2 * tMax) == 0 {
                optimizer.learningRates[index] = rate + (base - etaMin) * (1 - cos(.pi / Double(tMax))) / 2
            } else {
                let ratio =
                    (1 + cos(.pi * Double(epoch) / Double(tMax))) / (1 + cos(.pi * Double(epoch - 1) / Double(tMax)))
                optimizer.learningRates[index] = ratio * (rate - etaMin) + etaMin
            }
        }
    }

    private mutating func reduce(_ optimizer: Optimizer, _ plateau: Plateau, _ metric: Double) {
        let margin = plateau.threshold
        let isBetter: Bool
        switch (plateau.isMinimum, plateau.isRelative) {
        case (true, true): isBetter = metric < best * (1 - margin)
        case (true, false): isBetter = metric < best - margin
        case (false, true): isBetter = metric > best * (1 + margin)
        case (false, false): isBetter = metric > best + margin
        }
        if isBetter {
            best = metric
            badEpochs = 0
        } else {
            badEpochs += 1
        }
        if cooldownLeft > 0 {
            cooldownLeft -= 1
            badEpochs = 0
        }
        guard badEpochs > plateau.patience else { return }
        for index in optimizer.learningRates.indices {
            let rate = optimizer.learningRates[index]
            let reduced = max(rate * plateau.factor, plateau.minimumRate)
            if rate - reduced > plateau.epsilon { optimizer.learningRates[index] = reduced }
        }
        cooldownLeft = plateau.cooldown
        badEpochs = 0
    }

    /// Sets rates and momenta of the current step; steps after the last keep the last values.
    private func oneCycle(_ optimizer: Optimizer) {
        guard case .oneCycle(let cycle) = rule else { return }
        let last = Double(cycle.totalSteps - 1)
        let step = min(Double(epoch), last)
        let peak = cycle.warmUp * Double(cycle.totalSteps) - 1
        for index in optimizer.learningRates.indices {
            let high = cycle.maximumRates[min(index, cycle.maximumRates.count - 1)]
            let low = high / cycle.divisor
            let end = low / cycle.finalDivisor
            let (base, top) = (cycle.baseMomentum, cycle.maximumMomentum)
            var phases: [(end: Double, rates: (Double, Double), momenta: (Double, Double))] = [
                (peak, (low, high), (top, base)), (last, (high, end), (base, top)),
            ]
            if cycle.threePhases {
                let middle = 2 * cycle.warmUp * Double(cycle.totalSteps) - 2
                phases = [
                    (peak, (low, high), (top, base)), (middle, (high, low), (base, top)),
                    (last, (low, end), (top, top)),
                ]
            }
            var start = 0.0
            for (number, phase) in phases.enumerated() {
                guard step <= phase.end || number == phases.count - 1 else {
                    start = phase.end
                    continue
                }
                let part = (step - start) / (phase.end - start)
                optimizer.learningRates[index] = cycle.interpolate(phase.rates, part)
                if cycle.cyclesMomentum {
                    optimizer.setMomentum(cycle.interpolate(phase.momenta, part), group: index)
                }
                break
            }
        }
    }

    // Checkpoints

    /// The state between steps as strings for a checkpoint; numbers keep all their bits.
    public func metadata() -> [String: String] {
        [
            "scheduler.epoch": String(epoch), "scheduler.bad": String(badEpochs),
            "scheduler.cooldown": String(cooldownLeft),
            "scheduler.best": String(best.bitPattern, radix: 16),
        ]
    }

    /// Restores what `metadata()` gave. Throws `RuntimeError.invalidCheckpoint` when something is missing.
    public mutating func restore(_ metadata: [String: String]) throws {
        guard let epoch = metadata["scheduler.epoch"].flatMap({ Int($0) }), epoch >= 0,
            let bad = metadata["scheduler.bad"].flatMap({ Int($0) }),
            let cooldown = metadata["scheduler.cooldown"].flatMap({ Int($0) })
        else { throw RuntimeError.invalidCheckpoint("the state of the scheduler is missing") }
        best = try Optimizer.number(metadata, "scheduler.best")
        (self.epoch, badEpochs, cooldownLeft) = (epoch, bad, cooldown)
    }
}

extension Scheduler.OneCycle {
    fileprivate func interpolate(_ ends: (Double, Double), _ part: Double) -> Double {
        isCosine
            ? ends.1 + (ends.0 - ends.1) / 2 * (1 + cos(.pi * part))
            : (ends.1 - ends.0) * part + ends.0
    }
}

extension Scheduler.Rule {
    /// A rule by PyTorch's class name and keyword arguments.
    public init(name: String, settings: [String: AttributeValue]) throws {
        let reader = SettingsReader(name: name, settings: settings)
        switch name {
        case "StepLR":
            self = .step(size: try reader.integer("step_size"), gamma: try reader.number("gamma", default: 0.1))
        case "MultiStepLR":
            self = .multiStep(
                milestones: try reader.numbers("milestones").map { Int($0) },
                gamma: try reader.number("gamma", default: 0.1))
        case "ExponentialLR":
            self = .exponential(gamma: try reader.number("gamma"))
        case "CosineAnnealingLR":
            self = .cosineAnnealing(
                tMax: try reader.integer("T_max"), etaMin: try reader.number("eta_min", default: 0))
        case "ReduceLROnPlateau":
            self = .reduceOnPlateau(try Scheduler.Plateau(reader))
        case "OneCycleLR":
            self = .oneCycle(try Scheduler.OneCycle(reader))
        case "LambdaLR":
            throw RuntimeError.invalidOptimizer(
                "LambdaLR computes rates by code of the pipeline, which cannot be captured")
        default:
            throw RuntimeError.invalidOptimizer("the scheduler \(name) is not supported")
        }
    }
}

extension Scheduler.Plateau {
    fileprivate init(_ reader: SettingsReader) throws {
        isMinimum = try reader.string("mode", default: "min") == "min"
        factor = try reader.number("factor", default: factor)
        patience = try reader.integer("patience", default: patience)
        threshold = try reader.number("threshold", default: threshold)
        isRelative = try reader.string("threshold_mode", default: "rel") == "rel"
        cooldown = try reader.integer("cooldown", default: cooldown)
        if reader.settings["min_lr"] ?? .null != .null {
            let rates = try reader.numbers("min_lr")
            guard Set(rates).count == 1, let rate = rates.first else {
                throw reader.failure("a min_lr of its own for each group is not supported")
            }
            minimumRate = rate
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
        isCosine = try reader.string("anneal_strategy", default: "cos") == "cos"
        cyclesMomentum = try reader.flag("cycle_momentum", default: true)
        baseMomentum = try reader.number("base_momentum", default: baseMomentum)
        maximumMomentum = try reader.number("max_momentum", default: maximumMomentum)
        divisor = try reader.number("div_factor", default: divisor)
        finalDivisor = try reader.number("final_div_factor", default: finalDivisor)
        threePhases = try reader.flag("three_phase")
    }
}
