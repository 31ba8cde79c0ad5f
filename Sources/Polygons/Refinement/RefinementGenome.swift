/// The eight numbers of a refinement, each with the range it may take. Lengths are fractions of the radius of a disc of the mask's area, so
/// that a genome means the same for small and large targets and pictures.
public struct RefinementGenome: Sendable, Hashable, Codable {
    /// Standard deviation of the blur that smooths the outline.
    public var smoothing: Double
    /// How far the outline moves outwards; inwards when negative.
    public var growth: Double
    /// Half the width of the ring around the outline in which pixels are told apart by their intensity; below half a pixel nothing is.
    public var snapReach: Double
    /// Where in the ring intensities divide: 0 at the mean of the inside, 1 at that of the outside.
    public var snapBalance: Double
    /// Region growing takes pixels that differ from the inside's mean by at most so many of its standard deviations.
    public var regionTolerance: Double
    /// Holes of up to this fraction of the mask's area are filled.
    public var holes: Double
    /// Components smaller than this fraction of the largest are dropped.
    public var components: Double
    /// What lies in the convex hull is added as far from the mask as this fraction of the radius.
    public var convexity: Double

    /// Nothing is changed.
    public static let identity = RefinementGenome(
        smoothing: 0, growth: 0, snapReach: 0, snapBalance: 0.5, regionTolerance: 0, holes: 0, components: 0,
        convexity: 0)

    /// The range of each number, in the order of `values`.
    public static let ranges: [ClosedRange<Double>] = [
        0...0.5, -0.4...0.4, 0...0.6, 0.1...0.9, 0...2, 0...0.5, 0...1, 0...1,
    ]

    /// The numbers in the order in which they are declared.
    public var values: [Double] {
        [smoothing, growth, snapReach, snapBalance, regionTolerance, holes, components, convexity]
    }

    /// Numbers as places in their ranges, 0 to 1: what is searched.
    var places: [Double] {
        zip(values, Self.ranges).map { ($0 - $1.lowerBound) / ($1.upperBound - $1.lowerBound) }
    }

    /// A genome from places in the ranges; what lies outside 0 to 1 is clamped.
    init(places: [Double]) {
        let v = zip(places, Self.ranges).map { place, range in
            range.lowerBound + min(max(place, 0), 1) * (range.upperBound - range.lowerBound)
        }
        self.init(
            smoothing: v[0], growth: v[1], snapReach: v[2], snapBalance: v[3], regionTolerance: v[4], holes: v[5],
            components: v[6], convexity: v[7])
    }

    private init(
        smoothing: Double, growth: Double, snapReach: Double, snapBalance: Double, regionTolerance: Double,
        holes: Double, components: Double, convexity: Double
    ) {
        (self.smoothing, self.growth, self.snapReach, self.snapBalance) = (smoothing, growth, snapReach, snapBalance)
        (self.regionTolerance, self.holes, self.components) = (regionTolerance, holes, components)
        self.convexity = convexity
    }

    /// Throws where a number is outside its range: genomes are read from files.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let keys: [CodingKeys] = [
            .smoothing, .growth, .snapReach, .snapBalance, .regionTolerance, .holes, .components, .convexity,
        ]
        self = .identity
        let paths: [WritableKeyPath<RefinementGenome, Double>] = [
            \.smoothing, \.growth, \.snapReach, \.snapBalance, \.regionTolerance, \.holes, \.components, \.convexity,
        ]
        for ((key, path), range) in zip(zip(keys, paths), Self.ranges) {
            let value = try container.decode(Double.self, forKey: key)
            guard range.contains(value) else {
                throw PolygonsError.parameter("the refinement's \(key.stringValue)", value, range)
            }
            self[keyPath: path] = value
        }
    }
}
