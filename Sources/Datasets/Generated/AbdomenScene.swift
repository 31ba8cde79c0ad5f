import Foundation

/// The spleen in axial CT slices of a volume, contrast-enhanced, in the soft-tissue window: liver, kidney, stomach and muscle beside it are about
/// as dense, and neighbouring slices show the same body a little higher or lower.
struct AbdomenScene {
    static let (width, height) = (192, 192)
    /// Slices of a volume.
    static let slices = 10
    /// Hounsfield units: centre 50, width 350, as abdominal CT is read.
    static let window: ClosedRange<Float> = -125...225

    private let width = Self.width
    private let height = Self.height
    private let organs: Organs
    private let wander: [Plane]
    private let density: Density
    private let pose: Pose
    private let seed: UInt64

    /// An ellipsoid; radii and centre in pixels, along the body in half lengths of the stack.
    private struct Ellipsoid {
        var x, y, z: Float
        var rx, ry, rz: Float

        init(_ centre: (Float, Float, Float), _ radii: (Float, Float, Float), _ generator: inout SeededGenerator) {
            x = centre.0 + generator.float(-4...4)
            y = centre.1 + generator.float(-4...4)
            z = centre.2 + generator.float(-0.2...0.2)
            rx = radii.0 * generator.float(0.85...1.18)
            ry = radii.1 * generator.float(0.85...1.18)
            rz = radii.2 * generator.float(0.9...1.2)
        }

        /// About how many pixels inside of its section at a height.
        func level(_ px: Float, _ py: Float, _ pz: Float) -> Float {
            let height = 1 - (pz - z) * (pz - z) / (rz * rz)
            guard height > 0.01 else { return -50 }
            let root = height.squareRoot()
            let (dx, dy) = ((px - x) / (rx * root), (py - y) / (ry * root))
            return (1 - (dx * dx + dy * dy).squareRoot()) * min(rx, ry) * root
        }
    }

    private struct Organs {
        var body: (x: Float, y: Float)
        var fat: Float
        var spleen, impression, liver, liverLobe, stomach, bubble, leftKidney, rightKidney: Ellipsoid
        var bowel: [(place: Ellipsoid, units: Float)]

        init(_ g: inout SeededGenerator) {
            body = (g.float(78...88), g.float(58...68))
            fat = g.float(3...9)
            spleen = Ellipsoid((50 + g.float(-4...5), 14 + g.float(-13...10), 0), (27, g.float(24...38), 1.35), &g)
            impression = Ellipsoid((22 + g.float(-5...5), 6 + g.float(-8...8), 0), (27, 33, 1.7), &g)
            liver = Ellipsoid((-38, -2, 0.2), (42, 46, 2), &g)
            liverLobe = Ellipsoid((-6, -26, 0.5), (32, 16, 1.3), &g)
            stomach = Ellipsoid((26, -18, 0.1), (25, 21, 1.6), &g)
            bubble = Ellipsoid((26, -30, 0.2), (15, 9, 1.2), &g)
            leftKidney = Ellipsoid((33, 30, -0.75), (12, 16, 1.15), &g)
            rightKidney = Ellipsoid((-35, 32, -0.9), (12, 16, 1.0), &g)
            bowel = (0..<6).map { _ in
                let place = (g.float(-48...56), g.float(-36...2), g.float(-1.1...(-0.3)))
                return (
                    Ellipsoid(place, (g.float(7...13), g.float(7...12), 0.9), &g),
                    g.chance(0.3) ? -700 : g.float(10...70)
                )
            }
        }
    }

    /// How somebody lies on the table, and how much of the field of view the body fills.
    private struct Pose {
        var x, y, zoom, turn: Float

        init(_ generator: inout SeededGenerator) {
            (x, y) = (96 + generator.float(-12...12), 96 + generator.float(-12...12))
            zoom = generator.float(0.88...1.2)
            turn = generator.float(-0.16...0.16)
        }

        /// The place in an upright body, in pixels from its middle.
        func upright(_ px: Float, _ py: Float) -> (Float, Float) {
            let (dx, dy) = ((px - x) / zoom, (py - y) / zoom)
            return (cos(turn) * dx + sin(turn) * dy, cos(turn) * dy - sin(turn) * dx)
        }
    }

    /// Hounsfield units of one examination.
    private struct Density {
        var spleen, liver, muscle, kidney, stomach, vessel, fat: Float

        init(_ generator: inout SeededGenerator) {
            spleen = generator.float(92...128)
            liver = spleen + generator.float(-26...16)
            muscle = generator.float(50...74)
            kidney = generator.float(130...190)
            stomach = generator.chance(0.35) ? spleen + generator.float(-25...20) : generator.float(15...60)
            vessel = generator.float(125...190)
            fat = generator.float(-115...(-85))
        }
    }

    /// - Parameter seed: of the volume.
    init(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        organs = Organs(&generator)
        density = Density(&generator)
        pose = Pose(&generator)
        wander = (0..<4).map { _ in
            Plane.noise(width: Self.width, height: Self.height, cell: 34, octaves: 3, &generator)
        }
        self.seed = seed
    }

    func draw(slice: Int) -> (image: Image, mask: Image) {
        let z = -0.85 + 1.7 * Float(slice) / Float(Self.slices - 1)
        var generator = SeededGenerator(seed: seed &* 31 &+ UInt64(slice) &+ 1)
        let blend = (z + 1) / 2
        var spleen = Plane(width: width, height: height)
        let texture = Plane.noise(width: width, height: height, cell: 7, octaves: 2, &generator)
        var units = Plane(width: width, height: height) { index, px, py in
            let sway = (
                wander[0].values[index] * (1 - blend) + wander[1].values[index] * blend,
                wander[2].values[index] * (1 - blend) + wander[3].values[index] * blend
            )
            let (ux, uy) = pose.upright(px, py)
            let (x, y) = (ux + 6 * sway.0, uy + 6 * sway.1)
            let inside = wall(x, y)
            spleen.values[index] = spleenLevel(x, y, z, inside)
            return hounsfield(x, y, z, inside, spleen.values[index]) + 5 * texture.values[index]
        }
        // Noise of a reconstruction is correlated between neighbours.
        var noise = Plane(width: width, height: height) { _, _, _ in Float(generator.normal()) }.blurred(0.8)
        let deviation = generator.float(14...30) / 0.35
        noise.values = noise.values.map { $0 * deviation }
        units = units.blurred(0.7)
        let bytes = zip(units.values, noise.values).map { value, noise in
            let (low, high) = (Self.window.lowerBound, Self.window.upperBound)
            return Drawing.byte(255 * (value + noise - low) / (high - low))
        }
        return (Image(checked: width, height, 1, bytes), Drawing.mask(spleen))
    }

    /// Pixels inside of the skin.
    private func wall(_ x: Float, _ y: Float) -> Float {
        let (dx, dy) = (x / organs.body.x, y / organs.body.y)
        // Flatter behind than an ellipse.
        let power: Float = y > 0 ? 2.6 : 2.1
        return (1 - pow(pow(abs(dx), power) + pow(abs(dy), power), 1 / power)) * min(organs.body.x, organs.body.y)
    }

    private func spleenLevel(_ x: Float, _ y: Float, _ z: Float, _ wall: Float) -> Float {
        // It lies against the wall; stomach and kidney leave their impression.
        let impression = max(organs.impression.level(x, y, z), organs.leftKidney.level(x, y, z) + 1.5)
        return min(min(organs.spleen.level(x, y, z), wall - organs.fat - 8), -impression)
    }

    private func hounsfield(_ x: Float, _ y: Float, _ z: Float, _ wall: Float, _ spleen: Float) -> Float {
        guard wall > 0 else { return -1000 }
        guard wall > 2 else { return 20 }
        guard wall > organs.fat + 2 else { return density.fat }
        if let bone = bone(x, y, wall) { return bone }
        guard wall > organs.fat + 7 else { return density.muscle }
        if spleen > 0 { return density.spleen }
        if organs.stomach.level(x, y, z) > 0 {
            if organs.bubble.level(x, y, z) > 0 { return -850 }
            return organs.stomach.level(x, y, z) < 2.2 ? 70 : density.stomach
        }
        for kidney in [organs.leftKidney, organs.rightKidney] where kidney.level(x, y, z) > 0 {
            let depth = kidney.level(x, y, z)
            return depth > 6.5 ? density.fat + 60 : depth > 4 ? density.kidney - 45 : density.kidney
        }
        if max(organs.liver.level(x, y, z), organs.liverLobe.level(x, y, z)) > 0 {
            // Branches of its veins.
            let vein = sin(0.21 * x + 0.13 * y + 3 * z) * sin(0.11 * x - 0.19 * y + 2 * z)
            return vein > 0.86 ? density.vessel - 15 : density.liver
        }
        if distance(x - 7, y - 17) < 6.2 || distance(x + 11, y - 14) < 6 { return density.vessel }
        for loop in organs.bowel where loop.place.level(x, y, z) > 0 {
            return loop.place.level(x, y, z) < 1.8 ? 60 : loop.units
        }
        if y > 26, distance((abs(x) - 17) / 1.3, y - 44) < 10 { return density.muscle }
        return density.fat
    }

    private func bone(_ x: Float, _ y: Float, _ wall: Float) -> Float? {
        if distance(x, (y - 44) / 0.8) < 5 { return 40 }
        if distance(x, y - 32) < 12.5 { return distance(x, y - 32) > 10 ? 420 : 190 }
        if abs(x) < 3, y > 44, y < 58 { return 320 }
        let angle = atan2(y / organs.body.y, x / organs.body.x)
        let phase = angle * 3.2 + 0.4
        let isRib = abs(phase - phase.rounded()) < 0.17 && wall > organs.fat + 3 && wall < organs.fat + 7.5
        return isRib && y > -30 ? 380 : nil
    }

    private func distance(_ x: Float, _ y: Float) -> Float { (x * x + y * y).squareRoot() }
}
