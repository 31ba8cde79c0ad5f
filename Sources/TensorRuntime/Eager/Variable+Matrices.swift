extension Variable {
    /// x Wᵀ + b over the last axis, weights O I.
    public func linear(_ weight: Variable, bias: Variable? = nil) throws -> Variable {
        try apply("linear", [weight, bias])
    }

    /// The product of matrices … M K and … K N, the axes before broadcast; a vector stands for a row on the left and a column on the
    /// right, as in PyTorch.
    public func matmul(_ other: Variable) throws -> Variable { try apply("matmul", [other]) }

    /// The sum over the products of one or two operands in Einstein's notation: `bhid,bhjd->bhij`. One letter an axis, none twice in
    /// an operand, no ellipsis; without an arrow the result has the axes that occur once, in alphabetic order.
    public static func einsum(_ equation: String, _ operands: Variable...) throws -> Variable {
        try apply("einsum", operands, ["equation": .string(equation)])
    }

    /// Scaled dot-product attention of queries … L E (this), keys … S E and values … S V: softmax(q kᵀ · scale + mask) v (Vaswani et
    /// al. 2017), as `torch.nn.functional.scaled_dot_product_attention`.
    ///
    /// `mask`, broadcast to … L S, is added to the scores; `visible` is 1 where a query sees a key, 0 elsewhere. With `isCausal`
    /// a query sees the keys up to its own position. A query that sees nothing yields zeros. `scale` is 1/√E unless given.
    /// Cost: 2 · L · S · (E + V) operations and L · S memory for each matrix.
    public func attention(
        keys: Variable, values: Variable, mask: Variable? = nil, visible: Variable? = nil, isCausal: Bool = false,
        scale: Double? = nil
    ) throws -> Variable {
        var attributes: [String: AttributeValue] = ["is_causal": .bool(isCausal)]
        if let scale { attributes["scale"] = .number(scale) }
        var bias = mask
        if let visible {
            let hidden = try visible.choose(Variable(0), otherwise: Variable(-Double.infinity))
            bias = try mask.map { try $0 + hidden } ?? hidden
        }
        return try apply("scaled_dot_product_attention", [keys, values] + (bias.map { [$0] } ?? []), attributes)
    }

    /// The elements of the last two axes on and below a diagonal (0: the main one, positive: above it), zeros elsewhere.
    public func lowerTriangle(diagonal: Int = 0) throws -> Variable {
        try apply("tril", [], ["diagonal": .number(Double(diagonal))])
    }

    /// The elements of the last two axes on and above a diagonal, zeros elsewhere.
    public func upperTriangle(diagonal: Int = 0) throws -> Variable {
        try apply("triu", [], ["diagonal": .number(Double(diagonal))])
    }
}
