/// Loops over one element of each operand at a time; contiguous rows are written so that the compiler vectorises them.
enum Elementwise {
    typealias Floats = UnsafeMutablePointer<Float>

    static func copy(_ plan: NestPlan, _ target: Floats, _ source: Floats, _ pool: ThreadPool) {
        plan.forEachPart(pool, with: (target, source)) { job, part in
            let (ys, xs) = (part.inner[0], part.inner[1])
            part.forEachRow { offsets, count in
                let (y, x) = (job.0 + offsets[0], job.1 + offsets[1])
                if ys == 1, xs == 1 {
                    y.update(from: x, count: count)
                } else {
                    for i in 0..<count { y[i * ys] = x[i * xs] }
                }
            }
        }
    }

    static func accumulate(_ plan: NestPlan, _ target: Floats, _ source: Floats, _ pool: ThreadPool) {
        plan.forEachPart(pool, with: (target, source)) { job, part in
            let (ys, xs) = (part.inner[0], part.inner[1])
            part.forEachRow { offsets, count in
                let (y, x) = (job.0 + offsets[0], job.1 + offsets[1])
                if ys == 1, xs == 1 {
                    for i in 0..<count { y[i] += x[i] }
                } else {
                    for i in 0..<count { y[i * ys] += x[i * xs] }
                }
            }
        }
    }

    static func fill(_ plan: NestPlan, _ target: Floats, _ value: Float, _ pool: ThreadPool) {
        plan.forEachPart(pool, with: (target, value)) { job, part in
            let (value, ys) = (job.1, part.inner[0])
            part.forEachRow { offsets, count in
                let y = job.0 + offsets[0]
                for i in 0..<count { y[i * ys] = value }
            }
        }
    }
}

/// The same with a formula, which is compiled into the loop; operands are in the order of the nest.
extension NestPart {
    typealias Floats = Elementwise.Floats

    /// y = f(a, b)
    @inline(__always)
    func map2(_ target: Floats, _ first: Floats, _ second: Floats, _ f: (Float, Float) -> Float) {
        let (ys, xs, zs) = (inner[0], inner[1], inner[2])
        forEachRow { offsets, count in
            let (y, a, b) = (target + offsets[0], first + offsets[1], second + offsets[2])
            if ys == 1, xs == 1, zs == 1 {
                for i in 0..<count { y[i] = f(a[i], b[i]) }
            } else if ys == 1, xs == 1, zs == 0 {
                let constant = b.pointee
                for i in 0..<count { y[i] = f(a[i], constant) }
            } else {
                for i in 0..<count { y[i * ys] = f(a[i * xs], b[i * zs]) }
            }
        }
    }

    /// y = f(a, b, c) (+ y when `adds`)
    @inline(__always)
    func map3(
        adds: Bool, _ target: Floats, _ first: Floats, _ second: Floats, _ third: Floats,
        _ f: (Float, Float, Float) -> Float
    ) {
        let (ys, xs, zs, ws) = (inner[0], inner[1], inner[2], inner[3])
        forEachRow { offsets, count in
            let (y, a, b, c) = (target + offsets[0], first + offsets[1], second + offsets[2], third + offsets[3])
            if ys == 1, xs == 1, zs == 1, ws == 1, !adds {
                for i in 0..<count { y[i] = f(a[i], b[i], c[i]) }
            } else if ys == 1, xs == 1, zs == 1, ws == 1 {
                for i in 0..<count { y[i] += f(a[i], b[i], c[i]) }
            } else if !adds {
                for i in 0..<count { y[i * ys] = f(a[i * xs], b[i * zs], c[i * ws]) }
            } else {
                for i in 0..<count { y[i * ys] += f(a[i * xs], b[i * zs], c[i * ws]) }
            }
        }
    }

    /// y = f(a, b, c, d)
    @inline(__always)
    func map4(
        _ target: Floats, _ first: Floats, _ second: Floats, _ third: Floats, _ fourth: Floats,
        _ f: (Float, Float, Float, Float) -> Float
    ) {
        let s = inner
        forEachRow { offsets, count in
            let (y, a, b) = (target + offsets[0], first + offsets[1], second + offsets[2])
            let (c, d) = (third + offsets[3], fourth + offsets[4])
            if s[0] == 1, s[1] == 1, s[2] == 1, s[3] == 1, s[4] == 1 {
                for i in 0..<count { y[i] = f(a[i], b[i], c[i], d[i]) }
            } else {
                for i in 0..<count { y[i * s[0]] = f(a[i * s[1]], b[i * s[2]], c[i * s[3]], d[i * s[4]]) }
            }
        }
    }
}
