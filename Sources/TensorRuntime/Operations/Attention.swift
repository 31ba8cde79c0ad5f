/// Scaled dot-product attention (Vaswani et al. 2017): softmax(q kᵀ · scale + mask) v.
extension OperationTable {
    static let attention: [String: Composer.Composition] = [
        // query … L E, key … S E, value … S V, mask? broadcast to … L S (Boolean: true takes part; otherwise added).
        "scaled_dot_product_attention": { c in
            try c.expect(3...4)
            let (query, key, value) = (try c.input(0), try c.input(1), try c.input(2))
            let (q, k) = (c.shape(query), c.shape(key))
            guard q.count >= 2, k.count >= 2 else { throw ShapeFault("queries \(q) and keys \(k) are no matrices") }
            guard try c.attributes.number("dropout_p", default: 0) == 0 else {
                throw ShapeFault("dropout inside attention is not supported")
            }
            let scale = try c.attributes.number("scale", default: 1 / Double(q[q.count - 1]).squareRoot())
            let turned = Array(0..<k.count - 2) + [k.count - 1, k.count - 2]
            var scores = try c.matmul(c.affine(query, scale: scale), c.permute(key, turned))
            let isCausal = try c.attributes.flag("is_causal")
            if let mask = c.optional(3) {
                guard !isCausal else { throw ShapeFault("a mask and is_causal exclude each other") }
                let excluded = try c.constant(-.infinity)
                scores =
                    c.isBoolean(mask)
                    ? try c.apply(Choose(), mask, scores, excluded) : try c.add(scores, mask)
            } else if isCausal {
                let (rows, columns) = (q[q.count - 2], k[k.count - 2])
                // A query sees the keys up to its own position, counted from the start.
                let past = try c.apply(
                    Pattern(target: [rows, columns]) { $0 % columns <= $0 / columns ? 0 : -.infinity })
                scores = try c.add(scores, past)
            }
            let weights = try c.apply(Softmax(axis: -1, isLogarithm: false, isSafe: true), scores)
            return try c.matmul(weights, value)
        }
    ]
}
