extension Variable {
    /// Each element zeroed with probability p, the others divided by 1 - p (Srivastava et al. 2014).
    public func dropout(_ p: Double = 0.5) throws -> Variable { try droppedOut("dropout", p, maskShape: shape) }

    /// Each channel of N C … zeroed with probability p, the others divided by 1 - p (Tompson et al. 2015): PyTorch's `dropout1d` to
    /// `dropout3d`.
    public func channelDropout(_ p: Double = 0.5) throws -> Variable {
        guard shape.count >= 3 else { throw failure("channel_dropout", "shape \(shape) is not N C …") }
        return try droppedOut(
            "channel_dropout", p, maskShape: shape.prefix(2) + [Int](repeating: 1, count: shape.count - 2))
    }

    /// A mask of size one along an axis is shared along it.
    private func droppedOut(_ name: String, _ p: Double, maskShape: [Int]) throws -> Variable {
        guard p >= 0, p <= 1 else { throw failure(name, "p = \(p) is no probability") }
        let mask = try Variable.bernoulli(maskShape, probability: 1 - p)
        return try self * mask * (p < 1 ? 1 / (1 - p) : 0)
    }
}
