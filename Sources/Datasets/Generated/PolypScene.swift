import Foundation

/// A polyp on the mucosa of the bowel, as an endoscope shows it: nearly the colour of what it grows on, told by its shading, with folds, vessels,
/// a dark lumen, specular spots and the black corners of the picture.
struct PolypScene {
    static let (width, height) = (192, 160)

    private let width = Self.width
    private let height = Self.height
    private var generator: SeededGenerator

    init(seed: UInt64) {
        generator = SeededGenerator(seed: seed)
    }

    mutating func draw() -> (image: Image, mask: Image) {
        // Often out of sight.
        let lumen = (x: generator.float(-40...232), y: generator.float(-30...190))
        let (outline, whole) = polyp(awayFrom: lumen)
        let sight = generator.chance(0.6) ? Sight(&generator) : nil
        // What the frame hides is no target.
        let level = Plane(width: width, height: height) { index, x, y in
            min(whole.values[index], sight?.level(x, y) ?? .infinity)
        }
        var picture = mucosa(lumen)
        paint(outline, whole, on: &picture)
        light(&picture)
        picture = picture.blurred(generator.float(0.5...1))
        addReflections(to: &picture, outline)
        if let sight { picture.change { _, x, y, old in sight.level(x, y) > 0 ? old : SIMD3(6, 6, 7) } }
        return (picture.image(noise: generator.float(2...5), &generator), Drawing.mask(level))
    }

    private mutating func polyp(awayFrom lumen: (x: Float, y: Float)) -> (BlobOutline, Plane) {
        let radius = generator.float(14...46)
        var (x, y) = (Float(0), Float(0))
        // The lumen is a hole; a polyp beside it is the common case.
        for _ in 0..<20 {
            x = generator.float(34...158)
            y = generator.float(30...130)
            let (dx, dy) = (x - lumen.x, y - lumen.y)
            if (dx * dx + dy * dy).squareRoot() > radius + 14 { break }
        }
        let outline = BlobOutline(x: x, y: y, radius: radius, stretch: 1...1.7, roughness: 0.08, &generator)
        let reach = generator.float(1...4)
        let across = Plane.noise(width: width, height: height, cell: 18, octaves: 2, &generator)
        let down = Plane.noise(width: width, height: height, cell: 18, octaves: 2, &generator)
        let level = Plane(width: width, height: height) { index, px, py in
            outline.level(px + reach * across.values[index], py + reach * down.values[index])
        }
        return (outline, level)
    }

    /// Rings of folds around the lumen, vessels and mottling.
    private mutating func mucosa(_ lumen: (x: Float, y: Float)) -> ColourPlane {
        let base = SIMD3<Float>(generator.float(178...214), generator.float(84...118), generator.float(70...98))
        var picture = ColourPlane(width: width, height: height, fill: base)
        let wander = Plane.noise(width: width, height: height, cell: 50, octaves: 2, &generator)
        let mottle = Plane.noise(width: width, height: height, cell: 14, octaves: 3, &generator)
        let vessels = Drawing.strokes(
            width: width, height: height, count: generator.integer(3...12), length: 20...80, thickness: 0.8...2,
            bend: 0.5, &generator
        ).blurred(0.7)
        let folds = (0..<generator.integer(2...4)).map { index in
            (
                radius: 30 + 34 * Float(index) + generator.float(-8...8), width: generator.float(5...11),
                depth: generator.float(0.12...0.34)
            )
        }
        let (hole, sway) = (generator.float(10...24), generator.float(10...26))
        let (vein, spots) = (generator.float(0.1...0.3), generator.float(0.05...0.14))
        picture.change { index, x, y, old in
            let (dx, dy) = (x - lumen.x, y - lumen.y)
            let distance = (dx * dx + dy * dy).squareRoot() + sway * wander.values[index]
            var shade = 1 + spots * mottle.values[index]
            for fold in folds {
                let t = (distance - fold.radius) / fold.width
                // Lit towards the lens, in shadow behind.
                shade += fold.depth * (0.8 * exp(-t * t) - 1.1 * exp(-(t - 1.3) * (t - 1.3)))
            }
            shade *= 0.22 + 0.78 * Drawing.smoothstep(hole * 0.5, hole * 1.8, distance)
            let vessel = vein * vessels.values[index]
            return old * SIMD3(1 - 0.4 * vessel, 1 - vessel, 1 - vessel) * max(shade, 0.1)
        }
        return picture
    }

    private mutating func paint(_ outline: BlobOutline, _ level: Plane, on picture: inout ColourPlane) {
        let tint = SIMD3<Float>(
            1 + generator.float(-0.06...0.07), 1 + generator.float(-0.14...0.12), 1 + generator.float(-0.14...0.12))
        let (lit, relief) = (generator.float(0...2 * .pi), generator.float(0.14...0.36))
        let (lx, ly) = (cos(lit), sin(lit))
        let pits = Plane.noise(width: width, height: height, cell: 5, octaves: 2, &generator)
        let mottle = Plane.noise(width: width, height: height, cell: 20, octaves: 2, &generator)
        let (pitDepth, shadow, edge) = (
            generator.float(0.02...0.08), generator.float(0.1...0.4), generator.float(0.6...2)
        )
        let base = picture.values.reduce(SIMD3<Float>()) { $0 + $1 } / Float(picture.values.count)
        let own = generator.float(0.6...0.92)
        picture.change { index, x, y, old in
            let value = level.values[index]
            var result = old
            let (dx, dy) = ((x - outline.x) / outline.radius, (y - outline.y) / outline.radius)
            let towards = dx * lx + dy * ly
            if value > -12 {
                // The shadow that it throws on what lies behind.
                let fall = exp(-max(-value, 0) / 4) * Drawing.smoothstep(0, 0.8, -towards)
                result *= 1 - shadow * fall * Drawing.smoothstep(-2, 1, -value)
            }
            guard value > -edge else { return result }
            let cover = Drawing.smoothstep(-edge, edge, value)
            let height = (1 - min(dx * dx + dy * dy, 1)).squareRoot()
            let shade = 0.9 + relief * towards + 0.22 * height + pitDepth * pits.values[index]
            let surface = Drawing.mix(result, base * (1 + 0.1 * mottle.values[index]), own) * tint
            return Drawing.mix(result, surface * max(shade, 0.2), cover)
        }
    }

    private mutating func light(_ picture: inout ColourPlane) {
        let (cx, cy) = (Float(width) / 2 + generator.float(-40...40), Float(height) / 2 + generator.float(-30...30))
        let (gain, fall) = (generator.float(0.95...1.25), generator.float(0.25...0.6))
        picture.change { _, x, y, old in
            let (dx, dy) = ((x - cx) / Float(width), (y - cy) / Float(height))
            return old * gain * (1 - fall * min(dx * dx + dy * dy, 1) * 1.6)
        }
    }

    /// Wet tissue mirrors the lamp: small saturated spots, on the polyp and beside it.
    private mutating func addReflections(to picture: inout ColourPlane, _ outline: BlobOutline) {
        var spots = Plane(width: width, height: height)
        for _ in 0..<generator.integer(3...16) {
            let isOnPolyp = generator.chance(0.45)
            let reach = isOnPolyp ? Double(outline.radius) * 0.7 : 80
            let x = (isOnPolyp ? outline.x : Float(width) / 2) + generator.float(-reach...reach)
            let y = (isOnPolyp ? outline.y : Float(height) / 2) + generator.float(-reach...reach)
            let (turn, length) = (generator.float(0...2 * .pi), generator.integer(1...5))
            for step in 0..<length {
                spots.stamp(
                    x: x + Float(step) * cos(turn), y: y + Float(step) * sin(turn), radius: generator.float(0.7...2.6))
            }
        }
        spots = spots.blurred(0.6)
        for index in picture.values.indices {
            picture.values[index] = Drawing.mix(picture.values[index], SIMD3(255, 252, 246), spots.values[index])
        }
    }

    /// What the round lens shows of the square picture, less a box for the patient's data in some.
    private struct Sight {
        private let corner: Float
        private let hasBox: Bool

        init(_ generator: inout SeededGenerator) {
            corner = generator.float(128...158)
            hasBox = generator.chance(0.3)
        }

        /// Positive in sight.
        func level(_ x: Float, _ y: Float) -> Float {
            let across = abs(x - Float(PolypScene.width) / 2) + abs(y - Float(PolypScene.height) / 2)
            let box = hasBox ? max(x - 34, Float(PolypScene.height) - 30 - y) : .infinity
            return min(corner - across, box)
        }
    }
}
