import Foundation

/// How weights start: the schemes of `torch.nn.init`, with the same distributions and gains.
///
/// Weights are O I K… (output channels, input channels in a group, kernel), as PyTorch stores them.
public enum Initialization: Sendable, Equatable {
    case constant(Double)
    /// Uniform in [low, high).
    case uniform(low: Double = 0, high: Double = 1)
    case normal(mean: Double = 0, standardDeviation: Double = 1)
    /// Normal, given that the value lies in [low, high].
    case truncatedNormal(mean: Double = 0, standardDeviation: Double = 1, low: Double = -2, high: Double = 2)
    /// Uniform with variance 2 gain² / (fan in + fan out) (Glorot and Bengio 2010).
    case xavierUniform(gain: Double = 1)
    /// Normal with that variance.
    case xavierNormal(gain: Double = 1)
    /// Uniform with variance gain² / fan (He et al. 2015).
    case kaimingUniform(fan: Fan = .input, nonlinearity: Nonlinearity = .leakyReLU(slope: 0))
    /// Normal with that variance.
    case kaimingNormal(fan: Fan = .input, nonlinearity: Nonlinearity = .leakyReLU(slope: 0))
    /// Rows, or columns where there are fewer, orthogonal and of length gain (Saxe et al. 2014), from the QR decomposition of a
    /// normal matrix.
    case orthogonal(gain: Double = 1)
    /// A convolution that passes channels on: one at the centre of the kernel for equal channel numbers within each group.
    case dirac(groups: Int = 1)

    /// Which connections are counted.
    public enum Fan: Sendable, Equatable {
        case input, output
    }

    /// What follows the layer, for the gain.
    public enum Nonlinearity: Sendable, Equatable {
        case linear, sigmoid, tanh, relu, selu
        case leakyReLU(slope: Double = 0.01)

        /// The factor that keeps the variance of activations, as `torch.nn.init.calculate_gain`.
        public var gain: Double {
            switch self {
            case .linear, .sigmoid: return 1
            case .tanh: return 5.0 / 3
            case .relu: return 2.0.squareRoot()
            case .leakyReLU(let slope): return (2 / (1 + slope * slope)).squareRoot()
            case .selu: return 0.75
            }
        }
    }

    /// Connections into and out of one unit. Throws `RuntimeError.invalidShape` for fewer than two axes.
    public static func fans(of shape: [Int]) throws -> (input: Int, output: Int) {
        guard shape.count >= 2 else {
            throw RuntimeError.invalidShape("fan in and fan out need two axes or more, not \(shape)")
        }
        let field = shape.dropFirst(2).reduce(1, *)
        return (shape[1] * field, shape[0] * field)
    }

    /// New weights. Throws `RuntimeError.invalidShape` when the scheme does not fit the shape.
    public func tensor(_ shape: [Int], _ generator: RandomGenerator = Engine.current.generator) throws -> Tensor {
        let count = try Tensor.count(of: shape)
        func made(_ numbers: [Double]) -> Tensor { Tensor(unchecked: shape, numbers.map { Float($0) }) }
        func uniform(_ bound: Double) -> Tensor { made(generator.uniform(count, low: -bound, high: bound)) }
        func normal(_ deviation: Double) -> Tensor { made(generator.normal(count, standardDeviation: deviation)) }
        switch self {
        case .constant(let value): return try Tensor(shape: shape, repeating: Float(value))
        case .uniform(let low, let high):
            guard low <= high else { throw RuntimeError.invalidShape("no numbers lie between \(low) and \(high)") }
            return made(generator.uniform(count, low: low, high: high))
        case .normal(let mean, let deviation):
            guard deviation >= 0 else { throw RuntimeError.invalidShape("a standard deviation of \(deviation)") }
            return made(generator.normal(count, mean: mean, standardDeviation: deviation))
        case .truncatedNormal(let mean, let deviation, let low, let high):
            return made(
                try generator.truncatedNormal(
                    count, mean: mean, standardDeviation: deviation, low: low, high: high))
        case .xavierUniform(let gain): return uniform(try Initialization.xavier(shape, gain) * 3.0.squareRoot())
        case .xavierNormal(let gain): return normal(try Initialization.xavier(shape, gain))
        case .kaimingUniform(let fan, let nonlinearity):
            return uniform(try Initialization.kaiming(shape, fan, nonlinearity) * 3.0.squareRoot())
        case .kaimingNormal(let fan, let nonlinearity):
            return normal(try Initialization.kaiming(shape, fan, nonlinearity))
        case .orthogonal(let gain): return made(try Initialization.orthogonal(shape, gain, generator))
        case .dirac(let groups): return made(try Initialization.dirac(shape, groups))
        }
    }

    private static func xavier(_ shape: [Int], _ gain: Double) throws -> Double {
        let fans = try fans(of: shape)
        return gain * (2 / Double(max(fans.input + fans.output, 1))).squareRoot()
    }

    private static func kaiming(_ shape: [Int], _ fan: Fan, _ nonlinearity: Nonlinearity) throws -> Double {
        let fans = try fans(of: shape)
        return nonlinearity.gain / Double(max(fan == .input ? fans.input : fans.output, 1)).squareRoot()
    }

    /// Modified Gram–Schmidt, each vector twice (Giraud, Langou and Rozložník 2005: twice is enough for orthogonality to rounding).
    /// The diagonal of R is positive, which makes the distribution uniform (Mezzadri 2007). Cost: rows² · columns.
    private static func orthogonal(_ shape: [Int], _ gain: Double, _ generator: RandomGenerator) throws -> [Double] {
        guard shape.count >= 2, shape.allSatisfy({ $0 > 0 }) else {
            throw RuntimeError.invalidShape("orthogonal weights need two axes or more, not \(shape)")
        }
        let (rows, columns) = (shape[0], shape.dropFirst().reduce(1, *))
        let (count, length) = (min(rows, columns), max(rows, columns))
        var vectors: [[Double]] = []
        while vectors.count < count {
            var vector = generator.normal(length)
            for _ in 0..<2 {
                for other in vectors {
                    var product = 0.0
                    for i in 0..<length { product += vector[i] * other[i] }
                    for i in 0..<length { vector[i] -= product * other[i] }
                }
            }
            let norm = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
            // A vector that others span is drawn again; that has probability zero.
            if norm > 1e-8 { vectors.append(vector.map { $0 / norm }) }
        }
        var values = [Double](repeating: 0, count: rows * columns)
        for (index, vector) in vectors.enumerated() {
            for (position, value) in vector.enumerated() {
                values[rows <= columns ? index * columns + position : position * columns + index] = gain * value
            }
        }
        return values
    }

    private static func dirac(_ shape: [Int], _ groups: Int) throws -> [Double] {
        guard (3...5).contains(shape.count), groups > 0, shape[0] % groups == 0 else {
            throw RuntimeError.invalidShape("a Dirac kernel in \(groups) groups does not fit shape \(shape)")
        }
        let strides = View.strides(rowMajor: shape)
        var values = [Double](repeating: 0, count: shape.reduce(1, *))
        let size = shape[0] / groups
        let centre = (2..<shape.count).reduce(0) { $0 + shape[$1] / 2 * strides[$1] }
        for group in 0..<groups {
            for channel in 0..<min(size, shape[1]) {
                values[(group * size + channel) * strides[0] + channel * strides[1] + centre] = 1
            }
        }
        return values
    }
}
