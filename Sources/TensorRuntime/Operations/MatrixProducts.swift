/// Products of matrices with broadcasting, and sums of products in Einstein's notation.
extension OperationTable {
    static let matrixProducts: [String: Composer.Composition] = [
        "matmul": { c in
            try c.expect(2...2)
            return try c.matmul(c.input(0), c.input(1))
        },
        "einsum": { c in
            let operands = c.operands
            guard operands.count == c.attributes.node.inputs.count, (1...2).contains(operands.count) else {
                throw ShapeFault("only sums over the products of one or two operands are supported")
            }
            return try c.einsum(EinsumEquation(c.attributes.string("equation"), operands: operands.map(c.shape)))
        },
    ]
}

extension Composer {
    /// PyTorch's `matmul`: vectors become matrices, the axes before the last two are broadcast.
    mutating func matmul(_ left: Int, _ right: Int) throws -> Int {
        let (x, y) = (shape(left), shape(right))
        let fault = ShapeFault("matrices \(x) and \(y) cannot be multiplied")
        guard !x.isEmpty, !y.isEmpty, x.last == y[max(y.count - 2, 0)] else { throw fault }
        var a = try reshape(left, x.count == 1 ? [1] + x : x)
        var b = try reshape(right, y.count == 1 ? y + [1] : y)
        guard let batch = try? broadcastShape(shape(a).dropLast(2), shape(b).dropLast(2)) else { throw fault }
        let matrix = [shape(a)[shape(a).count - 2], shape(b)[shape(b).count - 1]]
        let inner = x[x.count - 1]
        let count = batch.reduce(1, *)
        if shape(b).count == 2, !batch.isEmpty {
            // One matrix on the right: all rows on the left at once.
            a = try reshape(a, [count * matrix[0], inner])
        } else if !batch.isEmpty {
            a = try reshape(expand(a, batch + [matrix[0], inner]), [count, matrix[0], inner])
            b = try reshape(expand(b, batch + [inner, matrix[1]]), [count, inner, matrix[1]])
        }
        let product = try apply(MatrixProduct(), a, b)
        return try reshape(
            product, batch + (x.count == 1 ? [] : [matrix[0]]) + (y.count == 1 ? [] : [matrix[1]]))
    }

    /// Axes that only one operand has and the result lacks are summed first; what remains is a batched matrix product.
    fileprivate mutating func einsum(_ equation: EinsumEquation) throws -> Int {
        var (values, labels) = (operands, equation.operands)
        for index in values.indices {
            let others = labels.indices.filter { $0 != index }.flatMap { labels[$0] } + equation.result
            let single = labels[index].indices.filter { !others.contains(labels[index][$0]) }
            if !single.isEmpty { values[index] = try sum(values[index], single) }
            labels[index] = labels[index].filter(others.contains)
        }
        guard values.count == 2 else { return try permute(values[0], EinsumEquation.order(labels[0], equation.result)) }
        let (a, b) = (labels[0], labels[1])
        let batch = a.filter { b.contains($0) && equation.result.contains($0) }
        let inner = a.filter { b.contains($0) && !equation.result.contains($0) }
        let (rows, columns) = (a.filter { !b.contains($0) }, b.filter { !a.contains($0) })
        func size(_ labels: [Character]) -> Int { labels.reduce(1) { $0 * (equation.sizes[$1] ?? 1) } }
        let left = try reshape(
            permute(values[0], EinsumEquation.order(a, batch + rows + inner)), [size(batch), size(rows), size(inner)])
        let right = try reshape(
            permute(values[1], EinsumEquation.order(b, batch + inner + columns)),
            [size(batch), size(inner), size(columns)])
        let product = try reshape(
            apply(MatrixProduct(), left, right), (batch + rows + columns).map { equation.sizes[$0] ?? 1 })
        return try permute(product, EinsumEquation.order(batch + rows + columns, equation.result))
    }
}

/// An equation such as `bhid,bhjd->bhij`: letters name axes; without an arrow the result has those that occur once, in order.
struct EinsumEquation {
    private(set) var operands: [[Character]]
    private(set) var result: [Character]
    /// The size of each axis.
    private(set) var sizes: [Character: Int] = [:]

    /// Throws `ShapeFault` for ellipses, repeated letters within an operand, and sizes that contradict each other.
    init(_ text: String, operands shapes: [[Int]]) throws {
        let sides = text.filter { $0 != " " }.split(separator: "->", omittingEmptySubsequences: false)
        operands = sides[0].split(separator: ",", omittingEmptySubsequences: false).map(Array.init)
        let all = operands.joined()
        result = all.filter { letter in all.count { $0 == letter } == 1 }.sorted()
        if sides.count > 1 { result = Array(sides[1]) }
        let isPlain = (operands + [result]).allSatisfy { part in
            Set(part).count == part.count && part.allSatisfy { $0.isASCII && $0.isLetter }
        }
        guard sides.count <= 2, operands.count == shapes.count, isPlain, result.allSatisfy(all.contains) else {
            throw ShapeFault(
                "the equation \(text) is not of the supported kind: one letter an axis, none twice in an operand, no ellipsis"
            )
        }
        for (letters, shape) in zip(operands, shapes) {
            guard letters.count == shape.count else {
                throw ShapeFault("\(String(letters)) of the equation \(text) does not name the axes of shape \(shape)")
            }
            for (letter, size) in zip(letters, shape) where sizes.updateValue(size, forKey: letter) ?? size != size {
                throw ShapeFault("the axis \(letter) of the equation \(text) has several sizes in shapes \(shapes)")
            }
        }
    }

    /// The permutation that brings axes with these letters into another order.
    static func order(_ letters: [Character], _ wanted: [Character]) -> [Int] {
        wanted.compactMap { letters.firstIndex(of: $0) }
    }
}
