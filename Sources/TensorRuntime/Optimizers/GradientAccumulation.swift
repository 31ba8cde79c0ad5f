/// Spreads one optimizer step over several batches, for batches larger than memory.
///
/// ```swift
/// var accumulation = try GradientAccumulation(batches: 4)
/// for batch in batches {
///     losses.append(try accumulation.add(batch, to: session))
///     if accumulation.isComplete { try optimizer.step(session.parameters) }
/// }
/// if accumulation.finish(session) { try optimizer.step(session.parameters) }
/// ```
///
/// With `.mean` the gradients are those of Σ loss / `batches`, as the usual `(loss / n).backward()` in PyTorch gives them: the
/// sum is divided once, which for powers of two gives the same bits. Statistics of batch norm are of each batch alone.
public struct GradientAccumulation: Sendable, Equatable {
    /// How the gradients of several batches become one.
    public enum Reduction: Sendable {
        case sum, mean
    }

    /// How many batches make a step.
    public let batches: Int
    /// How the gradients of batches become one.
    public let reduction: Reduction
    /// Batches whose gradients have been added since the last complete step.
    public private(set) var count = 0

    /// Throws `RuntimeError.invalidOptimizer` unless `batches` is positive.
    public init(batches: Int, reduction: Reduction = .mean) throws {
        guard batches > 0 else { throw RuntimeError.invalidOptimizer("gradients of \(batches) batches") }
        self.batches = batches
        self.reduction = reduction
    }

    /// Whether the gradients are now those of a whole step.
    public var isComplete: Bool { count == batches }

    /// Forward and backward pass of a batch, its gradients added to those before; the loss of the batch alone.
    ///
    /// Throws what `GraphSession.step` throws; the batch then does not count.
    public mutating func add(_ inputs: [String: Tensor], to session: GraphSession) throws -> Float {
        let isFirst = count == 0 || isComplete
        let loss = try session.step(inputs, accumulating: !isFirst)
        count = isFirst ? 1 : count + 1
        if isComplete { scale(session.parameters) }
        return loss
    }

    /// Completes what is left at the end of an epoch, still divided by `batches`; false when nothing is.
    public mutating func finish(_ session: GraphSession) -> Bool {
        guard count > 0, !isComplete else {
            count = 0
            return false
        }
        scale(session.parameters)
        count = 0
        return true
    }

    private func scale(_ parameters: ParameterStore) {
        if reduction == .mean, batches > 1 { parameters.scaleGradients(by: 1 / Float(batches)) }
    }
}
