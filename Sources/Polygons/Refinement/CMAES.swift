import Foundation
import Statistics

/// The covariance matrix adaptation evolution strategy, (μ/μ_w, λ)-CMA-ES after Hansen 2016, *The CMA Evolution Strategy: A Tutorial*
/// (arXiv:1604.00772), with its default parameters and positive recombination weights only.
///
/// ```swift
/// var search = CMAES(start: [1, 1], deviation: 0.5, seed: 1)
/// while !search.isDone {
///     let points = search.ask()
///     search.tell(points, values: points.map { $0.reduce(0) { $0 + $1 * $1 } })
/// }
/// search.best?.value
/// ```
///
/// The same seed gives the same search. The eigenvectors are found anew in every generation: meant for few dimensions.
public struct CMAES: Sendable {
    public struct Best: Sendable, Hashable {
        public var point: [Double]
        public var value: Double
    }

    /// λ = 4 + ⌊3 ln n⌋ unless given.
    public let population: Int
    /// The best point told so far.
    public private(set) var best: Best?
    public private(set) var generation = 0
    /// σ, the overall step size.
    public private(set) var deviation: Double
    public private(set) var mean: [Double]

    private let parameters: CMAESParameters
    private let startDeviation: Double
    private var covariance: SymmetricMatrix
    private var eigen: SymmetricMatrix.Eigen
    private var pathSigma: [Double]
    private var pathCovariance: [Double]
    private var random: SplitMix64

    /// - Parameters:
    ///   - start: at least one coordinate.
    ///   - deviation: positive; about a third of the distance within which the minimum is expected.
    public init(start: [Double], deviation: Double, population: Int? = nil, seed: UInt64) {
        let dimension = max(start.count, 1)
        self.population = max(4, population ?? 4 + Int(3 * log(Double(dimension))))
        parameters = CMAESParameters(dimension: dimension, population: self.population)
        (mean, self.deviation, startDeviation) = (start, deviation, deviation)
        covariance = SymmetricMatrix(identity: start.count)
        eigen = covariance.eigen()
        pathSigma = [Double](repeating: 0, count: start.count)
        pathCovariance = pathSigma
        random = SplitMix64(seed: seed)
    }

    /// Whether the steps have become so small or ill-conditioned that nothing more is to be had.
    public var isDone: Bool {
        let largest = eigen.values.max() ?? 0
        let smallest = eigen.values.min() ?? 0
        return deviation * largest.squareRoot() < 1e-12 * startDeviation || !(smallest > 0)
            || largest > 1e14 * smallest || !deviation.isFinite
    }

    /// The points of a generation: mean + σ B D z.
    public mutating func ask() -> [[Double]] {
        (0..<population).map { _ in
            let scaled = eigen.values.map { $0.squareRoot() * random.normal() }
            return zip(mean, eigen.vectors.times(scaled)).map { $0 + deviation * $1 }
        }
    }

    /// The values of the points asked for, smaller is better; one that is no number counts as the worst.
    public mutating func tell(_ points: [[Double]], values: [Double]) {
        precondition(points.count == values.count && points.count >= parameters.weights.count)
        generation += 1
        let values = values.map { $0.isNaN ? .infinity : $0 }
        let order = values.indices.sorted { (values[$0], $0) < (values[$1], $1) }
        if best.map({ values[order[0]] < $0.value }) ?? true {
            best = Best(point: points[order[0]], value: values[order[0]])
        }
        let steps = order.prefix(parameters.weights.count).map { index in
            zip(points[index], mean).map { ($0 - $1) / deviation }
        }
        update(steps)
    }

    private mutating func update(_ steps: [[Double]]) {
        let p = parameters
        var step = [Double](repeating: 0, count: mean.count)
        for (weight, vector) in zip(p.weights, steps) {
            for index in step.indices { step[index] += weight * vector[index] }
        }
        for index in mean.indices { mean[index] += deviation * step[index] }
        // C^(−1/2) times the step.
        let whitened = eigen.vectors.times(
            zip(eigen.vectors.transposedTimes(step), eigen.values).map { $0 / $1.squareRoot() })
        let keepSigma = (p.cSigma * (2 - p.cSigma) * p.effective).squareRoot()
        for index in pathSigma.indices {
            pathSigma[index] = (1 - p.cSigma) * pathSigma[index] + keepSigma * whitened[index]
        }
        let length = pathSigma.reduce(0) { $0 + $1 * $1 }.squareRoot()
        let expected = length / (1 - pow(1 - p.cSigma, 2 * Double(generation))).squareRoot()
        let isSteady = expected < (1.4 + 2 / (Double(mean.count) + 1)) * p.expectedLength
        let keep = isSteady ? (p.cC * (2 - p.cC) * p.effective).squareRoot() : 0
        for index in pathCovariance.indices {
            pathCovariance[index] = (1 - p.cC) * pathCovariance[index] + keep * step[index]
        }
        let stalled = isSteady ? 0 : p.c1 * p.cC * (2 - p.cC)
        covariance.scale(1 + stalled - p.c1 - p.cMu)
        covariance.add(p.c1, pathCovariance)
        for (weight, vector) in zip(p.weights, steps) { covariance.add(p.cMu * weight, vector) }
        deviation *= exp(min(1, p.cSigma / p.dSigma * (length / p.expectedLength - 1)))
        eigen = covariance.eigen()
    }
}

/// The strategy parameters of the tutorial's table 1.
private struct CMAESParameters {
    /// Of the best half, logarithmic, summing to one.
    let weights: [Double]
    /// μ_eff.
    let effective: Double
    let cSigma: Double
    let dSigma: Double
    let cC: Double
    let c1: Double
    let cMu: Double
    /// E‖N(0, I)‖.
    let expectedLength: Double

    init(dimension: Int, population: Int) {
        let n = Double(dimension)
        let raw = (1...(population / 2)).map { log((Double(population) + 1) / 2) - log(Double($0)) }
        let total = raw.reduce(0, +)
        weights = raw.map { $0 / total }
        effective = 1 / weights.reduce(0) { $0 + $1 * $1 }
        cSigma = (effective + 2) / (n + effective + 5)
        dSigma = 1 + 2 * max(0, ((effective - 1) / (n + 1)).squareRoot() - 1) + cSigma
        cC = (4 + effective / n) / (n + 4 + 2 * effective / n)
        c1 = 2 / ((n + 1.3) * (n + 1.3) + effective)
        cMu = min(1 - c1, 2 * (0.25 + effective + 1 / effective - 2) / ((n + 2) * (n + 2) + effective))
        expectedLength = n.squareRoot() * (1 - 1 / (4 * n) + 1 / (21 * n * n))
    }
}
