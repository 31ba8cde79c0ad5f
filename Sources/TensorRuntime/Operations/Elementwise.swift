/// Loops over one element of each operand at a time; contiguous rows are written so that the compiler vectorises them.
enum Elementwise {
    typealias Floats = UnsafeMutablePointer<Float>

    static func copy(_ plan: NestPlan, _ target: Floats, _ source: Floats, _ pool: ThreadPool) {
        plan.forEachRow(pool) { offsets, count in
            let (y, x) = (target + offsets[0], source + offsets[1])
            if plan.inner[0] == 1, plan.inner[1] == 1 {
                y.update(from: x, count: count)
            } else {
                let (ys, xs) = (plan.inner[0], plan.inner[1])
                for i in 0..<count { y[i * ys] = x[i * xs] }
            }
        }
    }

    static func accumulate(_ plan: NestPlan, _ target: Floats, _ source: Floats, _ pool: ThreadPool) {
        plan.forEachRow(pool) { offsets, count in
            let (y, x) = (target + offsets[0], source + offsets[1])
            if plan.inner[0] == 1, plan.inner[1] == 1 {
                for i in 0..<count { y[i] += x[i] }
            } else {
                let (ys, xs) = (plan.inner[0], plan.inner[1])
                for i in 0..<count { y[i * ys] += x[i * xs] }
            }
        }
    }

    static func fill(_ plan: NestPlan, _ target: Floats, _ value: Float, _ pool: ThreadPool) {
        plan.forEachRow(pool) { offsets, count in
            let y = target + offsets[0]
            for i in 0..<count { y[i * plan.inner[0]] = value }
        }
    }

    /// y = f(a, b)
    @inline(__always)
    static func map2(
        _ plan: NestPlan, _ target: Floats, _ first: Floats, _ second: Floats, _ pool: ThreadPool,
        _ f: (Float, Float) -> Float
    ) {
        plan.forEachRow(pool) { offsets, count in
            let (y, a, b) = (target + offsets[0], first + offsets[1], second + offsets[2])
            let (ys, xs, zs) = (plan.inner[0], plan.inner[1], plan.inner[2])
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
    static func map3(
        _ plan: NestPlan, adds: Bool, _ target: Floats, _ first: Floats, _ second: Floats, _ third: Floats,
        _ pool: ThreadPool, _ f: (Float, Float, Float) -> Float
    ) {
        let keep: Float = adds ? 1 : 0
        plan.forEachRow(pool) { offsets, count in
            let (y, a, b, c) = (target + offsets[0], first + offsets[1], second + offsets[2], third + offsets[3])
            let (ys, xs, zs, ws) = (plan.inner[0], plan.inner[1], plan.inner[2], plan.inner[3])
            if ys == 1, xs == 1, zs == 1, ws == 1, keep == 0 {
                for i in 0..<count { y[i] = f(a[i], b[i], c[i]) }
            } else if ys == 1, xs == 1, zs == 1, ws == 1 {
                for i in 0..<count { y[i] += f(a[i], b[i], c[i]) }
            } else if keep == 0 {
                for i in 0..<count { y[i * ys] = f(a[i * xs], b[i * zs], c[i * ws]) }
            } else {
                for i in 0..<count { y[i * ys] += f(a[i * xs], b[i * zs], c[i * ws]) }
            }
        }
    }

    /// y = f(a, b, c, d)
    @inline(__always)
    static func map4(
        _ plan: NestPlan, _ target: Floats, _ first: Floats, _ second: Floats, _ third: Floats, _ fourth: Floats,
        _ pool: ThreadPool, _ f: (Float, Float, Float, Float) -> Float
    ) {
        plan.forEachRow(pool) { offsets, count in
            let (y, a, b) = (target + offsets[0], first + offsets[1], second + offsets[2])
            let (c, d) = (third + offsets[3], fourth + offsets[4])
            let s = plan.inner
            if s[0] == 1, s[1] == 1, s[2] == 1, s[3] == 1, s[4] == 1 {
                for i in 0..<count { y[i] = f(a[i], b[i], c[i], d[i]) }
            } else {
                for i in 0..<count { y[i * s[0]] = f(a[i * s[1]], b[i * s[2]], c[i * s[3]], d[i * s[4]]) }
            }
        }
    }
}
