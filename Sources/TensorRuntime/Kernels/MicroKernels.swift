/// One to four vectors side by side: the columns that a micro-kernel keeps in registers.
protocol Panel {
    static var vectors: Int { get }
    init()
    init(loading pointer: UnsafePointer<Float>)
    mutating func add(_ other: Self, times factor: Vector)
    func rectified() -> Self
    func store(_ pointer: UnsafeMutablePointer<Float>)
}

struct Panel1: Panel {
    var a = Vector()

    static var vectors: Int { 1 }

    @inline(__always) init() {}

    @inline(__always) init(loading pointer: UnsafePointer<Float>) {
        a = load(pointer)
    }

    @inline(__always) mutating func add(_ other: Panel1, times factor: Vector) {
        a = multiplyAdd(a, other.a, factor)
    }

    @inline(__always) func rectified() -> Panel1 {
        var result = self
        result.a = TensorRuntime.rectified(a)
        return result
    }

    @inline(__always) func store(_ pointer: UnsafeMutablePointer<Float>) {
        TensorRuntime.store(a, pointer)
    }
}

struct Panel2: Panel {
    var a = Vector()
    var b = Vector()

    static var vectors: Int { 2 }

    @inline(__always) init() {}

    @inline(__always) init(loading pointer: UnsafePointer<Float>) {
        a = load(pointer)
        b = load(pointer + 16)
    }

    @inline(__always) mutating func add(_ other: Panel2, times factor: Vector) {
        a = multiplyAdd(a, other.a, factor)
        b = multiplyAdd(b, other.b, factor)
    }

    @inline(__always) func rectified() -> Panel2 {
        var result = self
        result.a = TensorRuntime.rectified(a)
        result.b = TensorRuntime.rectified(b)
        return result
    }

    @inline(__always) func store(_ pointer: UnsafeMutablePointer<Float>) {
        TensorRuntime.store(a, pointer)
        TensorRuntime.store(b, pointer + 16)
    }
}

struct Panel3: Panel {
    var ab = Panel2()
    var c = Vector()

    static var vectors: Int { 3 }

    @inline(__always) init() {}

    @inline(__always) init(loading pointer: UnsafePointer<Float>) {
        ab = Panel2(loading: pointer)
        c = load(pointer + 32)
    }

    @inline(__always) mutating func add(_ other: Panel3, times factor: Vector) {
        ab.add(other.ab, times: factor)
        c = multiplyAdd(c, other.c, factor)
    }

    @inline(__always) func rectified() -> Panel3 {
        var result = self
        result.ab = ab.rectified()
        result.c = TensorRuntime.rectified(c)
        return result
    }

    @inline(__always) func store(_ pointer: UnsafeMutablePointer<Float>) {
        ab.store(pointer)
        TensorRuntime.store(c, pointer + 32)
    }
}

struct Panel4: Panel {
    var ab = Panel2()
    var cd = Panel2()

    static var vectors: Int { 4 }

    @inline(__always) init() {}

    @inline(__always) init(loading pointer: UnsafePointer<Float>) {
        ab = Panel2(loading: pointer)
        cd = Panel2(loading: pointer + 32)
    }

    @inline(__always) mutating func add(_ other: Panel4, times factor: Vector) {
        ab.add(other.ab, times: factor)
        cd.add(other.cd, times: factor)
    }

    @inline(__always) func rectified() -> Panel4 {
        var result = self
        result.ab = ab.rectified()
        result.cd = cd.rectified()
        return result
    }

    @inline(__always) func store(_ pointer: UnsafeMutablePointer<Float>) {
        ab.store(pointer)
        cd.store(pointer + 32)
    }
}

/// Where the products of a block begin: a stretch of `length` columns of A against as many rows of packed B.
struct Run {
    var a: Int
    var b: Int
}

/// How a block of results starts and ends.
struct Epilogue {
    /// Added to each row (one panel wide), or nil for zero.
    var bias: UnsafePointer<Float>?
    /// Whether the results are added to what is already there.
    var accumulates = false
    var rectifies = false
}

/// C = A · B for a few rows of A and one panel of B, all sums in registers (Goto and van de Geijn, 2008).
///
/// A has its rows `aStride` floats apart; B is packed, one panel wide; the product runs over all `runs`, each `length` long.
/// Six rows of three or four vectors, or twelve of one or two, fill the 32 registers of AVX-512.
enum MicroKernel<P: Panel> {
    /// Rows of one block.
    static var rows: Int {
        @inline(__always) get { P.vectors > 2 ? 6 : 12 }
    }

    @inline(__always)
    static func multiply(
        _ runs: UnsafeBufferPointer<Run>, length: Int, a: UnsafePointer<Float>, aStride: Int, b: UnsafePointer<Float>,
        c: UnsafeMutablePointer<Float>, cStride: Int, _ epilogue: Epilogue
    ) {
        if P.vectors > 2 {
            six(runs, length: length, a: a, aStride: aStride, b: b, c: c, cStride: cStride, epilogue)
        } else {
            twelve(runs, length: length, a: a, aStride: aStride, b: b, c: c, cStride: cStride, epilogue)
        }
    }

    @inline(__always)
    private static func start(_ epilogue: Epilogue, _ c: UnsafeMutablePointer<Float>) -> P {
        if epilogue.accumulates { return P(loading: c) }
        guard let bias = epilogue.bias else { return P() }
        return P(loading: bias)
    }

    @inline(__always)
    private static func finish(_ row: P, _ epilogue: Epilogue, _ c: UnsafeMutablePointer<Float>) {
        if epilogue.rectifies { row.rectified().store(c) } else { row.store(c) }
    }

    @inline(never)
    private static func six(
        _ runs: UnsafeBufferPointer<Run>, length: Int, a: UnsafePointer<Float>, aStride: Int, b: UnsafePointer<Float>,
        c: UnsafeMutablePointer<Float>, cStride: Int, _ epilogue: Epilogue
    ) {
        var r0 = start(epilogue, c)
        var r1 = start(epilogue, c + cStride)
        var r2 = start(epilogue, c + 2 &* cStride)
        var r3 = start(epilogue, c + 3 &* cStride)
        var r4 = start(epilogue, c + 4 &* cStride)
        var r5 = start(epilogue, c + 5 &* cStride)
        for run in runs {
            var pa = a + run.a
            var pb = b + run.b
            let end = pa + length
            while pa < end {
                let panel = P(loading: pb)
                r0.add(panel, times: Vector(repeating: pa[0]))
                r1.add(panel, times: Vector(repeating: pa[aStride]))
                r2.add(panel, times: Vector(repeating: pa[2 &* aStride]))
                r3.add(panel, times: Vector(repeating: pa[3 &* aStride]))
                r4.add(panel, times: Vector(repeating: pa[4 &* aStride]))
                r5.add(panel, times: Vector(repeating: pa[5 &* aStride]))
                pa += 1
                pb += P.vectors &* 16
            }
        }
        finish(r0, epilogue, c)
        finish(r1, epilogue, c + cStride)
        finish(r2, epilogue, c + 2 &* cStride)
        finish(r3, epilogue, c + 3 &* cStride)
        finish(r4, epilogue, c + 4 &* cStride)
        finish(r5, epilogue, c + 5 &* cStride)
    }

    @inline(never)
    private static func twelve(
        _ runs: UnsafeBufferPointer<Run>, length: Int, a: UnsafePointer<Float>, aStride: Int, b: UnsafePointer<Float>,
        c: UnsafeMutablePointer<Float>, cStride: Int, _ epilogue: Epilogue
    ) {
        let c6 = c + 6 &* cStride
        var r0 = start(epilogue, c)
        var r1 = start(epilogue, c + cStride)
        var r2 = start(epilogue, c + 2 &* cStride)
        var r3 = start(epilogue, c + 3 &* cStride)
        var r4 = start(epilogue, c + 4 &* cStride)
        var r5 = start(epilogue, c + 5 &* cStride)
        var r6 = start(epilogue, c6)
        var r7 = start(epilogue, c6 + cStride)
        var r8 = start(epilogue, c6 + 2 &* cStride)
        var r9 = start(epilogue, c6 + 3 &* cStride)
        var r10 = start(epilogue, c6 + 4 &* cStride)
        var r11 = start(epilogue, c6 + 5 &* cStride)
        for run in runs {
            var pa = a + run.a
            var pb = b + run.b
            let end = pa + length
            while pa < end {
                let panel = P(loading: pb)
                let pa6 = pa + 6 &* aStride
                r0.add(panel, times: Vector(repeating: pa[0]))
                r1.add(panel, times: Vector(repeating: pa[aStride]))
                r2.add(panel, times: Vector(repeating: pa[2 &* aStride]))
                r3.add(panel, times: Vector(repeating: pa[3 &* aStride]))
                r4.add(panel, times: Vector(repeating: pa[4 &* aStride]))
                r5.add(panel, times: Vector(repeating: pa[5 &* aStride]))
                r6.add(panel, times: Vector(repeating: pa6[0]))
                r7.add(panel, times: Vector(repeating: pa6[aStride]))
                r8.add(panel, times: Vector(repeating: pa6[2 &* aStride]))
                r9.add(panel, times: Vector(repeating: pa6[3 &* aStride]))
                r10.add(panel, times: Vector(repeating: pa6[4 &* aStride]))
                r11.add(panel, times: Vector(repeating: pa6[5 &* aStride]))
                pa += 1
                pb += P.vectors &* 16
            }
        }
        finish(r0, epilogue, c)
        finish(r1, epilogue, c + cStride)
        finish(r2, epilogue, c + 2 &* cStride)
        finish(r3, epilogue, c + 3 &* cStride)
        finish(r4, epilogue, c + 4 &* cStride)
        finish(r5, epilogue, c + 5 &* cStride)
        finish(r6, epilogue, c6)
        finish(r7, epilogue, c6 + cStride)
        finish(r8, epilogue, c6 + 2 &* cStride)
        finish(r9, epilogue, c6 + 3 &* cStride)
        finish(r10, epilogue, c6 + 4 &* cStride)
        finish(r11, epilogue, c6 + 5 &* cStride)
    }

    /// One row, for what is left over.
    @inline(never)
    static func one(
        _ runs: UnsafeBufferPointer<Run>, length: Int, a: UnsafePointer<Float>, b: UnsafePointer<Float>,
        c: UnsafeMutablePointer<Float>, _ epilogue: Epilogue
    ) {
        var row = start(epilogue, c)
        for run in runs {
            let pa = a + run.a
            var pb = b + run.b
            for index in 0..<length {
                row.add(P(loading: pb), times: Vector(repeating: pa[index]))
                pb += P.vectors &* 16
            }
        }
        finish(row, epilogue, c)
    }

    /// Columns of A that one transposed block covers.
    static var columns: Int {
        @inline(__always) get { P.vectors > 3 ? 4 : 8 }
    }

    /// C = Aᵀ · B, or C += Aᵀ · B, over `depth` rows of A and B: `columns` columns of A (neighbours in memory) against one panel of B.
    @inline(__always)
    static func multiplyTransposed(
        depth: Int, a: UnsafePointer<Float>, aStride: Int, b: UnsafePointer<Float>, bStride: Int,
        c: UnsafeMutablePointer<Float>, cStride: Int, accumulates: Bool
    ) {
        if P.vectors > 3 {
            fourTransposed(
                depth: depth, a: a, aStride: aStride, b: b, bStride: bStride, c: c, cStride: cStride,
                accumulates: accumulates)
        } else {
            eightTransposed(
                depth: depth, a: a, aStride: aStride, b: b, bStride: bStride, c: c, cStride: cStride,
                accumulates: accumulates)
        }
    }

    @inline(never)
    private static func fourTransposed(
        depth: Int, a: UnsafePointer<Float>, aStride: Int, b: UnsafePointer<Float>, bStride: Int,
        c: UnsafeMutablePointer<Float>, cStride: Int, accumulates: Bool
    ) {
        var r0 = accumulates ? P(loading: c) : P()
        var r1 = accumulates ? P(loading: c + cStride) : P()
        var r2 = accumulates ? P(loading: c + 2 &* cStride) : P()
        var r3 = accumulates ? P(loading: c + 3 &* cStride) : P()
        var pa = a
        var pb = b
        for _ in 0..<depth {
            let panel = P(loading: pb)
            r0.add(panel, times: Vector(repeating: pa[0]))
            r1.add(panel, times: Vector(repeating: pa[1]))
            r2.add(panel, times: Vector(repeating: pa[2]))
            r3.add(panel, times: Vector(repeating: pa[3]))
            pa += aStride
            pb += bStride
        }
        r0.store(c)
        r1.store(c + cStride)
        r2.store(c + 2 &* cStride)
        r3.store(c + 3 &* cStride)
    }

    @inline(never)
    private static func eightTransposed(
        depth: Int, a: UnsafePointer<Float>, aStride: Int, b: UnsafePointer<Float>, bStride: Int,
        c: UnsafeMutablePointer<Float>, cStride: Int, accumulates: Bool
    ) {
        var r0 = accumulates ? P(loading: c) : P()
        var r1 = accumulates ? P(loading: c + cStride) : P()
        var r2 = accumulates ? P(loading: c + 2 &* cStride) : P()
        var r3 = accumulates ? P(loading: c + 3 &* cStride) : P()
        var r4 = accumulates ? P(loading: c + 4 &* cStride) : P()
        var r5 = accumulates ? P(loading: c + 5 &* cStride) : P()
        var r6 = accumulates ? P(loading: c + 6 &* cStride) : P()
        var r7 = accumulates ? P(loading: c + 7 &* cStride) : P()
        var pa = a
        var pb = b
        for _ in 0..<depth {
            let panel = P(loading: pb)
            r0.add(panel, times: Vector(repeating: pa[0]))
            r1.add(panel, times: Vector(repeating: pa[1]))
            r2.add(panel, times: Vector(repeating: pa[2]))
            r3.add(panel, times: Vector(repeating: pa[3]))
            r4.add(panel, times: Vector(repeating: pa[4]))
            r5.add(panel, times: Vector(repeating: pa[5]))
            r6.add(panel, times: Vector(repeating: pa[6]))
            r7.add(panel, times: Vector(repeating: pa[7]))
            pa += aStride
            pb += bStride
        }
        r0.store(c)
        r1.store(c + cStride)
        r2.store(c + 2 &* cStride)
        r3.store(c + 3 &* cStride)
        r4.store(c + 4 &* cStride)
        r5.store(c + 5 &* cStride)
        r6.store(c + 6 &* cStride)
        r7.store(c + 7 &* cStride)
    }
}

/// How a row of channels, padded to whole vectors, is cut into panels: as many of four vectors as fit, then what is left.
struct Panels {
    let vectors: Int

    init(channels: Int) {
        vectors = padded(channels) / lanes
    }

    /// Calls `body(first channel, vectors)` for each panel from left to right.
    @inline(__always)
    func walk(_ body: (_ channel: Int, _ vectors: Int) -> Void) {
        var first = 0
        while first < vectors {
            let width = min(4, vectors &- first)
            body(first &* lanes, width)
            first &+= width
        }
    }

    var count: Int { (vectors + 3) / 4 }

    /// The panel with this number.
    @inline(__always)
    subscript(index: Int) -> (channel: Int, vectors: Int) {
        (index &* 4 &* lanes, min(4, vectors &- 4 &* index))
    }
}
