import Foundation

extension Scheduler {
    /// The rates of step 0 where a rule is made or begins a sequence: as `_initial_step` of PyTorch's class.
    mutating func start(_ optimizer: Optimizer) {
        epoch = 0
        switch rule {
        case .multiStep(let milestones, let gamma): passMilestones(optimizer, milestones, gamma)
        case .constant(let factor, _): scale(optimizer, factor)
        case .linear(let factor, _, _): scale(optimizer, factor)
        case .cosineWarmRestarts, .oneCycle, .lambda: advance(optimizer, metric: .nan)
        default: break
        }
    }

    /// The rates of step 0 where a rule takes over in a sequence: from its closed form, as PyTorch's `_update_lr(0)`.
    mutating func enter(_ optimizer: Optimizer) {
        epoch = 0
        optimizer.learningRates = baseRates
        switch rule {
        case .multiStep(let milestones, let gamma): passMilestones(optimizer, milestones.filter { $0 <= 0 }, gamma)
        case .constant(let factor, let total): if total > 0 { scale(optimizer, factor) }
        case .linear(let start, let end, let total): scale(optimizer, total > 0 ? start : end)
        case .cosineWarmRestarts, .oneCycle, .lambda: advance(optimizer, metric: .nan)
        default: break
        }
    }

    /// The rates of step `epoch`, from those of the step before or from the first ones.
    mutating func advance(_ optimizer: Optimizer, metric: Double) {
        switch rule {
        case .step(let size, let gamma):
            if epoch % size == 0 { scale(optimizer, gamma) }
        case .multiStep(let milestones, let gamma):
            passMilestones(optimizer, milestones, gamma)
        case .exponential(let gamma):
            scale(optimizer, gamma)
        case .constant(let factor, let total):
            if epoch == total { scale(optimizer, 1 / factor) }
        case .linear(let start, let end, let total):
            guard epoch <= total else { return }
            let before = Double(total) * start + Double(epoch - 1) * (end - start)
            scale(optimizer, 1 + (end - start) / before)
        case .polynomial(let total, let power):
            guard epoch <= total else { return }
            let (now, before) = (1 - Double(epoch) / Double(total), 1 - Double(epoch - 1) / Double(total))
            scale(optimizer, pow(now / before, power))
        case .cosineAnnealing(let tMax, let etaMin):
            cosine(optimizer, tMax, etaMin)
        case .cosineWarmRestarts(let t0, let tMult, let etaMin):
            let (passed, period) = Scheduler.position(epoch, t0: t0, tMult: tMult)
            let height = 1 + cos(.pi * Double(passed) / Double(period))
            optimizer.learningRates = baseRates.map { etaMin + ($0 - etaMin) * height / 2 }
        case .lambda(let factors):
            for (index, base) in baseRates.enumerated() {
                let table = factors[min(index, factors.count - 1)]
                optimizer.learningRates[index] = base * table[min(epoch, table.count - 1)]
            }
        case .reduceOnPlateau(let plateau):
            reduce(optimizer, plateau, metric)
        case .oneCycle(let cycle):
            cycle.apply(to: optimizer, step: epoch)
        case .sequential, .chained:
            break
        }
    }

    private func scale(_ optimizer: Optimizer, _ factor: Double) {
        for index in optimizer.learningRates.indices { optimizer.learningRates[index] *= factor }
    }

    /// A milestone that is named twice counts twice.
    private func passMilestones(_ optimizer: Optimizer, _ milestones: [Int], _ gamma: Double) {
        let count = milestones.filter { $0 == epoch }.count
        if count > 0 { scale(optimizer, pow(gamma, Double(count))) }
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

    /// How many steps of the current period have passed at a step, and how long the period is.
    private static func position(_ epoch: Int, t0: Int, tMult: Int) -> (passed: Int, period: Int) {
        guard tMult > 1 else { return (epoch % t0, t0) }
        var (passed, period) = (epoch, t0)
        while passed >= period {
            passed -= period
            period *= tMult
        }
        return (passed, period)
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
            let lowest = plateau.minimumRates.isEmpty ? plateau.minimumRate : plateau.minimumRates[index]
            let reduced = max(rate * plateau.factor, lowest)
            if rate - reduced > plateau.epsilon { optimizer.learningRates[index] = reduced }
        }
        cooldownLeft = plateau.cooldown
        badEpochs = 0
    }
}

extension Scheduler.OneCycle {
    private typealias Phase = (end: Double, rates: (Double, Double), momenta: (Double, Double))

    func rates(groups: Int) -> [Double] {
        maximumRates.count == 1 ? [Double](repeating: maximumRates[0], count: groups) : maximumRates
    }

    /// Sets rates and momenta of a step; steps after the last, which PyTorch refuses, keep the last values.
    func apply(to optimizer: Optimizer, step: Int) {
        let step = min(Double(step), Double(totalSteps - 1))
        for (index, high) in rates(groups: optimizer.learningRates.count).enumerated() {
            var start = 0.0
            let phases = phases(high)
            for (number, phase) in phases.enumerated() {
                guard step <= phase.end || number == phases.count - 1 else {
                    start = phase.end
                    continue
                }
                let part = (step - start) / (phase.end - start)
                optimizer.learningRates[index] = interpolate(phase.rates, part)
                if cyclesMomentum { optimizer.setMomentum(interpolate(phase.momenta, part), group: index) }
                break
            }
        }
    }

    /// Up, down and out; in two phases down and out are one.
    private func phases(_ high: Double) -> [Phase] {
        let low = high / divisor
        let end = low / finalDivisor
        let (base, top) = (baseMomentum, maximumMomentum)
        let (peak, last) = (warmUp * Double(totalSteps) - 1, Double(totalSteps - 1))
        guard threePhases else { return [(peak, (low, high), (top, base)), (last, (high, end), (base, top))] }
        return [
            (peak, (low, high), (top, base)), (2 * warmUp * Double(totalSteps) - 2, (high, low), (base, top)),
            (last, (low, end), (top, top)),
        ]
    }

    private func interpolate(_ ends: (Double, Double), _ part: Double) -> Double {
        isCosine
            ? ends.1 + (ends.0 - ends.1) / 2 * (1 + cos(.pi * part))
            : (ends.1 - ends.0) * part + ends.0
    }
}
