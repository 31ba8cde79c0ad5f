import Foundation
import TensorRuntime
import Testing

@Suite(.serialized)
struct SchedulerParityTests {
    private static let names = [
        "StepLR", "MultiStepLR", "ExponentialLR", "ConstantLR", "LinearLR", "PolynomialLR", "CosineAnnealingLR",
        "CosineAnnealingWarmRestarts", "LambdaLR", "ReduceLROnPlateau", "OneCycleLR", "SequentialLR",
        "ChainedScheduler",
    ]

    private func scheduler(_ name: String, groups: Int, _ random: inout KernelRandom) -> [String: AttributeValue] {
        func number(_ range: ClosedRange<Double>) -> AttributeValue { .number(random.double(range)) }
        func integer(_ range: ClosedRange<Int>) -> AttributeValue { .number(Double(random.int(range))) }
        func numbers(_ count: Int, _ range: ClosedRange<Double>) -> AttributeValue {
            .list((0..<count).map { _ in number(range) })
        }
        var settings: [String: AttributeValue]
        switch name {
        case "StepLR": settings = ["step_size": integer(1...20), "gamma": number(0.1...1.1)]
        case "MultiStepLR":
            settings = [
                "milestones": .list((0..<random.int(0...5)).map { _ in integer(0...60) }), "gamma": number(0.1...1),
            ]
        case "ExponentialLR": settings = ["gamma": number(0.8...1.05)]
        case "ConstantLR": settings = ["factor": number(0.01...1), "total_iters": integer(0...70)]
        case "LinearLR":
            settings = ["start_factor": number(0.001...1), "end_factor": number(0...1), "total_iters": integer(1...70)]
        case "PolynomialLR": settings = ["total_iters": integer(1...70), "power": number(0.3...3)]
        case "CosineAnnealingLR": settings = ["T_max": integer(1...70), "eta_min": number(0...0.001)]
        case "CosineAnnealingWarmRestarts":
            settings = ["T_0": integer(1...30), "T_mult": integer(1...3), "eta_min": number(0...0.001)]
        case "LambdaLR":
            let length = random.int(1...61)
            settings = [
                "factors": random.chance(2)
                    ? numbers(length, 0...2) : .list((0..<groups).map { _ in numbers(length, 0...2) })
            ]
        case "ReduceLROnPlateau":
            settings = [
                "mode": .string(random.pick(["min", "max"])), "factor": number(0.1...0.9), "patience": integer(0...5),
                "threshold": number(0...0.1), "threshold_mode": .string(random.pick(["rel", "abs"])),
                "cooldown": integer(0...4), "eps": number(0...1e-4),
                "min_lr": random.chance(2) ? number(0...0.001) : numbers(groups, 0...0.001),
            ]
        case "OneCycleLR":
            settings = [
                "max_lr": random.chance(2) ? number(0.001...1) : numbers(groups, 0.001...1),
                "pct_start": number(0.05...0.45), "anneal_strategy": .string(random.pick(["cos", "linear"])),
                "cycle_momentum": .bool(!random.chance(3)), "base_momentum": number(0.5...0.9),
                "max_momentum": number(0.9...0.99), "div_factor": number(2...50), "final_div_factor": number(10...1e4),
                "three_phase": .bool(random.chance(2)), "total_steps": integer(61...100),
            ]
        case "SequentialLR":
            let count = random.int(1...4)
            var milestones = Set<Int>()
            while milestones.count < count - 1 { milestones.insert(random.int(0...55)) }
            settings = [
                "milestones": .list(milestones.sorted().map { .number(Double($0)) }),
                "schedulers": .list(children(count, groups, &random)),
            ]
        default: settings = ["schedulers": .list(children(random.int(1...3), groups, &random))]
        }
        // Defaults of PyTorch's own.
        for key in ["gamma", "factor", "power", "eta_min", "threshold", "eps", "start_factor", "div_factor"]
        where settings[key] != nil && random.chance(4) && !(name == "ExponentialLR") {
            settings[key] = nil
        }
        settings["name"] = .string(name)
        return settings
    }

    private func children(_ count: Int, _ groups: Int, _ random: inout KernelRandom) -> [AttributeValue] {
        (0..<count).map { _ in .table(scheduler(random.pick(Array(Self.names.prefix(9))), groups: groups, &random)) }
    }

    @Test("Learning rates and momenta of 60 epochs equal torch.optim.lr_scheduler's, with random arguments and groups")
    func schedules() throws {
        var random = KernelRandom(seed: UInt64(PythonReference.seed("schedules")))
        var plan = OptimizerReference.Plan()
        for name in Self.names {
            for _ in 0..<20 {
                let groups = random.int(1...3)
                plan.schedules.append(
                    .init(
                        optimizer: random.pick(["Adam", "SGD", "RMSprop", "NAdam", "Adamax"]),
                        lr: (0..<groups).map { _ in random.double(0.001...0.1) },
                        scheduler: scheduler(name, groups: groups, &random),
                        metrics: (0..<60).map { 1 / Double($0 + 1) + random.double(0...0.3) }))
            }
        }
        // Warm-up, then cosine: the usual sequence, with PyTorch's own defaults.
        plan.schedules.append(
            .init(
                lr: [0.01],
                scheduler: [
                    "name": "SequentialLR", "milestones": [5],
                    "schedulers": [
                        .table(["name": "LinearLR", "start_factor": 0.01]),
                        .table(["name": "CosineAnnealingLR", "T_max": 55]),
                    ],
                ], metrics: [Double](repeating: 0, count: 60)))
        let answer = try OptimizerReference.run(plan, data: ["none": Tensor(shape: [1], repeating: 0)]).answer
        var worst: [String: Double] = [:]
        for (schedule, expected) in zip(plan.schedules, answer.schedules) {
            let (name, error) = try compare(schedule, expected)
            worst[name] = max(worst[name] ?? 0, error)
        }
        for name in Self.names { print("schedules: \(name): largest relative difference \(worst[name] ?? .nan)") }
    }

    private func compare(
        _ schedule: OptimizerReference.Schedule, _ expected: OptimizerReference.Answer.Schedule
    ) throws -> (String, Double) {
        var settings = schedule.scheduler
        guard case .string(let name)? = settings.removeValue(forKey: "name") else { return ("", .nan) }
        let names = schedule.lr.indices.map { "p\($0)" }
        let store = try ParameterStore(
            parameters: Dictionary(uniqueKeysWithValues: names.map { ($0, try Tensor(shape: [1], repeating: 0)) }))
        let optimizer = try Optimizer(
            groups: zip(names, schedule.lr).map {
                .init(
                    rule: try OptimizerRule(name: schedule.optimizer, settings: ["lr": .number($1)]), parameters: [$0])
            }, parameters: store, threads: 1)
        var scheduler = try Scheduler(name: name, settings: settings, optimizer: optimizer)
        var (rates, momenta) = (optimizer.learningRates, optimizer.momenta)
        for (step, metric) in schedule.metrics.enumerated() {
            // A resumed scheduler goes on alike.
            if step == 31 {
                let saved = scheduler.metadata()
                let now = optimizer.learningRates
                let copy = try Optimizer(groups: optimizer.groups, parameters: store, threads: 1)
                scheduler = try Scheduler(name: name, settings: settings, optimizer: copy)
                try scheduler.restore(saved)
                #expect(optimizer.learningRates == now)
            }
            scheduler.step(optimizer, metric: metric)
            rates += optimizer.learningRates
            momenta += optimizer.momenta
        }
        var worst = 0.0
        for (index, (rate, wanted)) in zip(rates, expected.rates).enumerated() {
            let error = wanted == 0 ? abs(rate) : abs(rate / wanted - 1)
            #expect(error <= 1e-12, "\(name) \(settings), lr \(schedule.lr): step \(index / names.count)")
            worst = max(worst, error)
        }
        for (index, (momentum, wanted)) in zip(momenta, expected.momenta).enumerated() {
            #expect(abs((momentum ?? .nan) - (wanted ?? .nan)) <= 1e-12, "\(name), momentum \(index)")
        }
        #expect(rates.count == expected.rates.count)
        return (name, worst)
    }

    @Test(
        "Impossible arguments are refused and leave the optimizer as it was",
        arguments: [
            ("StepLR", ["step_size": 0], "step size"), ("StepLR", ["step_size": 1.5], "step_size"),
            ("ConstantLR", ["factor": 0], "factor"), ("LinearLR", ["start_factor": 0], "start_factor"),
            ("LinearLR", ["end_factor": 2], "end_factor"), ("PolynomialLR", ["power": -1], "power"),
            ("CosineAnnealingLR", ["T_max": 0], "T_max"), ("CosineAnnealingWarmRestarts", ["T_0": 0], "T_0"),
            ("CosineAnnealingWarmRestarts", ["T_0": 5, "T_mult": 0], "T_mult"),
            ("ReduceLROnPlateau", ["factor": 1], "factor"), ("ReduceLROnPlateau", ["min_lr": [0, 0]], "lowest"),
            ("ReduceLROnPlateau", ["mode": "best"], "mode"), ("OneCycleLR", ["max_lr": 1], "epochs"),
            ("OneCycleLR", ["max_lr": [1, 2], "total_steps": 9], "2 rates"),
            ("OneCycleLR", ["max_lr": 1, "total_steps": 9, "anneal_strategy": "sine"], "sine"),
            ("OneCycleLR", ["max_lr": 1, "total_steps": 10, "pct_start": 0.1], "warm-up"),
            ("OneCycleLR", ["max_lr": 1, "total_steps": 10, "div_factor": 0], "divisor"),
            ("LambdaLR", [:], "factors"), ("LambdaLR", ["factors": []], "factors"),
            ("LambdaLR", ["factors": [[1], [1]]], "2 tables"), ("MultiStepLR", ["milestones": [0.5]], "milestones"),
            ("SequentialLR", ["schedulers": [], "milestones": []], "milestones"),
            (
                "SequentialLR", ["schedulers": [.table(["name": "StepLR", "step_size": 1])], "milestones": [3]],
                "1 milestones"
            ),
            ("SequentialLR", ["schedulers": [.table(["name": "ReduceLROnPlateau"])], "milestones": []], "simple"),
            ("SequentialLR", ["schedulers": [3], "milestones": []], "named"), ("ChainedScheduler", [:], "schedulers"),
            ("ChainedScheduler", ["schedulers": []], "chain"), ("CyclicLR", [:], "CyclicLR"),
        ] as [(String, [String: AttributeValue], String)])
    func refused(name: String, settings: [String: AttributeValue], word: String) throws {
        let store = try ParameterStore(parameters: ["w": Tensor(shape: [1], repeating: 1)])
        let optimizer = try Optimizer(.adam(), parameters: store, threads: 1)
        #expect {
            try Scheduler(name: name, settings: settings, optimizer: optimizer)
        } throws: {
            guard case RuntimeError.invalidOptimizer = $0 else { return false }
            return "\($0)".contains(word)
        }
        #expect(optimizer.learningRates == [1e-3])
    }

    @Test("OneCycleLR needs a momentum to cycle")
    func momentum() throws {
        let store = try ParameterStore(parameters: ["w": Tensor(shape: [1], repeating: 1)])
        let optimizer = try Optimizer(.adagrad(), parameters: store, threads: 1)
        var cycle = Scheduler.OneCycle(maximumRates: [0.1], totalSteps: 10)
        #expect(throws: RuntimeError.self) { try Scheduler(.oneCycle(cycle), optimizer: optimizer) }
        cycle.cyclesMomentum = false
        #expect(throws: Never.self) { try Scheduler(.oneCycle(cycle), optimizer: optimizer) }
    }
}
