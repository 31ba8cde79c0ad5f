import Foundation
import Statistics

/// A colour, or any three numbers of a pixel.
typealias Colour = SIMD3<Double>

/// A mixture of normal distributions over colours with full covariances.
struct ColourMixture {
    struct Component {
        var weight: Double
        var mean: Colour
        /// The rows of the inverse covariance.
        var precision: (Colour, Colour, Colour)
        /// ln weight − ½ ln det covariance.
        var offset: Double

        /// The logarithm of the weighted density, without the constant −3/2 ln 2π.
        func logDensity(_ colour: Colour) -> Double {
            let d = colour - mean
            let square =
                d.x * (precision.0 * d).sum() + d.y * (precision.1 * d).sum() + d.z * (precision.2 * d).sum()
            return offset - square / 2
        }
    }

    private(set) var components: [Component] = []

    /// Fits to colours that are assigned to components already.
    ///
    /// - Parameter labels: the component of each colour, in 0..<count.
    init(_ colours: [Colour], labels: [Int], count: Int) {
        var sizes = [Double](repeating: 0, count: count)
        var sums = [Colour](repeating: .zero, count: count)
        var squares = [(Colour, Colour, Colour)](repeating: (.zero, .zero, .zero), count: count)
        for (colour, label) in zip(colours, labels) {
            sizes[label] += 1
            sums[label] += colour
            squares[label].0 += colour * colour.x
            squares[label].1 += colour * colour.y
            squares[label].2 += colour * colour.z
        }
        for index in 0..<count where sizes[index] > 0 {
            let mean = sums[index] / sizes[index]
            var rows = (
                squares[index].0 / sizes[index] - mean * mean.x, squares[index].1 / sizes[index] - mean * mean.y,
                squares[index].2 / sizes[index] - mean * mean.z
            )
            // A component of one colour would be infinitely narrow: a hundredth of a grey value's variance is added.
            rows.0.x += 0.01
            rows.1.y += 0.01
            rows.2.z += 0.01
            let (inverse, determinant) = Self.inverse(rows)
            let weight = sizes[index] / Double(colours.count)
            components.append(
                Component(
                    weight: weight, mean: mean, precision: inverse, offset: log(weight) - log(determinant) / 2))
        }
    }

    /// The component that most likely made a colour.
    func component(of colour: Colour) -> Int {
        var (best, index) = (-Double.infinity, 0)
        for (candidate, component) in components.enumerated() {
            let density = component.logDensity(colour)
            if density > best { (best, index) = (density, candidate) }
        }
        return index
    }

    /// −ln of the mixture's density, without the constant 3/2 ln 2π.
    func cost(of colour: Colour) -> Double {
        let densities = components.map { $0.logDensity(colour) }
        let largest = densities.max() ?? 0
        return -(largest + log(densities.reduce(0) { $0 + exp($1 - largest) }))
    }

    /// Clusters by k-means (Lloyd 1982) from seeds spread by k-means++ (Arthur and Vassilvitskii 2007), ten rounds.
    static func clusters(_ colours: [Colour], count: Int, seed: UInt64) -> [Int] {
        guard let first = colours.first else { return [] }
        var random = SplitMix64(seed: seed)
        func square(_ a: Colour, _ b: Colour) -> Double { ((a - b) * (a - b)).sum() }
        var means = [random.index(below: colours.count)].map { colours[$0] }
        var nearest = colours.map { square($0, means.first ?? first) }
        while means.count < count {
            let total = nearest.reduce(0, +)
            guard total > 0 else { break }
            var place = random.uniform() * total
            let chosen = nearest.firstIndex { distance in
                place -= distance
                return place <= 0
            }
            let mean = colours[chosen ?? colours.count - 1]
            means.append(mean)
            for index in colours.indices { nearest[index] = min(nearest[index], square(colours[index], mean)) }
        }
        var labels = [Int](repeating: 0, count: colours.count)
        for _ in 0..<10 {
            var (sums, sizes) = (
                [Colour](repeating: .zero, count: means.count), [Double](repeating: 0, count: means.count)
            )
            for (index, colour) in colours.enumerated() {
                var best = Double.infinity
                for (candidate, mean) in means.enumerated() where square(colour, mean) < best {
                    (best, labels[index]) = (square(colour, mean), candidate)
                }
                sums[labels[index]] += colour
                sizes[labels[index]] += 1
            }
            for index in means.indices where sizes[index] > 0 { means[index] = sums[index] / sizes[index] }
        }
        return labels
    }

    /// By cofactors; covariances are symmetric and positive definite.
    private static func inverse(
        _ m: (Colour, Colour, Colour)
    ) -> (inverse: (Colour, Colour, Colour), determinant: Double) {
        let a = m.1.y * m.2.z - m.1.z * m.2.y
        let b = m.1.z * m.2.x - m.1.x * m.2.z
        let c = m.1.x * m.2.y - m.1.y * m.2.x
        let determinant = max(m.0.x * a + m.0.y * b + m.0.z * c, 1e-12)
        let rows = (
            Colour(a, m.0.z * m.2.y - m.0.y * m.2.z, m.0.y * m.1.z - m.0.z * m.1.y) / determinant,
            Colour(b, m.0.x * m.2.z - m.0.z * m.2.x, m.0.z * m.1.x - m.0.x * m.1.z) / determinant,
            Colour(c, m.0.y * m.2.x - m.0.x * m.2.y, m.0.x * m.1.y - m.0.y * m.1.x) / determinant
        )
        return (rows, determinant)
    }
}
