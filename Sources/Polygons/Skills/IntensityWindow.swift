/// The part of a scanner's range that is shown as grey values.
public struct IntensityWindow: Sendable, Hashable, Codable {
    /// The middle, in the unit of the samples.
    public var level: Double
    public var width: Double

    public init(level: Double, width: Double) {
        (self.level, self.width) = (level, max(width, .leastNonzeroMagnitude))
    }

    /// The usual window of soft tissue in computed tomography, in Hounsfield units: 40 ± 200.
    public static let softTissue = IntensityWindow(level: 40, width: 400)

    /// Grey values: 0 up to the lower end, 255 from the upper end on, linear between, rounded to nearest. A sample that is no number
    /// becomes 0.
    public func apply(_ samples: [Float]) -> [UInt8] {
        samples.map { sample in
            let place = (Double(sample) - (level - width / 2)) / width * 255
            return place.isNaN ? 0 : ColourSpace.byte(place)
        }
    }
}
