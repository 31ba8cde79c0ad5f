/// The transforms of F(4×4, 3×3): four outputs along an axis from six inputs and three taps with six products instead of twelve
/// (Winograd 1980; Lavin and Gray 2016, arXiv:1509.09308, section 4.3), for sixteen channels at a time.
///
/// Y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A. The weight gradient is the transposed bilinear map: dg = Gᵀ [(Bᵀ d B) ⊙ (A y Aᵀ)] G, summed over
/// tiles before the last step. The polynomials are interpolated at 0, ±a, ±b and ∞ with a = 5/8 and b = 3/2 instead of the usual 1
/// and 2: rounding errors halve, the largest ones shrink to a quarter (Barabasz, Anderson, Soodhalter and Gregg 2020, "Error
/// analysis and improving the accuracy of Winograd convolution for deep neural networks", on the choice of points), and all powers
/// are exact in binary.
enum Winograd {
    /// Outputs along an axis of a tile, inputs, and products of a tile.
    static let outputs = 4
    static let inputs = 6
    static let points = 36

    typealias Six = (Vector, Vector, Vector, Vector, Vector, Vector)
    typealias Four = (Vector, Vector, Vector, Vector)

    /// The interpolation points and what follows from them; literals, so that the compiler folds them.
    private enum Point {
        @inline(__always) static var a: Float { 0.625 }
        @inline(__always) static var b: Float { 1.5 }
        @inline(__always) static var a2: Float { 0.390625 }
        @inline(__always) static var b2: Float { 2.25 }
        @inline(__always) static var a3: Float { 0.244140625 }
        @inline(__always) static var b3: Float { 3.375 }
        /// a² b² and a² + b².
        @inline(__always) static var product: Float { 0.87890625 }
        @inline(__always) static var sum: Float { 2.640625 }
        /// 1 / (a² b²), 1 / (2 a² (a² - b²)), 1 / (2 b² (b² - a²)): the Lagrange denominators.
        @inline(__always) static var scale0: Float { 1.0 / 0.87890625 }
        @inline(__always) static var scaleA: Float { -1.0 / 1.45263671875 }
        @inline(__always) static var scaleB: Float { 1.0 / 8.3671875 }
    }

    @inline(__always)
    private static func plus(_ sum: Vector, _ a: Vector, times factor: Float) -> Vector {
        multiplyAdd(sum, a, Vector(repeating: factor))
    }

    /// Bᵀ d.
    @inline(__always)
    static func input(_ d0: Vector, _ d1: Vector, _ d2: Vector, _ d3: Vector, _ d4: Vector, _ d5: Vector) -> Six {
        let evenA = plus(d4, d2, times: -Point.b2)
        let oddA = plus(d3, d1, times: -Point.b2)
        let evenB = plus(d4, d2, times: -Point.a2)
        let oddB = plus(d3, d1, times: -Point.a2)
        return (
            plus(plus(d4, d2, times: -Point.sum), d0, times: Point.product),
            plus(evenA, oddA, times: Point.a), plus(evenA, oddA, times: -Point.a),
            plus(evenB, oddB, times: Point.b), plus(evenB, oddB, times: -Point.b),
            plus(plus(d5, d3, times: -Point.sum), d1, times: Point.product)
        )
    }

    /// Aᵀ m.
    @inline(__always)
    static func output(_ m0: Vector, _ m1: Vector, _ m2: Vector, _ m3: Vector, _ m4: Vector, _ m5: Vector) -> Four {
        let s1 = m1 + m2
        let s2 = m1 - m2
        let s3 = m3 + m4
        let s4 = m3 - m4
        return (
            m0 + s1 + s3, plus(s2 * Point.a, s4, times: Point.b), plus(s1 * Point.a2, s3, times: Point.b2),
            plus(plus(m5, s2, times: Point.a3), s4, times: Point.b3)
        )
    }

    /// A y.
    @inline(__always)
    static func gradient(_ y0: Vector, _ y1: Vector, _ y2: Vector, _ y3: Vector) -> Six {
        let evenA = plus(y0, y2, times: Point.a2)
        let oddA = plus(y1, y3, times: Point.a2)
        let evenB = plus(y0, y2, times: Point.b2)
        let oddB = plus(y1, y3, times: Point.b2)
        return (
            y0, plus(evenA, oddA, times: Point.a), plus(evenA, oddA, times: -Point.a),
            plus(evenB, oddB, times: Point.b), plus(evenB, oddB, times: -Point.b), y3
        )
    }

    /// G g.
    @inline(__always)
    static func weight(_ g0: Vector, _ g1: Vector, _ g2: Vector) -> Six {
        let evenA = plus(g0, g2, times: Point.a2) * Point.scaleA
        let evenB = plus(g0, g2, times: Point.b2) * Point.scaleB
        let (oddA, oddB) = (Point.a * Point.scaleA, Point.b * Point.scaleB)
        return (
            g0 * Point.scale0, plus(evenA, g1, times: oddA), plus(evenA, g1, times: -oddA),
            plus(evenB, g1, times: oddB), plus(evenB, g1, times: -oddB), g2
        )
    }

    /// Gᵀ u.
    @inline(__always)
    static func weightGradient(
        _ u0: Vector, _ u1: Vector, _ u2: Vector, _ u3: Vector, _ u4: Vector, _ u5: Vector
    ) -> (Vector, Vector, Vector) {
        let evenA = (u1 + u2) * Point.scaleA
        let oddA = (u1 - u2) * Point.scaleA
        let evenB = (u3 + u4) * Point.scaleB
        let oddB = (u3 - u4) * Point.scaleB
        return (
            plus(evenA + evenB, u0, times: Point.scale0), plus(oddA * Point.a, oddB, times: Point.b),
            plus(plus(u5, evenA, times: Point.a2), evenB, times: Point.b2)
        )
    }

    /// Bᵀ d B of sixteen channels of a 6×6 patch, each product to its own plane.
    @inline(__always)
    static func inputTile(
        _ d: UnsafePointer<Float>, rowStride: Int, columnStride: Int, into planes: UnsafeMutablePointer<Float>,
        planeStride: Int, scratch: UnsafeMutablePointer<Float>
    ) {
        for j in 0..<6 {
            let p = d + j &* columnStride
            let r = input(
                load(p), load(p + rowStride), load(p + 2 &* rowStride), load(p + 3 &* rowStride),
                load(p + 4 &* rowStride),
                load(p + 5 &* rowStride))
            scatter(r, scratch + j &* lanes, 6 &* lanes)
        }
        for i in 0..<6 {
            let p = scratch + i &* 6 &* lanes
            let r = input(load(p), load(p + 16), load(p + 32), load(p + 48), load(p + 64), load(p + 80))
            scatter(r, planes + i &* 6 &* planeStride, planeStride)
        }
    }

    /// A y Aᵀ of sixteen channels of a 4×4 patch, each product to its own plane.
    @inline(__always)
    static func gradientTile(
        _ y: UnsafePointer<Float>, rowStride: Int, columnStride: Int, into planes: UnsafeMutablePointer<Float>,
        planeStride: Int, scratch: UnsafeMutablePointer<Float>
    ) {
        for j in 0..<4 {
            let p = y + j &* columnStride
            let r = gradient(load(p), load(p + rowStride), load(p + 2 &* rowStride), load(p + 3 &* rowStride))
            scatter(r, scratch + j &* lanes, 4 &* lanes)
        }
        for i in 0..<6 {
            let p = scratch + i &* 4 &* lanes
            scatter(
                gradient(load(p), load(p + 16), load(p + 32), load(p + 48)), planes + i &* 6 &* planeStride, planeStride
            )
        }
    }

    /// Aᵀ m A (+ bias, rectified) of sixteen channels; returns the sum of the outputs, which is finite when all of them are.
    @inline(__always)
    static func outputTile(
        _ planes: UnsafePointer<Float>, planeStride: Int, bias: Vector, rectifies: Bool,
        into y: UnsafeMutablePointer<Float>, rowStride: Int, columnStride: Int, scratch: UnsafeMutablePointer<Float>
    ) -> Vector {
        for j in 0..<6 {
            let p = planes + j &* planeStride
            let down = 6 &* planeStride
            let r = output(
                load(p), load(p + down), load(p + 2 &* down), load(p + 3 &* down), load(p + 4 &* down),
                load(p + 5 &* down))
            store(r.0, scratch + j &* lanes)
            store(r.1, scratch + (6 &+ j) &* lanes)
            store(r.2, scratch + (12 &+ j) &* lanes)
            store(r.3, scratch + (18 &+ j) &* lanes)
        }
        var sum = Vector()
        for i in 0..<4 {
            let p = scratch + i &* 6 &* lanes
            let r = output(load(p), load(p + 16), load(p + 32), load(p + 48), load(p + 64), load(p + 80))
            sum += (r.0 + r.1) + (r.2 + r.3)
            let row = y + i &* rowStride
            finish(r.0 + bias, rectifies, row)
            finish(r.1 + bias, rectifies, row + columnStride)
            finish(r.2 + bias, rectifies, row + 2 &* columnStride)
            finish(r.3 + bias, rectifies, row + 3 &* columnStride)
        }
        return sum
    }

    @inline(__always)
    private static func finish(_ value: Vector, _ rectifies: Bool, _ target: UnsafeMutablePointer<Float>) {
        store(rectifies ? rectified(value) : value, target)
    }

    @inline(__always)
    static func scatter(_ r: Six, _ target: UnsafeMutablePointer<Float>, _ stride: Int) {
        store(r.0, target)
        store(r.1, target + stride)
        store(r.2, target + 2 &* stride)
        store(r.3, target + 3 &* stride)
        store(r.4, target + 4 &* stride)
        store(r.5, target + 5 &* stride)
    }
}

/// Images cut into 4×4 tiles of outputs, tiles counted through images, rows and columns.
struct TileGrid: Sendable {
    let batch: Int
    let size: Extent
    let rows: Int
    let columns: Int

    init(batch: Int, size: Extent) {
        self.batch = batch
        self.size = size
        rows = (size.height + 3) / 4
        columns = (size.width + 3) / 4
    }

    var count: Int { batch * rows * columns }

    /// Image, first row and first column of a tile.
    @inline(__always)
    func corner(_ tile: Int) -> (image: Int, y: Int, x: Int) {
        let (line, column) = tile.quotientAndRemainder(dividingBy: columns)
        let (image, row) = line.quotientAndRemainder(dividingBy: rows)
        return (image, row &* 4, column &* 4)
    }
}

/// A rectangle of one image, which may hang over its edges, read with zeros around the image.
struct Patch {
    let image: Int
    let y: Int
    let x: Int
    let size: Int

    /// Calls `body(base of sixteen channels, row stride, column stride, channel)` for each sixteen channels.
    ///
    /// A patch inside of the image is read in place, any other from a copy in `buffer` (`size`² vectors).
    @inline(__always)
    func read(
        _ source: Pixels, of extent: Extent, channels: Int, buffer: UnsafeMutablePointer<Float>,
        _ body: (_ base: UnsafePointer<Float>, _ rowStride: Int, _ columnStride: Int, _ channel: Int) -> Void
    ) {
        let isInside = y >= 0 && x >= 0 && y &+ size <= extent.height && x &+ size <= extent.width
        let corner = ((image &* extent.height &+ y) &* extent.width &+ x) &* source.stride
        var channel = 0
        while channel < channels {
            if isInside, channels &- channel >= lanes {
                body(source.base + (corner &+ channel), extent.width &* source.stride, source.stride, channel)
            } else {
                copy(source, corner &+ channel, extent, count: channels &- channel, into: buffer)
                body(buffer, size &* lanes, lanes, channel)
            }
            channel &+= lanes
        }
    }

    @inline(never)
    private func copy(
        _ source: Pixels, _ corner: Int, _ extent: Extent, count: Int, into buffer: UnsafeMutablePointer<Float>
    ) {
        let columns = max(0, -x)..<max(0, -x, min(size, extent.width - x))
        for i in 0..<size {
            let row = buffer + i * size * lanes
            guard y + i >= 0, y + i < extent.height else {
                for j in 0..<size { store(Vector(), row + j * lanes) }
                continue
            }
            let line = source.base + (corner + i * extent.width * source.stride)
            for j in 0..<columns.lowerBound { store(Vector(), row + j * lanes) }
            if count >= lanes {
                for j in columns { store(load(line + j * source.stride), row + j * lanes) }
            } else {
                for j in columns { store(loadPartial(line + j * source.stride, count), row + j * lanes) }
            }
            for j in columns.upperBound..<size { store(Vector(), row + j * lanes) }
        }
    }
}
