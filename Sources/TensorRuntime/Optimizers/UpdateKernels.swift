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
        for i in range {
            let slope = g[i] + decay * p[i]
            let value = p[i] * shrink
            let m = first[i] + firstWeight * (slope - first[i])
            var v = second[i] * secondWeight + secondComplement * slope * slope
            first[i] = m
            second[i] = v
            if let peak {
                v = max(peak[i], v)
                peak[i] = v
            }
            p[i] = value - stepSize * (m / (v.squareRoot() / root + epsilon))
        }
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
