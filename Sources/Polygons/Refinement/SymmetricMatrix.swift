/// A small dense symmetric matrix.
struct SymmetricMatrix: Sendable {
    /// A square matrix, row by row.
    struct Square: Sendable {
        let size: Int
        var values: [Double]

        func times(_ vector: [Double]) -> [Double] {
            (0..<size).map { row in (0..<size).reduce(0) { $0 + values[row * size + $1] * vector[$1] } }
        }

        func transposedTimes(_ vector: [Double]) -> [Double] {
            (0..<size).map { column in (0..<size).reduce(0) { $0 + values[$1 * size + column] * vector[$1] } }
        }
    }

    /// Eigenvalues, and the eigenvectors as the columns of an orthogonal matrix.
    struct Eigen: Sendable {
        var values: [Double]
        var vectors: Square
    }

    let size: Int
    private(set) var values: [Double]

    init(identity size: Int) {
        self.size = size
        values = (0..<(size * size)).map { $0 % (size + 1) == 0 ? 1 : 0 }
    }

    mutating func scale(_ factor: Double) {
        for index in values.indices { values[index] *= factor }
    }

    /// Adds a multiple of v vᵀ.
    mutating func add(_ factor: Double, _ vector: [Double]) {
        for row in 0..<size {
            for column in 0..<size { values[row * size + column] += factor * vector[row] * vector[column] }
        }
    }

    /// By cyclic rotations (Jacobi 1846; the stable form of Golub and Van Loan, *Matrix Computations*, section 8.5). O(n³) a sweep.
    func eigen() -> Eigen {
        var a = values
        var vectors = SymmetricMatrix(identity: size).values
        let scale = a.reduce(0) { $0 + $1 * $1 }
        for _ in 0..<60 {
            var outside = 0.0
            for p in 0..<size { for q in 0..<size where p != q { outside += a[p * size + q] * a[p * size + q] } }
            if !(outside > 1e-32 * scale) { break }
            for p in 0..<size { for q in (p + 1)..<max(size, p + 1) { Self.rotate(&a, &vectors, size, p, q) } }
        }
        return Eigen(values: (0..<size).map { a[$0 * size + $0] }, vectors: Square(size: size, values: vectors))
    }

    private static func rotate(_ a: inout [Double], _ vectors: inout [Double], _ n: Int, _ p: Int, _ q: Int) {
        let off = a[p * n + q]
        guard off != 0 else { return }
        let tau = (a[q * n + q] - a[p * n + p]) / (2 * off)
        let t = (tau >= 0 ? 1 : -1) / (abs(tau) + (1 + tau * tau).squareRoot())
        let c = 1 / (1 + t * t).squareRoot()
        let s = t * c
        for k in 0..<n {
            let (x, y) = (a[k * n + p], a[k * n + q])
            (a[k * n + p], a[k * n + q]) = (c * x - s * y, s * x + c * y)
        }
        for k in 0..<n {
            let (x, y) = (a[p * n + k], a[q * n + k])
            (a[p * n + k], a[q * n + k]) = (c * x - s * y, s * x + c * y)
        }
        for k in 0..<n {
            let (x, y) = (vectors[k * n + p], vectors[k * n + q])
            (vectors[k * n + p], vectors[k * n + q]) = (c * x - s * y, s * x + c * y)
        }
    }
}
