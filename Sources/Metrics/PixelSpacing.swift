/// The distance between the centres of neighbouring pixels.
public struct PixelSpacing: Sendable, Hashable, Codable {
    /// What distances are measured in.
    public enum Unit: String, Sendable, Hashable, Codable {
        case pixels = "px"
        case millimetres = "mm"
    }

    /// Between columns, in `unit`.
    public let x: Double
    /// Between rows, in `unit`.
    public let y: Double
    public let unit: Unit

    /// Distances counted in pixels.
    public static let pixels = PixelSpacing(unchecked: 1, 1, .pixels)

    /// Distances in millimetres.
    ///
    /// - Throws: `MetricsError.spacing` unless both are from a nanometre to a kilometre.
    public init(millimetresX x: Double, y: Double) throws(MetricsError) {
        guard Self.usable.contains(x), Self.usable.contains(y) else { throw .spacing(x: x, y: y) }
        self.init(unchecked: x, y, .millimetres)
    }

    private static let usable = 1e-6...1e6

    private init(unchecked x: Double, _ y: Double, _ unit: Unit) {
        (self.x, self.y, self.unit) = (x, y, unit)
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        let unit = try values.decode(Unit.self, forKey: .unit)
        let (x, y) = (try values.decode(Double.self, forKey: .x), try values.decode(Double.self, forKey: .y))
        self = unit == .pixels ? .pixels : try PixelSpacing(millimetresX: x, y: y)
    }

    /// The largest distance of two pixel centres in a frame; 0 for a single pixel.
    public func diagonal(width: Int, height: Int) -> Double {
        let (dx, dy) = (Double(width - 1) * x, Double(height - 1) * y)
        return (dx * dx + dy * dy).squareRoot()
    }
}
