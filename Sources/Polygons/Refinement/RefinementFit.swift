import Datasets
import Metrics
import Statistics

/// A refinement fitted to labels, with what cross-validation says of it. Stored as JSON.
///
/// ```swift
/// let fit = try RefinementFit(cases, seed: 1)
/// fit.gain                                     // mean Dice it adds to masks it was not fitted on
/// let mask = try fit.refiner.refine(drawn, on: image)
/// ```
public struct RefinementFit: Sendable, Hashable, Codable {
    /// A drawing with its picture and the truth.
    public struct Case: Sendable {
        public var image: Image
        public var drawn: Mask
        public var truth: Mask

        public init(image: Image, drawn: Mask, truth: Mask) {
            (self.image, self.drawn, self.truth) = (image, drawn, truth)
        }
    }

    /// Labels that a fit may use.
    public static let mostLabels = 40

    /// Fitted on all labels.
    public let genome: RefinementGenome
    public let labels: Int
    public let folds: Int
    public let seed: UInt64
    /// Generations of each search.
    public let generations: Int
    /// Mean Dice of the drawings as they are.
    public let drawnDice: Double
    /// Mean Dice on the labels that the genome was fitted on: too good.
    public let fittedDice: Double
    /// Mean Dice of each label under the genome that was fitted without it.
    public let crossValidatedDice: Double

    /// What the refinement adds where it was not fitted, by cross-validation.
    public var gain: Double { crossValidatedDice - drawnDice }

    /// Applies the genome.
    public var refiner: MaskRefiner { MaskRefiner(genome) }

    /// Fits by CMA-ES from the identity; places beyond a range cost what they are beyond it.
    ///
    /// - Parameters:
    ///   - cases: at least 2, at most 40, and at most as many as the budget has labels; the caller sees to the latter.
    ///   - folds: of the cross-validation; not more than cases.
    /// - Throws: `PolygonsError`.
    /// - Complexity: (folds + 1) × generations × 10 refinements of every case.
    public init(_ cases: [Case], folds: Int = 5, generations: Int = 30, seed: UInt64) throws(PolygonsError) {
        guard cases.count <= Self.mostLabels else { throw .tooManyLabels(cases.count, most: Self.mostLabels) }
        guard cases.count >= 2 else { throw .noLabels }
        guard folds >= 2, folds <= cases.count else { throw .folds(folds, labels: cases.count) }
        guard cases.allSatisfy({ $0.truth.width == $0.drawn.width && $0.truth.height == $0.drawn.height }) else {
            throw .sizes("a drawing and its truth")
        }
        var order = Array(cases.indices)
        var random = SplitMix64(seed: seed)
        for place in stride(from: order.count - 1, to: 0, by: -1) {
            order.swapAt(place, random.index(below: place + 1))
        }
        var held = 0.0
        for fold in 0..<folds {
            let test = order.indices.filter { $0 % folds == fold }.map { cases[order[$0]] }
            let train = order.indices.filter { $0 % folds != fold }.map { cases[order[$0]] }
            let genome = try Self.search(train, generations, seed &+ UInt64(fold) &+ 1).genome
            held += try Self.dice(genome, test) * Double(test.count)
        }
        let fitted = try Self.search(cases, generations, seed)
        genome = fitted.genome
        (labels, self.folds, self.seed, self.generations) = (cases.count, folds, seed, generations)
        drawnDice = try Self.dice(.identity, cases)
        fittedDice = fitted.dice
        crossValidatedDice = held / Double(cases.count)
    }

    private static func search(
        _ cases: [Case], _ generations: Int, _ seed: UInt64
    ) throws(PolygonsError) -> (genome: RefinementGenome, dice: Double) {
        var search = CMAES(start: RefinementGenome.identity.places, deviation: 0.2, seed: seed)
        // Doing nothing is always possible.
        var best = (genome: RefinementGenome.identity, dice: try dice(.identity, cases))
        for _ in 0..<generations where !search.isDone {
            let points = search.ask()
            var values: [Double] = []
            for point in points {
                let genome = RefinementGenome(places: point)
                let dice = try dice(genome, cases)
                if dice > best.dice { best = (genome, dice) }
                let beyond = point.reduce(0) { $0 + max(0, -$1, $1 - 1) }
                values.append(1 - dice + 0.1 * beyond)
            }
            search.tell(points, values: values)
        }
        return best
    }

    /// Mean Dice of the cases under a genome.
    private static func dice(_ genome: RefinementGenome, _ cases: [Case]) throws(PolygonsError) -> Double {
        var sum = 0.0
        for item in cases {
            let refined = try MaskRefiner(genome).refine(item.drawn, on: item.image)
            guard let counts = try? ConfusionCounts(predicted: refined.values, truth: item.truth.values) else {
                throw .sizes("a drawing and its truth")
            }
            sum += counts.dice
        }
        return sum / Double(cases.count)
    }
}
