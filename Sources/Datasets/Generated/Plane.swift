import Foundation

/// One number a pixel, while a picture is being drawn.
struct Plane {
    let width: Int
    let height: Int
    var values: [Float]

    init(width: Int, height: Int, fill: Float = 0) {
        (self.width, self.height) = (width, height)
        values = [Float](repeating: fill, count: width * height)
    }

    subscript(x: Int, y: Int) -> Float {
        get { values[y * width + x] }
        set { values[y * width + x] = newValue }
    }

    /// A value for every pixel, by its index and its coordinates.
    init(width: Int, height: Int, _ value: (_ index: Int, _ x: Float, _ y: Float) -> Float) {
        self.init(width: width, height: height)
        for y in 0..<height {
            for x in 0..<width { values[y * width + x] = value(y * width + x, Float(x), Float(y)) }
        }
    }

    /// Blurred with a Gaussian of the given standard deviation in pixels, the border repeated.
    func blurred(_ sigma: Float) -> Plane {
        guard sigma > 0 else { return self }
        let reach = Int((3 * sigma).rounded(.up))
        var kernel = (-reach...reach).map { exp(-Float($0 * $0) / (2 * sigma * sigma)) }
        let sum = kernel.reduce(0, +)
        kernel = kernel.map { $0 / sum }
        func pass(_ source: [Float], count: Int, stride: Int, lines: Int, lineStride: Int) -> [Float] {
            var result = source
            for line in 0..<lines {
                for place in 0..<count {
                    var value: Float = 0
                    for (tap, weight) in kernel.enumerated() {
                        let at = min(max(place + tap - reach, 0), count - 1)
                        value += weight * source[line * lineStride + at * stride]
                    }
                    result[line * lineStride + place * stride] = value
                }
            }
            return result
        }
        var result = self
        result.values = pass(values, count: width, stride: 1, lines: height, lineStride: width)
        result.values = pass(result.values, count: height, stride: width, lines: width, lineStride: 1)
        return result
    }

    /// Noise in −1...1 that is smooth over `cell` pixels: values on a lattice, blended by 3t² − 2t³, with octaves of half the cell and half
    /// the weight (Perlin 1985, "An image synthesizer", SIGGRAPH 19(3):287-296).
    static func noise(
        width: Int, height: Int, cell: Float, octaves: Int = 1, _ generator: inout SeededGenerator
    ) -> Plane {
        var plane = Plane(width: width, height: height)
        var (cell, weight, total) = (max(cell, 1), Float(1), Float(0))
        for _ in 0..<octaves {
            plane.addLattice(cell: cell, weight: weight, &generator)
            total += weight
            cell = max(cell / 2, 1)
            weight /= 2
        }
        plane.values = plane.values.map { $0 / total }
        return plane
    }

    private mutating func addLattice(cell: Float, weight: Float, _ generator: inout SeededGenerator) {
        let (columns, rows) = (Int(Float(width) / cell) + 3, Int(Float(height) / cell) + 3)
        let lattice = (0..<(columns * rows)).map { _ in Float(generator.uniform(-1...1)) }
        let (left, top) = (Float(generator.unit()), Float(generator.unit()))
        func place(_ pixel: Int, _ shift: Float) -> (Int, Float) {
            let at = Float(pixel) / cell + shift
            let fraction = at - at.rounded(.down)
            return (Int(at), fraction * fraction * (3 - 2 * fraction))
        }
        let horizontal = (0..<width).map { place($0, left) }
        for y in 0..<height {
            let (row, fy) = place(y, top)
            for x in 0..<width {
                let (column, fx) = horizontal[x]
                let at = row * columns + column
                let upper = lattice[at] + fx * (lattice[at + 1] - lattice[at])
                let lower = lattice[at + columns] + fx * (lattice[at + columns + 1] - lattice[at + columns])
                values[y * width + x] += weight * (upper + fy * (lower - upper))
            }
        }
    }
}

/// Three numbers a pixel: a picture of 0 to 255 that is not yet rounded.
struct ColourPlane {
    let width: Int
    let height: Int
    var values: [SIMD3<Float>]

    init(width: Int, height: Int, fill: SIMD3<Float>) {
        (self.width, self.height) = (width, height)
        values = [SIMD3<Float>](repeating: fill, count: width * height)
    }

    /// Replaces every pixel, by its index and its coordinates.
    mutating func change(_ value: (_ index: Int, _ x: Float, _ y: Float, _ old: SIMD3<Float>) -> SIMD3<Float>) {
        for y in 0..<height {
            for x in 0..<width {
                let index = y * width + x
                values[index] = value(index, Float(x), Float(y), values[index])
            }
        }
    }

    func blurred(_ sigma: Float) -> ColourPlane {
        var result = self
        for channel in 0..<3 {
            var plane = Plane(width: width, height: height)
            for index in values.indices { plane.values[index] = values[index][channel] }
            let blurred = plane.blurred(sigma)
            for index in values.indices { result.values[index][channel] = blurred.values[index] }
        }
        return result
    }

    /// Rounded to bytes after normal noise of the given standard deviation.
    func image(noise: Float, _ generator: inout SeededGenerator) -> Image {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(3 * values.count)
        for value in values {
            // Sensors err in each channel, and mostly alike.
            let common = noise * Float(generator.normal())
            for channel in 0..<3 {
                bytes.append(Drawing.byte(value[channel] + common + 0.5 * noise * Float(generator.normal())))
            }
        }
        return Image(checked: width, height, 3, bytes)
    }
}

/// Small functions that every scene uses.
enum Drawing {
    /// 0 below `low`, 1 above `high`, 3t² − 2t³ between.
    static func smoothstep(_ low: Float, _ high: Float, _ value: Float) -> Float {
        let t = min(max((value - low) / (high - low), 0), 1)
        return t * t * (3 - 2 * t)
    }

    static func byte(_ value: Float) -> UInt8 { UInt8(min(max(value.rounded(), 0), 255)) }

    static func mix(_ a: SIMD3<Float>, _ b: SIMD3<Float>, _ t: Float) -> SIMD3<Float> { a + t * (b - a) }

    /// A mask of what is positive.
    static func mask(_ level: Plane) -> Image {
        Image(checked: level.width, level.height, 1, level.values.map { $0 > 0 ? 255 : 0 })
    }

    /// How much of each pixel thin curved strokes cover: quadratic Bézier curves with round ends.
    static func strokes(
        width: Int, height: Int, count: Int, length: ClosedRange<Double>, thickness: ClosedRange<Double>,
        bend: Double, _ generator: inout SeededGenerator
    ) -> Plane {
        var plane = Plane(width: width, height: height)
        for _ in 0..<count {
            let (x, y) = (generator.uniform(0...Double(width)), generator.uniform(0...Double(height)))
            let (angle, length) = (generator.uniform(0...2 * .pi), generator.uniform(length))
            let (dx, dy) = (cos(angle) * length / 2, sin(angle) * length / 2)
            let turn = generator.uniform(-bend...bend)
            let radius = Float(generator.uniform(thickness) / 2)
            let steps = max(2, Int(length * 1.5))
            for step in 0...steps {
                let t = Double(step) / Double(steps)
                let (side, along) = (4 * t * (1 - t) * turn, 2 * t - 1)
                plane.stamp(x: Float(x + along * dx - side * dy), y: Float(y + along * dy + side * dx), radius: radius)
            }
        }
        return plane
    }
}

extension Plane {
    /// A soft disc that leaves at least its cover.
    mutating func stamp(x: Float, y: Float, radius: Float) {
        let reach = radius + 1
        let (left, right) = (max(0, Int(x - reach)), min(width - 1, Int(x + reach + 1)))
        let (top, bottom) = (max(0, Int(y - reach)), min(height - 1, Int(y + reach + 1)))
        guard left <= right, top <= bottom else { return }
        for row in top...bottom {
            for column in left...right {
                let (dx, dy) = (Float(column) - x, Float(row) - y)
                let cover = min(max(radius + 0.5 - (dx * dx + dy * dy).squareRoot(), 0), 1)
                self[column, row] = max(self[column, row], cover)
            }
        }
    }
}

extension SeededGenerator {
    mutating func uniform(_ range: ClosedRange<Double>) -> Double {
        range.lowerBound + (range.upperBound - range.lowerBound) * unit()
    }

    mutating func float(_ range: ClosedRange<Double>) -> Float { Float(uniform(range)) }

    mutating func integer(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + Int(unit() * Double(range.count))
    }

    mutating func chance(_ probability: Double) -> Bool { unit() < probability }
}
