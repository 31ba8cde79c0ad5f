/// The elements of a value in another order, repeated or joined: as PyTorch's functions of the same names.
extension OperationTable {
    static let rearrangements: [String: Composer.Composition] = [
        "stack": { c in
            let parts = c.operands
            guard let first = parts.first, parts.allSatisfy({ c.shape($0) == c.shape(first) }) else {
                throw ShapeFault("shapes \(parts.map(c.shape)) cannot be stacked")
            }
            var shape = c.shape(first)
            let axis = try resolveAxis(c.attributes.integer("axis", default: 0), rank: shape.count + 1)
            shape.insert(1, at: axis)
            var lifted: [Int] = []
            for part in parts { lifted.append(try c.reshape(part, shape)) }
            return try c.apply(Concatenate(axis: axis), lifted)
        },
        "roll": { c in
            var x = try c.input(0)
            let (shape, shifts) = (c.shape(x), try c.attributes.integers("shifts"))
            let axes = try c.attributes.integers("axes", default: [])
            if axes.isEmpty, shifts.count == 1 {
                let flat = try c.reshape(x, [shape.reduce(1, *)])
                return try c.reshape(c.roll(flat, by: shifts[0], axis: 0), shape)
            }
            guard axes.count == shifts.count else { throw ShapeFault("shifts \(shifts) along axes \(axes)") }
            for (shift, axis) in zip(shifts, axes) {
                x = try c.roll(x, by: shift, axis: resolveAxis(axis, rank: shape.count))
            }
            return x
        },
        // The whole repeated along each axis; added axes come first.
        "repeat": { c in
            let (x, times) = (try c.input(0), try c.attributes.integers("repeats"))
            let given = c.shape(x)
            guard times.count >= given.count, times.count <= 6, times.allSatisfy({ $0 > 0 && $0 <= 1 << 20 }) else {
                throw ShapeFault("repeats \(times) of shape \(given)")
            }
            var shape = [Int](repeating: 1, count: times.count - given.count) + given
            var result = try c.reshape(x, shape)
            for (axis, count) in times.enumerated() where count > 1 {
                let (before, after) = (shape[..<axis].reduce(1, *), shape[axis...].reduce(1, *))
                shape[axis] *= count
                let spread = try c.expand(c.reshape(result, [before, 1, after]), [before, count, after])
                result = try c.reshape(spread, shape)
            }
            return result
        },
        // N C·r² H W to N C H·r W·r (Shi et al. 2016).
        "pixel_shuffle": { c in
            let (x, r) = (try c.input(0), try c.attributes.integer("factor"))
            let shape = c.shape(x)
            guard shape.count == 4, (1...1024).contains(r), shape[1] % (r * r) == 0 else {
                throw ShapeFault("a factor of \(r) does not fit shape \(shape)")
            }
            let (n, k, h, w) = (shape[0], shape[1] / (r * r), shape[2], shape[3])
            let mixed = try c.permute(c.reshape(x, [n, k, r, r, h, w]), [0, 1, 4, 2, 5, 3])
            return try c.reshape(mixed, [n, k, h * r, w * r])
        },
        "pixel_unshuffle": { c in
            let (x, r) = (try c.input(0), try c.attributes.integer("factor"))
            let shape = c.shape(x)
            guard shape.count == 4, (1...1024).contains(r), shape[2] % r == 0, shape[3] % r == 0 else {
                throw ShapeFault("a factor of \(r) does not fit shape \(shape)")
            }
            let (n, k, h, w) = (shape[0], shape[1], shape[2] / r, shape[3] / r)
            let mixed = try c.permute(c.reshape(x, [n, k, h, r, w, r]), [0, 1, 3, 5, 2, 4])
            return try c.reshape(mixed, [n, k * r * r, h, w])
        },
        "tril": { c in try c.triangle { column, row, diagonal in column <= row + diagonal } },
        "triu": { c in try c.triangle { column, row, diagonal in column >= row + diagonal } },
    ]
}

extension Composer {
    fileprivate mutating func roll(_ x: Int, by shift: Int, axis: Int) throws -> Int {
        let size = shape(x)[axis]
        let cut = ((-shift % size) + size) % size
        guard cut > 0 else { return x }
        let head = try apply(Slice(axis: axis, start: 0, end: cut, step: 1), x)
        let tail = try apply(Slice(axis: axis, start: cut, end: size, step: 1), x)
        return try apply(Concatenate(axis: axis), tail, head)
    }

    /// The elements of the last two axes that are kept; the others become zero.
    fileprivate mutating func triangle(_ keeps: @escaping @Sendable (Int, Int, Int) -> Bool) throws -> Int {
        let (x, diagonal) = (try input(0), try attributes.integer("diagonal", default: 0))
        let shape = shape(x)
        guard shape.count >= 2 else { throw ShapeFault("shape \(shape) is no matrix") }
        let columns = shape[shape.count - 1]
        let pattern = try apply(
            Pattern(target: shape.suffix(2)) { keeps($0 % columns, $0 / columns, diagonal) ? 1 : 0 })
        return try apply(Choose(), pattern, x, constant(0))
    }
}
