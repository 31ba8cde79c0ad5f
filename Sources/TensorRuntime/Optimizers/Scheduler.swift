import Foundation

/// Changes the learning rates of an optimizer over time, as PyTorch's schedulers of the same names do.
///
/// ```swift
/// var scheduler = try Scheduler(.step(size: 10, gamma: 0.1), optimizer: optimizer)
/// scheduler.step(optimizer)          // after each epoch (or batch)
/// let warmUp = Scheduler.Rule.sequential([.linear(), .cosineAnnealing(tMax: 95)], milestones: [5])
/// ```
///
/// PyTorch computes most rates from the one before, and so does this, in the same order of operations. `Scheduler+Rules.swift`
/// has the formulas.
public struct Scheduler: Sendable, Equatable {
    /// The rule, its arguments named as in PyTorch.
    public enum Rule: Sendable, Equatable {
        case step(size: Int, gamma: Double = 0.1)
        case multiStep(milestones: [Int], gamma: Double = 0.1)
        case exponential(gamma: Double)
        /// A factor on the first `totalIterations` steps.
        case constant(factor: Double = 1.0 / 3, totalIterations: Int = 5)
        /// A factor that moves in equal steps; with an `endFactor` of 1 a linear warm-up.
        case linear(startFactor: Double = 1.0 / 3, endFactor: Double = 1, totalIterations: Int = 5)
        /// Poly decay (Chen et al. 2018, "DeepLab", §4.1: a power of 0.9).
        case polynomial(totalIterations: Int = 5, power: Double = 1)
        /// Loshchilov and Hutter 2017 ("SGDR"), without restarts.
        case cosineAnnealing(tMax: Int, etaMin: Double = 0)
        /// Loshchilov and Hutter 2017 ("SGDR"); each period is `tMult` times as long as the one before.
        case cosineWarmRestarts(t0: Int, tMult: Int = 1, etaMin: Double = 0)
        case reduceOnPlateau(Plateau = Plateau())
        /// Smith and Topin 2019 ("Super-convergence").
        case oneCycle(OneCycle)
        /// `LambdaLR` with the values of its function for steps 0, 1, …: one table for all groups, or one a group. Steps after
        /// the last entry keep it.
        case lambda(factors: [[Double]])
        /// `SequentialLR`: the next rule takes over at each milestone. Rules may not nest, watch a metric or be `oneCycle`.
        case sequential([Rule], milestones: [Int])
        /// `ChainedScheduler`: all rules step together, each on the rates that the one before left.
        case chained([Rule])
    }

    /// Settings of `ReduceLROnPlateau`.
    public struct Plateau: Sendable, Equatable {
        /// Whether a smaller metric is better.
        public var isMinimum = true
        /// What rates are multiplied by.
        public var factor = 0.1
        /// How many bad epochs are let pass.
        public var patience = 10
        /// What counts as better.
        public var threshold = 1e-4
        /// Whether the threshold is a share of the best metric.
        public var isRelative = true
        /// Epochs after a change in which none is bad.
        public var cooldown = 0
        /// Rates do not fall below.
        public var minimumRate = 0.0
        /// A lower bound of its own for each group; empty: `minimumRate` for all.
        public var minimumRates: [Double] = []
        /// Changes of a rate below this are not made.
        public var epsilon = 1e-8

        /// The defaults are those of PyTorch.
        public init() {}
    }

    /// Settings of `OneCycleLR`.
    public struct OneCycle: Sendable, Equatable {
        /// One for all groups, or one a group.
        public var maximumRates: [Double]
        /// The length of the cycle.
        public var totalSteps: Int
        /// The share of the cycle in which rates rise.
        public var warmUp = 0.3
        /// Whether rates follow a cosine; otherwise a line.
        public var isCosine = true
        /// Whether momentum moves the other way.
        public var cyclesMomentum = true
        /// The momentum where the rate is highest.
        public var baseMomentum = 0.85
        /// The momentum at both ends.
        public var maximumMomentum = 0.95
        /// By how much the first rate is below the highest.
        public var divisor = 25.0
        /// By how much the last rate is below the first.
        public var finalDivisor = 1e4
        /// Whether rates fall the way they rose before they fall further.
        public var threePhases = false

        /// The defaults are those of PyTorch.
        public init(maximumRates: [Double], totalSteps: Int) {
            self.maximumRates = maximumRates
            self.totalSteps = totalSteps
        }
    }

    /// What the rates follow.
    public let rule: Rule
    var baseRates: [Double] = []
    /// PyTorch's `last_epoch`; negative while a rule of a sequence waits.
    var epoch = 0
    var best = 0.0
    var badEpochs = 0
    var cooldownLeft = 0
    /// The rules of a sequence or chain.
    var children: [Scheduler] = []

    /// Sets the learning rates of the first epoch.
    ///
    /// Throws `RuntimeError.invalidOptimizer` for impossible arguments; the optimizer is then as before.
    public init(_ rule: Rule, optimizer: Optimizer) throws {
        try rule.check(optimizer)
        self.init(checked: rule, optimizer)
    }

    /// A scheduler by PyTorch's class name and keyword arguments; `SequentialLR` and `ChainedScheduler` carry a list
    /// `schedulers` of tables with `name` and arguments, `LambdaLR` its `factors`.
    public init(name: String, settings: [String: AttributeValue], optimizer: Optimizer) throws {
        try self.init(Rule(name: name, settings: settings), optimizer: optimizer)
    }

    private init(checked rule: Rule, _ optimizer: Optimizer) {
        self.rule = rule
        let initial = optimizer.initialRates ?? optimizer.learningRates
        optimizer.initialRates = initial
        baseRates = initial
        switch rule {
        case .sequential(let rules, let milestones):
            children = rules.map { Scheduler(checked: $0, optimizer) }
            // What the rules did when they were made is undone; only the one that begins acts.
            optimizer.learningRates = optimizer.initialRates ?? initial
            for index in children.indices { children[index].epoch = -1 }
            children[milestones.filter { $0 <= 0 }.count].start(optimizer)
        case .chained(let rules):
            children = rules.map { Scheduler(checked: $0, optimizer) }
        case .reduceOnPlateau(let plateau):
            best = plateau.isMinimum ? .infinity : -.infinity
        case .oneCycle(let cycle):
            baseRates = cycle.rates(groups: optimizer.learningRates.count).map { $0 / cycle.divisor }
            optimizer.initialRates = baseRates
            start(optimizer)
        default:
            start(optimizer)
        }
    }

    /// One step of the schedule; `metric` is what `reduceOnPlateau` watches.
    public mutating func step(_ optimizer: Optimizer, metric: Double = .nan) {
        switch rule {
        case .sequential(_, let milestones):
            epoch += 1
            let index = milestones.filter { $0 <= epoch }.count
            if index > 0, milestones[index - 1] == epoch {
                children[index].enter(optimizer)
            } else {
                children[index].step(optimizer)
            }
        case .chained:
            epoch += 1
            for index in children.indices { children[index].step(optimizer) }
        default:
            epoch += 1
            advance(optimizer, metric: metric)
        }
    }
}

extension Scheduler {
    /// The state between steps as strings for a checkpoint; numbers keep all their bits.
    public func metadata() -> [String: String] { metadata("scheduler") }

    private func metadata(_ prefix: String) -> [String: String] {
        var metadata = [
            "\(prefix).epoch": String(epoch), "\(prefix).bad": String(badEpochs),
            "\(prefix).cooldown": String(cooldownLeft), "\(prefix).best": String(best.bitPattern, radix: 16),
        ]
        for (index, child) in children.enumerated() {
            metadata.merge(child.metadata("\(prefix).\(index)")) { first, _ in first }
        }
        return metadata
    }

    /// Restores what `metadata()` gave.
    ///
    /// Throws `RuntimeError.invalidCheckpoint` when something is missing, and changes nothing then.
    public mutating func restore(_ metadata: [String: String]) throws {
        self = try restored(metadata, "scheduler")
    }

    private func restored(_ metadata: [String: String], _ prefix: String) throws -> Scheduler {
        func integer(_ key: String, from lowest: Int) throws -> Int {
            guard let number = metadata["\(prefix).\(key)"].flatMap({ Int($0) }), number >= lowest else {
                throw RuntimeError.invalidCheckpoint("the state \(key) of the \(prefix) is missing")
            }
            return number
        }
        var scheduler = self
        scheduler.epoch = try integer("epoch", from: -1)
        scheduler.badEpochs = try integer("bad", from: 0)
        scheduler.cooldownLeft = try integer("cooldown", from: 0)
        scheduler.best = try Optimizer.number(metadata, "\(prefix).best")
        scheduler.children = try children.enumerated().map { try $1.restored(metadata, "\(prefix).\($0)") }
        return scheduler
    }
}
