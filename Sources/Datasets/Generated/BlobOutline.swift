import Foundation

/// A closed outline that is irregular but smooth: the radius is a short Fourier series of the angle (as in elliptic shape models), on
/// stretched and rotated coordinates.
struct BlobOutline {
    var x: Float
    var y: Float
    /// Mean radius in pixels.
    var radius: Float
    /// How much longer than wide.
    var stretch: Float
    /// Of the long side, in radians.
    var angle: Float
    /// Amplitude, as a fraction of the radius, and phase of the waves from the second on.
    private var waves: [(amplitude: Float, phase: Float)]

    /// - Parameter roughness: standard deviation of the second wave as a fraction of the radius; those above fall with their number.
    init(
        x: Float, y: Float, radius: Float, stretch: ClosedRange<Double>, roughness: Double,
        _ generator: inout SeededGenerator
    ) {
        (self.x, self.y, self.radius) = (x, y, radius)
        self.stretch = generator.float(stretch)
        angle = generator.float(0...Double.pi)
        waves = (2...7).map { wave in
            (Float(roughness * generator.normal() * 2 / Double(wave)), generator.float(0...2 * .pi))
        }
    }

    /// Pixels from the outline along the ray from the centre, positive inside.
    func level(_ px: Float, _ py: Float) -> Float {
        let (dx, dy) = (px - x, py - y)
        let (cosine, sine) = (cos(angle), sin(angle))
        let root = stretch.squareRoot()
        let (along, across) = ((cosine * dx + sine * dy) / root, (cosine * dy - sine * dx) * root)
        let distance = (along * along + across * across).squareRoot()
        guard distance < 2.5 * radius else { return radius - distance }
        let direction = atan2(across, along)
        var border: Float = 1
        for (index, wave) in waves.enumerated() {
            border += wave.amplitude * cos(Float(index + 2) * direction + wave.phase)
        }
        return radius * max(border, 0.3) - distance
    }
}
