import Foundation

/// Bounds gradients before the optimizer's step, as `torch.nn.utils.clip_grad_norm_` and `clip_grad_value_` do.
public enum GradientClipping: Sendable, Equatable {
    /// Scales all gradients so that their joint norm is at most `maximum`; a `type` of infinity means the largest element.
    case norm(maximum: Double, type: Double = 2)
    /// Cuts every element to ±maximum.
    case value(maximum: Double)

    /// Clips the gradients in a store and returns the norm before (nil for clipping by value). Throws
    /// `RuntimeError.invalidOptimizer` when the bound is not positive or the norm has no type above zero.
    ///
    /// Cost: one pass over the gradients, a second one where they are changed, on the threads that computed them; the same bits for
    /// every number of threads.
    @discardableResult
    public func apply(to store: ParameterStore) throws -> Double? {
        let pieces = GradientClipping.pieces(store)
        let pool = store.pool ?? ThreadPool(threads: 1)
        switch self {
        case .value(let maximum):
            guard maximum > 0 else { throw RuntimeError.invalidOptimizer("gradients cannot be clipped at \(maximum)") }
            let bound = Float(maximum)
            pool.parallel(pieces.count) { index in
                for i in pieces[index].indices { pieces[index][i] = max(-bound, min(bound, pieces[index][i])) }
            }
            return nil
        case .norm(let maximum, let type):
            guard maximum > 0, type > 0 else {
                throw RuntimeError.invalidOptimizer("gradients cannot be clipped to a \(type)-norm of \(maximum)")
            }
            let norm = GradientClipping.norm(pieces, type, pool)
            // As PyTorch's: a norm that is no number leaves no gradient one.
            let factor = norm.isNaN ? Float.nan : Float(min(1, maximum / (norm + 1e-6)))
            // Times one is what it was, to the bit.
            guard factor != 1 else { return norm }
            pool.parallel(pieces.count) { index in
                for i in pieces[index].indices { pieces[index][i] *= factor }
            }
            return norm
        }
    }

    /// Elements whose contribution to the norm is added up before that of others: the same pieces, added in the same order, give the
    /// same bits for every number of threads.
    private static let piece = 1 << 15

    private static func pieces(_ store: ParameterStore) -> [UnsafeMutableBufferPointer<Float>] {
        store.parameterNames.flatMap { name -> [UnsafeMutableBufferPointer<Float>] in
            guard let slot = store.parameters[name], slot.hasGradient, let gradient = slot.gradient else { return [] }
            return stride(from: 0, to: slot.count, by: piece).map {
                UnsafeMutableBufferPointer(start: gradient + $0, count: min(piece, slot.count - $0))
            }
        }
    }

    private static func norm(
        _ pieces: [UnsafeMutableBufferPointer<Float>], _ type: Double, _ pool: ThreadPool
    ) -> Double {
        var parts = [Double](repeating: 0, count: pieces.count)
        parts.withUnsafeMutableBufferPointer { parts in
            pool.parallel(pieces.count) { index in
                let piece = UnsafeBufferPointer(pieces[index])
                parts[index] =
                    type == 2
                    ? squares(piece)
                    : type == .infinity
                        ? piece.reduce(0) { $1.isNaN ? .nan : max($0, Double(abs($1))) }
                        : piece.reduce(0) { $0 + pow(Double(abs($1)), type) }
            }
        }
        guard type != .infinity else { return parts.reduce(0) { $1.isNaN ? $1 : max($0, $1) } }
        let total = parts.reduce(0, +)
        return type == 2 ? total.squareRoot() : pow(total, 1 / type)
    }

    /// The sum of the squares, in sixteen parts.
    private static func squares(_ values: UnsafeBufferPointer<Float>) -> Double {
        guard let base = values.baseAddress.map({ UnsafeRawPointer($0) }) else { return 0 }
        var (even, odd) = (SIMD8<Double>(), SIMD8<Double>())
        let whole = values.count / 16 * 16
        let size = MemoryLayout<Float>.stride
        for index in stride(from: 0, to: whole, by: 16) {
            let a = SIMD8<Double>(base.loadUnaligned(fromByteOffset: index * size, as: SIMD8<Float>.self))
            let b = SIMD8<Double>(base.loadUnaligned(fromByteOffset: (index + 8) * size, as: SIMD8<Float>.self))
            even += a * a
            odd += b * b
        }
        return values[whole...].reduce((even + odd).sum()) { $0 + Double($1) * Double($1) }
    }
}
