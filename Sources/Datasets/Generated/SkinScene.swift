import Foundation

/// A pigmented lesion on skin, as a dermatoscope shows it: irregular border, colours that vary within it, hair, freckles, gel, vignetting or
/// the black rim of the lens.
struct SkinScene {
    static let (width, height) = (208, 160)

    /// What a pigment leaves of the light, by channel.
    private enum Pigment {
        static let light = SIMD3<Float>(0.82, 0.68, 0.56)
        static let dark = SIMD3<Float>(0.52, 0.38, 0.32)
        static let black = SIMD3<Float>(0.33, 0.27, 0.27)
        static let blue = SIMD3<Float>(0.56, 0.58, 0.66)
        static let red = SIMD3<Float>(0.94, 0.66, 0.63)
        static let white = SIMD3<Float>(1.04, 1.06, 1.08)
    }

    private let width = Self.width
    private let height = Self.height
    private var generator: SeededGenerator

    init(seed: UInt64) {
        generator = SeededGenerator(seed: seed)
    }

    mutating func draw() -> (image: Image, mask: Image) {
        let whole = lesion()
        let rim = generator.chance(0.35) ? Rim(&generator) : nil
        // What the rim hides is no target.
        let level = Plane(width: width, height: height) { index, x, y in
            min(whole.values[index], rim.map { $0.radius - $0.distance(x, y) } ?? .infinity)
        }
        var picture = skin()
        addSpots(to: &picture)
        paint(whole, on: &picture)
        light(&picture, rim)
        picture = picture.blurred(generator.float(0.4...0.9))
        addHair(to: &picture)
        return (picture.image(noise: generator.float(2...5), &generator), Drawing.mask(level))
    }

    /// One to three overlapping outlines, a bite out of some, on coordinates that wander.
    private mutating func lesion() -> Plane {
        let radius = generator.float(17...54)
        let margin = Double(radius) * 0.8
        let x = generator.float(margin...Double(width) - margin)
        let y = generator.float(min(margin, 70)...max(Double(height) - margin, 90))
        var parts = [BlobOutline(x: x, y: y, radius: radius, stretch: 1...1.7, roughness: 0.11, &generator)]
        for _ in 0..<generator.integer(0...2) {
            let (turn, reach) = (generator.float(0...2 * .pi), radius * generator.float(0.5...0.95))
            parts.append(
                BlobOutline(
                    x: x + reach * cos(turn), y: y + reach * sin(turn), radius: radius * generator.float(0.4...0.7),
                    stretch: 1...1.5, roughness: 0.12, &generator))
        }
        var bite: BlobOutline?
        if generator.chance(0.45) {
            let turn = generator.float(0...2 * .pi)
            bite = BlobOutline(
                x: x + radius * 1.05 * cos(turn), y: y + radius * 1.05 * sin(turn),
                radius: radius * generator.float(0.3...0.55), stretch: 1...1.6, roughness: 0.1, &generator)
        }
        let reach = generator.float(2...6)
        let across = Plane.noise(width: width, height: height, cell: 16, octaves: 3, &generator)
        let down = Plane.noise(width: width, height: height, cell: 16, octaves: 3, &generator)
        return Plane(width: width, height: height) { index, px, py in
            let (wx, wy) = (px + reach * across.values[index], py + reach * down.values[index])
            var value = -Float.infinity
            for part in parts { value = max(value, part.level(wx, wy)) }
            if let bite { value = min(value, -bite.level(wx, wy)) }
            return value
        }
    }

    private mutating func skin() -> ColourPlane {
        let tone = Drawing.mix(SIMD3(234, 188, 168), SIMD3(182, 128, 98), generator.float(0...1))
        let jitter = SIMD3<Float>(generator.float(-8...8), generator.float(-8...8), generator.float(-8...8))
        var picture = ColourPlane(width: width, height: height, fill: tone + jitter)
        let blush = Plane.noise(width: width, height: height, cell: 60, octaves: 2, &generator)
        let relief = Plane.noise(width: width, height: height, cell: 5, octaves: 2, &generator)
        let (redness, depth) = (generator.float(0.03...0.13), generator.float(0.02...0.06))
        for index in picture.values.indices {
            let red = redness * blush.values[index]
            picture.values[index] *= SIMD3(1 + 0.3 * red, 1 - red, 1 - red) * (1 + depth * relief.values[index])
        }
        return picture
    }

    /// Freckles, and in some a faint brown patch that belongs to no lesion.
    private mutating func addSpots(to picture: inout ColourPlane) {
        var spots = Plane(width: width, height: height)
        for _ in 0..<(generator.chance(0.6) ? generator.integer(2...9) : 0) {
            spots.stamp(
                x: generator.float(0...Double(width)), y: generator.float(0...Double(height)),
                radius: generator.float(1.2...5.5))
        }
        spots = spots.blurred(1)
        let strength = generator.float(0.5...1)
        let patch = Plane.noise(width: width, height: height, cell: 48, octaves: 2, &generator)
        let patchStrength = generator.chance(0.35) ? generator.float(0.25...0.6) : 0
        for index in picture.values.indices {
            let cover = max(
                strength * spots.values[index], patchStrength * Drawing.smoothstep(0.15, 0.5, patch.values[index]))
            picture.values[index] *= Drawing.mix(SIMD3(repeating: 1), Pigment.light, cover)
        }
    }

    private mutating func paint(_ level: Plane, on picture: inout ColourPlane) {
        let (inner, outer, spare, strength) = palette()
        let mixture = Plane.noise(width: width, height: height, cell: 22, octaves: 3, &generator)
        let islands = Plane.noise(width: width, height: height, cell: 26, octaves: 3, &generator)
        let network = Plane.noise(width: width, height: height, cell: 4, octaves: 2, &generator)
        let (softness, mesh) = (generator.float(1.5...5), generator.float(0.02...0.12))
        let (share, spread) = (generator.float(-0.25...0.25), generator.float(0.05...0.3))
        for index in picture.values.indices {
            let cover = strength * Drawing.smoothstep(-softness, softness, level.values[index])
            guard cover > 0 else { continue }
            let core = Drawing.smoothstep(share - 0.3, share + 0.3, mixture.values[index])
            var pigment = Drawing.mix(outer, inner, core)
            pigment = Drawing.mix(pigment, spare, Drawing.smoothstep(spread, spread + 0.2, islands.values[index]))
            pigment *= 1 + mesh * network.values[index]
            picture.values[index] *= Drawing.mix(SIMD3(repeating: 1), pigment, cover)
        }
    }

    /// Pigments of the middle, the border and of islands, and how strong they are.
    private mutating func palette() -> (SIMD3<Float>, SIMD3<Float>, SIMD3<Float>, Float) {
        let kind = generator.unit()
        if kind < 0.2 { return (Pigment.red, Pigment.light, Pigment.white, generator.float(0.45...0.8)) }
        if kind < 0.6 { return (Pigment.dark, Pigment.light, Pigment.light, generator.float(0.5...0.95)) }
        let spare = [Pigment.blue, Pigment.white, Pigment.red][generator.integer(0...2)]
        return (generator.chance(0.5) ? Pigment.black : Pigment.dark, Pigment.light, spare, generator.float(0.7...1))
    }

    /// The black rim of the lens.
    private struct Rim {
        let radius: Float
        private let x: Float
        private let y: Float

        init(_ generator: inout SeededGenerator) {
            radius = generator.float(90...116)
            x = Float(SkinScene.width) / 2 + generator.float(-6...6)
            y = Float(SkinScene.height) / 2 + generator.float(-6...6)
        }

        func distance(_ px: Float, _ py: Float) -> Float { ((px - x) * (px - x) + (py - y) * (py - y)).squareRoot() }
    }

    private mutating func light(_ picture: inout ColourPlane, _ rim: Rim?) {
        let (gx, gy) = (generator.float(-0.14...0.14), generator.float(-0.14...0.14))
        let vignette = generator.float(0.1...0.5)
        let (cx, cy) = (Float(width) / 2 + generator.float(-6...6), Float(height) / 2 + generator.float(-6...6))
        picture.change { _, x, y, old in
            let (dx, dy) = ((x - cx) / Float(width), (y - cy) / Float(height))
            let square = dx * dx + dy * dy
            var value = (1 + 2 * (gx * dx + gy * dy)) * (1 - vignette * square)
            if let rim {
                value *= 1 - 0.97 * Drawing.smoothstep(rim.radius - 3, rim.radius + 3, rim.distance(x, y))
            }
            return old * value
        }
    }

    private mutating func addHair(to picture: inout ColourPlane) {
        if generator.chance(0.6) {
            let hair = Drawing.strokes(
                width: width, height: height, count: generator.integer(3...22), length: 30...150,
                thickness: 0.8...1.9, bend: 0.35, &generator)
            let colour =
                generator.chance(0.75) ? SIMD3<Float>(52, 40, 36) : SIMD3<Float>(168, 138, 100)
            let strength = generator.float(0.55...0.9)
            for index in picture.values.indices {
                picture.values[index] = Drawing.mix(picture.values[index], colour, strength * hair.values[index])
            }
        }
        guard generator.chance(0.4) else { return }
        var gel = Plane(width: width, height: height)
        for _ in 0..<generator.integer(1...4) {
            gel.stamp(
                x: generator.float(0...Double(width)), y: generator.float(0...Double(height)),
                radius: generator.float(1...4))
        }
        gel = gel.blurred(0.8)
        for index in picture.values.indices {
            picture.values[index] = Drawing.mix(picture.values[index], SIMD3(246, 244, 240), 0.75 * gel.values[index])
        }
    }
}
