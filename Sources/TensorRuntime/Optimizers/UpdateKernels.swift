import Foundation

/// One step of Adam or AdamW in the order of operations of `torch.optim.adam._single_tensor_adam`.
struct AdamKernel {
    private let firstWeight: Float
    private let secondWeight: Float
    private let secondComplement: Float
    private let decay: Float
    private let shrink: Float
    private let stepSize: Float
    private let root: Float
    private let epsilon: Float

    init(_ settings: OptimizerRule.AdamSettings, rate: Double, step: Int, decoupled: Bool) {
        firstWeight = Float(1 - settings.betas.0)
        secondWeight = Float(settings.betas.1)
        secondComplement = Float(1 - settings.betas.1)
        decay = decoupled ? 0 : Float(settings.weightDecay)
        shrink = decoupled ? Float(1 - rate * settings.weightDecay) : 1
        stepSize = Float(rate / (1 - pow(settings.betas.0, Double(step))))
        root = Float((1 - pow(settings.betas.1, Double(step))).squareRoot())
        epsilon = Float(settings.epsilon)
    }

    func run(
        _ range: Range<Int>, _ p: UnsafeMutablePointer<Float>, _ g: UnsafeMutablePointer<Float>,
        _ first: UnsafeMutablePointer<Float>, _ second: UnsafeMutablePointer<Float>,
        _ peak: UnsafeMutablePointer<Float>?
    ) {
        var i = range.lowerBound
        while i + 16 <= range.upperBound {
            vector(p + i, g + i, first + i, second + i, peak.map { $0 + i })
            i += 16
        }
        while i < range.upperBound {
            scalar(p + i, g + i, first + i, second + i, peak.map { $0 + i })
            i += 1
        }
    }

    /// Sixteen elements; the same operations in the same order as for one.
    @inline(__always)
    private func vector(
        _ p: UnsafeMutablePointer<Float>, _ g: UnsafeMutablePointer<Float>, _ first: UnsafeMutablePointer<Float>,
        _ second: UnsafeMutablePointer<Float>, _ peak: UnsafeMutablePointer<Float>?
    ) {
        let before = load(p)
        let slope = load(g) + decay * before
        let m = load(first) + firstWeight * (slope - load(first))
        var v = load(second) * secondWeight + secondComplement * slope * slope
        store(m, first)
        store(v, second)
        if let peak {
            let old = load(peak)
            v = old.replacing(with: v, where: v .> old)
            store(v, peak)
        }
        store(before * shrink - stepSize * (m / (v.squareRoot() / root + epsilon)), p)
    }

    @inline(__always)
    private func scalar(
        _ p: UnsafeMutablePointer<Float>, _ g: UnsafeMutablePointer<Float>, _ first: UnsafeMutablePointer<Float>,
        _ second: UnsafeMutablePointer<Float>, _ peak: UnsafeMutablePointer<Float>?
    ) {
        let before = p.pointee
        let slope = g.pointee + decay * before
        let m = first.pointee + firstWeight * (slope - first.pointee)
        var v = second.pointee * secondWeight + secondComplement * slope * slope
        first.pointee = m
        second.pointee = v
        if let peak {
            v = v > peak.pointee ? v : peak.pointee
            peak.pointee = v
        }
        p.pointee = before * shrink - stepSize * (m / (v.squareRoot() / root + epsilon))
    }
}

/// One step of stochastic gradient descent.
struct SGDKernel {
    private let rate: Float
    private let momentum: Float
    private let intake: Float
    private let decay: Float
    private let nesterov: Bool
    private let isFirst: Bool

    init(_ settings: OptimizerRule.SGDSettings, rate: Double, isFirst: Bool) {
        self.rate = Float(rate)
        momentum = Float(settings.momentum)
        intake = Float(1 - settings.dampening)
        decay = Float(settings.weightDecay)
        nesterov = settings.nesterov
        self.isFirst = isFirst
    }

    func run(
        _ range: Range<Int>, _ p: UnsafeMutablePointer<Float>, _ g: UnsafeMutablePointer<Float>,
        _ velocity: UnsafeMutablePointer<Float>
    ) {
        for i in range {
            var slope = g[i] + decay * p[i]
            if momentum != 0 {
                // The first step fills the buffer without dampening.
                let moved = isFirst ? slope : velocity[i] * momentum + intake * slope
                velocity[i] = moved
                slope = nesterov ? slope + momentum * moved : moved
            }
            p[i] -= rate * slope
        }
    }
}

/// One step of RMSprop.
struct RMSPropKernel {
    private let settings: OptimizerRule.RMSPropSettings
    private let rate: Float

    init(_ settings: OptimizerRule.RMSPropSettings, rate: Double) {
        self.settings = settings
        self.rate = Float(rate)
    }

    func run(
        _ range: Range<Int>, _ p: UnsafeMutablePointer<Float>, _ g: UnsafeMutablePointer<Float>,
        _ squares: UnsafeMutablePointer<Float>, _ velocity: UnsafeMutablePointer<Float>?,
        _ average: UnsafeMutablePointer<Float>?
    ) {
        let (alpha, rest) = (Float(settings.alpha), Float(1 - settings.alpha))
        let (decay, epsilon, momentum) = (
            Float(settings.weightDecay), Float(settings.epsilon), Float(settings.momentum)
        )
        for i in range {
            let slope = g[i] + decay * p[i]
            squares[i] = squares[i] * alpha + rest * slope * slope
            var spread = squares[i]
            if let average {
                average[i] += rest * (slope - average[i])
                spread -= average[i] * average[i]
            }
            let direction = slope / (spread.squareRoot() + epsilon)
            if let velocity {
                velocity[i] = velocity[i] * momentum + direction
                p[i] -= rate * velocity[i]
            } else {
                p[i] -= rate * direction
            }
        }
    }
}
