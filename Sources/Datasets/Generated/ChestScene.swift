import Foundation

/// The two lung fields of a frontal chest X-ray: dark fields between ribs, mediastinum, heart and diaphragm, with the dark air around the body,
/// gas below the diaphragm, opacities, leads, and exposures that differ.
struct ChestScene {
    static let (width, height) = (192, 192)

    private let width = Self.width
    private let height = Self.height
    private var generator: SeededGenerator
    private let anatomy: Anatomy

    /// What differs between people, in pixels of an upright picture.
    private struct Anatomy {
        var middle, top: Float
        /// Half the width of the mediastinum, and how far the fields reach from the middle, on each side.
        var mediastinum: (Float, Float)
        var reach: (Float, Float)
        /// The dome of the diaphragm, on each side.
        var dome: (Float, Float)
        var heart: Float
        var tilt, scale: Float

        init(_ generator: inout SeededGenerator) {
            middle = 96 + generator.float(-12...12)
            top = generator.float(18...46)
            mediastinum = (generator.float(8...15), generator.float(8...14))
            let reach = generator.float(54...74)
            self.reach = (reach + generator.float(-4...4), reach + generator.float(-4...4))
            let dome = top + generator.float(88...124)
            self.dome = (dome - generator.float(2...10), dome + generator.float(-3...6))
            heart = generator.float(10...26)
            tilt = generator.float(-0.09...0.09)
            scale = generator.float(0.78...1.12)
        }
    }

    init(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        anatomy = Anatomy(&generator)
        self.generator = generator
    }

    mutating func draw() -> (image: Image, mask: Image) {
        let across = Plane.noise(width: width, height: height, cell: 30, octaves: 3, &generator)
        let down = Plane.noise(width: width, height: height, cell: 30, octaves: 3, &generator)
        let (anatomy, sway) = (anatomy, generator.float(2...5))
        /// The place in an upright picture.
        func upright(_ index: Int, _ x: Float, _ y: Float) -> (Float, Float) {
            let (dx, dy) = ((x - 96) / anatomy.scale, (y - 96) / anatomy.scale)
            let (cosine, sine) = (cos(anatomy.tilt), sin(anatomy.tilt))
            return (
                96 + cosine * dx + sine * dy + sway * across.values[index],
                96 + cosine * dy - sine * dx + sway * down.values[index]
            )
        }
        let level = Plane(width: width, height: height) { index, x, y in
            let (ux, uy) = upright(index, x, y)
            return Self.lungs(ux, uy, anatomy)
        }
        let tissue = tissue(level, upright)
        return (expose(tissue), Drawing.mask(level))
    }

    /// About how many pixels inside of the nearer lung field.
    private static func lungs(_ x: Float, _ y: Float, _ anatomy: Anatomy) -> Float {
        let isRight = x > anatomy.middle
        let offset = abs(x - anatomy.middle)
        let (inner, outer, dome) =
            isRight
            ? (anatomy.mediastinum.1, anatomy.reach.1, anatomy.dome.1)
            : (anatomy.mediastinum.0, anatomy.reach.0, anatomy.dome.0)
        let t = (y - anatomy.top) / (dome - anatomy.top)
        guard t > -0.1, t < 1.4 else { return -20 }
        // The apex is round, the wall bulges and comes in a little at the base.
        let round = min(max(t, 0) / 0.55, 1)
        let wall = inner + (outer - inner) * (0.32 + 0.68 * (1 - (1 - round) * (1 - round)).squareRoot())
        // The heart lies to the image's right.
        let bulge = (isRight ? anatomy.heart : anatomy.heart * 0.35) * exp(-(t - 0.8) * (t - 0.8) / 0.06)
        let middle = inner + bulge + 5 * max(0, 0.25 - t) * 4
        let along = (offset - inner) / (outer - inner)
        // The dome is highest at a third of the way and falls to a sharp angle at the wall.
        let base =
            dome + 26 * max(0, along - 0.35) * max(0, along - 0.35) / 0.42 * 1.6 + 8 * (along - 0.35) * (along - 0.35)
        let apex = anatomy.top + 26 * (along - 0.35) * (along - 0.35)
        return min(min(offset - middle, wall - offset), min(y - apex, base - y))
    }

    /// Attenuation, 0 for air to 1 for metal.
    private mutating func tissue(_ level: Plane, _ upright: (Int, Float, Float) -> (Float, Float)) -> Plane {
        let (soft, lung, bone) = (
            generator.float(0.5...0.62), generator.float(0.2...0.34), generator.float(0.05...0.12)
        )
        let spine = generator.float(0.1...0.2)
        let (firstRib, spacing, slope) = (
            anatomy.top - 8, generator.float(13...17), generator.float(0.12...0.4)
        )
        let body = generator.float(80...94)
        let vessels = Plane.noise(width: width, height: height, cell: 13, octaves: 3, &generator)
        let depth = Plane.noise(width: width, height: height, cell: 60, octaves: 2, &generator)
        let gas = generator.chance(0.5) ? generator.float(7...17) : 0
        let opacities = (0..<(generator.chance(0.4) ? generator.integer(1...3) : 0)).map { _ in
            (
                x: generator.float(45...147), y: generator.float(50...130), r: generator.float(6...20),
                d: generator.float(0.08...0.26)
            )
        }
        let anatomy = anatomy
        return Plane(width: width, height: height) { index, x, y in
            let (ux, uy) = upright(index, x, y)
            let offset = ux - anatomy.middle
            // Shoulders slope from a narrow neck.
            let edge = min(body, 26 + 3.4 * max(0, uy - 6)) - abs(offset)
            guard edge > -3 else { return 0.02 }
            var value = soft * (1 + 0.1 * depth.values[index]) + 0.05 * Drawing.smoothstep(110, 170, uy)
            value += spine * exp(-offset * offset / 90) + 0.06 * exp(-offset * offset / 700)
            let inside = Drawing.smoothstep(-1.8, 1.8, level.values[index])
            let hilum = exp(-(abs(offset) - 22) * (abs(offset) - 22) / 260 - (uy - 88) * (uy - 88) / 900)
            let air = lung + (0.05 + 0.16 * hilum) * max(0, vessels.values[index] + 0.15) + 0.07 * hilum
            value += inside * (air - value)
            value += bone * Self.ribs(offset, uy, firstRib, spacing, slope)
            let collar = uy - (anatomy.top + 4 - 0.1 * abs(offset)) - 8 * exp(-abs(offset) / 16)
            value += 0.75 * bone * exp(-collar * collar / 8) * Drawing.smoothstep(8, 16, abs(offset))
            if gas > 0 {
                let (dx, dy) = ((ux - anatomy.middle - 36) / (gas * 1.5), (uy - anatomy.dome.1 - 20) / gas)
                value -= 0.24 * (1 - Drawing.smoothstep(0.8, 1.1, dx * dx + dy * dy))
            }
            for opacity in opacities {
                let (dx, dy) = ((ux - opacity.x) / opacity.r, (uy - opacity.y) / opacity.r)
                value += inside * opacity.d * exp(-dx * dx - dy * dy) * (1 + 0.6 * vessels.values[index])
            }
            return max(value * Drawing.smoothstep(-3, 4, edge), 0.02)
        }
    }

    /// Arches that fall away from the spine, brighter at their edges; those in front rise the other way and are fainter.
    private static func ribs(_ offset: Float, _ y: Float, _ first: Float, _ spacing: Float, _ slope: Float) -> Float {
        let side = abs(offset)
        guard side > 7, side < 90 else { return 0 }
        func band(_ height: Float, _ thickness: Float) -> Float {
            let phase = (height - first) / spacing
            guard phase > 0, phase < 9 else { return 0 }
            let t = (phase - phase.rounded()) * spacing / thickness
            let border = (abs(t) - 0.8) * (abs(t) - 0.8)
            return abs(t) < 1.3 ? 0.65 * exp(-t * t) + 0.6 * exp(-border * 14) : 0
        }
        let behind = band(y - slope * side + 0.0045 * side * side, 3.4)
        let before = band(y + 0.35 * side - 14 - 0.002 * side * side, 3.8)
        return behind + 0.4 * before * Drawing.smoothstep(18, 34, side)
    }

    private mutating func expose(_ tissue: Plane) -> Image {
        var tissue = tissue
        if generator.chance(0.35) {
            let leads = Drawing.strokes(
                width: width, height: height, count: generator.integer(1...4), length: 60...160, thickness: 0.9...1.6,
                bend: 0.4, &generator)
            for index in tissue.values.indices { tissue.values[index] += 0.22 * leads.values[index] }
        }
        if generator.chance(0.4) {
            let (left, top) = (generator.integer(4...20), generator.integer(6...24))
            for y in top..<(top + 12) {
                for x in left..<(left + 8) where x < left + 3 || y >= top + 9 { tissue[x, y] = 0.97 }
            }
        }
        tissue = tissue.blurred(generator.float(0.5...1))
        let (gamma, gain, veil) = (
            generator.float(0.65...1.35), generator.float(0.95...1.35), generator.float(0...0.14)
        )
        let noise = generator.float(0.012...0.035)
        let bytes = tissue.values.map { value in
            let shown = veil + (1 - veil) * pow(min(max(value * gain, 0), 1), gamma)
            return Drawing.byte(255 * (shown + noise * Float(generator.normal())))
        }
        return Image(checked: width, height, 1, bytes)
    }
}
