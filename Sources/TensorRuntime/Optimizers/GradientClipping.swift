import Foundation

/// Bounds gradients before the optimizer's step, as `torch.nn.utils.clip_grad_norm_` and `clip_grad_value_` do.
public enum GradientClipping: Sendable, Equatable {
    /// Scales all gradients so that their joint norm is at most `maximum`; a `type` of infinity means the largest element.
    case norm(maximum: Double, type: Double = 2)
    /// Cuts every element to ±maximum.
    case value(maximum: Double)

    /// Clips the gradients in a store and returns the norm before (nil for clipping by value). Throws
    /// `RuntimeError.invalidOptimizer` when the bound is not positive or the norm has no type above zero.
    @discardableResult
    public func apply(to store: ParameterStore) throws -> Double? {
        let slots = store.parameterNames.compactMap { store.parameters[$0] }.filter(\.hasGradient)
        switch self {
        case .value(let maximum):
            guard maximum > 0 else { throw RuntimeError.invalidOptimizer("gradients cannot be clipped at \(maximum)") }
            let bound = Float(maximum)
            for slot in slots {
                guard let gradient = slot.gradient else { continue }
                for i in 0..<slot.count { gradient[i] = max(-bound, min(bound, gradient[i])) }
            }
            return nil
        case .norm(let maximum, let type):
            guard maximum > 0, type > 0 else {
                throw RuntimeError.invalidOptimizer("gradients cannot be clipped to a \(type)-norm of \(maximum)")
            }
            let norm = GradientClipping.norm(slots, type)
            let factor = Float(min(1, maximum / (norm + 1e-6)))
            for slot in slots {
                guard let gradient = slot.gradient else { continue }
                for i in 0..<slot.count { gradient[i] *= factor }
            }
            return norm
        }
    }

    private static func norm(_ slots: [ParameterStore.Slot], _ type: Double) -> Double {
        var total = 0.0
        for slot in slots {
            guard let gradient = slot.gradient else { continue }
            for i in 0..<slot.count {
                let value = Double(abs(gradient[i]))
                if type == .infinity {
                    total = max(total, value)
                } else if type == 2 {
                    total += value * value
                } else {
                    total += pow(value, type)
                }
            }
        }
        return type == .infinity ? total : type == 2 ? total.squareRoot() : pow(total, 1 / type)
    }
}
